"""States in time and for ever."""
