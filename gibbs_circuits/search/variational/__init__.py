"""Shapes and angles of circuits fitted to a state."""
