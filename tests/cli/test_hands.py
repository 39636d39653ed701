"""What a user sees in Python and in a terminal: one line per object, tables that fit, plain logs, QuTiP's matrices."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import threading
import time
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import qutip
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from qiskit.quantum_info import SparsePauliOp
from rich.cells import cell_len
from rich.console import Console

import gibbs_circuits as gc
from gibbs_circuits.cli import options as cli
from gibbs_circuits.cli import terminal
from gibbs_circuits.exact.spectral_gap.gap import Gap, unknown_gap
from gibbs_circuits.io import rendering
from gibbs_circuits.io.rendering import as_html, as_table, as_text, brief, narrowed
from gibbs_circuits.io.section import Section

ROOT = Path(__file__).parents[2]
MODEL = gc.Model(SparsePauliOp(["ZZ", "IX", "XI", "IZ"], [-1.0, -0.9, -0.6, -0.35]), "lopsided")
LONG = "x" * 200


@pytest.fixture(scope="module")
def comparison() -> gc.Comparison:
    generator = gc.dll(MODEL, 1.0, "Y")
    return gc.compare(gc.run(gc.compile(generator, sweeps=3, nodes=4, spacing=0.5, strength=0.6), realisations=2), 0.4)


@pytest.fixture(scope="module")
def objects(comparison: gc.Comparison) -> dict[str, Any]:
    """One of every kind that a user gets to see."""
    generator, program = comparison.run.program.generator, comparison.run.program
    wide = gc.Model(SparsePauliOp.from_sparse_list([("ZZ", [0, 150], 1.0), ("X", [3], 0.5)], num_qubits=200), LONG)
    ohmic = gc.baths.ohmic(1.0, 1.0, 5.0)
    kinds = [gc.davies(MODEL, 1.0, "Y"), gc.ule(MODEL, 1.0, "X"), gc.redfield(MODEL, 1.0, "X"), gc.ckg(MODEL, 1.0, "Y"),
             gc.coarse_grained(MODEL, 1.0, "X", window=2.0), gc.dll(wide, 1.0, "Y"),
             gc.dll(MODEL, 1.0, "Y", filter="metropolis"),
             gc.dll(MODEL, 1.0, filter=lambda nu: np.exp(-nu / 4 - nu**2)),
             gc.davies(gc.models.tfim(7), 1.0, "XYZ", bath=ohmic)]  # fmt: skip
    found: list[Any] = [
        *kinds, *(one.contacts[0] for one in kinds), *(one.contacts[0].kernel for one in kinds), *kinds[0].baths,
        wide, MODEL, generator, program, comparison, comparison.run, comparison.run.request, comparison.ledger,
        comparison.run.request.compiled, comparison.run.request.compiled.device, comparison.run.blocks[0],
        comparison.energy, comparison.prediction, comparison.temperature, comparison.certificate,
        comparison.exact, ohmic, gc.spectral_gap(generator), gc.evolve(generator, np.eye(4) / 4, np.linspace(0, 3, 4)),
        gc.cost(program), gc.trajectories(program, "zero", 5, 1, observables={LONG: MODEL.hamiltonian}),
        gc.discrete(MODEL, 1.0), replace(gc.baths.from_table(1.0, [0, 1, 2, 3], [0, 0.5, 0.4, 0]), name=LONG),
        gc.AerTarget(name=LONG, kind="aer"), gc.thermal(MODEL, 1.0), gc.faster(gc.dll(gc.models.tfim(2), 3.0, "Z")),
        gc.extrapolate(generator, sweeps=2, strength=0.4, nodes=4, spacing=0.5),
        gc.certificate(gc.discrete(MODEL, 1.0)),
    ]  # fmt: skip
    return {f"{k}_{type(one).__name__}": one for k, one in enumerate(found) if one is not None}


def test_repr__is_short_and_on_one_line__every_object(objects: dict[str, Any]) -> None:
    assert len({type(one) for one in objects.values()}) > 25
    wrong = {name: repr(one) for name, one in objects.items() if "\n" in repr(one) or len(repr(one)) > 100}
    assert wrong == {}
    nameless = {name for name, one in objects.items() if not repr(one).startswith(f"{type(one).__name__}(")}
    assert nameless == set()


def test_repr__control__a_dataclass_of_its_own_prints_arrays(objects: dict[str, Any]) -> None:
    evolution = next(one for one in objects.values() if isinstance(one, gc.Evolution))
    plain = f"Evolution(times={evolution.times!r}, states={evolution.states!r})"
    assert "\n" in plain
    assert len(plain) > 100


def test_repr__says_what_matters(comparison: gc.Comparison) -> None:
    said = {
        repr(gc.baths.ohmic(0.5, 2.0, 5.0)): ("ohmic", "β = 0.5", "strength 2"),
        repr(gc.evolve(gc.dll(MODEL, 1.0), np.eye(4) / 4, [0, 1.5])): ("2 states", "2 qubits", "0 … 1.5"),
        repr(comparison): ("agrees", "trace distance", "energy"),
        repr(comparison.certificate): ("residual", "bias", "gap", "steady states 1"),
        repr(gc.spectral_gap(gc.dll(MODEL, 1.0, "Y"))): ("±",),
    }
    for text, words in said.items():
        for word in words:
            assert word in text


def test_html__is_well_formed__every_table(objects: dict[str, Any]) -> None:
    tables = {name: one for name, one in objects.items() if hasattr(one, "_repr_html_")}
    assert len(tables) > 12
    for one in tables.values():
        root = ElementTree.fromstring(f"<div>{one._repr_html_()}</div>")
        for table in root.iter("table"):
            widths = {len(row) for row in table.iter("tr")}
            assert len(widths) == 1
            assert widths.pop() >= 2


def test_html__has_the_rows_of_the_text__and_escapes() -> None:
    table = Section("a < b & c", ("what", "value"), (("<script>", "x & y"),), "1 < 2")
    html = as_html(table, Section("Verdict: <b>", note="second line"))
    root = ElementTree.fromstring(f"<div>{html}</div>")
    assert [cell.text for cell in root.iter("td")] == ["<script>", "x & y"]
    assert [cell.text for cell in root.iter("th")] == ["what", "value"]
    assert [p.text for p in root.iter("p")][-2:] == ["Verdict: <b>", "second line"]
    assert "<script>" not in html
    assert "a < b & c" in as_text(table)


def test_print__tables_stay__certificate_and_comparison(comparison: gc.Comparison) -> None:
    lines = str(comparison.certificate).splitlines()
    assert lines[1].split() == ["residual", f"{comparison.certificate.residual:.6g}", "measured"]
    assert "Verdict: agrees" in str(comparison)
    assert "\x1b" not in str(comparison)


@pytest.mark.parametrize(
    ("value", "text"),
    [(np.zeros((2, 3)), "array 2 × 3"), (1 / 3, "0.333333"), (None, "none"), ((), "none"), ([1, 2.5], "1, 2.5"),
     (list(range(99)), "99 entries"), ({"a": 1}, "a 1"), (len, "len"), (SparsePauliOp("ZX", 2.0), "+2 ZX"),
     (np.float64(0.5), "0.5"), ("a\nb", "a b")],
)  # fmt: skip
def test_brief__a_value_in_a_few_characters(value: object, text: str) -> None:
    assert brief(value) == text


# --- a gap is a number


def test_gap__plots__and_an_unknown_one_leaves_a_hole() -> None:
    gaps = [gc.spectral_gap(gc.dll(MODEL, beta, "Y")) for beta in (0.5, 1.0)] + [unknown_gap("too large")]
    figure = Figure()
    FigureCanvasAgg(figure)
    (line,) = figure.subplots().plot([0.5, 1.0, 2.0], gaps)
    figure.canvas.draw()
    drawn = np.asarray(line.get_ydata(), dtype=float)
    assert drawn[:2] == pytest.approx([float(gaps[0].value or 0), float(gaps[1].value or 0)])
    assert np.isnan(drawn[2])
    assert np.array(gaps).dtype == float
    assert np.sqrt(np.asarray(gaps[0])) == pytest.approx(float(gaps[0]) ** 0.5)


@pytest.mark.parametrize(
    ("gap", "number", "text"),
    [
        (Gap(0.25, 1e-14), 0.25, "Gap(0.25 ± 1e-14)"),
        (Gap(1e-16, 1e-14), np.nan, "Gap(below 1e-13)"),
        (Gap(0.0, 1e-14, growth=0.3), np.nan, "Gap(none: something grows at 0.3)"),
        (unknown_gap("nothing decays"), np.nan, "Gap(not known: nothing decays)"),
    ],
)
def test_gap__a_number_where_it_is_resolved__else_none(gap: Gap, number: float, text: str) -> None:
    assert float(gap) == pytest.approx(number, nan_ok=True)
    assert repr(gap) == text
    assert f"{gap:.3f}" == f"{number:.3f}"
    assert f"{gap}" == text


def test_estimate__is_a_number_too(comparison: gc.Comparison) -> None:
    assert float(comparison.energy) == comparison.energy.value
    assert np.array([comparison.energy]).dtype == float


# --- QuTiP


GENERATORS = {
    "dll": lambda: gc.dll(MODEL, 0.8, "Y"),
    "metropolis": lambda: gc.dll(MODEL, 0.8, "X", filter="metropolis"),
    "ckg": lambda: gc.ckg(MODEL, 0.8, "Y"),
    "davies": lambda: gc.davies(MODEL, 0.8, ["IX", "YI"]),
    "ule": lambda: gc.ule(MODEL, 0.8, "X"),
    "without_coherent": lambda: gc.dll(MODEL, 0.8, "Y", coherent="none"),
    "local": lambda: gc.local(MODEL, 0.8, "Y"),
}


def in_qutip(S: np.ndarray, n: int) -> qutip.Qobj:
    return qutip.Qobj(S, dims=[[[2] * n] * 2] * 2, superrep="super")


@pytest.mark.parametrize("hamiltonian", [False, True])
@pytest.mark.parametrize("kind", GENERATORS)
def test_jumps_and_superoperator__are_one_generator__by_qutip(kind: str, hamiltonian: bool) -> None:
    generator = GENERATORS[kind]()
    n = generator.num_qubits
    dims = [[2] * n] * 2
    jumps = [qutip.Qobj(L, dims=dims) for L in generator.jump_operators()]
    H = qutip.Qobj(generator.hamiltonian_part(hamiltonian=hamiltonian), dims=dims)
    assert H.isherm
    theirs, ours = qutip.liouvillian(H, jumps), in_qutip(generator.superoperator(hamiltonian=hamiltonian), n)
    size = np.linalg.norm(theirs.full())
    assert np.linalg.norm((theirs - ours).full()) <= 1e-12 * size
    if hamiltonian:  # the control: the other stacking, which turns the sign of what is imaginary
        row_stacked = ours.full().reshape(4, 4, 4, 4).transpose(1, 0, 3, 2).reshape(16, 16)
        assert np.linalg.norm(theirs.full() - row_stacked) > 1e-3 * size


@pytest.mark.parametrize("kind", ["dll", "ckg", "davies"])
def test_superoperator__steady_state_of_qutip__is_the_gibbs_state(kind: str) -> None:
    generator = GENERATORS[kind]()
    found = qutip.steadystate(in_qutip(generator.superoperator(hamiltonian=True), 2)).full()
    z, x, one = qutip.sigmaz(), qutip.sigmax(), qutip.qeye(2)
    # qubit 0 is the rightmost letter, and the last factor of QuTiP's tensor product
    H = -qutip.tensor(z, z) - 0.9 * qutip.tensor(one, x) - 0.6 * qutip.tensor(x, one) - 0.35 * qutip.tensor(one, z)
    gibbs = (-0.8 * H).expm()
    assert np.linalg.norm(found - (gibbs / gibbs.tr()).full()) < 1e-8
    turned = -qutip.tensor(z, z) - 0.9 * qutip.tensor(x, one) - 0.6 * qutip.tensor(one, x) - 0.35 * qutip.tensor(z, one)
    other = (-0.8 * turned).expm()
    assert np.linalg.norm(found - (other / other.tr()).full()) > 1e-2  # the control: qubits the other way round


def test_jump_operators__one_per_coupling_of_a_filter__with_its_rate() -> None:
    jumps = gc.dll(MODEL, 0.8, "XY").jump_operators()
    assert [L.shape for L in jumps] == [(4, 4)] * 4
    stronger = gc.dll(MODEL, 0.8, [SparsePauliOp("IX", 2.0)]).jump_operators()
    assert np.allclose(stronger[0], 2 * gc.dll(MODEL, 0.8, [SparsePauliOp("IX")]).jump_operators()[0])


def test_jump_operators__refused__where_there_are_none_or_too_many() -> None:
    with pytest.raises(gc.ArgumentError, match="completely positive") as caught:
        gc.redfield(MODEL, 1.0, "X").jump_operators()
    assert "superoperator()" in caught.value.fix
    assert gc.redfield(MODEL, 1.0, "X").superoperator().shape == (16, 16)
    with pytest.raises(gc.TooLargeError, match="5 qubits"):
        gc.dll(gc.models.tfim(6), 1.0).superoperator()
    with pytest.raises(gc.TooLargeError, match="2 GiB"):
        gc.dll(gc.models.tfim(11), 1.0, "XYZ").jump_operators()


def test_discrete__superoperator__keeps_trace_and_gibbs_state() -> None:
    channel = gc.discrete(MODEL, 0.8)
    S, sigma = channel.superoperator(), gc.gibbs_state(MODEL, 0.8)
    assert np.allclose(S @ sigma.reshape(-1, order="F"), sigma.reshape(-1, order="F"), atol=1e-12)
    assert np.allclose(np.eye(4).reshape(-1) @ S, np.eye(4).reshape(-1), atol=1e-12)
    assert in_qutip(S, 2).iscp


# --- widths


@pytest.mark.parametrize(("columns", "width"), [("60", 60), ("80", 80), ("120", 120), (None, 100), ("x", 100)])
def test_exact__piped__as_wide_as_columns_says(
    columns: str | None, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    assert cli.status(["exact", str(ROOT / "experiments" / "h2.toml")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(cell_len, lines)) == width
    first = [line.split("│")[1].strip() for line in lines if line.startswith("│")]
    labels = [cell for cell in first if cell]
    assert "residual ‖L(σ)‖ / ‖L‖‖σ‖" in labels  # in one line at any of these widths
    assert len(labels) <= {60: 29, 80: 26, 100: 22, 120: 20}[width]  # 20 rows; 35 lines at 80 before
    assert not any(line.rstrip() != line or "\x1b" in line for line in lines)


@pytest.mark.parametrize(
    ("columns", "width", "widths"),
    [
        ([["what", "abc def"], ["1.5", "2"]], 40, [7, 6]),
        ([["a b c d e f g h i j"], ["measured"]], 20, [12, 8]),
        ([["word " * 20], ["measured"], ["0.123456"]], 40, [24, 8, 8]),
        ([["x" * 50], ["y" * 50]], 30, [15, 15]),
        ([["x" * 50], ["y" * 50]], 3, [6, 6]),
    ],
)
def test_narrowed__the_long_text_gives_way__words_stay_whole(
    columns: list[list[str]], width: int, widths: list[int]
) -> None:
    assert narrowed(columns, width) == widths


def test_fitted__control__rich_alone_makes_columns_alike() -> None:
    table = Section("t", ("what", "value", "status"), (
        ("a long label that says what the number is about", "0.5", "measured"),
        ("short", "a long remark that comes in place of a value", "proved from the measured gap"),
    ))  # fmt: skip
    ours = as_text(table, width=70).splitlines()
    buffer = StringIO()
    Console(file=buffer, width=70, color_system=None).print(as_table(table))
    assert len(ours) < len(buffer.getvalue().splitlines())


@pytest.mark.parametrize("name", ["compile", "run"])
def test_commands__at_60_columns__fit(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "small.toml"
    path.write_text('[model]\nname = "tfim"\nsites = 2\nbeta = 1.0\n[compile]\nsweeps = 3\nnodes = 4\nspacing = 0.5\n'
                    'strength = 0.6\n')  # fmt: skip
    for width in (60, 80, 120):
        monkeypatch.setenv("COLUMNS", str(width))
        assert cli.status([name, str(path), *(["--dry-run"] if name == "run" else [])]) == 0
        out = capsys.readouterr().out
        assert max(map(cell_len, out.splitlines())) == width
        for word in ("quadrature", "measured", "distance", "two-qubit"):
            assert word in out  # unbroken


# --- progress and colour


def test_progress__in_a_log__a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GIBBS_CIRCUITS_PROGRESS", "0.1")
    with terminal.progress() as (stage, step):
        stage("first")
        time.sleep(0.25)
        for k in range(50):
            step(k, 50)
            time.sleep(0.005)
    lines = capsys.readouterr().err.splitlines()
    assert 2 <= len(lines) <= 6  # half a second, a line every tenth at most
    assert lines[0] == "0 s: first"
    assert lines[1] == "0 s: still first"
    assert "realisation" in lines[-1]
    assert not any("\x1b" in line or "\r" in line for line in lines)


def test_progress__quick__says_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("GIBBS_CIRCUITS_PROGRESS")
    with terminal.progress() as (stage, step):
        stage("certificate")
        step(1, 2)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("asked", "seconds"), [(None, 4.0), ("2.5", 2.5), ("soon", 4.0), ("0", np.inf), ("-1", np.inf)]
)
def test_progress__as_often_as_asked(asked: str | None, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GIBBS_CIRCUITS_PROGRESS")
    if asked is not None:
        monkeypatch.setenv("GIBBS_CIRCUITS_PROGRESS", asked)
    assert terminal.every() == min(seconds, threading.TIMEOUT_MAX)


def test_progress__an_error_inside__ends_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIBBS_CIRCUITS_PROGRESS", "0.01")
    with pytest.raises(ZeroDivisionError), terminal.progress():
        raise ZeroDivisionError
    assert not [t for t in threading.enumerate() if t.name == "progress"]


def on_a_terminal(arguments: list[str], **environment: str) -> str:
    """What a command writes when standard output and error are a terminal."""
    ours, theirs = pty.openpty()
    code = f"import sys; from gibbs_circuits.cli.options import status; sys.exit(status({arguments!r}))"
    clean = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "TERM", "CI", "COLUMNS")}
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs,
        env={**clean, "TERM": "xterm-256color", **environment},
    )  # fmt: skip
    os.close(theirs)
    said = b""
    while True:
        ready, _, _ = select.select([ours], [], [], 60)
        try:
            read = os.read(ours, 65536) if ready else b""
        except OSError:  # the other end is closed
            read = b""
        if not read:
            break
        said += read
    os.close(ours)
    assert process.wait(30) in (0, 2)
    return said.decode()


@pytest.mark.parametrize("arguments", [["exact", "experiments/mixed_field_ising.toml"], ["--help"], ["--wrong"]])
def test_no_color__on_a_terminal__no_control_code(arguments: list[str]) -> None:
    assert "\x1b" not in on_a_terminal(arguments, NO_COLOR="1")


def test_no_color__control__there_are_some_without() -> None:
    assert "\x1b" in on_a_terminal(["--help"])
    assert "\x1b" not in on_a_terminal(["--help"], TERM="dumb")


def test_status__a_page_without_greek__shows_numbers() -> None:
    code = (
        "import sys; from gibbs_circuits.cli.options import status; sys.exit(status(['exact', 'experiments/h2.toml']))"
    )
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env=environment)
    assert ran.returncode == 0, ran.stderr
    assert "\\u03b2 = 2" in ran.stdout


def test_width__is_said_once() -> None:
    assert rendering.WIDTH == 100
