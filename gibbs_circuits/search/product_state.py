"""No two-qubit gate at all: product states, which every program has to beat, and the programs that make them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import UnitaryGate

from ..limits import MAX_KRYLOV_QUBITS, MAX_PRODUCT_QUBITS
from ..linalg.arrays import Array, Real
from ..linalg.paulis import PAULIS
from ..models.model import Model
from ..models.spectrum import trace_distance
from ..programs.program import Calibration, Program
from ..programs.steps import Branch, RandomChoice, Step
from . import costs
from .candidates import Candidate
from .task import SearchTask
from .variational.to_steps import local_rotation

SIGMAS = np.array([PAULIS[letter] for letter in "XYZ"])
NEVER = 1e-9  # a branch less likely than that is left out
BASIS = ["rz", "sx", "x"]


def nearest_product(sigma: Array, starts: int = 4) -> tuple[Real, float]:
    """Bloch vectors (n, 3) of the nearest product of mixed single-qubit states found, and its trace distance to σ.

    Each Bloch vector is r = x / √(1 + |x|²); L-BFGS on a smoothed trace distance from the marginals of σ and a few
    seeded starts. An upper bound on the true minimum; seconds at 6 qubits.
    """
    n = round(np.log2(sigma.shape[0]))
    rng = np.random.default_rng(5)

    def smooth(x: Real, eta: float) -> tuple[float, Real]:
        """½ Σ (√(λ² + η²) − η) and its gradient, through ∂λ = ⟨v|∂ρ|v⟩."""
        r = _bloch(x, n)
        rhos = [_site(row) for row in r]
        values, vectors = np.linalg.eigh(product_state(r) - sigma)
        root = np.sqrt(values**2 + eta**2)
        M = (vectors * (0.5 * values / root)) @ vectors.conj().T
        slope = np.empty((n, 3))
        for q in range(n):
            left, right = np.eye(1, dtype=complex), np.eye(1, dtype=complex)
            for site in rhos[q + 1 :]:
                left = np.kron(site, left)
            for site in rhos[:q]:
                right = np.kron(site, right)
            split = M.reshape(len(left), 2, len(right), len(left), 2, len(right))
            reduced = np.einsum("aibcjd,ca,db->ij", split, left, right, optimize=True)
            slope[q] = 0.5 * np.real(np.trace(reduced @ SIGMAS, axis1=-2, axis2=-1))
        return float(0.5 * np.sum(root - eta)), _pulled_back(slope, r, x)

    marginals = np.array([np.real(np.trace(_marginal(sigma, q, n) @ SIGMAS, axis1=-2, axis2=-1)) for q in range(n)])
    begin = (marginals / np.sqrt(np.clip(1 - np.sum(marginals**2, axis=1, keepdims=True), 1e-6, None))).reshape(-1)
    from scipy.optimize import minimize  # loaded when used

    best, nearest = np.inf, marginals
    for k in range(starts):
        x = begin + (0.3 * rng.standard_normal(3 * n) if k else 0.0)
        for eta in (1e-2, 1e-3, 1e-4):
            x = minimize(smooth, x, args=(eta,), jac=True, method="L-BFGS-B").x
        distance = trace_distance(product_state(_bloch(x, n)), sigma)
        if distance < best:
            best, nearest = float(distance), _bloch(x, n)
    return nearest, best


def mean_field(model: Model, beta: float, starts: int = 6) -> Real:
    r"""Bloch vectors (n, 3) of the product state with the lowest $β\,\mathrm{Tr}(ρH) − S(ρ)$ found.

    It is the product ρ with the smallest relative entropy to the Gibbs state, found without that state: L-BFGS from a
    few seeded starts; cost per step: terms × weight, at any n.
    """
    n, rng = model.num_qubits, np.random.default_rng(5)
    terms = [
        (beta * c, [(q, "XYZ".index(letter)) for q, letter in enumerate(reversed(label)) if letter != "I"])
        for label, c in model.terms
    ]

    def free(x: Real) -> tuple[float, Real]:
        r = _bloch(x, n)
        length = np.linalg.norm(x.reshape(n, 3), axis=1)
        u = np.arcsinh(length)  # |r| = tanh u, and the entropy is log(2 cosh u) − u tanh u
        value = -float(np.sum(np.logaddexp(u, -u) - u * np.tanh(u)))
        slope = r * (u / np.maximum(np.tanh(u), 1e-300))[:, None]
        for c, on in terms:
            factors = [r[q, k] for q, k in on]
            value += c * float(np.prod(factors))
            for j, (q, k) in enumerate(on):
                slope[q, k] += c * float(np.prod(factors[:j] + factors[j + 1 :]))
        return value, _pulled_back(slope, r, x)

    from scipy.optimize import minimize  # loaded when used

    found = [minimize(free, rng.standard_normal(3 * n), jac=True, method="L-BFGS-B") for _ in range(starts)]
    return _bloch(min(found, key=lambda one: float(one.fun)).x, n)


def product_state(bloch: Real) -> Array:
    """⊗ (1 + r·σ)/2, site 0 rightmost."""
    return np.asarray(reduce(lambda rho, row: np.kron(_site(row), rho), bloch, np.eye(1, dtype=complex)))


def without_gates(task: SearchTask) -> Candidate[Program] | None:
    """A preparation without a two-qubit gate: the nearest product state, by random turns of single sites.

    With the Gibbs state at hand the nearest one in trace distance; else, above 6 qubits or out of time, the one
    with the smallest relative entropy to it. A mixed site is a pure one that is turned to its opposite with some
    probability: the claim is the mean over draws. From a start that is no pure product nothing is done at all.

    None for a sampler, which cannot forget without a gate, and above 8 qubits, where no distance is known.
    """
    n = task.model.num_qubits
    if task.sampler or n > MAX_KRYLOV_QUBITS:
        return None
    sigma = task.sigma()
    if task.sites is None:
        psi = task.start
        rho = np.eye(2**n, dtype=complex) / 2**n if psi is None else np.outer(psi, np.conj(psi))
        program = task.program((), 1, Calibration.DERIVED, provenance="nothing is done")
        return Candidate(program, 0.0, trace_distance(rho, sigma), "no gate at all: the start itself")
    fitted = task.calibration is Calibration.FITTED_TO_TARGET and n <= MAX_PRODUCT_QUBITS
    fitted = fitted and task.clock.closing.started(costs.nearest_product(n))
    bloch = nearest_product(sigma)[0] if fitted else mean_field(task.model, task.beta)
    p1 = 0.0 if task.error_rates is None else task.error_rates[0]
    steps, reached = list[Step](), list[Real]()
    for site, (psi, row) in enumerate(zip(task.sites, bloch, strict=True)):
        made, there = _turns(n, site, psi, row, p1)
        steps += made
        reached.append(there)
    kind = Calibration.FITTED_TO_TARGET if fitted else Calibration.DERIVED
    what = "the nearest product state found" if fitted else "the product state of the lowest free energy"
    text = f"{what}, by random turns of single sites: the claim is their mean"
    program = task.program(steps, 1, kind, provenance=text)
    note = "no two-qubit gate: product state, mean over draws"
    if not task.classical_randomness:
        note += ' (randomness = "classical" takes it for its gates)'
    if task.error_rates is not None:
        note += f", distance with p1 = {p1:g}"
    distance = trace_distance(product_state(np.array(reached)), sigma)
    certain = not any(step.random for step in steps)
    return Candidate(program, 0.0, distance, note, accepted=certain or task.classical_randomness)


def _turns(n: int, site: int, psi: Array, bloch: Real, p1: float) -> tuple[list[Step], Real]:
    """Steps that take a pure site to a Bloch vector in the mean, and where they get with noise behind every pulse."""
    length = float(np.linalg.norm(bloch))
    axis = bloch / length if length > 0 else np.array([0.0, 0.0, 1.0])
    vectors = np.linalg.eigh(_site(axis))[1]
    turns = [_turn(psi, vectors[:, k]) for k in (1, 0)]
    kept = [(1 - p1) ** _pulses(U) for U in turns]
    chance = min(1.0, max(0.0, (length + kept[1]) / (kept[0] + kept[1])))
    reached = axis * (chance * kept[0] - (1 - chance) * kept[1])
    groups = [local_rotation(n, {site: U}) for U in turns]
    branches = [
        Branch(p, () if group is None else (group,))
        for p, group in zip((chance, 1 - chance), groups, strict=True)
        if p > NEVER
    ]
    if len(branches) == 1:
        return list(branches[0].steps), axis * kept[0]
    return [RandomChoice(tuple(branches))], reached


def _turn(psi: Array, to: Array) -> Array:
    """A unitary that takes one qubit state to another."""
    first = np.stack([psi, _opposite(psi)], axis=1)
    last = np.stack([to, _opposite(to)], axis=1)
    return np.asarray(last @ first.conj().T)


def _opposite(psi: Array) -> Array:
    return np.array([-np.conj(psi[1]), np.conj(psi[0])])


def _pulses(U: Array) -> int:
    """Gates sx and x of a rotation; rz is a change of frame."""
    qc = QuantumCircuit(1)
    qc.append(UnitaryGate(U), [0])
    return sum(item.operation.name != "rz" for item in transpile(qc, basis_gates=BASIS, optimization_level=3).data)


def _bloch(x: Real, n: int) -> Real:
    return np.asarray(x.reshape(n, 3) / np.sqrt(1 + np.sum(x.reshape(n, 3) ** 2, axis=1, keepdims=True)))


def _pulled_back(slope: Real, r: Real, x: Real) -> Real:
    """A gradient in r as one in x."""
    norm = 1 + np.sum(x.reshape(r.shape) ** 2, axis=1, keepdims=True)
    return np.asarray((slope - r * np.sum(r * slope, axis=1, keepdims=True)) / np.sqrt(norm)).reshape(-1)


def _site(row: Sequence[float] | Real) -> Array:
    return np.asarray(0.5 * (np.eye(2) + np.tensordot(np.asarray(row), SIGMAS, 1)))


def _marginal(rho: Array, qubit: int, n: int) -> Array:
    left, right = 2 ** (n - 1 - qubit), 2**qubit
    return np.asarray(np.einsum("aibajb->ij", rho.reshape(left, 2, right, left, 2, right)))
