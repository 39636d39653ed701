"""A compiler that prepares thermal states on quantum hardware, checked against the exact answer.

model → generator → program → circuit → backend → comparison with the exact steady state
"""

from __future__ import annotations

from importlib import import_module
from types import FunctionType
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what type checkers and editors see; at run time `__getattr__` imports a name when it is used
    from . import models
    from .analysis.comparison.comparison import Comparison
    from .analysis.comparison.verdict import Verdict
    from .analysis.estimators.interval import Estimate
    from .api import certificate, circuit, compare, compile, extrapolate, jumps, load, plot, predict, preview, run, save
    from .backends.runs.jump_records import Jumps
    from .backends.runs.run import RunResult
    from .backends.targets.aer import AerTarget
    from .backends.targets.ibm import IbmTarget
    from .backends.transpile import transpiler
    from .compiler import presets
    from .compiler.citation import citation
    from .errors import ArgumentError, BackendError, GibbsError, InvalidModelError, InvalidProgramError, TooLargeError
    from .exact import free_fermions
    from .exact.certificate.advice import Advice, faster
    from .exact.certificate.certificate import Certificate, spectral_gap
    from .exact.dynamics.evolve import Evolution, evolve, expectation, heat_currents, mixing_time
    from .exact.dynamics.steady import steady_state, steady_states
    from .generators import baths, filters
    from .generators.baths.bath import Bath
    from .generators.discrete import DiscreteChannel
    from .generators.kinds.ckg import ckg
    from .generators.kinds.coarse_grained import coarse_grained
    from .generators.kinds.custom import custom
    from .generators.kinds.davies import davies
    from .generators.kinds.discrete import discrete
    from .generators.kinds.dll import dll, kms
    from .generators.kinds.local import local
    from .generators.kinds.redfield import redfield
    from .generators.kinds.scandi_alhambra import scandi_alhambra
    from .generators.kinds.several_baths import several_baths
    from .generators.kinds.ule import ule
    from .generators.lindbladian import Lindbladian
    from .io.version import __version__
    from .models.model import Model
    from .models.spectrum import fidelity, gibbs_state, thermal, trace_distance
    from .programs.program import Program
    from .readings.channel.prediction import Prediction
    from .readings.circuits.cost import Cost, cost
    from .readings.circuits.draw import draw
    from .readings.trajectories.trajectories import Trajectories, trajectories

# Where every public name lives: the imports above, read when a name is used. Nothing else is imported before.
HOMES = {
    "": "models",
    "analysis.comparison.comparison": "Comparison",
    "analysis.comparison.verdict": "Verdict",
    "analysis.estimators.interval": "Estimate",
    "api": "certificate circuit compare compile extrapolate jumps load plot predict preview run save",
    "backends.runs.jump_records": "Jumps",
    "backends.runs.run": "RunResult",
    "backends.targets.aer": "AerTarget",
    "backends.targets.ibm": "IbmTarget",
    "backends.transpile": "transpiler",
    "compiler": "presets",
    "compiler.citation": "citation",
    "errors": "ArgumentError BackendError GibbsError InvalidModelError InvalidProgramError TooLargeError",
    "exact": "free_fermions",
    "exact.certificate.advice": "Advice faster",
    "exact.certificate.certificate": "Certificate spectral_gap",
    "exact.dynamics.evolve": "Evolution evolve expectation heat_currents mixing_time",
    "exact.dynamics.steady": "steady_state steady_states",
    "generators": "baths filters",
    "generators.baths.bath": "Bath",
    "generators.discrete": "DiscreteChannel",
    "generators.kinds.ckg": "ckg",
    "generators.kinds.coarse_grained": "coarse_grained",
    "generators.kinds.custom": "custom",
    "generators.kinds.davies": "davies",
    "generators.kinds.discrete": "discrete",
    "generators.kinds.dll": "dll kms",
    "generators.kinds.local": "local",
    "generators.kinds.redfield": "redfield",
    "generators.kinds.scandi_alhambra": "scandi_alhambra",
    "generators.kinds.several_baths": "several_baths",
    "generators.kinds.ule": "ule",
    "generators.lindbladian": "Lindbladian",
    "io.version": "__version__",
    "models.model": "Model",
    "models.spectrum": "fidelity gibbs_state thermal trace_distance",
    "programs.program": "Program",
    "readings.channel.prediction": "Prediction",
    "readings.circuits.cost": "Cost cost",
    "readings.circuits.draw": "draw",
    "readings.trajectories.trajectories": "Trajectories trajectories",
}

__all__ = [
    "Advice", "AerTarget", "ArgumentError", "BackendError", "Bath", "Certificate", "Comparison", "Cost",
    "DiscreteChannel", "Estimate", "Evolution", "GibbsError", "IbmTarget", "InvalidModelError", "InvalidProgramError",
    "Jumps", "Lindbladian", "Model", "Prediction", "Program", "RunResult", "TooLargeError", "Trajectories", "Verdict",
    "__version__", "baths", "certificate", "circuit", "citation", "ckg", "coarse_grained", "compare", "compile", "cost",
    "custom", "davies", "discrete", "dll", "draw", "evolve", "expectation", "extrapolate", "faster", "fidelity",
    "filters", "free_fermions", "gibbs_state", "heat_currents", "jumps", "kms", "load", "local", "mixing_time",
    "models", "plot", "predict", "presets", "preview", "redfield", "run", "save", "scandi_alhambra", "several_baths",
    "spectral_gap", "steady_state", "steady_states", "thermal", "trace_distance", "trajectories", "transpiler", "ule",
]  # fmt: skip


if not TYPE_CHECKING:  # or a type checker would take any name

    def __getattr__(name: str) -> object:
        """Import a public name where it is first used; a function works on one thread where matrices are small."""
        for module, names in HOMES.items():
            if name in names.split():
                home = f"{__name__}.{module}" if module else __name__
                inside = vars(import_module(home))
                value = inside[name] if name in inside else import_module(f"{home}.{name}")  # a module not yet loaded
                if isinstance(value, FunctionType):
                    from .linalg.threads import limited

                    value = limited(value)
                globals()[name] = value
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
