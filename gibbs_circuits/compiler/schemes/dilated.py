"""Dilated Hamiltonians: one evolution of system and ancillas per sweep, of order 1, 2 or 3 in the strength."""

from __future__ import annotations

from functools import partial
from itertools import product

import numpy as np

from ...evidence import Status
from ...generators.dense import DenseGenerator, dense_generator
from ...generators.lindbladian import Generator
from ...linalg.arrays import Array
from ...linalg.channels import ancillas_for, exponential, in_random_ancilla_basis, minimal_kraus, transfer
from ...programs.program import ErrorTerm, Program, Rung
from ...programs.steps import Reset, Unitary
from ..base import Knobs, Scheme, repeated_sweep
from ..dense_blocks import lindbladian_of, most_operators, refuse, refuse_system

SOURCE = "Ding, Li & Lin, arXiv:2311.15533"


def dilated_hamiltonian(generator: DenseGenerator, strength: float, order: int) -> Array:
    r"""The Hamiltonian $\tilde H$ whose evolution for √δ, seen from |0⟩, is $e^{\delta\mathcal L}$.

    $\mathrm{Tr}_a\,e^{-i\sqrt\delta\tilde H}(|0\rangle\langle 0|\otimes\rho)e^{i\sqrt\delta\tilde H}
    = e^{\delta\mathcal L}\rho + O(\delta^{k+1})$ at order k. Only its first block row and column are not zero,
    $\tilde H = |0\rangle\langle 0|\otimes h_0 + \sum_m (|m\rangle\langle 0|\otimes h_m + h.c.)$.
    With $V_0 = -iB - S/2$, $S = \sum V_j^\dagger V_j$ and $Y = \tfrac i2B + \tfrac16S$:

    - order 1: $h_0 = \sqrt\delta B$ and $h_j = V_j$;
    - order 2: $h_0 = \sqrt\delta(B - \tfrac\delta{12}\{B,S\})$, $h_j = V_j + \delta(\tfrac12\{V_j,V_0\} + V_jY)$,
      $h_{jk} = \sqrt{\delta/2}\,V_jV_k$;
    - order 3 adds $\delta^{5/2}(\tfrac1{180}SBS - \tfrac1{120}(BS^2 + S^2B))$ to $h_0$,
      $\delta^2(\tfrac16(V_0^2V_j + V_0V_jV_0 + V_jV_0^2) + \tfrac12\{V_j,V_0\}Y
      - V_j(\tfrac1{12}B^2 + \tfrac1{120}S^2))$ to $h_j$,
      $\sqrt{\delta/2}\,\delta(\tfrac13(V_0V_jV_k + V_jV_0V_k + V_jV_kV_0) + V_jV_kY)$ to $h_{jk}$,
      and $h'_j = \tfrac\delta{\sqrt{12}}[V_0,V_j]$, $h_{jkl} = \tfrac\delta{\sqrt6}V_jV_kV_l$.

    They follow from the first block column of the evolution, $\sum_w(-i)^{|w|}\delta^{|w|/2}w/|w|!$ over words w in
    $h_0$ (length 1) and $\sum h_m^\dagger h_m$ (length 2), and below it $-i\sqrt\delta\,h_m$ times the same sum with
    $(|w|+1)!$, set equal to the Kraus operators of the Dyson series power by power.

    The $h_m$ enter through $\sum h_m\rho h_m^\dagger$ alone, so the fewest operators with that sum stand for them.

    Returns:
        Shape (2^m dim, 2^m dim), m = ⌈log₂(1 + number of h_m)⌉.

    References:
        Ding, Li & Lin, arXiv:2311.15533: the construction, and the Hamiltonians of order 1
        and 2; that of order 3 was derived here by their method.
    """
    h0, below = _first_column(generator, strength, order)
    operators = minimal_kraus(below)
    d, m = len(h0), ancillas_for(1 + len(operators))
    H = np.zeros((2**m * d, 2**m * d), dtype=complex)
    H[:d, :d] = h0
    H[d : (1 + len(operators)) * d, :d] = operators.reshape(-1, d)
    H[:d, d:] = H[d:, :d].conj().T
    return H


def _first_column(generator: DenseGenerator, strength: float, order: int) -> tuple[Array, Array]:
    """h₀, and the map ρ → Σ h_m ρ h_m† as a matrix."""
    delta, V, B, S, V0 = strength, generator.jumps, generator.coherent, generator.decay, generator.drift
    if order == 1:
        return np.asarray(np.sqrt(delta) * B), transfer(V)
    h0, single = B - delta / 12 * (B @ S + S @ B), (V @ V0 + V0 @ V) / 2
    Y = 0.5j * B + S / 6
    h = V + delta * (single + V @ Y)
    pairs = np.asarray([A @ C for A, C in product(V, V)]).reshape(-1, *B.shape)
    if order == 2:
        return np.asarray(np.sqrt(delta) * h0), transfer(h) + delta / 2 * transfer(pairs)
    h0 = h0 + delta**2 * (S @ B @ S / 180 - (B @ S @ S + S @ S @ B) / 120)
    cubic = (V0 @ V0 @ V + V0 @ V @ V0 + V @ V0 @ V0) / 6
    h = h + delta**2 * (cubic + single @ Y - V @ (B @ B / 12 + S @ S / 120))
    between = np.asarray([A @ V0 @ C for A, C in product(V, V)]).reshape(-1, *B.shape)
    pairs = pairs + delta * ((V0 @ pairs + between + pairs @ V0) / 3 + pairs @ Y)
    T = transfer(V)
    below = transfer(h) + delta / 2 * transfer(pairs) + delta**2 / 12 * transfer(V0 @ V - V @ V0)
    return np.asarray(np.sqrt(delta) * h0), np.asarray(below + delta**2 / 6 * (T @ T @ T))


def dilated(generator: Generator, knobs: Knobs, *, order: int) -> Program:
    """One evolution per sweep under the dilated Hamiltonian of this order, then a reset.

    See `dilated_hamiltonian`; before the reset the ancillas are turned to another basis. Local error O(δ^(k+1)):
    declared order k over a fixed time.

    Raises:
        ArgumentError: If a knob is missing or the generator has no circuit.
        TooLargeError: Above 5 system qubits, 10 with the ancillas, or 30,000 two-qubit gates.
    """
    scheme = f"dilated_{order}"
    lindbladian = lindbladian_of(generator, scheme)
    n, most, strength = lindbladian.model.num_qubits, most_operators(lindbladian), float(knobs.set("strength"))
    refuse_system(scheme, n, 1 + min(4**n, sum(most**k for k in range(1, order + 1))))
    dense = dense_generator(lindbladian)
    refuse(scheme, n, ancillas_for(1 + len(dense.jumps)))  # before V_j V_k are formed
    H = dilated_hamiltonian(dense, strength, order)
    m = ancillas_for(len(H) >> n)
    refuse(scheme, n, m)
    ancillas = tuple(range(m))
    U = in_random_ancilla_basis(exponential(H, np.sqrt(strength)), n)
    sweep = (Unitary(U, ancillas, scheme, clean=True), Reset(ancillas))
    declared = ErrorTerm(Rung.DILATION, None, f"order {order} in strength", Status.NOT_CHECKED, SOURCE)
    return repeated_sweep(lindbladian, scheme, knobs, sweep, m, (declared,))


DILATED = tuple(
    Scheme(
        name=f"dilated_{order}",
        write=partial(dilated, order=order),
        knobs=Knobs,
        summary=f"one dense evolution under the {ordinal}-order dilated Hamiltonian",
        order=order,
        source=SOURCE,
    )
    for order, ordinal in ((1, "first"), (2, "second"), (3, "third"))
)
