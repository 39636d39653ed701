"""A scheme is one file and its line in the registry: shown by one that is thrown away, in a copy of the package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import gibbs_circuits

ROOT = Path(__file__).parents[1]
EVERY = "tests/compiler/test_every_scheme.py"
SOURCE = '''
"""Jump by jump as dense gates on one ancilla, B before or after them."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from ...evidence import Status
from ...generators.dense import dense_generator
from ...generators.lindbladian import Lindbladian
from ...linalg.channels import exponential
from ...programs.program import ErrorTerm, Program, Rung
from ...programs.steps import Reset, Step, Unitary
from ..base import Knobs, Scheme, repeated_sweep


class JumpByJumpKnobs(Knobs):
    """Settings of the scheme."""

    coherent_first: bool = Field(default=True, description="B before the jumps, or after them.")


def jump_by_jump(generator: Lindbladian, knobs: JumpByJumpKnobs) -> Program:
    """e^{-iB delta}, and one dilation per jump."""
    dense, strength = dense_generator(generator), knobs.set("strength")
    coherent: list[Step] = [Unitary(exponential(dense.coherent, strength), (), "B")]
    jumps: list[Step] = []
    for V in dense.jumps:
        raising = np.kron(np.array([[0, 0], [1, 0]]), V)
        dilation = exponential(raising + raising.conj().T, np.sqrt(strength))
        jumps += [Unitary(dilation, (0,), "L", clean=True), Reset((0,))]
    sweep = (*coherent, *jumps) if knobs.coherent_first else (*jumps, *coherent)
    declared = ErrorTerm(Rung.DILATION, None, "order 1 in strength", Status.NOT_CHECKED, "folklore")
    return repeated_sweep(generator, JUMP_BY_JUMP.name, knobs, sweep, 1, (declared,))


JUMP_BY_JUMP = Scheme(
    "jump_by_jump", jump_by_jump, JumpByJumpKnobs, "one dense gate per jump, thrown away", order=1, source="folklore"
)
'''
EXPERIMENT = """
model = {name = "tfim", sites = 2, beta = 1.0}
compile = {scheme = "jump_by_jump", target_error = 0.4, coherent_first = false}
run = {backend = "aer_density_matrix"}
"""
FROM_PYTHON = """
import gibbs_circuits as gc
program = gc.compile(gc.dll(gc.models.tfim(2), 1.0, "Y"), "jump_by_jump", target_error=0.4)
print(program.scheme, program.declared[0].unit, "folklore" in gc.citation(program), program.provenance[:15])
"""


def copy(folder: Path, *, registered: bool) -> Path:
    """The package and its tests with the file of the scheme, and with its line unless that is forgotten."""
    for part in (Path(gibbs_circuits.__file__).parent, ROOT / "hardware_configs", ROOT / "tests"):
        shutil.copytree(part, folder / part.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    schemes = folder / "gibbs_circuits" / "compiler" / "schemes"
    (schemes / "jump_by_jump.py").write_text(SOURCE, "utf-8")
    if registered:
        text = (schemes / "registry.py").read_text("utf-8")
        line = "from .jump_by_jump import JUMP_BY_JUMP\n"
        text = text.replace("from .parallel", line + "from .parallel").replace("DISCRETE,", "DISCRETE, JUMP_BY_JUMP,")
        (schemes / "registry.py").write_text(text, "utf-8")
    (folder / "e.toml").write_text(EXPERIMENT, "utf-8")
    return folder


@pytest.fixture(scope="module")
def with_line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy(tmp_path_factory.mktemp("registered"), registered=True)


@pytest.fixture(scope="module")
def without_line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy(tmp_path_factory.mktemp("forgotten"), registered=False)


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter that sees the copy."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "NO_COLOR": "1", "COLUMNS": "120"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return python(folder, "-c", "from gibbs_circuits.cli.options import main; main()", *arguments)


def test_scheme__one_file_and_its_line__compiles_from_an_experiment_file(with_line: Path) -> None:
    ran = command(with_line, "compile", "e.toml", "--json")
    assert ran.returncode == 0, ran.stderr
    program = json.loads(ran.stdout)["program"]
    assert (program["scheme"], program["num_ancilla"], program["knobs"]["coherent_first"]) == ("jump_by_jump", 1, False)
    assert "of 17 settings" in program["knobs_chosen"]


def test_scheme__one_file_and_its_line__compiles_from_python(with_line: Path) -> None:
    ran = python(with_line, "-c", FROM_PYTHON)
    assert ran.stdout.split("\n")[0] == "jump_by_jump order 1 in strength True sweeps, strengt", ran.stderr


def test_scheme__one_file_and_its_line__is_taught_by_help(with_line: Path) -> None:
    said = " ".join(command(with_line, "compile", "--help").stdout.split())
    assert "jump_by_jump: one dense gate per jump, thrown away; order 1 in the strength" in said
    assert "coherent_first = true: B before the jumps, or after them." in said


def test_scheme__one_file_and_its_line__passes_what_every_scheme_passes(with_line: Path) -> None:
    ran = python(with_line, "-m", "pytest", "-q", "-n0", EVERY, "-k", "jump_by_jump")
    assert ran.returncode == 0, ran.stdout
    assert "8 passed" in ran.stdout


def test_scheme__control__a_false_order_is_seen(tmp_path: Path) -> None:
    folder = copy(tmp_path, registered=True)
    file = folder / "gibbs_circuits" / "compiler" / "schemes" / "jump_by_jump.py"
    file.write_text(SOURCE.replace("order=1", "order=2"), "utf-8")
    ran = python(folder, "-m", "pytest", "-q", "-n0", EVERY, "-k", "jump_by_jump and declared_orders")
    assert "1 failed" in ran.stdout, ran.stdout


def test_scheme__control__without_its_line_it_is_refused(without_line: Path) -> None:
    ran = command(without_line, "compile", "e.toml", "--json")
    assert ran.returncode == 2
    assert "compile.scheme" in ran.stderr
    assert "jump_by_jump" not in command(without_line, "compile", "--help").stdout
