"""What is known about a generator before anything is compiled."""
