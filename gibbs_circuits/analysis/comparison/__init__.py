"""A run held against the exact answer."""
