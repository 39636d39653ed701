"""Options of the IBM service's sampler: keys of a target's file, and what the client calls them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ...limits import LONGEST_TIME
from ..devices.keys import Keys

LEAST_BUSY = "least_busy"
SAVE = 'QiskitRuntimeService.save_account(token="…") once in Python'


class ClientOptions(Keys):
    """Options of the service's sampler; a snapshot simulates none of them but measurement_mitigation."""

    dynamical_decoupling: Literal["off", "XX", "XpXm", "XY4"] = Field(
        default="off", description="pulses on waiting qubits: off, XX, XpXm or XY4."
    )
    twirling: bool = Field(default=False, description="Pauli twirling of two-qubit gates; shots may be rounded up.")
    measure_twirling: bool = Field(
        default=False, description="random flips before the final measurement; not with recorded ancillas."
    )
    measurement_mitigation: bool = Field(
        default=False,
        description="readout errors measured beside every realisation (two more circuits: all 0, all 1) and inverted.",
    )
    rep_delay: float | None = Field(
        default=None, ge=0, le=LONGEST_TIME, allow_inf_nan=False, examples=[250.0],
        description="wait between shots, µs; left out: the device's own.",
    )  # fmt: skip


def sampler_options(options: ClientOptions, tag: str, seed: int | None = None) -> dict[str, Any]:
    """A target's options as the client's sampler takes them, with the tag of a job, and a seed for a simulation."""
    chosen: dict[str, Any] = {
        "environment": {"job_tags": [tag]},
        "twirling": {"enable_gates": options.twirling, "enable_measure": options.measure_twirling},
    }
    if options.dynamical_decoupling != "off":
        chosen["dynamical_decoupling"] = {"enable": True, "sequence_type": options.dynamical_decoupling}
    if options.rep_delay is not None:
        chosen["execution"] = {"rep_delay": options.rep_delay * 1e-6}
    if seed is not None:
        chosen["simulator"] = {"seed_simulator": seed}
    return chosen
