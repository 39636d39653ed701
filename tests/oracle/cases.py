"""Generated models, baths, schemes and knobs, as data; the same for the same seed."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .digits import Contact, Setup, Terms, every_site

SCHEMES = (
    "parallel", "sequential", "random_jumps", "thermal_ancilla", "dilated_1", "dilated_2", "dilated_3",
    "weak_measurement", "stinespring", "discrete", "auto",
)  # fmt: skip
DENSE = SCHEMES[4:10]
IN_TIME = SCHEMES[:4]
EXACT_KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("dll", {"filter": "gaussian"}), ("dll", {"filter": "metropolis"}), ("dll", {"filter": "lloyd_abanin"}),
    ("ckg", {"filter": "gaussian"}), ("ckg", {"filter": "metropolis"}), ("davies", {}), ("ule", {}),
    ("coarse_grained", {"shifted": True}), ("scandi_alhambra", {}),
)  # fmt: skip
BIASED_KINDS = ("redfield", "ule", "coarse_grained", "dll")


@dataclass(frozen=True)
class Case:
    """What a user would ask for."""

    seed: int
    scheme: str
    terms: Terms
    beta: float
    couplings: tuple[Terms, ...]
    kind: str
    parameters: dict[str, Any]
    coherent: str
    target: float
    knobs: dict[str, Any] = field(default_factory=dict)

    @property
    def qubits(self) -> int:
        return len(self.terms[0][0])

    @property
    def setup(self) -> Setup:
        contacts = tuple(Contact(A, self.beta, self.kind, dict(self.parameters)) for A in self.couplings)
        return Setup(self.terms, contacts, self.coherent)

    def __str__(self) -> str:
        return (
            f"[{self.scheme} seed {self.seed}: {self.kind} {self.coherent}, {self.qubits} qubits, β = {self.beta:.3g}]"
        )


def _label(rng: np.random.Generator, qubits: int) -> str:
    while True:
        text = "".join(rng.choice(list("IXYZ"), qubits))
        if set(text) != {"I"} and len(text) - text.count("I") <= 3:
            return text


def _sum(rng: np.random.Generator, qubits: int, most: int) -> Terms:
    found: dict[str, float] = {}
    while len(found) < min(most, 4**qubits - 1):
        found[_label(rng, qubits)] = float(np.round(rng.uniform(-1.5, 1.5), 3)) or 0.5
    return tuple(found.items())


def _chain(rng: np.random.Generator, qubits: int) -> Terms:
    """Mixed-field Ising with a coefficient of its own for every term."""

    def on(*letters: tuple[int, str]) -> str:
        return "".join(dict(letters).get(q, "I") for q in reversed(range(qubits)))

    labels = [on((q, "Z"), (q + 1, "Z")) for q in range(qubits - 1)] + [on((q, p)) for q in range(qubits) for p in "XZ"]
    return tuple((label, -float(np.round(rng.uniform(0.3, 1.2), 3))) for label in labels)


def _couplings(rng: np.random.Generator, qubits: int) -> tuple[Terms, ...]:
    if rng.random() < 0.7:
        return tuple(every_site(str(rng.choice(["X", "Y", "Z", "XZ", "YX"])), qubits))
    return tuple(_sum(rng, qubits, int(rng.integers(1, 3))) for _ in range(int(rng.integers(1, 3))))


def _parameters(
    rng: np.random.Generator, kind: str, given: dict[str, Any], terms: Terms, beta: float
) -> dict[str, Any]:
    out = dict(given)
    if kind in ("davies", "ule", "redfield", "coarse_grained", "scandi_alhambra"):
        out["cutoff"] = float(np.round(rng.uniform(3, 8) * max(abs(c) for _, c in terms), 3))
        out["strength"] = float(np.round(rng.uniform(0.1, 1.0), 2))
    if kind in ("coarse_grained", "scandi_alhambra"):
        out["window"] = float(beta * rng.uniform(0.7, 2.0))
    if given.get("filter") == "lloyd_abanin":
        out["splitting"] = float(rng.uniform(0.7, 2.0) / beta)
    return out


def _knobs(rng: np.random.Generator, scheme: str, chosen: bool) -> dict[str, Any]:
    """Knobs as a user gives them, or none where they may be `chosen` by the package."""
    if scheme == "auto":
        return {"effort": 3, "calibration": "derived"}  # of brief steps
    if rng.random() < 0.4 and chosen:
        return {}
    out: dict[str, Any] = {"sweeps": int(rng.integers(2, 21))}
    if scheme in IN_TIME:
        out |= {
            "strength": float(np.round(rng.uniform(0.3, 1.6), 2)), "spacing": float(np.round(rng.uniform(0.2, 0.8), 2)),
            "nodes": int(rng.integers(2, 6)), "trotter_order": int(rng.choice([1, 2, 4])),
        }  # fmt: skip
        low = int(rng.integers(0, 3))
        out["random_delays"] = (low, low + int(rng.integers(0, 3)))
        if scheme in ("sequential", "random_jumps"):
            out["direction"] = str(rng.choice(["forward", "forward_and_back"]))
    elif scheme == "discrete":
        out["step"] = float(np.round(rng.uniform(0.2, 0.95), 2))
    else:
        out["strength"] = float(np.round(rng.uniform(0.05, 0.8), 2))
    return out


def program_case(scheme: str, seed: int) -> Case:
    """A program of an exact kind: 1–4 qubits, dense blocks 1–2, β from 0.05 to 20."""
    rng = np.random.default_rng([SCHEMES.index(scheme), seed])
    weights = (0.25, 0.45, 0.2, 0.1)
    if scheme in DENSE:  # writing out a block on three qubits and four ancillas takes a minute
        weights = (
            (0.8, 0.2, 0.0, 0.0) if scheme in ("dilated_1", "weak_measurement", "discrete") else (0.9, 0.1, 0.0, 0.0)
        )
    if scheme == "auto":
        weights = (0.5, 0.5, 0.0, 0.0)
    n = int(rng.choice(4, p=weights)) + 1
    mild = scheme in IN_TIME and rng.random() < 0.5  # most random models are too much for a formula: nothing is claimed
    terms = _chain(rng, n) if mild else _sum(rng, n, int(rng.integers(1, 2 + 2 * n)))
    beta = float(np.exp(rng.uniform(np.log(0.05), np.log(1.5 if mild else 20.0))))
    kind, given = EXACT_KINDS[int(rng.integers(len(EXACT_KINDS)))]
    if scheme in IN_TIME and rng.random() < 0.5:
        kind, given = EXACT_KINDS[0]
    if scheme in IN_TIME and n > 2 and kind not in ("dll", "ule"):  # hundreds of jumps per coupling
        kind, given = EXACT_KINDS[0]
    coherent = "balance"
    if kind == "dll" and rng.random() < 0.15:
        coherent = "none"
    if kind == "davies":
        coherent = "lamb_shift"
    parameters = _parameters(rng, kind, given, terms, beta)
    target = float(np.round(rng.uniform(0.15 if mild else 0.05, 0.3), 3))
    couplings = tuple(every_site(str(rng.choice(["Y", "XY", "XYZ"])), n)) if mild else _couplings(rng, n)
    few = scheme not in IN_TIME or kind in ("dll", "ule")  # with hundreds of jumps choosing takes minutes
    knobs = _knobs(rng, scheme, few)
    return Case(seed, scheme, terms, beta, couplings, kind, parameters, coherent, target, knobs)


def figure_case(seed: int) -> Case:
    """A generator of any kind, exact or biased, on 1–2 qubits: nothing is compiled."""
    rng = np.random.default_rng([99, seed])
    n = 1 if rng.random() < 0.4 else 2
    terms = _sum(rng, n, int(rng.integers(1, 2 + 2 * n)))
    beta = float(np.exp(rng.uniform(np.log(0.05), np.log(20.0))))
    if seed % 2:
        kind, given = EXACT_KINDS[seed // 2 % len(EXACT_KINDS)]
        coherent = "lamb_shift" if kind == "davies" else "balance"
    else:
        kind, given = BIASED_KINDS[seed // 2 % len(BIASED_KINDS)], {}
        coherent = "lamb_shift" if kind == "redfield" and rng.random() < 0.6 else "none"
        if kind == "coarse_grained":
            given = {"shifted": bool(rng.integers(2))}
    parameters = _parameters(rng, kind, given, terms, beta)
    return Case(seed, "", terms, beta, _couplings(rng, n), kind, parameters, coherent, 0.1)
