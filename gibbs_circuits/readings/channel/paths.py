"""States followed from sweep to sweep; a million sweeps cost what a few thousand do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...linalg.arrays import Array, Real
from ...linalg.maps import Action, Matrix
from ...programs.program import Program

SETTLED = 1e-11  # trace distance that all sweeps left may still move a state that is not followed any more
ROUNDING = 8 * float(np.finfo(float).eps)  # norm by which a sweep moves a state that has come to rest
EACH, PER_OCTAVE = 512, 64  # sweeps of a stage that are followed one by one, then at so many places per doubling


def leaps(count: int) -> Iterator[int]:
    """Numbers of sweeps, powers of two, that add up to `count`: ones up to 512, then at most 1/64 of those done."""
    done = 0
    while done < count:
        size = 1 if done < EACH else (EACH // PER_OCTAVE) << ((done // EACH).bit_length() - 1)
        size = min(size, 1 << ((count - done).bit_length() - 1))
        yield size
        done += size


class Powers:
    """A channel to the powers of two, each squared from the one before when it is asked for."""

    def __init__(self, channel: Array) -> None:
        self._known = [channel]

    def __call__(self, exponent: int) -> Array:
        """The channel to this power, which is one of two."""
        while len(self._known) < exponent.bit_length():
            self._known.append(self._known[-1] @ self._known[-1])
        return self._known[exponent.bit_length() - 1]


def path(
    program: Program, actions: Sequence[Action], states: tuple[Array, ...]
) -> Iterator[tuple[int, tuple[Array, ...]]]:
    """(sweeps, states) after 0, 1, … sweeps: each of the first 512 of a stage, then, of a matrix, by leaps.

    Within the last stage it ends once the sweeps left hardly move the states, or a sweep moves them by rounding alone.
    """
    count = 0
    yield count, states
    scale = len(states[0]) ** 0.5
    for index, (stage, action) in enumerate(zip(program.stages, actions, strict=True)):
        powers = Powers(action.channel) if isinstance(action, Matrix) else None
        left = stage.repeats
        for size in leaps(stage.repeats) if powers is not None else [1] * stage.repeats:
            before = states
            states = applied(action if powers is None or size == 1 else Matrix(powers(size)), states)
            count, left = count + size, left - size
            yield count, states
            step = max(float(np.linalg.norm(now - then)) for now, then in zip(states, before, strict=True))
            if index == len(actions) - 1 and (left * scale * step <= SETTLED or step <= ROUNDING):
                return


def applied(channel: Action, states: Sequence[Array]) -> tuple[Array, ...]:
    """The channel on Hermitian matrices, two at a time as A + iB."""
    images: list[Array] = []
    pairs = [states[k] + 1j * states[k + 1] if k + 1 < len(states) else states[k] for k in range(0, len(states), 2)]
    for k, image in zip(range(0, len(states), 2), _images(channel, pairs), strict=True):
        images += [(image + image.conj().T) / 2, (image - image.conj().T) / 2j][: len(states) - k]
    return tuple(images)


def _images(channel: Action, matrices: Sequence[Array]) -> list[Array]:
    """Those of several matrices: a channel that is a matrix is read once for all of them."""
    if not isinstance(channel, Matrix):
        return [channel.apply(one) for one in matrices]
    d = channel.dim
    columns = channel.channel @ np.stack([np.ravel(one, order="F") for one in matrices], axis=1)
    return [np.asarray(column.reshape(d, d, order="F")) for column in columns.T]


def filled(counts: Sequence[int], values: Sequence[float], length: int) -> Real:
    """A value for every sweep: between those followed on a straight line, after them the last."""
    return np.asarray(np.interp(np.arange(length), counts, values))
