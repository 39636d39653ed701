"""With σ known: purifications, eigenstates, product states, and a variational thermofield double."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.optimize
from peer import Peer, two_qubit_gates
from qiskit import QuantumCircuit
from qiskit.circuit.library import Isometry, PauliEvolutionGate, StatePreparation
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import SparsePauliOp

from gibbs_circuits.analysis.estimators.baselines import best_product_distance
from gibbs_circuits.linalg.arrays import Array, Real
from gibbs_circuits.models.model import Model
from gibbs_circuits.models.spectrum import gibbs_state, spectrum, trace_distance
from gibbs_circuits.programs.product_formulas import commuting_groups

LEVEL_3_QUBITS = 10  # above, a general state preparation is transpiled at level 1
LAYERS = 5
SMOOTHING = (1e-2, 1e-3, 1e-4)
SMALLEST = 1e-10  # weight of an eigenstate that is kept


def purification(model: Model, beta: float) -> Peer:
    """√σ as a vector on 2n qubits by general state preparation: exact; the fewest CZ of two syntheses of Qiskit.

    The environment has the rank of σ. Where a synthesis fails, it is repeated between rotations of the environment's
    qubits, which change nothing. Level 1 above 10 qubits.
    """
    s = spectrum(model)
    weights = np.exp(-beta * (s.energies - s.energies[0]))
    kept = weights > SMALLEST * np.sum(weights)
    environment = int(np.sum(kept) - 1).bit_length()
    root = (s.vectors * np.sqrt(weights)) @ s.vectors.conj().T
    if environment < model.num_qubits:  # in the eigenbasis the rows that are left out are empty
        root = np.zeros((2**environment, len(root)), dtype=root.dtype)
        root[: np.sum(kept)] = (s.vectors * np.sqrt(weights))[:, kept].T
    level = 3 if model.num_qubits + environment <= LEVEL_3_QUBITS else 1
    rng, found = np.random.default_rng(0), list[tuple[int, str]]()
    for _ in range(4):
        for name in ("StatePreparation", "Isometry"):
            try:
                found.append((two_qubit_gates(_prepared(root.ravel(), name), level), name))
            except QiskitError:  # small amplitudes
                continue
        if found:
            break
        root = _turned(environment, rng) @ root
    gates, name = min(found, default=(None, "neither synthesis succeeded"))
    return Peer("purification", gates, 0.0, f"{name}, {environment} qubits of environment, level {level}")


def eigenstates(model: Model, beta: float) -> Peer:
    """An eigenstate of H drawn with its Boltzmann weight and written by `StatePreparation`: exact, mean over draws."""
    s, mean = spectrum(model), 0.0
    weights = np.exp(-beta * (s.energies - s.energies[0]))
    weights /= np.sum(weights)
    for weight, state in zip(weights, s.vectors.T, strict=True):
        mean += weight * two_qubit_gates(_prepared(state, "StatePreparation"))
    return Peer("eigenstates drawn", float(mean), 0.0, "StatePreparation of each, no ancilla; mean over the draw")


def nearest_product(model: Model, beta: float) -> Peer:
    """The nearest product of one-qubit states that is found."""
    distance = best_product_distance(gibbs_state(model, beta))
    return Peer("nearest product", 0.0, np.nan if distance is None else distance, "L-BFGS from 4 starts")


def _prepared(state: Array | Real, name: str) -> QuantumCircuit:
    vector = np.asarray(state / np.linalg.norm(state))
    qc = QuantumCircuit(round(np.log2(vector.size)))
    gate = StatePreparation(vector) if name == "StatePreparation" else Isometry(vector.reshape(-1, 1), 0, 0)
    qc.append(gate, qc.qubits)
    return qc


def _turned(qubits: int, rng: np.random.Generator) -> Real:
    """A product of real rotations."""
    total = np.eye(1)
    for angle in rng.uniform(0, 2 * np.pi, qubits):
        total = np.kron(total, np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]))
    return total


@dataclass(frozen=True, eq=False)
class Rotation:
    """exp(−iθP) on 2n qubits, θ = coefficient · angle; `group` says which angle it shares in the published circuit."""

    label: str
    coefficient: float
    group: tuple[object, ...]
    source: Any
    phase: Array

    @classmethod
    def of(cls, label: str, coefficient: float, group: tuple[object, ...]) -> Rotation:
        """(Pψ)[y] = phase[y] ψ[source[y]]."""
        y, phase, mask = np.arange(2 ** len(label)), np.ones(2 ** len(label), dtype=complex), 0
        for q, letter in enumerate(reversed(label)):
            sign = 1 - 2 * ((y >> q) & 1)
            phase = phase * {"I": 1, "X": 1, "Z": sign, "Y": -1j * sign}[letter]
            mask |= (letter in "XY") << q
        return cls(label, coefficient, group, y ^ mask, phase)

    def on(self, psi: Array) -> Array:
        """Pψ."""
        return np.asarray(self.phase * psi[self.source])


@dataclass(frozen=True, eq=False)
class Double:
    """A thermofield double of some layers: Bell pairs of site and partner, then the rotations in order."""

    sigma: Array
    rotations: tuple[Rotation, ...]

    @property
    def bell(self) -> Array:
        """The start."""
        d = len(self.sigma)
        return np.asarray(np.eye(d).ravel() / np.sqrt(d), dtype=complex)

    def marginal(self, psi: Array) -> Array:
        """Of the system, which is the right half of the qubits."""
        rows = psi.reshape(self.sigma.shape)
        return np.asarray(rows.T @ rows.conj())

    def forward(self, angles: Real) -> Array:
        """The state."""
        psi = self.bell
        for one, angle in zip(self.rotations, angles, strict=True):
            psi = np.cos(angle) * psi - 1j * np.sin(angle) * one.on(psi)
        return psi

    def smooth(self, angles: Real, eta: float) -> tuple[float, Real]:
        """½ Σ (√(λ² + η²) − η) and its gradient, the rotations undone on the way back."""
        psi, slope = self.forward(angles), np.empty(len(angles))
        values, vectors = np.linalg.eigh(self.marginal(psi) - self.sigma)
        root = np.sqrt(values**2 + eta**2)
        M = (vectors * (0.5 * values / root)) @ vectors.conj().T
        back = (psi.reshape(self.sigma.shape) @ M.T).ravel()
        for k in range(len(angles) - 1, -1, -1):
            one, c, s = self.rotations[k], np.cos(angles[k]), np.sin(angles[k])
            turned = one.on(psi)
            slope[k] = 2 * np.imag(np.vdot(back, turned))
            psi, back = c * psi + 1j * s * turned, c * back + 1j * s * one.on(back)
        return float(0.5 * np.sum(root - eta)), slope

    def descended(self, angles: Real, shared: bool, end: float) -> Real:
        """L-BFGS from given angles, in the shared ones or in all."""
        groups = [one.group if shared else k for k, one in enumerate(self.rotations)]
        names = list(dict.fromkeys(groups))
        spread = np.zeros((len(groups), len(names)))
        for k, (group, one) in enumerate(zip(groups, self.rotations, strict=True)):
            spread[k, names.index(group)] = one.coefficient
        x: Any = np.linalg.lstsq(spread, angles, rcond=None)[0]

        def late(xk: Real) -> None:
            if time.perf_counter() > end:
                raise StopIteration

        for eta in SMOOTHING:

            def value(x: Real, eta: float) -> tuple[float, Real]:
                smooth, slope = self.smooth(spread @ x, eta)
                return smooth, spread.T @ slope

            x = scipy.optimize.minimize(value, x, args=(eta,), jac=True, method="L-BFGS-B", callback=late).x
        return np.asarray(spread @ x)

    def circuit(self, angles: Real) -> QuantumCircuit:
        """In gates."""
        n = round(np.log2(len(self.sigma)))
        qc = QuantumCircuit(2 * n)
        for q in range(n):
            qc.h(q)
            qc.cx(q, n + q)
        for one, angle in zip(self.rotations, angles, strict=True):
            qc.append(PauliEvolutionGate(SparsePauliOp(one.label), time=float(angle)), qc.qubits)
        return qc


def thermofield_double(
    model: Model, beta: float, targets: Sequence[float], seconds: float, seed: int = 0
) -> dict[float, Peer]:
    """Bell pairs, then layers of H's commuting groups on system and partners and of XX and ZZ between the two.

    As Wu & Hsieh, PRL 123, 220502, with one angle per group, letters and layer, the same on both sides; then, from
    there, every rotation has its own angle, which costs no gate. In the first layer the partners' half of H is left
    out: on Bell pairs it can be moved to the system. Each of 1 … 5 layers has an equal part of the time that is left
    and ends once its targets are met; it starts from the layers before it with nothing added, then at random.
    """
    end, rng, sigma = time.perf_counter() + seconds, np.random.default_rng(seed), gibbs_state(model, beta)
    found: dict[float, Peer] = {}
    before, nearest, tried = np.zeros(0), np.inf, list[str]()
    for layers in range(1, LAYERS + 1):
        double = Double(sigma, tuple(_rotations(model, layers)))
        stop = time.perf_counter() + (end - time.perf_counter()) / (LAYERS + 1 - layers)
        width, best, least, runs = len(double.rotations), np.zeros(0), np.inf, 0
        wanted = min((t for t in targets if t not in found), default=0.0)
        while least > wanted and (runs == 0 or time.perf_counter() < stop):
            angles = rng.normal(0, 0.1 if runs == 0 else 0.6, width)
            if runs == 0:
                angles[: len(before)] += before
            for shared in (True, False):
                angles = double.descended(angles, shared and (runs > 0 or layers == 1), stop)
            distance, runs = trace_distance(double.marginal(double.forward(angles)), sigma), runs + 1
            if distance < least:
                least, best = distance, angles
        before, nearest = best, min(nearest, least)
        gates = two_qubit_gates(double.circuit(best))
        tried.append(f"{layers}: {gates} CZ {least:.3g} ({runs} starts)")
        for target in targets:
            if least <= target and target not in found:
                found[target] = Peer("thermofield double", gates, least, "; ".join(tried))
        if len(found) == len(targets) or time.perf_counter() > end:
            break
    missed = Peer("thermofield double", None, nearest, "; ".join(tried))
    return {target: found.get(target, missed) for target in targets}


def _rotations(model: Model, layers: int) -> Iterator[Rotation]:
    """Of all layers, in order."""
    n = model.num_qubits
    for layer in range(layers):
        for index, group in enumerate(commuting_groups(model.hamiltonian)):
            for label, coefficient in sorted(group.terms, key=lambda term: _order(term[0])):
                key = (layer, index, label.replace("I", ""))
                yield Rotation.of("I" * n + label, coefficient, key)
                if layer > 0:
                    yield Rotation.of(label + "I" * n, coefficient * (-1) ** label.count("Y"), key)
        for q in range(n):
            for letter in "ZX":
                single = "I" * (n - 1 - q) + letter + "I" * q
                yield Rotation.of(single + single, 1.0, (layer, letter))


def _order(label: str) -> tuple[int, str, tuple[int, ...]]:
    """One-qubit terms by letter; others by place, so that terms on the same qubits are neighbours."""
    support = tuple(k for k, letter in enumerate(label) if letter != "I")
    return (0, label.replace("I", ""), support) if len(support) == 1 else (1, "", support)
