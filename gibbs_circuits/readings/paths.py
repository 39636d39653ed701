"""States followed from sweep to sweep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..compiler import Program
from ..spectrum import Array, Real
from .maps import Action

SETTLED = 1e-11  # trace distance that all sweeps left may still move a state that is not followed any more


def path(program: Program, actions: Sequence[Action], states: tuple[Array, ...]) -> Iterator[tuple[Array, ...]]:
    """The states after 0, 1, … sweeps; within the last stage it ends once the sweeps left hardly move them."""
    yield states
    scale = len(states[0]) ** 0.5
    for index, (stage, action) in enumerate(zip(program.stages, actions, strict=True)):
        for left in reversed(range(stage.repeats)):
            before, states = states, applied(action, states)
            yield states
            step = max(float(np.linalg.norm(now - then)) for now, then in zip(states, before, strict=True))
            if index == len(actions) - 1 and left * scale * step <= SETTLED:
                return


def applied(channel: Action, states: Sequence[Array]) -> tuple[Array, ...]:
    """The channel on Hermitian matrices, two at a time as A + iB."""
    images: list[Array] = []
    for k in range(0, len(states), 2):
        image = channel.apply(states[k] + 1j * states[k + 1] if k + 1 < len(states) else states[k])
        images += [(image + image.conj().T) / 2, (image - image.conj().T) / 2j][: len(states) - k]
    return tuple(images)


def filled(values: Sequence[float], length: int) -> Real:
    """As long as that, with the last value."""
    return np.array([*values, *[values[-1]] * (length - len(values))])
