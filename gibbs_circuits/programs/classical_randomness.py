r"""What classical randomness does for no gate: twirls by the Pauli strings that commute with H, and ancillas used once.

The twirl is $ρ → |G|^{-1} \sum_{P ∈ G} P ρ P$; it leaves σ alone where every P commutes with H. An ancilla in $ρ_a$
that is coupled once, by $e^{-iθ P ⊗ A}$ with $A^2 = 1$, and then forgotten leaves
$(1-p)\, e^{-iθP} ρ\, e^{iθP} + p\, e^{iθP} ρ\, e^{-iθP}$ with $p = (1 - \mathrm{Tr}\, ρ_a A)/2$: a random Z where it
was a CZ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from qiskit.quantum_info import Pauli

from ..errors import TooLargeError
from ..limits import MAX_GENERATORS
from ..linalg.paulis import weight
from .product_formulas import Group
from .program import Program, Stage
from .steps import Branch, Correct, RandomChoice, Reset, Step, flat, renumbered


def twirl_step(labels: Sequence[str]) -> RandomChoice:
    """A uniformly random element of the group that these Pauli strings generate, as one-qubit rotations by π.

    Raises:
        TooLargeError: Above 10 strings, which make 1024 branches.
    """
    if len(labels) > MAX_GENERATORS:
        raise TooLargeError(
            f"A twirl by {len(labels)} Pauli strings has up to 2^{len(labels)} branches; the limit is "
            f"{MAX_GENERATORS} strings. Fix: use labels[:{MAX_GENERATORS}]."
        )
    group = {"I" * len(label) for label in labels[:1]}
    for label in labels:
        group |= {_product(label, other) for other in group}
    elements = sorted(group) or [""]
    return RandomChoice(tuple(Branch(1 / len(elements), _applied(element)) for element in elements))


def without_single_use_ancillas(program: Program) -> Program:
    """The same mean channel with randomness in place of every ancilla that one coupling to one site uses.

    The coupling, of whatever angle, becomes a rotation of the site and a `RandomChoice` of turning it back; that has to
    happen while every other ancilla is in |0⟩, so that it is moved past steps that commute with it, and resets are done
    right after the last use. An ancilla for which there is no such moment stays. Random steps that are there already
    stay as they are. Ancillas left over are renumbered.

    Accuracy: exact.
    """
    stages = tuple(Stage(_lighter(stage.steps, program), stage.repeats) for stage in program.stages)
    if stages == program.stages:
        return program
    used = sorted({a for stage in stages for step in flat(stage.steps) for a in step.touches})
    number = {a: k for k, a in enumerate(used)}
    stages = tuple(Stage(renumbered(stage.steps, number), stage.repeats) for stage in stages)
    return replace(program, num_ancilla=max(1, len(used)), stages=stages)


@dataclass(frozen=True)
class _Use:
    """An ancilla between |0⟩ and its reset: the steps it is in, and the only one of them that acts on the system."""

    ancilla: int
    touching: tuple[int, ...]
    acting: int
    reset: int


def _lighter(steps: tuple[Step, ...], program: Program) -> tuple[Step, ...]:
    """The steps with choices in place of as many ancillas as possible; the same steps if there is none."""
    early = _reset_early(steps)
    uses = _single_uses(early)
    while uses:
        written = _written(early, uses, program)
        if not isinstance(written, _Use):
            return written
        uses.remove(written)
    return steps


def _reset_early(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Every reset right after the last use."""
    last: dict[int, int] = {}
    due: dict[int, list[int]] = {}
    for k, step in enumerate(steps):
        for ancilla in step.resets:
            due.setdefault(last.pop(ancilla, k), []).append(ancilla)
        last |= dict.fromkeys(step.touches, k)
    done: list[Step] = []
    for k, step in enumerate(steps):
        done += [] if step.resets else [step]
        done += [Reset(tuple(due[k]))] if k in due else []
    return tuple(done)


def _single_uses(steps: tuple[Step, ...]) -> list[_Use]:
    found: list[_Use] = []
    touching: dict[int, list[int]] = {}
    for k, step in enumerate(steps):
        for ancilla in step.resets:
            used = touching.pop(ancilla, [])
            acting = [j for j in used if (turn := steps[j].turn) is None or weight(turn[0])]
            if len(acting) == 1 and steps[acting[0]].turn is not None:
                found.append(_Use(ancilla, tuple(used), acting[0], k))
        for ancilla in step.touches:
            touching.setdefault(ancilla, []).append(k)
    return found


def _written(steps: tuple[Step, ...], uses: list[_Use], program: Program) -> tuple[Step, ...] | _Use:
    """The steps with choices in place of these uses, or one of them for which there is no moment."""
    of = {k: use for use in uses for k in use.touching}
    resets = {(use.reset, use.ancilla) for use in uses}
    done: list[Step] = []
    choices: list[tuple[RandomChoice, str, _Use]] = []
    for k, step in enumerate(steps):
        if k not in of:
            kept = {ancilla: ancilla for ancilla in step.resets if (k, ancilla) not in resets}
            done += renumbered([step], kept) if step.resets else [step]
        elif k == of[k].acting:
            (label, angle, _), p = _turn(step), _probability(steps, of[k])
            choice = RandomChoice((Branch(1 - p, ()), Branch(p, (_rotation(label, -2 * angle),))))
            choices.append((choice, label, of[k]))
            done += [_rotation(label, angle), choice]
    for choice, label, use in choices:
        at = next(k for k, step in enumerate(done) if step is choice)
        del done[at]
        moment = _moment(done, at, label, program)
        if moment is None:
            return use
        done.insert(moment, choice)
    return tuple(done)


def _probability(steps: tuple[Step, ...], use: _Use) -> float:
    """(1 − ⟨A⟩)/2, A the letter that acts, from the ancilla's Bloch vector before."""
    bloch = np.array([0.0, 0.0, 1.0])
    for k in use.touching:
        _, half, phi = _turn(steps[k])
        axis, angle = np.array([np.cos(phi), np.sin(phi), 0.0]), 2 * half
        if k == use.acting:
            return float(np.clip((1 - bloch @ axis) / 2, 0.0, 1.0))
        bloch = (
            np.cos(angle) * bloch
            + np.sin(angle) * np.cross(axis, bloch)
            + (1 - np.cos(angle)) * (axis @ bloch) * axis
        )  # fmt: skip
    raise AssertionError("one of the steps acts")


def _moment(steps: list[Step], at: int, label: str, program: Program) -> int | None:
    """The nearest place, from `at` past steps that commute with a Pauli string, where every ancilla is in |0⟩."""
    busy, touched = [False], set[int]()
    for step in steps:
        touched = step.leaves(touched)
        busy.append(bool(touched))
    pauli = Pauli(label)
    first = last = at
    while first > 0 and _commutes(steps[first - 1], pauli, program):
        first -= 1
    while last < len(steps) and _commutes(steps[last], pauli, program):
        last += 1
    return min((k for k in range(first, last + 1) if not busy[k]), key=lambda k: abs(k - at), default=None)


def _turn(step: Step) -> tuple[str, float, float]:
    assert step.turn is not None  # that is what makes it a single use
    return step.turn


def _commutes(step: Step, pauli: Pauli, program: Program) -> bool:
    strings = step.strings(program.groups)
    return strings is not None and all(pauli.commutes(Pauli(label)) for label in strings)


def _rotation(label: str, angle: float) -> Correct:
    """exp(−i angle P)."""
    return Correct((Group(((label, angle),)),), 1.0, 1, 1)


def _applied(label: str) -> tuple[Step, ...]:
    """A Pauli string up to a phase, as rotations by π of its qubits."""
    one = ["I" * k + letter + "I" * (len(label) - 1 - k) for k, letter in enumerate(label) if letter != "I"]
    return (Correct((Group(tuple((short, np.pi / 2) for short in one)),), 1.0, 1, 1),) if one else ()


def _product(a: str, b: str) -> str:
    """Of two Pauli strings, without its phase."""
    return str((Pauli(a) @ Pauli(b)).to_label().lstrip("-i"))
