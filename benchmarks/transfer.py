"""Angles fitted on pieces of an open mixed-field Ising chain, and where they are used; the critical chain is refused.

    python benchmarks/transfer.py --effort 5 --seed 1      # about 15 minutes on a quiet core

A preparation for 10 sites at .025, its distance measured on the whole chain by the state vector of 20 qubits. A sampler
for 8 sites at .06: its distance and energy per site from four starts, and the CZ per site of the
same word on 6 to 12 sites. What the exact Gibbs states of the whole chains say is printed beside, and used nowhere.
Every program is `gc.compile(generator, "auto", target, guarantee=…, calibration="patch", measure="global", …)`.
"""

from __future__ import annotations

import argparse

import numpy as np

import gibbs_circuits as gc
from gibbs_circuits.models.model import Model
from gibbs_circuits.models.patches import whole_model_patch
from gibbs_circuits.models.spectrum import gibbs_state, trace_distance
from gibbs_circuits.programs.program import Calibration, Guarantee, Program
from gibbs_circuits.readings.channel.sweep_channel import sweep_map
from gibbs_circuits.search.variational.layers import spelled_layers

BETA = 1.0


def chain(sites: int) -> Model:
    """J = 1, h = .9, g = .5."""
    return gc.models.mixed_field_ising(sites, J=1, h=0.9, g=0.5)


def searched(model: Model, guarantee: Guarantee, target: float, effort: float, seed: int) -> Program | None:
    """The accepted program; prints why there is none."""
    generator = gc.dll(model, beta=BETA, couplings="Y")
    program = gc.compile(
        generator, "auto", target, guarantee=guarantee.value, calibration="patch", effort=effort, seed=seed,
        measure="global", time_budget=1e6,
    )  # fmt: skip
    assert program.search is not None
    how = f"effort {effort:g}, seed {seed}, {program.search.seconds:.0f} s"
    if program.calibration is not Calibration.PATCH or program.guarantee is Guarantee.NONE:
        print(f"  refused ({how}): {program.provenance}", flush=True)
        return None
    print(f"  {gc.cost(program).two_qubit_gates:.0f} CZ ({how}); {program.provenance}", flush=True)
    return program


def preparation(effort: float, seed: int) -> None:
    """10 sites from the zero state."""
    print("Preparation, 10 sites, target .025", flush=True)
    found = searched(chain(10), Guarantee.GIVEN_START, 0.025, effort, seed)
    if found is not None:
        density = prepared(found)
        sigma = gibbs_state(chain(10), BETA)
        H = chain(10).hamiltonian.to_matrix(sparse=True)
        energies = [float(np.real((H @ rho).trace())) / 10 for rho in (density, sigma)]
        print(f"  on 10 sites: trace distance {trace_distance(density, sigma):.4f}, energy per site {energies[0]:.5f}, "
              f"exact {energies[1]:.5f}", flush=True)  # fmt: skip


def prepared(program: Program) -> np.ndarray:
    """The state after the written program, by its circuit on 20 qubits: resets at the end are left out."""
    from qiskit.quantum_info import Statevector, partial_trace

    qc = gc.circuit(program)
    kept = qc.copy_empty_like()
    for item in qc.data:
        if item.operation.name != "reset":
            kept.append(item)
    n = program.num_system
    return np.asarray(partial_trace(Statevector(kept), range(n, qc.num_qubits)).data)


def sampler(effort: float, seed: int) -> None:
    """8 sites from any start."""
    print("Sampler, 8 sites, target .06", flush=True)
    program = searched(chain(8), Guarantee.ANY_START, 0.06, effort, seed)
    if program is None:
        return
    channel = sweep_map(program)
    H, sigma = chain(8).hamiltonian.to_matrix(), gibbs_state(chain(8), BETA)
    exact = float(np.real(np.trace(H @ sigma))) / 8
    rng = np.random.default_rng(seed)
    plus = np.full(256, 1 / 16, dtype=complex)
    haar = rng.standard_normal(256) + 1j * rng.standard_normal(256)
    starts = {"zero": np.eye(256)[0], "one": np.eye(256)[-1], "plus": plus, "Haar": haar / np.linalg.norm(haar)}
    for name, psi in starts.items():
        rho = np.outer(psi, psi.conj()).astype(complex)
        for _ in range(program.sweeps):
            rho = channel.apply(rho)
        energy = float(np.real(np.trace(H @ rho))) / 8
        print(f"  from {name}: trace distance {trace_distance(rho, sigma):.4f}, energy per site {energy:.5f}, "
              f"exact {exact:.5f}, {abs(energy / exact - 1):.2%} off", flush=True)  # fmt: skip
    word, sweeps = str(program.knobs["word"]), program.sweeps
    per_site = [
        sweeps * sum(map(len, spelled_layers(word, n, whole_model_patch(chain(n)).bonds))) / n for n in range(6, 13)
    ]
    print("  CZ per site at 6 … 12 sites: " + ", ".join(f"{value:.1f}" for value in per_site), flush=True)


def main() -> None:
    """All three."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--effort", type=float, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="preparation,sampler,critical")
    options = parser.parse_args()
    chosen = options.only.split(",")
    if "preparation" in chosen:
        preparation(options.effort, options.seed)
    if "sampler" in chosen:
        sampler(options.effort, options.seed)
    if "critical" in chosen:
        for guarantee in (Guarantee.GIVEN_START, Guarantee.ANY_START):
            print(f"Critical transverse-field chain, 10 sites, {guarantee.value}, target .05", flush=True)
            searched(gc.models.tfim(10, J=1, h=1), guarantee, 0.05, max(1.0, options.effort / 3), options.seed)


if __name__ == "__main__":
    main()
