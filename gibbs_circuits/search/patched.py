"""Programs fitted on smaller pieces of the model, accepted on a piece used neither in the fit nor in its choice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..evidence import number
from ..io.progress import Progress, quiet
from ..linalg.arrays import Array
from ..linalg.states import _product
from ..models.patches import Patch, covering, patches, ring, whole
from ..models.spectrum import gibbs_state, trace_distance
from ..programs.classical_randomness import without_single_use_ancillas
from ..programs.product_formulas import commuting_groups
from ..programs.program import Calibration, Program, Stage
from ..readings.circuits.cost import cost
from .candidates import Candidate
from .clock import Deadline, OutOfTimeError
from .task import Wanted
from .variational.fits import usual_starts
from .variational.layers import never_wipes
from .variational.objectives import Preparation, Sampling
from .variational.shared_angles import Effort, Shared, ansatz_of, fit_together, refit, worst_start_of
from .variational.to_steps import steps_of

HELD_OUT = {True: 7, False: 8}  # sites of the largest piece, for a sampler and for a preparation
SMALLEST = 4  # sites of a model that has smaller pieces worth a fit
SAMPLER_WORDS = ("abab", "ababab", "abbabb", "abababab", "abbabbab", "abbbabbb")
PREPARATION_WORDS = (
    "ba", "ab", "bab", "baba", "abab", "bbab", "bbaba", "babab", "bababa", "bbabab", "abbb", "bbbabbb", "bbbabbba",
)  # fmt: skip
SWEEPS = (3, 4)
SAFETY, SMALL_SAFETY = 0.9, 0.5  # of the target, for the distance that the pieces' trend gives the whole; below 7 sites
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

    def __init__(self, text: str, nearest: Candidate | None = None) -> None:
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
class Fitted:
    """A word with shared angles, and its distance to σ on pieces, the worst of each size."""

    word: str
    sweeps: int
    shared: Shared
    gates: int  # on the whole model
    distances: dict[int, float]

    def at(self, n: int) -> float:
        """The distance at n sites by the trend of the two largest sizes known, never falling."""
        (s1, d1), (s2, d2) = sorted(self.distances.items())[-2:]
        return d2 + max(0.0, (d2 - d1) / (s2 - s1)) * (n - s2)


def patched(wanted: Wanted, deadline: Deadline, progress: Progress = quiet) -> tuple[Candidate, ...]:
    """The accepted program, and the words that were tried before it; cheapest first.

    One word of layers after the other, the cheapest first, is fitted on the small pieces, the promising ones again from
    other angles. The first one whose trend over the fitted sizes and the next larger one stays within the target at the
    model's own size is held against a still larger piece, once: its trend must stay within the target again.

    Raises:
        DoesNotTransferError: With the distances that were found, and the nearest, held against the larger piece too.
    """
    workshop, n, target = _Workshop(wanted, progress), wanted.model.num_qubits, wanted.target_error
    best: dict[tuple[str, int], Fitted] = {}
    words = list(workshop.words())
    safety = SAFETY if workshop.sizes.held_out >= min(HELD_OUT.values()) else SMALL_SAFETY
    try:
        while words and (not best or not deadline.passed):
            for index, (word, sweeps) in enumerate(words):
                for _ in range(ATTEMPTS):
                    if best and deadline.passed:
                        break
                    share = deadline.left / max(3, min(8, len(words) - index))
                    fit = workshop.fitted(word, sweeps, deadline.after(max(LEAST, share)))
                    known = best.get((word, sweeps))
                    if known is None or fit.at(n) < known.at(n):
                        best[word, sweeps] = fit
                        progress(
                            f"patch {word} × {sweeps}: {_listed(fit.distances)}; {number(fit.at(n))} at {n} sites by "
                            "trend"
                        )
                    if fit.at(n) <= safety * target and max(fit.distances.values()) <= target:
                        return _accepted(workshop, fit, best, target, deadline)
                    if best[word, sweeps].at(n) > PROMISING * target:
                        break
            words = [key for key, fit in best.items() if fit.at(n) <= PROMISING * target]
        nearest = min(best.values(), key=lambda fit: fit.at(n))
        held_out = workshop.held_out(nearest, deadline)
    except OutOfTimeError:
        raise _cut_off(workshop, best) from None
    raise DoesNotTransferError(
        f"of {len(best)} words of layers the best, {nearest.word} × {nearest.sweeps}, is at "
        f"{_listed(nearest.distances)}: by trend {number(nearest.at(n))} at {n} sites, not within "
        f"{safety:g} × {target:g}",
        workshop.candidate(held_out, "missed the target", accepted=False),
    )


def _accepted(
    workshop: _Workshop, fit: Fitted, tried: dict[tuple[str, int], Fitted], target: float, deadline: Deadline
) -> tuple[Candidate, ...]:
    """The fit, if the held-out pieces bear it out, behind the cheaper ones that missed."""
    n, sizes = workshop.whole.size, workshop.sizes
    accepted = workshop.held_out(fit, deadline)
    if accepted.at(n) > target or max(accepted.distances.values()) > target:
        raise DoesNotTransferError(
            f"fitted on {_sizes(sizes.fit)} sites, {fit.word} × {fit.sweeps} is at {_listed(accepted.distances)}: held "
            f"out, {sizes.held_out} sites, its trend gives {number(accepted.at(n))} at {n}, not {target:g}",
            workshop.candidate(accepted, "missed the target", accepted=False),
        )
    others = [one for one in tried.values() if one.gates < fit.gates]
    return (
        *(workshop.candidate(one, "not held out", accepted=False) for one in others),
        workshop.candidate(accepted, "accepted"),
    )


def _cut_off(workshop: _Workshop, tried: dict[tuple[str, int], Fitted]) -> DoesNotTransferError:
    """What stands where time ran out: nothing was held against a larger piece, so that nothing is accepted."""
    if not tried:
        return DoesNotTransferError("time ran out before the first word of layers was fitted")
    n = workshop.whole.size
    nearest = min(tried.values(), key=lambda fit: fit.at(n))
    return DoesNotTransferError(
        f"time ran out after {len(tried)} words of layers; the best, {nearest.word} × {nearest.sweeps}, is at "
        f"{_listed(nearest.distances)}: by trend {number(nearest.at(n))} at {n} sites",
        workshop.candidate(nearest, "not held out: no time", accepted=False),
    )


class _Workshop:
    """The pieces of one model, and fits on them."""

    def __init__(self, wanted: Wanted, progress: Progress) -> None:
        self.wanted, self.progress = wanted, progress
        n = wanted.model.num_qubits
        if n < SMALLEST:
            raise DoesNotTransferError(f"{n} sites have no smaller pieces worth a fit")
        self.sizes = Sizes.of(n, wanted.sampler)
        self.real = wanted.real
        self.rng = np.random.default_rng(wanted.seed)
        self.starts = None if wanted.sampler else self._product_start()
        self.radius, self.pieces = self._pieces()
        self.whole = whole(wanted.model, self.radius)
        closed = {size: ring(wanted.model, size, self.radius) for size in self.sizes.fit}
        self.rings = {size: () if one is None else (one,) for size, one in closed.items()}

    def _pieces(self) -> tuple[int, dict[int, tuple[Patch, ...]]]:
        """Pieces by size, with classes that see as far as the pieces fitted on know them all."""
        model, sizes = self.wanted.model, self.sizes
        for radius in (1, 0):
            pieces = {size: patches(model, size, radius) for size in sizes.fit}
            known = {c for found in pieces.values() for piece in found for c in piece.classes}
            choice = patches(model, sizes.choice, radius)
            pieces[sizes.choice] = tuple(piece for piece in choice if piece.classes <= known)
            pieces[sizes.held_out] = covering(model, sizes.held_out, radius, known)
            pieces[model.num_qubits] = tuple(piece for piece in (whole(model, radius),) if piece.classes <= known)
            if all(pieces.values()):
                return radius, pieces
        raise DoesNotTransferError(
            f"its sites have surroundings that no piece of {_sizes(sizes.fit)} sites has, or fields that vary and that "
            f"pieces of {sizes.held_out} sites do not all see"
        )

    def _product_start(self) -> tuple[Array, ...]:
        """The start as one qubit state per site, so that pieces have it too."""
        if self.wanted.sites is None:
            raise DoesNotTransferError("the start is no pure product state, so that pieces do not have it")
        if any(abs(np.vdot(psi, self.wanted.sites[0])) < 1 - 1e-9 for psi in self.wanted.sites):
            raise DoesNotTransferError("its sites begin in different states, and pieces stand for any of them")
        return self.wanted.sites

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
        sampler = self.wanted.sampler
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
        sampler, sizes = self.wanted.sampler, self.sizes
        pieces = [piece for size in sizes.fit for piece in (*self.pieces[size], *self.rings[size])]
        extra: dict[int, list[Array]] = {k: [] for k in range(len(pieces))}

        def parts() -> list[Preparation | Sampling]:
            return [self.part(piece, word, sweeps, extra[k]) for k, piece in enumerate(pieces)]

        effort = Effort(BATCH[sampler], ITERATIONS[sampler], HOPELESS * self.wanted.target_error, deadline)
        shared = fit_together(parts(), self.rng, effort)
        for _ in range(ROUNDS if sampler else 0):
            worst = [
                worst_start_of(part, shared, self.sigma(piece), self.rng, deadline)
                for part, piece in zip(parts(), pieces, strict=True)
                if isinstance(part, Sampling)
            ]
            if max(distance for distance, _ in worst) > HOPELESS * self.wanted.target_error:
                break
            for k, (_, rho) in enumerate(worst):
                extra[k].append(rho)
            shared = refit(parts(), shared, effort.iterations // 3, deadline)
        distances = {
            size: self.worst(word, sweeps, shared, size, deadline) for size in sorted({*sizes.fit, sizes.choice})
        }
        return Fitted(word, sweeps, shared, self._gates(word, sweeps), distances)

    def held_out(self, fit: Fitted, deadline: Deadline) -> Fitted:
        """The same with the distance on the held-out pieces."""
        size = self.sizes.held_out
        self.progress(f"held out: {size} sites")
        distance = self.worst(fit.word, fit.sweeps, fit.shared, size, deadline)
        return Fitted(fit.word, fit.sweeps, fit.shared, fit.gates, {**fit.distances, size: distance})

    def worst(self, word: str, sweeps: int, shared: Shared, size: int, deadline: Deadline) -> float:
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
        if not self.wanted.sampler:
            return Preparation(ansatz, self.sigma(piece), self.start_of(piece))
        usual = usual_starts(piece.size, few=piece.size > 4)
        return Sampling(ansatz, self.sigma(piece), np.concatenate([usual, *(rho[None] for rho in extra)]), sweeps)

    def sigma(self, piece: Patch) -> Array:
        """The Gibbs state of a piece; real where the circuits are."""
        sigma = gibbs_state(piece.model, self.wanted.beta)
        return np.asarray(sigma.real) if self.real else sigma

    def candidate(self, fit: Fitted, note: str, *, accepted: bool = True) -> Candidate:
        """As a program on the whole model."""
        wanted, n = self.wanted, self.wanted.model.num_qubits
        ansatz = ansatz_of(self.whole, fit.word, real=self.real)
        sizes, known = self.sizes, n in fit.distances
        held = "held out" if sizes.held_out in fit.distances else "not held against"
        how = "measured" if known else "by the trend of the pieces, extrapolated"
        program = Program(
            num_system=n,
            num_ancilla=n,
            groups=commuting_groups(wanted.model.hamiltonian),
            stages=(Stage(steps_of(ansatz, fit.shared.angles(ansatz)), fit.sweeps),),
            generator=wanted.generator,
            scheme="auto",
            knobs={"sweeps": fit.sweeps, "word": fit.word, "angles": fit.shared.values.size, "seed": wanted.seed},
            calibration=Calibration.PATCH,
            guarantee=wanted.guarantee,
            provenance=f"fitted on pieces of {_sizes(sizes.fit)} sites, chosen on {sizes.choice}, {held} "
            f"{sizes.held_out}; distances {_listed(fit.distances)}; at {n} sites {number(fit.at(n))}, {how}",
        )
        if wanted.classical_randomness:
            program = without_single_use_ancillas(program)
        text = f"patch {fit.word} × {fit.sweeps}: {_listed(fit.distances)}; {note}"
        return Candidate(program, cost(program).two_qubit_gates, fit.at(n), text, accepted)


def _listed(distances: dict[int, float]) -> str:
    return ", ".join(f"{number(distance)} ({size})" for size, distance in sorted(distances.items()))


def _sizes(sizes: tuple[int, ...]) -> str:
    return " and ".join(map(str, sizes))
