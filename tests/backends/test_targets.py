"""Targets as files: what is packaged, what is refused in one line, and what survives being written."""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from gibbs_circuits.backends.devices.keys import Durations, Noise, SnapshotNoise
from gibbs_circuits.backends.services.options import ClientOptions
from gibbs_circuits.backends.targets.aer import AerTarget, HeavyHex
from gibbs_circuits.backends.targets.base import Target
from gibbs_circuits.backends.targets.ibm import IbmTarget
from gibbs_circuits.backends.targets.registry import (
    available_targets,
    folders,
    load_target,
    packaged_folder,
    read_target,
)
from gibbs_circuits.errors import ArgumentError
from tests.strategies import moderate

ROOT = Path(__file__).parents[2]
PACKAGED = sorted(path.stem for path in (ROOT / "hardware_configs").glob("*.toml"))
AER, IBM = 'name = "a"\nkind = "aer"\n', 'name = "a"\nkind = "ibm"\n'


# what is packaged


def test_packaged__folder__is_complete() -> None:
    assert len(PACKAGED) >= 13
    assert packaged_folder() == ROOT / "hardware_configs"
    assert set(PACKAGED) <= set(available_targets())


@pytest.mark.parametrize("name", PACKAGED)
def test_packaged__target__loads_under_its_own_name(name: str) -> None:
    target = load_target(name)
    assert target.name == name
    assert 20 < len(target.description) < 160
    assert load_target(ROOT / "hardware_configs" / f"{name}.toml") == target


@pytest.mark.parametrize("name", PACKAGED)
def test_packaged__availability__is_none_or_a_reason_in_one_line(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("gibbs_circuits.backends.simulators.method.gpu_present", lambda: False)
    monkeypatch.setattr("gibbs_circuits.backends.services.ibm.Path.home", lambda: tmp_path)
    monkeypatch.delenv("QISKIT_IBM_TOKEN", raising=False)
    reason = load_target(name).availability()
    expected = {"aer_gpu": "no GPU", "ibm": "save_account"}
    if name not in expected:
        assert reason is None
        return
    assert reason is not None
    assert expected[name] in reason
    assert "\n" not in reason


def test_availability__gpu_and_account__are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gibbs_circuits.backends.simulators.method.gpu_present", lambda: True)
    monkeypatch.setenv("QISKIT_IBM_TOKEN", "not a real one")
    assert load_target("aer_gpu").availability() is None
    assert load_target("ibm").availability() is None


@pytest.mark.parametrize("name", ["aer_torino", "fake_fez", "ibm", "aer_mps"])
def test_availability__without_the_client__says_how_to_install_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from gibbs_circuits.backends.devices.snapshots import snapshot_backend

    snapshot_backend.cache_clear()
    monkeypatch.setitem(sys.modules, "qiskit_ibm_runtime", None)
    reason = load_target(name).availability()
    if name == "aer_mps":  # the control: it needs no client
        assert reason is None
    else:
        assert reason is not None
        assert "pip install" in reason
    with pytest.raises(ArgumentError, match=r"Fix: pip install"):
        load_target("aer_torino").open()


def test_availability__unknown_snapshot__is_named() -> None:
    reason = load_target("aer_torino").model_copy(update={"snapshot": "fake_nowhere"}).availability()
    assert reason is not None
    assert "fake_nowhere" in reason


def test_name__of_a_device__is_the_service_with_that_device() -> None:
    target, service = load_target("ibm_boston"), load_target("ibm")
    assert isinstance(target, IbmTarget)
    assert target == service.model_copy(update={"name": "ibm_boston", "device": "ibm_boston", "description": ""})
    assert target.snapshot is None


def test_name__in_the_working_folder__hides_a_packaged_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hardware_configs").mkdir()
    (tmp_path / "hardware_configs" / "aer.toml").write_text('name = "mine"\nkind = "aer"\n')
    monkeypatch.chdir(tmp_path)
    assert load_target("aer").name == "mine"
    assert load_target("aer_mps").name == "aer_mps"
    assert folders()[0] == tmp_path / "hardware_configs"


def test_name__unknown__is_refused_with_all_names() -> None:
    with pytest.raises(ArgumentError, match=r"`backend`.*aer_density_matrix.*'nowhere'.*Fix:") as error:
        load_target("nowhere")
    assert "\n" not in str(error.value)


def test_snapshot__unknown__is_refused_with_some_names() -> None:
    with pytest.raises(ArgumentError, match=r"`backend`.*'fake_nowhere'.*Fix: use one of fake_torino"):
        AerTarget(name="a", kind="aer", snapshot="fake_nowhere").open()
    with pytest.raises(ArgumentError, match=r"`backend`.*'fake_nowhere'.*Fix:"):
        IbmTarget(name="a", kind="ibm", device="fake_nowhere").open()


# refusals: the text of a file, its key, what else the line must say

REFUSED = [
    ('kind = "aer"', "name", "be given, but it is missing"),
    ('name = "a"\nkind = "qpu"', "kind", "'qpu' was found. Fix: use"),
    (AER + 'methods = "x"', "methods", "Fix: write method"),
    (AER + 'device = "ibm_boston"', "device", "Fix: remove device"),
    (IBM + 'method = "statevector"', "method", "Fix: remove method"),
    (AER + 'method = "tensor_network"', "method", "automatic, density_matrix, statevector, matrix_product_state"),
    (AER + 'processor = "TPU"', "processor", "automatic, CPU, GPU"),
    (AER + 'method = "statevector"\nbond_dimension = 4', "bond_dimension", "left out with method statevector"),
    (AER + 'method = "density_matrix"\nbond_dimension = 4', "bond_dimension", "left out with method density_matrix"),
    (AER + "bond_dimension = 0", "bond_dimension", ">= 1 and <= 4096"),
    (AER + "max_qubits = 1.5", "max_qubits", "whole number"),
    (AER + "max_hours = inf", "max_hours", "finite number > 0"),
    (AER + 'basis = "cz"', "basis", "be a list of gate names"),
    (AER + 'basis = ["cz", "warp"]', "basis", "'warp' was found"),
    (AER + 'basis = ["ccx", "rz", "sx"]', "basis", "on one or two qubits, but 'ccx'"),
    (AER + 'basis = ["cz", "rz", "sx", "reset"]', "basis", "'reset' was found"),
    (AER + "coupling = {heavy_hex = 4}", "coupling", "3, 5, 7, 9 or 11"),
    (AER + 'coupling = "line"', "coupling", "all_to_all"),
    (AER + "noise = 3", "noise", "be a table of p1, p2"),
    (AER + "noise = {redout = 0.1}", "noise.redout", "Fix: write readout"),
    (AER + "noise = {p2 = -0.1}", "noise.p2", "finite number >= 0 and < 1"),
    (AER + "noise = {readout = 0.5}", "noise.readout", "< 0.5"),
    (AER + "noise = {t1 = 10.0, t2 = 20.1}", "noise.t2", "at most twice it, but t1 = 10.0, t2 = 20.1"),
    (AER + "noise = {t1 = 10.0}", "noise.t2", "given with t1"),
    (AER + "noise = {t2 = 10.0}", "noise.t2", "given with t1"),
    (AER + "noise = {durations = 3}", "noise.durations", "be a table of one_qubit"),
    (AER + "noise = {durations = {reset = 0.0}}", "noise.durations.reset", ">= 1e-06"),
    (AER + "noise = {durations = {idle = 1.0}}", "noise.durations.idle", "be one of one_qubit"),
    (AER + "beyond_snapshot = {reset = 0.1}", "beyond_snapshot", "left out without a snapshot"),
    (IBM + "beyond_snapshot = {reset = 0.1}", "beyond_snapshot", "left out without a snapshot"),
    (IBM + "beyond_snapshot = 3", "beyond_snapshot", "be a table of reset and idle"),
    (AER + 'snapshot = "fake_fez"\nbasis = ["cz"]', "basis", "beside a snapshot"),
    (AER + 'snapshot = "fake_fez"\ncoupling = "all_to_all"', "coupling", "beside a snapshot"),
    (AER + 'snapshot = "fake_fez"\nnoise = {p1 = 0.1}', "noise", "beside a snapshot"),
    (AER + 'snapshot = "fake_fez"\nbeyond_snapshot = {idle = 1}', "beyond_snapshot.idle", "true or false"),
    (IBM + "options = 3", "options", "be a table of options of the sampler"),
    (IBM + 'options = {dynamical_decoupling = "YY"}', "options.dynamical_decoupling", "off, XX, XpXm, XY4"),
    (IBM + "options = {resilience_level = 1}", "options.resilience_level", "Fix: remove"),
    (IBM + 'mode = "now"', "mode", "job, batch, session"),
    (IBM + "max_qpu_seconds = 0.0", "max_qpu_seconds", "> 0"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "key", "says"), REFUSED, ids=[f"{k}-{i}" for i, (_, k, _) in enumerate(REFUSED)])
def test_read__mistake__is_one_line_with_file_key_rule_and_fix(text: str, key: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "target.toml"
    path.write_text(text)
    with pytest.raises(ArgumentError) as error:
        read_target(path)
    message = str(error.value)
    assert message.startswith(f"{path}: {key} must ")
    assert says in message
    assert "Fix: " in message
    assert "\n" not in message


def test_open__inconsistent_object__is_refused_like_a_file() -> None:
    with pytest.raises(ArgumentError, match=r"`noise.t2`.*Fix:"):
        AerTarget(name="a", kind="aer", noise=Noise(t1=1.0, t2=3.0)).open()
    with pytest.raises(ArgumentError, match=r"`basis`.*'warp'.*Fix:"):
        AerTarget(name="a", kind="aer", basis=("cz", "warp")).open()


# round trip

positive = st.floats(1e-3, 1e3)
rate = st.floats(0.0, 0.4)


@st.composite
def noises(draw: st.DrawFn) -> Noise:
    t1 = draw(st.none() | positive)
    t2 = None if t1 is None else t1 * draw(st.floats(0.1, 2.0))
    durations = draw(st.builds(Durations, one_qubit=positive, two_qubit=positive, reset=positive, measure=positive))
    rates = {key: draw(rate) for key in ("p1", "p2", "reset", "readout")}
    return Noise(t1=t1, t2=t2, durations=draw(st.sampled_from((Durations(), durations))), **rates)


@st.composite
def targets(draw: st.DrawFn) -> Target:
    printable = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=8)  # what a name may hold
    words = {"name": draw(printable), "description": draw(st.text(max_size=8))}
    words = {key: value.encode("utf-8", "ignore").decode() or "a" for key, value in words.items()}
    snapshot = draw(st.none() | st.sampled_from(("fake_fez", "fake_torino")))
    beyond = SnapshotNoise(reset=draw(rate), idle=draw(st.booleans())) if snapshot else SnapshotNoise()
    if draw(st.booleans()):
        options = draw(st.builds(ClientOptions, twirling=st.booleans(), rep_delay=st.none() | positive))
        return IbmTarget(
            kind="ibm", device=snapshot or draw(st.sampled_from(("least_busy", "ibm_boston"))), options=options,
            beyond_snapshot=beyond, mode=draw(st.sampled_from(("job", "batch"))),
            account=draw(st.sampled_from((None, "w"))), max_qpu_seconds=draw(positive), **words,
        )  # fmt: skip
    method = draw(st.sampled_from(("automatic", "density_matrix", "matrix_product_state")))
    described = {
        "basis": draw(st.sampled_from((("cz", "rz", "sx", "x"), ("ecr", "u")))),
        "coupling": draw(st.sampled_from(("all_to_all", HeavyHex(heavy_hex=5)))),
        "noise": draw(noises()),
    }
    return AerTarget(
        kind="aer", method=method, snapshot=snapshot, beyond_snapshot=beyond, max_qubits=draw(st.integers(1, 1000)),
        bond_dimension=None if method == "density_matrix" else draw(st.none() | st.integers(1, 99)),
        **({} if snapshot else described), **words,
    )  # fmt: skip


@moderate
@given(targets())
def test_as_toml__round_trip__is_equal(target: Target) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "target.toml"
        path.write_text(tomli_w.dumps(target.as_toml()), encoding="utf-8")
        assert read_target(path) == target


# what is shipped


def test_wheel__configurations__are_shipped_inside_the_package(tmp_path: Path) -> None:
    build = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(tmp_path)], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    shipped = {Path(name).stem for name in names if name.startswith("gibbs_circuits/hardware_configs/")}
    assert shipped == set(PACKAGED)
    assert not [name for name in names if name.startswith(("hardware_configs", "tests"))]
