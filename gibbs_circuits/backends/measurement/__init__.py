"""Bases, shots and counts."""
