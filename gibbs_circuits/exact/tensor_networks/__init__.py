"""Thermal states of many sites as matrix products along a line."""
