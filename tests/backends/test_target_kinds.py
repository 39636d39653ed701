"""Every kind of target of the registry: it opens, refuses and runs one shot. A new kind is tested by its line there."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

import gibbs_circuits as gc
from gibbs_circuits.backends.targets.base import Target
from gibbs_circuits.backends.targets.registry import KINDS, read_target
from gibbs_circuits.programs.program import Program
from tests.examples import build, ising
from tests.stand_in import NAME, StandIn, install

NEEDED: dict[str, dict[str, Any]] = {"ibm": {"device": NAME, "mode": "job"}}  # what a kind cannot do without here


@lru_cache
def program() -> Program:
    return build(ising(1), sweeps=1, nodes=2, random_delays=False)


@pytest.fixture(autouse=True)
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """A service for the kinds that have one; nothing touches a network."""
    monkeypatch.setenv("QISKIT_IBM_TOKEN", "not a real one")
    found = StandIn(tmp_path / "service")
    found.truthful = True
    install(monkeypatch, found, interval=0.001, grace=0.01)
    return found


def made(kind: str) -> Target:
    return KINDS[kind].model_validate({"name": "one", "kind": kind, **NEEDED.get(kind, {})})


@pytest.mark.parametrize("kind", KINDS)
def test_kind__file__reads_back_and_is_available(kind: str, tmp_path: Path) -> None:
    target, path = made(kind), tmp_path / "target.toml"
    assert target.kind == kind
    assert (type(target).__doc__ or "").splitlines()[0].endswith(".")
    path.write_text("\n".join(f'{key} = "{value}"' for key, value in target.as_toml().items()))
    assert read_target(path) == target
    assert target.availability() is None


@pytest.mark.parametrize("kind", KINDS)
def test_kind__unknown_key__is_refused_in_one_line(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "target.toml"
    path.write_text(f'name = "one"\nkind = "{kind}"\nnonsense = 1\n')
    with pytest.raises(gc.ArgumentError, match=r"nonsense must.*Fix:") as error:
        read_target(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", KINDS)
def test_kind__opens__and_says_what_it_is(kind: str) -> None:
    machine = made(kind).open(program().num_qubits)
    assert machine.device.name == machine.target.name == "one"
    assert machine.open(2) is machine
    assert machine.device.basis
    assert machine.max_qpu_seconds > 0
    assert machine.target.deciding == made(kind).open(program().num_qubits).target.deciding
    assert "description" not in machine.target.deciding


@pytest.mark.parametrize("kind", KINDS)
def test_kind__what_it_cannot_give__is_refused_before_it_runs(kind: str, service: StandIn) -> None:
    target = made(kind)
    if target.open(2).read is not None:
        with pytest.raises(gc.ArgumentError, match=r"`shots` must be 0 on `one`.*Fix:"):
            gc.run(program(), target, shots=2)
        return
    with pytest.raises(gc.ArgumentError, match=r"`shots`.*at least the number of realisations \(3\).*Fix:"):
        gc.run(program(), target, shots=2, realisations=3)
    if not target.open(2).exact_values:
        with pytest.raises(gc.ArgumentError, match=r"`shots` must be >= 1 on `one`.*Fix:"):
            gc.run(program(), target, shots=0)
    assert service.events("asked") == []


@pytest.mark.parametrize("kind", KINDS)
def test_kind__runs_one_shot__of_every_realisation(kind: str) -> None:
    if made(kind).open(2).read is not None:  # no shots: the values themselves, as a simulated state has them
        read = gc.run(program(), made(kind), observables={"z": "Z"})
        states = gc.run(program(), "aer_density_matrix", shots=0).states
        assert states is not None
        assert read.blocks[0].values["z"] == pytest.approx((states[-1][0, 0] - states[-1][1, 1]).real, abs=1e-9)
        return
    result = gc.run(program(), made(kind), shots=2, realisations=2)
    assert [sum(counts.values()) for block in result.blocks for counts in block.counts] == [1] * 2 * len(
        result.request.bases
    )
    assert result.check is not None
    assert result.check.passed is not False
    other = gc.run(program(), made(kind), shots=2, realisations=2)
    assert other.request.identity == result.request.identity


def test_ibm__waiting_qubits_of_a_device__are_predicted_to_decay() -> None:
    machine = made("ibm").open(program().num_qubits)
    assert machine.device.errors.idle is not None
    snapshot = KINDS["ibm"].model_validate({"name": "one", "kind": "ibm", "device": "fake_lagos_v2"})
    assert snapshot.open(2).device.errors.idle is None  # unless it is asked for
