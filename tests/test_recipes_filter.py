"""A filter is one file and one entry in its table: tried on a copy of the package, with a control without the entry."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gibbs_circuits

HOME = Path(gibbs_circuits.__file__).parent
FILTER = '''"""A filter that falls off as 1/cosh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...linalg.arrays import Array, Real
from .base import Filter, fourier, width_of


@dataclass(frozen=True)
class SechFilter(Filter):
    """q = 1/cosh(βν/2)."""

    beta: float
    name = "sech"

    @property
    def width(self) -> float:
        return width_of(self.time, 60 / self.beta)

    def frequency(self, nu: Real) -> Array:
        x = self.beta * np.asarray(nu, dtype=float)
        return np.exp(-x / 4) / np.cosh(x / 2).astype(complex)

    def time(self, t: Real) -> Array:
        return fourier(self.frequency, 60 / self.beta, t)


def sech(beta: float) -> SechFilter:
    """The filter of that name."""
    return SechFilter(beta)
'''
ENTRY = '    NamedFilter("gaussian"),\n'
EXPERIMENT = """
[model]
name = "tfim"
sites = 2
beta = 1.0

[generator]
kind = "dll"
filter = "sech"
"""


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """The package with the new file, with and without its entry in the table."""
    made = {}
    for registered in (True, False):
        root = tmp_path_factory.mktemp("registered" if registered else "control")
        shutil.copytree(HOME, root / HOME.name, ignore=shutil.ignore_patterns("__pycache__"))
        if (configs := HOME.parent / "hardware_configs").is_dir():
            shutil.copytree(configs, root / configs.name)
        (root / HOME.name / "generators/filters/sech.py").write_text(FILTER, "utf-8")
        if registered:
            table = root / HOME.name / "generators/filters/registry.py"
            text = table.read_text("utf-8")
            assert text.count(ENTRY) == 1
            table.write_text(text.replace(ENTRY, f'{ENTRY}    NamedFilter("sech"),\n'), "utf-8")
        (root / "e.toml").write_text(EXPERIMENT, "utf-8")
        made[registered] = root
    return made


def tried(root: Path, code: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def command(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return tried(root, f"from gibbs_circuits.cli.options import main; main({list(arguments)!r})")


def test_filter__from_an_experiment_file(copies: dict[bool, Path]) -> None:
    found = command(copies[True], "exact", "e.toml", "--json")
    assert found.returncode == 0, found.stderr
    said = json.loads(found.stdout)["generator"]
    assert said["residual"] <= 1e-12
    assert said["kms_defect"] <= 1e-10


def test_filter__from_python__becomes_a_program(copies: dict[bool, Path]) -> None:
    code = """
import gibbs_circuits as gc
generator = gc.dll(gc.models.tfim(2), 1.0, filter="sech")
program = gc.compile(generator, "sequential", sweeps=1, strength=0.1, spacing=0.5, nodes=5)
print(generator.contacts[0].kernel.filter.name, program.num_ancilla)
"""
    found = tried(copies[True], code)
    assert found.stdout.split() == ["sech", "1"], found.stderr


def test_filter__stands_in_the_help(copies: dict[bool, Path]) -> None:
    said, before = (command(copies[registered], "run", "--help").stdout for registered in (True, False))
    assert "sech" in said
    assert "sech" not in before


def test_control__without_its_entry_it_is_refused(copies: dict[bool, Path]) -> None:
    found = command(copies[False], "exact", "e.toml", "--json")
    assert found.returncode != 0
    assert "filter" in found.stderr
    assert "gaussian" in found.stderr
