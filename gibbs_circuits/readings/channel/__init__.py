"""A program as exact channels: fixed point, contraction, worst start, guarantee."""
