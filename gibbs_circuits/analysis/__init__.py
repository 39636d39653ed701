"""Shots → statements: estimates, error budget, comparison with the exact answer, report."""
