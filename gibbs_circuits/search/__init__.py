"""A target error → the cheapest program."""
