"""Where programs run."""

from .jobs import Memory, Request, RunResult, Store, collect
from .transpile import Compiled, compile_for

__all__ = ["Compiled", "Memory", "Request", "RunResult", "Store", "collect", "compile_for"]
