"""Imports point one way: a room may import those above it, never those below."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import gibbs_circuits

PACKAGE = Path(gibbs_circuits.__file__).parent
NAME = PACKAGE.name
FLOORS = (
    ("limits", "errors", "evidence"),
    ("linalg", "io"),
    ("models",),
    ("generators",),
    ("exact", "programs"),
    ("compiler", "readings"),
    ("search", "backends"),
    ("analysis",),
    ("systems", "experiments"),
    ("api", "cli"),
    ("__init__",),
)
ROOMS = tuple(room for floor in FLOORS for room in floor)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
INSIDE = {  # rooms that are cut up once more, in the order in which their parts may import
    "backends": (
        "devices", "transpile", "simulators", "measurement", "services", "targets", "runs",
    ),
    "analysis": ("error_budget", "estimators", "comparison", "report"),
}  # fmt: skip
CATALOGUES = {"generators/kinds", "generators/kernels", "generators/filters", "compiler/schemes", "compiler/presets",
              "models/library", "analysis/estimators", "systems"}  # fmt: skip
MOST_FILES = 12  # of a folder that is no catalogue
AT_THE_TOP = {"__init__.py", "api.py", "errors.py", "evidence.py", "limits.py"}
ONLY_IN_BACKENDS = {"qiskit_aer", "qiskit_ibm_runtime", "requests", "httpx", "urllib", "http", "socket"}


def module_parts(path: Path, package: Path = PACKAGE) -> list[str]:
    """`gibbs_circuits/models/model.py` → [models, model]; an `__init__.py` keeps its name."""
    return list(path.relative_to(package).with_suffix("").parts)


def imported(source: str, parts: list[str]) -> Iterator[tuple[int, str]]:
    """(line, room) of every import of the package, relative ones resolved, those inside functions included."""
    here = [NAME, *parts[:-1]]
    for node in ast.walk(ast.parse(source)):
        targets: list[list[str]] = []
        if isinstance(node, ast.Import):
            targets = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            base = base + (node.module.split(".") if node.module else [])
            targets = [[*base, alias.name] for alias in node.names] if base == [NAME] else [base]
        for target in targets:
            if target[0] == NAME:
                room = target[1] if len(target) > 1 else "__init__"
                yield node.lineno, room if room in ROOMS else "__init__"


def violations(source: str, parts: list[str]) -> list[str]:
    mine = FLOOR[parts[0]]
    return [
        f"{'/'.join(parts)}:{line} imports {room}"
        for line, room in imported(source, parts)
        if FLOOR[room] > mine or (FLOOR[room] == mine and room != parts[0])
    ]


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(module_parts(path)))
def test_imports__point_one_way__every_module(path: Path) -> None:
    parts = module_parts(path)
    assert parts[0] in ROOMS, f"{parts[0]} has no place in the order of rooms"
    assert violations(path.read_text("utf-8"), parts) == []


def test_imports__are_found__package_as_a_whole() -> None:
    found = [room for path in FILES for _, room in imported(path.read_text("utf-8"), module_parts(path))]
    assert len(found) > 100
    assert {"errors", "linalg", "models", "generators"} <= set(found)


BACKWARDS = {
    "relative": ("from ..compiler import base", ["models", "model"], "compiler"),
    "relative_module": ("from ..programs.program import Program", ["models", "model"], "programs"),
    "relative_room": ("from .. import api", ["exact", "frozen"], "api"),
    "top_level": ("from .cli import main", ["errors"], "cli"),
    "absolute": ("import gibbs_circuits.backends.runs.aer as aer", ["linalg", "states"], "backends"),
    "absolute_from": ("from gibbs_circuits import dll", ["generators", "couplings"], "__init__"),
    "inside_function": ("def f():\n    from ..analysis import report", ["readings", "channel"], "analysis"),
    "room_init": ("from ..exact import certificate", ["generators", "__init__"], "exact"),
    "same_floor": ("from ..programs.program import Program", ["exact", "dynamics"], "programs"),
}


@pytest.mark.parametrize("case", BACKWARDS)
def test_imports__control__a_backward_import_is_seen(case: str) -> None:
    source, parts, room = BACKWARDS[case]
    assert [found.rsplit(" ", 1)[1] for found in violations(source, parts)] == [room]


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("from ..errors import shown", ["models", "model"]),
        ("from .model import Model", ["models", "library"]),
        ("from ...models.spectrum import spectrum", ["compiler", "schemes", "parallel"]),
        ("from ..program import Program", ["compiler", "schemes", "parallel"]),
        ("import numpy as np\nfrom qiskit import transpile", ["errors"]),
    ],
)
def test_imports__control__a_forward_import_passes(source: str, parts: list[str]) -> None:
    assert violations(source, parts) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(module_parts(path)))
def test_imports__execution_and_network__only_in_backends(path: Path) -> None:
    if module_parts(path)[0] == "backends":
        return
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names = [node.module]
        assert not {name.split(".")[0] for name in names} & ONLY_IN_BACKENDS, path


# the shape of the house


def modules(files: list[Path] = FILES) -> dict[str, list[str]]:
    """Every module and the modules of the package that it imports, also inside functions and for types only."""
    names = {".".join([NAME, *module_parts(path)]).removesuffix(".__init__"): path for path in files}
    found = {}
    for name, path in names.items():
        here, targets = [NAME, *module_parts(path)[:-1]], []
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = here[: len(here) - node.level + 1] + (node.module.split(".") if node.module else [])
                for alias in node.names:
                    whole = ".".join([*base, alias.name])
                    targets.append(whole if whole in names else ".".join(base))
        found[name] = [target for target in targets if target in names and target != name]
    return found


def circles(graph: dict[str, list[str]]) -> list[list[str]]:
    """Modules that import each other, round about."""
    order, low, stack, found = dict[str, int](), dict[str, int](), list[str](), list[list[str]]()

    def visit(name: str) -> None:
        order[name] = low[name] = len(order)
        stack.append(name)
        for target in graph.get(name, ()):
            if target not in order:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in stack:
                low[name] = min(low[name], order[target])
        if low[name] == order[name]:
            circle = [stack.pop()]
            while circle[-1] != name:
                circle.append(stack.pop())
            if len(circle) > 1:
                found.append(sorted(circle))

    for name in graph:
        if name not in order:
            visit(name)
    return found


def test_imports__no_circle() -> None:
    graph = {name: [t for t in targets if not t.endswith("__init__")] for name, targets in modules().items()}
    assert circles(graph) == []


def test_imports__control__a_circle_is_seen() -> None:
    assert circles({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}) == [["a", "b", "c"]]
    assert circles({"a": ["b"], "b": ["c"], "c": []}) == []


@pytest.mark.parametrize("room", INSIDE)
def test_imports__point_one_way__parts_of_a_room(room: str) -> None:
    parts = INSIDE[room]
    found = {path.name for path in (PACKAGE / room).iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert found == {*parts}
    pairs = [(name, target) for name, targets in modules().items() for target in targets]
    inside = [(a.split("."), b.split(".")) for a, b in pairs]
    assert [
        f"{'.'.join(a)} imports {'.'.join(b)}"
        for a, b in inside
        if a[1:2] == b[1:2] == [room] and min(len(a), len(b)) > 3 and parts.index(b[2]) > parts.index(a[2])
    ] == []


def test_house__five_files_at_the_top__and_twelve_in_a_folder() -> None:
    assert {path.name for path in PACKAGE.glob("*.py")} == AT_THE_TOP
    for folder in {path.parent for path in FILES}:
        name = folder.relative_to(PACKAGE).as_posix()
        count = sum(path.name != "__init__.py" for path in folder.glob("*.py"))
        assert name in CATALOGUES or count <= MOST_FILES, f"{name} has {count} files"
