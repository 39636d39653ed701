"""Whatever a user names or hands in, opened: a device to compile for, and the object that runs it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from qiskit.primitives import BaseEstimatorV2, BaseSamplerV2, StatevectorEstimator, StatevectorSampler
from qiskit.providers import BackendV2

from ...errors import ArgumentError
from ..devices.device import NO_CLIENT, Device, open_device, plain_device, snapshot_backend, user_device
from ..services.clients import Primitive, check_primitive
from ..services.ibm import account_saved, check_options, client_present, open_service
from ..simulators.method import check_processor
from ..targets.aer import AerTarget
from ..targets.ibm import IbmTarget
from ..targets.registry import Target, check_used
from ..transpile.compiled import Ancillas

Backend: TypeAlias = Target | BackendV2 | BaseSamplerV2 | BaseEstimatorV2
SNAPSHOTS, SERVICE = "qiskit_ibm_runtime.fake_provider", "qiskit_ibm_runtime.ibm_backend"


def opened(backend: Backend, num_qubits: int) -> tuple[Device, Any]:
    """A device, and what runs it: the IBM service, a user's own backend or primitive; None: simulated here.

    Args:
        backend: A target, or a user's own object.
        num_qubits: Of the program.

    Raises:
        ArgumentError: If it is none of these, or what a file asks for is not there.
        BackendError: If the service fails or cannot be reached.
    """
    if isinstance(backend, AerTarget | IbmTarget):
        check_used(backend, backend.model_fields_set)
    if isinstance(backend, AerTarget):
        check_processor(backend)
        return open_device(backend, num_qubits), None
    if isinstance(backend, IbmTarget):
        if backend.snapshot is None:
            return open_service(backend, num_qubits)
        device = open_device(backend)
        check_options(backend, device)
        return device, None
    if isinstance(backend, BackendV2):
        module = type(backend).__module__
        device = user_device(backend, idle=module.startswith(SERVICE))
        if module.startswith(SNAPSHOTS):
            return replace(device, simulated=True), None
        return device, backend.service if module.startswith(SERVICE) else backend
    check_primitive(backend, resets=False)
    _check_unseeded(backend)
    return _primitive_device(backend), backend


def _check_unseeded(primitive: Primitive) -> None:
    """Refuse a primitive that begins every job with the same random numbers: realisations must be independent."""
    from qiskit_aer import AerSimulator  # loaded when used

    own, options = getattr(primitive, "_backend", None), getattr(primitive, "options", None)
    seeds = {
        getattr(primitive, "_seed", None),
        getattr(options, "seed_simulator", None),
        getattr(getattr(options, "simulator", None), "seed_simulator", None),
        getattr(own.options, "seed_simulator", None) if isinstance(own, AerSimulator) else None,
    }
    if any(isinstance(seed, int) for seed in seeds):
        name = type(primitive).__name__
        raise ArgumentError(
            "backend", "give every job random numbers of its own",
            f"this {name} has a fixed seed and would repeat them", f"make the {name} without a seed",
        )  # fmt: skip


def _primitive_device(primitive: Primitive) -> Device:
    """What a primitive runs on, as far as it says."""
    own = getattr(primitive, "backend", None)
    own = own() if callable(own) else own
    own = own if own is not None else getattr(primitive, "_backend", None)
    name = type(primitive).__name__
    if isinstance(own, BackendV2) and own.target is not None:
        return user_device(own, name)
    return plain_device(name, exact=isinstance(primitive, StatevectorSampler | StatevectorEstimator))


def settled_ancillas(asked: str, device: Device, service: Any) -> Ancillas:
    """What becomes of used ancillas.

    Args:
        asked: automatic (reset where the target can, else fresh), reset, fresh or recorded.
        device: Where the program runs.
        service: What runs it.

    Raises:
        ArgumentError: If what runs the program would silently be wrong on resets, or has none.
    """
    kind = (Ancillas.RESET if device.resets else Ancillas.FRESH) if asked == "automatic" else Ancillas(asked)
    if isinstance(service, BaseSamplerV2 | BaseEstimatorV2):
        check_primitive(service, resets=kind is not Ancillas.FRESH)
    if isinstance(service, BaseEstimatorV2) and kind is Ancillas.RECORDED:
        raise ArgumentError(
            "ancilla_policy", "be reset or fresh with an estimator, which returns no shots", '"recorded" was found',
            "hand in a sampler",
        )  # fmt: skip
    options = device.target.options if isinstance(device.target, IbmTarget) else None
    if options is not None and options.measure_twirling and kind is Ancillas.RECORDED:
        raise ArgumentError(
            "options.measure_twirling", "be false with recorded ancillas",
            "mid-circuit outcomes cannot be flipped back", "set measure_twirling = false",
        )  # fmt: skip
    return kind


def availability(target: Target) -> str | None:
    """Why a target cannot be used here; None if it can. Neither the network nor a credential is touched."""
    if target.snapshot is not None:
        try:
            snapshot_backend(target.snapshot)
        except ArgumentError as error:
            return error.found if client_present() else NO_CLIENT
    if isinstance(target, AerTarget):
        try:
            check_processor(target)
        except ArgumentError as error:
            return f"{error.found}; {error.fix}"
        return None
    if not client_present():
        return NO_CLIENT
    if target.snapshot is None and not account_saved():
        return 'no saved account: QiskitRuntimeService.save_account(token="…") once in Python'
    return None


def gate_error_rates(target: Target | None) -> tuple[float, float] | None:
    """Depolarising (p1, p2) of a target's gates: those of its file, or the medians of a device; None without errors."""
    if target is None:
        return None
    if isinstance(target, AerTarget) and target.noise.p2 > 0:
        return target.noise.p1, target.noise.p2
    rates = opened(target, 1)[0].errors.rates
    medians = []
    for wires in (1, 2):
        found = [rate for (_, on), rate in rates.items() if len(on) == wires and 0 < rate < 0.5]
        medians.append(float(np.median(found)) / (1 - 4.0**-wires) if found else 0.0)
    return (medians[0], medians[1]) if medians[1] > 0 else None
