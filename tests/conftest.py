"""No lines of progress while tests look at what a command writes, and no long search for a way on a lattice."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

os.environ["GIBBS_CIRCUITS_PROGRESS"] = "0"  # how many lines there are is up to the machine


@pytest.fixture(autouse=True, scope="session")
def brief_searches() -> Iterator[None]:
    """Placements and routings of a sweep, a tenth of them: `test_placing` asks how good they are, and has all."""
    from tests.patience import BRIEF, looking

    with looking(BRIEF):
        yield
