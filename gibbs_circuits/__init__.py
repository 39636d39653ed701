"""A compiler that prepares thermal states on quantum hardware, checked against the exact answer.

model → generator → program → circuit → backend → comparison with the exact steady state
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from qiskit import QuantumCircuit

from . import baths, filters, models, pipeline
from .analysis import Comparison, Estimate, Verdict
from .analysis.plots import convergence as plot
from .backends import RunResult
from .baths import Bath
from .compiler import Program
from .errors import (
    ArgumentError,
    BackendError,
    GibbsError,
    InvalidModelError,
    InvalidProgramError,
    TooLargeError,
    check_integer,
)
from .exact import (
    Advice,
    Certificate,
    Evolution,
    channel_certificate,
    evolve,
    expectation,
    faster,
    free_fermions,
    heat_currents,
    mixing_time,
    spectral_gap,
    steady_state,
    steady_states,
)
from .exact import certificate as lindbladian_certificate
from .exact.certificate import MAX_CERTIFIED_QUBITS
from .experiment import (
    DEFAULT_REALISATIONS,
    check_target_error,
    make_initial,
    make_observables,
    make_scheme,
)
from .filters import Filter
from .generator_keys import make_generator
from .generators import Couplings, Lindbladian, catalogue
from .generators.channels import DiscreteChannel
from .models import Model
from .readings import Cost, cost
from .readings.circuit import circuit as _circuit
from .readings.draw import draw
from .results import package_version
from .spectrum import fidelity, gibbs_state, thermal, trace_distance
from .targets import Target, load_target

__version__ = package_version()


BathLike = str | Mapping[str, Any] | Path | Bath | Callable[[float], float]
"""A bath's name, its keys ({"kind": "ohmic", "cutoff": 4}), a .csv file, a bath, or a function G(ω)."""


def _made(model: Model, beta: float | None, **keys: Any) -> Any:
    return make_generator(model, beta, {key: value for key, value in keys.items() if value is not None})[0]


def dll(
    model: Model,
    beta: float,
    couplings: Couplings = "Y",
    filter: str | Path | Filter | Callable[[Any], Any] = "gaussian",
    coherent: str = "balance",
    bandwidth: float | None = None,
    splitting: float | None = None,
) -> Lindbladian:
    r"""Lindbladian in KMS detailed balance with the Gibbs state of `model`: Ding, Li & Lin's construction.

    One jump per coupling, $L_a = \sum_\nu \hat f(\nu) A^a_\nu$ with $\hat f(\nu) = q(\nu)e^{-\beta\nu/4}$,
    and the coherent term $B$ that makes $\sigma = e^{-\beta H}/Z$ an exact fixed point.

    Args:
        model: Hamiltonian on n qubits; dim = 2**n.
        beta: Inverse temperature, 1/energy, finite and >= 0.
        couplings: Pauli letters put on every site ("Y", "XZ"), or one label ("IIIX"), SparsePauliOp or list of terms
            per coupling.
        filter: "gaussian", $q = e^{-(\beta\nu)^2/8}$; "metropolis", $q = e^{-\sqrt{1+(\beta\nu)^2}/4}$ times a bump,
            which keeps mixing when β × bandwidth is large; "lloyd_abanin", $q = e^{-\beta\nu^2/8h}$; a .csv file with
            columns ν, f̂; or a function f̂ of an array of ν, refused if q(−ν) ≠ q(ν)*.
        coherent: "balance", or "none" to leave B out (a negative control).
        bandwidth: Of the Metropolis bump, S >= 2 max |ν|; from H if left out.
        splitting: h of Lloyd & Abanin's ancilla; 1/β if left out.

    Raises:
        ArgumentError: If an argument is out of range; InvalidModelError if a coupling is not Hermitian.

    Accuracy: relative residual of σ <= 1e-12, measured for n <= 4 and β <= 10. Nothing dense is formed here.

    References:
        Ding, Li & Lin, arXiv:2404.05998; Lloyd & Abanin, PRX 16, 031053.
    """
    return cast(Lindbladian, _made(
        model, beta, kind="dll", couplings=couplings, filter=filter, coherent=coherent, bandwidth=bandwidth,
        splitting=splitting,
    ))  # fmt: skip


kms = dll


def ckg(
    model: Model,
    beta: float,
    couplings: Couplings = "Y",
    filter: str = "gaussian",
    sigma_E: float | None = None,
    omega_gamma: float | None = None,
    coherent: str = "balance",
) -> Lindbladian:
    """Chen, Kastoryano & Gilyén's generator, exact; `filter` "gaussian" or "metropolis", widths 1/β if left out.

    Formulas and references: `generators.catalogue.ckg`.
    """
    return cast(Lindbladian, _made(
        model, beta, kind="ckg", couplings=couplings, filter=filter, sigma_E=sigma_E, omega_gamma=omega_gamma,
        coherent=coherent,
    ))  # fmt: skip


def davies(
    model: Model,
    beta: float,
    couplings: Couplings = "Y",
    bath: BathLike = "ohmic",
    degeneracy_tolerance: float = 1e-9,
    coherent: str = "lamb_shift",
) -> Lindbladian:
    """Davies' weak-coupling generator, blocks of equal Bohr frequency kept whole; exact. See `generators.catalogue`."""
    return cast(Lindbladian, _made(
        model, beta, kind="davies", couplings=couplings, bath=bath, degeneracy_tolerance=degeneracy_tolerance,
        coherent=coherent,
    ))  # fmt: skip


def ule(
    model: Model, beta: float, couplings: Couplings = "Y", bath: BathLike = "ohmic", coherent: str = "lamb_shift"
) -> Lindbladian:
    """The universal Lindblad equation: biased by O(λ²), λ² the bath's strength; exact with coherent="balance"."""
    return cast(Lindbladian, _made(model, beta, kind="ule", couplings=couplings, bath=bath, coherent=coherent))


def redfield(
    model: Model, beta: float, couplings: Couplings = "Y", bath: BathLike = "ohmic", coherent: str = "lamb_shift"
) -> Lindbladian:
    """The Redfield equation: not positive, biased by O(λ²); for comparison."""
    return cast(Lindbladian, _made(model, beta, kind="redfield", couplings=couplings, bath=bath, coherent=coherent))


def coarse_grained(
    model: Model,
    beta: float,
    couplings: Couplings = "Y",
    bath: BathLike = "ohmic",
    window: float | None = None,
    shifted: bool | None = None,
    coherent: str = "lamb_shift",
) -> Lindbladian:
    """Coarse graining over a window T (β if left out): biased by O(β²/T²); exact with coherent="balance"."""
    return cast(Lindbladian, _made(
        model, beta, kind="coarse_grained", couplings=couplings, bath=bath, window=window, shifted=shifted,
        coherent=coherent,
    ))  # fmt: skip


def scandi_alhambra(
    model: Model,
    beta: float,
    couplings: Couplings = "Y",
    bath: BathLike = "ohmic",
    window: float | None = None,
    coherent: str = "balance",
) -> Lindbladian:
    """Coarse graining in KMS form: exact at every window T (β if left out), Davies as T → ∞."""
    return cast(Lindbladian, _made(
        model, beta, kind="scandi_alhambra", couplings=couplings, bath=bath, window=window, coherent=coherent
    ))  # fmt: skip


def custom(
    model: Model,
    beta: float,
    kernel: str | Path | Callable[[Any, Any], Any],
    couplings: Couplings = "Y",
    coherent: str = "balance",
) -> Lindbladian:
    """Your own kernel α(ν1, ν2), a function of two arrays or a .csv file.

    Refused, with the numbers, if it is not Hermitian, positive and in detailed balance,
    α(ν1, ν2) = α(−ν2, −ν1) e^{−β(ν1+ν2)/2}.
    """
    return cast(Lindbladian, _made(model, beta, kind="custom", couplings=couplings, kernel=kernel, coherent=coherent))


def discrete(
    model: Model, beta: float, couplings: Couplings = "Y", inside: str = "dll", step: float = 0.5, **keys: Any
) -> DiscreteChannel:
    """The exact channel at finite step of Gilyén, Chen, Doriguello & Kastoryano, of the transitions of any exact kind.

    `step` in (0, 0.99] is s ‖T†(1)‖; `keys` are those of `inside`.
    """
    return cast(DiscreteChannel, _made(
        model, beta, kind="discrete", couplings=couplings, inside=inside, step=step, **keys
    ))  # fmt: skip


def local(model: Model, beta: float, couplings: Couplings = "Y", inside: str = "dll", **keys: Any) -> Lindbladian:
    """Each site alone, by the generator `inside`: a product state, wrong for interacting H; kept for contrast."""
    return cast(Lindbladian, _made(model, beta, kind="local", couplings=couplings, inside=inside, **keys))


def several_baths(*parts: Lindbladian) -> Lindbladian:
    """The sum of generators of one model at different β: `steady_state` gives what they settle on."""
    return catalogue.several_baths(parts)


def certificate(generator: Lindbladian | DiscreteChannel, max_qubits: int = MAX_CERTIFIED_QUBITS) -> Certificate:
    """What is known about a generator before anything is compiled; `print` it. See `exact.Certificate`."""
    if isinstance(generator, DiscreteChannel):
        return channel_certificate(generator)
    return lindbladian_certificate(generator, max_qubits)


def compile(generator: Lindbladian, scheme: str = "parallel", target_error: float = 0.10, **knobs: Any) -> Program:
    """A program whose sweeps sample the generator's steady state.

    Args:
        generator: From `gc.dll`.
        scheme: "parallel" (one ancilla per site, all riding the same evolution) or "sequential" (one ancilla).
        target_error: Trace distance that knobs left out are chosen for, so that the predicted worst of the starts
            zero, one and mixed meets it (predicted up to 5 qubits).
        knobs: The scheme's own (`gibbs-circuits compile --help` lists them); explicit ones win.

    Raises:
        ArgumentError: If a name or knob is unknown or out of range.
    """
    recipe, settings = make_scheme(scheme, knobs)
    return pipeline.compile_program(generator, recipe, settings, check_target_error(target_error))


def circuit(program: Program, initial: str = "zero", seed: int = 0) -> QuantumCircuit:
    """The whole program as a Qiskit circuit with one draw of its random delays, before transpilation.

    Ancillas sit on the highest qubits and are reset mid-circuit: simulate with density matrices or shots, not with
    `Statevector`, which keeps one random branch.
    """
    return _circuit(program, initial=make_initial(initial, program.num_system, Path()), seed=seed)


def run(
    program: Program,
    backend: str | Path | Target = "aer_density_matrix",
    shots: int = 0,
    seed: int = 1,
    initial: str = "zero",
    observables: Mapping[str, Any] | None = None,
    realisations: int = DEFAULT_REALISATIONS,
) -> RunResult:
    """Run a program; `gc.compare(result)` holds it against the exact answer.

    Args:
        program: From `gc.compile`.
        backend: A packaged target's name, a .toml file, or a Target.
        shots: Per measurement basis; 0 gives exact expectation values where the backend has a state.
        seed: Fixes delays and samples.
        initial: "zero", "one", "mixed", a bit string (rightmost = qubit 0), or a .qasm file.
        observables: SparsePauliOps or lists of [label, coefficient] by name; the energy is always there.
        realisations: Draws of the random delays that the result is the mean over.
    """
    if not isinstance(backend, str | Path | Target):
        raise ArgumentError(
            "backend", "be a name, a path or a Target", f"a {type(backend).__name__} was found",
            'pass "aer_density_matrix" or gc.Target(...)',
        )  # fmt: skip
    target = backend if isinstance(backend, Target) else load_target(backend)
    n = program.num_system
    operators = make_observables(observables or {}, n)
    check_integer("shots", shots, low=0)
    check_integer("seed", seed, low=0)
    check_integer("realisations", realisations, low=1)
    start = make_initial(initial, n, Path())
    request = pipeline.request_run(program, target, start, operators, shots, realisations, seed)
    return pipeline.run_request(request)


def compare(result: RunResult, target_error: float = 0.10) -> Comparison:
    """Hold a run against the exact Gibbs state: distances, intervals, error ledger, baselines, verdict."""
    return pipeline.compare(result, check_target_error(target_error))


__all__ = [
    "Advice", "ArgumentError", "BackendError", "Bath", "Certificate", "Comparison", "Cost", "DiscreteChannel",
    "Estimate", "Evolution", "GibbsError", "InvalidModelError", "InvalidProgramError", "Lindbladian", "Model",
    "Program", "RunResult", "Target", "TooLargeError", "Verdict", "__version__", "baths", "certificate",
    "circuit", "ckg", "coarse_grained", "compare", "compile", "cost", "custom", "davies", "discrete", "dll",
    "draw", "evolve", "expectation", "faster", "fidelity", "filters", "free_fermions", "gibbs_state",
    "heat_currents", "kms", "local", "mixing_time", "models", "plot", "redfield", "run", "scandi_alhambra",
    "several_baths", "spectral_gap", "steady_state", "steady_states", "thermal", "trace_distance", "ule",
]  # fmt: skip
