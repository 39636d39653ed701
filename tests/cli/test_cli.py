from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from qiskit import qasm3, qpy

from gibbs_circuits import __version__
from gibbs_circuits.cli import options as cli
from gibbs_circuits.errors import BackendError
from gibbs_circuits.experiments import pipeline
from tests.experiments.test_experiment import SECTIONS, TARGET, toml, write
from tests.killed import cheap_report

KEYS = SECTIONS["compile"].replace("random_delays = false", "random_delays = [0, 2]")
RUNGS = {
    "filter", "quadrature", "truncation", "dilation", "coherent", "trotter", "delays", "mixing", "noise", "shots",
}  # fmt: skip
STATUSES = {"proved", "measured", "extrapolated", "not_checked"}
Run = Callable[..., tuple[int, dict[str, Any], str]]

# Every key of the contract with its type; None beside a type where the contract allows null.
NUMBER, NULLABLE, TEXT = (int, float), (int, float, type(None)), (str,)
MODEL = {"num_qubits": (int,), "beta": NUMBER, "name": TEXT}
GENERATOR = {
    "kind": TEXT, "residual": NUMBER, "kms_defect": NULLABLE, "bias": NULLABLE, "steady_states": (int, type(None)),
    "spectral_gap": NULLABLE,
}  # fmt: skip
PROGRAM = {
    "scheme": TEXT, "num_system": (int,), "num_ancilla": (int,), "sweeps": (int,), "resets": (int,), "stages": (list,),
    "two_qubit_gates": NUMBER, "depth": NUMBER, "guarantee": TEXT, "calibration": TEXT, "guarantee_measure": TEXT,
    "guarantee_status": TEXT, "guarantee_worst": NULLABLE, "guarantee_bound": NULLABLE,
}  # fmt: skip
TARGET_KEYS = {
    "backend": TEXT, "two_qubit_gates": NUMBER, "depth": NUMBER, "seconds": NULLABLE, "system_qubits": (list,),
}  # fmt: skip
EXACT = {"energy": NUMBER, "free_energy": NULLABLE, "entropy": NUMBER, "heat_capacity": NUMBER}
ROW = {"rung": TEXT, "value": NULLABLE, "unit": TEXT, "status": TEXT, "source": TEXT}
ESTIMATE = {"value": NUMBER, "low": NUMBER, "high": NUMBER, "exact": NULLABLE}
RESULT = {
    "energy": (dict,), "trace_distance": NULLABLE, "fidelity": NULLABLE, "fixed_point": (dict, type(None)),
    "observables": (dict,), "beta_effective": (dict, type(None)),
}  # fmt: skip
BASELINES = {"best_product_trace_distance": NULLABLE, "initial_trace_distance": NULLABLE}
DOCUMENT = {
    "version": TEXT, "model": (dict,), "generator": (dict,), "program": (dict,), "target": (dict,),
    "exact": (dict, type(None)), "baselines": (dict,), "result": (dict,), "ledger": (list,), "verdict": TEXT,
    "verdict_reasons": (list,), "temperature": (dict,), "files": (list,),
}  # fmt: skip


def has(data: dict[str, Any], schema: dict[str, tuple[type, ...]]) -> None:
    for key, types in schema.items():
        assert key in data, key
        assert type(data[key]) in types, (key, data[key])


def only_json(text: str) -> dict[str, Any]:
    """The one document of a text, without NaN or infinities."""

    def never(constant: str) -> None:
        raise AssertionError(f"{constant} in JSON")

    data = json.loads(text, parse_constant=never)
    assert isinstance(data, dict)
    return data


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Write an experiment, call the command line with --json; status, document, standard error."""
    monkeypatch.chdir(tmp_path)
    cheap_report(monkeypatch)
    monkeypatch.setattr("gibbs_circuits.backends.runs.prepare.LATTICE", "small")
    (tmp_path / "hardware_configs").mkdir()
    (tmp_path / "hardware_configs" / "small.toml").write_text(TARGET + "coupling = {heavy_hex = 3}")

    def call(*arguments: str, **sections: str | None) -> tuple[int, dict[str, Any], str]:
        name, *options = arguments
        write(tmp_path, toml(**sections))
        status = cli.status([name, "e.toml", *options, "--json"])
        out, err = capsys.readouterr()
        return status, only_json(out), err

    return call


def test_run__prints_every_key_of_the_contract__exact_values(run: Run) -> None:
    status, data, err = run("run", observables='m = [["ZI", 0.5], ["IZ", 0.5]]')
    assert status == 0
    assert err == ""
    has(data, DOCUMENT)
    for section, schema in {
        "model": MODEL, "generator": GENERATOR, "program": PROGRAM, "target": TARGET_KEYS, "exact": EXACT,
        "baselines": BASELINES, "result": RESULT,
    }.items():  # fmt: skip
        has(data[section], schema)
    for row in data["ledger"]:
        has(row, ROW)
        assert row["rung"] in RUNGS
        assert row["status"] in STATUSES
    for estimate in (data["result"]["energy"], data["result"]["observables"]["m"]):
        has(estimate, ESTIMATE)
        assert estimate["low"] == estimate["value"] == estimate["high"]
    has(data["result"]["beta_effective"], {"value": NUMBER, "low": NUMBER, "high": NUMBER})
    has(data["result"]["fixed_point"], {"trace_distance": NUMBER, "energy": NUMBER})
    assert data["version"] == __version__
    assert data["verdict"] == "agrees"
    for reason in data["verdict_reasons"]:
        has(reason, {"name": TEXT, "passed": (bool,), "found": NUMBER, "allowed": NUMBER, "text": TEXT})
        assert reason["found"] <= reason["allowed"]
    assert [reason["name"] for reason in data["verdict_reasons"]] == ["trace_distance", "energy", "m"]
    assert data["verdict_reasons"][0]["found"] == data["result"]["trace_distance"]
    has(data["temperature"], {"word": TEXT, "beta": NUMBER, "beta_effective": (dict, type(None)), "text": TEXT})
    assert data["temperature"]["word"] == "reached"
    assert data["generator"]["kind"] == "dll"
    assert data["target"]["seconds"] is None
    assert all(Path(name).is_file() for name in data["files"])


def test_run__counts_are_consistent__program_and_target(run: Run) -> None:
    _, data, _ = run("run", compile=KEYS, run="realisations = 2")
    program, target = data["program"], data["target"]
    per_stage = [stage["sweeps"] * stage["two_qubit_gates_per_sweep"] for stage in program["stages"]]
    assert program["two_qubit_gates"] == pytest.approx(sum(per_stage))
    assert program["sweeps"] == sum(stage["sweeps"] for stage in program["stages"]) == 4
    assert program["resets"] == 4 * program["num_ancilla"]
    assert sorted(set(target["system_qubits"])) == sorted(target["system_qubits"])
    assert len(target["system_qubits"]) == program["num_system"] == 2
    assert 0 < target["two_qubit_gates"] <= program["two_qubit_gates"]


def test_run__gives_intervals__shots_on_a_density_matrix(run: Run) -> None:
    status, data, _ = run("run", run="shots = 400\nrealisations = 8", observables='m = [["ZI", 0.5], ["IZ", 0.5]]')
    assert status == 0
    for estimate in (data["result"]["energy"], data["result"]["observables"]["m"]):
        assert estimate["low"] < estimate["value"] < estimate["high"]
    assert data["result"]["trace_distance"] is not None
    shots = next(row for row in data["ledger"] if row["rung"] == "shots")
    assert (shots["status"], shots["value"] > 0) == ("measured", True)


def test_run__has_no_state__statevector(run: Run) -> None:
    status, data, _ = run("run", run='backend = "aer_statevector"\nshots = 200\nrealisations = 4')
    assert status == 0
    result = data["result"]
    assert (result["trace_distance"], result["fidelity"]) == (None, None)
    assert result["energy"]["low"] < result["energy"]["high"]
    assert data["verdict"] == "agrees"


def test_run__has_neither_free_energy_nor_beta_effective__infinite_temperature(run: Run) -> None:
    keys = "spacing = 0.5\nnodes = 1\nstrength = 1.0\nsweeps = 6\ntarget_error = 0.3"
    model = SECTIONS["model"].replace("beta = 1.0", "beta = 0")
    status, data, _ = run("run", model=model, compile=keys)
    assert status == 0
    assert data["exact"]["free_energy"] is None
    assert data["exact"]["entropy"] == pytest.approx(2 * math.log(2))
    assert data["exact"]["energy"] == pytest.approx(0, abs=1e-12)
    assert data["result"]["beta_effective"] is None


def test_run__has_no_beta_effective__constant_energy(run: Run) -> None:
    status, data, _ = run("run", model='terms = [["II", 1.5]]\nbeta = 1', compile=KEYS)
    assert status in (0, 1)
    assert data["result"]["beta_effective"] is None
    assert data["result"]["energy"]["value"] == pytest.approx(1.5)


def test_run__finds_the_fixed_point_by_krylov__six_qubits(run: Run) -> None:
    keys = 'scheme = "sequential"\nspacing = 0.5\nnodes = 2\nstrength = 0.5\nsweeps = 1\nrandom_delays = false\n'
    status, data, _ = run(
        "run",
        model='name = "tfim"\nsites = 6\nbeta = 0.1',
        generator='couplings = [[["IIIIIY", 1.0]]]',
        compile=keys + "target_error = 1.0",
        run='initial = "mixed"\nrealisations = 1',
    )
    assert status == 0
    assert data["prediction"]["fixed_point"]["applications"] > 0
    assert data["result"]["fixed_point"]["trace_distance"] == pytest.approx(
        data["prediction"]["fixed_point"]["trace_distance"]
    )
    assert data["result"]["trace_distance"] is not None
    assert data["generator"]["spectral_gap"] is None
    assert data["exact"]["energy"] is not None


def test_run__exits_1__too_weak_to_get_anywhere(run: Run) -> None:
    keys = KEYS.replace("strength = 0.6", "strength = 1e-6").replace("sweeps = 4", "sweeps = 1")
    status, data, err = run("run", compile=keys.replace("target_error = 0.3", "target_error = 0.1"))
    assert status == 1
    assert data["verdict"] == "disagrees"
    assert data["result"]["trace_distance"] > 0.1
    assert err == ""
    failed = [reason for reason in data["verdict_reasons"] if not reason["passed"]]
    assert failed[0]["name"] == "trace_distance"
    assert all(reason["found"] > reason["allowed"] for reason in failed)


def test_run__writes_nothing_and_runs_nothing__dry_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*arguments: object) -> None:
        raise AssertionError("a dry run ran")

    monkeypatch.setattr("gibbs_circuits.backends.runs.prepare.collected", never)
    status, data, err = run("run", "--dry-run", "--out", "here")
    assert (status, err) == (0, "")
    assert {path.name for path in Path.cwd().iterdir()} == {"e.toml", "hardware_configs"}
    has(data, {"model": (dict,), "generator": (dict,), "program": (dict,), "target": (dict,), "ledger": (list,)})
    assert "result" not in data


def test_run__overrides_the_file__backend_and_seed(run: Run) -> None:
    arguments = ("run", "--backend", "aer_statevector", "--seed", "7", "--out", "out")
    _, data, _ = run(*arguments, run="shots = 40\nrealisations = 2\nseed = 3")
    assert data["target"]["backend"] == "aer_statevector"
    assert data["run"]["seed"] == 7


def test_run__exits_3_and_keeps_what_it_has__backend_fails(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def fails(*arguments: object) -> None:
        raise BackendError("Aer failed: out of luck.")

    monkeypatch.setattr("gibbs_circuits.backends.runs.prepare.collected", fails)
    write(tmp_path)
    assert cli.status(["run", "e.toml", "--out", "out"]) == 3
    out, err = capsys.readouterr()
    assert (out, err) == ("", "Aer failed: out of luck.\n")


@pytest.mark.parametrize("command", ["exact", "compile"])
def test_other_commands__exit_130_with_a_line__ctrl_c(
    command: str, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gibbs_circuits.cli.commands.certificate", interrupted)
    write(tmp_path)
    assert cli.status([command, "e.toml"]) == 130
    out, err = capsys.readouterr()
    assert (out, err) == ("", "Interrupted.\n")


def test_run__prints_tables__without_json(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path)
    assert cli.status(["run", "e.toml", "--out", "out"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for words in (
        "Verdict: agrees",
        "trace distance",
        "Error ledger",
        "Results: out",
        "\nPicture: out/convergence.png",
    ):
        assert words in out
    assert "nan" not in out.lower().replace("nand", "")


def test_exact__prints_model_exact_generator__two_sites(run: Run) -> None:
    status, data, err = run("exact")
    assert (status, err) == (0, "")
    has(data["model"], MODEL)
    has(data["exact"], EXACT)
    has(data["generator"], GENERATOR)
    assert data["generator"]["residual"] < 1e-12
    assert data["generator"]["steady_states"] == 1
    assert data["exact"]["free_energy"] == pytest.approx(data["exact"]["energy"] - data["exact"]["entropy"])


def test_exact__never_compiles__knobs_left_out(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "compile_program", None)
    monkeypatch.setattr("gibbs_circuits.cli.commands.transpiled", None)
    status, data, _ = run("exact", compile=None)
    assert status == 0
    assert "program" not in data
    assert {path.name for path in Path.cwd().iterdir()} == {"e.toml", "hardware_configs"}


@pytest.mark.parametrize("suffix", ["qpy", "qasm"])
def test_compile__writes_a_circuit_that_loads__each_format(suffix: str, run: Run) -> None:
    status, data, err = run("compile", "--out", f"deep/c.{suffix}", "--seed", "5", compile=KEYS)
    assert (status, err) == (0, "")
    for section, schema in {
        "model": MODEL, "generator": GENERATOR, "program": PROGRAM, "target": TARGET_KEYS
    }.items():  # fmt: skip
        has(data[section], schema)
    assert all(row["rung"] in RUNGS for row in data["ledger"])
    assert data["files"] == [f"deep/c.{suffix}"]
    path = Path("deep") / f"c.{suffix}"
    if suffix == "qpy":
        with path.open("rb") as file:
            (qc,) = qpy.load(file)
    else:
        qc = qasm3.load(str(path))
    assert set(qc.count_ops()) <= {"cz", "rz", "sx", "x", "reset"}
    assert qc.num_qubits == 4
    assert qc.count_ops()["reset"] == data["program"]["resets"]
    assert {item.name for item in Path("deep").iterdir()} == {path.name}


def test_compile__counts_what_it_writes__no_random_choice(run: Run) -> None:
    _, data, _ = run("compile", "--out", "c.qpy")
    with Path("c.qpy").open("rb") as file:
        (qc,) = qpy.load(file)
    assert qc.count_ops()["cz"] == data["target"]["two_qubit_gates"]
    assert qc.depth() == data["target"]["depth"]


def test_compile__draws_delays_from_the_seed__same_and_other(run: Run) -> None:
    keys = KEYS.replace("[0, 2]", "[0, 9]")
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert run("compile", "--out", f"{name}.qasm", "--seed", seed, compile=keys)[0] == 0
    a, b, c = (Path(f"{name}.qasm").read_text() for name in "abc")
    assert a == b
    assert a != c


def test_backends__lists_every_target__one_of_them_broken(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    (Path("hardware_configs") / "broken.toml").write_text("kind = 1")
    assert cli.status(["backends", "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    rows = {row["name"]: row for row in only_json(out)["backends"]}
    assert {"aer_density_matrix", "aer_statevector", "fake_heavy_hex", "small", "broken"} <= set(rows)
    for row in rows.values():
        has(row, {"name": TEXT, "available": (bool,), "reason": (str, type(None))})
        assert row["available"] is (row["reason"] is None)
    assert not rows["broken"]["available"]
    assert "broken.toml" in rows["broken"]["reason"]


def test_version__is_the_packages__flag(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.status(["--version"]) == 0
    assert capsys.readouterr().out == f"gibbs-circuits {__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["compile", "--help"], ["exact", "--help"]])
def test_help__exits_0__every_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.status(arguments) == 0
    out, err = capsys.readouterr()
    assert "Usage: " in out
    assert err == ""


def test_compile__compiled_coherent_term__shows_cost_and_benefit(run: Run) -> None:
    keys = 'scheme = "sequential"\ncoherent_term = "compile"\nstrength = 0.5\nspacing = 0.3\nnodes = 7\nsweeps = 2\n'
    status, data, _ = run("compile", compile=keys + "random_delays = false")
    assert status == 0
    rows = {row["what"]: row for row in data["coherent_tradeoff"]}
    assert rows["B"]["two_qubit_gates"] > rows["B omitted"]["two_qubit_gates"]
    assert rows["B"]["distance"] < 0.6 * rows["B omitted"]["distance"]
    assert data["forecast"]["two_qubit_gates"] == data["target"]["two_qubit_gates"]


def test_run__noisy_target__predicts_and_itemises_the_noise(run: Run) -> None:
    status, data, _ = run("run", run='backend = "aer_noisy"\nrealisations = 4')
    assert status in (0, 1)
    noisy, clean = (data[key]["fixed_point"]["trace_distance"] for key in ("prediction_with_noise", "prediction"))
    assert noisy > clean + 1e-3
    assert data["result"]["fixed_point"]["trace_distance"] == noisy
    noise = [row for row in data["ledger"] if row["rung"] == "noise"]
    assert [row["status"] for row in noise] == ["measured"]
    assert noise[0]["value"] > 1e-3
    assert 0 < data["ledger_sum"]["ratio"] < 2


def test_compile__seeds__draw_anew_on_the_same_qubits(run: Run) -> None:
    found = [
        run("compile", "--backend", "fake_torino", "--out", f"{seed}.qasm", "--seed", str(seed), compile=KEYS)[1]
        for seed in (1, 2, 3)
    ]
    assert len({tuple(data["target"]["system_qubits"]) for data in found}) == 1
    texts = {(Path.cwd() / f"{seed}.qasm").read_text() for seed in (1, 2, 3)}
    assert len(texts) > 1  # the delays differ
