"""Whatever is added is one file and one line: shown in a copy of the package, by a throw-away entry each."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from tests.copied import Recipe, copied, judged, python
from tests.recipes import ANALYSIS, FILTER, GENERATORS, PAGE, PRESET, RECIPES, REFERENCE, SCHEME, SECH, TARGET
from tests.test_imports import FLOORS

TRIED = """
import contextlib, io, json, re, sys
from pathlib import Path
import gibbs_circuits as gc
from gibbs_circuits.backends.runs import prepare
from gibbs_circuits.cli.options import status
assert Path(gc.__file__).is_relative_to(Path.cwd())
prepare.LATTICE = "aer_mps"  # where nothing is routed: the count on a lattice takes long and has no part in this
def said(command):
    out, complaint = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(complaint):
        code = status(command.split())
    return code, out.getvalue(), complaint.getvalue()
def left(code):
    names = {"gc": gc}
    exec(code, names)
    return names["found"]
tried = {"backends": said("backends --json")[1]}
for name, command, code, help in json.loads(sys.argv[1]):
    ran = said(command) if command else None
    tried[name] = ran, code and left(code), re.sub(r"[\\s│]+", " ", said(help + " --help")[1])
print(json.dumps(tried))
"""


def tried(folder: Path, *, with_lines: bool) -> dict[str, Any]:
    """Every recipe's command, Python and help, in one interpreter; without its line no Python that needs it."""
    given = [
        (one.name, one.command, one.python if with_lines or one.refused is None else None, one.help) for one in RECIPES
    ]
    ran = python(copied(folder, RECIPES, with_lines=with_lines), "-c", TRIED, json.dumps(given))
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def document(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "result.json").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    return {with_lines: tmp_path_factory.mktemp("copy") for with_lines in (True, False)}


@pytest.fixture(scope="module")
def found(folders: dict[bool, Path]) -> dict[str, Any]:
    """With the lines."""
    return tried(folders[True], with_lines=True)


@pytest.fixture(scope="module")
def control(folders: dict[bool, Path]) -> dict[str, Any]:
    """With the files, without the lines."""
    return tried(folders[False], with_lines=False)


@pytest.fixture(scope="module")
def registry_wide(found: dict[str, Any], folders: dict[bool, Path]) -> str:
    """What the tests of all registries say, one test a line."""
    return over(folders[True], *RECIPES)


def over(folder: Path, *recipes: Recipe) -> str:
    files = {str(Path(__file__).parent / name) for recipe in recipes for name in recipe.tests}
    return judged(folder, *sorted(files), "-k", " or ".join(["examples", *(keyword(one) for one in recipes)]))


def keyword(recipe: Recipe) -> str:
    return "half" if recipe is ANALYSIS else recipe.name


def verdicts(said: str, recipe: Recipe, file: str = "") -> list[str]:
    return re.findall(rf"(?m)^\S*{file}::\S+\[{keyword(recipe)}\b.*\] (PASSED|FAILED)", said)


@pytest.mark.parametrize("recipe", [one for one in RECIPES if one.told], ids=lambda one: one.name)
def test_recipe__help__tells_of_it__with_the_line_only(
    recipe: Recipe, found: dict[str, Any], control: dict[str, Any]
) -> None:
    assert recipe.told in found[recipe.name][2]
    assert recipe.told not in control[recipe.name][2]


@pytest.mark.parametrize("recipe", [one for one in RECIPES if one.refused], ids=lambda one: one.name)
def test_recipe__control__without_the_line_it_is_refused(recipe: Recipe, control: dict[str, Any]) -> None:
    (code, out, complaint), _, help = control[recipe.name]
    assert (code, out) == (2, "")
    assert recipe.refused
    assert re.search(recipe.refused, complaint)
    assert complaint.strip().count("\n") == 0
    assert recipe.name not in help


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda one: one.name)
def test_recipe__registry_wide_tests__run_over_it(recipe: Recipe, registry_wide: str) -> None:
    for file, count in recipe.tests.items():
        assert verdicts(registry_wide, recipe, file) == ["PASSED"] * count


def test_recipe__registry_wide_tests__all_pass(registry_wide: str) -> None:
    assert "covers_as_often_as_it_states__made_data[half] PASSED" in registry_wide
    assert "wherever_it_applies[independent_spins-0.3] PASSED" in registry_wide
    assert "test_examples__are_of_every_class_in_the_package PASSED" in registry_wide
    assert "failed" not in registry_wide.splitlines()[-1]


def test_recipe__control__a_wrong_filter_and_a_false_order_fail(tmp_path: Path) -> None:
    copied(tmp_path, (SECH, SCHEME), with_lines=True)
    for recipe, right, wrong in ((SECH, "dtype=float) / 4", "dtype=float) / 3"), (SCHEME, "order=1", "order=2")):
        assert recipe.source.count(right) == 1
        (tmp_path / "gibbs_circuits" / recipe.file).write_text(recipe.source.replace(right, wrong), "utf-8")
    said = over(tmp_path, SECH, SCHEME)
    assert verdicts(said, SECH, "test_registries.py").count("FAILED") >= 2
    assert "declared_orders__are_measured[jump_by_jump] FAILED" in said


@pytest.mark.parametrize("recipe", GENERATORS, ids=lambda one: one.name)
def test_generator__from_a_file__is_exact_and_the_one_from_python(recipe: Recipe, found: dict[str, Any]) -> None:
    (code, out, complaint), (kind, written, difference, *_), _ = found[recipe.name]
    assert (code, complaint) == (0, "")
    generator = json.loads(out)["generator"]
    assert generator["residual"] <= 1e-12
    assert generator["kms_defect"] <= 1e-10
    assert generator["kind"] == kind == written
    assert difference <= 1e-12


def test_filter__as_contributing_shows_it__prints_what_it_says(found: dict[str, Any]) -> None:
    assert found[SECH.name][1][3] == "sech 1\n"
    assert "print(generator.contacts[0].kernel.filter.name, program.num_ancilla)  # sech 1" in PAGE
    assert len(FILTER.splitlines()) < 50


def test_contributing__picture__has_every_room_on_its_floor() -> None:
    lines = re.findall(r"(?m)^ *(\d+) +[│▼] +[│▲] +(\S.{0,21}\S) ", PAGE)
    assert [(int(floor), {*rooms.split()}) for floor, rooms in lines] == [
        (floor, {*rooms}) for floor, rooms in enumerate(FLOORS, 1)
    ]


def test_preset__is_there_and_cited__with_the_line_only(found: dict[str, Any], control: dict[str, Any]) -> None:
    recipe, strength, cited = found[PRESET.name][1]
    assert (recipe, strength) == ("weak_sequence", 0.2)
    assert "folklore" in cited
    assert control[PRESET.name][1] is False


def test_scheme__compiles__from_file_and_python(found: dict[str, Any]) -> None:
    (code, out, complaint), from_python, help = found[SCHEME.name]
    assert (code, complaint) == (0, "")
    program = json.loads(out)["program"]
    assert (program["scheme"], program["num_ancilla"], program["knobs"]["coherent_first"]) == ("jump_by_jump", 1, False)
    assert "of 17 settings" in program["knobs_chosen"]
    assert from_python == ["jump_by_jump", "order 1 in strength", True, "sweeps, strengt"]
    assert "coherent_first = true: B before the jumps, or after them." in help


def test_target__runs__from_file_and_python(found: dict[str, Any], folders: dict[bool, Path]) -> None:
    (code, out, complaint), from_python, help = found[TARGET.name]
    assert code in (0, 1), complaint
    said = json.loads(out)
    assert said["target"]["backend"] == "mine"
    assert said["target"]["method"] is None
    assert said["target"]["check"]["passed"] is True
    assert said["run"]["ancilla_policy"] == "fresh"
    assert 'backend = "mine"' in (folders[True] / "vector" / "experiment.toml").read_text("utf-8")
    assert from_python == [True, "Program needs 4 qubits, but `mine` has 3. Fix: raise most."]
    rows = {row["name"]: row for row in json.loads(found["backends"])["backends"]}
    assert rows["mine"] == {"name": "mine", "available": True, "reason": None, "description": "a throw-away target"}
    assert "most = 12: Most qubits of the throw-away kind." in help


def test_analysis__is_in_report_document_and_python(found: dict[str, Any], folders: dict[bool, Path]) -> None:
    (_, text, _), (several, few), _ = found[ANALYSIS.name]
    assert "Half of the realisations" in text
    assert "energy of every other realisation" in text
    said = document(folders[True] / "half")
    assert said["half"]["low"] <= said["half"]["value"] <= said["half"]["high"]
    assert "not_checked" not in said
    kind, reason, data, seen = several
    assert (kind, reason, seen) == ("Estimate", None, True)
    assert set(data) == {"half"}
    assert "value" in data["half"]
    reason = "there are fewer than four realisations"
    assert few == [None, reason, {"half": None, "not_checked": {"half": reason}}, True]


def test_analysis__control__without_the_line_there_is_nothing(
    control: dict[str, Any], folders: dict[bool, Path]
) -> None:
    (_, text, _), from_python, _ = control[ANALYSIS.name]
    assert "Half of the realisations" not in text
    assert "half" not in document(folders[False] / "half")
    assert from_python == [[None, None, None, False]] * 2


def test_reference__judges_what_nothing_else_can(found: dict[str, Any], folders: dict[bool, Path]) -> None:
    (_, text, _), from_python, _ = found[REFERENCE.name]
    assert "Exact Gibbs state (independent spins)" in text
    said, size = document(folders[True] / "spins"), math.hypot(0.4, 0.7)
    energy = -13 * size * math.tanh(size)
    assert said["exact"]["reference"] == "independent_spins"
    assert said["exact"]["energy"] == pytest.approx(energy)
    assert said["result"]["energy"]["exact"] == pytest.approx(energy)
    assert said["verdict"] in ("agrees", "disagrees")
    assert from_python == ["independent_spins", pytest.approx(-23.114386, abs=1e-6)]


def test_reference__control__without_the_line_the_next_one_answers(
    control: dict[str, Any], folders: dict[bool, Path]
) -> None:
    (_, text, _), from_python, _ = control[REFERENCE.name]
    assert "independent spins" not in text
    said = document(folders[False] / "spins")
    assert said["exact"]["reference"] == "matrix_product"
    assert from_python[0] == "matrix_product"
