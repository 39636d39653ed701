"""What is read off finished programs: worst start and fixed point, and what they bear out at another target."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import gibbs_circuits as gc
from gibbs_circuits.programs.program import Guarantee, Program, Stage
from gibbs_circuits.search.evaluate import evaluate, guarantee_reached
from tests.examples import channel_of, distance, lowered, unrolled

ZERO = np.diag([1.0, 0, 0, 0]).astype(complex)


def program(
    g: float = 0.5, beta: float = 1.0, strength: float = 0.5, sweeps: int = 30, filter: str = "gaussian"
) -> Program:
    model = gc.models.mixed_field_ising(2, J=1, h=0.9, g=g)
    return gc.compile(
        gc.dll(model, beta, "Y", filter), "parallel", strength=strength, random_delays=False, sweeps=sweeps
    )


def image(whole: np.ndarray, rho: np.ndarray) -> np.ndarray:
    return (whole @ rho.T.reshape(-1)).reshape(4, 4).T


def test_measured__worst_start__is_no_nearer_than_random_states() -> None:
    made = program(sweeps=3)
    one_sweep = replace(made, stages=(Stage(made.stages[0].steps, 1),))
    whole = np.linalg.matrix_power(channel_of(lowered(unrolled(one_sweep, [])), 2), 3)
    sigma = gc.gibbs_state(made.generator.model, 1.0)
    rng, found = np.random.default_rng(1), []
    for _ in range(300):
        psi = rng.standard_normal(4) + 1j * rng.standard_normal(4)
        psi /= np.linalg.norm(psi)
        found.append(distance(image(whole, np.outer(psi, psi.conj())), sigma))
    read = evaluate(made, True, ZERO)
    assert read is not None
    assert max(found) <= read.distance + 1e-9
    assert read.distance <= 1.2 * max(found)
    given = evaluate(made, False, ZERO)
    assert given is not None
    assert given.distance == pytest.approx(distance(image(whole, ZERO), sigma), abs=1e-9)


def test_measured__last_stage_with_another_fixed_point__is_not_a_sampler() -> None:
    """One weak sweep towards another state hardly moves what 30 strong ones made, but for ever after it would."""
    good, other = program(), program(g=-2.0, beta=3.0, strength=0.02, sweeps=1, filter="metropolis")
    both = replace(good, stages=(*good.stages, Stage(other.stages[0].steps, 1)))
    alone, read, given = evaluate(good, True, ZERO), evaluate(both, True, ZERO), evaluate(both, False, ZERO)
    assert alone is not None
    assert read is not None
    assert given is not None
    assert given.distance < alone.distance + 0.05
    assert read.distance > 2 * alone.distance
    assert "fixed point" in read.text
    assert "worst start" in alone.text


def test_borne_out__falls_with_the_target() -> None:
    made = program(sweeps=3)
    given, any_start = evaluate(made, False, ZERO), evaluate(made, True, ZERO)
    assert given is not None
    assert any_start is not None
    assert given.distance < any_start.distance
    assert guarantee_reached(made, 1.01 * any_start.distance, ZERO) is Guarantee.ANY_START
    assert guarantee_reached(made, 0.99 * any_start.distance, ZERO) is Guarantee.GIVEN_START
    assert guarantee_reached(made, 0.99 * given.distance, ZERO) is Guarantee.NONE
