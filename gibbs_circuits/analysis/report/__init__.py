"""Comparisons as tables, text and pictures."""
