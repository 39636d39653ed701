"""Detailed balance, symmetries, rates, locality, and the generator without its matrix."""
