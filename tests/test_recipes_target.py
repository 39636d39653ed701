"""A kind of target is one file and one line: shown in a copy of the package, by a throw-away kind."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COPIED = (
    "gibbs_circuits", "hardware_configs", "tests/__init__.py", "tests/conftest.py", "tests/examples.py",
    "tests/stand_in.py", "tests/systems.py", "tests/backends", "pyproject.toml",
)  # fmt: skip
REGISTRY_WIDE = "tests/backends/test_target_kinds.py"
SOURCE = '''"""Qiskit's state vector in place of a processor that cannot reset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from ...errors import TooLargeError
from .base import Machine, Target


class VectorTarget(Target):
    """A throw-away kind: Qiskit's own sampler."""

    kind: Literal["vector"] = Field(examples=["vector"], description="A throw-away kind.")
    most: int = Field(default=12, ge=1, description="Most qubits of the throw-away kind.")

    def refuse_size(self, used: int, system: int, *, fresh: bool = False) -> None:
        if used > self.most:
            raise TooLargeError(f"Program needs {used} qubits, but `{self.name}` has {self.most}. Fix: raise most.")

    def open(self, num_qubits: int = 1) -> Machine:
        from qiskit.primitives import StatevectorSampler

        from ..devices.device import Device
        from ..devices.errors import Errors

        self.check()

        def run(circuits: Sequence[Any], shots: int, seed: int) -> Any:
            return StatevectorSampler(seed=seed).run(list(circuits), shots=shots)

        return Machine(self, Device(self.name, ("cz", "rz", "sx", "x"), None, Errors(), resets=False), run=run)
'''
OPENING, LINE = "FILES = {", '    "vector": "VectorTarget",'
TARGET = 'name = "mine"\nkind = "vector"\ndescription = "a throw-away target"\n'
EXPERIMENT = """
[model]
name = "mixed_field_ising"
sites = 2
beta = 1.0
[compile]
nodes = 3
spacing = 0.5
strength = 0.6
sweeps = 2
random_delays = false
[run]
backend = "mine"
shots = 4000
realisations = 4
"""
PYTHON = """
import gibbs_circuits as gc
from pathlib import Path
from gibbs_circuits.backends.targets.vector import VectorTarget
assert Path(gc.__file__).is_relative_to(Path.cwd())
generator = gc.dll(gc.models.mixed_field_ising(2), 1.0)
program = gc.compile(generator, nodes=3, spacing=0.5, strength=0.6, sweeps=2, random_delays=False)
result = gc.run(program, VectorTarget(name="mine", kind="vector"), shots=4000, realisations=4)
assert result.check.passed is True
try:
    gc.run(program, VectorTarget(name="mine", kind="vector", most=3), shots=40, realisations=4)
except gc.TooLargeError as error:
    print(error)
"""


def package(folder: Path, *, with_line: bool) -> Path:
    """A copy of the package with one more file and, if asked for, one more line; and a target of the kind."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    home = folder / "gibbs_circuits" / "backends" / "targets"
    (home / "vector.py").write_text(SOURCE, "utf-8")
    registry = (home / "registry.py").read_text("utf-8")
    found = re.findall(rf"(?m)^{re.escape(OPENING)}.*$", registry)
    assert len(found) == 1
    if with_line:
        (home / "registry.py").write_text(registry.replace(found[0], f"{found[0]}\n{LINE}"), "utf-8")
    (folder / "hardware_configs" / "mine.toml").write_text(TARGET, "utf-8")
    (folder / "e.toml").write_text(EXPERIMENT, "utf-8")
    return folder


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter that knows the copy only."""
    settings = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run([sys.executable, *arguments], cwd=folder, env=settings, capture_output=True, text=True)


def cli(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return python(folder, "-c", "from gibbs_circuits.cli.options import main; main()", *arguments)


def words(text: str) -> str:
    return re.sub(r"[\s│]+", " ", text)


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package(tmp_path_factory.mktemp("extended"), with_line=True)


def test_recipe__experiment_file__runs_on_the_new_kind(extended: Path) -> None:
    ran = cli(extended, "run", "e.toml", "--out", "out", "--json")
    assert ran.returncode in (0, 1), ran.stderr
    found = json.loads(ran.stdout)
    assert found["target"]["backend"] == "mine"
    assert found["target"]["method"] is None
    assert found["target"]["check"]["passed"] is True
    assert found["run"]["ancilla_policy"] == "fresh"
    assert 'backend = "mine"' in (extended / "out" / "experiment.toml").read_text("utf-8")


def test_recipe__python__runs_and_refuses(extended: Path) -> None:
    ran = python(extended, "-c", PYTHON)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.strip() == "Program needs 4 qubits, but `mine` has 3. Fix: raise most."


def test_recipe__list_and_help__show_the_new_kind(extended: Path) -> None:
    rows = {row["name"]: row for row in json.loads(cli(extended, "backends", "--json").stdout)["backends"]}
    assert rows["mine"] == {"name": "mine", "available": True, "reason": None, "description": "a throw-away target"}
    told = words(cli(extended, "backends", "--help").stdout)
    assert 'kind = "vector": A throw-away kind: Qiskit\'s own sampler.' in told
    assert "most = 12: Most qubits of the throw-away kind." in told


def test_recipe__registry_wide_tests__run_over_the_new_kind(extended: Path) -> None:
    ran = python(extended, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", REGISTRY_WIDE, "-k", "vector")
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    assert passed is not None
    assert int(passed[1]) == 5


def test_recipe__control__without_the_line_it_is_refused(tmp_path: Path) -> None:
    folder = package(tmp_path, with_line=False)
    ran = cli(folder, "run", "e.toml", "--out", "out")
    assert ran.returncode == 2
    assert ran.stderr.strip().count("\n") == 0
    assert "kind must be one of aer, ibm, but 'vector' was found" in ran.stderr
    assert "vector" not in cli(folder, "backends", "--help").stdout
