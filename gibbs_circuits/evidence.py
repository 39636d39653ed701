"""How a number is known, and how it is written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

ROUNDING = 1e-13  # of an eigenvalue or a probability near 1


class Status(Enum):
    """How a number is known; "not checked" is never "ok"."""

    PROVED = "proved"
    MEASURED = "measured"
    EXTRAPOLATED = "extrapolated"
    NOT_CHECKED = "not_checked"


def number(value: float | None, digits: int = 4) -> str:
    """A number as people read it: so many decimals, but never 0 for what is not zero; — where there is none."""
    if value is None:
        return "—"
    if 0 < abs(value) < 1e-3 or (math.isfinite(value) and abs(value) >= 1e6):
        return f"{value:.{max(1, digits - 3)}e}"
    return f"{value:,.{digits}f}"


def share(value: float | None, digits: int = 3) -> str:
    """A contraction, a fidelity, a probability: as `number`, but never 1 for what is not 1."""
    if value is None or not ROUNDING < abs(value - 1) < 0.5 * 10.0**-digits:
        return number(value, digits)
    return f"1 {'−' if value < 1 else '+'} {abs(value - 1):.1e}"


@dataclass(frozen=True)
class Reference:
    """A publication, and the marks by which a source string names it."""

    text: str
    marks: tuple[str, ...]


Citation = tuple[Reference, str]  # and what it is cited for

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
