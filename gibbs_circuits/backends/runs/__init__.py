"""A run: prepared, checked, carried out, kept."""
