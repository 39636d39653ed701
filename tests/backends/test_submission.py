"""What is handed to the service's sampler: legal for the client's own preparation, and still the same circuit."""

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import DensityMatrix
from qiskit_ibm_runtime.executor_sampler.prepare import prepare
from qiskit_ibm_runtime.options_models.sampler import SamplerOptions

import gibbs_circuits as gc
from gibbs_circuits.backends.devices.snapshots import snapshot_backend
from gibbs_circuits.backends.measurement.measurement import full_circuit, measured, rotations
from gibbs_circuits.backends.runs.prepare import opened, transpiled
from gibbs_circuits.backends.services.ibm import ready
from gibbs_circuits.backends.services.options import ClientOptions, sampler_options
from gibbs_circuits.backends.targets.base import Machine
from gibbs_circuits.backends.targets.ibm import IbmTarget
from gibbs_circuits.backends.transpile.compiled import Compiled
from gibbs_circuits.errors import ArgumentError
from gibbs_circuits.programs.initial_state import zero
from gibbs_circuits.readings.circuits.circuit import random_draws
from tests.examples import build, ising

EXACT = 1e-10


@lru_cache
def compiled(device: str, ancillas: str = "reset", **keys: Any) -> tuple[Compiled, Machine]:
    target = IbmTarget(name=device, kind="ibm", device=device, **keys)
    program = build(ising(2), sweeps=2, nodes=2)
    machine = opened(program, target, zero(2), ancillas)
    return transpiled(program, machine, zero(2), ancillas), machine


def written(found: Compiled) -> QuantumCircuit:
    body = full_circuit(found, random_draws(found.program, 1, 0))
    return measured(body, "XY", found.system_qubits, rotations(found.device))


def submitted(found: Compiled, machine: Machine) -> QuantumCircuit:
    assert isinstance(machine.target, IbmTarget)
    assert found.device.hardware is not None
    target = machine.target
    return ready(written(found), target.device, found.device.hardware, fast_reset=target.fast_reset)


OPTIONS = {
    "none": {},
    "twirling": {"twirling": True},
    "decoupling": {"dynamical_decoupling": "XY4"},
    "both": {"twirling": True, "dynamical_decoupling": "XX"},
    "measurement": {"measure_twirling": True},
    "delay": {"rep_delay": 100.0},
}


@pytest.mark.parametrize("ancillas", ["reset", "recorded"])
@pytest.mark.parametrize("device", ["fake_torino", "fake_boston"])
@pytest.mark.parametrize("name", OPTIONS)
def test_options__client__prepares_them_with_resets(name: str, device: str, ancillas: str) -> None:
    options = ClientOptions(**OPTIONS[name])
    if options.measure_twirling and ancillas == "recorded":  # the client cannot either: it is refused before
        with pytest.raises(ArgumentError, match=r"options\.measure_twirling.*Fix:"):
            compiled(device, ancillas, options=options)
        return
    found, machine = compiled(device, ancillas)
    asked = SamplerOptions(**sampler_options(options, "a tag"))
    program, _ = prepare([submitted(found, machine)], asked, 100, add_tags=True, backend=snapshot_backend(device))
    (item,) = program.items
    ops = item.circuit.count_ops()
    assert ops.get("reset", 0) + ops.get("reset_2", 0) == 4  # two ancillas, two sweeps
    assert asked.environment.job_tags == ["a tag"]


def test_ready__faster_reset__is_used_where_the_device_has_one() -> None:
    assert "reset_2" in submitted(*compiled("fake_boston")).count_ops()
    assert "reset_2" not in submitted(*compiled("fake_boston", fast_reset=False)).count_ops()
    assert "reset_2" not in submitted(*compiled("fake_torino")).count_ops()
    assert "measure_2" in submitted(*compiled("fake_boston", "recorded")).count_ops()


def test_ready__fractional_gates__halve_the_count_and_are_folded() -> None:
    whole_gates, _ = compiled("fake_fractional_backend")
    fractional, machine = compiled("fake_fractional_backend", fractional=True)
    assert fractional.two_qubit_gates == whole_gates.two_qubit_gates / 2
    before, after = written(fractional), submitted(fractional, machine)
    angles = [[i.operation.params[0] for i in qc.data if i.operation.name == "rzz"] for qc in (before, after)]
    assert min(angles[0]) < 0  # the control: there is something to fold
    assert min(angles[1]) >= 0
    assert max(angles[1]) <= np.pi / 2
    rhos = [DensityMatrix(qc.remove_final_measurements(inplace=False)).data for qc in (before, after)]
    assert np.abs(rhos[0] - rhos[1]).max() < EXACT


def test_fractional__device_without__is_refused() -> None:
    with pytest.raises(gc.ArgumentError, match=r"`fractional`.*Fix: set fractional = false"):
        compiled("fake_torino", fractional=True)
