"""Library models, each written as in its formula. Chains are open unless `periodic`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ArgumentError, check_integer, check_real, shown
from ...limits import MAX_SITES
from ..model import Model

Sparse = tuple[str, list[int], float]


def _bonds(sites: int, periodic: bool) -> list[tuple[int, int]]:
    _check_periodic(periodic, "sites", sites, 3)
    return [(i, i + 1) for i in range(sites - 1)] + ([(sites - 1, 0)] if periodic else [])


def _check_periodic(periodic: object, key: str, length: int, least: int) -> None:
    """Refuse a ring on which no bond closes: the key would be without effect."""
    if not isinstance(periodic, bool):
        meant = "true" if shown(periodic).strip("'").lower() in ("1", "1.0", "true", "yes") else "false"
        raise ArgumentError("periodic", "be true or false", f"{shown(periodic)} was found", f"set periodic = {meant}")
    if periodic and length < least:
        raise ArgumentError(
            "periodic", f"be false below {key} = {least}, where no further bond closes a ring",
            f"it is true with {key} = {length}", f"set {key} = {least}, or periodic = false",
        )  # fmt: skip


def _model(sparse: list[Sparse], num_qubits: int, name: str) -> Model:
    from qiskit.quantum_info import SparsePauliOp  # loaded when used

    kept = [term for term in sparse if term[2] != 0.0] or [("", [], 0.0)]
    return Model(SparsePauliOp.from_sparse_list(kept, num_qubits=num_qubits), name)


def mixed_field_ising(sites: int = 4, J: float = 1.0, h: float = 0.9, g: float = 0.5, periodic: bool = False) -> Model:
    r"""Ising chain in a tilted field: $H = -J\sum_i Z_iZ_{i+1} - h\sum_i X_i - g\sum_i Z_i$.

    Raises:
        ArgumentError: If `sites` is not a whole number >= 1 or a parameter is not finite.
    """
    n = check_integer("sites", sites, low=1, high=MAX_SITES)
    J, h, g = check_real("J", J), check_real("h", h), check_real("g", g)
    sparse: list[Sparse] = [("ZZ", [i, j], -J) for i, j in _bonds(n, periodic)]
    sparse += [("X", [i], -h) for i in range(n)] + [("Z", [i], -g) for i in range(n)]
    return _model(sparse, n, "mixed_field_ising")


def tfim(sites: int = 4, J: float = 1.0, h: float = 1.0, periodic: bool = False) -> Model:
    r"""Transverse-field Ising chain: $H = -J\sum_i Z_iZ_{i+1} - h\sum_i X_i$."""
    return Model(mixed_field_ising(sites, J, h, 0.0, periodic).hamiltonian, "tfim")


def xxz(
    sites: int = 4,
    J: float = 1.0,
    delta: float = 1.0,
    fields: float | Sequence[float] = 0.0,
    periodic: bool = False,
) -> Model:
    r"""XXZ chain in fields: $H = J\sum_i (X_iX_{i+1} + Y_iY_{i+1} + \Delta Z_iZ_{i+1}) + \sum_i h_i Z_i$.

    `fields` is one number for all sites or one per site.
    """
    n = check_integer("sites", sites, low=1, high=MAX_SITES)
    J, delta = check_real("J", J), check_real("delta", delta)
    several = fields.ndim > 0 if isinstance(fields, np.ndarray) else isinstance(fields, list | tuple)
    given: list[object] = list(fields) if several else [fields] * n  # type: ignore[arg-type]
    if len(given) != n:
        meant = [*given, *[0.0] * n][:n]
        raise ArgumentError(
            "fields", f"have one entry per site ({n})", f"it has {len(given)}", f"set fields = {shown(meant, 200)}"
        )
    h = [check_real(f"fields[{i}]", value) for i, value in enumerate(given)]
    sparse: list[Sparse] = []
    for i, j in _bonds(n, periodic):
        sparse += [("XX", [i, j], J), ("YY", [i, j], J), ("ZZ", [i, j], J * delta)]
    sparse += [("Z", [i], h[i]) for i in range(n)]
    return _model(sparse, n, "xxz")


def heisenberg(sites: int = 4, J: float = 1.0, fields: float | Sequence[float] = 0.0, periodic: bool = False) -> Model:
    r"""Heisenberg chain: the XXZ chain at $\Delta = 1$."""
    return Model(xxz(sites, J, 1.0, fields, periodic).hamiltonian, "heisenberg")
