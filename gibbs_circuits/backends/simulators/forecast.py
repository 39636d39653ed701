"""What a user is told before a run: sweeps, gates, the chance of no error, time and memory of a simulation."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from ...errors import check_integer, check_real
from ...evidence import Status
from ...programs.program import Program

Method = Literal["density_matrix", "statevector", "matrix_product_state"]
METHODS: tuple[Method, ...] = ("density_matrix", "statevector", "matrix_product_state")
BYTES = 16  # of a complex number
# Seconds of Aer 0.17 per two-qubit gate or reset, the one-qubit gates around it included (6 to 8 rz and sx per cz),
# with the fusion that runs use, on one core of an AMD EPYC server; medians of blocks of the parallel scheme on a
# mixed-field Ising chain. Statevector and matrix product state: for every shot. Beyond the ends 4, 2 or 2.8 times per
# qubit: a matrix product state as if every bond were as large as it can be, so that weak entanglement takes less. One
# whose bonds are cut takes as long as one of so few qubits that no bond is larger, times LONG_CHAIN.
MEASURED_SECONDS: dict[Method, dict[int, float]] = {
    "density_matrix": {3: 1.3e-4, 5: 1.3e-4, 6: 1.8e-4, 7: 2.7e-4, 8: 7.1e-4, 9: 2.6e-3, 10: 1.0e-2},
    "statevector": {
        4: 2e-7, 6: 2.9e-7, 8: 9.5e-7, 10: 3.5e-6, 12: 1.3e-5, 14: 5.4e-5, 16: 2.3e-4, 18: 9.5e-4, 20: 6.5e-3,
    },
    "matrix_product_state": {4: 7.5e-6, 6: 8.3e-6, 8: 2.1e-5, 12: 2.6e-4, 16: 8.7e-3},
}  # fmt: skip
NOISY_STATEVECTOR = {4: 7.7e-6, 6: 7.8e-6, 8: 9.9e-6, 12: 5.5e-5, 16: 7.8e-4}  # every shot has gates of its own to fuse
GROWTH: dict[Method, float] = {"density_matrix": 2.0, "statevector": 1.0, "matrix_product_state": 1.5}  # log2 per qubit
RESET_SECONDS = 1.2e-6  # of one reset in a matrix product state, times the square of its qubits: 12 ms at 100
LONG_CHAIN = 6.0  # every bond is as large as the middle one of that shorter chain; measured at 24 qubits, bonds 8 to 64
WRITING_SECONDS = 1.3e-4  # per gate for handing a circuit to Aer, whatever is simulated
ONE_QUBIT = 4  # one-qubit gates other than rz that take as long as a two-qubit gate and those around it


@dataclass(frozen=True)
class Simulation:
    """What a simulation on this machine would take.

    Attributes:
        method: Aer's.
        memory_bytes: Of the state: 16 · 4^q for a density matrix, 16 · 2^q for a vector; of a matrix product state at
            most, with every bond as large as it can be or as it is cut to.
        seconds: For all realisations and shots on one core, to a factor of 3: from a table of measured gates.
        status: Of the seconds; the memory is exact, or a bound.
    """

    method: Method
    memory_bytes: int
    seconds: float
    status: Status = Status.EXTRAPOLATED


@dataclass(frozen=True)
class Forecast:
    """What a run will be, before it begins; means over random steps.

    Attributes:
        sweeps, qubits: Of the program; qubits in use.
        one_qubit_gates, two_qubit_gates, resets: Of all sweeps.
        depth: In the gates of the target; None if unknown.
        expected_fidelity: Probability that no gate and no reset of the whole run goes wrong. From counts, not measured:
            the sampler forgets errors as it forgets its start, so that its state is closer to the noiseless one.
        simulations: One per method.
        chosen: The method that the target uses.
    """

    sweeps: int
    qubits: int
    one_qubit_gates: float
    two_qubit_gates: float
    resets: float
    depth: float | None
    expected_fidelity: float
    simulations: tuple[Simulation, ...]
    chosen: Method

    @property
    def fidelity_per_sweep(self) -> float:
        """Probability that nothing goes wrong in one sweep: errors much older than a sweep are forgotten."""
        return float(self.expected_fidelity ** (1 / self.sweeps))

    @property
    def simulation(self) -> Simulation:
        """By the method that the target uses."""
        return next(one for one in self.simulations if one.method == self.chosen)


def forecast(
    program: Program,
    *,
    one_qubit_gates: float,
    two_qubit_gates: float,
    resets: float,
    depth: float | None,
    method: Method,
    expected_fidelity: float = 1.0,
    qubits: int | None = None,
    shots: int = 0,
    realisations: int = 1,
    bases: int = 1,
    noisy: bool = False,
    bond_dimension: int | None = None,
) -> Forecast:
    """What a run of these gates will take.

    Args:
        program: What is run.
        one_qubit_gates: In all sweeps, mean over random steps, without gates that are changes of frame (rz).
        two_qubit_gates: Likewise.
        resets: Likewise.
        depth: In the target's gates, if known.
        method: The target's way to simulate.
        expected_fidelity: Probability that no gate and no reset of the whole run goes wrong.
        qubits: In use; left out: those of the program.
        shots: Of the run, per basis.
        realisations: Draws of the random steps.
        bases: In which is measured.
        noisy: Whether gates have errors, which trajectories then draw.
        bond_dimension: That a matrix product state is cut to.

    Raises:
        ArgumentError: If a count is negative.

    Accuracy: seconds to a factor of 3 on a machine of this kind, on one core.
    """
    one = check_real("one_qubit_gates", one_qubit_gates, low=0.0)
    two = check_real("two_qubit_gates", two_qubit_gates, low=0.0)
    reset = check_real("resets", resets, low=0.0)
    used = check_integer("qubits", program.num_qubits if qubits is None else qubits, low=1)
    work = max(two + reset, one / ONE_QUBIT)
    circuit = realisations * WRITING_SECONDS

    def sampled(method: Method) -> float:
        each = _per_gate(method, used, noisy=noisy)
        if method == "matrix_product_state" and bond_dimension is not None:
            each = min(each, LONG_CHAIN * _per_gate(method, max(1, round(2 * np.log2(bond_dimension)))))
            again = resets * (1 - 1 / program.sweeps)  # but the last, which nothing follows
            runs = max(shots, 1) if again or noisy or program.random else 1  # else one state serves all shots
            return bases * (work * (circuit + runs * each) + runs * again * RESET_SECONDS * used**2)
        return work * bases * (circuit + max(shots, 1) * each)

    seconds: dict[Method, float] = {
        "density_matrix": work * realisations * _per_gate("density_matrix", used),
        "statevector": sampled("statevector"),
        "matrix_product_state": sampled("matrix_product_state"),
    }
    return Forecast(
        sweeps=program.sweeps,
        qubits=used,
        one_qubit_gates=one,
        two_qubit_gates=two,
        resets=reset,
        depth=depth,
        expected_fidelity=expected_fidelity,
        simulations=tuple(
            Simulation(name, memory_bytes(name, used, bond_dimension), seconds[name]) for name in METHODS
        ),
        chosen=method,
    )


def memory_bytes(method: Method, qubits: int, bond_dimension: int | None = None) -> int:
    """Bytes of a state: 16 · 4^q for a density matrix, 16 · 2^q for a vector; at most, for a matrix product state."""
    if method == "matrix_product_state":
        bonds = [min(1 << min(k, qubits - k), bond_dimension or 1 << qubits) for k in range(qubits + 1)]
        return BYTES * 2 * sum(a * b for a, b in pairwise(bonds))
    return BYTES << (2 * qubits if method == "density_matrix" else qubits)


def _per_gate(method: Method, qubits: int, *, noisy: bool = False) -> float:
    """Seconds per two-qubit gate: between measured numbers of qubits the logarithm is linear."""
    table = NOISY_STATEVECTOR if noisy and method == "statevector" else MEASURED_SECONDS[method]
    known = np.array(list(table))
    inside = int(np.clip(qubits, known[0], known[-1]))
    beyond = max(0, qubits - inside) * GROWTH[method]
    per_gate = float(np.exp(np.interp(inside, known, np.log(list(table.values())))))
    return float(per_gate * 2.0 ** min(beyond, 1000.0))
