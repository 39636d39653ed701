"""Ways to write a generator as sweeps, one file each."""
