"""The error budget of a finished run: gate noise and shots beside what the program declares."""

from __future__ import annotations

from ...backends.runs.run import RunResult
from ...backends.simulators.noisy_channel import NoisyPrediction
from ...backends.transpile.compiled import Compiled
from ...evidence import Status
from ...limits import MAX_CHANNEL_QUBITS, MAX_NOISY_QUBITS
from ...linalg.arrays import Array
from ...programs.program import ErrorTerm, Rung
from ...readings.channel.sweep_channel import state_after_sweeps
from .ledger import declared_terms, ledger
from .shifts import Ledger, Shift


def gate_noise(compiled: Compiled, mean: Array | None, noisy: NoisyPrediction | None) -> Shift:
    """What the gate noise of a target does to the state after all sweeps.

    Args:
        compiled: A program on a target, with the preparation of its start.
        mean: The exact state without noise; None where it is not known.
        noisy: The exact channel with noise, from that start; None where it is not known.
    """
    if not compiled.device.errors_known:
        return Shift(Rung.NOISE, None, Status.NOT_CHECKED, "the errors of the target are not known")
    if not compiled.errors.present:
        return Shift(Rung.NOISE, None, Status.PROVED, "the target has no gate noise", 0.0)
    if mean is None or noisy is None:
        source = (
            f"the exact channel with noise takes at most {MAX_NOISY_QUBITS} qubits, {MAX_CHANNEL_QUBITS} of the system,"
            " and ancillas that are reset"
        )
        return Shift(Rung.NOISE, None, Status.NOT_CHECKED, source)
    source = "exact mean with the target's gate noise against the one without"
    return Shift(Rung.NOISE, noisy.states[-1] - mean, Status.MEASURED, source)


def compiled_ledger(compiled: Compiled, start: Array | None, noisy: NoisyPrediction | None) -> Ledger:
    """The ledger of a program on its target before it runs: without shots, noise included.

    Without a start, which a large system has none of as a matrix, the declared lines as they are.
    """
    program = compiled.program
    if start is None:
        return Ledger((*declared_terms(program),))
    known = compiled.errors.present and program.num_system <= MAX_CHANNEL_QUBITS
    mean = state_after_sweeps(program, start) if known else None
    return ledger(program, start, extra=(gate_noise(compiled, mean, noisy),))


def run_ledger(
    run: RunResult, start: Array | None, shots: ErrorTerm, noisy: NoisyPrediction | None, states: Array | None
) -> Ledger:
    """The ledger of a finished run: what the program declares or is measured to lack, gate noise, draws and shots.

    Args:
        run: From `gc.run`.
        start: Density matrix the sweeps began from; None where the exact channel says nothing of them.
        shots: What finitely many shots leave open, in units of energy.
        noisy: The exact channel with the target's gate noise; None where it is not known.
        states: Mean state after 0, 1, … sweeps; None on trajectories.
    """
    compiled, program = run.request.compiled, run.program
    if start is None:
        return Ledger((*declared_terms(program), gate_noise(compiled, None, None).line, shots))
    if program.num_system > MAX_CHANNEL_QUBITS:
        return ledger(program, start, extra=(gate_noise(compiled, None, None),), others=(shots,))
    mean = state_after_sweeps(program, start)
    noise = gate_noise(compiled, mean, noisy)
    found = [noise]
    if states is not None and noise.status is not Status.NOT_CHECKED:
        with_noise = mean if noise.matrix is None else mean + noise.matrix
        source = f"mean of {len(run.blocks)} draws against the exact mean over random steps"
        found.append(Shift(Rung.DELAYS, states[-1] - with_noise, Status.MEASURED, source))
    return ledger(program, start, extra=found, others=(shots,), measured=None if states is None else states[-1])
