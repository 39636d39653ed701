"""A copy of the package with one file more and one line more in a registry, as a contributor would have it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import gibbs_circuits

PACKAGE = Path(gibbs_circuits.__file__).parent
ROOT = Path(__file__).parents[1]


def copied(folder: Path) -> Path:
    """The package copied into a folder; the folder comes first when Python looks for it there."""
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "hardware_configs", folder / "hardware_configs")
    return folder


def added(folder: Path, file: str, source: str, registry: str, name: str, last: str) -> None:
    """Write a file, and its line in a registry: an import, and an entry after the last one."""
    package = folder / PACKAGE.name
    (package / file).write_text(source, "utf-8")
    path, module = package / registry, Path(file).stem
    text = path.read_text("utf-8")
    assert f"    {last},\n)" in text
    text = text.replace(f"    {last},\n)", f"    {last},\n    {name},\n)")
    path.write_text(text.replace("\nfrom .base", f"\nfrom .{module} import {name}\nfrom .base", 1), "utf-8")


def python(folder: Path, *arguments: str) -> str:
    """What Python prints in a folder, with the copy in place of the package."""
    search = os.pathsep.join((str(folder), str(ROOT)))
    environment = {**os.environ, "PYTHONPATH": search, "OMP_NUM_THREADS": "1", "COLUMNS": "160"}
    ran = subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
