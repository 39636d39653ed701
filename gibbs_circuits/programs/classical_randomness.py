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
from .steps import Branch, Correct, Couple, Evolve, RandomChoice, RandomDelay, Reset, Step, Unitary


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
    used = sorted({a for stage in stages for step in stage.steps for a in _touched(step)})
    number = {a: k for k, a in enumerate(used)}
    renumbered = tuple(Stage(_renumbered(stage.steps, number), stage.repeats) for stage in stages)
    return replace(program, num_ancilla=max(1, len(used)), stages=renumbered)


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
        if isinstance(step, Reset):
            for ancilla in step.ancillas:
                due.setdefault(last.pop(ancilla, k), []).append(ancilla)
        elif not isinstance(step, RandomChoice):
            last |= dict.fromkeys(_touched(step), k)
    done: list[Step] = []
    for k, step in enumerate(steps):
        done += [] if isinstance(step, Reset) else [step]
        done += [Reset(tuple(due[k]))] if k in due else []
    return tuple(done)


def _single_uses(steps: tuple[Step, ...]) -> list[_Use]:
    found: list[_Use] = []
    touching: dict[int, list[int]] = {}
    for k, step in enumerate(steps):
        if isinstance(step, Reset):
            for ancilla in step.ancillas:
                used = touching.pop(ancilla, [])
                acting = [j for j in used if (turn := _site_turn(steps[j])) is None or weight(turn[0])]
                if len(acting) == 1 and _site_turn(steps[acting[0]]) is not None:
                    found.append(_Use(ancilla, tuple(used), acting[0], k))
        elif not isinstance(step, RandomChoice):
            for ancilla in _touched(step):
                touching.setdefault(ancilla, []).append(k)
    return found


def _site_turn(step: Step) -> tuple[str, float] | None:
    """(P, θ) of a coupling by one Pauli string on at most one site."""
    if isinstance(step, Couple) and len(step.terms) == 1 and weight(step.terms[0][0]) <= 1:
        return step.rotations()[0]
    return None


def _written(steps: tuple[Step, ...], uses: list[_Use], program: Program) -> tuple[Step, ...] | _Use:
    """The steps with choices in place of these uses, or one of them for which there is no moment."""
    of = {k: use for use in uses for k in use.touching}
    resets = {(use.reset, use.ancilla) for use in uses}
    done: list[Step] = []
    choices: list[tuple[RandomChoice, str, _Use]] = []
    for k, step in enumerate(steps):
        if isinstance(step, Reset):
            kept = tuple(ancilla for ancilla in step.ancillas if (k, ancilla) not in resets)
            done += [Reset(kept)] if kept else []
        elif k not in of:
            done.append(step)
        elif k == of[k].acting:
            turn = _site_turn(step)
            assert turn is not None  # that is what makes it a single use
            (label, angle), p = turn, _probability(steps, of[k])
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
        step = steps[k]
        assert isinstance(step, Couple)
        axis = np.array([np.cos(step.axis), np.sin(step.axis), 0.0])
        if k == use.acting:
            return float(np.clip((1 - bloch @ axis) / 2, 0.0, 1.0))
        angle = 2 * step.rotations()[0][1]
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
        if isinstance(step, Reset):
            touched -= set(step.ancillas)
        elif not isinstance(step, RandomChoice):
            touched |= _touched(step)
        busy.append(bool(touched))
    pauli = Pauli(label)
    first = last = at
    while first > 0 and _commutes(steps[first - 1], pauli, program):
        first -= 1
    while last < len(steps) and _commutes(steps[last], pauli, program):
        last += 1
    return min((k for k in range(first, last + 1) if not busy[k]), key=lambda k: abs(k - at), default=None)


def _commutes(step: Step, pauli: Pauli, program: Program) -> bool:
    match step:
        case Reset():
            return True
        case RandomChoice():
            return all(_commutes(inner, pauli, program) for branch in step.branches for inner in branch.steps)
        case RandomDelay():
            return _commutes(step.unit, pauli, program)
        case Couple():
            groups: tuple[Group, ...] = (Group(step.terms),)
        case Evolve():
            groups = step.groups(program.groups)
        case Correct():
            groups = step.term
        case Unitary():
            return False
    return all(pauli.commutes(Pauli(label)) for group in groups for label, _ in group.terms)


def _touched(step: Step) -> set[int]:
    """Ancillas that a step acts on, resets left out."""
    match step:
        case Couple():
            return {step.ancilla}
        case Unitary():
            return set(step.ancillas)
        case RandomChoice():
            return {ancilla for branch in step.branches for inner in branch.steps for ancilla in _touched(inner)}
        case _:
            return set()


def _renumbered(steps: tuple[Step, ...], number: dict[int, int]) -> tuple[Step, ...]:
    done: list[Step] = []
    for step in steps:
        match step:
            case Couple():
                done.append(replace(step, ancilla=number[step.ancilla]))
            case Unitary():
                done.append(replace(step, ancillas=tuple(number[a] for a in step.ancillas)))
            case Reset():
                kept = tuple(number[a] for a in step.ancillas if a in number)
                done += [Reset(kept)] if kept else []
            case RandomChoice():
                branches = (replace(branch, steps=_renumbered(branch.steps, number)) for branch in step.branches)
                done.append(RandomChoice(tuple(branches)))
            case _:
                done.append(step)
    return tuple(done)


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
