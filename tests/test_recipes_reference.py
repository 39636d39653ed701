"""A reference is one file and one line: runs that nothing else can check are then checked against it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.copied import ROOT, added, copied, python

SOURCE = '''"""Spins that do not interact, of any number."""

from __future__ import annotations

from functools import reduce

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from ...models.model import Model
from ...models.spectrum import Thermal
from .base import ExactAnswer, GibbsReference


def _why_not(model: Model, beta: float) -> str | None:
    pairs = [label for label, _ in model.terms if len(label) - label.count("I") > 1]
    return f"{pairs[0]} is an interaction" if pairs else None


def _answer(model: Model, beta: float) -> ExactAnswer:
    fields, offset = [dict[str, float]() for _ in range(model.num_qubits)], 0.0
    for label, c in model.terms:
        site = next((j for j, letter in enumerate(reversed(label)) if letter != "I"), None)
        if site is None:
            offset += c
        else:
            fields[site][label[len(label) - 1 - site]] = c
    size = np.array([np.sqrt(sum(c * c for c in field.values())) for field in fields])
    x, t = beta * size, np.tanh(beta * size)
    energy, log_z = offset - float(size @ t), float(np.sum(np.log(2 * np.cosh(x)))) - beta * offset
    thermal = Thermal(energy, -log_z / beta if beta > 0 else None, beta * energy + log_z,
                      float(np.sum((x / np.cosh(x)) ** 2)), float(np.prod((1 + t**2) / 2)), offset - float(size.sum()))

    def mean(label: str) -> float:
        sites = ((j, letter) for j, letter in enumerate(reversed(label)) if letter != "I")
        return reduce(lambda p, s: -p * t[s[0]] * fields[s[0]].get(s[1], 0.0) / (size[s[0]] or 1.0), sites, 1.0)

    def expectation(operator: SparsePauliOp) -> float:
        return float(sum(c.real * mean(label) for label, c in operator.to_list()))

    return ExactAnswer(thermal, expectation)


independent_spins = GibbsReference("independent_spins", _answer, _why_not)
'''
FIELDS = (("X", 0.4), ("Z", -0.7))
TERMS = ", ".join(f'["{"I" * (12 - site)}{P}{"I" * site}", {c}]' for site in range(13) for P, c in FIELDS)
EXPERIMENT = f"""[model]
terms = [{TERMS}]
beta = 1.0
[generator]
kind = "dll"
couplings = "Y"
[compile]
scheme = "sequential"
sweeps = 1
nodes = 2
spacing = 0.5
strength = 0.3
random_delays = false
target_error = 0.1
[run]
backend = "aer_mps"
shots = 8
realisations = 2
"""
CALL = """
import sys
from gibbs_circuits.backends.runs import prepare
from gibbs_circuits.cli.options import status
prepare.LATTICE = "aer_mps"  # where nothing is routed: the count on a lattice takes long and has no part in this
status(sys.argv[1:])
"""
FROM_PYTHON = """
import gibbs_circuits as gc
from gibbs_circuits.exact.references.registry import first_reference
model = gc.Model([("I" * (99 - k) + "X" + "I" * k, 0.5) for k in range(100)] + [("Z" + "I" * 99, 0.1)])
found = first_reference(model, 1.0)
print(found and (found.name, round(found.answer(model, 1.0).thermal.energy, 6)))
"""


@pytest.fixture(scope="module")
def with_one_more(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copied(tmp_path_factory.mktemp("more"))
    added(folder, "exact/references/independent_spins.py", SOURCE, "exact/references/registry.py", "independent_spins",
          "free_fermions")  # fmt: skip
    return folder


def result(folder: Path) -> tuple[str, dict[str, Any]]:
    (folder / "e.toml").write_text(EXPERIMENT)
    text = python(folder, "-c", CALL, "run", "e.toml", "--out", "out")
    return text, json.loads((folder / "out" / "result.json").read_text())


def test_recipe__one_file_and_one_line__thirteen_spins_are_judged(with_one_more: Path) -> None:
    text, document = result(with_one_more)
    assert "Exact Gibbs state (independent spins)" in text
    assert document["exact"]["reference"] == "independent_spins"
    size = (0.4**2 + 0.7**2) ** 0.5
    energy = -13 * size * ((2.718281828459045 ** (2 * size) - 1) / (2.718281828459045 ** (2 * size) + 1))
    assert document["exact"]["energy"] == pytest.approx(energy)
    assert document["result"]["energy"]["exact"] == pytest.approx(energy)
    assert document["verdict"] in ("agrees", "disagrees")


def test_recipe__one_file_and_one_line__python_at_a_hundred_qubits(with_one_more: Path) -> None:
    (line,) = python(with_one_more, "-c", FROM_PYTHON).splitlines()
    assert line.startswith("('independent_spins', -23.114386)")


def test_recipe__one_line__is_in_the_tests_of_the_registry(with_one_more: Path) -> None:
    registry, ours = str(ROOT / "tests/exact/test_references.py"), f"pythonpath={with_one_more}"
    said = python(with_one_more, "-m", "pytest", "-v", "-n0", "-p", "no:cacheprovider", "-o", ours, registry,
                  "-k", "independent_spins")  # fmt: skip
    assert "wherever_it_applies[independent_spins-0.3] PASSED" in said
    assert "3 passed" in said


def test_recipe__control__without_the_line_nothing_is_checked(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    text, document = result(folder)
    assert "Exact Gibbs state: not checked" in text
    assert document["exact"] is None
    assert document["not_checked"]["exact_answer"].startswith("dense: the spectrum of H is computed up to 12 qubits")
    assert document["verdict"] == "not_checked"
    assert python(folder, "-c", FROM_PYTHON).splitlines() == ["None"]
