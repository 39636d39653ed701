"""Placements are looked for with a tenth of the patience: how good they are is asked in `test_placing` only."""

from __future__ import annotations

import pytest

from gibbs_circuits.backends.transpile import placing


@pytest.fixture(autouse=True)
def few_placements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "ANNEALED", 5)
