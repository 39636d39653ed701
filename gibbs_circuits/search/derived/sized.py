r"""Derived programs at any size: recipes chosen on pieces of four sites by the local measure, and copied.

Nothing is fitted but a recipe's few numbers: node spacing, a factor on β, one strength per pass. Passes grow finer in
order of time: strong and coarse ones forget, weak and fine ones are right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

import numpy as np

from ...errors import ArgumentError
from ...evidence import number
from ...generators.frequency import local_frequency, time_unit
from ...generators.kinds.dll import dll
from ...generators.lindbladian import Lindbladian
from ...io.progress import Progress, quiet
from ...linalg.arrays import Array, Real
from ...linalg.states import _product
from ...models.patches import Patch, patches, whole_model_patch
from ...models.regions import Region, connected_regions
from ...models.scale import rounded
from ...models.spectrum import gibbs_state, spectrum
from ...programs.product_formulas import commuting_groups
from ...programs.program import Program
from ...readings.channel.sweep_channel import sweep_map
from ...readings.channel.worst_start import tried_starts
from ...readings.circuits.cost import cost
from .. import costs
from ..candidates import Candidate, as_candidate, frontier
from ..clock import Deadline, OutOfTimeError
from ..local import of_starts, of_states, operators, over_regions
from ..task import SearchTask
from .copied import Copied, Pass, Recipe, windows

SIZE, CHECKED = 4, 5  # sites of the pieces that a recipe is chosen on, and that it is held against
PIECES = 2  # of a size at most
STARTS = 3  # random states, and as many random products, beside the fixed ones that a search begins with
SAMPLERS = ("a3b3c3", "a2b2c3a3b4", "a3b3c3a3b4", "a4b4c4a4", "a3b3c4a4b4", "a4b4c4a4b4c4", "a4b4c5a5b5c5")
PREPARATIONS = ("a2", "a2b2", "a3b3", "a2b3c3", *SAMPLERS[1:])
TURN = 1.3  # τν that a search begins at
FIRST, LAST = 1.6, 0.4  # strengths of the first and the last pass that it begins at
APART = 0.3  # of the logarithms of all numbers, at first
FINE = 0.05  # of the logarithms of τ and of the factor on β, so that layouts are met again
EVALUATIONS = 140  # per shape at most
SAFE = 0.85  # of the target, on pieces: what a recipe is to be within before the next shape is left out


@dataclass(frozen=True, eq=False)
class Piece:
    """A piece of the model with what its distances are measured by.

    Attributes:
        generator: On it.
        start: Its part of the given start, (d, d); None of a sampler.
        region: Sites of the regions.
    """

    generator: Lindbladian
    start: Array | None
    region: int

    @cached_property
    def sigma(self) -> Array:
        """The Gibbs state."""
        return gibbs_state(self.generator.model, self.generator.beta)

    @cached_property
    def strings(self) -> dict[Region, Array]:
        """The Pauli strings of every region."""
        model = self.generator.model
        return {one: operators(one, model.num_qubits) for one in connected_regions(model, self.region)}

    @cached_property
    def tried(self) -> Array:
        """Starts that a search begins with."""
        return tried_starts(spectrum(self.generator.model).vectors, starts=STARTS)

    def program(self, recipe: Recipe) -> Program:
        """The recipe on this piece."""
        model = self.generator.model
        return Copied(model, self.generator.beta, recipe, windows(model)).program(self.generator)

    def distance(self, recipe: Recipe) -> float:
        """The largest over regions, from the worst start found or from the given one."""
        whole = sweep_map(self.program(recipe))
        if self.start is not None:
            return max(of_states(self.strings, whole.apply(self.start), self.sigma).values())
        return max(of_starts(self.strings, whole, self.sigma, self.tried).values())


def sized(
    task: SearchTask, generator: Lindbladian, deadline: Deadline, progress: Progress = quiet
) -> tuple[Candidate[Program], ...]:
    """The frontier of gates and distance on pieces among recipes, written for the whole model; one at least.

    The cheapest shape of passes comes first; its numbers are found by descents without gradients on pieces of four
    sites, then held against pieces of five. It ends with the first that is within 0.85 of the target there. Letters are
    put in the order that does best at the numbers a search begins with.

    A shape that was begun is finished, unless the wall clock stops it.
    """
    search, found = _Recipes(task, generator), list[Candidate[Recipe]]()
    try:
        letters = search.letters(deadline)
        for index, shape in enumerate(search.shapes):
            if found and deadline.passed:
                break
            known = f", nearest {number(min(one.distance for one in found))}" if found else ""
            progress(f"derived programs: shape {index + 1} of {len(search.shapes)} on pieces{known}")
            found.append(search.tuned(shape, letters, deadline.share(1 / (len(search.shapes) - index))))
            if found[-1].distance <= SAFE * task.target_error:
                break
    except OutOfTimeError:
        if not found:  # whatever the time
            found.append(search.untuned())
    return search.written(frontier(found), len(found))


class _Recipes:
    """Pieces of one model, and recipes on them."""

    def __init__(self, task: SearchTask, generator: Lindbladian) -> None:
        self.task, self.generator = task, generator
        n = task.model.num_qubits
        self.chosen_on = self.pieces(min(SIZE, n))
        self.checked_on = self.pieces(CHECKED)[:1] if n >= CHECKED else ()
        self.frequency = local_frequency(generator) or 1 / time_unit(generator)

    def pieces(self, size: int) -> tuple[Piece, ...]:
        """Different ones of so many sites; the whole where it is no larger."""
        model = self.task.model
        parts = patches(model, size, 0) if model.num_qubits > size else (whole_model_patch(model, 0),)
        different = {str(sorted(part.model.terms)): part for part in parts}
        return tuple(self.piece(part) for part in [*different.values()][:PIECES])

    def piece(self, part: Patch) -> Piece:
        """A part of the model with its own Gibbs state, and its part of the start."""
        task, start = self.task, None
        if not task.sampler:
            if task.sites is None:
                raise ArgumentError(
                    "initial", "be a product state for derived programs at this size",
                    "it is none, so that pieces of the model do not have it", 'set initial = "zero"',
                )  # fmt: skip
            psi = _product([task.sites[site] for site in part.sites])
            start = np.outer(psi, psi.conj())
        assert task.region is not None  # asked for
        return Piece(dll(part.model, task.beta), start, task.region)

    def recipe(self, shape: str, letters: str, x: Real) -> Recipe:
        """From the logarithms of τν, of the factor on β and of every strength."""
        turn, colder = (math.exp(FINE * round(float(value) / FINE)) for value in x[:2])
        spelled = [(letters["abc".index(shape[k])], int(shape[k + 1])) for k in range(0, len(shape), 2)]
        passes = (Pass(letter, nodes, float(math.exp(v))) for (letter, nodes), v in zip(spelled, x[2:], strict=True))
        spacing = rounded(turn / self.frequency, time_unit(self.generator))
        return Recipe(tuple(passes), spacing, colder, 1 if self.layers > 1 else 2)

    @cached_property
    def layers(self) -> int:
        """Groups of H with two-qubit gates: with several, steps of first order save one of them."""
        return sum(not group.local for group in commuting_groups(self.task.model.hamiltonian))

    def distance(self, pieces: Sequence[Piece], recipe: Recipe, deadline: Deadline) -> float:
        """The largest over pieces."""
        deadline.spend(sum(costs.recipe(piece.generator.num_qubits, len(recipe.passes)) for piece in pieces))
        return max(piece.distance(recipe) for piece in pieces)

    def letters(self, deadline: Deadline) -> str:
        """The order of X, Y and Z that does best in the first shape, at the numbers a descent begins with."""
        shape = self.shapes[0]

        def value(letters: str) -> float:
            return self.distance(self.chosen_on[:1], self.recipe(shape, letters, _begin(shape)), deadline)

        return min(("".join(order) for order in permutations("XYZ")), key=value)

    @property
    def shapes(self) -> tuple[str, ...]:
        """Passes that are tried, the cheapest first; a given start needs nothing that forgets."""
        return SAMPLERS if self.task.sampler else PREPARATIONS

    def tuned(self, shape: str, letters: str, deadline: Deadline) -> Candidate[Recipe]:
        """The best numbers found on the pieces chosen on; the distance is the largest there and where it is checked."""
        from scipy.optimize import minimize  # loaded when used

        begin, best = _begin(shape), list[tuple[float, Recipe]]()

        def value(x: Real) -> float:
            if best and deadline.passed:
                raise _EnoughError
            recipe = self.recipe(shape, letters, x)
            found = self.distance(self.chosen_on, recipe, deadline)
            if not best or found < best[-1][0]:
                best.append((found, recipe))
            return found

        simplex = np.vstack([begin, begin + APART * np.eye(len(begin))])
        with suppress(_EnoughError):
            minimize(value, begin, method="Nelder-Mead", options={"maxfev": EVALUATIONS, "initial_simplex": simplex})
        distance, recipe = best[-1]
        if self.checked_on:
            distance = max(distance, self.distance(self.checked_on, recipe, deadline))
        return Candidate(recipe, self.gates(recipe), distance)

    def untuned(self) -> Candidate[Recipe]:
        """The first shape at the numbers a descent begins with, not measured."""
        recipe = self.recipe(self.shapes[0], "ZXY", _begin(self.shapes[0]))
        return Candidate(recipe, self.gates(recipe), math.inf)

    def gates(self, recipe: Recipe) -> float:
        """Per site of the largest pieces, in closed form."""
        return cost((self.checked_on or self.chosen_on)[0].program(recipe)).two_qubit_gates

    def written(self, found: Sequence[Candidate[Recipe]], tried: int) -> tuple[Candidate[Program], ...]:
        """Recipes on the whole model."""
        task, model, made = self.task, self.task.model, list[Candidate[Program]]()
        around, sizes = windows(model), " and ".join(str(p[0].generator.num_qubits) for p in self.both if p)
        for one in found:
            text = (
                "derived: node weights, product formula and fields by least squares from couplings, H and beta on "
                f"windows of {max(len(w.sites) for w in around)} sites, copied; spacing, factor on beta and strengths "
                f"of {tried} shapes chosen on pieces of {sizes} sites by the distance {over_regions(task.region or 1)}"
            )
            program = Copied(model, task.beta, one.program, around).program(task.generator, text)
            note = f"few nodes, copied: {one.program}, {number(one.distance)} on pieces of {sizes} sites"
            made.append(as_candidate(program, one.distance, note))
        return tuple(made)

    @property
    def both(self) -> tuple[tuple[Piece, ...], ...]:
        """Pieces that recipes are chosen on, and held against."""
        return self.chosen_on, self.checked_on


class _EnoughError(Exception):
    """The share of the work is done."""


def _begin(shape: str) -> Real:
    """Logarithms of the numbers that a descent begins with."""
    strengths = np.geomspace(FIRST, LAST, len(shape) // 2)
    return np.concatenate([[math.log(TURN), 0.0], np.log(strengths)])
