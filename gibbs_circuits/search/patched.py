"""Programs fitted on smaller pieces of the model, accepted on a piece used neither in the fit nor in its choice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from ..evidence import number
from ..io.progress import Progress, quiet
from ..linalg.arrays import Array
from ..linalg.states import _product
from ..models.patches import Patch, covering, patches, ring, whole_model_patch
from ..models.spectrum import gibbs_state, trace_distance
from ..programs.classical_randomness import without_single_use_ancillas
from ..programs.program import Calibration, Program
from .candidates import Candidate, as_candidate
from .clock import Deadline, OutOfTimeError
from .task import SearchTask
from .variational.fits import usual_starts
from .variational.layers import never_wipes
from .variational.objectives import Preparation, Sampling
from .variational.shared_angles import SharedAngles, ansatz_of, fit_together, refit, worst_start_of
from .variational.to_steps import steps_of

HELD_OUT = {True: 7, False: 8}  # sites of the largest piece, for a sampler and for a preparation
SMALLEST = 4  # sites of a model that has smaller pieces worth a fit
SAMPLER_WORDS = ("abab", "ababab", "abbabb", "abababab", "abbabbab", "abbbabbb")
PREPARATION_WORDS = (
    "ba", "ab", "bab", "baba", "abab", "bbab", "bbaba", "babab", "bababa", "bbabab", "abbb", "bbbabbb", "bbbabbba",
)  # fmt: skip
SWEEPS = (3, 4)
PROMISING = 1.45  # times the target, by trend: fitted again
ATTEMPTS = 5  # at a promising word, from other angles
HOPELESS = 1.5  # times the target, on the pieces, after the first iterations: not refined
ROUNDS = 2  # of adding the worst starts found
LEAST = 2.0  # nominal seconds of a word
BATCH = {True: 6, False: 32}
ITERATIONS = {True: 120, False: 480}


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

    @staticmethod
    def of(n: int, sampler: bool) -> Sizes:
        """For a model of n sites."""
        held_out = min(n, HELD_OUT[sampler])
        fit = (held_out - 3, held_out - 2) if held_out > 4 else (held_out - 2, held_out - 1)
        return Sizes(tuple(size for size in fit if size > 1), held_out - 1, held_out)


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


def patched(task: SearchTask, deadline: Deadline, progress: Progress = quiet) -> tuple[Candidate[Program], ...]:
    """The accepted program, and the words that were tried before it; cheapest first.

    One word of layers after the other, the cheapest first, is fitted on the small pieces, the promising ones again from
    other angles. The first one whose trend over the fitted sizes and the next larger one stays within the target at the
    model's own size is held against a still larger piece, once: its trend must stay within the target again.

    Raises:
        DoesNotTransferError: With the distances that were found, and the nearest, held against the larger piece too.
    """
    fits, n, target = _PieceFits(task, progress), task.model.num_qubits, task.target_error
    best: dict[tuple[str, int], Fitted] = {}
    words = list(fits.words())
    long = fits.sizes.held_out >= min(HELD_OUT.values())
    safety = task.margins.trend if long else task.margins.short_trend
    try:
        while words and (not best or not deadline.passed):
            for index, (word, sweeps) in enumerate(words):
                for _ in range(ATTEMPTS):
                    if best and deadline.passed:
                        break
                    share = deadline.left / max(3, min(8, len(words) - index))
                    fit = fits.fitted(word, sweeps, deadline.beyond(max(LEAST, share)))
                    known = best.get((word, sweeps))
                    if known is None or fit.distance < known.distance:
                        best[word, sweeps] = fit
                        said = f"{number(fit.distance)} at {n} sites by trend"
                        progress(f"patch {fit.program}: {fit.program.listed}; {said}")
                    if fit.distance <= safety * target and max(fit.program.distances.values()) <= target:
                        return _accepted(fits, fit, best, target, deadline)
                    if best[word, sweeps].distance > PROMISING * target:
                        break
            words = [key for key, fit in best.items() if fit.distance <= PROMISING * target]
        nearest = min(best.values(), key=lambda fit: fit.distance)
        held_out = fits.held_out(nearest, deadline)
    except OutOfTimeError:
        raise _cut_off(fits, best) from None
    raise DoesNotTransferError(
        f"of {len(best)} words of layers the best, {nearest.program}, is at "
        f"{nearest.program.listed}: by trend {number(nearest.distance)} at {n} sites, not within "
        f"{safety:g} × {target:g}",
        fits.candidate(held_out, "missed the target", accepted=False),
    )


def _accepted(
    fits: _PieceFits, fit: Fitted, tried: dict[tuple[str, int], Fitted], target: float, deadline: Deadline
) -> tuple[Candidate[Program], ...]:
    """The fit, if the held-out pieces bear it out, behind the cheaper ones that missed."""
    n, sizes = fits.whole.size, fits.sizes
    accepted = fits.held_out(fit, deadline)
    if accepted.distance > target or max(accepted.program.distances.values()) > target:
        raise DoesNotTransferError(
            f"fitted on {_sizes(sizes.fit)} sites, {fit.program} is at {accepted.program.listed}: held "
            f"out, {sizes.held_out} sites, its trend gives {number(accepted.distance)} at {n}, not {target:g}",
            fits.candidate(accepted, "missed the target", accepted=False),
        )
    others = [one for one in tried.values() if one.two_qubit_gates < fit.two_qubit_gates]
    return (
        *(fits.candidate(one, "not held out", accepted=False) for one in others),
        fits.candidate(accepted, "accepted"),
    )


def _cut_off(fits: _PieceFits, tried: dict[tuple[str, int], Fitted]) -> DoesNotTransferError:
    """What stands where time ran out: nothing was held against a larger piece, so that nothing is accepted."""
    if not tried:
        return DoesNotTransferError("time ran out before the first word of layers was fitted")
    n = fits.whole.size
    nearest = min(tried.values(), key=lambda fit: fit.distance)
    return DoesNotTransferError(
        f"time ran out after {len(tried)} words of layers; the best, {nearest.program}, is at "
        f"{nearest.program.listed}: by trend {number(nearest.distance)} at {n} sites",
        fits.candidate(nearest, "not held out: no time", accepted=False),
    )


class _PieceFits:
    """The pieces of one model, and fits on them."""

    def __init__(self, task: SearchTask, progress: Progress) -> None:
        self.task, self.progress = task, progress
        n = task.model.num_qubits
        if n < SMALLEST:
            raise DoesNotTransferError(f"{n} sites have no smaller pieces worth a fit")
        self.sizes = Sizes.of(n, task.sampler)
        self.real = task.real
        self.rng = np.random.default_rng(task.seed)
        self.starts = None if task.sampler else self._product_start()
        self.radius, self.pieces = self._pieces()
        self.whole = whole_model_patch(task.model, self.radius)
        closed = {size: ring(task.model, size, self.radius) for size in self.sizes.fit}
        self.rings = {size: () if one is None else (one,) for size, one in closed.items()}

    def _pieces(self) -> tuple[int, dict[int, tuple[Patch, ...]]]:
        """Pieces by size, with classes that see as far as the pieces fitted on know them all."""
        model, sizes = self.task.model, self.sizes
        for radius in (1, 0):
            pieces = {size: patches(model, size, radius) for size in sizes.fit}
            known = {c for found in pieces.values() for piece in found for c in piece.classes}
            choice = patches(model, sizes.choice, radius)
            pieces[sizes.choice] = tuple(piece for piece in choice if piece.classes <= known)
            pieces[sizes.held_out] = covering(model, sizes.held_out, radius, known)
            pieces[model.num_qubits] = tuple(
                piece for piece in (whole_model_patch(model, radius),) if piece.classes <= known
            )
            if all(pieces.values()):
                return radius, pieces
        raise DoesNotTransferError(
            f"its sites have surroundings that no piece of {_sizes(sizes.fit)} sites has, or fields that vary and that "
            f"pieces of {sizes.held_out} sites do not all see"
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

    def words(self) -> Iterator[tuple[str, int]]:
        """(word, sweeps), the cheapest on the whole model first."""
        sampler = self.task.sampler
        pairs = [
            (word, sweeps)
            for word in (SAMPLER_WORDS if sampler else PREPARATION_WORDS)
            for sweeps in (SWEEPS if sampler else (1,))
            if not sampler or never_wipes(ansatz_of(self.whole, word, real=self.real))
        ]
        yield from sorted(pairs, key=lambda pair: self._gates(*pair))

    def _gates(self, word: str, sweeps: int) -> int:
        n = self.whole.size
        return sweeps * sum(n if letter == "a" else len(self.whole.bonds) for letter in word)

    def fitted(self, word: str, sweeps: int, deadline: Deadline) -> Fitted:
        """On the small pieces, measured on them and on the next larger ones."""
        sampler, sizes = self.task.sampler, self.sizes
        pieces = [piece for size in sizes.fit for piece in (*self.pieces[size], *self.rings[size])]
        extra: dict[int, list[Array]] = {k: [] for k in range(len(pieces))}

        def parts() -> list[Preparation | Sampling]:
            return [self.part(piece, word, sweeps, extra[k]) for k, piece in enumerate(pieces)]

        hopeless, iterations = HOPELESS * self.task.target_error, ITERATIONS[sampler]
        shared = fit_together(
            parts(), self.rng, deadline, batch=BATCH[sampler], iterations=iterations, give_up=hopeless
        )
        for _ in range(ROUNDS if sampler else 0):
            worst = [
                worst_start_of(part, shared, self.sigma(piece), self.rng, deadline)
                for part, piece in zip(parts(), pieces, strict=True)
                if isinstance(part, Sampling)
            ]
            if max(distance for distance, _ in worst) > hopeless:
                break
            for k, (_, rho) in enumerate(worst):
                extra[k].append(rho)
            shared = refit(parts(), shared, iterations // 3, deadline)
        distances = {
            size: self.worst(word, sweeps, shared, size, deadline) for size in sorted({*sizes.fit, sizes.choice})
        }
        return self.on_the_whole(PatchedWord(word, sweeps, shared, distances))

    def held_out(self, fit: Fitted, deadline: Deadline) -> Fitted:
        """The same with the distance on the held-out pieces."""
        size = self.sizes.held_out
        self.progress(f"held out: {size} sites")
        made = fit.program
        distance = self.worst(made.word, made.sweeps, made.shared, size, deadline)
        return self.on_the_whole(replace(made, distances={**made.distances, size: distance}))

    def on_the_whole(self, made: PatchedWord) -> Fitted:
        """With its gates on the whole model, and its distance there by the trend of the pieces."""
        return Candidate(made, self._gates(made.word, made.sweeps), made.at(self.whole.size))

    def worst(self, word: str, sweeps: int, shared: SharedAngles, size: int, deadline: Deadline) -> float:
        """The largest distance on the pieces of a size, from the worst start found or from the given one."""
        found = []
        for piece in self.pieces[size]:
            part, sigma = self.part(piece, word, sweeps, ()), self.sigma(piece)
            if isinstance(part, Sampling):
                found.append(worst_start_of(part, shared, sigma, self.rng, deadline)[0])
            else:
                deadline.spend(part.seconds)
                found.append(trace_distance(part.state(shared.angles(part.ansatz)), sigma))
        return max(found)

    def part(self, piece: Patch, word: str, sweeps: int, extra: Sequence[Array]) -> Preparation | Sampling:
        """What is minimised on one piece."""
        ansatz = ansatz_of(piece, word, real=self.real)
        if not self.task.sampler:
            return Preparation(ansatz, self.sigma(piece), self.start_of(piece))
        usual = usual_starts(piece.size, few=piece.size > 4)
        return Sampling(ansatz, self.sigma(piece), np.concatenate([usual, *(rho[None] for rho in extra)]), sweeps)

    def sigma(self, piece: Patch) -> Array:
        """The Gibbs state of a piece; real where the circuits are."""
        sigma = gibbs_state(piece.model, self.task.beta)
        return np.asarray(sigma.real) if self.real else sigma

    def candidate(self, fit: Fitted, note: str, *, accepted: bool = True) -> Candidate[Program]:
        """As a program on the whole model."""
        task, n, made = self.task, self.task.model.num_qubits, fit.program
        ansatz = ansatz_of(self.whole, made.word, real=self.real)
        sizes, known = self.sizes, n in made.distances
        held = "held out" if sizes.held_out in made.distances else "not held against"
        how = "measured" if known else "by the trend of the pieces, extrapolated"
        program = task.program(
            steps_of(ansatz, made.shared.angles(ansatz)),
            made.sweeps,
            Calibration.PATCH,
            num_ancilla=n,
            knobs={"word": made.word, "angles": made.shared.values.size},
            provenance=f"fitted on pieces of {_sizes(sizes.fit)} sites, chosen on {sizes.choice}, {held} "
            f"{sizes.held_out}; distances {made.listed}; at {n} sites {number(fit.distance)}, {how}",
        )
        if task.classical_randomness:
            program = without_single_use_ancillas(program)
        text = f"patch {made}: {made.listed}; {note}"
        return as_candidate(program, fit.distance, text, accepted=accepted)


def _sizes(sizes: tuple[int, ...]) -> str:
    return " and ".join(map(str, sizes))
