"""What to cite for a program, read off the objects it is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..filters import GaussianFilter, MetropolisFilter, RateFilter
from ..generators import Coherent, Contact, Lindbladian
from ..generators.channels import DiscreteChannel
from ..kernels import RankOne, Secular
from ..signatures import public
from ..windows import Windowed
from .presets import PRESETS
from .program import Program
from .schemes import SCHEMES
from .steps import Correct, Evolve, RandomChoice, RandomDelay, Step, Unitary


@dataclass(frozen=True)
class Reference:
    """A publication, and the marks by which a source string names it."""

    text: str
    marks: tuple[str, ...]


LLOYD_ABANIN = Reference(
    "J. Lloyd and D. A. Abanin, Quantum thermal state preparation for near-term quantum processors, "
    "Phys. Rev. X 16, 031053 (2026), arXiv:2506.21318",
    ("PRX 16, 031053", "2506.21318"),
)
DING_CHEN_LIN = Reference(
    "Z. Ding, C.-F. Chen and L. Lin, Single-ancilla ground state preparation via Lindbladians, "
    "Phys. Rev. Research 6, 033147 (2024), arXiv:2308.15676",
    ("Phys. Rev. Research 6, 033147", "2308.15676"),
)
DING_ZHAN = Reference(
    "Z. Ding, Y. Zhan, J. Preskill and L. Lin, End-to-end efficient quantum thermal and ground state preparation made "
    "simple, arXiv:2508.05703 (2025)",
    ("2508.05703",),
)
FARRELL = Reference(
    "Farrell et al., Preparing thermal states of frustrated quantum spin systems using 139 qubits, "
    "arXiv:2605.26245 (2026)",
    ("2605.26245",),
)
CHEN_DING_ZHANG = Reference(
    "H. Chen, Z. Ding and R. Zhang, Overcoming the Lamb shift in system-bath models via KMS detailed balance: "
    "High-accuracy thermalization with time-bounded interactions, arXiv:2604.15616 (2026)",
    ("2604.15616",),
)
DING_LI_LIN = Reference(
    "Z. Ding, B. Li and L. Lin, Efficient quantum Gibbs samplers with Kubo–Martin–Schwinger detailed balance "
    "condition, Commun. Math. Phys. 406 (2025), doi:10.1007/s00220-025-05235-3, arXiv:2404.05998",
    ("2404.05998",),
)
CHEN_KASTORYANO_GILYEN = Reference(
    "C.-F. Chen, M. J. Kastoryano and A. Gilyén, An efficient and exact noncommutative quantum Gibbs sampler, "
    "arXiv:2311.09207 (2023)",
    ("2311.09207",),
)
SCANDI_ALHAMBRA = Reference(
    "M. Scandi and Á. M. Alhambra, Thermalization in open many-body systems and KMS detailed balance, "
    "arXiv:2505.20064 (2025)",
    ("2505.20064",),
)
GILYEN = Reference(
    "A. Gilyén, C.-F. Chen, J. F. Doriguello and M. J. Kastoryano, Quantum generalizations of Glauber and Metropolis "
    "dynamics, arXiv:2405.20322 (2024)",
    ("2405.20322",),
)
NATHAN_RUDNER = Reference(
    "F. Nathan and M. S. Rudner, Universal Lindblad equation for open quantum systems, Phys. Rev. B 102, 115109 (2020)",
    ("PRB 102, 115109",),
)
DAVIES = Reference(
    "E. B. Davies, Markovian master equations, Commun. Math. Phys. 39, 91 (1974)", ("Commun. Math. Phys. 39, 91",)
)
SCHALLER_BRANDES = Reference(
    "G. Schaller and T. Brandes, Preservation of positivity by dynamical coarse graining, Phys. Rev. A 78, 022106 "
    "(2008)",
    ("PRA 78, 022106",),
)
TROTTER = Reference(
    "H. F. Trotter, On the product of semi-groups of operators, Proc. Am. Math. Soc. 10, 545 (1959)", ()
)
STRANG = Reference(
    "G. Strang, On the construction and comparison of difference schemes, SIAM J. Numer. Anal. 5, 506 (1968)", ()
)
SUZUKI = Reference(
    "M. Suzuki, Fractal decomposition of exponential operators with applications to many-body theories and Monte Carlo "
    "simulations, Phys. Lett. A 146, 319 (1990)",
    ("Phys. Lett. A 146, 319",),
)
SHANNON = Reference(
    "V. V. Shende, S. S. Bullock and I. L. Markov, Synthesis of quantum-logic circuits, IEEE Trans. Comput.-Aided Des. "
    "25, 1000 (2006)",
    ("IEEE TCAD 25, 1000",),
)
DILATED = Reference(
    "Z. Ding, X. Li and L. Lin, Simulating open quantum systems using Hamiltonian simulations, PRX Quantum 5, 020332 "
    "(2024), arXiv:2311.15533",
    ("PRX Quantum 5, 020332", "2311.15533"),
)
BLOCK_ENCODED = Reference(
    "C.-F. Chen, M. J. Kastoryano, F. G. S. L. Brandão and A. Gilyén, Quantum thermal state preparation, "
    "arXiv:2303.18224 (2023)",
    ("2303.18224",),
)

KNOWN = (
    LLOYD_ABANIN, DING_CHEN_LIN, DING_ZHAN, FARRELL, CHEN_DING_ZHANG, DING_LI_LIN, CHEN_KASTORYANO_GILYEN,
    SCANDI_ALHAMBRA, GILYEN, NATHAN_RUDNER, DAVIES, SCHALLER_BRANDES, SUZUKI, SHANNON, DILATED, BLOCK_ENCODED,
)  # fmt: skip
FORMULAS = {1: (TROTTER, "first order"), 2: (STRANG, "second order"), 4: (SUZUKI, "fourth order")}
Use = tuple[Reference, str]


@public
def citation(program: Program) -> str:
    """What to cite, one reference per line, each with what it is cited for.

    Built from what the program uses: its recipe, scheme, generator with its filter or window, the coherent term, the
    product formulas that stand in its steps and dense gates.
    """
    purposes: dict[Reference, list[str]] = {}
    for reference, purpose in _uses(program):
        wanted = purposes.setdefault(reference, [])
        if purpose not in wanted:
            wanted.append(purpose)
    return "\n".join(f"{reference.text}. For: {'; '.join(wanted)}." for reference, wanted in purposes.items())


def _uses(program: Program) -> Iterator[Use]:
    if program.recipe in PRESETS:
        yield from _named(PRESETS[program.recipe].source, f"the recipe {program.recipe}")
    if program.scheme in SCHEMES:
        yield from _named(SCHEMES[program.scheme].source, f"the scheme {program.scheme}")
    generator = program.lindbladian
    if isinstance(program.generator, DiscreteChannel):
        yield GILYEN, "the discrete exact channel"
    for contact in generator.contacts:
        yield from _kernel(contact, generator)
    balanced = all(contact.kernel.detailed_balance for contact in generator.contacts)
    if program.scheme == "thermal_ancilla" and program.knobs.get("shift") and balanced:
        yield CHEN_DING_ZHANG, "detailed balance of the transitions being enough at weak coupling (the shift rule)"
    steps = tuple(_steps(program))
    for order in sorted({step.order for step in steps if isinstance(step, Evolve | Correct)} & set(FORMULAS)):
        reference, name = FORMULAS[order]
        yield reference, f"the product formula of {name}"
    if any(isinstance(step, Unitary) for step in steps):
        yield SHANNON, "the synthesis of dense gates"


def _kernel(contact: Contact, generator: Lindbladian) -> Iterator[Use]:
    kernel, kind = contact.kernel, generator.kind
    if isinstance(kernel, Secular):
        yield DAVIES, "the Davies generator"
    if isinstance(kernel, Windowed):
        if "ckg" in kind:
            yield CHEN_KASTORYANO_GILYEN, "the generator and its energy window"
        if "scandi_alhambra" in kind:
            yield SCANDI_ALHAMBRA, "the coarse-grained generator in detailed balance"
        if "coarse_grained" in kind:
            yield SCHALLER_BRANDES, "the coarse-grained generator"
            if kernel.detailed_balance:
                yield SCANDI_ALHAMBRA, "the shift of its spectrum"
    if isinstance(kernel, RankOne):
        match kernel.filter:
            case RateFilter():
                yield NATHAN_RUDNER, "the universal Lindblad equation"
            case GaussianFilter() if kernel.filter.splitting is not None:
                yield LLOYD_ABANIN, "the filter"
            case GaussianFilter():
                yield DING_LI_LIN, "the Gaussian filter"
            case MetropolisFilter():
                yield DING_LI_LIN, "the Metropolis filter"
            case _:
                yield DING_LI_LIN, "jumps from a filter in detailed balance"
    if generator.coherent is Coherent.BALANCE:
        yield DING_LI_LIN if "ckg" not in kind else CHEN_KASTORYANO_GILYEN, "the coherent term of the generator"


def _named(source: str, purpose: str) -> Iterator[Use]:
    """The known references that a source string names; the string itself if there is none."""
    found = [reference for reference in KNOWN if any(mark in source for mark in reference.marks)]
    for reference in found or [Reference(source, ())]:
        yield reference, purpose


def _steps(program: Program) -> Iterator[Step]:
    def inside(steps: tuple[Step, ...]) -> Iterator[Step]:
        for step in steps:
            match step:
                case RandomDelay():
                    yield step.unit
                case RandomChoice():
                    for branch in step.branches:
                        yield from inside(branch.steps)
                case _:
                    yield step

    for stage in program.stages:
        yield from inside(stage.steps)
