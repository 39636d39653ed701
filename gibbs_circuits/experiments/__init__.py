"""Experiment files → runs → folders."""
