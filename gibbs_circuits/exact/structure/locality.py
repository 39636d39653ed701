"""How far jump operators reach: the part of their norm outside radius r of their coupling."""

from __future__ import annotations

import numpy as np

from ...errors import ArgumentError, TooLargeError
from ...generators.lindbladian import Lindbladian
from ...generators.matrices import by_kernel, energy_spectrum, in_energy_basis
from ...limits import MAX_LOCALITY_QUBITS
from ...linalg.arrays import Array
from ...models.graph import site_distances

ROUNDING = 1e-14


def jump_locality(lindbladian: Lindbladian) -> tuple[float, ...] | None:
    r"""For r = 0, 1, …: the largest $\|L - L_r\|_F/\|L\|_F$ over the couplings.

    $L_r = \mathrm{Tr}_{out}(L) \otimes 1/2^{|out|}$. "Out" are the sites
    farther than r terms of H from the coupling; several factors of a kernel add in squares. None above 8 qubits and
    for kernels without factors (Davies: jumps of one frequency reach everywhere).
    """
    n = lindbladian.model.num_qubits
    if n > MAX_LOCALITY_QUBITS:
        return None
    s, distances = energy_spectrum(lindbladian), site_distances(lindbladian.bohr_model)
    worst: list[float] = []
    for kernel, contacts in by_kernel(lindbladian):
        try:
            factors = kernel.factors()
        except (ArgumentError, TooLargeError):
            return None
        for contact in contacts:
            paulis = contact.coupling.paulis
            support = np.flatnonzero(np.any(paulis.x | paulis.z, axis=0))
            away = distances[support].min(axis=0)
            radii = [r for r in range(n) if r == 0 or np.any(away == r)]
            A = in_energy_basis(contact.coupling, s)
            total, inside = 0.0, np.zeros(len(radii))
            for weight, filter in factors:
                L = s.from_energy(filter.matrix(s.bohr_frequencies) * A)
                total += weight * float(np.linalg.norm(L) ** 2)
                inside += [weight * _weight_within(L, np.flatnonzero(away > r)) for r in radii]
            share = 1 - inside / total if total > 0 else np.zeros(len(radii))
            outside = np.sqrt(np.where(share > ROUNDING, share, 0.0))  # √1e-16 is not small
            worst = [max(pair) for pair in _longest(worst, outside.tolist())]
    return tuple(worst)


def _longest(a: list[float], b: list[float]) -> list[tuple[float, float]]:
    width = max(len(a), len(b))
    return list(zip(a + [0.0] * (width - len(a)), b + [0.0] * (width - len(b)), strict=True))


def _weight_within(L: Array, out: np.ndarray) -> float:
    """‖Tr_out(L) ⊗ 1/2^|out|‖_F²."""
    n = L.shape[0].bit_length() - 1
    tensor = L.reshape((2,) * (2 * n))  # axis k of the rows is qubit n − 1 − k
    rows = list(range(n))
    columns = [n + k for k in range(n)]
    for q in out:
        columns[n - 1 - int(q)] = rows[n - 1 - int(q)]
    kept = [k for k in range(n) if n - 1 - k not in set(out.tolist())]
    reduced = np.einsum(tensor, rows + columns, [rows[k] for k in kept] + [columns[k] for k in kept])
    return float(np.linalg.norm(reduced) ** 2) * 0.5 ** len(out)
