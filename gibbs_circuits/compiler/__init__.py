"""Lindbladian → program."""
