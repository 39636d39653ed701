"""Programs on lattices: placement, routing, basis gates."""
