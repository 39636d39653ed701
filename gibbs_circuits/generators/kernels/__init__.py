"""Transition kernels α(ν1, ν2), one file each."""
