"""A program as stochastic pure states, in batches."""
