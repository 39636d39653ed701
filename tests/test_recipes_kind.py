"""A kind, a filter or a bath is one file and one line: shown in a copy of the package, by throw-away entries."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COPIED = ("gibbs_circuits", "hardware_configs", "tests/__init__.py", "tests/conftest.py", "tests/generators",
          "pyproject.toml")  # fmt: skip
REGISTRY_WIDE = "tests/generators/test_registries.py"
FILE = '[model]\nname = "mixed_field_ising"\nsites = 2\nbeta = 1.0\n[generator]\n'


@dataclass(frozen=True)
class Recipe:
    """One file, one line, and how users see what they add.

    Attributes:
        folder: Of the file `tilted.py`, and of the registry.
        source: The file.
        line: Goes below the line `opening` of the registry.
        keys: Of [generator] in an experiment file.
        python: The same generator in Python.
        told: What the help says.
        refused: The complaint about the file where the line is missing.
    """

    folder: str
    source: str
    opening: str
    line: str
    keys: str
    python: str
    told: str
    refused: str


RECIPES = {
    "kind": Recipe(
        "generators/kinds",
        '''
"""A Gaussian filter with a slope that keeps detailed balance."""

from __future__ import annotations

from typing import Annotated

from ...models.model import Model
from ...models.signatures import public
from ..couplings import Couplings
from ..filters.gaussian import GaussianFilter
from ..kernels.base import RankOne
from ..lindbladian import Lindbladian
from .base import BalanceOrNone, with_kernel


@public
def tilted(
    model: Model,
    beta: float,
    couplings: Couplings = "Y",
    tilt: Annotated[float | None, "splitting over temperature, > 0; 1 if left out."] = None,
    coherent: BalanceOrNone = "balance",
) -> Lindbladian:
    """One jump per coupling, tilted.

    References:
        Nobody, arXiv:0000.00000.
    """
    filter = GaussianFilter(beta, None if tilt is None else tilt / beta)
    return with_kernel("tilted", model, couplings, RankOne(filter), coherent)
''',
        "KINDS = by_name(",
        '    Kind("tilted", "a throw-away kind, tilted."),',
        'kind = "tilted"\ntilt = 2.0',
        "from gibbs_circuits.generators.kinds.tilted import tilted; made = tilted(model, 1.0, tilt=2.0)",
        'kind = "tilted": a throw-away kind, tilted. coherent = "balance": balance: the term B that makes it exact; '
        "none: without. tilt (optional): splitting over temperature, > 0; 1 if left out.",
        "generator.kind must be one of dll, kms, ckg",
    ),
    "filter": Recipe(
        "generators/filters",
        '''
"""A Gaussian filter with a slope."""

from __future__ import annotations

from typing import Annotated

from .gaussian import GaussianFilter


def tilted(beta: float, tilt: Annotated[float, "splitting over temperature, > 0", 2]) -> GaussianFilter:
    """The filter of an ancilla whose splitting is so many temperatures."""
    return GaussianFilter(beta, tilt / beta)
''',
        "FILTERS = by_name(",
        '    NamedFilter("tilted"),',
        'filter = {kind = "tilted", tilt = 2}',
        'made = gc.dll(model, 1.0, filter={"kind": "tilted", "tilt": 2})',
        "f̂(ν): tilted, gaussian, metropolis, lloyd_abanin, or",
        "generator.filter must be one of gaussian, metropolis",
    ),
    "bath": Recipe(
        "generators/baths",
        '''
"""A bath between two power laws."""

from __future__ import annotations

from .bath import Bath
from .power_law import power_law


def tilted(beta: float, tilt: float = 1.5, strength: float = 1.0, cutoff: float | None = None) -> Bath:
    """A power law by another name."""
    return power_law(beta, tilt, strength, cutoff)
''',
        "BATHS = by_name(",
        """    NamedBath("tilted", '{kind = "tilted", tilt = 1.5}'),""",
        'kind = "davies"\nbath = {kind = "tilted", tilt = 2}',
        'made = gc.davies(model, 1.0, bath={"kind": "tilted", "tilt": 2})',
        'G(ω): {kind = "tilted", tilt = 1.5}, "ohmic"',
        "generator.bath must be one of ohmic, power_law",
    ),
}


def package(folder: Path, recipe: Recipe, *, with_line: bool) -> Path:
    """A copy of the package with one more file and, if asked for, one more line."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    home = folder / "gibbs_circuits" / recipe.folder
    (home / "tilted.py").write_text(recipe.source.lstrip(), "utf-8")
    registry = (home / "registry.py").read_text("utf-8")
    assert registry.count(f"{recipe.opening}\n") == 1
    if with_line:
        (home / "registry.py").write_text(
            registry.replace(f"{recipe.opening}\n", f"{recipe.opening}\n{recipe.line}\n"), "utf-8"
        )
    (folder / "e.toml").write_text(FILE + recipe.keys, "utf-8")
    return folder


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter that knows the copy only."""
    settings = {**os.environ, "PYTHONPATH": str(folder), "COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run([sys.executable, *arguments], cwd=folder, env=settings, capture_output=True, text=True)


def told(folder: Path) -> tuple[int, str, str, str]:
    """Exit status, output and complaint of `exact e.toml --json`, and the help of `run`."""
    code = (
        "import io, contextlib; from gibbs_circuits.cli.options import status\n"
        "with contextlib.redirect_stdout(io.StringIO()) as help_text: status(['run', '--help'])\n"
        "code = status(['exact', 'e.toml', '--json'])\n"
        "print(f'STATUS {code} HELP', help_text.getvalue())"
    )
    ran = python(folder, "-c", code)
    found = re.fullmatch(r"(.*)STATUS (\d+) HELP (.*)", ran.stdout, re.DOTALL)
    assert found is not None, ran.stderr
    return int(found[2]), found[1], ran.stderr, words(found[3])


def words(text: str) -> str:
    return re.sub(r"[\s│]+", " ", text)


@pytest.mark.parametrize("name", RECIPES)
def test_recipe__one_file_and_one_line__work_from_file_python_and_help(name: str, tmp_path: Path) -> None:
    recipe = RECIPES[name]
    folder = package(tmp_path, recipe, with_line=True)
    status, out, complaint, help_text = told(folder)
    assert (status, complaint) == (0, "")
    assert recipe.told in help_text
    found = json.loads(out)
    assert found["generator"]["residual"] <= 1e-11
    code = (
        "import gibbs_circuits as gc; from gibbs_circuits.experiments.experiment import read_experiment\n"
        f"from pathlib import Path; assert Path(gc.__file__).is_relative_to({str(folder)!r})\n"
        f"model = gc.models.mixed_field_ising(2); {recipe.python}\n"
        "written = read_experiment(Path('e.toml')).generator\n"
        "print(made.kind, abs(made.superoperator() - written.superoperator()).max())"
    )
    ran = python(folder, "-c", code)
    assert ran.stderr == ""
    kind, difference = ran.stdout.split()
    assert kind == found["generator"]["kind"]
    assert float(difference) <= 1e-12


@pytest.mark.parametrize("name", ["kind", *(pytest.param(name, marks=pytest.mark.slow) for name in ("filter", "bath"))])
def test_recipe__registry_wide_tests__run_over_the_new_entry(name: str, tmp_path: Path) -> None:
    folder = package(tmp_path, RECIPES[name], with_line=True)
    ran = python(folder, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", REGISTRY_WIDE, "-k", "tilted")
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    assert passed is not None
    assert int(passed[1]) == {"kind": 5, "filter": 3, "bath": 2}[name]


@pytest.mark.parametrize("name", RECIPES)
def test_recipe__control__without_the_line_it_is_refused(name: str, tmp_path: Path) -> None:
    recipe = RECIPES[name]
    folder = package(tmp_path, recipe, with_line=False)
    status, out, complaint, help_text = told(folder)
    assert (status, out) == (2, "")
    assert recipe.refused in complaint
    assert recipe.told not in help_text


@pytest.mark.slow
def test_recipe__control__an_unbalanced_filter_fails_the_registry_wide_tests(tmp_path: Path) -> None:
    folder = package(tmp_path, RECIPES["filter"], with_line=True)
    file = folder / "gibbs_circuits" / RECIPES["filter"].folder / "tilted.py"
    file.write_text(file.read_text("utf-8").replace("GaussianFilter(beta, tilt / beta)", "GaussianFilter(2 * beta)"))
    ran = python(folder, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", REGISTRY_WIDE, "-k", "tilted")
    assert ran.returncode == 1
    assert "2 failed" in ran.stdout or "3 failed" in ran.stdout
