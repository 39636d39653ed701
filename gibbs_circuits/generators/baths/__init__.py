"""Where the heat goes: baths."""

from .bath import Bath, rescaled
from .custom import from_function, from_qutip, from_table, from_textbook, read_bath, to_qutip
from .ohmic import ohmic
from .power_law import power_law

__all__ = [
    "Bath", "from_function", "from_qutip", "from_table", "from_textbook", "ohmic", "power_law", "read_bath", "rescaled",
    "to_qutip",
]  # fmt: skip
