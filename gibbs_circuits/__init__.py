"""A compiler that prepares thermal states on quantum hardware, checked against the exact answer.

model → generator → program → circuit → backend → comparison with the exact steady state
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qiskit import QuantumCircuit

from . import models, pipeline
from .analysis import Comparison, Estimate, Verdict
from .analysis.plots import convergence as plot
from .backends import RunResult
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
from .exact import Certificate, certificate
from .experiment import (
    DEFAULT_REALISATIONS,
    GeneratorKeys,
    check_target_error,
    make_generator,
    make_initial,
    make_observables,
    make_scheme,
)
from .generators import Couplings, Lindbladian
from .models import Model
from .readings import Cost, cost
from .readings.circuit import circuit as _circuit
from .readings.draw import draw
from .results import package_version
from .spectrum import gibbs_state, thermal
from .targets import Target, load_target

__version__ = package_version()


def dll(
    model: Model, beta: float, couplings: Couplings = "Y", filter: str = "gaussian", coherent: str = "balance"
) -> Lindbladian:
    r"""Lindbladian in KMS detailed balance with the Gibbs state of `model`: Ding, Li & Lin's construction.

    One jump per coupling, $L_a = \sum_\nu \hat f(\nu) A^a_\nu$ with $\hat f(\nu) = e^{-(\beta\nu)^2/8 - \beta\nu/4}$,
    and the coherent term $B$ that makes $\sigma = e^{-\beta H}/Z$ an exact fixed point.

    Args:
        model: Hamiltonian on n qubits; dim = 2**n.
        beta: Inverse temperature, 1/energy, finite and >= 0.
        couplings: Pauli letters put on every site ("Y", "XZ"), SparsePauliOps, or one list of terms per coupling.
        filter: "gaussian".
        coherent: "balance", or "none" to leave B out (a negative control).

    Raises:
        ArgumentError: If an argument is out of range; InvalidModelError if a coupling is not Hermitian.

    Accuracy: relative residual of σ <= 1e-12, measured for n <= 4 and β <= 10. Nothing dense is formed here.

    References:
        Ding, Li & Lin, arXiv:2404.05998.
    """
    return make_generator(model, beta, GeneratorKeys(kind="dll", filter=filter, coherent=coherent, couplings=couplings))


kms = dll


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
    "ArgumentError", "BackendError", "Certificate", "Comparison", "Cost", "Estimate", "GibbsError",
    "InvalidModelError", "InvalidProgramError", "Lindbladian", "Model", "Program", "RunResult", "Target",
    "TooLargeError", "Verdict", "__version__", "certificate", "circuit", "compare", "compile", "cost", "dll", "draw",
    "gibbs_state", "kms", "models", "plot", "run", "thermal",
]  # fmt: skip
