"""Where programs run."""

from .compiled import Ancillas, Compiled
from .devices import Device, open_device
from .jobs import Memory, RunResult, Store, collect
from .request import Request
from .transpile import compile_for

__all__ = [
    "Ancillas", "Compiled", "Device", "Memory", "Request", "RunResult", "Store", "collect", "compile_for",
    "open_device",
]  # fmt: skip
