"""Programs that were searched for, kept by the content of the question, so that it is asked once."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path

import numpy as np

from ..compiler import Program
from ..compiler.saved import from_saved, physics_hash, to_saved
from ..errors import ArgumentError
from ..generators.channels import inside
from ..kernels import Kernel
from ..models.scale import size
from .wanted import Wanted

VARIABLE = "GIBBS_CIRCUITS_CACHE"
GRID = np.array([-4.1, -2.3, -1.1, -0.4, 0.0, 0.4, 1.1, 2.3, 4.1])  # in units of the largest coefficient of H
SEARCH = 5  # raised whenever a search would find something else


def folder() -> Path:
    """$GIBBS_CIRCUITS_CACHE, else gibbs_circuits in $XDG_CACHE_HOME or ~/.cache."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "gibbs_circuits"


def key(wanted: Wanted) -> str:
    """SHA-256 of everything that decides what is searched for."""
    of = inside(wanted.generator)
    content = [
        SEARCH, physics_hash(wanted.generator), repr(wanted.generator), of.kind, of.coherent.value,
        [_sampled(one.kernel, size(of.model.hamiltonian) or 1.0) for one in of.contacts],
        [sorted((label, float(c.real)) for label, c in one.coupling.to_list()) for one in of.contacts],
        wanted.target_error, wanted.guarantee.value, wanted.calibration.value, wanted.clock.work, wanted.seed,
        wanted.error_rates, wanted.classical_randomness,
        None if wanted.sampler or wanted.sites is None else str([np.round(s, 12).tolist() for s in wanted.sites]),
        None if wanted.start is None or wanted.sampler else str(np.round(wanted.start, 12).tolist()),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _sampled(kernel: Kernel, unit: float) -> str:
    """A kernel by its values on a grid of pairs of Bohr frequencies, in units of H, to twelve digits of the largest."""
    nu = unit * GRID
    values = np.asarray(kernel(nu[:, None], nu[None, :]), dtype=complex)
    peak = float(np.max(np.abs(values))) or 1.0
    return f"{peak:.12e} {hashlib.sha256(np.round(values / peak, 12).tobytes()).hexdigest()}"


def known(wanted: Wanted) -> Program | None:
    """What was found before; None if nothing was, or if it cannot be read any more."""
    path = folder() / f"{key(wanted)}.json"
    try:
        return from_saved(json.loads(path.read_text(encoding="utf-8")), wanted.generator)
    except (OSError, ValueError, ArgumentError):
        return None


def keep(wanted: Wanted, program: Program) -> None:
    """Write it, whole or not at all; a cache that cannot be written is no failure.

    What the wall clock cut off is not kept: another time there may be time for all of it.
    """
    if program.search is not None and program.search.ran_out:
        return
    path, name = folder() / f"{key(wanted)}.json", ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(to_saved(program), file)
        Path(name).replace(path)
    except OSError:
        if name:
            Path(name).unlink(missing_ok=True)
