"""One throw-away entry for each registry, made of one file and one line; the filter is that of CONTRIBUTING.md."""

from __future__ import annotations

import re

from tests.copied import ROOT, Recipe

PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
FILTER, FILTER_LINE, FILTER_FILE, FILTER_PYTHON = (
    re.sub("(?m)^   ", "", block) for block in re.findall(r"(?s)   ```\w+\n(.*?)   ```", PAGE.split("### A filter")[1])
)
ISING = '[model]\nname = "mixed_field_ising"\nsites = 2\nbeta = 1.0\n'
EQUAL = """
from pathlib import Path
from gibbs_circuits.experiments.experiment import read_experiment
written = read_experiment(Path("{}.toml")).generator
found = made.kind, written.kind, abs(made.superoperator() - written.superoperator()).max()
"""

KIND = Recipe(
    "generators/kinds/tilted.py",
    '''"""A Gaussian filter with a slope that keeps detailed balance."""

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
    ISING + '[generator]\nkind = "tilted"\ntilt = 2.0',
    "exact tilted.toml --json",
    "from gibbs_circuits.generators.kinds.tilted import tilted\n"
    "made = tilted(gc.models.mixed_field_ising(2), 1.0, tilt=2.0)" + EQUAL.format("tilted"),
    {"generators/test_registries.py": 5},
    told='kind = "tilted": a throw-away kind, tilted. coherent = "balance": balance: the term B that makes it exact; '
    "none: without. tilt (optional): splitting over temperature, > 0; 1 if left out.",
    refused="generator.kind must be one of dll, kms, ckg",
)

SECH = Recipe(
    "generators/filters/sech.py",
    FILTER,
    '    NamedFilter("lloyd_abanin"),',
    FILTER_LINE.rstrip(),
    FILTER_FILE,
    "exact sech.toml --json",
    "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as printed:\n"
    + re.sub("(?m)^", "    ", FILTER_PYTHON)
    + "\nmade = generator"
    + EQUAL.format("sech")
    + "found = (*found, printed.getvalue())",
    {"generators/test_registries.py": 3, "generators/test_kernel_contract.py": 2},
    told="f̂(ν): gaussian, metropolis, lloyd_abanin, sech",
    refused="generator.filter must be one of gaussian, metropolis",
)

BATH = Recipe(
    "generators/baths/sub_ohmic.py",
    '''"""A bath between two power laws."""

from __future__ import annotations

from typing import Annotated

from .bath import Bath
from .power_law import power_law


def sub_ohmic(
    beta: float,
    exponent: Annotated[float, "of ω, > 0", 1.5],
    strength: float = 1.0,
    cutoff: float | None = None,
) -> Bath:
    """A power law by another name."""
    return power_law(beta, exponent, strength, cutoff)
''',
    "BATHS = by_name(",
    """    NamedBath("sub_ohmic", '{kind = "sub_ohmic", exponent = 1.5}'),""",
    ISING + '[generator]\nkind = "davies"\nbath = {kind = "sub_ohmic", exponent = 2}',
    "exact sub_ohmic.toml --json",
    'made = gc.davies(gc.models.mixed_field_ising(2), 1.0, bath={"kind": "sub_ohmic", "exponent": 2})'
    + EQUAL.format("sub_ohmic"),
    {"generators/test_registries.py": 2},
    told='G(ω): {kind = "sub_ohmic", exponent = 1.5}, "ohmic"',
    refused="generator.bath must be one of ohmic, power_law",
)

MODEL = Recipe(
    "models/library/staggered.py",
    '''"""An Ising chain in a field that alternates."""

from __future__ import annotations

from ...errors import check_integer, check_real
from ..model import Model, from_terms


def staggered(sites: int = 2, h: float = 0.5) -> Model:
    """Neighbours and a field."""
    n, h = check_integer("sites", sites, low=2, high=9), check_real("h", h)
    bonds = [("I" * k + "ZZ" + "I" * (n - k - 2), 1.0) for k in range(n - 1)]
    return from_terms([*bonds, *(("I" * k + "X" + "I" * (n - k - 1), (-1) ** k * h) for k in range(n))], "staggered")
''',
    "LIBRARY = by_name(",
    '    LibraryModel("staggered", "ΣZZ + h Σ(−1)^i X"),',
    '[model]\nname = "staggered"\nh = 0.3\nbeta = 1.0\n[generator]\nkind = "dll"',
    "exact staggered.toml --json",
    "made = gc.dll(gc.models.staggered(2, h=0.3), 1.0)" + EQUAL.format("staggered"),
    {"models/test_models.py": 1, "experiments/test_experiment.py": 1},
    help="",
    told="staggered: ΣZZ + h Σ(−1)^i X (sites = 2, h = 0.5)",
    refused="model.name must be one of mixed_field_ising",
)

PRESET = Recipe(
    "compiler/presets/weak_sequence.py",
    '''"""A published recipe that nobody published."""

from __future__ import annotations

from dataclasses import replace

from ...generators.couplings import couplings_of
from ...generators.filters.gaussian import GaussianFilter
from ...generators.kinds.dll import dll
from ...models.library.spin_chains import tfim
from ...models.model import Model
from ...models.signatures import public
from ...programs.program import Program
from ..schemes.sequential import SEQUENTIAL
from .settings import settings


@public
def weak_sequence(model: Model | None = None, *, strength: float = 0.3, sweeps: int = 2) -> Program:
    """One jump after the other, weakly."""
    chosen = tfim(2) if model is None else model
    generator = dll(chosen, 1.0, couplings_of("Y", chosen.num_qubits), GaussianFilter(1.0))
    knobs = settings(
        SEQUENTIAL.knobs, strength=strength, sweeps=sweeps, spacing=0.5, nodes=3, random_delays=(1, 1)
    )
    return replace(SEQUENTIAL(generator, knobs), recipe="weak_sequence", provenance=f"ours: strength {strength:g}")
''',
    "PRESETS = by_name(",
    '    Preset("weak_sequence", "a throw-away recipe", source="folklore"),',
    "",
    "",
    """
found = "weak_sequence" in dir(gc.presets)
if found:
    program = gc.presets.weak_sequence(strength=0.2)
    found = program.recipe, program.knobs["strength"], gc.citation(program).splitlines()[0]
""",
    {"compiler/test_presets.py": 3, "programs/test_saved.py": 1},
    help="compile",
    told="weak_sequence: a throw-away recipe (folklore)",
)

SCHEME = Recipe(
    "compiler/schemes/jump_by_jump.py",
    '''"""Jump by jump as dense gates on one ancilla, B before or after them."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from ...evidence import Status
from ...generators.dense import dense_generator
from ...generators.lindbladian import Lindbladian
from ...linalg.channels import exponential
from ...programs.program import ErrorTerm, Program, Rung
from ...programs.steps import Reset, Step, Unitary
from ..base import Knobs, Scheme, repeated_sweep


class JumpByJumpKnobs(Knobs):
    """Settings of the scheme."""

    coherent_first: bool = Field(default=True, description="B before the jumps, or after them.")


def jump_by_jump(generator: Lindbladian, knobs: JumpByJumpKnobs) -> Program:
    """e^{-iB delta}, and one dilation per jump."""
    dense, strength = dense_generator(generator), knobs.set("strength")
    coherent: list[Step] = [Unitary(exponential(dense.coherent, strength), (), "B")]
    jumps: list[Step] = []
    for V in dense.jumps:
        raising = np.kron(np.array([[0, 0], [1, 0]]), V)
        dilation = exponential(raising + raising.conj().T, np.sqrt(strength))
        jumps += [Unitary(dilation, (0,), "L", clean=True), Reset((0,))]
    sweep = (*coherent, *jumps) if knobs.coherent_first else (*jumps, *coherent)
    declared = ErrorTerm(Rung.DILATION, None, "order 1 in strength", Status.NOT_CHECKED, "folklore")
    return repeated_sweep(generator, JUMP_BY_JUMP.name, knobs, sweep, 1, (declared,))


JUMP_BY_JUMP = Scheme(
    "jump_by_jump", jump_by_jump, JumpByJumpKnobs, "one dense gate per jump, thrown away", order=1, source="folklore"
)
''',
    "        DISCRETE,",
    "        JUMP_BY_JUMP,",
    """
model = {name = "tfim", sites = 2, beta = 1.0}
compile = {scheme = "jump_by_jump", target_error = 0.4, coherent_first = false}
run = {backend = "aer_density_matrix"}
""",
    "compile jump_by_jump.toml --json",
    """
program = gc.compile(gc.dll(gc.models.tfim(2), 1.0, "Y"), "jump_by_jump", target_error=0.4)
found = program.scheme, program.declared[0].unit, "folklore" in gc.citation(program), program.provenance[:15]
""",
    {"compiler/test_every_scheme.py": 8},
    help="compile",
    told="jump_by_jump: one dense gate per jump, thrown away; order 1 in the strength",
    refused="compile.scheme must be one of ",
    imported=True,
)

TARGET = Recipe(
    "backends/targets/vector.py",
    '''"""Qiskit's state vector in place of a processor that cannot reset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field

from ...errors import TooLargeError
from .base import Machine, Target


class VectorTarget(Target):
    """A throw-away kind: Qiskit's own sampler."""

    kind: Literal["vector"] = Field(examples=["vector"], description="A throw-away kind.")
    most: int = Field(default=12, ge=1, description="Most qubits of the throw-away kind.")

    def refuse_size(self, used: int, system: int, *, fresh: bool = False) -> None:
        if used > self.most:
            raise TooLargeError(f"Program needs {used} qubits, but `{self.name}` has {self.most}. Fix: raise most.")

    def open(self, num_qubits: int = 1) -> Machine:
        from qiskit.primitives import StatevectorSampler

        from ..devices.device import Device
        from ..devices.errors import Errors

        self.check()

        def run(circuits: Sequence[Any], shots: int, seed: int) -> Any:
            return StatevectorSampler(seed=seed).run(list(circuits), shots=shots)

        return Machine(self, Device(self.name, ("cz", "rz", "sx", "x"), None, Errors(), resets=False), run=run)
''',
    '    "ibm": "IbmTarget",',
    '    "vector": "VectorTarget",',
    ISING
    + """
[compile]
nodes = 3
spacing = 0.5
strength = 0.6
sweeps = 2
random_delays = false
[run]
backend = "mine"
shots = 4000
realisations = 4
""",
    "run vector.toml --out vector --json",
    """
from gibbs_circuits.backends.targets.vector import VectorTarget
generator = gc.dll(gc.models.mixed_field_ising(2), 1.0)
program = gc.compile(generator, nodes=3, spacing=0.5, strength=0.6, sweeps=2, random_delays=False)
result = gc.run(program, VectorTarget(name="mine", kind="vector"), shots=4000, realisations=4)
try:
    gc.run(program, VectorTarget(name="mine", kind="vector", most=3), shots=40, realisations=4)
except gc.TooLargeError as error:
    found = result.check.passed, str(error)
""",
    {"backends/test_target_kinds.py": 5},
    help="backends",
    told='kind = "vector": A throw-away kind: Qiskit\'s own sampler.',
    refused="kind must be one of aer, .*ibm.*, but 'vector' was found",
    beside={"hardware_configs/mine.toml": 'name = "mine"\nkind = "vector"\ndescription = "a throw-away target"\n'},
)

ANALYSIS = Recipe(
    "analysis/estimators/half_of_the_realisations.py",
    '''"""The energy of every other realisation: whether half of them say the same."""

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
''',
    "    measured_orders,",
    "    half_of_the_realisations,",
    ISING
    + """
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
""",
    "run half_of_the_realisations.toml --out half",
    """
found = []
program = gc.compile(gc.dll(gc.models.mixed_field_ising(2), 1.0), sweeps=2, nodes=3, spacing=0.5, strength=0.6)
for realisations in (4, 2):
    comparison = gc.compare(gc.run(program, shots=400, realisations=realisations), 0.4)
    half = comparison.findings.get("half")
    data = {key: value for one in half.sections for key, value in one.data.items()} if half else None
    seen = "Half of the realisations" in comparison._repr_html_()
    kind = type(half.value).__name__ if half and half.value else None
    found.append([kind, half and half.not_checked, data, seen])
""",
    {"analysis/test_registry.py": 3},
    imported=True,
)

FIELDS = (("X", 0.4), ("Z", -0.7))
TERMS = ", ".join(f'["{"I" * (12 - site)}{P}{"I" * site}", {c}]' for site in range(13) for P, c in FIELDS)
REFERENCE = Recipe(
    "exact/references/independent_spins.py",
    '''"""Spins that do not interact, of any number."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from ...linalg.arrays import Real
from ...models.model import Model
from ...models.regions import Sparse
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

    def mean(string: Sparse) -> float:
        return reduce(lambda p, s: -p * t[s[0]] * fields[s[0]].get(s[1], 0.0) / (size[s[0]] or 1.0), string, 1.0)

    def paulis(strings: Sequence[Sparse]) -> Real:
        return np.array([mean(string) for string in strings], dtype=float)

    return ExactAnswer(thermal, paulis)


independent_spins = GibbsReference("independent_spins", _answer, _why_not)
''',
    "    free_fermions,",
    "    independent_spins,",
    f"""
model = {{terms = [{TERMS}], beta = 1.0}}
generator = {{kind = "dll", couplings = "Y"}}
run = {{backend = "aer_mps", shots = 8, realisations = 2}}
[compile]
scheme = "sequential"
sweeps = 1
nodes = 2
spacing = 0.5
strength = 0.3
random_delays = false
target_error = 0.1
""",
    "run independent_spins.toml --out spins",
    """
from gibbs_circuits.exact.references.registry import first_reference
model = gc.Model([("I" * (99 - k) + "X" + "I" * k, 0.5) for k in range(100)] + [("Z" + "I" * 99, 0.1)])
first = first_reference(model, 1.0)
found = first and (first.name, first.answer(model, 1.0).thermal.energy)
""",
    {"exact/test_references.py": 3},
    imported=True,
)

GENERATORS = (KIND, SECH, BATH, MODEL)
RECIPES = (*GENERATORS, PRESET, SCHEME, TARGET, ANALYSIS, REFERENCE)
