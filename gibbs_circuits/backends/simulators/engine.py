"""Aer as a run uses it: threads, gate fusion, noise, and a seed for every batch of shots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...linalg.threads import simulator_threads
from ..devices.errors import noise_model
from ..transpile.compiled import Compiled
from .method import Choice

if TYPE_CHECKING:
    from qiskit_aer import AerSimulator


def shot_seed(seed: int, *which: int) -> int:
    """A simulator's seed for one batch of shots: a seed used twice would repeat the sample."""
    return int(np.random.default_rng([seed, *which, 2]).integers(2**31))


def simulator(compiled: Compiled, choice: Choice, seed: int | None = None) -> AerSimulator:
    """Aer with the errors of a device; equal seeds give equal counts for any number of threads.

    Gates are fused from the first qubit on: Aer begins at 14, four to eight times slower here. Not in trajectories with
    errors, where every shot has gates of its own to fuse.
    """
    from qiskit_aer import AerSimulator  # loaded when used

    noise = noise_model(compiled.errors, compiled.device.basis, compiled.start.num_qubits)
    density, exact = choice.method == "density_matrix", noise is None and compiled.errors.idle is None
    shots, state = simulator_threads(None), simulator_threads(2 ** (compiled.start.num_qubits * (1 + density)))
    cut = compiled.device.bond_dimension
    return AerSimulator(
        method=choice.method,
        device=choice.processor,
        noise_model=noise,
        seed_simulator=seed,
        max_parallel_threads=state if density else shots,
        max_parallel_shots=shots,
        enable_truncation=False,
        fusion_enable=density or exact,
        fusion_threshold=1,
        fusion_max_qubit=2 if density else 4,
        **({} if cut is None else {"matrix_product_state_max_bond_dimension": cut}),
    )
