"""A program as circuits: gates, cost, depth, picture."""
