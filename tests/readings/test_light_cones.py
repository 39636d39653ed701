"""Light cones against the dense channel; distinct ones, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import gibbs_circuits as gc
from gibbs_circuits.errors import TooLargeError
from gibbs_circuits.readings.scalable.light_cones import cone_states, product_start
from gibbs_circuits.readings.scalable.local_maps_of import stage_maps
from tests.readings.scaled import after, expectations, shared

PLUS, ZERO, TILTED = np.array([1, 1]) / 2**0.5, np.array([1, 0]), np.array([0.6, 0.8j])


def read(program, regions, sites, *, fuse=False):
    stages = [(stage_maps(program, k, fuse=fuse), stage.repeats) for k, stage in enumerate(program.stages)]
    return cone_states(stages, regions, product_start(sites, program.num_system, program.num_qubits))


def density(sites):
    rho = np.eye(1)
    for psi in reversed(sites):
        rho = np.kron(rho, np.outer(psi, np.conj(psi)))
    return rho


@pytest.mark.parametrize("fuse", [False, True])
def test_cone_states__are_those_of_the_dense_channel__shared_angles(fuse):
    program, sites = shared(3), [ZERO, PLUS, TILTED]
    regions = [(0,), (1, 2), (0, 1, 2), (0, 2)]
    found = read(program, regions, sites, fuse=fuse)
    rho = after(program, density(sites))
    for region in regions:
        assert found.values[region] == pytest.approx(expectations(rho, region), abs=1e-10)
    assert found.error < 1e-9


@pytest.mark.parametrize(
    ("scheme", "knobs"),
    [("parallel", {"sweeps": 2, "random_delays": (0, 2)}), ("random_jumps", {"sweeps": 2})],
)
def test_cone_states__are_those_of_the_dense_channel__random_steps(scheme, knobs):
    n, mixed = 3, np.eye(8) / 8
    program = gc.compile(gc.dll(gc.models.tfim(n), 0.7, couplings="Y"), scheme=scheme, **knobs)
    found = read(program, [(0, 1), (1, 2)], None)
    rho = after(program, mixed)
    for region, values in found.values.items():
        assert values == pytest.approx(expectations(rho, region), abs=1e-10)
        assert np.abs(values - expectations(mixed, region)).max() > 1e-2


def test_cone_states__distinct_cones_only__as_many_in_longer_chains():
    for n in (14, 20):
        program = shared(n, "abab", 1)
        found = read(program, [(k, k + 1, k + 2) for k in range(n - 2)], [ZERO] * n)
        assert found.source == "light cones, 5 distinct"
    uneven = read(program, [(k, k + 1, k + 2) for k in range(n - 2)], [*[ZERO] * 10, PLUS, *[ZERO] * 9])
    assert uneven.source == "light cones, 12 distinct"  # seven regions see the odd site
    middle = found.values[9, 10, 11]
    assert np.abs(uneven.values[9, 10, 11] - middle).max() > 1e-3
    assert uneven.values[3, 4, 5] == pytest.approx(middle, abs=1e-12)


def test_cone_states__refuse_wide_cones__with_their_peak():
    with pytest.raises(TooLargeError, match="15 of them at once"):
        read(shared(24, "abab", 4), [(10, 11, 12)], [ZERO] * 24)
