"""The worst start of regions, the bound on all of them, and what they entitle to: against exact channels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from qiskit.quantum_info import SparsePauliOp

import gibbs_circuits as gc
from gibbs_circuits.evidence import Status
from gibbs_circuits.models.regions import LocalStates
from gibbs_circuits.models.spectrum import gibbs_state
from gibbs_circuits.programs.program import Guarantee
from gibbs_circuits.readings.channel.worst_start import random_states, worst_start
from gibbs_circuits.readings.scalable.backward import backward, product_start
from gibbs_circuits.readings.scalable.cones import Sweeps
from gibbs_circuits.readings.scalable.local_guarantee import local_prediction, telling_regions
from gibbs_circuits.readings.scalable.worst_local import worst_local

from .test_backward import after_all_sweeps, pauli_values


def sampler(n, sweeps):
    """A formula program that forgets slowly, so that starts matter."""
    generator = gc.dll(gc.models.mixed_field_ising(n), 0.7, couplings="Y")
    return gc.compile(generator, scheme="parallel", sweeps=sweeps, strength=0.4)


def sigma_of(program, regions):
    n = program.num_system
    sigma = gibbs_state(program.generator.model, program.generator.beta)
    return LocalStates({region: pauli_values(sigma, n, region) for region in regions})


def test_worst_local__of_all_sites__is_the_worst_start_of_the_exact_channel():
    n = 2
    program = sampler(n, 3)
    sigma = sigma_of(program, [(0, 1)])
    found = worst_local(backward(Sweeps.of(program), (0, 1), 1e-13), sigma.values[0, 1], n, np.random.default_rng(0))
    assert found.distance == pytest.approx(worst_start(program).distance, abs=1e-6)
    assert found.product <= found.distance + 1e-12
    assert found.distance <= found.without_cuts <= found.bound


def test_worst_local__is_no_better_than_random_starts__and_below_the_bound():
    n, region = 3, (0, 1)
    program = sampler(n, 2)
    sigma = sigma_of(program, [region])
    found = worst_local(backward(Sweeps.of(program), region, 1e-12), sigma.values[region], n, np.random.default_rng(0))
    rng, largest = np.random.default_rng(1), 0.0
    for psi in random_states(60, 2**n, rng):
        values = pauli_values(after_all_sweeps(program, np.outer(psi, psi.conj())), n, region)
        matrix = LocalStates({region: values - sigma.values[region]}).state(region)
        largest = max(largest, 0.5 * np.abs(np.linalg.eigvalsh(matrix)).sum())
    assert 0.5 * found.distance < largest < found.distance + 1e-9
    assert found.bound < 20 * found.distance  # it says something


def test_local_prediction__promises_what_it_found__and_no_more():
    n = 3
    program = sampler(n, 1)
    regions = [(0, 1), (1, 2)]
    start = product_start(n, (0, 0, 1))
    found = local_prediction(Sweeps.of(program), sigma_of(program, regions), start, 1e-3)
    assert found.given is not None
    assert found.given.largest <= found.largest + found.error
    assert found.where in regions
    far, near = found.promise(found.largest + 2 * found.error), found.promise(found.largest * 0.999)
    assert (far.guarantee, far.status, far.measure) == (Guarantee.ANY_START, Status.MEASURED, "local")
    assert "on every region read" in far.text
    assert near.guarantee is not Guarantee.ANY_START
    if found.bound is not None:
        assert found.promise(found.bound).status is Status.PROVED
    prepared = found.promise(0.99, preparation=True)
    assert prepared.guarantee is Guarantee.GIVEN_START
    # another σ, and nothing is promised
    wrong = LocalStates({region: -values for region, values in sigma_of(program, regions).values.items()})
    for values in wrong.values.values():
        values[0] = 1
    assert local_prediction(Sweeps.of(program), wrong, start, 1e-3).promise(far.worst).guarantee is Guarantee.NONE


def test_farther__adds_the_difference_of_two_references__to_all():
    program = sampler(2, 1)
    values = sigma_of(program, [(0, 1)]).values[0, 1]
    found = worst_local(backward(Sweeps.of(program), (0, 1), 1e-12), values, 2, np.random.default_rng(0))
    moved = found.farther(0.01)
    assert moved.distance == pytest.approx(found.distance + 0.01)
    assert replace(moved, distance=0.0, product=0.0).bound == pytest.approx(found.bound + 0.01)


def test_telling_regions__one_of_each_kind__all_where_fields_vary():
    chain = gc.models.mixed_field_ising(30)
    kinds = telling_regions(chain, 3, around=3)
    assert kinds[0] == (0, 1, 2)
    assert kinds[-1] == (27, 28, 29)
    assert len(kinds) == 9  # none to three sites to the left or to the right, and more to both
    labels = [("I" * q + "Z" + "I" * (9 - q), 0.1 * q) for q in range(10)]
    labels += [("I" * q + "XX" + "I" * (8 - q), 1.0) for q in range(9)]
    varied = gc.Model(SparsePauliOp.from_list(labels))
    assert len(telling_regions(varied)) == 8
