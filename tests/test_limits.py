"""Sizes are refused before anything is read or allocated, and a million sweeps cost what one costs."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import time
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from qiskit.quantum_info import Pauli, SparsePauliOp

import gibbs_circuits as gc
from gibbs_circuits import limits
from gibbs_circuits.backends.measurement.counts import _in_order, covers
from gibbs_circuits.errors import ArgumentError, InvalidModelError, TooLargeError
from gibbs_circuits.experiments import qasm_size as qasm
from gibbs_circuits.experiments.choices import make_initial
from gibbs_circuits.generators.frequency import local_frequency
from gibbs_circuits.generators.lamb_shift import UniversalLamb
from gibbs_circuits.io import memory, text
from gibbs_circuits.io.tables import read_table
from gibbs_circuits.linalg.maps import Matrix
from gibbs_circuits.linalg.overlap import Overlaps, all_commute
from gibbs_circuits.readings.channel.paths import filled, leaps, path

SECONDS, GIB = 60.0, 4  # of processor time and of address space; a busy machine does not change the first
COMMAND = "from gibbs_circuits.cli.options import main; main()"
EXPERIMENT = """
[model]
name = "tfim"
sites = {sites}
beta = {beta}
[generator]
kind = "{kind}"
{generator}
couplings = "Y"
[compile]
scheme = "{scheme}"
sweeps = {sweeps}
[run]
shots = 1000
{run}
"""


def experiment(folder: Path, **values: object) -> Path:
    defaults = {"sites": 2, "beta": 1.0, "kind": "dll", "generator": "", "scheme": "parallel", "sweeps": 4, "run": ""}
    file = folder / "e.toml"
    file.write_text(EXPERIMENT.format(**{**defaults, **values}))
    return file


def command(*arguments: str | Path, seconds: float = SECONDS, gib: float = GIB) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own that is killed above a processor time and an address space."""

    def guarded() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (int(gib * 2**30),) * 2)
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds),) * 2)

    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "GIBBS_CIRCUITS_DEBUG": ""}
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=10 * seconds,
        preexec_fn=guarded, env=environment, cwd=Path(gc.__file__).parents[1],
    )  # fmt: skip


def refused(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 2, done.stderr[-500:]
    (line,) = done.stderr.strip().splitlines()
    assert "Fix:" in line
    assert len(line) <= 400
    return line


def test_command__is_guarded__a_process_that_takes_too_much_is_ended() -> None:
    """The control of the helper: neither limit is decoration."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "COMMAND", "while True: pass")
        assert command(seconds=2).returncode < 0
        patch.setitem(globals(), "COMMAND", "bytes(3 * 2**30)")
        assert "MemoryError" in command(gib=2).stderr


# what a file may hold


@pytest.mark.parametrize(
    ("qubits", "fine"), [(limits.MAX_SITES, True), (limits.MAX_SITES + 1, False), (100_000, False)]
)
def test_terms__labels__are_as_wide_as_any_model(qubits: int, fine: bool) -> None:
    made = (
        lambda: gc.models.from_terms([("Z" * qubits, 1.0)]),
        lambda: gc.Model(SparsePauliOp.from_sparse_list([("Z", [0], 1.0)], num_qubits=qubits)),
    )
    for make in made:
        if fine:
            assert make().num_qubits == qubits
            continue
        begun = time.process_time()
        with pytest.raises(InvalidModelError, match=rf"at most {limits.MAX_SITES} qubits, but it acts on {qubits}"):
            make()
        assert time.process_time() - begun < 1


def test_terms__their_number__is_bounded_by_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gibbs_circuits.models.model.MAX_LETTERS", 6)
    assert len(gc.models.from_terms([("ZZ", 1.0), ("XI", 1.0), ("IX", 1.0)]).terms) == 3
    with pytest.raises(InvalidModelError, match="at most 6 letters"):
        gc.models.from_terms([("ZZ", 1.0), ("XI", 1.0), ("IX", 1.0), ("YI", 1.0)])


def test_couplings__their_number__is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gibbs_circuits.generators.couplings.MAX_COUPLINGS", 2)
    model = gc.models.tfim(2)
    assert len(gc.dll(model, 1.0, ["XI", "IX"]).contacts) == 2
    with pytest.raises(InvalidModelError, match="at most 2 operators, but 3"):
        gc.dll(model, 1.0, ["XI", "IX", "YI"])


def test_inline_terms__of_100000_letters__are_refused_at_once(tmp_path: Path) -> None:
    file = experiment(tmp_path)
    file.write_text(file.read_text().replace('name = "tfim"\nsites = 2', f'terms = [["{"Z" * 100_000}", 1.0]]'))
    assert "at most 2000 qubits, but it acts on 100000" in refused(command("exact", file, seconds=15, gib=2))


START = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
DOUBLING = "gate g0 a { x a; }\n" + "".join(f"gate g{k} a {{ g{k - 1} a; g{k - 1} a; }}\n" for k in range(1, 40))
STARTS = {
    "a billion qubits": (START + "qubit[1000000000] q;\n", "prepare 2 qubits"),
    "in two registers": (START + "qubit[2] q;\nqubit[1] r;\n", "prepare 2 qubits"),
    "by a constant": (START + "const int n = 1_000_000_000;\nqubit[n] q;\n", "prepare 2 qubits"),
    "by a sum": (START + "qubit[10**9] q;\n", "whole numbers"),
    "of digits": (START + f"qubit[{'9' * 5000}] q;\n", "prepare 2 qubits"),
    "bits": (START + "bit[1000000000] c;\nqubit[2] q;\n", "prepare 2 qubits"),
    "version 2": ('OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1000000000];\n', "prepare 2 qubits"),
    "doubling": (START + DOUBLING + "qubit[2] q;\ng39 q[0];\n", "unfold to at most 100,000 gates"),
    "a power": (START + "gate g a { x a; }\nqubit[2] q;\npow(1000000000) @ g q[0];\n", "unfold"),
    "long": (START + "qubit[2] q;\n" + "x q[0];\n" * 40_000, "at most 262,144 characters"),
}


@pytest.mark.parametrize("case", STARTS)
def test_start__too_large__is_refused_before_it_is_parsed(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, said = STARTS[case]
    (tmp_path / "s.qasm").write_text(content)
    monkeypatch.setattr("qiskit.qasm3.loads", lambda text: pytest.fail("it was parsed"))
    with pytest.raises(ArgumentError, match=said):
        make_initial("s.qasm", 2, tmp_path)


@pytest.mark.parametrize("case", ["a billion qubits", "doubling"])
def test_start__too_large__costs_the_command_line_nothing(case: str, tmp_path: Path) -> None:
    (tmp_path / "s.qasm").write_text(STARTS[case][0])
    file = experiment(tmp_path, run='initial = "s.qasm"')
    assert "run.initial" in refused(command("compile", file, seconds=15, gib=2))


FINE = {
    "gates": START + "qubit[2] q;\nh q[0];\ncx q[0], q[1];\n",
    "a definition": START + "gate bell a, b { h a; cx a, b; }\nqubit[2] q; // qubit[9] r;\nbell q[0], q[1];\n",
    "halved": START + "gate g0 a { x a; }\ngate g1 a { g0 a; g0 a; }\nqubit[1] q;\nqubit r;\ng1 q[0];\n",
}


@pytest.mark.parametrize("case", FINE)
def test_start__of_usual_size__is_read(case: str, tmp_path: Path) -> None:
    """The control: the guard lets through what people write."""
    (tmp_path / "s.qasm").write_text(FINE[case])
    assert make_initial("s.qasm", 2, tmp_path).preparation is not None


def test_start__gates__are_those_of_the_unfolded_program() -> None:
    assert (
        qasm._unfolded("gate a x { h x; h x; } gate b x { a x; a x; h x; } qubit q; b q; b q;") == 11
    )  # with `qubit q`


def test_table__rows__are_counted_before_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "bath.csv"
    file.write_text("".join(f"{k / 100},1.0\n" for k in range(400_001)))
    for read in (lambda: gc.baths.read_bath(file, 1.0), lambda: read_table(file, "filter", (2,))):
        begun = time.process_time()
        with pytest.raises(ArgumentError, match=r"at most 10,000 rows, but .*400,001"):
            read()
        assert time.process_time() - begun < 1
    monkeypatch.setattr(text, "MAX_TABLE_ROWS", 400_001)
    assert len(text.read_rows(file, "filter")) == 400_001


@pytest.mark.parametrize("key", ["filter", "bath"])
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_table__no_regular_file__is_not_waited_for(key: str, kind: str, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    os.mkfifo(table) if kind == "pipe" else table.symlink_to("/dev/zero")
    chosen = "dll" if key == "filter" else "davies"
    file = experiment(tmp_path, kind=chosen, generator=f'{key} = "table.csv"')
    assert "file" in refused(command("exact", file, seconds=15, gib=2))


# commuting strings, without comparing all pairs


def labels(count: int, width: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list("IIIXYZ"), width)) for _ in range(count)]


@pytest.mark.parametrize("seed", range(5))
def test_overlaps__against_qiskit__every_pair(seed: int) -> None:
    some = labels(40, 5, seed)
    known = Overlaps(some)
    for label in some:
        expected = [k for k, other in enumerate(some) if not Pauli(label).commutes(Pauli(other))]
        assert known.anticommuting(label) == expected
        assert known.commutes(label) == (not expected)
    few = some[:3]
    assert all_commute(few) == all(Pauli(a).commutes(Pauli(b)) for a, b in combinations(few, 2))


@pytest.mark.parametrize("seed", range(3))
def test_bases__of_many_strings__cover_every_one(seed: int) -> None:
    some = [label for label in labels(60, 6, seed) if set(label) != {"I"}]
    bases = _in_order(some)
    assert all(any(covers(basis, label) for basis in bases) for label in some)
    assert len(bases) < len(set(some))
    chain = ["I" * k + "ZZ" + "I" * (4 - k) for k in range(5)] + ["I" * k + "X" + "I" * (5 - k) for k in range(6)]
    assert _in_order(chain) == ("ZZZZZZ", "XXXXXX")


def test_frequency__of_a_long_chain__is_that_of_a_short_one_and_takes_no_time() -> None:
    short = local_frequency(gc.dll(gc.models.tfim(7), 1.0, "Y"))
    begun = time.process_time()
    assert local_frequency(gc.dll(gc.models.tfim(300), 1.0, "Y")) == pytest.approx(short, rel=1e-12)
    assert time.process_time() - begun < 10


# many sweeps


@pytest.mark.parametrize("count", [1, 5, 512, 513, 1000, 12_345, 10**6])
def test_leaps__add_up__and_are_short_beside_what_is_done(count: int) -> None:
    sizes = list(leaps(count))
    done = np.cumsum([0, *sizes])
    assert done[-1] == count
    assert all(size & (size - 1) == 0 for size in sizes)
    assert all(size <= max(1, before / 64) for size, before in zip(sizes, done, strict=False))
    assert len(sizes) < 2000


def slow(gap: float) -> np.ndarray:
    """A channel of one qubit that mixes with 1 − gap per sweep and turns on the way, on column-stacked matrices."""
    phase = (1 - gap) * np.exp(0.7j)
    return np.array(
        [[1 - gap / 3, 0, 0, 2 * gap / 3], [0, phase, 0, 0], [0, 0, phase.conj(), 0], [gap / 3, 0, 0, 1 - 2 * gap / 3]]
    )


@pytest.mark.parametrize("repeats", [10, 700, 5000])
def test_path__against_sweep_by_sweep__where_it_looks(repeats: int) -> None:
    program = _program(repeats)
    channel, rho = slow(1e-3), np.array([[0.2, 0.3j], [-0.3j, 0.8]])
    counts, states = zip(*path(program, [Matrix(channel)], (rho,)), strict=True)
    assert counts[-1] == repeats
    vector = rho.ravel(order="F").astype(complex)
    seen = dict(zip(counts, states, strict=True))
    for sweep in range(1, repeats + 1):
        vector = channel @ vector
        if sweep in seen:
            assert np.abs(seen[sweep][0].ravel(order="F") - vector).max() < 1e-11
    assert filled(counts, [0.0] * len(counts), repeats + 1).size == repeats + 1


def _program(repeats: int) -> gc.Program:
    generator = gc.dll(gc.models.tfim(1), 1.0, "Y")
    made = gc.compile(generator, scheme="parallel", strength=0.3, spacing=0.5, nodes=2, sweeps=repeats)
    assert made.sweeps == repeats
    return made


@pytest.mark.parametrize("verb", [("exact",), pytest.param(("compile",), marks=pytest.mark.slow), ("run", "--dry-run")])
def test_a_million_sweeps__cost_what_one_costs(verb: tuple[str, ...], tmp_path: Path) -> None:
    done = command(*verb, experiment(tmp_path, sweeps=10**6), seconds=40)
    assert done.returncode == 0, done.stderr
    if verb != ("exact",):
        assert "1000000" in done.stdout.replace(",", "")


def test_a_million_sweeps__to_be_run__are_refused_with_their_numbers(tmp_path: Path) -> None:
    line = refused(command("run", experiment(tmp_path, sweeps=10**6), "--out", tmp_path / "out", seconds=30))
    found = re.search(r"has ([\d,]+) operations; the limit is ([\d,]+)\. Fix: set sweeps = (\d+)", line)
    assert found is not None
    operations, most, fitting = (int(part.replace(",", "")) for part in found.groups())
    assert most == limits.MAX_CIRCUIT_GATES < operations
    assert fitting * operations / 10**6 <= most
    assert not (tmp_path / "out" / "result.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "values",
    [
        {"scheme": "sequential"}, {"scheme": "random_jumps"}, {"run": 'backend = "aer_noisy"'},
        {"run": 'backend = "fake_heavy_hex"'}, {"run": 'initial = "mixed"'},
    ],
    ids=str,
)  # fmt: skip
def test_a_million_sweeps__every_reading__stays_short(values: dict[str, str], tmp_path: Path) -> None:
    file = experiment(tmp_path, sweeps=10**6, **values)
    assert command("run", "--dry-run", file, seconds=40).returncode == 0
    refused(command("run", file, "--out", tmp_path / "out", seconds=40))


def test_fresh_ancillas__of_a_million_sweeps__are_refused(tmp_path: Path) -> None:
    line = refused(command("compile", experiment(tmp_path, sweeps=10**6, run='ancilla_policy = "fresh"'), seconds=30))
    assert "2,000,000 of them; the limit is 10,000" in line


# long chains, cold ones, dense blocks


@pytest.mark.slow
def test_500_sites__are_compiled_in_seconds(tmp_path: Path) -> None:
    file = experiment(tmp_path, sites=500)
    done = command("compile", file, seconds=60, gib=4)
    assert done.returncode == 0, done.stderr
    assert "500 sites written and transpiled: about 12 s" in done.stderr
    answered = command("exact", file, seconds=120, gib=4)
    assert answered.returncode == 0, answered.stderr
    assert "Gibbs state (" in answered.stdout


def test_a_cold_secular_generator__is_refused_with_its_steps(tmp_path: Path) -> None:
    done = command("compile", experiment(tmp_path, beta=1000.0, kind="davies"), seconds=20)
    assert re.search(r"is \d+ steps .* the limit is 20000 steps", _last(done))


def _last(done: subprocess.CompletedProcess[str]) -> str:
    """The complaint, after warnings."""
    assert done.returncode == 2
    return done.stderr.strip().splitlines()[-1]


def test_weak_measurements__have_a_budget_of_gates() -> None:
    generator = gc.dll(gc.models.tfim(3), 1.0, "Y")
    with pytest.raises(
        TooLargeError, match=r"the limit is 1000 measurements and 100,000 gates\. Fix: set strength"
    ) as error:
        gc.compile(generator, scheme="weak_measurement", strength=50.0, sweeps=1)
    fitting = float(str(error.value).rsplit("= ", 1)[1].rstrip("."))
    assert gc.compile(generator, scheme="weak_measurement", strength=fitting, sweeps=1).sweeps == 1


def test_lamb_shift__of_a_function__asks_it_once_per_frequency_and_node() -> None:
    asked = 0

    def spectrum(omega: float) -> float:
        nonlocal asked
        asked += 1
        rate = omega / -np.expm1(-2.0 * omega) if omega else 0.5
        return float(rate * np.exp(-(omega**2) / 50))

    bath = gc.baths.from_function(2.0, spectrum)
    nu = np.linspace(-2, 2, 9)
    asked = 0
    found = UniversalLamb(bath)(nu[None, :], nu[:, None])
    once = asked
    expected = [[UniversalLamb(bath)(np.array([a]), np.array([b]))[0] for a in nu] for b in nu]
    assert np.abs(found - np.array(expected)).max() < 1e-12
    assert asked - once > 5 * once  # the control: pair by pair it is asked again


# memory


def test_memory__allowed__is_half_of_the_least_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_ceilings", lambda: iter([6 * 2**30, 2 * 2**30]))
    assert memory.allowed_bytes() == 2**30
    memory.check_memory(2**30, "It", "wait")
    with pytest.raises(TooLargeError, match=r"It would take 1\.5 GiB; 1 GiB are allowed .* Fix: wait\."):
        memory.check_memory(1.5 * 2**30, "It", "wait")
    monkeypatch.setattr(memory, "_ceilings", lambda: iter([10**15]))
    assert memory.allowed_bytes() == limits.MEMORY_LIMIT_GIB * 2**30


def test_memory__of_a_container__is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory.max").write_text("1073741824\n")
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    assert min(memory._ceilings()) <= 2**30
    assert 2**30 in list(memory._ceilings())
    (tmp_path / "memory.max").write_text("max\n")
    assert 2**30 not in list(memory._ceilings())


def test_memory__states_after_every_sweep__are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    program = _program(50)
    gc.run(program, shots=0)
    monkeypatch.setattr(memory, "_ceilings", lambda: iter([2 * 16 * 51 * 4 - 1]))
    with pytest.raises(TooLargeError, match=r"states of 1 qubits after each of 50 sweeps|is the limit"):
        gc.run(program, shots=0, realisations=1)


# one circuit


def fixed() -> gc.Program:
    generator = gc.dll(gc.models.tfim(2), 1.0, "Y")
    return gc.compile(
        generator, scheme="parallel", strength=0.3, spacing=0.5, nodes=2, sweeps=3, random_delays=(0, 0)
    )  # fmt: skip


def test_realisations__without_a_random_step__are_one_circuit() -> None:
    result = gc.run(fixed(), shots=4000, seed=3)
    assert len(result.blocks) == 1
    assert sum(result.blocks[0].counts[0].values()) == 4000
    assert len(gc.run(fixed(), shots=4000, realisations=4).blocks) == 4
    text = str(gc.compare(result))
    assert "one circuit, no random step" in text
    assert "No step is random: one circuit per basis takes all 4,000 shots" in gc.preview(fixed())


def test_realisations__of_random_delays__stay_sixteen() -> None:
    generator = gc.dll(gc.models.tfim(2), 1.0, "Y")
    program = gc.compile(
        generator, scheme="parallel", strength=0.3, spacing=0.5, nodes=2, sweeps=2, random_delays=(1, 2)
    )
    assert len(gc.run(program, shots=160).blocks) == 16
    with pytest.raises(ArgumentError, match=r"realisations` must be >= 2"):
        gc.run(program, shots=160, realisations=1)


@pytest.mark.slow
def test_realisations__one_circuit__has_an_interval_of_its_shots() -> None:
    """Over 60 seeds the error is that of the scatter between them, and z is standard normal."""
    program = fixed()
    found = [gc.compare(gc.run(program, shots=400, seed=seed)).observables["energy"] for seed in range(60)]
    scatter = np.std([one.value for one in found], ddof=1)
    widths = np.array([(one.high - one.low) / (2 * 1.959964) for one in found])
    assert widths.mean() == pytest.approx(scatter, rel=0.35)  # 3.8 standard errors of a deviation of 60
    z = np.array([one.z for one in found])
    assert abs(z.mean()) * np.sqrt(60) < 4
    assert not abs(z.mean() + 1) * np.sqrt(60) < 4  # the control
