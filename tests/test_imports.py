"""Imports point one way: a room may import those above it, never those below."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import gibbs_circuits

PACKAGE = Path(gibbs_circuits.__file__).parent
NAME = PACKAGE.name
ROOMS = (
    "limits", "errors", "memory", "validation", "status", "rendering", "threads",
    "models", "signatures", "disk", "spectrum", "baths", "filters", "kernels", "windows", "user", "lamb",
    "nystrom", "factors",
    "generators", "exact", "compiler", "readings",
    "target_schemas", "targets", "tuning", "backends", "analysis", "tables", "makers",
    "generator_schemas", "generator_keys", "kinds",
    "qasm", "experiment", "version", "sections", "results", "block_files", "store", "folder", "pipeline", "plans",
    "sweep", "api", "help", "terminal", "commands", "cli",
    "__init__",
)  # fmt: skip
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
    mine = ROOMS.index(parts[0])
    return [
        f"{'/'.join(parts)}:{line} imports {room}"
        for line, room in imported(source, parts)
        if ROOMS.index(room) > mine or (ROOMS.index(room) == mine and len(parts) == 1 and parts[0] != "__init__")
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
    assert {"errors", "spectrum", "models", "generators"} <= set(found)


BACKWARDS = {
    "relative": ("from ..compiler import Program", ["models", "model"], "compiler"),
    "relative_module": ("from ..compiler.program import Program", ["models", "model"], "compiler"),
    "relative_room": ("from .. import pipeline", ["exact", "certificate"], "pipeline"),
    "top_level": ("from .cli import main", ["errors"], "cli"),
    "absolute": ("import gibbs_circuits.backends.aer as aer", ["spectrum"], "backends"),
    "absolute_from": ("from gibbs_circuits import dll", ["generators", "catalogue"], "__init__"),
    "inside_function": ("def f():\n    from ..analysis import compare", ["readings", "cost"], "analysis"),
    "room_init": ("from ..exact import certificate", ["generators", "__init__"], "exact"),
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
        ("from ...spectrum import spectrum", ["compiler", "schemes", "parallel"]),
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
