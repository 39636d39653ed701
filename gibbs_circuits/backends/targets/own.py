"""Backends, samplers and estimators that a user hands in: the only place that asks what class they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from qiskit import QuantumCircuit
from qiskit.primitives import (
    BackendEstimatorV2,
    BackendSamplerV2,
    BaseEstimatorV2,
    BaseSamplerV2,
    StatevectorEstimator,
    StatevectorSampler,
)
from qiskit.providers import BackendV2
from qiskit.quantum_info import SparsePauliOp

from ...errors import ArgumentError, BackendError
from ..devices.keys import SnapshotNoise
from .aer import AerTarget
from .base import Machine, Target
from .ibm import IbmTarget

Backend: TypeAlias = Target | BackendV2 | BaseSamplerV2 | BaseEstimatorV2
SNAPSHOTS, SERVICE = "qiskit_ibm_runtime.fake_provider", "qiskit_ibm_runtime.ibm_backend"


class HandedIn(Target):
    """A user's own object in place of a target's file: a Qiskit `BackendV2`, or a V2 sampler or estimator."""

    kind: str = "handed in"
    thing: Any

    def open(self, num_qubits: int = 1) -> Machine:
        """What the object runs on, as far as it says, and the object.

        Raises:
            ArgumentError: If it is none that runs circuits, or would repeat its random numbers.
        """
        thing = self.thing
        if isinstance(thing, BackendV2):
            return _of_backend(thing)
        if not isinstance(thing, BaseSamplerV2 | BaseEstimatorV2):
            raise ArgumentError(
                "backend", "be a name, a path, a target, a Qiskit BackendV2 or a V2 primitive",
                f"a {type(thing).__name__} was found", 'pass "aer_density_matrix"',
            )  # fmt: skip
        _check_unseeded(thing)
        return _of_primitive(thing)


def target_of(backend: Backend) -> Target:
    """A target as it is; anything else as an object of the user's, which is refused when it is opened if it is none."""
    return backend if isinstance(backend, Target) else HandedIn(name=type(backend).__name__, thing=backend)


def _of_backend(backend: BackendV2) -> Machine:
    module, own = type(backend).__module__, str(getattr(backend, "name", None) or type(backend).__name__)
    target = _described(own, idle=module.startswith(SERVICE))
    if module.startswith(SNAPSHOTS):
        return target.simulated(backend)
    if module.startswith(SERVICE):
        return target.on_service(backend.service, backend)
    from qiskit_aer import AerSimulator  # loaded when used

    def run(circuits: Sequence[QuantumCircuit], shots: int, seed: int) -> Any:
        options = {"seed_simulator": seed} if isinstance(backend, AerSimulator) else None
        return BackendSamplerV2(backend=backend, options=options).run(circuits, shots=shots)

    return replace(_machine(target, backend), run=run, signature=_signature(backend))


def _described(name: str, *, idle: bool = False) -> IbmTarget:
    """A backend as a target's file would have it; with `idle`, waiting qubits are predicted to decay."""
    device = name if not name.startswith("fake_") else f"user's {name}"
    waiting = SnapshotNoise(idle=idle)
    return IbmTarget(name=name, kind="ibm", device=device, description="handed in", beyond_snapshot=waiting)


def _machine(target: IbmTarget, backend: BackendV2) -> Machine:
    from qiskit_aer import AerSimulator  # loaded when used

    machine = target.machine(backend)
    noisy = isinstance(backend, AerSimulator) and backend.options.noise_model is not None
    return replace(machine, device=replace(machine.device, errors_known=not noisy))


def _of_primitive(primitive: BaseSamplerV2 | BaseEstimatorV2) -> Machine:
    """A sampler or an estimator, on what it says that it runs on; otherwise every pair interacts."""
    own = getattr(primitive, "backend", None)
    own = own() if callable(own) else own
    own = own if own is not None else getattr(primitive, "_backend", None)
    name, branch = type(primitive).__name__, isinstance(primitive, StatevectorSampler | StatevectorEstimator)
    if isinstance(own, BackendV2) and own.target is not None:
        machine = _machine(_described(name), own)
    else:
        plain = AerTarget(name=name, kind="aer")
        machine = Machine(plain, replace(plain.open().device, errors_known=branch, simulator=None))
    refused = dict[str, ArgumentError]()
    if branch:
        refused |= dict.fromkeys(("reset", "recorded"), _one_branch(name))
    if not isinstance(primitive, BaseEstimatorV2):
        return replace(
            machine, run=lambda circuits, shots, seed: primitive.run(circuits, shots=shots), refused_ancillas=refused,
            signature=_signature(primitive),
        )  # fmt: skip
    refused.setdefault(
        "recorded",
        ArgumentError(
            "ancilla_policy", "be reset or fresh with an estimator, which returns no shots", '"recorded" was found',
            "hand in a sampler",
        ),
    )  # fmt: skip
    # an estimator is taken to mitigate the readout, or to have none, but for Qiskit's own around a backend
    mitigates = not isinstance(primitive, BackendEstimatorV2)
    return replace(
        machine, estimate=partial(_estimate, primitive), exact_values=True, mitigates_readout=mitigates,
        refused_ancillas=refused, signature=_signature(primitive),
    )  # fmt: skip


def _one_branch(name: str) -> ArgumentError:
    return ArgumentError(
        "backend", "be right on circuits with mid-circuit reset",
        f"{name} follows one random branch of every reset for all shots",
        'use qiskit_aer.primitives.SamplerV2, backend = "aer_statevector", or ancilla_policy = "fresh"',
    )  # fmt: skip


def _estimate(
    estimator: BaseEstimatorV2, circuit: QuantumCircuit, observables: Sequence[SparsePauliOp], shots: int
) -> list[float]:
    """Expectation values to the precision of so many shots; 0: the estimator's own.

    Raises:
        BackendError: If the estimator fails.
    """
    precision = 1 / math.sqrt(shots) if shots else None
    try:
        result = estimator.run([(circuit, list(observables))], precision=precision).result()[0]
    except Exception as error:  # a user's object may raise anything
        raise BackendError(f"The estimator failed: {type(error).__name__}: {error}") from None
    return [float(value) for value in np.atleast_1d(result.data.evs)]


def _check_unseeded(primitive: BaseSamplerV2 | BaseEstimatorV2) -> None:
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


def _signature(thing: object) -> str:
    """The class of an object, and its noise model; errors have names that differ from process to process."""
    from qiskit_aer.noise import NoiseModel  # loaded when used

    model = getattr(getattr(thing, "options", None), "noise_model", None)
    found = ""
    if isinstance(model, NoiseModel):
        errors = model.to_dict(serializable=True)["errors"]
        found = repr([{key: value for key, value in error.items() if key != "id"} for error in errors])
    return f"{type(thing).__name__} {found}"
