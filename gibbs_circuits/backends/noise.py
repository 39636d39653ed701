"""The noise of a target, as Aer simulates it."""

from __future__ import annotations

from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit_aer.noise import NoiseModel, depolarizing_error, pauli_error

from ..targets import Target


def noise_model(target: Target) -> NoiseModel | None:
    """Errors after basis gates and resets; None if the target has none.

    Aer binds errors to gate names, so that only what is written in basis gates is noisy: the blocks of a compiled
    program and its preparation, but not the rotation into a measurement basis, nor the measurement.
    """
    noise = target.noise
    if not noise.present:
        return None
    model = NoiseModel(basis_gates=[*target.basis, "reset"])
    names = {width: [name for name in target.basis if noisy_width(name) == width] for width in (1, 2)}
    for width, p in ((1, noise.p1), (2, noise.p2)):
        if p > 0 and names[width]:
            model.add_all_qubit_quantum_error(depolarizing_error(p, width), names[width])
    if noise.reset > 0:
        wrong = pauli_error([("X", noise.reset), ("I", 1 - noise.reset)])
        model.add_all_qubit_quantum_error(wrong, ["reset"])
    return model


def noisy_width(name: str) -> int:
    """On how many qubits a gate has an error; 0 for one that is free of it."""
    gates = get_standard_gate_name_mapping()
    return 0 if name in ("rz", "reset") or name not in gates else int(gates[name].num_qubits)
