"""Program → channel, circuit, cost, trajectories."""
