"""Noise as local maps: against the exact noisy channel, whose matrices are applied to the whole register."""

from __future__ import annotations

import numpy as np
import pytest

from gibbs_circuits.backends.devices.keys import Noise
from gibbs_circuits.backends.simulators.local_noise import Kind, costs_of_noise, local_noise
from gibbs_circuits.backends.simulators.noisy_channel import noisy_states
from gibbs_circuits.backends.targets.ibm import IbmTarget
from gibbs_circuits.backends.targets.registry import load_target
from gibbs_circuits.backends.transpile.compiled import Compiled
from gibbs_circuits.backends.transpile.transpile import compile_for
from gibbs_circuits.programs.initial_state import one
from gibbs_circuits.readings.scalable.density import Cut, density_after
from gibbs_circuits.readings.scalable.light_cones import cone_states
from tests.examples import build, ising
from tests.readings.scaled import expectations

WAITING = Noise(p1=0.004, p2=0.02, reset=0.02, readout=0.03, t1=80, t2=60)
TARGETS = {
    "described": load_target("aer_noisy").model_copy(update={"noise": WAITING}),
    "snapshot": IbmTarget(name="l", kind="ibm", device="fake_lagos_v2"),
}
UNREAD = frozenset(Kind) - {Kind.READOUT}


def compiled(target: str, scheme: str = "parallel", sites: int = 2) -> Compiled:
    return compile_for(build(ising(sites), scheme, sweeps=2), TARGETS[target], one(sites), 1)


@pytest.mark.parametrize(("target", "scheme"), [("described", "parallel"), ("snapshot", "random_jumps")])
def test_local_noise__is_the_exact_noisy_channel(target: str, scheme: str) -> None:
    whole = compiled(target, scheme)
    rho = noisy_states(whole)[-1]
    noise = local_noise(whole, UNREAD)
    ideal = local_noise(whole, ())
    found = density_after(noise.stages, noise.order, noise.start, Cut(64)).reduced([(0, 1)])[0, 1]
    assert found == pytest.approx(expectations(rho, (0, 1)), abs=1e-10)
    cone = cone_states(noise.stages, [(0, 1)], noise.start).values[0, 1]
    assert cone == pytest.approx(found, abs=1e-10)
    clean = density_after(ideal.stages, ideal.order, ideal.start, Cut(64)).reduced([(0, 1)])[0, 1]
    assert np.abs(clean - found).max() > 1e-2


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_local_noise__is_the_exact_noisy_channel__three_sites(target: str) -> None:
    whole = compiled(target, sites=3)
    rho = noisy_states(whole)[-1]
    noise = local_noise(whole, UNREAD)
    found = density_after(noise.stages, noise.order, noise.start, Cut(256)).reduced([(0, 1, 2)])[0, 1, 2]
    assert found == pytest.approx(expectations(rho, (0, 1, 2)), abs=1e-10)


def test_local_noise__readout__flips_what_is_measured() -> None:
    whole = compiled("described")
    without, read = (local_noise(whole, kinds) for kinds in (UNREAD, frozenset(Kind)))
    before, after = (
        density_after(noise.stages, noise.order, noise.start, Cut(64)).reduced([(0, 1)])[0, 1].reshape(4, 4)
        for noise in (without, read)
    )
    chance = np.full(2, WAITING.readout)
    for letters in [(3, 3), (1, 2), (3, 0)]:
        measured = [k for k in (0, 1) if letters[k]]
        marginal = {bits: 0.0 for bits in np.ndindex(*(2,) * len(measured))}  # of true outcomes, from all expectations
        for bits in marginal:
            for on in np.ndindex(*(2,) * len(measured)):
                place = [0, 0]
                for k, use in zip(measured, on, strict=True):
                    place[k] = letters[k] * use
                sign = (-1) ** sum(b * use for b, use in zip(bits, on, strict=True))
                marginal[bits] += sign * before[tuple(place)] / 2 ** len(measured)
        expected = 0.0
        for bits, p in marginal.items():
            for flips in np.ndindex(*(2,) * len(measured)):
                q = np.prod([chance[k] if f else 1 - chance[k] for k, f in enumerate(flips)])
                expected += p * q * (-1) ** (sum(bits) + sum(flips))
        assert after[letters] == pytest.approx(expected, abs=1e-12)


def test_costs_of_noise__every_kind_counts__and_together_they_are_all() -> None:
    whole = compiled("described")

    def energy(noise):  # of Z on both sites
        return density_after(noise.stages, noise.order, noise.start, Cut(64)).values({0: 3})

    costs = costs_of_noise(whole, energy)
    assert set(costs) == {"all", "none", *(f"without {kind.value}" for kind in Kind)}
    saved = {kind: costs[f"without {kind.value}"] - costs["all"] for kind in Kind}
    assert min(map(abs, saved.values())) > 1e-4
    assert sum(saved.values()) == pytest.approx(costs["none"] - costs["all"], rel=0.5)
