"""Product formulas as kernels on many state vectors at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from ...errors import TooLargeError
from ...limits import MAX_EXACT_QUBITS
from ...linalg.arrays import Array, Real
from ...linalg.channels import exponential
from ...linalg.paulis import PAULIS, PauliString, Term, signs
from ...programs.product_formulas import Group, factors
from ...programs.steps import EXACT, Exponential
from .state_batches import Block, Dense, Kernel, Phases, Rotation, apply

BLOCK = 3  # qubits per factor of a product of one-qubit gates: 8 × 8 beats 4 × 4 and 16 × 16 per qubit
# nanoseconds per amplitude, only to choose between ways; their ratios hold across machines
COST_BLOCK, COST_PHASES, COST_PAULI, COST_DENSE = 0.8, 0.9, 2.2, 0.2  # the last per row of the matrix
TINY = 1e-16  # the sine of a rotation that is none


@dataclass(frozen=True, eq=False)
class Gates:
    """Exact one-qubit gates, one per qubit, of an evolution that is not lowered yet."""

    on: Mapping[int, Array]


Part = Gates | Phases | Rotation | Dense


def evolution(steps: Sequence[Exponential], groups: tuple[Group, ...], num_system: int) -> tuple[Kernel, ...]:
    """Kernels of consecutive evolutions: neighbours merged, one dense matrix where that is less work.

    Raises:
        TooLargeError: For an exact exponential above 10 qubits.
    """
    parts = [part for step in steps for part in _parts(step, groups, num_system)]
    kernels, cost = _lowered(parts, num_system)
    dim = 2**num_system
    if len(kernels) > 1 and COST_DENSE * dim <= cost:
        return (Dense(apply(kernels, np.eye(dim, dtype=complex))),)
    return kernels


def _parts(step: Exponential, groups: tuple[Group, ...], num_system: int) -> list[Part]:
    used = step.groups(groups)
    if step.order == EXACT:
        return [Dense(_exponential(used, step.duration, num_system))]
    made: dict[tuple[int, float], list[Part]] = {}
    parts: list[Part] = []
    for index, fraction in factors(len(used), step.order, step.slices):
        time = fraction * step.duration / step.slices
        if (index, time) not in made:
            made[index, time] = _group(used[index], time, num_system)
        parts += made[index, time]
    return parts


def _exponential(groups: tuple[Group, ...], time: float, num_system: int) -> Array:
    if num_system > MAX_EXACT_QUBITS:
        raise TooLargeError(
            f"An exact evolution of {num_system} qubits needs all eigenvectors of a 2^{num_system} matrix; the limit "
            f"is {MAX_EXACT_QUBITS} qubits. Fix: use a product formula, trotter_order = 2."
        )
    terms = [term for group in groups for term in group.terms] or [("I" * num_system, 0.0)]
    return exponential(np.asarray(SparsePauliOp.from_list(terms).to_matrix(), dtype=complex), time)


def _group(group: Group, time: float, num_system: int) -> list[Part]:
    """The exact exponential of one group; its terms commute, so that they may be taken in any order."""
    if group.local:
        return [Gates({q: exponential(h, time) for q, h in group.fields.items()})]
    sets: list[list[Term]] = []
    for term in group.terms:
        for found in sets:
            if all(_same_letters(term[0], other) for other, _ in found):
                found.append(term)
                break
        else:
            sets.append([term])
    return [part for terms in sets for part in _one_basis(terms, time, num_system)]


def _same_letters(a: str, b: str) -> bool:
    return all(p == q or "I" in (p, q) for p, q in zip(a, b, strict=True))


def _one_basis(terms: list[Term], time: float, num_system: int) -> list[Part]:
    """Terms with one letter per qubit: turned to Z all together where they are many, else one by one."""
    dim = 2**num_system
    letters = {q: letter for label, _ in terms for q, letter in enumerate(reversed(label)) if letter in "XY"}
    if letters and len(terms) < 3:
        return [_rotation(PauliString.of(label), coefficient * time, dim) for label, coefficient in terms]
    angles = np.zeros(dim)
    for label, coefficient in terms:
        support = sum(1 << q for q, letter in enumerate(reversed(label)) if letter != "I")
        angles += coefficient * time * signs(np.arange(dim) & support)
    turn = {q: exponential(_FROM_Z[letter], 1.0) for q, letter in letters.items()}
    back = Gates({q: gate.conj().T for q, gate in turn.items()})
    return [back, Phases(np.exp(-1j * angles)[:, None]), Gates(turn)]


def _rotation(pauli: PauliString, angle: float, dim: int) -> Rotation:
    return Rotation(pauli.rows(dim), (-1j * np.sin(angle) * pauli.phases(dim))[:, None], float(np.cos(angle)))


# e^{−iG} Z e^{iG} is the letter
_FROM_Z: dict[str, Array] = {"X": np.pi / 4 * PAULIS["Y"], "Y": -np.pi / 4 * PAULIS["X"]}


def _lowered(parts: Sequence[Part], num_system: int) -> tuple[tuple[Kernel, ...], float]:
    """Kernels and what they cost. One-qubit gates are D R D′: real rotations R between phases, which merge."""
    flat: list[Part] = []
    for part in parts:
        if isinstance(part, Gates) and flat and isinstance(last := flat[-1], Gates):
            one, pairs = np.eye(2, dtype=complex), {**last.on, **part.on}
            flat[-1] = Gates({q: part.on.get(q, one) @ last.on.get(q, one) for q in pairs})
        else:
            flat.append(part)
    kernels: list[Kernel] = []
    cost = 0.0

    def put(kernel: Kernel, price: float) -> None:
        nonlocal cost
        if isinstance(kernel, Phases) and kernels and isinstance(last := kernels[-1], Phases):
            kernels[-1] = Phases(last.values * kernel.values)
            return
        kernels.append(kernel)
        cost += price

    for part in flat:
        match part:
            case Gates() if part.on:
                split = {q: _split(gate) for q, gate in part.on.items()}
                put(_diagonal({q: before for q, (_, _, before) in split.items()}, num_system), COST_PHASES)
                for block in _blocks({q: rotation for q, (_, rotation, _) in split.items()}, num_system):
                    put(block, COST_BLOCK)
                put(_diagonal({q: after for q, (after, _, _) in split.items()}, num_system), COST_PHASES)
            case Phases():
                put(part, COST_PHASES)
            case Rotation():
                put(part, COST_PAULI)
            case Dense():
                put(part, COST_DENSE * 2**num_system)
    return tuple(kernels), cost


def _split(gate: Array) -> tuple[Array, Real, Array]:
    """U = diag(a) R diag(1, b) with a real rotation R."""
    phase = np.exp(1j * np.angle(gate[:, 0]))
    if abs(gate[0, 0]) >= abs(gate[1, 0]):
        b = np.exp(1j * np.angle(gate[1, 1])) / phase[1]
    else:
        b = np.exp(1j * np.angle(-gate[0, 1])) / phase[0]
    c, s = np.abs(gate[:, 0])
    return phase, np.array([[c, -s], [s, c]]), np.array([1, b])


def _diagonal(on: Mapping[int, Array], num_system: int) -> Phases:
    values: Array = np.ones(1, dtype=complex)
    for q in range(num_system):
        values = np.asarray(np.kron(on[q] if q in on else np.ones(2), values), dtype=complex)
    return Phases(values[:, None])


def _blocks(on: Mapping[int, Real], num_system: int) -> list[Block]:
    active = [q for q, rotation in sorted(on.items()) if rotation[1, 0] > TINY]
    blocks = []
    while active:
        low = active[0]
        span = [q for q in active if q < low + BLOCK]
        matrix: Real = np.eye(1)
        for q in range(low, span[-1] + 1):
            matrix = np.asarray(np.kron(on[q] if q in span else np.eye(2), matrix), dtype=float)
        blocks.append(Block(matrix, low))
        active = active[len(span) :]
    return blocks
