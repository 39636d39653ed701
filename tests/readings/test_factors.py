"""Frames of ancillas and random sketches: against matrices and contractions written here."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gibbs_circuits as gc
from gibbs_circuits.programs.program import Program
from gibbs_circuits.readings.channel.sweep_channel import stage_channel
from gibbs_circuits.readings.scalable import factors
from gibbs_circuits.readings.scalable.backward import SURPLUS, Backwards, backward, product_start
from gibbs_circuits.readings.scalable.cones import Sweeps
from gibbs_circuits.readings.scalable.factors import MIXED, Wide, frame, sketched
from gibbs_circuits.search.derived.copied import Copied, Pass, Recipe, windows

from .test_backward import pauli_values, product_density

PAULI = [np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1.0, -1])]
unit = st.floats(-1, 1)


def derived(n: int) -> Program:
    """Three passes in one sweep, ancillas reset between them: weak kicks, so that ancillas stay near |0⟩."""
    model = gc.models.tfim(n, 1.0, 1.2)
    recipe = Recipe((Pass("Y", 2, 1.4), Pass("Z", 3, 0.9), Pass("X", 3, 0.5)), 0.29, 1.1)
    return Copied(model, 1.0, recipe, windows(model)).program(gc.dll(model, 1.0))


@settings(max_examples=40, deadline=None)
@given(st.tuples(unit, unit, unit), st.tuples(unit, unit, unit, unit))
def test_frame__is_the_norm_between_two_roots_of_the_state(
    bloch: tuple[float, ...], letters: tuple[float, ...]
) -> None:
    r = np.array(bloch) / max(1.0, float(np.linalg.norm(bloch)))
    mixed = (1 - MIXED) * r
    rho = sum((x * P for x, P in zip((1, *mixed), PAULI, strict=True)), start=np.zeros((2, 2))) / 2
    w, V = np.linalg.eigh(rho)
    root = (V * np.sqrt(np.maximum(w, 0))) @ V.conj().T
    O = sum((x * P for x, P in zip(letters, PAULI, strict=True)), start=np.zeros((2, 2)))
    seen = frame(np.array([1, *r])) @ np.array(letters)
    assert seen @ seen == pytest.approx(np.trace(root @ O @ root @ O).real, abs=1e-9)
    assert seen[0] == pytest.approx(np.trace(rho @ O).real, abs=1e-9)
    assert frame(np.array([1, *r]))[:, 0] == pytest.approx([1, 0, 0, 0])
    assert np.linalg.norm(letters) <= np.linalg.norm(seen) * factors.stretch() + 1e-12


def values_of(program: Program, region: tuple[int, ...], starts: np.ndarray) -> np.ndarray:
    """Off the dense channel, a row per start."""
    n, channel = program.num_system, stage_channel(program, 0)
    assert [stage.repeats for stage in program.stages] == [1]
    after = [(channel @ product_density(start).ravel(order="F")).reshape(2**n, 2**n, order="F") for start in starts]
    return np.stack([pauli_values(rho, n, region) for rho in after])


def test_backward__in_frames__is_the_dense_channel_to_the_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    n, region = 3, (0, 1, 2)
    program = derived(n)
    sweeps = Sweeps.of(program)
    starts = np.stack([product_start(n, (0, 0, 1)), product_start(n, (0.6, -0.8, 0))])
    wanted = values_of(program, region, starts)

    def off(cut: float) -> float:
        values = backward(sweeps, region, cut).values(starts)
        return 0.5 * float(np.max(np.linalg.norm(values - wanted, axis=1)))

    plain = [off(cut) for cut in (1e-2, 1e-3)]
    monkeypatch.setattr("gibbs_circuits.readings.scalable.backward.PLAIN", 1)
    framed = [off(cut) for cut in (1e-2, 1e-3, 1e-5)]
    assert framed[0] < 3e-2
    assert framed[1] < 3e-3
    assert framed[2] < 3e-5
    assert max(framed[:2]) < 3 * max(plain)
    # the control: closed as without frames it is another operator
    monkeypatch.setattr(Sweeps, "each_framed", property(lambda s: ((maps, factors.FRESH) for (maps, _), _ in s.framed)))
    assert off(1e-5) > 1e-2


@pytest.mark.slow
def test_backward__in_frames__needs_smaller_bonds_at_twenty_sites(monkeypatch: pytest.MonkeyPatch) -> None:
    sweeps, found = Sweeps.of(derived(20)), list[Backwards]()
    for plain in (64, 10**6):  # bond up to which frames are done without
        monkeypatch.setattr("gibbs_circuits.readings.scalable.backward.PLAIN", plain)
        found.append(backward(sweeps, (9, 10, 11), 3e-3))
    assert found[0].peak < 0.85 * found[1].peak
    assert np.linalg.norm(found[0].constants - found[1].constants) / 2 < 5e-3


def test_two_cuts__of_a_derived_program__differ_by_more_than_the_finer_one_is_off() -> None:
    n, region = 3, (0, 1, 2)
    program = derived(n)
    sweeps, start = Sweeps.of(program), product_start(n, (0, 0, 1))
    wanted = values_of(program, region, start[None])[0]
    coarse, fine = (backward(sweeps, region, cut).values(start) for cut in (1e-2, 1e-2 / 10**0.5))
    assert np.linalg.norm(fine - wanted) < SURPLUS * np.linalg.norm(fine - coarse)


def test_sketched__finds_what_is_carried__and_says_what_it_misses() -> None:
    """Three cores, the middle one beside a bond of 4; nothing beyond, so that the whole is the plain contraction."""
    rng = np.random.default_rng(2)
    left, middle = rng.standard_normal((9, 4, 1, 40)), rng.standard_normal((10, 4, 1, 10))
    right = rng.standard_normal((40, 4, 1, 9)) * (0.6 ** np.arange(40))[:, None, None, None]
    wide = (Wide(left, 1), Wide(middle, 4), Wide(right, 1))

    def whole(cores: list[np.ndarray]) -> np.ndarray:
        return np.einsum("apqb,brsc,ctud->aprtd", *cores)

    wanted = whole([one.whole for one in wide])
    apart = []
    for size in (8, 24):
        made, missed, _ = sketched(wide, size, 12, np.random.default_rng(0), np.linalg.qr)
        lost = float(np.linalg.norm(whole(made) - wanted))
        assert max(core.shape[3] for core in made[:-1]) <= size
        assert lost / 2 < np.linalg.norm(missed) < 2 * lost
        for core in made[:-1]:
            square = core.reshape(-1, core.shape[3])
            assert square.T @ square == pytest.approx(np.eye(core.shape[3]), abs=1e-9)
        apart.append(lost)
    assert apart[1] < apart[0] / 5
