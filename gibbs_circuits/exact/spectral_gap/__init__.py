"""The gap, and how many steady states there are."""
