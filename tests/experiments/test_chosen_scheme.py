"""What `[compile] scheme` names."""

from typing import Any

import pytest

from gibbs_circuits.experiments.schemes import CheapestProgram
from gibbs_circuits.search.task import AutoKnobs


@pytest.mark.parametrize(
    ("knobs", "follows"),
    [
        ({"calibration": "derived"}, True),
        ({"calibration": "derived", "program": "saved.json"}, False),
        ({"calibration": "patch"}, False),
        ({"calibration": "fitted_to_target"}, False),
    ],
)
def test_cheapest_program__follows_the_generator__only_where_all_is_derived(
    knobs: dict[str, Any], follows: bool
) -> None:
    assert CheapestProgram(AutoKnobs(**knobs)).follows_generator is follows
