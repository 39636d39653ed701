"""An analysis is one file and one line: it is then in the report, in the document, in Python and in its test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.copied import ROOT, added, copied, python

SOURCE = '''"""The energy of every other realisation: whether half of them say the same."""

from __future__ import annotations

from ...backends.measurement.counts import from_counts
from ...io.json import plain
from ...io.section import Section
from .base import Analysis, Finding
from .interval import Estimate, interval
from .measured_run import MeasuredRun


def _why_not(run: MeasuredRun) -> str | None:
    return None if len(run.run.blocks) > 3 else "there are fewer than four realisations"


def _measure(run: MeasuredRun) -> Finding[Estimate]:
    H, bases = run.model.hamiltonian, run.run.request.bases
    found = interval([from_counts(H, bases, one.counts) for one in run.run.blocks[::2]], run.energy.exact)
    rows = (("energy of every other realisation", f"{found.value:.4f}"),)
    section = Section("Half of the realisations", ("quantity", "value"), rows, data={"half": plain(found)})
    return Finding(found, (section,), estimates={"energy": found})


half_of_the_realisations = Analysis("half", "Half of the realisations", _measure, _why_not, {"half": None})
'''
EXPERIMENT = """[model]
name = "mixed_field_ising"
sites = 2
beta = 1.0
[generator]
kind = "dll"
[compile]
sweeps = 2
nodes = 3
spacing = 0.5
strength = 0.6
target_error = 0.4
[run]
backend = "aer_density_matrix"
shots = 400
realisations = 4
"""
CALL = "import sys; from gibbs_circuits.cli.options import status; sys.exit(status(sys.argv[1:]))"
FROM_PYTHON = """
import gibbs_circuits as gc
program = gc.compile(gc.dll(gc.models.mixed_field_ising(2), 1.0), sweeps=2, nodes=3, spacing=0.5, strength=0.6)
for realisations in (4, 2):
    comparison = gc.compare(gc.run(program, shots=400, realisations=realisations), 0.4)
    found = comparison.findings.get("half")
    print(found and (found.value, found.not_checked), "Half of the realisations" in comparison._repr_html_())
    print({key: value for one in found.sections for key, value in one.data.items()} if found else {})
"""


@pytest.fixture(scope="module")
def plain_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def with_one_more(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copied(tmp_path_factory.mktemp("more"))
    added(
        folder, "analysis/estimators/half_of_the_realisations.py", SOURCE, "analysis/estimators/registry.py",
        "half_of_the_realisations", "measured_orders",
    )  # fmt: skip
    return folder


def report(folder: Path) -> tuple[str, dict[str, object]]:
    """The printed report and the document of a run from an experiment file."""
    (folder / "e.toml").write_text(EXPERIMENT)
    text = python(folder, "-c", CALL, "run", "e.toml", "--out", "out")
    document = json.loads((folder / "out" / "result.json").read_text())
    return text, document


def test_recipe__one_file_and_one_line__report_and_document(with_one_more: Path) -> None:
    text, document = report(with_one_more)
    assert "Half of the realisations" in text
    assert "energy of every other realisation" in text
    half = document["half"]
    assert isinstance(half, dict)
    assert half["low"] <= half["value"] <= half["high"]
    assert "not_checked" not in document


def test_recipe__one_file_and_one_line__python_notebook_and_reason(with_one_more: Path) -> None:
    several, data, few, reason = python(with_one_more, "-c", FROM_PYTHON).splitlines()
    assert data.startswith("{'half': {'value': ")
    assert reason == "{'half': None, 'not_checked': {'half': 'there are fewer than four realisations'}}"
    assert several.startswith("(Estimate(")
    assert several.endswith("None) True")
    assert few == "(None, 'there are fewer than four realisations') True"


def test_recipe__one_line__is_in_the_tests_of_the_registry(with_one_more: Path) -> None:
    registry = str(ROOT / "tests/analysis/test_registry.py")
    ours = f"pythonpath={with_one_more}"  # before the tests' own
    said = python(with_one_more, "-m", "pytest", "-v", "-n0", "-p", "no:cacheprovider", "-o", ours, registry,
                  "-k", "half")  # fmt: skip
    assert "test_every_analysis__covers_as_often_as_it_states__made_data[half] PASSED" in said
    assert "3 passed" in said


def test_recipe__control__without_the_line_there_is_nothing(plain_copy: Path) -> None:
    text, document = report(plain_copy)
    assert "Half of the realisations" not in text
    assert "half" not in document
    assert python(plain_copy, "-c", FROM_PYTHON).splitlines() == ["None False", "{}"] * 2
