"""Program → shots, on simulators and devices."""
