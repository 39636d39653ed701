"""Arrays, states, Pauli strings, channels; no physics."""
