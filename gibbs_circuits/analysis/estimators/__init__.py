"""Numbers with intervals, and the temperature they mean."""
