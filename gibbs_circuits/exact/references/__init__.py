"""Ways to know a Gibbs state exactly, one file each, tried in the order of the registry."""
