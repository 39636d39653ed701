"""What each approximation does to the state, and the orders in which they vanish."""
