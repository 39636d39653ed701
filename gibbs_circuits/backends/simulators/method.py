"""How a simulation is done: chosen by size, shots and noise, and refused with numbers where it is hopeless."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from ...errors import ArgumentError, TooLargeError
from ...io.memory import allowed_bytes, gib
from ...io.progress import spelled
from ...limits import STATEVECTOR_LIMIT
from ..devices.keys import Simulator
from .forecast import METHODS, Forecast, Method, memory_bytes

PATIENCE = 60.0  # seconds that a state to look at is worth
AT_ANY_SIZE = ', or "aer_mps" or "backward", which take any size'
NO_GPU = 'set processor = "automatic", or install qiskit-aer-gpu on a machine with a card'
GPU_FROM = 16  # qubits; a smaller state is done before the card has it
Processor = Literal["CPU", "GPU"]


@dataclass(frozen=True)
class Choice:
    """A way to simulate, and why."""

    method: Method
    processor: Processor
    reason: str


@cache
def gpu_present() -> bool:
    """Whether Aer has a GPU here."""
    from qiskit_aer import AerSimulator  # loaded when used

    return "GPU" in AerSimulator().available_devices()


def missing_processor(target: Simulator) -> str | None:
    """Why there is no such processor here, with a remedy; None if there is one."""
    if target.processor != "GPU" or gpu_present():
        return None
    return f"Aer has no GPU; {NO_GPU}"


def check_processor(target: Simulator) -> None:
    """Refuse a GPU that is not there.

    Raises:
        ArgumentError: If the target needs one and Aer has none.
    """
    if missing_processor(target) is not None:
        raise ArgumentError("processor", "be one that Aer has here", "Aer has no GPU", NO_GPU)


def choose(target: Simulator, forecast: Forecast, shots: int, *, recorded: bool = False) -> Choice:
    """The method of a target, or the one that suits the run.

    Exact values need a density matrix. With shots, one is taken while it costs at most a minute more than
    trajectories, because it also gives the state; else the faster of statevector and matrix product state. Recorded
    ancillas need trajectories.

    Raises:
        ArgumentError: If the target's method cannot do what is asked.
        TooLargeError: If no method can, with the numbers.
    """
    check_processor(target)
    if target.method == "automatic":
        method, reason = _fastest(target, forecast, shots, recorded=recorded)
    else:
        method, reason = target.method, "set by the target"
    if shots == 0 and method != "density_matrix":
        raise ArgumentError(
            "shots", f"be >= 1 on `{target.name}`, which gives samples only", "it is 0", "set shots = 4000"
        )
    if recorded and method == "density_matrix":
        raise ArgumentError(
            "ancilla_policy", f"be reset or fresh on `{target.name}`, which simulates no single shots",
            '"recorded" was found', 'set backend = "aer_statevector"',
        )  # fmt: skip
    large = forecast.qubits >= GPU_FROM and method == "statevector"
    wanted = target.processor == "GPU" or (target.processor == "automatic" and large and gpu_present())
    choice = Choice(method, "GPU" if wanted else "CPU", reason)
    _refuse_hopeless(target, forecast, choice)
    return choice


def _fastest(target: Simulator, forecast: Forecast, shots: int, *, recorded: bool) -> tuple[Method, str]:
    known = {one.method: one for one in forecast.simulations}
    fits = {name: one for name, one in known.items() if one.memory_bytes <= allowed_bytes()}
    if shots == 0 and not recorded:
        return "density_matrix", "the only one with exact values"
    sampled = {name: one.seconds for name, one in fits.items() if name != "density_matrix"}
    if not sampled:
        return "statevector", "nothing fits in memory"
    best = min(sampled, key=sampled.__getitem__)
    matrix = fits.get("density_matrix")
    if not recorded and matrix is not None and matrix.seconds <= sampled[best] + PATIENCE:
        return "density_matrix", f"gives the state, about {spelled(matrix.seconds)} beside {spelled(sampled[best])}"
    others = ", ".join(f"{name} {spelled(one.seconds)}" for name, one in known.items() if name != best)
    return best, f"about {spelled(sampled[best])}; {others}"


def _refuse_hopeless(target: Simulator, forecast: Forecast, choice: Choice) -> None:
    one = next(one for one in forecast.simulations if one.method == choice.method)
    if one.memory_bytes > (allowed := allowed_bytes()):
        raise TooLargeError(
            f"The simulation of {forecast.qubits} qubits with method {choice.method} needs "
            f"{gib(one.memory_bytes)}, but {gib(allowed)} is the limit. Fix: use a smaller model"
            f"{_ways(target.method)}."
        )
    if forecast.qubits > target.max_qubits:
        raise TooLargeError(
            f"The simulation needs {forecast.qubits} qubits, those that routing passes through included, but target "
            f"`{target.name}` takes {target.max_qubits}. Fix: use a smaller model, or raise max_qubits."
        )
    if one.seconds > 3600 * target.max_hours:
        raise TooLargeError(
            f"The simulation of {forecast.qubits} qubits, {forecast.two_qubit_gates:,.0f} two-qubit gates with method "
            f"{choice.method} takes about {spelled(one.seconds)} (extrapolated), but target `{target.name}` begins "
            f"none above {target.max_hours:g} h. Fix: take fewer shots, sweeps or realisations{_ways(target.method)}, "
            f"or raise max_hours."
        )


def _ways(method: str) -> str:
    return "" if method == "automatic" else f', or backend = "aer", which chooses the fastest method{AT_ANY_SIZE}'


def refuse_size(used: int, system: int, target: Simulator, *, fresh: bool = False) -> None:
    """Refuse what cannot fit, from numbers alone, before anything is compiled.

    Args:
        used: Qubits in use, ancillas included.
        system: Those of the system.
        target: Where the program runs.
        fresh: Whether every ancilla is used once.

    Raises:
        TooLargeError: If more qubits are in use than the target simulates, or memory would not suffice.
    """
    methods: tuple[Method, ...] = METHODS if target.method == "automatic" else (target.method,)
    bytes_, method = min((memory_bytes(m, min(used, 1000), target.bond_dimension), m) for m in methods)
    if used <= target.max_qubits and bytes_ <= allowed_bytes():
        return
    ways = ["a smaller model"]
    if fresh:
        ways += ["fewer sweeps", 'ancilla_policy = "reset"']
    elif system + 1 <= target.max_qubits and used > system + 1:
        ways.append('scheme = "sequential" (one ancilla)')
    if method == "density_matrix" and used <= STATEVECTOR_LIMIT:
        ways.append('backend = "aer_statevector"')
    exponent = {"density_matrix": f"2^{2 * used}", "statevector": f"2^{used}"}.get(method, "a chain of")
    ways += ['backend = "aer_mps" (shots, bonds cut)', 'backend = "backward" (no shots, any size)']
    raise TooLargeError(
        f"Program needs {used} qubits ({system} system + {used - system} ancilla), {exponent} amplitudes or "
        f"{gib(bytes_)} with method {method}, but target `{target.name}` takes {target.max_qubits} qubits. "
        f"Fix: use {' or '.join(ways)}."
    )
