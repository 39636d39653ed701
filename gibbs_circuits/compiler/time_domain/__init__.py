"""What the schemes that are written in time share."""
