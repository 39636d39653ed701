"""How a simulation is done: what is chosen and why, what is refused, seeds on any number of threads, cut bonds."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gibbs_circuits.backends.devices.keys import Noise
from gibbs_circuits.backends.measurement.counts import from_counts, shot_error
from gibbs_circuits.backends.runs.prepare import request_run
from gibbs_circuits.backends.runs.run import collect
from gibbs_circuits.backends.runs.store import Memory
from gibbs_circuits.backends.simulators.forecast import Forecast, forecast
from gibbs_circuits.backends.simulators.method import Choice, choose, refuse_size
from gibbs_circuits.backends.targets.aer import AerTarget
from gibbs_circuits.backends.targets.base import Target
from gibbs_circuits.backends.targets.ibm import IbmTarget
from gibbs_circuits.backends.targets.registry import load_target
from gibbs_circuits.errors import ArgumentError, BackendError, TooLargeError
from gibbs_circuits.limits import MEMORY_LIMIT_GIB
from gibbs_circuits.programs.initial_state import zero
from gibbs_circuits.programs.program import Program
from tests.examples import build, exact_states, ising, random_state

LIMIT = 4.0  # standard errors: a false alarm in 16,000 numbers, and every seed is fixed
METHODS = ("density_matrix", "statevector", "matrix_product_state")
NOISE = Noise(p1=0.01, p2=0.02, reset=0.05, readout=0.03)
GIB = 2.0**30


def target(method: Any = "automatic", **changes: Any) -> AerTarget:
    return AerTarget(name="t", kind="aer", method=method, **changes)


def work(qubits: int, gates: float = 200.0, shots: int = 1000, **changes: Any) -> Forecast:
    counts = {"one_qubit_gates": 3 * gates, "two_qubit_gates": gates, "resets": gates / 20, "depth": gates}
    return forecast(build(ising(2)), **counts, method="density_matrix", qubits=qubits, shots=shots, **changes)


def seconds(found: Forecast, method: str) -> float:
    return next(one.seconds for one in found.simulations if one.method == method)


# the choice


@pytest.mark.parametrize("qubits", [3, 8, 11])
def test_choose__exact_values__need_a_density_matrix(qubits: int) -> None:
    choice = choose(target(), work(qubits, shots=0), 0)
    assert (choice.method, choice.processor) == ("density_matrix", "CPU")
    assert "exact values" in choice.reason


def test_choose__small_with_shots__takes_the_state_along() -> None:
    found = work(4)
    choice = choose(target(), found, 1000)
    assert choice.method == "density_matrix"
    assert f"{seconds(found, 'density_matrix'):.2g} s" in choice.reason


@pytest.mark.parametrize("qubits", [16, 20, 24])
def test_choose__large__samples_a_vector(qubits: int) -> None:
    choice = choose(target(), work(qubits, shots=100), 100)
    assert choice.method == "statevector"
    assert "matrix_product_state" in choice.reason  # the reason has the others' seconds


def test_choose__weakly_entangled_chain_with_cut_bonds__is_a_matrix_product_state() -> None:
    found = work(40, shots=10, bond_dimension=8)
    choice = choose(target(bond_dimension=8, max_hours=1e9), found, 10)
    assert choice.method == "matrix_product_state"


@pytest.mark.parametrize("shots", [1, 10, 1000, 100_000])
@pytest.mark.parametrize("qubits", [3, 6, 10, 14])
@pytest.mark.parametrize("noisy", [False, True])
def test_choose__sampled__is_never_slower_than_the_best_by_more_than_a_minute(
    qubits: int, shots: int, noisy: bool
) -> None:
    found = work(qubits, shots=shots, noisy=noisy)
    for recorded in (False, True):
        choice = choose(target(max_hours=1e9), found, shots, recorded=recorded)
        best = min(seconds(found, "statevector"), seconds(found, "matrix_product_state"))
        assert choice.reason
        if recorded:
            assert choice.method != "density_matrix"
            assert seconds(found, choice.method) == best
        assert seconds(found, choice.method) <= best + 60.0


@pytest.mark.parametrize("method", METHODS)
def test_choose__method_of_the_target__is_kept_with_its_reason(method: str) -> None:
    assert choose(target(method), work(4), 1000) == Choice(method, "CPU", "set by the target")


# refusals


@pytest.mark.parametrize("method", ["statevector", "matrix_product_state"])
def test_choose__no_shots__is_refused_where_there_are_only_samples(method: str) -> None:
    with pytest.raises(ArgumentError, match=r"`shots`.*samples only.*Fix: set shots"):
        choose(target(method), work(4), 0)


def test_choose__recorded_on_a_density_matrix__is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"`ancilla_policy`.*no single shots.*Fix:"):
        choose(target("density_matrix"), work(4), 100, recorded=True)
    with pytest.raises(ArgumentError, match=r"`shots`"):
        choose(target(), work(4), 0, recorded=True)


@pytest.mark.parametrize(
    ("method", "qubits", "gib"),
    [("density_matrix", 15, 16 * 4**15 / GIB), ("statevector", 31, 16 * 2**31 / GIB), ("automatic", 70, None)],
)
def test_choose__memory__is_refused_in_gib(method: str, qubits: int, gib: float | None) -> None:
    with pytest.raises(TooLargeError, match=rf"{qubits} qubits.* GiB.*Fix:") as error:
        choose(target(method), work(qubits), 1000)
    if gib is not None:
        assert f"needs {gib:.3g} GiB, but {MEMORY_LIMIT_GIB:g} GiB" in str(error.value)
    assert "\n" not in str(error.value)


def test_choose__time__is_refused_in_hours_and_admitted_by_max_hours() -> None:
    found = work(20, gates=1e5, shots=10**6)
    hours = seconds(found, "statevector") / 3600
    with pytest.raises(TooLargeError, match=r"takes about .* begins none above 24.*Fix: .*max_hours") as error:
        choose(target("statevector"), found, 10**6)
    assert "\n" not in str(error.value)
    assert choose(target("statevector", max_hours=hours * 1.01), found, 10**6).method == "statevector"


def test_choose__gpu__is_taken_for_large_vectors_and_refused_where_there_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    where = "gibbs_circuits.backends.simulators.method.gpu_present"
    monkeypatch.setattr(where, lambda: False)
    with pytest.raises(ArgumentError, match=r"`processor`.*Aer has no GPU.*Fix:"):
        choose(target("statevector", processor="GPU"), work(18), 100)
    assert choose(target("statevector"), work(18), 100).processor == "CPU"
    monkeypatch.setattr(where, lambda: True)
    assert choose(target("statevector"), work(18), 100).processor == "GPU"
    assert choose(target("statevector"), work(10), 100).processor == "CPU"
    assert choose(target("statevector", processor="CPU"), work(18), 100).processor == "CPU"
    assert choose(target("statevector", processor="GPU"), work(10), 100).processor == "GPU"


def test_gpu_target__without_a_gpu__is_refused_before_compiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gibbs_circuits.backends.simulators.method.gpu_present", lambda: False)
    with pytest.raises(ArgumentError, match=r"`processor`.*Fix:"):
        request_run(build(ising(2)), load_target("aer_gpu"), zero(2), {}, 100, 2, 1)


def test_refuse_size__one_ancilla_and_fewer_sweeps__are_advised_where_they_help() -> None:
    with pytest.raises(TooLargeError, match=r"12 qubits \(6 system \+ 6 ancilla\).*sequential"):
        refuse_size(12, 6, target(max_qubits=10))
    with pytest.raises(TooLargeError, match=r"12 qubits.*fewer sweeps.*reset") as error:
        refuse_size(12, 6, target(max_qubits=10), fresh=True)
    assert "sequential" not in str(error.value)
    refuse_size(10, 5, target(max_qubits=10))


# seeds


@pytest.mark.parametrize("noise", [Noise(), NOISE, Noise(t1=50.0, t2=60.0)], ids=["ideal", "noisy", "idle"])
@pytest.mark.parametrize("method", ["statevector", "matrix_product_state"])
def test_seed__any_number_of_threads__gives_the_same_counts(
    method: str, noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = build(ising(2), sweeps=1, nodes=1, random_delays=(1, 1))
    asked = replace(request_run(program, target(method, noise=noise), zero(2), {}, 90, 2, 5), sweep=None)
    found = []
    for threads in (1, 2, 4):
        monkeypatch.setattr("os.cpu_count", lambda threads=threads: threads)
        found.append([block.counts for block in collect(asked, Memory())])
    assert found[0] == found[1] == found[2]
    assert found[0][0] != found[0][1]  # realisations are samples of their own
    again = [block.counts for block in collect(replace(asked, seed=6), Memory())]
    assert again != found[0]


@pytest.mark.parametrize("on", [target("statevector"), IbmTarget(name="l", kind="ibm", device="fake_lagos_v2")])
def test_sampled__bases_of_one_batch__have_random_numbers_of_their_own(on: Target) -> None:
    # the same circuit under two names: equal counts would make the bases of an observable dependent
    program = build(ising(2), sweeps=1, nodes=1)
    asked = request_run(program, on, zero(2), {}, 400, 2, 5)
    asked = replace(asked, bases=("ZZ", "ZZ"), sweep=None)
    for block in collect(asked, Memory()):
        assert block.counts[0] != block.counts[1]


# methods agree


def energy_z(program: Program, blocks: list[Any], bases: tuple[str, ...], start: np.ndarray) -> float:
    """Energy of the counts against the exact channel at the draws of every block, in standard errors."""
    H = program.generator.model.hamiltonian
    away = variance = 0.0
    for block in blocks:
        rho = exact_states(program, start, block.draws)[-1]
        weights = [born(rho, basis) for basis in bases]
        shots = sum(block.counts[0].values())
        away += from_counts(H, bases, block.counts) - np.trace(H.to_matrix() @ rho).real
        variance += shot_error(H, bases, weights, shots) ** 2
    return float(away / variance**0.5)


def born(rho: np.ndarray, basis: str) -> dict[str, float]:
    """Probabilities by hand."""
    h, sdg = np.array([[1, 1], [1, -1]]) / 2**0.5, np.diag([1, -1j])
    turn = {"X": h, "Y": h @ sdg, "Z": np.eye(2)}
    whole = np.eye(1)
    for letter in basis:
        whole = np.kron(whole, turn[letter])
    p = np.diagonal(whole @ rho @ whole.conj().T).real.clip(0)
    return {format(k, f"0{len(basis)}b"): float(x) for k, x in enumerate(p)}


def test_born__probabilities__are_those_of_qiskit() -> None:
    from qiskit import QuantumCircuit
    from qiskit.quantum_info import DensityMatrix

    rho, qc = random_state(2, 3), QuantumCircuit(2)
    qc.h(0)
    qc.sdg(1)
    qc.h(1)
    assert born(rho, "YX") == pytest.approx(DensityMatrix(rho).evolve(qc).probabilities_dict())


@pytest.mark.parametrize("method", ["matrix_product_state", "statevector", "density_matrix"])
def test_method__energy__is_that_of_the_exact_channel(method: str) -> None:
    program = build(ising(3), "parallel", sweeps=2, nodes=2)
    asked = request_run(program, target(method), zero(3), {}, 600, 3, 2)
    z = energy_z(program, list(collect(asked, Memory())), asked.bases, zero(3).density(3))
    assert abs(z) <= LIMIT


def test_matrix_product_state__one_bond__is_wrong_and_the_check_says_so() -> None:
    # the control: product states cannot hold what the exact channel makes
    program = build(ising(3), "parallel", sweeps=2, nodes=2)
    asked = request_run(program, target("matrix_product_state", bond_dimension=1), zero(3), {}, 3000, 3, 2)
    with pytest.raises(BackendError, match=r"fails its check.*Fix: raise bond_dimension, which is 1"):
        collect(asked, Memory())
    asked = replace(asked, sweep=None)
    z = energy_z(program, list(collect(asked, Memory())), asked.bases, zero(3).density(3))
    assert abs(z) > 1.5 * LIMIT
