"""Model, β and couplings → Lindbladian."""
