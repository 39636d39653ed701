"""Pieces of a model, and programs whose angles they share: fitted on some, held against others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from ...evidence import number
from ...io.progress import Progress
from ...linalg.arrays import Array
from ...linalg.states import _product
from ...models.model import Model
from ...models.patches import Patch, covering, patches, ring, whole_model_patch
from ...models.regions import connected_regions
from ...models.spectrum import gibbs_state
from ...programs.classical_randomness import without_single_use_ancillas
from ...programs.program import Calibration, Program
from ..candidates import Candidate, as_candidate
from ..clock import Deadline
from ..task import SearchTask
from ..variational.ansatz import Ansatz
from ..variational.fits import ETAS, usual_starts
from ..variational.layers import COLOURS, never_wipes
from ..variational.objectives import WHOLE, Local, Measure, Preparation, Sampling
from ..variational.shared_angles import SharedAngles, ansatz_of, fit_together, refit, worst_start_of, worst_starts_of
from ..variational.to_steps import steps_of

SMALLEST = 4  # sites of a model that has smaller pieces worth a fit


class DoesNotTransferError(Exception):
    """Why no program fitted on pieces is accepted; the text is for the user.

    Attributes:
        nearest: The nearest one that was found all the same, not accepted, with its distance on pieces.
    """

    def __init__(self, text: str, nearest: Candidate[Program] | None = None) -> None:
        super().__init__(text)
        self.nearest = nearest


@dataclass(frozen=True)
class Sizes:
    """Sites of the pieces that are fitted on, chosen by, and held out."""

    fit: tuple[int, ...]
    choice: int
    held_out: int


@dataclass(frozen=True)
class Plan:
    """What is fitted on which pieces, and how hard.

    Attributes:
        sizes: Of the pieces.
        rings: Sites of closed pieces that are fitted on beside them.
        words: (word, sweeps).
        hopeless: Distance on the pieces, after the first iterations, from which a fit is not refined.
        batch: First angles, of which most fall away on the smallest pieces.
        iterations: Of the descents of one fit, in all.
        rounds: Of adding the worst starts found.
        patience: Times what is hopeless that worst starts may be beyond it after a first round; less and less later.
        at_once: How many worst starts of a piece are added in a round.
        etas: Of the smoothed distance, one after the other.
        trend: Whether the distance grows with the number of sites: then it is followed to the whole, and the held-out
            pieces must see every site where fields or couplings vary.
    """

    sizes: Sizes
    rings: tuple[int, ...]
    words: tuple[tuple[str, int], ...]
    hopeless: float
    batch: int
    iterations: int
    rounds: int = 0
    patience: float = 0.0
    at_once: int = 1
    etas: tuple[float, ...] = ETAS
    trend: bool = True


@dataclass(frozen=True, eq=False)
class PatchedWord:
    """A word of layers with angles that pieces share, and its trace distance to σ on pieces, the worst of each size."""

    word: str
    sweeps: int
    shared: SharedAngles
    distances: dict[int, float]

    def __str__(self) -> str:
        return f"{self.word} × {self.sweeps}"

    @property
    def listed(self) -> str:
        """The distances, each with its number of sites."""
        return ", ".join(f"{number(distance)} ({size})" for size, distance in sorted(self.distances.items()))

    def at(self, n: int) -> float:
        """The distance at n sites by the trend of the two largest sizes known, never falling."""
        (s1, d1), (s2, d2) = sorted(self.distances.items())[-2:]
        return d2 + max(0.0, (d2 - d1) / (s2 - s1)) * (n - s2)


Fitted: TypeAlias = Candidate[PatchedWord]  # its gates and its distance are those on the whole model, by trend


class PieceFits:
    """The pieces of one model, and fits on them.

    Raises:
        DoesNotTransferError: If pieces cannot stand for the model, or do not have its start.
    """

    def __init__(self, task: SearchTask, plan: Plan, progress: Progress) -> None:
        self.task, self.plan, self.progress = task, plan, progress
        n = task.model.num_qubits
        if n < SMALLEST:
            raise DoesNotTransferError(f"{n} sites have no smaller pieces worth a fit")
        self.sizes = plan.sizes
        self.real = task.real
        self.rng = np.random.default_rng(task.seed)
        self.starts = None if task.sampler else self._product_start()
        self.radius, self.pieces = self._pieces()
        self.whole = whole_model_patch(task.model, self.radius)
        closed = [ring(task.model, size, self.radius) for size in plan.rings]
        self.rings = tuple(one for one in closed if one is not None)

    def _pieces(self) -> tuple[int, dict[int, tuple[Patch, ...]]]:
        """Pieces by size, with classes that see as far as the pieces fitted on know them all."""
        model, sizes = self.task.model, self.sizes
        for radius in (1, 0):
            pieces = {size: patches(model, size, radius) for size in sizes.fit}
            known = {c for found in pieces.values() for piece in found for c in piece.classes}
            pieces.setdefault(sizes.choice, _known(model, sizes.choice, radius, known))
            larger = covering if self.plan.trend else _known
            pieces[sizes.held_out] = larger(model, sizes.held_out, radius, known)
            whole = (whole_model_patch(model, radius),)
            pieces[model.num_qubits] = tuple(piece for piece in whole if piece.classes <= known)
            if all(pieces.values()):
                return radius, pieces
        raise DoesNotTransferError(
            f"its sites have surroundings that no piece of {spelled_sizes(sizes.fit)} sites has, or fields that vary "
            f"and that pieces of {sizes.held_out} sites do not all see"
        )

    def _product_start(self) -> tuple[Array, ...]:
        """The start as one qubit state per site, so that pieces have it too."""
        if self.task.sites is None:
            raise DoesNotTransferError("the start is no pure product state, so that pieces do not have it")
        if any(abs(np.vdot(psi, self.task.sites[0])) < 1 - 1e-9 for psi in self.task.sites):
            raise DoesNotTransferError("its sites begin in different states, and pieces stand for any of them")
        return self.task.sites

    def start_of(self, patch: Patch) -> Array:
        """The start on a piece, up to a phase; real where the circuits are."""
        assert self.starts is not None
        made = _product([self.starts[site] for site in patch.sites])
        if self.real:
            turned = made * np.exp(-1j * np.angle(made[int(np.argmax(np.abs(made)))]))
            return np.asarray(turned.real)
        return made

    def words(self) -> list[tuple[str, int]]:
        """(word, sweeps) that can be written and fitted, the cheapest on the whole model first."""
        found = []
        for word, sweeps in self.plan.words:
            known = {name for piece in self.fitted_on(word) for name in self.ansatz(piece, word).names}
            whole = self.ansatz(self.whole, word)
            if known >= {*whole.names} and (never_wipes(whole) or not self.task.sampler):
                found.append((word, sweeps))
        return sorted(dict.fromkeys(found), key=lambda pair: self._gates(*pair))

    def fitted_on(self, word: str) -> list[Patch]:
        """The pieces that a word is fitted on: those where it can be written; only the largest may have other ends."""
        asked = {*self.ansatz(self.whole, word).names}
        pieces = [piece for size in self.sizes.fit for piece in self.pieces[size]]
        written = [piece for piece in (*pieces, *self.rings) if writable(word, piece)]
        largest = max(self.sizes.fit)
        return [piece for piece in written if piece.size >= largest or {*self.ansatz(piece, word).names} <= asked]

    def ansatz(self, piece: Patch, word: str) -> Ansatz:
        """The word on a piece, or on the whole."""
        return ansatz_of(piece, word, real=self.real)

    def _gates(self, word: str, sweeps: int) -> int:
        return sweeps * self.ansatz(self.whole, word).gates

    def fitted(self, word: str, sweeps: int, deadline: Deadline) -> Fitted:
        """On the small pieces, measured on them and on the next larger ones."""
        sizes, plan, pieces = self.sizes, self.plan, self.fitted_on(word)
        extra: dict[int, list[Array]] = {k: [] for k in range(len(pieces))}

        def parts() -> list[Preparation | Sampling]:
            return [self.part(piece, word, sweeps, extra[k]) for k, piece in enumerate(pieces)]

        shared = fit_together(
            parts(),
            self.rng,
            deadline,
            batch=plan.batch,
            iterations=plan.iterations,
            give_up=plan.hopeless,
            etas=plan.etas,
        )
        if plan.rounds:
            shared = self._hardened(parts, extra, shared, deadline)
        distances = {
            size: self.worst(word, sweeps, shared, size, deadline)
            for size in sorted({*sizes.fit, sizes.choice})
            if self.measured_on(word, shared, size)
        }
        return self.on_the_whole(PatchedWord(word, sweeps, shared, distances))

    def _hardened(
        self,
        parts: Callable[[], list[Preparation | Sampling]],
        extra: dict[int, list[Array]],
        shared: SharedAngles,
        deadline: Deadline,
    ) -> SharedAngles:
        """The angles of the round that is nearest from its worst starts; each round adds those of the one before."""
        plan, best = self.plan, (np.inf, shared)
        for done in range(plan.rounds + 1):
            worst = [
                worst_starts_of(part, shared, part.sigma, self.rng, deadline, plan.at_once)
                for part in parts()
                if isinstance(part, Sampling)
            ]
            farthest = max(found[0][0] for found in worst)
            best = min(best, (farthest, shared), key=lambda pair: pair[0])
            if done == plan.rounds or best[0] > plan.hopeless * (1 + plan.patience / (done + 1)):
                break
            for k, found in enumerate(worst):
                extra[k] += [rho for _, rho in found]
            shared = refit(parts(), shared, plan.iterations // 3, deadline, plan.etas[-1])
        return best[1]

    def held_out(self, fit: Fitted, deadline: Deadline) -> Fitted:
        """The same with the distance on the held-out pieces."""
        size, made = self.sizes.held_out, fit.program
        if not self.measured_on(made.word, made.shared, size):
            return fit
        self.progress(f"held out: {size} sites")
        distance = self.worst(made.word, made.sweeps, made.shared, size, deadline)
        return self.on_the_whole(replace(made, distances={**made.distances, size: distance}))

    def on_the_whole(self, made: PatchedWord) -> Fitted:
        """With its gates on the whole model, and its distance there: by trend, or the largest on the pieces."""
        distance = made.at(self.whole.size) if self.plan.trend else max(made.distances.values())
        return Candidate(made, self._gates(made.word, made.sweeps), distance)

    def worst(self, word: str, sweeps: int, shared: SharedAngles, size: int, deadline: Deadline) -> float:
        """The largest distance on the pieces of a size, from the worst start found or from the given one."""
        found = []
        for piece in self.measured_on(word, shared, size):
            part = self.part(piece, word, sweeps, ())
            if isinstance(part, Sampling):
                found.append(worst_start_of(part, shared, part.sigma, self.rng, deadline)[0])
            else:
                deadline.spend(part.seconds)
                found.append(part.distance(shared.angles(part.ansatz)))
        return max(found)

    def measured_on(self, word: str, shared: SharedAngles, size: int) -> list[Patch]:
        """The pieces of a size whose angles are known."""
        known = {*shared.names}
        pieces = [piece for piece in self.pieces[size] if writable(word, piece)]
        return [piece for piece in pieces if {*self.ansatz(piece, word).names} <= known]

    def part(self, piece: Patch, word: str, sweeps: int, extra: Sequence[Array]) -> Preparation | Sampling:
        """What is minimised on one piece."""
        ansatz, sigma, measure = self.ansatz(piece, word), self.sigma(piece), self.measure(piece)
        if not self.task.sampler:
            return Preparation(ansatz, sigma, self.start_of(piece), measure=measure)
        usual = usual_starts(piece.size, few=piece.size > 4)
        starts = np.concatenate([usual, *(rho[None] for rho in extra)])
        return Sampling(ansatz, sigma, starts, sweeps, measure=measure)

    def measure(self, piece: Patch) -> Measure:
        """What the target is about, on a piece."""
        if self.task.region is None:
            return WHOLE
        return Local.of(connected_regions(piece.model, min(self.task.region, piece.size)), piece.size)

    def sigma(self, piece: Patch) -> Array:
        """The Gibbs state of a piece; real where the circuits are."""
        sigma = gibbs_state(piece.model, self.task.beta)
        return np.asarray(sigma.real) if self.real else sigma

    def candidate(self, fit: Fitted, note: str, *, accepted: bool = True) -> Candidate[Program]:
        """As a program on the whole model."""
        task, n, made = self.task, self.task.model.num_qubits, fit.program
        ansatz = self.ansatz(self.whole, made.word)
        sizes, known = self.sizes, n in made.distances
        held = "held out" if sizes.held_out in made.distances else "not held against"
        how = (
            "measured"
            if known
            else f"{'by the trend' if self.plan.trend else 'the largest'} of the pieces, extrapolated"
        )
        what = "" if task.region is None else f" of regions of {task.region} sites"
        program = task.program(
            steps_of(ansatz, made.shared.angles(ansatz)),
            made.sweeps,
            Calibration.PATCH,
            num_ancilla=n,
            knobs={"word": made.word, "angles": made.shared.values.size},
            provenance=f"fitted on pieces of {spelled_sizes(sizes.fit)} sites, chosen on {sizes.choice}, {held} "
            f"{sizes.held_out}; distances{what} {made.listed}; at {n} sites {number(fit.distance)}, {how}",
        )
        if task.classical_randomness:
            program = without_single_use_ancillas(program)
        text = f"patch {made}: {made.listed}; {note}"
        return as_candidate(program, fit.distance, text, accepted=accepted)


def _known(model: Model, size: int, radius: int, known: set[object]) -> tuple[Patch, ...]:
    """Pieces of a size with known classes."""
    return tuple(piece for piece in patches(model, size, radius) if piece.classes <= known)


def writable(word: str, piece: Patch) -> bool:
    """Whether the bonds of a piece have the colours that the word speaks of."""
    return bool(piece.colours) or not any(letter in COLOURS for letter in word)


def spelled_sizes(sizes: tuple[int, ...]) -> str:
    return " and ".join(map(str, sizes))
