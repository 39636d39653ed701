"""What a target can do and how it errs."""
