"""A compiler that prepares thermal states on quantum hardware, checked against the exact answer.

model → generator → program → circuit → backend → comparison with the exact steady state
"""

from __future__ import annotations

from importlib import import_module
from types import FunctionType
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what type checkers and editors see; at run time `__getattr__` imports a name when it is used
    from . import baths, filters, models
    from .analysis import Comparison, Estimate, Verdict
    from .api import (
        certificate,
        circuit,
        compare,
        compile,
        extrapolate,
        jumps,
        load,
        plot,
        predict,
        preview,
        run,
        save,
    )
    from .backends import RunResult
    from .backends.jumps import Jumps
    from .baths import Bath
    from .compiler import Program, presets
    from .compiler.citation import citation
    from .errors import (
        ArgumentError,
        BackendError,
        GibbsError,
        InvalidModelError,
        InvalidProgramError,
        TooLargeError,
    )
    from .exact import (
        Advice,
        Certificate,
        Evolution,
        evolve,
        expectation,
        faster,
        free_fermions,
        heat_currents,
        mixing_time,
        spectral_gap,
        steady_state,
        steady_states,
    )
    from .generators import Lindbladian
    from .generators.channels import DiscreteChannel
    from .kinds import (
        ckg,
        coarse_grained,
        custom,
        davies,
        discrete,
        dll,
        kms,
        local,
        redfield,
        scandi_alhambra,
        several_baths,
        ule,
    )
    from .models import Model
    from .readings import Cost, Prediction, cost
    from .readings.draw import draw
    from .readings.trajectories import Trajectories, trajectories
    from .spectrum import fidelity, gibbs_state, thermal, trace_distance
    from .targets import AerTarget, IbmTarget
    from .version import __version__

# Where every public name lives: the imports above, read when a name is used. Nothing else is imported before.
HOMES = {
    "": "baths filters models",
    "analysis": "Comparison Estimate Verdict",
    "api": "certificate circuit compare compile extrapolate jumps load plot predict preview run save",
    "backends": "RunResult",
    "backends.jumps": "Jumps",
    "baths": "Bath",
    "compiler": "Program presets",
    "compiler.citation": "citation",
    "errors": "ArgumentError BackendError GibbsError InvalidModelError InvalidProgramError TooLargeError",
    "exact": "Advice Certificate Evolution evolve expectation faster free_fermions heat_currents mixing_time "
    "spectral_gap steady_state steady_states",
    "generators": "Lindbladian",
    "generators.channels": "DiscreteChannel",
    "kinds": "ckg coarse_grained custom davies discrete dll kms local redfield scandi_alhambra several_baths ule",
    "models": "Model",
    "readings": "Cost Prediction cost",
    "readings.draw": "draw",
    "readings.trajectories": "Trajectories trajectories",
    "spectrum": "fidelity gibbs_state thermal trace_distance",
    "targets": "AerTarget IbmTarget",
    "version": "__version__",
}

__all__ = [
    "Advice", "AerTarget", "ArgumentError", "BackendError", "Bath", "Certificate", "Comparison", "Cost",
    "DiscreteChannel", "Estimate", "Evolution", "GibbsError", "IbmTarget", "InvalidModelError", "InvalidProgramError",
    "Jumps", "Lindbladian", "Model", "Prediction", "Program", "RunResult", "TooLargeError", "Trajectories", "Verdict",
    "__version__", "baths", "certificate", "circuit", "citation", "ckg", "coarse_grained", "compare", "compile", "cost",
    "custom", "davies", "discrete", "dll", "draw", "evolve", "expectation", "extrapolate", "faster", "fidelity",
    "filters", "free_fermions", "gibbs_state", "heat_currents", "jumps", "kms", "load", "local", "mixing_time",
    "models", "plot", "predict", "presets", "preview", "redfield", "run", "save", "scandi_alhambra", "several_baths",
    "spectral_gap", "steady_state", "steady_states", "thermal", "trace_distance", "trajectories", "ule",
]  # fmt: skip


if not TYPE_CHECKING:  # or a type checker would take any name

    def __getattr__(name: str) -> object:
        """Import a public name where it is first used; a function works on one thread where matrices are small."""
        for module, names in HOMES.items():
            if name in names.split():
                home = f"{__name__}.{module}" if module else f"{__name__}.{name}"
                value = getattr(import_module(home), name) if module else import_module(home)
                if isinstance(value, FunctionType):
                    from .threads import limited

                    value = limited(value)
                globals()[name] = value
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
