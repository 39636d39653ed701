"""Nominal seconds of what searches compute, on one quiet core, from sizes alone: good to a factor of two.

Constants were measured at 2 to 8 sites; they decide how far a search goes, so that changing one changes what is found.
"""

from __future__ import annotations

from ..limits import MAX_KRYLOV_QUBITS
from ..linalg.speed import PRODUCTS

CALL = 1.2e-4  # of one evaluation within a descent, besides the objective
COMPLEX = 2.2  # times as long with complex numbers, products left out


def eigensystem(d: float, *, real: bool = False) -> float:
    """Of one Hermitian d × d matrix."""
    return float(5.3e-5 * (d / 16) ** 1.73 * (1.0 if real else COMPLEX))


def one_pass(slots: int, dim: int, d: int, *, real: bool) -> float:
    """A preparation's cost and gradient: `slots` rotations on `dim` amplitudes, then d × d matrices."""
    rotations = slots * (1.8e-5 + (1e-8 if real else 4e-8) * dim)
    return 1e-4 + rotations + eigensystem(d, real=real) + 4 * dim * d * (1 if real else 4) / PRODUCTS


def repeated(slots: int, dim: int, d: int, sweeps: int, parts: int, *, real: bool, single: bool) -> float:
    """A sampler's cost and gradient: `slots` rotations on `dim` × d numbers; then `parts` starts through the sweeps."""
    rotations = slots * (5e-5 + 1.6e-8 * dim * d * (1.0 if real else COMPLEX) * (0.5 if single else 1.0))
    flops = 10 * sweeps * parts * dim * d * d * (1 if real else 4) * (0.5 if single else 1.0)
    return 2e-4 + rotations + sweeps * 5e-5 + flops / PRODUCTS + parts * eigensystem(d)


def seesaw(branches: int, d: int, sweeps: int, *, real: bool) -> float:
    """One step of a see-saw over starts: all sweeps forwards and back, and two eigensystems."""
    return 2 * sweeps * (3e-5 + (8 if real else 16) * branches * d**3 / PRODUCTS) + 2 * eigensystem(d)


def noisy(steps: int, size: int, sweeps: int, columns: int, d: int) -> float:
    """Cost and gradient with gate errors: `steps` of a tape on vectors of `size` numbers, `columns` of them."""
    return 4e-4 + sweeps * steps * (4e-5 + 1e-8 * size * columns) + columns * eigensystem(d)


def layout(n: int, nodes: int) -> float:
    """Least squares of a sweep of few nodes."""
    return 5e-3 * n + 8e-4 * n * nodes + 2e-8 * nodes * 8.0**n / 8


def sweep_matrix(n: int, nodes: int, couplings: int) -> float:
    """One sweep as a 4ⁿ × 4ⁿ matrix."""
    return 1.5e-3 + couplings * nodes * (3e-4 + 2e-8 * 16.0**n / 16) + 8 * 16.0**n * couplings / PRODUCTS


def recipe(n: int, passes: int) -> float:
    """A copied recipe on a piece: layouts, maps, and the worst start of all its regions."""
    return 0.06 + passes * (0.02 + 8e-5 * 8.0 ** (n - 2) * n)


def delay_matrix(n: int) -> float:
    """A random delay behind a sweep's matrix."""
    return 1e-3 + 64 * 32.0**n / PRODUCTS


def columns_moved(n: int, count: int) -> float:
    """A 4ⁿ × 4ⁿ matrix on so many vectors."""
    return 3e-6 + 16.0**n * (8e-10 + 8 * count / PRODUCTS)


def distances(n: int, count: int) -> float:
    """Trace distances of so many states."""
    return 2e-5 + count * (2e-6 + 1.2e-7 * 4.0**n)


def dense_search(n: int, starts: int) -> float:
    """One step of a see-saw over so many starts at once, all sweeps being one matrix."""
    return 2 * columns_moved(n, starts) + starts * eigensystem(2.0**n)


def power(n: int, count: int) -> float:
    """A 4ⁿ × 4ⁿ matrix to that power."""
    return 1e-5 + 2 * count.bit_length() * 8 * 64.0**n / (2 * PRODUCTS)


def fixed(n: int) -> float:
    """The fixed point of a 4ⁿ × 4ⁿ matrix, densely."""
    return 1e-4 + 30 * 64.0**n / PRODUCTS


def nearest_product(n: int) -> float:
    """The nearest product state, by descents from a few starts."""
    return 0.02 * 4.0 ** (n - 2)


def transpiled(gates_of_a_sweep: float) -> float:
    """Counting a sweep's gates by transpiling it."""
    return 0.3 + 1.5e-2 * gates_of_a_sweep


def after_search(n: int) -> float:
    """Counting gates and reading a program off, as a rule; more is not waited for."""
    return 1.0 + (0.5 * 4.0 ** max(0, n - 4) if n <= MAX_KRYLOV_QUBITS else 0.0)
