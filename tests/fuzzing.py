"""Files as nobody should write them, made from a seed; and the process that runs them one after another.

`python -m tests.fuzzing` reads seeds, one a line, and answers with one line of JSON each. It limits its own memory.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gibbs_circuits.cli import options as cli

SECONDS = 10  # of one command
BYTES = 2 * 2**30  # of one command, beside what the imports take
LONGEST = 400  # characters of a line on standard error
ASIDE = ("Warning: ", "Not predicted: ")  # remarks that may stand beside the one line of a refusal

VALUES = (
    "0", "1", "-1", "2", "3", "0.5", "-0.5", "1.0", "1e-320", "1e-300", "1e-49", "1e-20", "1e-9", "1e9", "1e20", "1e49",
    "1e60", "1e308", "nan", "inf", "-inf", "true", "false", "''", '"x"', '"0.5"', '"-1"', '"\\u001b[31mred\\u0007"',
    '"\\u0000"', '"\\u202egnp"', '"é∀𝟘😀"', '"' + "a" * 3000 + '"', "[]", "[[]]", "{}",
    "[1, 2]", "[0, 0]", '[1.0, "a"]',
    "{a = 1}", "1979-05-27", "9" * 30, "9" * 5000, "9223372036854775807", "-9223372036854775808", "0x7f", "1_0",
    '[["ZZ", 1.0]]', '[["Z", 1e-310]]', '[["QQ", 1.0]]', '[["ZZ", "1"], ["ZZ", [1.0, 0.0]]]', '[[["YI", 1.0]]]', '"Y"',
    '"XYZ"', '"YY"', '["YI", "YI", "XX"]', '"../x"', '"."', '"/dev/null"', '"/dev/zero"', '"t.toml"', '"s.qasm"',
    '"f.csv"', '"m.json"', '"\\"\\\\"', "'''\n'''", "[" * 90 + "]" * 90, "[" * 3000 + "]" * 3000, '{kind = "ohmic"}',
    '{kind = "power_law", exponent = 3}', '"auto"', '"none"', '"balance"', '"lamb_shift"', '"01"', '"mixed"', "[{}]",
)  # fmt: skip
KINDS = ("dll", "ckg", "davies", "ule", "redfield", "coarse_grained", "scandi_alhambra", "custom", "discrete", "local")
SCHEMES = ("parallel", "sequential", "random_jumps", "thermal_ancilla", "dilated_1", "stinespring", "discrete", "auto")
KEYS: dict[str, tuple[str, ...]] = {
    "model": ("name", "terms", "file", "beta", "sites", "J", "h", "g", "delta", "fields", "periodic", "t", "U", "mu"),
    "generator": (
        "kind", "couplings", "coherent", "filter", "bandwidth", "splitting", "sigma_E", "omega_gamma", "bath",
        "degeneracy_tolerance", "window", "shifted", "kernel", "inside", "step", "contacts",
    ),
    "compile": (
        "scheme", "target_error", "sweeps", "strength", "spacing", "nodes", "trotter_order", "ancillas",
        "random_delays", "truncation", "coherent_term", "coherent_radius", "coherent_tolerance", "direction", "radius",
        "resolution", "shift", "guarantee", "calibration", "time_budget", "gate_errors", "randomness", "program",
        "order", "cycles",
    ),
    "run": ("backend", "shots", "seed", "initial", "ancilla_policy", "realisations"),
    "observables": ("m", "energy", '"\\u001b"', '""'),
}  # fmt: skip
TARGET_KEYS = (
    "name", "description", "kind", "method", "processor", "bond_dimension", "snapshot", "basis", "coupling",
    "max_qubits", "max_hours", "noise", "beyond_snapshot", "device", "mode", "options", "max_qpu_seconds", "account",
)  # fmt: skip
NOISE_KEYS = ("p1", "p2", "reset", "readout", "t1", "t2", "durations")
TARGET_VALUES = (
    '["cz", "rz", "sx", "x"]', '["h"]', '["cx"]', '["id"]', '["rz", "sx"]', '["u", "cx"]', '["swap", "u"]', '["cz", 1]',
    '"all_to_all"', "{heavy_hex = 3}", "{heavy_hex = 4}", '"fake_tornio"', '"ibm"', '"aer"', '"automatic"',
    '"matrix_product_state"', "{p1 = 1e-3, p2 = 1e-2}", "{t1 = 1.0, t2 = 1e-320}", "{t1 = 1.0, t2 = 3.0}",
    "{durations = {one_qubit = 1e308}}", "{t1 = 50.0, t2 = 70.0, durations = {reset = 1e-9}}", '["measure"]',
    '["ccx"]', '["rz", "sx", "xx_plus_yy"]', '["\\u001b"]',
)  # fmt: skip
GATES = (
    "h q[0];", "x q[1];", "cx q[0], q[1];", "rx(0.3) q[0];", "rx(1e400) q[0];", "rz(1/0) q[0];", "gphase(0.1);",
    "gphase(1e400);", "reset q[0];", "bit c; c = measure q[0];", "if (true) { x q[0]; }", "barrier q;",
    "box { h q[0]; }",
    "for int i in [0:1] { x q[0]; }", "while (true) { x q[0]; }", "ctrl @ x q[0], q[1];", "pow(1e300) @ x q[0];",
    "gate g a { x a; } g q[0];", "gate f(t) a { rx(t) a; } f(1e308*1e308) q[0];", "delay[1ns] q[0];", "x q[5];",
    "input float w; rx(w) q[0];", "float v = 1;", "cx q[0], q[0];", "u3(1,2,3) q[0];", "rxx(1e9) q[0], q[1];", "h q;",
    "nonsense;", "qubit[2] r;", "opaque o a; o q[0];", 'include "nowhere.inc";', 'include "/dev/zero";', "creg c[2];",
    "measure q -> c;", "\x1b[31m", "\u202e", "//" + "a" * 2000, "/*", "U(0,0,0) q[0];", "swap q[0], q[1];",
)  # fmt: skip
CELLS = (
    "0", "1", "-1", "0.5", "1e-310", "1e-300", "1e50", "1e60", "1e308", "-1e308", "nan", "inf", "", "x", "1,2", '"1"',
    "1" * 400, "\x00", "\x1b[31m", "é", "0x1", "1_0", " 1 ", "1e", "--1",
)  # fmt: skip
STATES = "0123456789+-.eE \n\t\r\"'[]{}(),;:=#\\/\x00\x1b\x7fαβ∀😀\u2028\u202e\ufeffXYZI@"


@dataclass(frozen=True)
class Case:
    """Files of a folder, and a command on them; `endless` are names of what has no end: a pipe (None), or a link."""

    seed: int
    files: dict[str, bytes]
    arguments: tuple[str, ...]
    endless: dict[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    seed: int
    code: int | str
    out: str
    err: str
    seconds: float


def case(seed: int) -> Case:
    """The files and the command of a seed."""
    rng = random.Random(f"fuzz {seed}")
    makers: tuple[tuple[Callable[[random.Random], Case], int], ...] = (
        (of_keys, 40), (of_model_file, 12), (of_target, 16), (of_bath, 10), (of_filter, 10), (of_kernel, 6),
        (of_start, 14), (of_text, 12), (of_size, 4),
    )  # fmt: skip
    maker = rng.choices([make for make, _ in makers], [weight for _, weight in makers])[0]
    made = maker(rng)
    files = {name: _scarred(text, rng) if rng.random() < 0.15 else text for name, text in made.files.items()}
    return Case(seed, files, made.arguments, made.endless)


# --- experiment files


Table = dict[str, dict[str, str]]  # section → key → what stands there, as TOML


def plain(rng: random.Random) -> Table:
    """A small experiment that is right."""
    model = rng.choice((
        {"name": '"tfim"', "sites": "1", "J": "1.0", "h": "0.7"},
        {"name": '"mixed_field_ising"', "sites": "2"},
        {"name": '"xxz"', "sites": "2", "delta": "0.5", "fields": "[0.1, 0.2]"},
        {"terms": '[["ZZ", -1.0], ["XI", 0.5], ["IX", 0.4]]'},
        {"terms": '[["Z", 1.0], ["X", 0.3]]'},
    ))  # fmt: skip
    return {"model": {**model, "beta": rng.choice(("0.0", "0.5", "1.0", "3.0"))}, "generator": {}}


def toml(table: Table) -> str:
    """The text of a file."""
    lines: list[str] = []
    for section, keys in table.items():
        lines += [f"[{section}]", *(f"{key} = {value}" for key, value in keys.items())]
    return "\n".join(lines) + "\n"


def of_keys(rng: random.Random) -> Case:
    """One to three keys with values that they do not expect, among all that there are."""
    table = plain(rng)
    if rng.random() < 0.6:
        table["generator"]["kind"] = f'"{rng.choice(KINDS)}"'
    if table["generator"].get("kind") == '"custom"':
        table["generator"]["kernel"] = '"f.csv"'
    if rng.random() < 0.3:
        table["compile"] = {"scheme": f'"{rng.choice(SCHEMES)}"'}
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        section = rng.choice(list(KEYS))
        key, value = rng.choice(KEYS[section]), rng.choice(VALUES)
        match rng.randrange(12):
            case 0:
                table.get(section, {}).pop(key, None)
            case 1:
                table.pop(section, None)
            case 2:
                key = key[:-1] or "k"  # a slip of the pen
            case 3:
                key, value = f"{key}.{rng.choice(('a', 'kind', key))}", rng.choice(VALUES)
        table.setdefault(section, {})[key] = value
    text = toml(table)
    if rng.random() < 0.05:
        text += text  # every section twice
    files = {"e.toml": text.encode(errors="replace")}
    files |= beside(rng)
    return Case(0, files, command(rng))


def beside(rng: random.Random) -> dict[str, bytes]:
    """The other files that an experiment may name, all right."""
    return {
        "m.json": b'{"num_qubits": 2, "terms": [["ZZ", 1.0], ["XI", 0.3]]}',
        "t.toml": b'name = "t"\nkind = "aer"\n',
        "s.qasm": b'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\nh q[0];\n',
        "f.csv": filter_table(rng, 1.0).encode(),
    }


def command(rng: random.Random) -> tuple[str, ...]:
    """Mostly `exact`, which reads every section and is quick."""
    return ("exact", "e.toml", *(["--json"] if rng.random() < 0.5 else []))


def compiled(rng: random.Random, sites: int = 2) -> dict[str, bytes]:
    """An experiment on a target from a start, written in milliseconds."""
    table: Table = {
        "model": {"name": '"tfim"', "sites": str(sites), "beta": "1.0"},
        "compile": {"scheme": '"sequential"', "sweeps": "1", "nodes": "3", "spacing": "0.5", "strength": "0.3",
                    "random_delays": "false", "coherent_term": '"omit"'},
        "run": {},
    }  # fmt: skip
    return {"e.toml": toml(table).encode()}


def of_text(rng: random.Random) -> Case:
    """Text that may be no experiment at all."""
    base = toml(plain(rng)).encode()
    text = rng.choice((
        b"", b"\n\n", b"# nothing\n", b"\xff\xfe\x00", bytes(rng.randrange(256) for _ in range(60)), b"[" * 5000,
        b'model = {name = "tfim", sites = 1, beta = 1.0}\n', b"model = 1\n", b"[[model]]\nbeta = 1\n", base + base,
        b"\xef\xbb\xbf" + base, base.replace(b"\n", b"\r\n"), base.replace(b"=", b":"), b'"' + b"k" * 3000 + b'" = 1\n',
        b'["\\u001b[31m"]\na = 1\n', b"beta = " + b"9" * 5000, b"a." * 500 + b"a = 1\n", base + b"\x00",
    ))  # fmt: skip
    return Case(0, {"e.toml": text}, (*command(rng),))


# --- files that experiments name


def of_model_file(rng: random.Random) -> Case:
    """A model's JSON."""
    odd: tuple[Any, ...] = (
        0, -1, 1, 2, 0.5, 1e-320, 1e308, 10**30, True, None, "", "x", "ZZ", "QQ", "0.5", [], {}, [1, 0.0], [0.5, 0.0],
        [0.0, 1.0], "\x1b[31m", "\ud800", "a" * 3000, [["ZZ", 1.0]], [["ZZ", "1"]], {"a": {}}, [[[]]], "1j", "NaN",
    )  # fmt: skip
    document: dict[str, Any] = {"num_qubits": 2, "terms": [["ZZ", 1.0], ["XI", 0.5], ["IX", 0.3]]}
    for _ in range(rng.choice((1, 1, 2))):
        match rng.randrange(6):
            case 0:
                document[rng.choice(("num_qubits", "terms", "name", "unit", "colour", "\x1b", "\ud800"))] = rng.choice(
                    odd
                )
            case 1:
                document.pop(rng.choice(("num_qubits", "terms")), None)
            case 2 if isinstance(document.get("terms"), list):
                document["terms"].insert(rng.randrange(3), rng.choice(odd))
            case 3 if isinstance(document.get("terms"), list):
                document["terms"].append(
                    [rng.choice(("ZZ", "Z", "ZZZ", "zz", "", "II", "\u2028", "Z" * 300)), rng.choice(odd)]
                )
            case 4 if isinstance(document.get("terms"), list):
                document["terms"].append([rng.choice(odd), 1.0])
            case _:
                document["name"] = rng.choice(odd)
    text = json.dumps(document)
    match rng.randrange(12):
        case 0:
            text = text.replace("1.0", rng.choice(("1e400", "NaN", "-Infinity", "9" * 5000, "1e-400")), 1)
        case 1:
            text = text.replace("{", '{"num_qubits": 2, ', 1)
        case 2:
            text = "[" * rng.choice((1, 50, 20_000)) + text
    return Case(
        0,
        {"e.toml": b'[model]\nfile = "m.json"\nbeta = 1.0\n', "m.json": text.encode(errors="surrogatepass")},
        command(rng),
    )


def of_target(rng: random.Random) -> Case:
    """A target's TOML; mostly read only, as `exact` does, and compiled for now and then."""
    keys = {"name": '"t"', "kind": '"aer"', "method": '"density_matrix"'}
    for _ in range(rng.choice((1, 1, 2, 3))):
        keys[rng.choice(TARGET_KEYS)] = rng.choice(TARGET_VALUES if rng.random() < 0.6 else VALUES)
    lines = [f"{key} = {value}" for key, value in keys.items()]
    if "noise" not in keys and rng.random() < 0.4:
        lines += ["[noise]", *(f"{key} = {rng.choice(VALUES)}" for key in rng.sample(NOISE_KEYS, 2))]
    files = compiled(rng, 1)
    files["e.toml"] += b'backend = "t.toml"\n'
    files["t.toml"] = ("\n".join(lines) + "\n").encode()
    return Case(0, files, command(rng) if rng.random() < 0.9 else ("compile", "e.toml", "--json"))


def _rows(rows: list[list[str]], rng: random.Random, header: str) -> str:
    """A table with some cells, rows or columns that do not belong."""
    for _ in range(rng.choice((0, 1, 1, 2))):
        row = rng.randrange(len(rows))
        match rng.randrange(6):
            case 0 | 1 | 2:
                rows[row][rng.randrange(len(rows[row]))] = rng.choice(CELLS)
            case 3:
                rows[row].append(rng.choice(CELLS))
            case 4:
                rows.insert(row, list(rows[rng.randrange(len(rows))]))
            case _:
                rows = rows[: max(1, row)]
        if not rows[min(row, len(rows) - 1)]:
            break
    if rng.random() < 0.15:  # one factor for all
        factor = rng.choice((0.0, 1e-310, 1e-49, 1e48, 1e300, -1.0))
        rows = [[*row[:-1], _times(row[-1], factor)] for row in rows]
    head = [header] if rng.random() < 0.5 else []
    return rng.choice(("\n", "\n", "\r\n", "\n\n")).join([*head, *(",".join(row) for row in rows)]) + "\n"


def _times(cell: str, factor: float) -> str:
    try:
        return repr(float(cell) * factor)
    except ValueError:
        return cell


def of_bath(rng: random.Random) -> Case:
    """A bath's CSV."""
    unit = rng.choice((1.0, 1.0, 1.0, 1e-30, 1e30, 1e300))
    rows = [[repr(0.5 * k * unit), repr(math.exp(-0.2 * k))] for k in range(rng.choice((3, 4, 12)))]
    kind = rng.choice(("davies", "ule", "coarse_grained", "scandi_alhambra", "redfield"))
    text = f'[model]\nname = "tfim"\nsites = 1\nbeta = 1.0\n[generator]\nkind = "{kind}"\nbath = "b.csv"\n'
    return Case(0, {"e.toml": text.encode(), "b.csv": _rows(rows, rng, "omega,G").encode()}, command(rng))


def filter_table(rng: random.Random, beta: float) -> str:
    """A filter in detailed balance on ν = −10 … 10."""
    nu = [0.5 * k for k in range(-20, 21)]
    return "\n".join(f"{x!r},{math.exp(-x * x / 8 - beta * x / 4)!r}" for x in nu) + "\n"


def of_filter(rng: random.Random) -> Case:
    """A filter's CSV."""
    beta, unit = rng.choice((0.0, 1.0, 50.0, 1e40)), rng.choice((1.0, 1.0, 1.0, 1e-30, 1e30))
    rows = [line.split(",") for line in filter_table(rng, 1.0).splitlines()]
    rows = [[_times(row[0], unit), *row[1:], *(["0.0"] if rng.random() < 0.1 else [])] for row in rows]
    text = f'[model]\nname = "tfim"\nsites = 1\nbeta = {beta}\n[generator]\nfilter = "f.csv"\n'
    return Case(0, {"e.toml": text.encode(), "f.csv": _rows(rows, rng, "nu,f").encode()}, command(rng))


def of_kernel(rng: random.Random) -> Case:
    """A kernel's CSV."""
    grid = [-6.0, -3.0, 0.0, 3.0, 6.0]
    rows = [[repr(a), repr(b), repr(math.exp(-(a * a + b * b) / 8 - (a + b) / 4))] for a in grid for b in grid]
    text = '[model]\nname = "tfim"\nsites = 1\nbeta = 1.0\n[generator]\nkind = "custom"\nkernel = "k.csv"\n'
    return Case(0, {"e.toml": text.encode(), "k.csv": _rows(rows, rng, "nu1,nu2,alpha").encode()}, command(rng))


def of_start(rng: random.Random) -> Case:
    """A start in OpenQASM 3 or 2."""
    older = rng.random() < 0.4
    head = (
        ['OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];']
        if older
        else ['OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;']
    )
    if rng.random() < 0.2:
        head = rng.choice(
            (
                ["OPENQASM 4.0;"],
                [],
                ["OPENQASM 3.0;"],
                ["qubit[2] q;"],
                ["OPENQASM 2.0;"],
                ["// OPENQASM 2\nOPENQASM 3;"],
            )
        )
    text = "\n".join([*head, *rng.choices(GATES, k=rng.choice((0, 1, 1, 2, 3)))]) + "\n"
    files = compiled(rng)
    files["e.toml"] += b'initial = "s.qasm"\n'
    return Case(0, {**files, "s.qasm": text.encode()}, command(rng) if rng.random() < 0.9 else ("compile", "e.toml"))


def _billions(rng: random.Random) -> str:
    return str(10 ** rng.choice((6, 7, 9, 12, 18)))


def of_size(rng: random.Random) -> Case:
    """What is right but for its size, or is no file that ends."""
    table, files = plain(rng), beside(rng)
    endless: dict[str, str | None] = {}
    words = rng.choice((("exact",), ("exact", "--json"), ("compile",), ("run", "--dry-run")))
    match rng.randrange(8):
        case 0:  # labels and numbers of terms
            width, count = rng.choice(((100_000, 1), (2_001, 1), (2, 30_000), (2_000, 11_000)))
            terms = json.dumps([["Z" * width, 1.0]] * count)
            if rng.random() < 0.5:
                table["model"] = {"terms": terms, "beta": "1.0"}
            else:
                table["model"] = {"file": '"m.json"', "beta": "1.0"}
                files["m.json"] = f'{{"num_qubits": {rng.choice((width, 10**9))}, "terms": {terms}}}'.encode()
        case 1:
            table["model"] = {"name": '"tfim"', "sites": _billions(rng), "beta": "1.0"}
        case 2:  # a start
            rest = rng.choice((
                f"qubit[{_billions(rng)}] q;\n",
                f"bit[{_billions(rng)}] c;\nqubit[2] q;\n",
                f"const int n = {_billions(rng)};\nqubit[n] q;\n",
                "gate g0 a { x a; }\n" + "".join(f"gate g{k} a {{ g{k - 1} a; g{k - 1} a; }}\n" for k in range(1, 40))
                + "qubit[2] q;\ng39 q[0];\n",
                f"gate g a {{ x a; }}\nqubit[2] q;\npow({_billions(rng)}) @ g q[0];\n",
                "qubit[2] q;\n" + "x q[0];\n" * 40_000,
            ))  # fmt: skip
            files |= compiled(rng)
            files["e.toml"] += b'initial = "s.qasm"\n'
            files["s.qasm"] = b'OPENQASM 3.0;\ninclude "stdgates.inc";\n' + rest.encode()
            return Case(0, files, (words[0], "e.toml", *words[1:]))
        case 3:  # rows
            name, columns, kind = rng.choice((("filter", 2, "dll"), ("bath", 2, "davies"), ("kernel", 3, "custom")))
            row = ",".join(["{0}"] + ["1.0"] * (columns - 1)) + "\n"
            files["f.csv"] = "".join(row.format(k / 100) for k in range(rng.choice((10_001, 400_001)))).encode()
            table["generator"] = {"kind": f'"{kind}"', name: '"f.csv"'}
        case 4:  # a pipe that nobody writes to, a device that never ends
            name, section, key = rng.choice((
                ("e.toml", "generator", "kind"), ("f.csv", "generator", "filter"), ("f.csv", "generator", "bath"),
                ("m.json", "model", "file"), ("t.toml", "run", "backend"), ("s.qasm", "run", "initial"),
            ))  # fmt: skip
            if key == "file":
                table["model"] = {"beta": "1.0"}
            table.setdefault(section, {})[key] = f'"{name}"' if key != "kind" else '"dll"'
            if key == "bath":
                table["generator"]["kind"] = '"davies"'
            files.pop(name, None)
            endless[name] = rng.choice((None, "/dev/zero", "/dev/urandom"))
        case 5:
            key = rng.choice(("sweeps", "nodes", "random_delays", "ancillas"))
            table["compile"] = {
                "scheme": '"parallel"',
                "sweeps": "1",
                "strength": "0.3",
                "nodes": "2",
                "spacing": "0.5",
            }
            table["compile"][key] = f"[0, {_billions(rng)}]" if key == "random_delays" else _billions(rng)
        case 6:
            table["run"] = {rng.choice(("shots", "realisations", "seed")): _billions(rng)}
            table["compile"] = {"sweeps": "1", "strength": "0.3", "nodes": "2", "spacing": "0.5"}
        case _:  # cold
            table["model"] = {"name": '"tfim"', "sites": "2", "beta": rng.choice(("100.0", "1e3", "1e6"))}
            table["generator"] = {"kind": rng.choice(('"davies"', '"dll"', '"ckg"', '"ule"'))}
            table["compile"] = {
                "sweeps": rng.choice(("1", "1000000")),
                "strength": "0.3",
                "nodes": "2",
                "spacing": "0.5",
            }
    text = toml(table).encode()
    return Case(
        0, files if "e.toml" in endless else {**files, "e.toml": text}, (words[0], "e.toml", *words[1:]), endless
    )


def _scarred(text: bytes, rng: random.Random) -> bytes:
    """A few bytes lost, changed, doubled or put in."""
    for _ in range(rng.choice((1, 1, 3))):
        at = rng.randrange(len(text) + 1)
        length = rng.choice((1, 1, 5, 40))
        match rng.randrange(5):
            case 0:
                text = text[:at] + text[at + length :]
            case 1:
                text = text[:at] + rng.choice(STATES).encode() + text[at:]
            case 2:
                text = text[:at] + text[at : at + length] * 2 + text[at + length :]
            case 3:
                text = text[:at]
            case _:
                text = text[:at] + bytes([rng.randrange(256)]) + text[at + 1 :]
    return text


# --- running them


class TooSlow(BaseException):
    """The alarm; no handler of exceptions takes it for an error of its own."""


def run(one: Case) -> Outcome:
    """The command in a folder of its own, through the entry point of the command line."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    here = Path.cwd()
    out, err = io.StringIO(), io.StringIO()
    began = time.monotonic()
    code: int | str
    try:
        for name, text in one.files.items():
            (folder / name).write_bytes(text)
        for name, target in one.endless.items():
            os.mkfifo(folder / name) if target is None else (folder / name).symlink_to(target)
        os.chdir(folder)
        signal.alarm(SECONDS)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.status(list(one.arguments))
    except TooSlow:
        code = f"more than {SECONDS} s"
    except BaseException as error:  # whatever it is, it should not have come here
        code = f"{type(error).__name__}: {error}"[:300]
    finally:
        signal.alarm(0)
        os.chdir(here)
        shutil.rmtree(folder, ignore_errors=True)
    return Outcome(one.seed, code, out.getvalue(), err.getvalue(), time.monotonic() - began)


def wrong(outcome: Outcome, json_asked: bool = False) -> str | None:
    """What a command may not do; None if it did none of that."""
    lines = outcome.err.split("\n")
    said = [line for line in lines[:-1] if not line.startswith(ASIDE)]
    if outcome.code not in (0, 1, 2):
        return f"exit {outcome.code}: {outcome.err[:200]}"
    if lines[-1] or any(not line.isprintable() for line in lines):
        return f"no whole lines of printable characters: {outcome.err[:200]!r}"
    if any(len(line) > LONGEST for line in lines):
        return f"a line of {max(map(len, lines))} characters: {outcome.err[:200]}"
    if not all(c.isprintable() or c == "\n" for c in outcome.out):
        return f"control characters on standard output: {outcome.out[:200]!r}"
    if len(said) != (1 if outcome.code == 2 else 0):
        return f"exit {outcome.code} with {len(said)} lines: {outcome.err[:300]}"
    if outcome.code == 2 and ("Fix: " not in outcome.err or "Not enough memory" in outcome.err or outcome.out):
        return f"no remedy, or nothing that a user can change: {outcome.err[:200]}"
    if outcome.code != 2 and json_asked:
        try:
            json.loads(outcome.out, parse_constant=_no_number)
        except ValueError as error:
            return f"no JSON: {error}"
    return None


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _alarm(*_: object) -> None:
    raise TooSlow


def limit_memory() -> None:
    """This process may take `BYTES` beside what it holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def answers(seeds: Iterator[str]) -> Iterator[str]:
    """One line of JSON for every seed."""
    for line in seeds:
        one = case(int(line))
        outcome = run(one)
        yield json.dumps({**asdict(outcome), "wrong": wrong(outcome, "--json" in one.arguments)})


def main() -> None:
    """Answer seeds on standard input until it ends."""
    signal.signal(signal.SIGALRM, _alarm)
    limit_memory()
    for answer in answers(iter(sys.stdin)):
        print(answer, flush=True)


if __name__ == "__main__":
    main()
