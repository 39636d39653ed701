"""What a user meant is kept: read where there is no doubt, else refused with the file, the key, the value and a remedy.

Every remedy that can be pasted is pasted, and has to work.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qiskit.quantum_info import DensityMatrix, Operator, SparsePauliOp, Statevector

import gibbs_circuits as gc
from gibbs_circuits.backends.devices import snapshots as devices
from gibbs_circuits.cli import options as cli
from gibbs_circuits.errors import ArgumentError, error_line, one_line, printable, shown
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.matrices import superoperator

MODEL = '[model]\nname = "tfim"\nsites = 2\nbeta = 1.0\n'
QASM = 'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\n'
QASM2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\n'
START = MODEL + '[run]\ninitial = "s.qasm"\n'
TARGET = MODEL + '[run]\nbackend = "t.toml"\n'
AER = 'name = "t"\nkind = "aer"\n'
FLAT = "nu,f\n-10,{0}\n-1,{0}\n0,{0}\n1,{0}\n10,{0}\n"


def terms(*written: str) -> str:
    return f"[model]\nterms = [{', '.join(written)}]\nbeta = 1.0\n"


def generator(keys: str) -> str:
    return f"{MODEL}[generator]\n{keys}\n"


# name → (experiment, files beside it, "file: key" that the line begins with, what it also says)
REFUSED: dict[str, tuple[str, dict[str, str], str, str]] = {
    "qasm_if": (
        START,
        {"s.qasm": QASM + "bit c; c = measure q[0]; if (c) { x q[1]; }"},
        "e.toml: run.initial",
        "`if_else`",
    ),
    "qasm_for": (START, {"s.qasm": QASM + "for int i in [0:1] { x q[0]; }"}, "e.toml: run.initial", "`for_loop`"),
    "qasm_while": (
        START,
        {"s.qasm": QASM + "bit c; while (!c) { x q[0]; }"},
        "e.toml: run.initial",
        "Fix: write its gates",
    ),
    "qasm_box": (START, {"s.qasm": QASM + "box { x q[0]; }"}, "e.toml: run.initial", "`box`"),
    "qasm_input": (START, {"s.qasm": QASM + "input float a; rx(a) q[0];"}, "e.toml: run.initial", "a number for a"),
    "qasm_phase": (START, {"s.qasm": QASM + "gphase(1e400);"}, "e.toml: run.initial", "finite angles"),
    "qasm_angle": (START, {"s.qasm": QASM + "rx(1e400) q[0];"}, "e.toml: run.initial", "none in rx"),
    "qasm_inside": (START, {"s.qasm": QASM + "gate g a { rx(1e400) a; } g q[0];"}, "e.toml: run.initial", "none in g"),
    "qasm_inner_angle": (
        START,
        {"s.qasm": QASM2 + "gate g(a) x { rx(a*1e308*1e10) x; } g(1.0) q[0];"},
        "e.toml: run.initial",
        "none in g",
    ),
    "qasm_opaque": (START, {"s.qasm": QASM2 + "opaque o a; o q[0];"}, "e.toml: run.initial", "define gate o"),
    "qasm_syntax": (START, {"s.qasm": QASM + "h q[0"}, "e.toml: run.initial", "s.qasm"),
    "qasm_two_syntax": (START, {"s.qasm": QASM2 + "h q[0"}, "e.toml: run.initial", "OpenQASM 2"),
    "qasm_include": (START, {"s.qasm": QASM2 + 'include "/dev/zero";'}, "e.toml: run.initial", "/dev/zero"),
    "qasm_wide": (START, {"s.qasm": QASM.replace("[2]", "[3]")}, "e.toml: run.initial", "declare qubit[2] q"),
    "basis_none": (TARGET, {"t.toml": AER + "basis = []"}, "t.toml: basis", 'Fix: set basis = ["rz", "sx", "cz"]'),
    "basis_h": (TARGET, {"t.toml": AER + 'basis = ["h"]'}, "t.toml: basis", 'Fix: set basis = ["h", "rz", "sx", "cz"]'),
    "basis_cx": (TARGET, {"t.toml": AER + 'basis = ["cx"]'}, "t.toml: basis", "lacks rotations of one qubit."),
    "basis_id": (TARGET, {"t.toml": AER + 'basis = ["id"]'}, "t.toml: basis", "universal"),
    "basis_one_qubit": (
        TARGET,
        {"t.toml": AER + 'basis = ["rz", "sx"]'},
        "t.toml: basis",
        'basis = ["rz", "sx", "cz"]',
    ),
    "basis_clifford": (TARGET, {"t.toml": AER + 'basis = ["h", "s", "cx"]'}, "t.toml: basis", "rotations"),
    "basis_slip": (TARGET, {"t.toml": AER + 'basis = ["czz", "rz", "sx"]'}, "t.toml: basis", "'czz' was found"),
    "t2_tiny": (TARGET, {"t.toml": AER + "[noise]\nt1 = 1.0\nt2 = 1e-320"}, "t.toml: noise.t2", "1e-320"),
    "t2_long": (TARGET, {"t.toml": AER + "[noise]\nt1 = 1.0\nt2 = 3.0"}, "t.toml: noise.t2", "Fix: set t2 = 2."),
    "t2_alone": (TARGET, {"t.toml": AER + "[noise]\nt2 = 3.0"}, "t.toml: noise.t2", "Fix: set t1 = 3."),
    "duration": (
        TARGET,
        {"t.toml": AER + "[noise]\ndurations = {reset = 1e308}"},
        "t.toml: noise.durations.reset",
        "1e+308",
    ),
    "target_empty": (TARGET, {"t.toml": "# nothing\n"}, "t.toml: the file", "it is empty"),
    "target_kind": (TARGET, {"t.toml": 'name = "t"\nkind = "are"\n'}, "t.toml: kind", 'Fix: use "aer"'),
    "target_slip": (TARGET, {"t.toml": AER + "max_qubit = 7"}, "t.toml: max_qubit", "Fix: write max_qubits = 7"),
    "target_name": (TARGET, {"t.toml": 'name = "\\u001b[31m"\nkind = "aer"'}, "t.toml: name", "printable"),
    "coefficient": (terms('["ZZ", 1e-310]'), {}, "e.toml: model.terms", "1e-310"),
    "coefficient_huge": (terms('["ZZ", 1e60]'), {}, "e.toml: model.terms", "1e+60"),
    "label": (terms('["QQ", 1.0]'), {}, "e.toml: model.terms[0]", "'QQ'"),
    "label_small": (terms('["zx", 1.0]'), {}, "e.toml: model.terms[0]", '"ZX"'),
    "label_wide": (terms('["ZZ", 1.0]', '["IXX", 1.0]'), {}, "e.toml: model.terms[1]", 'Fix: write "XX"'),
    "label_short": (terms('["ZZ", 1.0]', '["X", 1.0]'), {}, "e.toml: model.terms[1]", '"IX"'),
    "term_turned": (terms('[0.5, "ZZ"]'), {}, "e.toml: model.terms[0]", 'Fix: write ["ZZ", 0.5]'),
    "term_bare": (terms('"ZZ"'), {}, "e.toml: model.terms[0]", 'Fix: write ["ZZ", 1.0]'),
    "term_complex": (terms('["ZZ", "0.5+2j"]'), {}, "e.toml: model.terms[0]", 'Fix: write ["ZZ", 0.5]'),
    "sigma": (generator('kind = "ckg"\nsigma_E = 1e-300'), {}, "e.toml: generator.sigma_E", "1e-300"),
    "window": (generator('kind = "coarse_grained"\nwindow = 1e-300'), {}, "e.toml: generator.window", "1e-300"),
    "filter_huge": (
        generator('filter = "f.csv"'),
        {"f.csv": FLAT.format("1e308")},
        "e.toml: generator.filter",
        "f.csv has '-10, 1e308'",
    ),
    "filter_cell": (generator('filter = "f.csv"'), {"f.csv": FLAT.format("x")}, "e.toml: generator.filter", "'-10, x'"),
    "filter_slip": (generator('filter = "metropoliss"'), {}, "e.toml: generator.filter", 'Fix: use "metropolis"'),
    "bath_huge": (
        generator('kind = "davies"\nbath = "b.csv"'),
        {"b.csv": "omega,G\n0,1e308\n1,1e308\n2,1e308\n3,1\n"},
        "b.csv: spectrum",
        "G(0) = 1e+308",
    ),
    "bath_slip": (
        generator('kind = "davies"\nbath = {cutof = 3}'),
        {},
        "e.toml: generator.bath.cutof",
        "write cutoff = 3",
    ),
    "name_surrogate": (
        '[model]\nfile = "m.json"\nbeta = 1.0\n',
        {"m.json": '{"num_qubits": 1, "name": "\\ud800", "terms": [["Z", 1]]}'},
        "m.json: name",
        "'\\ud800' was found. Fix: write \"m\"",
    ),
    "name_escape": (
        '[model]\nfile = "m.json"\nbeta = 1.0\n',
        {"m.json": '{"num_qubits": 1, "name": "\\u001b[31mred", "terms": [["Z", 1]]}'},
        "m.json: name",
        '"[31mred"',
    ),
    "file_key": (
        '[model]\nfile = "m.json"\nbeta = 1.0\n',
        {"m.json": '{"num_qubit": 1, "terms": [["Z", 1]]}'},
        "m.json: num_qubit",
        "Fix: write num_qubits = 1",
    ),
    "key_escape": (MODEL + '[run]\n"\\u001b[31m\\u202e" = 1\n', {}, "e.toml: run.\\x1b[31m\\u202e", "unknown"),
    "key_long": (MODEL + f"[run]\n{'k' * 100_000} = 1\n", {}, "e.toml: run.kkk", "backend, shots"),
    "value_long": (MODEL + f'[run]\nbackend = "{"v" * 100_000}"\n', {}, "e.toml: run.backend", "Fix: set backend"),
    "sections": (MODEL + "[runs]\nshots = 3\n", {}, "e.toml: runs", "Fix: write run"),
    "key_outside": ("shots = 3\n" + MODEL, {}, "e.toml: shots", "Fix: write [run] above it"),
    "site": ('[model]\nname = "tfim"\nsite = 4\nbeta = 1.0\n', {}, "e.toml: model.site", "Fix: write sites = 4"),
    "site_text": (
        '[model]\nname = "tfim"\nsites = "4"\nbeta = 1.0\n',
        {},
        "e.toml: model.sites",
        "Fix: set sites = 4.",
    ),
    "site_float": (
        '[model]\nname = "tfim"\nsites = 3.0\nbeta = 1.0\n',
        {},
        "e.toml: model.sites",
        "Fix: set sites = 3.",
    ),
    "nam": ('[model]\nnam = "tfim"\nbeta = 1.0\n', {}, "e.toml: model.name", 'Fix: write name = "tfim"'),
    "beta_text": ('[model]\nname = "tfim"\nbeta = "0.5"\n', {}, "e.toml: model.beta", "Fix: set beta = 0.5."),
    "beta_sign": ('[model]\nname = "tfim"\nbeta = -2\n', {}, "e.toml: model.beta", "Fix: set beta = 2.0."),
    "periodic": (
        '[model]\nname = "tfim"\nsites = 2\nperiodic = true\nbeta = 1.0\n',
        {},
        "e.toml: model.periodic",
        "sites = 3",
    ),
    "periodic_text": (
        '[model]\nname = "tfim"\nsites = 3\nperiodic = "true"\nbeta = 1.0\n',
        {},
        "e.toml: model.periodic",
        "Fix: set periodic = true",
    ),
    "fields": (
        '[model]\nname = "xxz"\nsites = 2\nfields = [0.3]\nbeta = 1.0\n',
        {},
        "e.toml: model.fields",
        "Fix: set fields = [0.3, 0.0]",
    ),
    "shots_text": (MODEL + '[run]\nshots = "4000"\n', {}, "e.toml: run.shots", "Fix: set shots = 4000."),
    "shots_float": (MODEL + "[run]\nshots = 4e3\n", {}, "e.toml: run.shots", "Fix: set shots = 4000."),
    "shots_many": (MODEL + f"[run]\nshots = {10**30}\n", {}, "e.toml: run.shots", f"Fix: set shots = {10**9}."),
    "policy": (
        MODEL + '[run]\nancilla_policy = "rset"\n',
        {},
        "e.toml: run.ancilla_policy",
        'ancilla_policy = "reset"',
    ),
    "per_cent": (MODEL + "[compile]\ntarget_error = 10\n", {}, "e.toml: compile.target_error", "<= 1"),
    "bits": (MODEL + '[run]\ninitial = "111"\n', {}, "e.toml: run.initial", 'Fix: set initial = "one"'),
    "bits_mixed": (MODEL + '[run]\ninitial = "011"\n', {}, "e.toml: run.initial", "leave out 1 bit"),
    "initial_slip": (MODEL + '[run]\ninitial = "mixd"\n', {}, "e.toml: run.initial", 'Fix: set initial = "mixed"'),
    "couplings_small": (generator('couplings = "xz"'), {}, "e.toml: generator.couplings", 'Fix: set couplings = "XZ"'),
    "couplings_label": (
        generator('couplings = "YY"'),
        {},
        "e.toml: generator.couplings",
        'Fix: set couplings = ["YY"]',
    ),
    "backend_slip": (
        MODEL + '[run]\nbackend = "aer_density_matri"\n',
        {},
        "e.toml: run.backend",
        '"aer_density_matrix"',
    ),
    "snapshot_slip": (
        MODEL + '[run]\nbackend = "fake_tornio"\n',
        {},
        "e.toml: run.backend",
        'Fix: write "fake_torino"',
    ),
    "empty": ("", {}, "e.toml: the file", "it is empty"),
    "comment": ("# nothing yet\n", {}, "e.toml: the file", "it is empty"),
    "no_model": ("[run]\nshots = 3\n", {}, "e.toml: model", "no such section"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path, text: str, files: dict[str, str]) -> None:
    (folder / "e.toml").write_text(text)
    for name, content in files.items():
        (folder / name).write_text(content)


@pytest.mark.parametrize("case", REFUSED)
def test_compile__refuses_with_key_value_and_remedy__in_one_line(
    case: str, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text, files, subject, says = REFUSED[case]
    written(folder, text, files)
    assert cli.status(["compile", "e.toml"]) == 2
    out, err = capfd.readouterr()
    line = err.removesuffix("\n")
    assert out == ""
    assert line.isprintable()
    assert len(line) <= 400
    assert line.startswith(subject)
    assert says in line
    assert re.fullmatch(r".+ must \S.*, but \S.*\. Fix: \S.*\.", line)


READ: dict[str, tuple[str, dict[str, str]]] = {
    "qasm2": (START, {"s.qasm": QASM2 + "creg c[2]; u3(0.1, 0.2, 0.3) q[0]; cx q[0], q[1]; measure q -> c;"}),
    "qasm2_comments": (START, {"s.qasm": "// a start\n// OPENQASM 3\n" + QASM2 + "h q[0];"}),
    "qasm3": (START, {"s.qasm": QASM + "gate g(t) a { rx(t) a; } g(0.3) q[0]; ctrl @ x q[0], q[1]; barrier q;"}),
    "number_in_quotes": (terms('["ZZ", "-0.4738"]', '["XI", 0.3]'), {}),
    "pair": (terms('["ZZ", [0.5, 0.0]]', '["XI", 0.3]'), {}),
    "couplings_equal": (generator("couplings = " + str(300 * [[["XI", 1.0]]]).replace("'", '"')), {}),
    "basis_u": (TARGET, {"t.toml": AER + 'basis = ["u", "cx"]'}),
    "basis_rzz": (TARGET, {"t.toml": AER + 'basis = ["rz", "sx", "rzz"]'}),
    "observable_label": (MODEL + '[observables]\nm = "ZZ"\n', {}),
    "minimal": ('model = {name = "tfim", sites = 2, beta = 1.0}', {}),
}


@pytest.mark.parametrize("case", READ)
def test_compile__reads__what_leaves_no_doubt(case: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, files = READ[case]
    knobs = "" if "[compile]" in text else "\n[compile]\nsweeps = 1\nnodes = 3\nspacing = 0.5\nstrength = 0.3\n"
    written(folder, text + knobs, files)
    assert cli.status(["compile", "e.toml", "--json"]) == 0, capsys.readouterr().err
    json.loads(capsys.readouterr().out)


def test_minimal__is_what_the_refusal_of_an_empty_file_says(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(folder, "", {})
    assert cli.status(["exact", "e.toml"]) == 2
    fix = capsys.readouterr().err.partition("Fix: write ")[2].strip().removesuffix(".")
    written(folder, fix, {})
    assert cli.status(["exact", "e.toml"]) == 0


def test_start__qasm2__prepares_what_it_says(folder: Path) -> None:
    (folder / "s.qasm").write_text(QASM2 + "h q[0];\ncx q[0],q[1];\nu3(pi,0,pi) q[1];\n")
    program = gc.compile(gc.dll(gc.models.tfim(2), 1.0), sweeps=1, nodes=3, spacing=0.5, strength=0.3)
    psi = gc.circuit(program, initial="s.qasm")
    start = psi.copy_empty_like()
    for item in psi.data[:3]:
        start.append(item)
    state = Statevector(start).data[:4]
    assert np.allclose(np.abs(state), [0, math.sqrt(0.5), math.sqrt(0.5), 0], atol=1e-12)


def test_snapshot_backend__knows_the_slip__client_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "qiskit_ibm_runtime", None)
    devices.snapshot_backend.cache_clear()
    with pytest.raises(ArgumentError, match=r'fake_tornio.*Fix: write "fake_torino"'):
        devices.snapshot_backend("fake_tornio")
    with pytest.raises(ArgumentError, match="pip install"):
        devices.snapshot_backend("fake_torino")
    devices.snapshot_backend.cache_clear()


def test_known_snapshots__are_the_clients__all_of_them() -> None:
    provider = pytest.importorskip("qiskit_ibm_runtime.fake_provider")
    names = {devices._snake(cls) for cls in vars(provider).values() if devices._is_snapshot(cls)}
    assert set(devices.KNOWN_SNAPSHOTS) <= names


# --- Python


PAIR = SparsePauliOp.from_list([("ZZ", -1.0), ("XI", 0.5), ("IX", 0.4)])
SAME_MODEL: dict[str, Callable[[], gc.Model]] = {
    "list_of_operator": lambda: gc.models.from_terms(PAIR.to_list()),
    "numpy": lambda: gc.models.from_terms([(label, np.float64(c.real)) for label, c in PAIR.to_list()]),
    "text": lambda: gc.models.from_terms([(label, str(c.real)) for label, c in PAIR.to_list()]),  # type: ignore[misc]
    "pairs": lambda: gc.models.from_terms([(label, [c.real, 0.0]) for label, c in PAIR.to_list()]),  # type: ignore[misc]
    "table": lambda: gc.models.from_terms({label: c.real for label, c in PAIR.to_list()}),
    "operator": lambda: gc.models.from_terms(PAIR),  # type: ignore[arg-type]
    "matrix": lambda: gc.Model(PAIR.to_matrix()),  # type: ignore[arg-type]
    "rows": lambda: gc.Model(PAIR.to_matrix().real.tolist()),
    "qiskit_operator": lambda: gc.Model(Operator(PAIR)),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("case", SAME_MODEL)
def test_model__is_the_same__however_it_is_written(case: str) -> None:
    found = SAME_MODEL[case]().hamiltonian
    assert np.allclose(found.to_matrix(), PAIR.to_matrix(), atol=1e-14)


def test_from_terms__reads__numpy_single_precision() -> None:
    assert gc.models.from_terms([("Z", np.float32(0.5))]).terms == (("Z", 0.5),)


def test_kinds__take_a_hamiltonian__for_a_model() -> None:
    sigma = gc.gibbs_state(PAIR, 1.0)  # type: ignore[arg-type]
    made = gc.dll(PAIR, 1.0)  # type: ignore[arg-type]
    assert np.allclose(gc.steady_state(made), sigma, atol=1e-9)
    assert gc.thermal(PAIR, 1.0).energy == pytest.approx(np.trace(sigma @ PAIR.to_matrix()).real)  # type: ignore[arg-type]


def test_read_model__takes__a_text_for_a_path(folder: Path) -> None:
    (folder / "h.json").write_text('{"num_qubits": 1, "terms": [["Z", 1.0]]}')
    assert gc.models.read_model("h.json").terms == (("Z", 1.0),)
    (folder / "b.csv").write_text("0,1\n1,0.5\n2,0.2\n3,0\n")
    assert gc.baths.read_bath("b.csv", 1.0).spectrum(0.0) == pytest.approx(1.0)


def test_expectation__takes__states_labels_models_and_either_order() -> None:
    model = gc.models.tfim(2)
    rho = gc.gibbs_state(model, 0.7)
    energy = float(np.trace(rho @ model.hamiltonian.to_matrix()).real)
    ev = gc.evolve(gc.dll(model, 1.0), rho, [0.0, 0.2])
    for O in (model, model.hamiltonian, model.hamiltonian.to_matrix()):
        assert gc.expectation(ev, O)[0] == pytest.approx(energy, abs=1e-9)
        assert gc.expectation(O, ev)[0] == pytest.approx(energy, abs=1e-9)  # type: ignore[arg-type]
    assert gc.expectation(rho, model) == pytest.approx(energy)
    assert gc.expectation(model, rho) == pytest.approx(energy)  # type: ignore[arg-type]
    assert gc.expectation(ev, "ZI").shape == (2,)
    assert gc.expectation(Statevector.from_label("01"), "IZ") == pytest.approx(-1)  # type: ignore[arg-type]
    assert gc.expectation(DensityMatrix.from_label("01"), "ZI") == pytest.approx(1)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="act on 2 qubits"):
        gc.expectation(ev, "ZII")


def test_evolve__takes__a_state_vector_for_its_matrix() -> None:
    generator, psi = gc.dll(gc.models.tfim(2), 1.0), np.array([1, 1j, 0, 0]) / math.sqrt(2)
    a, b = (gc.evolve(generator, start, [0.0, 0.3]).states for start in (psi, np.outer(psi, psi.conj())))
    assert np.allclose(a, b, atol=1e-12)
    with pytest.raises(ArgumentError, match="density matrix"):
        gc.evolve(generator, 2 * psi, [0.0])


def dissipator(operators: tuple[SparsePauliOp, ...]) -> Any:
    """Σ A ρ A† as a matrix on vec(ρ), which a unitary mixing of the A leaves as it is."""
    return sum(np.kron(A.to_matrix().conj(), A.to_matrix()) for A in operators)


def test_couplings__of_a_pair_and_its_adjoint__are_two_hermitian_ones() -> None:
    A = SparsePauliOp(["XI", "YI"], [0.5, 0.5j])  # lowers site 1
    made = couplings_of([A, A.adjoint()], 2)
    assert all(np.allclose(B.to_matrix(), B.to_matrix().conj().T) for B in made)
    assert np.allclose(dissipator(made), dissipator((A, A.adjoint())))
    generator = gc.dll(gc.models.tfim(2), 1.0, [A.to_matrix(), A.adjoint().to_matrix()])
    assert np.allclose(gc.steady_state(generator), gc.gibbs_state(gc.models.tfim(2), 1.0), atol=1e-9)
    with pytest.raises(ArgumentError, match=r"couplings\[0\]` must be Hermitian"):
        gc.dll(gc.models.tfim(2), 1.0, [A])


def test_couplings__equal_ones__are_one_that_is_stronger() -> None:
    model = gc.models.tfim(2)
    many, once = gc.dll(model, 1.0, 300 * ["XI"]), gc.dll(model, 1.0, [SparsePauliOp("XI", math.sqrt(300))])
    assert len(many.contacts) == 1
    assert np.allclose(superoperator(many), superoperator(once), rtol=1e-12)
    with pytest.raises(ArgumentError, match=r"couplings\[2\]"):
        gc.dll(model, 1.0, ["XI", "XI", "II"])


def test_observables__may_be__matrices_and_labels() -> None:
    program = gc.compile(gc.dll(gc.models.tfim(2), 1.0), sweeps=1, nodes=3, spacing=0.5, strength=0.3)
    Z = SparsePauliOp("ZI")
    found = gc.trajectories(program, "zero", 2, 1, observables={"a": Z.to_matrix(), "b": "ZI", "c": Z})  # type: ignore[dict-item]
    assert np.allclose(found.values["a"], found.values["b"])
    assert np.allclose(found.values["a"], found.values["c"])


def test_targets__complain_in_the_grammar__made_in_python() -> None:
    with pytest.raises(ArgumentError, match="`max_qubits` must be a whole number >= 1 and <= 1000, but 0 was found"):
        gc.AerTarget(name="t", kind="aer", max_qubits=0)
    with pytest.raises(ArgumentError, match=r"`metod`.*Fix: write method = "):
        gc.AerTarget(name="t", kind="aer", metod="automatic")  # type: ignore[call-arg]


def test_unknown_argument__is_named_with_its_near_miss__python() -> None:
    with pytest.raises(ArgumentError, match=r'`coupling`.*Fix: write couplings = "Y"'):
        gc.dll(gc.models.tfim(2), 1.0, coupling="Y")  # type: ignore[call-arg]


# --- lines


def test_one_line__shows__what_a_terminal_would_obey() -> None:
    assert one_line("a\x1b[31m\nb\ud800\u202e") == "a\\x1b[31m b\\ud800\\u202e"
    assert printable("plain Δ ≤ é") == "plain Δ ≤ é"
    assert shown("\x07" * 1000).isprintable()


def test_status__says_one_printable_line__whatever_the_command_line_holds(capfd: pytest.CaptureFixture[str]) -> None:
    for arguments in (["\x1b[31m" * 200], ["exact", "e.toml", "--\x07" + "a" * 1000], ["exact", "\x1b" + "b" * 5000]):
        assert cli.status(arguments) == 2
        line = capfd.readouterr().err.removesuffix("\n")
        assert line.isprintable()
        assert 0 < len(line) <= 400
        assert "Fix: " in line


def test_error_line__keeps_the_remedy__too_long() -> None:
    line = error_line("x" * 100_000 + ". Fix: set sweeps = 3.")
    assert len(line) <= 400
    assert line.endswith(". Fix: set sweeps = 3.")
    assert len(error_line("Fix: " + "y" * 100_000)) <= 400
    error = ArgumentError("k" * 10**5, "r" * 10**5, "f" * 10**5, "set it = 3", "p" * 10**5 + ".toml")
    assert len(str(error)) <= 400
    assert str(error).endswith("Fix: set it = 3.")
    assert ".toml: kk" in str(error)
    assert " must rr" in str(error)
    assert ", but ff" in str(error)
