"""Programs with shared random angles for tests of the readings at size, and their exact states by the dense channel."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

import gibbs_circuits as gc
from gibbs_circuits.programs.program import Program, Stage
from gibbs_circuits.readings.channel.sweep_channel import stage_channel
from gibbs_circuits.search.variational.ansatz import Ansatz
from gibbs_circuits.search.variational.layers import spelled_layers
from gibbs_circuits.search.variational.to_steps import steps_of

PAULI = {"I": np.eye(2), "X": np.array([[0, 1], [1, 0]]), "Y": np.array([[0, -1j], [1j, 0]]), "Z": np.diag([1, -1])}


@lru_cache
def shared(n: int, word: str = "abab", sweeps: int = 2, seed: int = 0, scale: float = 0.6) -> Program:
    """One angle per layer and kind of qubit."""
    generator = gc.dll(gc.models.mixed_field_ising(n, J=1, h=0.9, g=0.5), 1.0, couplings="Y")
    features = tuple((("site" if q < n else "ancilla", 1.0),) for q in range(2 * n))
    ansatz = Ansatz(n, n, spelled_layers(word, n, tuple((k, k + 1) for k in range(n - 1))), True, features)
    angles = np.random.default_rng(seed).normal(scale=scale, size=ansatz.num_angles)
    return Program(n, n, (), (Stage(steps_of(ansatz, angles), sweeps),), generator, "fitted")


def after(program: Program, rho: np.ndarray) -> np.ndarray:
    """The system's density matrix after all stages."""
    for k, stage in enumerate(program.stages):
        channel = stage_channel(program, k)
        for _ in range(stage.repeats):
            rho = (channel @ rho.reshape(-1, order="F")).reshape(rho.shape, order="F")
    return rho


def expectations(rho: np.ndarray, region: tuple[int, ...]) -> np.ndarray:
    """Of all Pauli strings on a region, its first site slowest; qubit 0 is the last factor of the matrix."""
    n = round(np.log2(len(rho)))
    found = []
    for letters in np.ndindex(*(4,) * len(region)):
        at = dict(zip(region, letters, strict=True))
        P = np.eye(1)
        for q in reversed(range(n)):
            P = np.kron(P, PAULI["IXYZ"[at.get(q, 0)]])
        found.append(np.trace(P @ rho).real)
    return np.array(found)
