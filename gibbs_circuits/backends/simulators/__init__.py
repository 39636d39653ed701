"""Simulations: which method, what it takes, noisy channels."""
