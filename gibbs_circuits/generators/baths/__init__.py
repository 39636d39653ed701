"""Where the heat goes: baths."""

from .bath import Bath, ohmic, power_law, rescaled
from .custom import from_function, from_qutip, from_table, from_textbook, read_bath, to_qutip

__all__ = [
    "Bath", "from_function", "from_qutip", "from_table", "from_textbook", "ohmic", "power_law", "read_bath", "rescaled",
    "to_qutip",
]  # fmt: skip
