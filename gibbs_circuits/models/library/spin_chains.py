"""Library models of spins, each written as in its formula: on an open chain unless `periodic`, or on any lattice.

Couplings are one number or one per bond, in the order of the lattice's bonds; fields one number or one per site.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ArgumentError, check_real, shown
from ..model import Model
from .bonds import Lattice, as_lattice

Sparse = tuple[str, list[int], float]
Numbers = float | Sequence[float]


def _model(sparse: list[Sparse], num_qubits: int, name: str) -> Model:
    from qiskit.quantum_info import SparsePauliOp  # loaded when used

    kept = [term for term in sparse if term[2] != 0.0] or [("", [], 0.0)]
    return Model(SparsePauliOp.from_sparse_list(kept, num_qubits=num_qubits), name)


def _each(argument: str, given: object, count: int, what: str) -> list[float]:
    """One number for each of `count` bonds or sites, from one for all or a list."""
    several = given.ndim > 0 if isinstance(given, np.ndarray) else isinstance(given, list | tuple)
    if not several:
        return [check_real(argument, given)] * count
    listed: list[object] = list(given)  # type: ignore[call-overload]
    if len(listed) != count:
        meant = [*listed, *[0.0] * count][:count]
        raise ArgumentError(
            argument, f"have one entry per {what} ({count})", f"it has {len(listed)}",
            f"set {argument} = {shown(meant, 200)}",
        )  # fmt: skip
    return [check_real(f"{argument}[{i}]", value) for i, value in enumerate(listed)]


def _named(name: str, lattice: Lattice) -> str:
    return name if lattice.name == "chain" else f"{name}_{lattice.name}"


def mixed_field_ising(
    sites: int | Lattice = 4, J: Numbers = 1.0, h: Numbers = 0.9, g: Numbers = 0.5, periodic: bool = False
) -> Model:
    r"""Ising model in a tilted field: $H = -\sum_{\langle ij\rangle} J_{ij} Z_iZ_j - \sum_i h_i X_i - \sum_i g_i Z_i$.

    Args:
        sites: Of a chain, or a lattice: `ladder(rungs)`, `square(columns, rows)`, `heavy_hex(columns, rows)`.
        J: One number, or one per bond.
        h: Along x; one number, or one per site.
        g: Along z, likewise.
        periodic: Whether the chain is a ring.

    Raises:
        ArgumentError: If `sites` is not a whole number >= 1 or a parameter is not finite.
    """
    lattice = as_lattice(sites, periodic)
    n, m = lattice.num_sites, len(lattice.bonds)
    couplings, transverse, along = _each("J", J, m, "bond"), _each("h", h, n, "site"), _each("g", g, n, "site")
    sparse: list[Sparse] = [("ZZ", [*bond], -c) for bond, c in zip(lattice.bonds, couplings, strict=True)]
    sparse += [("X", [i], -c) for i, c in enumerate(transverse)] + [("Z", [i], -c) for i, c in enumerate(along)]
    return _model(sparse, n, _named("mixed_field_ising", lattice))


def tfim(sites: int | Lattice = 4, J: Numbers = 1.0, h: Numbers = 1.0, periodic: bool = False) -> Model:
    r"""Transverse-field Ising model: the one in a tilted field at $g = 0$."""
    lattice = as_lattice(sites, periodic)
    return Model(mixed_field_ising(lattice, J, h, 0.0).hamiltonian, _named("tfim", lattice))


def xxz(
    sites: int | Lattice = 4, J: Numbers = 1.0, delta: float = 1.0, fields: Numbers = 0.0, periodic: bool = False
) -> Model:
    r"""XXZ model: $H = \sum_{\langle ij\rangle} J_{ij} (X_iX_j + Y_iY_j + \Delta Z_iZ_j) + \sum_i h_i Z_i$.

    `sites` and J as in `mixed_field_ising`; `fields` is one number for all sites or one per site.
    """
    lattice = as_lattice(sites, periodic)
    couplings, delta = _each("J", J, len(lattice.bonds), "bond"), check_real("delta", delta)
    sparse: list[Sparse] = []
    for (i, j), c in zip(lattice.bonds, couplings, strict=True):
        sparse += [("XX", [i, j], c), ("YY", [i, j], c), ("ZZ", [i, j], c * delta)]
    sparse += [("Z", [i], h) for i, h in enumerate(_each("fields", fields, lattice.num_sites, "site"))]
    return _model(sparse, lattice.num_sites, _named("xxz", lattice))


def heisenberg(sites: int | Lattice = 4, J: Numbers = 1.0, fields: Numbers = 0.0, periodic: bool = False) -> Model:
    r"""Heisenberg model: XXZ at $\Delta = 1$."""
    lattice = as_lattice(sites, periodic)
    return Model(xxz(lattice, J, 1.0, fields).hamiltonian, _named("heisenberg", lattice))
