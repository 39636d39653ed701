"""How hard the package looks for a way on a lattice: briefly, where it is not asked how good the way is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gibbs_circuits.backends.transpile import placing, routing

BRIEF = {(placing, "ANNEALED"): 5, (placing, "MOVES"): 2, (placing, "ROUTED"): 1, (routing, "ROUTING_SEEDS"): 2}
FULL = {(module, name): vars(module)[name] for module, name in BRIEF}


@contextmanager
def looking(patience: dict[tuple[object, str], int]) -> Iterator[None]:
    """With some patience."""
    with pytest.MonkeyPatch.context() as patch:
        for (module, name), value in patience.items():
            patch.setattr(module, name, value)
        yield
