"""A copy of the package with more files, and their lines in registries, as a contributor would have it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import gibbs_circuits

PACKAGE = Path(gibbs_circuits.__file__).parent
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Recipe:
    """One file, its line, and how users see what they add.

    Attributes:
        file, source: The new file, in the package.
        line: Goes below the line `below` of the registry beside the file.
        experiment: An experiment file that uses it.
        command: What is asked of that file on the command line.
        python: Statements that leave in `found` what JSON can hold.
        help, told: What the help of a command says with the line, and not without.
        refused: The complaint about the experiment file without the line, a pattern; None where it runs all the same.
        imported: Whether the registry must import what it names.
        beside: Other files, by name.
        tests: The tests that run over the registry, and how many of them over the new entry.
    """

    file: str
    source: str
    below: str
    line: str
    experiment: str
    command: str
    python: str
    tests: Mapping[str, int]
    help: str = "run"
    told: str | None = None
    refused: str | None = None
    imported: bool = False
    beside: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return Path(self.file).stem


def copied(folder: Path, recipes: Iterable[Recipe], *, with_lines: bool) -> Path:
    """The package with the files of recipes, and with their lines unless these are forgotten."""
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "hardware_configs", folder / "hardware_configs")
    for recipe in recipes:
        file = folder / PACKAGE.name / recipe.file
        file.write_text(recipe.source, "utf-8")
        for name, text in {f"{recipe.name}.toml": recipe.experiment, **recipe.beside}.items():
            (folder / name).write_text(text, "utf-8")
        registry = file.with_name("registry.py")
        text = registry.read_text("utf-8")
        assert text.count(f"\n{recipe.below}\n") == 1
        if with_lines:
            text = text.replace(f"\n{recipe.below}\n", f"\n{recipe.below}\n{recipe.line}\n")
            if recipe.imported:
                entry = recipe.line.strip(" ,")
                text = text.replace("\nfrom .", f"\nfrom .{recipe.name} import {entry}\nfrom .", 1)
            registry.write_text(text, "utf-8")
    return folder


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter in a folder, with the copy there in place of the package."""
    search = os.pathsep.join((str(folder), str(ROOT)))
    settings = {**os.environ, "PYTHONPATH": search, "OMP_NUM_THREADS": "1", "COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=settings, capture_output=True, text=True, check=False
    )


def judged(folder: Path, *arguments: str) -> str:
    """What pytest says of the copy, test by test."""
    ours = f"pythonpath={folder}"  # before the tests' own
    ran = python(folder, "-m", "pytest", "-v", "-n0", "-p", "no:cacheprovider", "-o", ours, *arguments)
    assert ran.stderr == "", ran.stderr
    return ran.stdout
