"""Programs that were searched for, kept by the content of the question, so that it is asked once."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..errors import one_line
from ..generators.kernels.base import Kernel
from ..io.files import read_sealed, sealed, write_text
from ..limits import MAX_SAVED_BYTES
from ..models.scale import size
from ..programs.program import Program
from ..programs.serialise import from_saved, physics_hash, to_saved
from .task import SearchTask

VARIABLE = "GIBBS_CIRCUITS_CACHE"
GRID = np.array([-4.1, -2.3, -1.1, -0.4, 0.0, 0.4, 1.1, 2.3, 4.1])  # in units of the largest coefficient of H
SEARCH = 7  # raised whenever a search would find something else


def folder() -> Path:
    """$GIBBS_CIRCUITS_CACHE, else gibbs_circuits in $XDG_CACHE_HOME or ~/.cache."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "gibbs_circuits"


def key(task: SearchTask) -> str:
    """SHA-256 of everything that decides what is searched for."""
    of = task.generator.lindbladian
    content = [
        SEARCH, physics_hash(task.generator), repr(task.generator), of.kind, of.coherent.value,
        [_sampled(one.kernel, size(of.model.hamiltonian) or 1.0) for one in of.contacts],
        [sorted((label, float(c.real)) for label, c in one.coupling.to_list()) for one in of.contacts],
        task.target_error, task.guarantee.value, task.calibration.value, task.clock.work, task.seed,
        task.error_rates, task.classical_randomness, task.region,
        None if task.sampler or task.sites is None else str([np.round(s, 12).tolist() for s in task.sites]),
        None if task.start is None or task.sampler else str(np.round(task.start, 12).tolist()),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _sampled(kernel: Kernel, unit: float) -> str:
    """A kernel by its values on a grid of pairs of Bohr frequencies, in units of H, to twelve digits of the largest."""
    nu = unit * GRID
    values = np.asarray(kernel(nu[:, None], nu[None, :]), dtype=complex)
    peak = float(np.max(np.abs(values))) or 1.0
    return f"{peak:.12e} {hashlib.sha256(np.round(values / peak, 12).tobytes()).hexdigest()}"


def known(task: SearchTask) -> Program | None:
    """What was found before; None if nothing was, or if what is there is not what was kept."""
    name = key(task)
    try:
        kept = read_sealed(_file(name), VARIABLE, MAX_SAVED_BYTES)
        return from_saved(kept["program"], task.generator) if kept.get("key") == name else None
    except FileNotFoundError:
        return None
    except OSError as error:
        _say(f"nothing can be read from {error.filename or 'there'}: {error.strerror}")
        return None
    except (ValueError, KeyError):
        return None


def keep(task: SearchTask, program: Program) -> None:
    """Write it, whole or not at all; a cache that cannot be written is no failure.

    What the wall clock cut off is not kept: another time there may be time for all of it.
    """
    if program.search is not None and program.search.ran_out:
        return
    name = key(task)
    try:
        path = _file(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(sealed({"key": name, "program": to_saved(program)})))
    except OSError as error:
        _say(f"nothing can be kept in {error.filename or 'it'}: {error.strerror}")


def _file(name: str) -> Path:
    try:
        return folder() / f"{name}.json"
    except RuntimeError as error:  # nobody's home
        raise OSError(errno.ENOENT, str(error), "~") from None


@lru_cache  # once is enough
def _say(what: str) -> None:
    print(f"No cache of searches: {one_line(what)}. Fix: set {VARIABLE} to a folder of yours.", file=sys.stderr)
