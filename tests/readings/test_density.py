"""The density operator as a matrix product: against the dense channel and light cones; the trace under cuts."""

from __future__ import annotations

import numpy as np
import pytest

import gibbs_circuits as gc
from gibbs_circuits.errors import TooLargeError
from gibbs_circuits.linalg.local_maps import Average, LocalMap, applied_to, of_unitary
from gibbs_circuits.models.regions import local_distance
from gibbs_circuits.readings.scalable.density import Cut, Density, density_after, density_path, density_states
from gibbs_circuits.readings.scalable.light_cones import cone_states, product_start
from gibbs_circuits.readings.scalable.local_maps_of import along_a_line, stage_maps
from tests.readings.scaled import after, expectations, shared

ZERO = np.array([1, 0])


def stages_of(program):
    stages = [(stage_maps(program, k), stage.repeats) for k, stage in enumerate(program.stages)]
    return stages, along_a_line(stages[0][0], program.num_system)


@pytest.mark.parametrize(
    ("scheme", "knobs"),
    [("parallel", {"sweeps": 2, "random_delays": (0, 2)}), ("random_jumps", {"sweeps": 2})],
)
def test_density__is_that_of_the_dense_channel__random_steps_in_the_mean(scheme, knobs):
    n, mixed = 3, np.eye(8) / 8
    program = gc.compile(gc.dll(gc.models.tfim(n), 0.7, couplings="Y"), scheme=scheme, **knobs)
    stages, order = stages_of(program)
    found = density_after(stages, order, product_start(None, n, program.num_qubits), Cut(64))
    rho = after(program, mixed)
    for region, values in found.reduced([(0,), (0, 1), (0, 2), (0, 1, 2)]).items():
        assert values == pytest.approx(expectations(rho, region), abs=1e-10)
    assert found.renyi_2(n) == pytest.approx(-np.log(np.trace(rho @ rho).real), abs=1e-10)
    levels = np.linalg.eigvalsh(rho)
    assert found.entropy((0, 1, 2)) == pytest.approx(-np.sum(levels * np.log(levels)), abs=1e-9)
    assert found.entropy((0, 1, 2)) > found.renyi_2(n)
    terms = [((0, "X"),), ((0, "Z"), (1, "Z")), ((0, "Y"), (2, "Y"))]
    every = expectations(rho, (0, 1, 2)).reshape(4, 4, 4)
    assert found.expectations(terms) == pytest.approx([every[1, 0, 0], every[3, 3, 0], every[2, 0, 2]], abs=1e-10)


def test_density__means_of_local_branches__are_the_dense_mean():
    from scipy.stats import unitary_group

    rng, n = np.random.default_rng(5), 5

    def gate(*qubits):
        return LocalMap(qubits, of_unitary(unitary_group.rvs(2 ** len(qubits), random_state=rng)))

    start = np.tile([1.0, 0.3, -0.2, 0.5], (n, 1))
    mean = Average((0.25, 0.25, 0.5), ((), (gate(3), gate(3, 1)), (gate(2),)), range(0, 4))
    operations = (gate(0, 1), gate(4, 2), mean, gate(0, 2, 3), gate(4), Average((1.0,), ((gate(1, 2),),), range(2, 3)))
    x = np.ones(())
    for row in start:
        x = np.multiply.outer(x, row)
    expected = applied_to(operations, x)
    found = Density((3, 0, 1, 2, 4), start, Cut(16))
    found.perform(operations)
    assert found.reduced([(0, 1, 2, 3, 4)])[0, 1, 2, 3, 4] == pytest.approx(expected.reshape(-1), abs=1e-10)
    found.compress()
    assert found.reduced([(0, 1, 2, 3, 4)])[0, 1, 2, 3, 4] == pytest.approx(expected.reshape(-1), abs=1e-10)


def test_density__is_that_of_light_cones_within_its_error__twenty_sites():
    n = 20
    program = shared(n)
    stages, order = stages_of(program)
    start = product_start([ZERO] * n, n, program.num_qubits)
    regions = [(k, k + 1, k + 2) for k in (0, 1, 8, 9, 17)]
    exact = cone_states([(stage_maps(program, 0, fuse=False), 2)], regions, start)
    found = density_states(stages, order, start, 16, regions, tolerance=1)
    assert local_distance(found, exact).largest <= found.error < 0.01
    with pytest.raises(TooLargeError, match="bonds of 4 and 8 are"):
        density_states(stages, order, start, 8, regions, tolerance=1e-4)
    with pytest.raises(TooLargeError, match="entropy of 11 sites"):
        density_after(stages, order, start, Cut(2)).entropy(tuple(range(11)))


def test_density__keeps_the_trace_under_cuts__and_the_plain_cut_does_not():
    n = 20
    program = shared(n, scale=0.9, seed=2)
    stages, order = stages_of(program)
    start = product_start([ZERO] * n, n, program.num_qubits)
    traces = [state.trace for state in density_path(stages, order, start, Cut(6))]
    assert len(traces) == 3
    assert traces == pytest.approx([1] * 3, abs=1e-12)
    assert abs(density_after(stages, order, start, Cut(6, trace=False)).trace - 1) > 1e-2


def test_density__a_cut_keeps_all_that_lies_on_one_side_of_it():
    rng, n = np.random.default_rng(7), 8
    state = Density(tuple(range(n)), np.ones((n, 4)), Cut(5))
    tensors = [rng.standard_normal((1 if k == 0 else 9, 4, 1 if k == n - 1 else 9)) for k in range(n)]
    state.tensors = [t.copy() for t in tensors]
    one_side = [{k: 3} for k in range(n)] + [{0: 1, n - 1: 0}]
    before = [state.values(letters) / state.trace for letters in one_side]
    both = state.values({0: 1, n - 1: 2}) / state.trace
    state.compress()
    assert max(state.bonds) == 5
    assert [state.values(letters) / state.trace for letters in one_side] == pytest.approx(before, rel=1e-9)
    assert state.values({0: 1, n - 1: 2}) / state.trace != pytest.approx(both, rel=1e-6)
