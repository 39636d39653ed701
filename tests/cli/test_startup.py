"""What is imported before it is used: nothing heavy. A clock would judge the machine; `sys.modules` judges us."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import gibbs_circuits as gc

ROOT = Path(__file__).parents[2]
NOTHING = ("numpy", "scipy", "qiskit", "qiskit_aer", "qiskit_ibm_runtime", "matplotlib", "pydantic", "rich", "flint",
           "mpmath", "sympy", "threadpoolctl")  # fmt: skip
WHILE_TAUGHT = ("scipy", "qiskit", "qiskit_aer", "qiskit_ibm_runtime", "matplotlib", "flint", "mpmath", "sympy")
BEFORE_A_RUN = ("qiskit_aer", "qiskit_ibm_runtime", "matplotlib", "flint", "mpmath", "sympy", "scipy.stats",
                "scipy.optimize", "scipy.interpolate", "dask", "xarray")  # fmt: skip
ASK = "import json, sys\n{0}\nprint('LOADED' + json.dumps(sorted(sys.modules)))"
CLI = "from gibbs_circuits.cli.options import status; status({0!r})"


def loaded(code: str) -> set[str]:
    """Modules of a fresh interpreter after some code."""
    ran = subprocess.run([sys.executable, "-c", ASK.format(code)], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "Traceback" not in ran.stderr
    return set(json.loads(ran.stdout.rsplit("LOADED", 1)[1]))


def found(names: tuple[str, ...], code: str) -> list[str]:
    modules = loaded(code)
    return [name for name in names if name in modules]


def test_import__of_the_package__brings_nothing() -> None:
    assert found(NOTHING, "import gibbs_circuits") == []


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["run", "--wrong"], ["wrong"], ["exact", "--help"], ["backends", "--help"]]
)
def test_command_line__without_an_experiment__waits_for_no_library(arguments: list[str]) -> None:
    assert found(WHILE_TAUGHT, CLI.format(arguments)) == []


@pytest.mark.parametrize("command", ["run", "compile"])
def test_command_line__help_of_a_command__needs_no_simulator(command: str) -> None:
    modules = loaded(CLI.format([command, "--help"]))
    assert [name for name in BEFORE_A_RUN if name in modules] == []


def test_import__of_every_public_function__needs_no_simulator() -> None:
    """`gc.compile` at hand: circuits, yes; simulators, pictures, clients and arithmetic in many digits, no."""
    assert found(BEFORE_A_RUN, "import gibbs_circuits as gc; [getattr(gc, name) for name in gc.__all__]") == []


def test_completion__of_the_shell__is_there_and_waits_for_no_library() -> None:
    code = """
import os, contextlib, io
os.environ.update(_GIBBS_CIRCUITS_COMPLETE="complete_bash", COMP_WORDS="gibbs-circuits ru", COMP_CWORD="1")
sys.argv = ["gibbs-circuits"]
from gibbs_circuits.cli.options import main
said = io.StringIO()
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(said):
    main()
assert "run" in said.getvalue().split()
pass"""
    assert found(WHILE_TAUGHT, code) == []


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("numpy", "rich"), "import gibbs_circuits as gc; gc.models.tfim; import rich"),
        (("qiskit",), "import gibbs_circuits as gc; gc.compile"),
        (("matplotlib.figure",), "from gibbs_circuits.analysis.report.plots import _picture; _picture()"),
        (("flint", "mpmath"), "import gibbs_circuits.exact.many_digits.relaxation"),
        (("qiskit_aer",), "from gibbs_circuits.backends.simulators.method import gpu_present; gpu_present()"),
    ],
)
def test_control__what_is_used_is_seen(names: tuple[str, ...], code: str) -> None:
    assert tuple(found(names, code)) == names


# --- the table of names


def imported_for_types() -> dict[str, str]:
    """name → module of the imports under TYPE_CHECKING, from the source."""
    tree = ast.parse(Path(gc.__file__).read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    pairs = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        assert node.level == 1
        pairs |= {alias.asname or alias.name: node.module or "" for alias in node.names}
    return pairs


def test_names__three_lists_agree__table_types_and_all() -> None:
    table = {name: module for module, names in gc.HOMES.items() for name in names.split()}
    assert table == imported_for_types()
    assert sorted(table) == sorted(gc.__all__)
    assert sum(len(names.split()) for names in gc.HOMES.values()) == len(table)


def test_dir__shows_the_public_names__and_only_these() -> None:
    assert dir(gc) == sorted(gc.__all__)
    assert not [name for name in dir(gc) if name.startswith("_") and name != "__version__"]


def test_names__are_what_their_home_has() -> None:
    for module, names in gc.HOMES.items():
        for name in names.split():
            home = import_module(f"gibbs_circuits.{module or name}")
            there = getattr(home, name) if module else home
            here = getattr(gc, name)
            assert here is there or here.__wrapped__ is there
            assert isinstance(here, ModuleType) or here is getattr(gc, name)  # made once


@pytest.mark.parametrize("name", ["baths", "filters", "free_fermions", "models", "presets", "transpiler"])
def test_names__a_module__is_there_when_it_is_the_first_that_is_used(name: str) -> None:
    code = f"import gibbs_circuits as gc; print(gc.{name}.__name__)"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.stdout.strip().endswith(f".{name}"), ran.stderr


def test_names__unknown__says_so() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Path'"):
        gc.Path  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'davis'"):
        from gibbs_circuits import davis  # type: ignore[attr-defined]  # noqa: F401
