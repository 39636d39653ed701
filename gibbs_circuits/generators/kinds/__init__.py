"""Kinds of generators, one file each."""
