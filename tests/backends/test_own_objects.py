"""Objects that a user hands in: backends, samplers and estimators, against the exact prediction; what is refused."""

import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import scipy.stats
from qiskit import QuantumCircuit
from qiskit.primitives import BackendEstimatorV2, BackendSamplerV2, StatevectorEstimator, StatevectorSampler
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, depolarizing_error
from qiskit_aer.primitives import EstimatorV2, SamplerV2
from qiskit_ibm_runtime.executor_sampler import Sampler
from qiskit_ibm_runtime.fake_provider import FakeLagosV2, FakeTorino

import gibbs_circuits as gc
from gibbs_circuits.analysis.estimators.expected import final_state, predicted_values
from gibbs_circuits.analysis.estimators.interval import interval
from gibbs_circuits.backends.measurement.counts import from_counts
from gibbs_circuits.backends.runs.prepare import request_run
from gibbs_circuits.backends.simulators.noisy_channel import try_noisy_prediction
from gibbs_circuits.backends.targets.own import target_of
from gibbs_circuits.models.spectrum import trace_distance
from gibbs_circuits.programs.initial_state import zero
from gibbs_circuits.programs.program import Program
from gibbs_circuits.readings.channel.sweep_channel import states_after_sweeps
from tests.examples import build, exact_states, ising

REALISATIONS = 8
LIMIT = scipy.stats.t.isf(3e-5, REALISATIONS - 1)  # of |z|: a false alarm in 16,000 runs
EXACT = 1e-9
MATRIX = {"backend_options": {"method": "density_matrix"}}


@lru_cache
def program() -> Program:
    return build(ising(2), sweeps=2, nodes=1, random_delays=(0, 1))


def ideal() -> float:
    """Energy of the exact averaged channel."""
    rho = states_after_sweeps(program(), zero(2).density(2))[-1]
    return float(np.trace(program().generator.model.hamiltonian.to_matrix() @ rho).real)


def executor() -> Sampler:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the client's own making
        return Sampler(mode=AerSimulator())


def run(backend: Any, shots: int = 8000, **options: Any) -> gc.RunResult:
    return gc.run(program(), backend, shots=shots, realisations=REALISATIONS, **options)


def energy(result: gc.RunResult) -> gc.Estimate:
    """As in a comparison, without the rest of it."""
    request, H = result.request, result.request.observables["energy"]
    noisy = try_noisy_prediction(request.compiled)
    predicted = predicted_values(request, final_state(request, gc.predict(program()), noisy)).get("energy")
    values = [b.values["energy"] if b.values else from_counts(H, request.bases, b.counts) for b in result.blocks]
    return interval(values, None, predicted)


QUIET: dict[str, Callable[[], Any]] = {
    "AerSimulator": AerSimulator,
    "aer SamplerV2": SamplerV2,
    "BackendSamplerV2 on Aer": lambda: BackendSamplerV2(backend=AerSimulator()),
    "the client's Sampler on Aer": executor,
    "aer EstimatorV2": lambda: EstimatorV2(options=MATRIX),
}
NOISY: dict[str, Callable[[], Any]] = {
    "FakeLagosV2": FakeLagosV2,
    "GenericBackendV2": lambda: GenericBackendV2(5, seed=3),
    "BackendSamplerV2 on a generic backend": lambda: BackendSamplerV2(backend=GenericBackendV2(5, seed=3)),
    "BackendEstimatorV2 on a generic backend": lambda: BackendEstimatorV2(backend=GenericBackendV2(5, seed=3)),
}


@pytest.mark.parametrize("name", QUIET)
def test_own__simulator__has_the_exact_energy(name: str) -> None:
    result = run(QUIET[name]())
    found = energy(result)
    assert found.predicted == pytest.approx(ideal(), abs=EXACT)
    assert found.z is not None
    assert abs(found.z) <= LIMIT
    assert result.check is not None
    assert result.check.passed is True


@pytest.mark.parametrize("name", NOISY)
def test_own__device_with_errors__has_the_predicted_energy(name: str) -> None:
    result = run(NOISY[name]())
    found = energy(result)
    assert found.predicted is not None
    assert found.predicted > ideal() + 0.01  # errors heat
    assert found.z is not None
    assert abs(found.z) <= LIMIT
    assert result.check is not None
    assert result.check.passed is True


def test_own__snapshot__is_simulated_here_and_costs_nothing() -> None:
    device = target_of(FakeTorino()).open(4).device
    assert device.local
    assert set(device.basis) == {"cz", "sx", "x", "rz"}
    big = gc.IbmTarget(name="small", kind="ibm", device="fake_lagos_v2", max_qpu_seconds=1e-6)
    assert gc.run(program(), big, shots=20, realisations=2).check is not None  # nothing is spent on a simulation


def test_own__simulator_with_a_noise_model__is_not_predicted() -> None:
    result = run(AerSimulator.from_backend(FakeLagosV2()), shots=800)
    assert energy(result).predicted is None
    assert result.check is not None
    assert "not compared" in result.check.note


# estimators


def test_estimator__without_shots__gives_exact_values_of_every_draw() -> None:
    result = run(EstimatorV2(options=MATRIX), shots=0)
    H = program().generator.model.hamiltonian.to_matrix()
    for block in result.blocks:
        rho = exact_states(program(), zero(2).density(2), block.draws)[-1]
        assert block.values["energy"] == pytest.approx(np.trace(H @ rho).real, abs=EXACT)


def test_estimator__observables__are_at_full_width_on_a_lattice() -> None:
    seen: list[Any] = []
    simulator = EstimatorV2(options=MATRIX)

    class OnLagos(EstimatorV2):
        """Says that it runs on a lattice of seven qubits, and is Aer without errors."""

        backend = FakeLagosV2()

        def run(self, pubs: Any, *, precision: float | None = None) -> Any:
            seen.extend(pubs)
            return simulator.run(pubs, precision=precision)

    estimator = OnLagos(options=MATRIX)
    device = target_of(estimator).open(4).device
    assert device.coupling is not None
    values = gc.run(program(), estimator, shots=0, realisations=1, observables={"zx": [["ZX", 1.0]]}).blocks[0]
    rho = exact_states(program(), zero(2).density(2), values.draws)[-1]
    zx = np.kron(np.diag([1, -1]), np.array([[0, 1], [1, 0]]))
    assert values.values["zx"] == pytest.approx(np.trace(zx @ rho).real, abs=EXACT)
    ((qc, observables),) = seen
    assert qc.num_qubits == device.coupling.size() == 7
    assert {op.num_qubits for op in observables} == {7}


def test_estimator__shots__are_its_precision() -> None:
    asked: list[float | None] = []

    class Watched(EstimatorV2):
        def run(self, pubs: Any, *, precision: float | None = None) -> Any:
            asked.append(precision)
            return super().run(pubs, precision=precision)

    run(Watched(options=MATRIX), shots=8 * 400)
    assert asked == [pytest.approx(1 / 20)] * REALISATIONS
    run(Watched(options=MATRIX), shots=0)
    assert asked[REALISATIONS:] == [None] * REALISATIONS


# what is refused


@pytest.mark.parametrize("primitive", [StatevectorSampler, StatevectorEstimator])
def test_statevector__resets__are_refused_and_fresh_ancillas_right(primitive: Any) -> None:
    for policy in ("automatic", "reset"):
        with pytest.raises(gc.ArgumentError, match=rf"{primitive.__name__} follows one random branch.*fresh") as error:
            run(primitive(), ancilla_policy=policy)
        assert "\n" not in str(error.value)
    found = energy(run(primitive(), ancilla_policy="fresh"))
    assert found.predicted == pytest.approx(ideal(), abs=EXACT)
    assert found.z is not None
    assert abs(found.z) <= LIMIT


def test_statevector_sampler__with_resets__would_be_wrong() -> None:
    # the control: why it is refused. A Bell pair loses a half; the other is 0 or 1 at random, not always the same.
    qc = QuantumCircuit(2)
    qc.h(0)
    qc.cx(0, 1)
    qc.reset(1)
    qc.measure_all()
    counts = StatevectorSampler(seed=1).run([qc], shots=100).result()[0].data.meas.get_counts()
    assert len(counts) == 1


@pytest.mark.parametrize(
    "thing", [object(), 5, ["aer"], AerSimulator, SamplerV2], ids=lambda thing: type(thing).__name__
)
def test_own__nonsense__is_refused_in_one_line(thing: Any) -> None:
    with pytest.raises(gc.ArgumentError, match=r"`backend`.*was found.*Fix:") as error:
        gc.run(program(), thing, shots=100, realisations=2)
    assert "\n" not in str(error.value)


SEEDED: dict[str, Callable[[], Any]] = {
    "aer SamplerV2": lambda: SamplerV2(seed=5),
    "StatevectorSampler": lambda: StatevectorSampler(seed=5),
    "BackendSamplerV2": lambda: BackendSamplerV2(backend=AerSimulator(), options={"seed_simulator": 5}),
    "its simulator": lambda: BackendSamplerV2(backend=AerSimulator(seed_simulator=5)),
}


@pytest.mark.parametrize("name", SEEDED)
def test_own__sampler_with_a_fixed_seed__is_refused(name: str) -> None:
    # realisations must be independent: such a sampler gives every job the same random numbers
    with pytest.raises(gc.ArgumentError, match=r"`backend`.*fixed seed.*Fix: make"):
        run(SEEDED[name](), ancilla_policy="fresh")


def test_own__sampler_with_a_generator__is_taken() -> None:
    sampler = StatevectorSampler(seed=np.random.default_rng(4))
    first, second, *_ = gc.run(
        build(ising(2), sweeps=1, random_delays=False), sampler, shots=400, realisations=2, ancilla_policy="fresh"
    ).blocks
    assert first.draws == second.draws
    assert first.counts != second.counts


def test_own__too_small__is_refused() -> None:
    with pytest.raises(gc.ArgumentError, match=r"have 4 qubits.*has 3.*Fix:"):
        run(GenericBackendV2(3, seed=3))


def test_own__without_shots__is_refused_for_samplers() -> None:
    for thing in (SamplerV2(), AerSimulator(), FakeLagosV2()):
        with pytest.raises(gc.ArgumentError, match=r"`shots`.*Fix:"):
            run(thing, shots=0)


def test_own__estimator_recorded__is_refused() -> None:
    with pytest.raises(gc.ArgumentError, match=r"`ancilla_policy`.*estimator.*Fix:"):
        run(EstimatorV2(options=MATRIX), ancilla_policy="recorded")


def test_own__recorded_sampler__has_jumps() -> None:
    records = gc.jumps(run(SamplerV2(), shots=800, ancilla_policy="recorded"))
    assert {jumps.bits.shape for jumps in records} == {(100, 4)}


def test_trace_distance__of_the_prediction__is_not_zero() -> None:
    rho = states_after_sweeps(program(), zero(2).density(2))[-1]
    assert trace_distance(rho, zero(2).density(2)) > 0.05  # so that agreeing means something


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"backend": StatevectorSampler(), "ancilla_policy": "fresh"}, r"`shots` must be >= 1"),
        ({"backend": StatevectorEstimator(seed=1), "ancilla_policy": "fresh", "shots": 80}, "fixed seed"),
        ({"resume": True}, r"`resume` must come with out"),
        ({"backend": gc.AerTarget(name="x", kind="aer", snapshot="fake_fez", basis=("cz", "rz"))}, "`basis`.*snapshot"),
    ],
)
def test_own__what_would_be_ignored_or_wrong__is_refused(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(gc.ArgumentError, match=rf"{says}.*Fix:"):
        gc.run(program(), **arguments)


def test_own__errors_that_are_not_known__are_not_called_none() -> None:
    found = gc.compare(run(AerSimulator.from_backend(FakeLagosV2()), shots=800))
    (noise,) = [line for line in found.ledger if line.rung.value == "noise"]
    assert (noise.value, noise.status.value) == (None, "not_checked")


def test_identity__own_simulators__differ_by_their_noise_alone() -> None:
    def identity(p: float) -> dict[str, object]:
        model = NoiseModel()
        model.add_all_qubit_quantum_error(depolarizing_error(p, 2), ["cz"])
        backend = AerSimulator(noise_model=model)
        return request_run(program(), backend, zero(2), {}, 80, 8, 1).identity

    assert identity(0.01) == identity(0.01)
    assert identity(0.01) != identity(0.02)
