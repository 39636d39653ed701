"""A run region by region: reduced states, energy per site and two-point functions, held against dense matrices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from qiskit.quantum_info import DensityMatrix, SparsePauliOp, partial_trace

import gibbs_circuits as gc
from gibbs_circuits.analysis.comparison.compare import compare as compare_without
from gibbs_circuits.analysis.comparison.verdict import Verdict
from gibbs_circuits.analysis.estimators.at_any_size import PredictedLocally
from gibbs_circuits.analysis.estimators.checks import LOCAL_DISTANCE
from gibbs_circuits.analysis.estimators.local import local_check
from gibbs_circuits.analysis.estimators.local_states import LocalResult, of_density, pairs_by_distance
from gibbs_circuits.analysis.estimators.measured_run import MeasuredRun
from gibbs_circuits.analysis.report.plots import convergence, save_convergence
from gibbs_circuits.backends.runs import prepare
from gibbs_circuits.backends.runs.run import RunResult
from gibbs_circuits.errors import ArgumentError, TooLargeError
from gibbs_circuits.evidence import Status
from gibbs_circuits.io.section import merged
from gibbs_circuits.models.library.bonds import square
from gibbs_circuits.models.model import Model
from gibbs_circuits.programs.program import Guarantee, Program
from gibbs_circuits.readings.scalable.chosen import NoReading
from gibbs_circuits.readings.scalable.expectations import expectations, first_sweeps, predicted_locally
from tests.examples import random_state

LONG = 14  # sites of a chain whose state is no matrix


def compiled(model: Model, sweeps: int = 1) -> Program:
    generator = gc.dll(model, 1.0, couplings="Y")
    return gc.compile(
        generator, "parallel", sweeps=sweeps, nodes=2, spacing=0.5, strength=0.55, random_delays=(0, 0), trotter_order=1
    )


@pytest.fixture(autouse=True, scope="module")
def nothing_is_routed() -> Iterator[None]:
    """The count on a heavy-hex lattice takes long and has no part in this."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepare, "ROUTED_GATES", 0)
        yield


@pytest.fixture(scope="module")
def long_run() -> RunResult:
    return gc.run(compiled(gc.models.tfim(LONG, h=1.2)))


def compare(run: RunResult, target_error: float = 0.3) -> gc.Comparison:
    return compare_without(run, target_error, baselines=False)


@pytest.fixture(scope="module")
def long_comparison(long_run: RunResult) -> gc.Comparison:
    return compare(long_run)


def test_of_density__is_the_partial_trace__any_sites() -> None:
    rho = random_state(4, np.random.default_rng(3))
    for region in ((0,), (1, 3), (0, 1, 2), (0, 2, 3)):
        traced = partial_trace(DensityMatrix(rho), [q for q in range(4) if q not in region]).data
        k = len(region)  # Qiskit's first site is the fastest index
        expected = traced.reshape((2,) * 2 * k).transpose(*reversed(range(k)), *reversed(range(k, 2 * k)))
        found = of_density(rho, [region]).state(region)
        np.testing.assert_allclose(found, expected.reshape(2**k, 2**k), atol=1e-14)


@pytest.mark.parametrize("start", ["zero", "one", "mixed", "0110"])
def test_expectations__are_those_of_the_exact_channel__every_kind_of_start(start: str) -> None:
    program = compiled(gc.models.mixed_field_ising(4), sweeps=2)
    exact = gc.predict(program, start)
    assert exact is not None
    operators = [program.generator.model.hamiltonian, SparsePauliOp(["ZIIZ", "XIIX", "IIII"], [1.0, 0.5, 2.0])]
    initial = gc_initial(start)
    found = expectations(program, initial, operators, tolerance=1e-6)
    expected = [float(np.real(np.trace(one.to_matrix() @ exact.final))) for one in operators]
    np.testing.assert_allclose(found, expected, atol=4e-6)
    cut = expectations(first_sweeps(program, 1), initial, operators[:1], tolerance=1e-6)
    assert cut[0] == pytest.approx(exact.energies[1], abs=4e-6)
    assert abs(cut[0] - exact.energies[2]) > 1e-3  # the control


def gc_initial(name: str) -> object:
    from gibbs_circuits.experiments.choices import make_initial

    return make_initial(name, 4, Path())


def test_pairs_by_distance__go_from_the_middle__chain_and_square() -> None:
    assert pairs_by_distance(gc.models.tfim(6)) == ((1, (2, 3)), (2, (2, 4)), (3, (2, 5)))
    found = pairs_by_distance(gc.models.tfim(square(3, 3)))
    assert [distance for distance, _ in found] == [1, 2]
    assert all(4 in sites for _, sites in found)
    assert len(pairs_by_distance(gc.models.tfim(40))) == 8
    assert pairs_by_distance(gc.models.from_terms([("ZI", 1.0), ("IX", 1.0)])) == ()


def test_small_run__local_distance__is_that_of_its_reduced_states() -> None:
    model = gc.models.mixed_field_ising(4)
    program = compiled(model, sweeps=2)
    found = compare(gc.run(program))
    document = merged(section.data for section in found.sections())["result"]
    sigma, rho = gc.gibbs_state(model, 1.0), found.states[-1]
    expected = {}
    for region in ((0, 1, 2), (1, 2, 3)):
        left_out = [q for q in range(4) if q not in region]
        traced = [partial_trace(DensityMatrix(one), left_out).data for one in (rho, sigma)]
        expected[region] = 0.5 * np.abs(np.linalg.eigvalsh(traced[0] - traced[1])).sum()
    local = document["local"]
    assert {tuple(one["sites"]): one["distance"] for one in local["regions"]} == pytest.approx(expected, abs=1e-9)
    assert local["largest"] == pytest.approx(max(expected.values()))
    assert local["mean"] == pytest.approx(np.mean([*expected.values()]))
    assert expected[tuple(local["where"])] == pytest.approx(local["largest"])
    assert (local["region"], local["reference"], local["status"]) == (3, "dense", "measured")
    assert local["largest"] <= found.trace_distance + 1e-12  # a part is never farther than the whole
    assert LOCAL_DISTANCE not in {one.name for one in found.reasons}  # which is judged as ever
    energy = document["energy_per_site"]
    assert energy["value"] == pytest.approx(document["energy"]["value"] / 4)
    assert energy["exact"] == pytest.approx(document["energy"]["exact"] / 4)
    one = document["correlations"]["ZZ"][1]
    assert (one["sites"], one["distance"]) == ([1, 3], 2)
    ZZ = SparsePauliOp("ZIZI").to_matrix()
    assert one["value"] == pytest.approx(np.real(np.trace(ZZ @ rho)), abs=1e-9)
    assert one["exact"] == pytest.approx(np.real(np.trace(ZZ @ sigma)), abs=1e-9)


def test_long_run__without_shots__is_read_backwards_and_judged_region_by_region(
    long_comparison: gc.Comparison,
) -> None:
    found = long_comparison
    document = merged(section.data for section in found.sections())
    result, program = document["result"], document["program"]
    assert result["trace_distance"] is None
    assert result["local"]["reference"] == "free_fermions"
    assert len(result["local"]["regions"]) == LONG - 2
    assert result["local"]["source"].startswith("light cones")  # one sweep
    assert result["local"]["worst"] > result["local"]["largest"]  # by backward operators
    assert (program["guarantee_measure"], program["guarantee_status"]) == ("local", Status.MEASURED.value)
    largest = result["local"]["largest"]
    met = largest + result["local"]["error"] <= 0.3
    assert program["guarantee"] in ((Guarantee.GIVEN_START.value, "any_start") if met else (Guarantee.NONE.value,))
    reason = next(one for one in found.reasons if one.name == LOCAL_DISTANCE)
    assert (reason.found, reason.allowed) == (pytest.approx(largest), 0.3)
    assert found.verdict is not Verdict.NOT_CHECKED
    assert document["target"]["backend"] == "backward"


def test_long_run__verdict__follows_the_target_error_and_its_error_bar(long_comparison: gc.Comparison) -> None:
    found = long_comparison.local
    assert isinstance(found, LocalResult)
    largest, error = found.distance.largest, found.distance.error
    assert error > 0
    assert local_check(found, largest + 2 * error).passed is True
    assert local_check(found, largest - 2 * error).passed is False
    assert local_check(found, largest).passed is None


def test_long_run__no_line_is_unchecked__without_its_reason(long_comparison: gc.Comparison) -> None:
    document = merged(section.data for section in long_comparison.sections())
    assert all(reason for reason in document["not_checked"].values())
    for term in long_comparison.ledger.lines:
        assert term.status is not Status.NOT_CHECKED or f"not {LONG}; " in term.source
    assert "no state to measure" not in str(long_comparison)


@pytest.mark.slow
def test_backward__energy__is_that_of_a_simulated_density_matrix(long_run: RunResult) -> None:
    program = compiled(gc.models.tfim(4, h=1.2))
    read, simulated = (compare(gc.run(program, name)).energy.value for name in ("backward", "aer_density_matrix"))
    assert read == pytest.approx(simulated, abs=1e-3)
    longer = compare(long_run).energy.value
    assert longer / LONG == pytest.approx(read / 4, abs=0.2)
    assert longer != pytest.approx(LONG * read / 4, abs=1e-3)  # the control: ends count


def test_run__without_a_backend__takes_what_fits_the_size() -> None:
    small, large = compiled(gc.models.tfim(2)), compiled(gc.models.tfim(12))
    assert gc.run(small).request.compiled.device.name == "aer_density_matrix"
    assert "On backward" in gc.preview(large, shots=0) or "sweeps" in gc.preview(large, shots=0)
    text = gc.preview(large, shots=50)
    assert "matrix_product_state" in text
    assert "MiB" in text
    assert "(extrapolated)" in text


@pytest.mark.parametrize(
    ("keys", "said"),
    [({"shots": 10}, r"`shots`.*backward.*aer_mps"), ({"realisations": 3}, r"`realisations`.*left out")],
)
def test_backward__refuses_what_it_has_no_use_for(keys: dict[str, int], said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        gc.run(compiled(gc.models.tfim(2)), "backward", **keys)


def test_backward__refuses_a_start_that_is_no_product(tmp_path: Path) -> None:
    from qiskit import QuantumCircuit

    from gibbs_circuits.programs.initial_state import InitialState

    bell = QuantumCircuit(2)
    bell.h(0)
    bell.cx(0, 1)
    program = compiled(gc.models.tfim(2))
    with pytest.raises(ArgumentError, match=r"`initial`.*product"):
        expectations(program, InitialState("bell", bell), [program.generator.model.hamiltonian])


def test_backward__refuses_a_long_string__with_the_limit() -> None:
    program = compiled(gc.models.tfim(6))
    with pytest.raises(TooLargeError, match=r"6 sites at once.*limit is 5"):
        gc.run(program, "backward", observables={"parity": [["XXXXXX", 1.0]]})


@pytest.mark.slow
def test_samples_along_a_line__agree_with_what_is_read__a_long_chain(long_run: RunResult) -> None:
    found = compare(gc.run(long_run.program, shots=40))
    assert found.run.request.compiled.device.name == "aer_mps"
    assert found.energy.predicted == pytest.approx(compare(long_run).energy.value, abs=1e-3)
    assert found.energy.z is not None
    assert abs(found.energy.z) < 4
    values = merged(section.data for section in found.sections())["result"]["correlations"]["ZZ"]
    assert all(one["low"] < one["value"] < one["high"] for one in values)
    assert all(abs(one["z"]) < 4 for one in values)


def test_along_a_line__puts_every_ancilla_beside_its_site(long_run: RunResult) -> None:
    line = long_run.request.compiled.along_a_line()
    place = {wire: k for k, wire in enumerate(line)}
    assert sorted(line) == [*range(2 * LONG)]
    assert max(abs(place[q] - place[LONG + q]) for q in range(LONG)) <= 2
    assert max(abs(place[q] - place[q + 1]) for q in range(LONG - 1)) <= 3


def test_picture__has_three_panels_at_this_size__and_is_a_png(long_comparison: gc.Comparison, tmp_path: Path) -> None:
    labels = [axes.get_xlabel() for axes in convergence(long_comparison).axes]
    assert labels == ["sweeps", "site (centre of the region)", "distance"]
    save_convergence(long_comparison, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


def test_not_read__says_why__a_program_of_dense_blocks(long_run: RunResult) -> None:
    class Deaf(MeasuredRun):
        @property
        def answer(self) -> None:  # type: ignore[override]
            return None

        @property
        def reference(self) -> None:  # type: ignore[override]
            return None

    found = Deaf(long_run, 0.3).local
    assert isinstance(found, NoReading)
    assert found.reason.startswith("no reference: dense")


def test_predict__chooses_by_size__and_says_which_and_why(long_run: RunResult) -> None:
    small, large = gc.predict(compiled(gc.models.tfim(3, h=1.2))), gc.predict(long_run.program)
    assert isinstance(small, gc.Prediction)
    assert isinstance(large, PredictedLocally)
    assert "followed up to 8 system qubits; there are 14" in large.why
    assert "light cones" in large.reading
    assert "backward operators" in str(large)
    assert repr(large).startswith("PredictedLocally(largest distance of a region: from its start ")
    assert large.given is not None
    assert large.largest >= large.given.largest - large.error  # the worst start is no better than the given one


@pytest.mark.slow
def test_predict__from_the_mixed_start__is_the_other_row(long_run: RunResult) -> None:
    large, unread = (gc.predict(long_run.program, start) for start in ("zero", "mixed"))
    assert unread.given.largest == pytest.approx(large.mixed.largest)  # type: ignore[union-attr]


def test_predict__agrees_with_the_exact_channel__where_both_apply() -> None:
    program = compiled(gc.models.mixed_field_ising(4), sweeps=2)
    exact = gc.predict(program)
    assert isinstance(exact, gc.Prediction)
    regions = [(0, 1, 2), (1, 2, 3)]
    sigma = of_density(exact.sigma, regions)
    read = predicted_locally(program, gc_initial("zero"), sigma, 1e-6)
    for region in regions:
        own = of_density(exact.final, [region]).state(region)
        expected = 0.5 * np.abs(np.linalg.eigvalsh(own - sigma.state(region))).sum()
        assert read.given is not None
        assert read.given.distances[region] == pytest.approx(expected, abs=1e-5)
    assert read.largest <= exact.worst_start + 1e-5  # type: ignore[operator]  # of a part, no more than of the whole
