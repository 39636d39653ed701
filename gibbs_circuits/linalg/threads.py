"""How many threads work: one where matrices are small, the user's own setting elsewhere; decided here and nowhere else.

BLAS splits a matrix of 64 rows among all cores and waits for each: beside other work that wait is a slice of the
scheduler, and what takes milliseconds takes seconds. Measured on two cores with a load of four, one thread against two
(milliseconds): eigh of 64 rows 0.6 and 54, of 128 rows 7 and 1300, of 1024 rows 1600 and 25000; matmul of 64 rows 0.05
and 16. What a second thread would gain on an idle machine was not measured.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

from ..limits import ONE_THREAD_AMPLITUDES, ONE_THREAD_ROWS

P = ParamSpec("P")
R = TypeVar("R")
SUPEROPERATORS = 5  # qubits up to which 𝓛 is written out as a matrix


@cache
def _libraries(loaded: tuple[str, ...]) -> Any:
    """The thread pools of this process, looked up once for what is `loaded`: half a millisecond and more."""
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]  # it declares no types

    return ThreadpoolController()


def _controller() -> Any:
    import scipy.linalg  # noqa: F401  # it brings a BLAS of its own, which has to be there to be found

    return _libraries(tuple(name for name in ("qiskit_aer", "torch", "sklearn") if name in sys.modules))


class _OneThread:
    """One thread while the main thread is inside, however deep; the outermost puts back what it found.

    Only for the main thread: from another OpenBLAS ignores the number (0.3.31) or sets it for all, and of two that
    overlap the last to leave would put back the one thread that it found. Whoever computes in threads of his own has
    split the work already.
    """

    def __init__(self) -> None:
        self.depth = 0
        self.limiter: AbstractContextManager[object] | None = None

    def __enter__(self) -> None:
        if self.depth == 0:
            limiter = _controller().limit(limits=1)
            limiter.__enter__()
            self.limiter = limiter
        self.depth += 1

    def __exit__(self, *exception: object) -> None:
        self.depth -= 1
        if self.depth == 0 and self.limiter is not None:
            limiter, self.limiter = self.limiter, None
            limiter.__exit__(None, None, None)


_ONE_THREAD = _OneThread()


@contextmanager
def threads_for(rows: int | None) -> Iterator[None]:
    """One thread for matrices of so many rows if these are small; as the user has it if they are not, or not known.

    Nothing is changed for good: the outermost puts back what it has found.
    """
    main = threading.current_thread() is threading.main_thread()
    if rows is None or rows > ONE_THREAD_ROWS or not main:
        yield
        return
    with _ONE_THREAD:
        yield


def rows_of(num_qubits: int) -> int:
    """Rows of the largest dense matrix that is made of n qubits: superoperators to 5, operators above."""
    return int(4**num_qubits if num_qubits <= SUPEROPERATORS else 2**num_qubits)


def small_matrices(num_qubits: int) -> AbstractContextManager[None]:
    """`threads_for` the matrices of so many qubits."""
    return threads_for(rows_of(num_qubits))


@cache
def limited(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, on one thread where its arguments are small.

    An argument answers for itself by `num_system` (a program, a run) or `num_qubits`; an array by its length. Where
    none does, the user's setting stays.
    """

    @wraps(function)
    def threaded(*args: P.args, **kwargs: P.kwargs) -> R:
        sizes = [rows for rows in map(_rows, (*args, *kwargs.values())) if rows is not None]
        with threads_for(max(sizes, default=None)):
            return function(*args, **kwargs)

    return threaded


def _rows(argument: Any) -> int | None:
    """Rows of the matrices that an argument of a public function leads to; None where it is no matter of size."""
    try:
        for name in ("num_system", "num_qubits"):
            if isinstance(number := getattr(argument, name, None), int) and number >= 0:
                return rows_of(number)
        shape = getattr(argument, "shape", ())
        return int(shape[-1]) if isinstance(shape, tuple) and len(shape) >= 2 else None
    except Exception:  # a user's object may raise anything; what is wrong with it is said by the function itself
        return None


def simulator_threads(amplitudes: int | None) -> int:
    """Threads of a simulator for one state of so many amplitudes: one where they would wait for each other.

    None: for shots, each a state of its own, which wait for nothing.
    """
    return 1 if amplitudes is not None and amplitudes <= ONE_THREAD_AMPLITUDES else os.cpu_count() or 1
