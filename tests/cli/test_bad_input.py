"""Everything a user can get wrong, through the real command line: one line, exit status 2, nothing left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gibbs_circuits.cli import options as cli
from tests.experiments.test_experiment import BELL, SECTIONS, TARGET, toml, write

PAIR = '{"num_qubits": 2, "terms": [["ZZ", 1.0]]}'
BESIDE = {  # files that the experiments below name
    "syntax.json": '{"num_qubits": 2,',
    "text.json": "hello",
    "empty.json": "",
    "list.json": "[1]",
    "key.json": '{"num_qubits": 2, "terms": [["ZZ", 1.0]], "colour": 1}',
    "missing.json": '{"num_qubits": 2}',
    "width.json": '{"num_qubits": 3, "terms": [["ZZ", 1.0]]}',
    "qubits.json": '{"num_qubits": "2", "terms": [["ZZ", 1.0]]}',
    "complex.json": '{"num_qubits": 2, "terms": [["ZZ", [0.0, 1.0]]]}',
    "imaginary.json": '{"num_qubits": 2, "terms": [["ZZ", "1j"]]}',
    "nan.json": '{"num_qubits": 2, "terms": [["ZZ", NaN]]}',
    "model.txt": PAIR,
    "good.json": PAIR,
    "reset.qasm": BELL + "reset q[1];\n",
    "wide.qasm": BELL.replace("qubit[2]", "qubit[3]"),
    "syntax.qasm": "hello;",
    "key_target.toml": TARGET + "colour = 1",
    "coupling_target.toml": TARGET + 'coupling = "ring"',
    "distance_target.toml": TARGET + "coupling = {heavy_hex = 4}",
    "method_target.toml": 'name = "t"\nkind = "aer"\nmethod = "magic"',
    "missing_target.toml": 'name = "t"',
    "basis_target.toml": TARGET + 'basis = ["cz", 1]',
    "qubits_target.toml": TARGET + "max_qubits = 0",
    "syntax_target.toml": "[name",
}


def model(terms: str) -> dict[str, str | None]:
    return {"model": f"terms = {terms}\nbeta = 1.0"}


def library(keys: str) -> dict[str, str | None]:
    return {"model": f'name = "tfim"\n{keys}'}


def file(name: str) -> dict[str, str | None]:
    return {"model": f'file = "{name}"\nbeta = 1.0'}


def knob(line: str) -> dict[str, str | None]:
    key = line.split(" = ")[0]
    rest = [kept for kept in SECTIONS["compile"].split("\n") if not kept.startswith(f"{key} ")]
    return {"compile": "\n".join([*rest, line])}


def couplings(value: str) -> dict[str, str | None]:
    return {"generator": f"couplings = {value}"}


Case = tuple[dict[str, str | None], str, str]  # sections; "file: key" that the line begins with; what it also says

CASES: dict[str, Case] = {
    "section_unknown": ({"nonsense": "a = 1"}, "e.toml: nonsense", "sections model, generator"),
    "model_absent": ({"model": None}, "e.toml: model", "no such section"),
    "model_key": ({"model": SECTIONS["model"] + "\ncolour = 1"}, "e.toml: model.colour", "remove colour"),
    "model_two_sources": (library('terms = [["ZZ", 1.0]]\nbeta = 1'), "e.toml: model.name", "name and terms"),
    "model_name_and_file": (library('file = "good.json"\nbeta = 1'), "e.toml: model.name", "name and file"),
    "model_three_sources": (
        library('terms = []\nfile = "a"\nbeta = 1'),
        "e.toml: model.name",
        "name and terms and file",
    ),
    "model_no_source": ({"model": "beta = 1"}, "e.toml: model.name", "none was found"),
    "terms_with_parameter": (
        {"model": 'terms = [["Z", 1]]\nsites = 2\nbeta = 1'},
        "e.toml: model.sites",
        "unused here",
    ),
    "library_unknown": ({"model": 'name = "tfmi"\nbeta = 1'}, "e.toml: model.name", 'Fix: use "tfim"'),
    "library_number": ({"model": "name = 3\nbeta = 1"}, "e.toml: model.name", "3 was found"),
    "library_key": (library("g = 0.5\nbeta = 1"), "e.toml: model.g", "sites, J, h, periodic"),
    "library_text": (library('sites = "four"\nbeta = 1'), "e.toml: model.sites", "whole number from 1 to 2000"),
    "library_float": (library("sites = 2.0\nbeta = 1"), "e.toml: model.sites", "whole number from 1 to 2000"),
    "library_zero": (library("sites = 0\nbeta = 1"), "e.toml: model.sites", "whole number from 1 to 2000"),
    "library_nan": (library("J = nan\nbeta = 1"), "e.toml: model.J", "finite real number"),
    "library_inf": (library("h = -inf\nbeta = 1"), "e.toml: model.h", "finite real number"),
    "library_flag": (library("periodic = 1\nbeta = 1"), "e.toml: model.periodic", "true or false"),
    "library_fields": (
        {"model": 'name = "xxz"\nfields = [1.0]\nbeta = 1'},
        "e.toml: model.fields",
        "one entry per site (4)",
    ),
    "terms_width": (model('[["ZZ", 1.0], ["ZZZ", 1.0]]'), "e.toml: model.terms[1]", "2 letters"),
    "terms_letter": (model('[["ZQ", 1.0]]'), "e.toml: model.terms[0]", "'Q'"),
    "terms_small_letter": (model('[["zz", 1.0]]'), "e.toml: model.terms[0]", "I, X, Y, Z"),
    "terms_imaginary": (model('[["ZZ", "1j"]]'), "e.toml: model.terms[0]", "real coefficient"),
    "terms_complex": (model('[["ZZ", [0, 1]]]'), "e.toml: model.terms[0]", "real coefficient"),
    "terms_text": (model('[["ZZ", "one"]]'), "e.toml: model.terms[0]", "real coefficient"),
    "terms_true": (model('[["ZZ", true]]'), "e.toml: model.terms[0]", "real coefficient"),
    "terms_nan": (model('[["ZZ", nan]]'), "e.toml: model.terms", "finite"),
    "terms_inf": (model('[["ZZ", inf]]'), "e.toml: model.terms", "finite"),
    "terms_empty": (model("[]"), "e.toml: model.terms", "non-empty list"),
    "terms_pair": (model('["ZZ", 1.0]'), "e.toml: model.terms[0]", "[label, coefficient] pair"),
    "terms_string": (model('"ZZ"'), "e.toml: model.terms", "non-empty list"),
    "file_missing": (file("nowhere.json"), "e.toml: model.file", "nowhere.json does not exist"),
    "file_near": (file("godd.json"), "e.toml: model.file", "Fix: write good.json"),
    "file_folder": (file("folder.json"), "e.toml: model.file", "folder.json: Is a directory"),
    "file_null": ({"model": 'file = "a\\u0000.json"\nbeta = 1'}, "e.toml: model.file", "'a\\x00.json'"),
    "file_number": ({"model": "file = 3\nbeta = 1"}, "e.toml: model.file", "a path"),
    "file_extension": (file("model.txt"), "e.toml: model.file", ".json"),
    "file_empty": (file("empty.json"), "e.toml: model.file", "empty.json is empty"),
    "file_binary": (file("binary.json"), "e.toml: model.file", "binary.json is binary"),
    "file_syntax": (file("syntax.json"), "syntax.json: the file", "JSON"),
    "file_text": (file("text.json"), "text.json: the file", "JSON"),
    "file_list": (file("list.json"), "list.json: the file", "one JSON object"),
    "file_key": (file("key.json"), "key.json: colour", "remove colour"),
    "file_lacks_terms": (file("missing.json"), "missing.json: terms", "it is missing"),
    "file_width": (file("width.json"), "width.json: terms[0]", "3 letters"),
    "file_qubits": (file("qubits.json"), "qubits.json: num_qubits", "whole number"),
    "file_complex": (file("complex.json"), "complex.json: terms[0]", "real coefficient"),
    "file_imaginary": (file("imaginary.json"), "imaginary.json: terms[0]", "real coefficient"),
    "file_nan": (file("nan.json"), "nan.json: terms", "finite"),
    "beta_huge": (library("beta = 1e300"), "e.toml: model.beta", "1e+300"),
    "beta_digits": (library(f"beta = {'9' * 5000}"), "e.toml: the file", "digits"),
    "library_huge": (library("J = 1e308\nbeta = 1"), "e.toml: model.J", "1e+308"),
    "library_endless": (library("sites = 1000000000000\nbeta = 1"), "e.toml: model.sites", "2000"),
    "terms_huge": (model('[["ZZ", 1e60]]'), "e.toml: model.terms", "1e+50"),
    "nested": ({"model": f"terms = {'[' * 5000}{']' * 5000}\nbeta = 1"}, "e.toml: the file", "nested"),
    "beta_negative": (library("beta = -1"), "e.toml: model.beta", ">= 0, but the value is -1"),
    "beta_nan": (library("beta = nan"), "e.toml: model.beta", "nan"),
    "beta_inf": (library("beta = inf"), "e.toml: model.beta", "inf"),
    "beta_text": (library('beta = "hot"'), "e.toml: model.beta", "'hot'"),
    "beta_true": (library("beta = true"), "e.toml: model.beta", "True"),
    "beta_missing": (library(""), "e.toml: model.beta", "Fix: add beta = 1.0"),
    "couplings_repeated": (couplings('"YY"'), "e.toml: generator.couplings", "'YY'"),
    "couplings_letter": (couplings('"Q"'), "e.toml: generator.couplings", "'Q'"),
    "couplings_blank": (couplings('""'), "e.toml: generator.couplings", "letters X, Y, Z"),
    "couplings_identity": (couplings('[[["II", 1.0]]]'), "e.toml: generator.couplings[0]", "multiple of the identity"),
    "couplings_zero": (couplings('[[["YI", 0.0]]]'), "e.toml: generator.couplings[0]", "multiple of the identity"),
    "couplings_width": (couplings('[[["YII", 1.0]]]'), "e.toml: generator.couplings[0][0]", "2 letters"),
    "couplings_complex": (couplings('[[["YI", [0, 1]]]]'), "e.toml: generator.couplings[0][0]", "real coefficient"),
    "couplings_imaginary": (couplings('[[["YI", "1j"]]]'), "e.toml: generator.couplings[0][0]", "real coefficient"),
    "couplings_none": (couplings("[]"), "e.toml: generator.couplings", "[] was found"),
    "couplings_hollow": (couplings("[[]]"), "e.toml: generator.couplings[0]", "non-empty list"),
    "couplings_flat": (couplings('[["YI", 1.0]]'), "e.toml: generator.couplings[0][0]", "pair"),
    "couplings_number": (couplings("1"), "e.toml: generator.couplings", "1 was found"),
    "generator_key": ({"generator": "colour = 1"}, "e.toml: generator.colour", "remove colour"),
    "generator_near_key": ({"generator": 'coupling = "Y"'}, "e.toml: generator.coupling", "Fix: write couplings"),
    "generator_unused": ({"generator": 'bath = "ohmic"'}, "e.toml: generator.bath", "unused here"),
    "kind": ({"generator": 'kind = "dlll"'}, "e.toml: generator.kind", 'Fix: use "dll"'),
    "kind_number": ({"generator": "kind = 1"}, "e.toml: generator.kind", 'Fix: use "dll"'),
    "filter": ({"generator": 'filter = "gausian"'}, "e.toml: generator.filter", 'Fix: use "gaussian"'),
    "coherent": ({"generator": 'coherent = "balanced"'}, "e.toml: generator.coherent", 'Fix: use "balance"'),
    "scheme": (knob('scheme = "paralel"'), "e.toml: compile.scheme", 'Fix: use "parallel"'),
    "scheme_list": (knob('scheme = "quick"'), "e.toml: compile.scheme", "auto, parallel, sequential"),
    "auto_knob": ({"compile": 'scheme = "auto"\nnodes = 4'}, "e.toml: compile.nodes", "unused here"),
    "auto_guarantee": (knob('scheme = "auto"\nguarantee = "any"'), "e.toml: compile.guarantee", "any_start"),
    "auto_calibration": (knob('scheme = "auto"\ncalibration = "fit"'), "e.toml: compile.calibration", "patch"),
    "auto_seconds": (knob('scheme = "auto"\ntime_budget = 0'), "e.toml: compile.time_budget", "> 0"),
    "auto_program": ({"compile": 'scheme = "auto"\nprogram = "none.json"'}, "e.toml: compile.program", "none.json"),
    "parallel_guarantee": (knob('guarantee = "any_start"'), "e.toml: compile.guarantee", "unused here"),
    "parallel_budget": (knob("time_budget = 0.0"), "e.toml: compile.time_budget", "> 0"),
    "parallel_effort": (knob("effort = 0"), "e.toml: compile.effort", "> 0"),
    "parallel_patch": (knob('calibration = "patch"'), "e.toml: compile.calibration", "fitted_to_target"),
    "compile_key": (knob("colour = 1"), "e.toml: compile.colour", "remove colour"),
    "compile_near_key": (knob("target_eror = 0.1"), "e.toml: compile.target_eror", "Fix: write target_error"),
    "compile_unused": (knob('scheme = "sequential"\nancillas = 2'), "e.toml: compile.ancillas", "unused here"),
    **{
        f"sweeps_{value}": (knob(f"sweeps = {value}"), "e.toml: compile.sweeps", ">= 1")
        for value in ("0", "-1", "1.5", '"many"', "true", "nan")
    },
    **{
        f"strength_{value}": (knob(f"strength = {value}"), "e.toml: compile.strength", "finite number > 0")
        for value in ("0", "nan", "inf", "-0.5", '"big"', "true")
    },
    **{
        f"spacing_{value}": (knob(f"spacing = {value}"), "e.toml: compile.spacing", "finite number > 0")
        for value in ("0", "nan", '"wide"')
    },
    **{
        f"delays_{value}": (knob(f"random_delays = {value}"), "e.toml: compile.random_delays", "[low, high]")
        for value in ("[8, 2]", "[1]", '"x"', "[0.5, 1]", "true", "[-1, 2]", "3", "[true, 2]")
    },
    **{
        f"target_error_{value}": (knob(f"target_error = {value}"), "e.toml: compile.target_error", "> 0 and <= 1")
        for value in ("0", "1.5", "nan", '"small"')
    },
    "nodes": (knob("nodes = 0"), "e.toml: compile.nodes", "whole number >= 1"),
    "trotter_order": (knob("trotter_order = 3"), "e.toml: compile.trotter_order", "one of 1, 2, 4"),
    "truncation": (knob("truncation = -1.0"), "e.toml: compile.truncation", ">= 0"),
    "ancillas": (knob("ancillas = 0"), "e.toml: compile.ancillas", "whole number >= 1"),
    "run_key": ({"run": "colour = 1"}, "e.toml: run.colour", "remove colour"),
    "run_near_key": ({"run": "shot = 4"}, "e.toml: run.shot", "Fix: write shots"),
    "backend": ({"run": 'backend = "aar"'}, "e.toml: run.backend", "aer_density_matrix"),
    "backend_number": ({"run": "backend = 1"}, "e.toml: run.backend", "text in quotes"),
    "backend_missing": ({"run": 'backend = "nowhere.toml"'}, "e.toml: run.backend", "does not exist"),
    "shots": ({"run": "shots = -1"}, "e.toml: run.shots", ">= 0"),
    "shots_none": ({"run": 'backend = "aer_statevector"'}, "e.toml: run.shots", "Fix: set shots = 4000"),
    "shots_few": ({"run": "shots = 1\nrealisations = 4"}, "e.toml: run.shots", "realisations"),
    "seed": ({"run": "seed = -1"}, "e.toml: run.seed", "whole number >= 0"),
    "seed_text": ({"run": 'seed = "x"'}, "e.toml: run.seed", "whole number >= 0"),
    "realisations": ({"run": "realisations = 0"}, "e.toml: run.realisations", "whole number >= 1"),
    "initial_digits": ({"run": 'initial = "012"'}, "e.toml: run.initial", "bit string"),
    "coherent_radius_unused": (knob("coherent_radius = 1"), "e.toml: compile.coherent_radius", "be left out"),
    "radius_forward": (
        {"compile": 'scheme = "sequential"\ndirection = "forward"\nradius = 1'},
        "e.toml: compile.radius",
        'Fix: set direction = "forward_and_back"',
    ),
    "resolution_unused": ({"compile": "resolution = 0.5"}, "e.toml: compile.resolution", "unless kind = davies"),
    "key_of_another_scheme": ({"compile": 'direction = "forward"'}, "e.toml: compile.direction", "remove direction"),
    "shift_text": (
        {"compile": 'scheme = "thermal_ancilla"\nshift = "no"'},
        "e.toml: compile.shift",
        "must be true or false, but 'no' was found",
    ),
    "initial_width": ({"run": 'initial = "000"'}, "e.toml: run.initial", "2 bits"),
    "initial_number": ({"run": "initial = 1"}, "e.toml: run.initial", 'Fix: set initial = "zero"'),
    "initial_missing": ({"run": 'initial = "nowhere.qasm"'}, "e.toml: run.initial", "nowhere.qasm does not exist"),
    "initial_reset": ({"run": 'initial = "reset.qasm"'}, "e.toml: run.initial", "resets"),
    "initial_wide": ({"run": 'initial = "wide.qasm"'}, "e.toml: run.initial", "qubit[3]"),
    "initial_syntax": ({"run": 'initial = "syntax.qasm"'}, "e.toml: run.initial", "OpenQASM 3"),
    "observable_width": ({"observables": 'm = [["ZZZ", 1.0]]'}, "e.toml: observables.m[0]", "2 letters"),
    "observable_text": ({"observables": 'm = "ZQ"'}, "e.toml: observables.m", "Pauli label"),
    "observable_complex": ({"observables": 'm = [["ZZ", [0, 1]]]'}, "e.toml: observables.m[0]", "real coefficient"),
    "observable_nan": ({"observables": 'm = [["ZZ", nan]]'}, "e.toml: observables.m", "finite"),
    "observable_energy": ({"observables": 'energy = [["ZZ", 1.0]]'}, "e.toml: observables.energy", "another name"),
    "target_key": ({"run": 'backend = "key_target.toml"'}, "key_target.toml: colour", "remove colour"),
    "target_coupling": ({"run": 'backend = "coupling_target.toml"'}, "coupling_target.toml: coupling", "heavy_hex"),
    "target_distance": ({"run": 'backend = "distance_target.toml"'}, "distance_target.toml: coupling", "3, 5, 7"),
    "target_method": ({"run": 'backend = "method_target.toml"'}, "method_target.toml: method", "statevector"),
    "target_missing": ({"run": 'backend = "missing_target.toml"'}, "missing_target.toml: kind", 'kind = "aer"'),
    "target_basis": ({"run": 'backend = "basis_target.toml"'}, "basis_target.toml: basis", "gate names"),
    "target_qubits": ({"run": 'backend = "qubits_target.toml"'}, "qubits_target.toml: max_qubits", ">= 1"),
    "target_syntax": ({"run": 'backend = "syntax_target.toml"'}, "syntax_target.toml: the file", "TOML"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in BESIDE.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "binary.json").write_bytes(bytes(range(128, 256)))
    (tmp_path / "folder.json").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def listing(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on standard error of a command that must refuse and leave nothing behind."""
    before = listing(Path.cwd())
    status = cli.status(arguments)
    out, err = capsys.readouterr()
    assert status == 2, err
    assert out == ""
    assert err.endswith("\n")
    assert len(err.splitlines()) == 1, err
    assert "Fix: " in err
    assert "Traceback" not in err
    assert listing(Path.cwd()) == before
    return err


@pytest.mark.parametrize("case", CASES)
def test_run__refuses_in_one_line__bad_key(case: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sections, subject, says = CASES[case]
    write(folder, toml(**sections))
    line = refused(["run", "e.toml", "--json"], capsys)
    assert line.startswith(subject), line
    assert line[len(subject)] in " [", line  # the whole key, or an entry of it
    assert " must " in line
    assert ", but " in line
    assert says in line
    assert "mend" not in line.partition("Fix: ")[2]


@pytest.mark.parametrize("command", ["exact", "compile"])
@pytest.mark.parametrize("case", ["beta_nan", "sweeps_0", "file_complex", "backend", "observable_width"])
def test_other_commands__refuse_the_same_line__bad_key(
    command: str, case: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, toml(**CASES[case][0]))
    assert refused([command, "e.toml"], capsys) == refused(["run", "e.toml", "--dry-run"], capsys)


FILES: dict[str, tuple[str, bytes | None, str]] = {
    "missing": ("nowhere.toml", None, "does not exist"),
    "near": ("ee.toml", None, "Fix: write e.toml"),
    "folder": ("folder.json", None, "Is a directory"),
    "under_a_file": ("e.toml/e.toml", None, "Not a directory"),
    "empty": ("x.toml", b"", "is empty"),
    "blank": ("x.toml", b" \n\n", "is empty"),
    "binary": ("x.toml", b"\x00\xff\xfe\x81", "is binary"),
    "not_toml": ("x.toml", b"[model\nname = ", "TOML"),
    "json": ("x.toml", b'{"model": 1}', "TOML"),
    "twice": ("x.toml", b"[model]\n[model]\n", "TOML"),
    "scalar": ("x.toml", b"model = 1\n", "section"),
    "list": ("x.toml", b"[[model]]\nbeta = 1\n", "section"),
    "key_outside": ("x.toml", b"beta = 1\n", "sections"),
}


@pytest.mark.parametrize("command", ["run", "exact", "compile"])
@pytest.mark.parametrize("case", FILES)
def test_commands__refuse_in_one_line__bad_file(
    command: str, case: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, content, says = FILES[case]
    write(folder)
    if content is not None:
        (folder / name).write_bytes(content)
    line = refused([command, name], capsys)
    assert line.startswith(f"{name}: ")
    assert says in line


OPTIONS: dict[str, tuple[list[str], str]] = {
    "out_under_a_file": (["run", "e.toml", "--out", "good.json/out"], "--out"),
    "out_is_a_file": (["run", "e.toml", "--out", "good.json"], "--out"),
    "out_under_proc": (["run", "e.toml", "--out", "/proc/gibbs/out"], "--out"),
    "out_holds_files": (["run", "e.toml", "--out", "."], "--resume"),
    "resume_alone": (["run", "e.toml", "--resume"], "add --out DIR"),
    "resume_elsewhere": (["run", "e.toml", "--resume", "--out", "."], "request.json is damaged (it is missing)"),
    "seed_text": (["run", "e.toml", "--seed", "abc"], "--seed"),
    "seed_negative": (["run", "e.toml", "--seed", "-1"], "--seed"),
    "backend_unknown": (["run", "e.toml", "--backend", "fake"], "run.backend"),
    "backend_missing": (["run", "e.toml", "--backend", "x.toml"], "x.toml does not exist"),
    "option_unknown": (["run", "e.toml", "--fast"], "--fast"),
    "argument_missing": (["run"], "EXPERIMENT.toml"),
    "argument_extra": (["run", "e.toml", "f.toml"], "f.toml"),
    "command_unknown": (["rum", "e.toml"], "rum"),
    "compile_out_suffix": (["compile", "e.toml", "--out", "circuit.txt"], ".qpy, .qasm or .json"),
    "compile_out_bare": (["compile", "e.toml", "--out", "circuit"], ".qpy, .qasm or .json"),
    "compile_out_under_a_file": (["compile", "e.toml", "--out", "good.json/c.qpy"], "--out"),
    "compile_out_under_proc": (["compile", "e.toml", "--out", "/proc/gibbs/c.qpy"], "--out"),
    "compile_out_is_a_folder": (["compile", "e.toml", "--out", "folder.qpy"], "a folder"),
    "compile_resume": (["compile", "e.toml", "--resume"], "--resume"),
    "backends_argument": (["backends", "e.toml"], "e.toml"),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_command_line__refuses_in_one_line__bad_option(
    case: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, says = OPTIONS[case]
    write(folder)
    (folder / "folder.qpy").mkdir()
    assert says in refused(arguments, capsys)


@pytest.fixture
def nothing_heavy(monkeypatch: pytest.MonkeyPatch) -> None:
    def heavy(*arguments: object, **options: object) -> None:
        raise AssertionError("a run that must be refused reached the transpiler")

    monkeypatch.setattr("gibbs_circuits.backends.runs.prepare.compile_for", heavy)
    monkeypatch.setattr("gibbs_circuits.backends.runs.prepare.collected", heavy)


@pytest.mark.usefixtures("nothing_heavy")
@pytest.mark.parametrize(
    ("sites", "backend"), [(15, "aer_density_matrix"), (15, "aer_statevector"), (60, "fake_heavy_hex")]
)
def test_run__refuses_with_numbers_before_anything_heavy__too_many_qubits(
    sites: int, backend: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = f'name = "mixed_field_ising"\nsites = {sites}\nbeta = 1.0'
    write(folder, toml(model=keys, compile=None, run="shots = 4000"))
    line = refused(["run", "e.toml", "--backend", backend], capsys)
    assert line.startswith("e.toml: Program needs ")
    assert f"{2 * sites} qubits ({sites} system + {sites} ancilla)" in line
    assert "GiB" in line
    assert backend in line


def test_exact__answers_and_says_what_was_not_checked__above_the_spectrum(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, toml(**library("sites = 15\nbeta = 1")))
    assert cli.status(["exact", "e.toml"]) == 0
    out = capsys.readouterr().out
    assert "Generator: not checked" in out
    assert "Gibbs state (" in out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["run", "nowhere.toml"], None),
        (["run", "e.toml", "--json"], toml(**library("beta = nan"))),
        (["run", "e.toml"], toml(model='name = "tfim"\nsites = 15\nbeta = 1.0', compile=None)),
    ],
    ids=["missing", "beta", "too_large"],
)
def test_executable__refuses_in_one_line__own_process(arguments: list[str], text: str | None, tmp_path: Path) -> None:
    if text is not None:
        write(tmp_path, text)
    before = listing(tmp_path)
    program = "import sys; from gibbs_circuits.cli.options import main; main(sys.argv[1:])"
    command = [sys.executable, "-W", "error", "-c", program, *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "Fix: " in done.stderr
    assert "Traceback" not in done.stderr
    assert listing(tmp_path) == before
