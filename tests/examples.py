"""Small programs, generated ones, and what Qiskit alone makes of their circuits."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import scipy.linalg
from hypothesis import strategies as st
from numpy.typing import NDArray
from qiskit import QuantumCircuit, transpile
from qiskit.quantum_info import DensityMatrix, Kraus, SparsePauliOp, SuperOp, partial_trace
from qiskit_aer import AerSimulator

from gibbs_circuits.compiler.presets.registry import PRESETS
from gibbs_circuits.compiler.schemes.registry import SCHEMES
from gibbs_circuits.compiler.time_domain.knobs import TimeKnobs
from gibbs_circuits.experiments.experiment import Experiment, read_experiment
from gibbs_circuits.experiments.pipeline import compile_program
from gibbs_circuits.experiments.schemes import CompileTask
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.kinds.dll import dll
from gibbs_circuits.generators.lindbladian import Lindbladian
from gibbs_circuits.models.library.lattices import kagome_ising
from gibbs_circuits.models.library.spin_chains import mixed_field_ising, tfim
from gibbs_circuits.models.model import from_terms
from gibbs_circuits.programs.product_formulas import Group
from gibbs_circuits.programs.program import Program, Stage
from gibbs_circuits.programs.steps import Draw, Evolve, RandomDelay, Step
from gibbs_circuits.readings.channel.sweep_channel import sweep_channel
from gibbs_circuits.readings.circuits.circuit import assemble, circuit_segments, random_draws

Complex = NDArray[np.complex128]
EXAMPLES = ("mixed_field_ising", "h2")
IN_TIME = sorted(name for name, scheme in SCHEMES.items() if issubclass(scheme.knobs, TimeKnobs))
SIMPLE = {"sweeps": 2, "strength": 0.8, "spacing": 0.3, "nodes": 3, "random_delays": (1, 3)}


def ising(sites: int = 2, beta: float = 1.0, couplings: Any = "Y", **parameters: Any) -> Lindbladian:
    model = mixed_field_ising(sites, **parameters)
    return dll(model, beta, couplings_of(couplings, sites), GaussianFilter(beta))


def build(generator: Lindbladian, scheme: str = "parallel", **knobs: Any) -> Program:
    recipe = SCHEMES[scheme]
    taken = {key: value for key, value in SIMPLE.items() if key in recipe.knobs.model_fields}
    return recipe(generator, recipe.knobs.model_validate({**taken, **knobs}))


@lru_cache
def experiment(name: str) -> Experiment:
    return read_experiment(Path(__file__).parents[1] / "experiments" / f"{name}.toml")


@lru_cache
def example(name: str, scheme: str = "parallel") -> Program:
    """The program of an example experiment; its other scheme at the same knobs."""
    e = experiment(name)
    program = compile_program(e.generator, e.scheme, CompileTask(e.target_error))
    if scheme == program.scheme:
        return program
    knobs = {key: value for key, value in program.knobs.items() if key != "ancillas"}
    return build(e.generator, scheme, **{**knobs, "sweeps": 2})


SMALL_PRESETS: dict[str, dict[str, Any]] = {
    "farrell": {"model": kagome_ising(1, 1), "beta": 2.0, "frequencies": 4, "sweeps": 2},
    "ding_zhan_preskill_lin": {
        "model": mixed_field_ising(2), "envelope": 0.5, "reach": 4.5, "frequencies": 3, "couplings": "Y", "sweeps": 2,
    },
    "ding_chen_lin": {"model": tfim(2, J=1.0, h=1.2), "norm": 1.0, "step": 0.7, "sweeps": 1},
    "lloyd_abanin": {"model": tfim(2), "step": 0.3, "sweeps": 2},
    "unitary_gate_loop": {"generator": ising(2, couplings="XY"), "sweeps": 2},
}  # fmt: skip


@lru_cache
def small_preset(name: str) -> Program:
    """A recipe on few qubits; with its defaults where they are small."""
    return PRESETS[name].function(**SMALL_PRESETS.get(name, {}))


def by_hand(
    steps: Sequence[Step], ancillas: int, terms: Sequence[tuple[str, float]] = (("ZZ", -1.0),), repeats: int = 1
) -> Program:
    generator = ising(len(terms[0][0]))
    groups = tuple(Group((term,)) for term in terms)
    return Program(generator.model.num_qubits, ancillas, groups, (Stage(tuple(steps), repeats),), generator, "by hand")


def random_state(num_qubits: int, seed: int) -> Complex:
    rng = np.random.default_rng(seed)
    dim = 2**num_qubits
    root = rng.standard_normal((dim, dim)) + 1j * rng.standard_normal((dim, dim))
    rho = root @ root.conj().T
    return np.asarray(rho / np.trace(rho))


def gibbs(hamiltonian: SparsePauliOp, beta: float) -> Complex:
    weight = scipy.linalg.expm(-beta * hamiltonian.to_matrix())
    return np.asarray(weight / np.trace(weight))


def distance(rho: Complex, sigma: Complex) -> float:
    return float(np.linalg.svd(rho - sigma, compute_uv=False).sum() / 2)


def slope(values: Sequence[float], errors: Sequence[float]) -> float:
    return float(np.polyfit(np.log(values), np.log(errors), 1)[0])


ANCILLAS_USED = {  # every way in which a program uses and resets its ancillas
    "parallel": ("parallel", 2, "Y", {}),
    "sequential": ("sequential", 1, "XY", {"nodes": 2}),
    "letters": ("parallel", 2, "XZ", {"sweeps": 1, "ancillas": 2}),
    "random_jumps": ("random_jumps", 2, "Y", {}),
    "thermal_ancilla": ("thermal_ancilla", 2, "XY", {}),
    "dense": ("dilated_1", 1, "XY", {}),
}


def using_ancillas(name: str, **changes: Any) -> Program:
    scheme, sites, letters, knobs = ANCILLAS_USED[name]
    return build(ising(sites, couplings=letters), scheme, **{**knobs, **changes})


# Qiskit alone


def lowered(qc: QuantumCircuit) -> QuantumCircuit:
    """In cx and u: simulating a PauliEvolutionGate would take the exact exponential instead of the product."""
    return transpile(qc, basis_gates=["cx", "u", "reset"], optimization_level=0)


PLAIN = {"cx", "cz", "rz", "sx", "x", "u", "reset"}  # Aer does these much faster than `quantum_info`


def evolved(qc: QuantumCircuit, rho: Complex) -> Complex:
    """The system's state after `qc` on rho ⊗ |0…0⟩⟨0…0|, system on the lowest qubits."""
    system = round(np.log2(len(rho)))
    rest = np.zeros((2 ** (qc.num_qubits - system),) * 2)
    rest[0, 0] = 1
    start = DensityMatrix(np.kron(rest, rho))
    if qc.parameters or not PLAIN.issuperset(qc.count_ops()):
        return np.asarray(partial_trace(start.evolve(qc), range(system, qc.num_qubits)).data)
    whole = QuantumCircuit(qc.num_qubits)
    whole.set_density_matrix(start)
    whole.compose(qc, inplace=True, copy=False)
    whole.save_density_matrix(range(system))
    result = AerSimulator(method="density_matrix", max_parallel_threads=1).run(whole, shots=1).result()
    assert result.success, result.status
    return np.asarray(result.data(0)["density_matrix"])


def channel_of(qc: QuantumCircuit, system: int) -> Complex:
    """The whole channel on the system."""
    ancillas = qc.num_qubits - system
    one, basis = np.eye(2**system), np.eye(2**ancillas)
    prepare = SuperOp(Kraus(np.kron(basis[:, [0]], one)))
    forget = SuperOp(Kraus([np.kron(row[None, :], one) for row in basis]))
    return np.asarray(prepare.compose(SuperOp(qc)).compose(forget).data)


def unrolled(program: Program, draws: Iterable[int]) -> QuantumCircuit:
    """All sweeps without a preparation, before any transpilation."""
    return assemble(program, circuit_segments(program), QuantumCircuit(program.num_qubits), draws)


# the exact channel at given draws


def draws_per_sweep(program: Program, draws: Iterable[int]) -> list[tuple[int, list[int]]]:
    """(stage, its draws) of every sweep in order."""
    left = iter(draws)
    return [
        (index, [next(left) for step in stage.steps if isinstance(step, Draw)])
        for index, stage in enumerate(program.stages)
        for _ in range(stage.repeats)
    ]


def exact_states(program: Program, rho: Complex, draws: Iterable[int]) -> list[Complex]:
    """The state before the first sweep and after each, from the channels at these draws."""
    states, dim = [np.asarray(rho)], len(rho)
    for index, drawn in draws_per_sweep(program, draws):
        after = sweep_channel(program, index, drawn) @ states[-1].reshape(-1, order="F")
        states.append(after.reshape(dim, dim, order="F"))
    return states


# all starts: whole channels as matrices in, distances out, numpy alone


def whole_of(program: Program) -> Complex:
    """All sweeps on column-stacked matrices, of the package's exact channel."""
    total: Complex = np.eye(4**program.num_system, dtype=complex)
    for k, stage in enumerate(program.stages):
        total = np.linalg.matrix_power(sweep_channel(program, k), stage.repeats) @ total
    return total


def _ends(whole: Complex, states: Complex, sigma: Complex) -> tuple[NDArray[np.float64], Complex]:
    """½‖Φ(ψψ†) − σ‖₁ of every row, and the differences."""
    d = len(sigma)
    flat = np.stack([np.outer(psi, psi.conj()).T.ravel() for psi in states], axis=1)
    images = (whole @ flat).T.reshape(-1, d, d).transpose(0, 2, 1) - sigma
    return np.abs(np.linalg.eigvalsh((images + images.conj().transpose(0, 2, 1)) / 2)).sum(axis=1) / 2, images


def farthest(program: Program, restarts: int = 50) -> float:
    """The largest distance after all sweeps that a see-saw from random states finds."""
    return farthest_by(whole_of(program), gibbs(program.generator.model.hamiltonian, program.generator.beta), restarts)


def farthest_by(whole: Complex, sigma: Complex, restarts: int = 50) -> float:
    """The same of a channel as a matrix on column-stacked matrices."""
    d, rng, best = len(sigma), np.random.default_rng(3), 0.0
    states = rng.standard_normal((restarts, d)) + 1j * rng.standard_normal((restarts, d))
    for _ in range(60):
        states = states / np.linalg.norm(states, axis=1, keepdims=True)
        found, images = _ends(whole, states, sigma)
        best = max(best, float(np.max(found)))
        values, vectors = np.linalg.eigh((images + images.conj().transpose(0, 2, 1)) / 2)
        up = (vectors * (values > 0)[:, None, :]) @ vectors.conj().transpose(0, 2, 1)
        flat = whole.conj().T @ up.transpose(0, 2, 1).reshape(len(up), -1).T
        back = flat.T.reshape(-1, d, d).transpose(0, 2, 1)
        states = np.linalg.eigh((back + back.conj().transpose(0, 2, 1)) / 2)[1][:, :, -1]
    return best


def some_draws(program: Program, seed: int = 3) -> tuple[int, ...]:
    return random_draws(program, seed)


# generated


@st.composite
def generators(draw: st.DrawFn, max_sites: int = 3) -> Lindbladian:
    """Any Hamiltonian of Pauli strings of weight <= 3; couplings by letters, or sums whose terms need not commute."""
    n = draw(st.integers(1, max_sites))
    label = st.text("IXYZ", min_size=n, max_size=n).filter(lambda text: set(text) != {"I"})
    number = st.integers(-15, 15).filter(bool).map(lambda k: k / 10)
    terms = draw(st.dictionaries(label, number, min_size=1, max_size=5))
    some_terms = st.dictionaries(label, number, min_size=1, max_size=3).map(lambda d: [list(t) for t in d.items()])
    letters = st.sampled_from(("X", "Y", "Z", "XZ", "YX"))
    couplings = draw(letters | st.lists(some_terms, min_size=1, max_size=3))
    beta = draw(st.sampled_from((0.0, 0.4, 1.0, 2.5)))
    return dll(from_terms(list(terms.items())), beta, couplings_of(couplings, n), GaussianFilter(beta))


@st.composite
def programs(draw: st.DrawFn, max_sites: int = 3) -> Program:
    generator = draw(generators(max_sites))
    scheme = draw(st.sampled_from(IN_TIME))  # dense blocks take seconds to synthesise: they have tests of their own
    low = draw(st.integers(0, 2))
    knobs: dict[str, Any] = {
        "sweeps": draw(st.integers(1, 2)),
        "strength": draw(st.sampled_from((0.3, 1.0, 2.0))),
        "spacing": draw(st.sampled_from((0.1, 0.37, 1.2))),
        "nodes": draw(st.integers(1, 4)),
        "trotter_order": draw(st.integers(1, 2)),
        "random_delays": (low, low + draw(st.integers(0, 2))),
        "truncation": draw(st.sampled_from((0.0, 0.25, 0.8))),
        "ancillas": draw(st.none() | st.integers(1, 3)),
        "direction": draw(st.sampled_from(("forward", "forward_and_back"))),
        "step": draw(st.sampled_from((0.1, 0.7))),
    }
    taken = SCHEMES[scheme].knobs.model_fields
    return build(generator, scheme, **{key: value for key, value in knobs.items() if key in taken})


def evolutions(program: Program) -> list[Evolve]:
    """Every evolution, those inside delays too."""
    found = []
    for step in (step for stage in program.stages for step in stage.steps):
        match step:
            case Evolve():
                found.append(step)
            case RandomDelay():
                found.append(step.unit)
    return found
