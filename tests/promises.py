"""What the package says of a program or a generator, held against the oracle; every complaint is one line."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import gibbs_circuits as gc
from gibbs_circuits.analysis.estimators.program import program_data
from gibbs_circuits.models.model import from_terms
from tests.oracle import digits, paulis, simulator, starts
from tests.oracle.cases import Case

ALLOWED = 1e-9  # of a distance
DIGITS = 1e-20  # what the oracle's own figures are good to
SIMULATED = 8  # qubits, system and ancillas
MOST_DIGITS = 1500 if digits.flint is not None else 250  # beyond, a figure is not checked, and that is counted
BATH_KEYS = ("cutoff", "strength")


def generator_of(case: Case) -> Any:
    """The package's generator of a case; `discrete` programs take it, too."""
    given = {k: v for k, v in case.parameters.items() if k not in BATH_KEYS}
    if "cutoff" in case.parameters:
        given["bath"] = {"kind": "ohmic", **{k: case.parameters[k] for k in BATH_KEYS}}
    couplings = [[list(term) for term in A] for A in case.couplings]
    make = getattr(gc, case.kind)
    return make(from_terms(list(case.terms)), case.beta, couplings=couplings, coherent=case.coherent, **given)


def claims(program: gc.Program, target: float, prediction: Any) -> dict[str, Any]:
    """`program` of the JSON document."""
    return program_data(program, 1, prediction, target)


@dataclass
class Tally:
    """How many programs claimed what, and what was wrong."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def check(self, case: Case) -> None:
        """Compile a case and hold what is said of it against the oracle."""
        try:
            program = gc.compile(generator_of(case), case.scheme, case.target, **case.knobs)
            if program.num_qubits > SIMULATED:
                self.counts["too large"] += 1
                return
            prediction = gc.predict(program)
            said = claims(program, case.target, prediction)
        except gc.GibbsError as error:
            self.counts["refused"] += 1
            if "could not be synthesised" in str(error):
                self.wrong.append(f"{case} an ordinary block was refused: {error}")
            return
        self.counts[str(said["guarantee"])] += 1
        self.counts["checked"] += 1
        terms = [(label, c) for label, c in case.terms]
        self.wrong += [f"{case} {line}" for line in program_complaints(program, terms, case.target, said, prediction)]

    def __str__(self) -> str:
        return ", ".join(f"{k} {v}" for k, v in sorted(self.counts.items()))


def program_complaints(
    program: Any, terms: Any, target: float, said: dict[str, Any], prediction: Any, initial: Any = None
) -> list[str]:
    """What is false of what is said of one program; the guarantee is looked for first."""
    n = program.num_system
    found: list[str] = []
    oracle = simulator.Simulator(program)
    whole, sweep = oracle.whole(), oracle.sweep(-1)
    sigma = paulis.gibbs(terms, n, program.generator.beta)
    worst, _ = starts.worst_start(whole, sigma)
    zero = np.zeros_like(sigma)
    zero[0, 0] = 1
    own = paulis.trace_distance(simulator.after(whole, zero if initial is None else initial), sigma)
    if said["guarantee"] == "any_start" and worst > target + ALLOWED:
        found.append(f"any_start within {target:g} is false: a start ends {worst:.4f} away")
    if said["guarantee"] in ("any_start", "given_start") and own > target + ALLOWED:
        found.append(f"{said['guarantee']} within {target:g} is false: its own start ends {own:.4f} away")
    bound, searched = said.get("guarantee_bound"), said.get("guarantee_worst")
    if bound is not None and worst > bound + ALLOWED:
        found.append(f"guarantee_bound {bound:.6f} is no bound: a start ends {worst:.6f} away")
    if searched is not None and not searched >= worst - 1e-4:
        found.append(f"guarantee_worst {searched:.6f} was searched badly: a start ends {worst:.6f} away")
    if searched is not None and bound is not None and searched > bound + ALLOWED:
        found.append(f"guarantee_worst {searched:.6f} exceeds its bound {bound:.6f}")
    if said["guarantee"] == "any_start" and (searched is None or searched > target) and (bound or 2) > target:
        found.append(f"any_start rests on nothing: guarantee_worst {searched}, guarantee_bound {bound}")
    if prediction is None:
        return found
    for name, path in prediction.starts.items():
        k = {"zero": 0, "one": 2**n - 1}.get(name)
        rho = np.eye(2**n) / 2**n if k is None else np.diag(np.eye(2**n)[k])
        right = paulis.trace_distance(simulator.after(whole, rho.astype(complex)), sigma)
        if abs(path - right) > 1e-8:
            found.append(f"from {name} it ends {right:.8f} away, not {path:.8f}")
    rho, second = simulator.fixed_point(sweep)
    if abs(prediction.contraction - second) > 1e-6:
        found.append(f"the contraction is {second:.8f}, not {prediction.contraction:.8f}")
    if prediction.relaxation.converged and second < 1 - 1e-6:
        right, allowed = paulis.trace_distance(rho, sigma), 1e-8 + prediction.relaxation.state_error
        if abs(prediction.fixed_point_distance - right) > allowed:
            found.append(f"the fixed point is {right:.8f} away, not {prediction.fixed_point_distance:.8f}")
    if prediction.relaxation.converged and second > 1 - 1e-11 and said["guarantee"] == "any_start":
        found.append("any_start of a sweep with several fixed points")
    return found


def stated_error(certificate: Any, name: str) -> float | None:
    """The error estimate that goes with a figure; None where there is none."""
    estimates = getattr(certificate, "error_estimate", None) or {}
    return estimates.get({"gap": "spectral_gap"}.get(name, name))


def _off(certificate: Any, name: str, value: float, right: float, relative: float, floor: float) -> str | None:
    """A complaint where a figure misses by more than its stated error, or than rounding where none is stated."""
    stated = stated_error(certificate, name)
    allowed = max(relative * abs(right), floor) if stated is None else 1.01 * stated + 1e-13 * abs(right) + DIGITS
    if abs(value - right) <= allowed:
        return None
    error = "no error stated" if stated is None else f"stated error {stated:.1e}"
    return f"{name} is {right:.8g}, not {value:.8g} ({error})"


def too_many_digits(setup: digits.Setup) -> bool:
    """Whether the oracle would take too long to tell the smallest rate from zero."""
    return digits.enough_digits(setup) > MOST_DIGITS


def certificate_complaints(certificate: Any, setup: digits.Setup) -> list[str]:
    """What is false of a certificate on 1–2 qubits (3 for the bias alone), against as many digits as it takes."""
    found: list[str | None] = []
    exact = digits.exactly(setup, digits.enough_digits(setup))
    with_h = bool(certificate.with_hamiltonian)
    small = exact.d <= 4
    count, gap = exact.steady_states_and_gap(with_h) if small else (1, None)
    if certificate.bias is not None and count == 1:
        found.append(_off(certificate, "bias", certificate.bias, float(exact.bias(with_h)), 1e-9, 1e-12))
    balanced = setup.coherent != "none" and certificate.kms_defect is not None
    if small and balanced and certificate.steady_states is not None and certificate.steady_states != count:
        found.append(f"there are {count} stationary operators, not {certificate.steady_states}")
    if small and balanced and certificate.steady_states_with_hamiltonian is not None:
        still, _ = exact.steady_states_and_gap(True)
        if still != certificate.steady_states_with_hamiltonian:
            found.append(
                f"with H there are {still} stationary operators, not {certificate.steady_states_with_hamiltonian}"
            )
    if gap is not None and certificate.spectral_gap is not None:
        resolution = (certificate.gap_resolution or 0.0) if stated_error(certificate, "gap") is None else 0.0
        if abs(certificate.spectral_gap - float(gap)) > resolution:
            found.append(_off(certificate, "gap", certificate.spectral_gap, float(gap), 1e-8, 0.0))
    found += _measured(certificate)
    found += _balance(certificate, exact, with_h) if small else []
    return [line for line in found if line is not None]


def _measured(certificate: Any) -> list[str]:
    """`measured` is never said of a figure whose error estimate exceeds it."""
    found = []
    for name, key in (("bias", "bias"), ("spectral_gap", "gap")):
        value, stated = getattr(certificate, name), stated_error(certificate, key)
        if value and stated is not None and stated > value and certificate.status(name).value == "measured":
            found.append(f"{name} {value:.3g} is called measured at an error of {stated:.1e}")
    return found


def _balance(certificate: Any, exact: digits.Digits, with_h: bool) -> list[str]:
    """Residual and KMS defect, in doubles from the digits."""
    found = []
    L = digits.as_numpy(exact.generator(with_h))
    scale = float(np.linalg.norm(L, 2))
    if certificate.residual is not None and scale > 1e-250:
        sigma = digits.as_numpy(exact.sigma()).reshape(-1)
        right = float(np.linalg.norm(L @ sigma) / (scale * np.linalg.norm(sigma)))
        if abs(certificate.residual - right) > 1e-9 + 1e-6 * right:
            found.append(f"residual is {right:.6g}, not {certificate.residual:.6g}")
    if certificate.kms_defect is not None and exact.setup.coherent != "none" and certificate.kms_defect > 1e-8:
        found.append(f"KMS defect {certificate.kms_defect:.1e} of a balanced generator")
    if certificate.kms_defect is not None and exact.setup.coherent == "none" and exact.setup.contacts[0].kind == "dll":
        right = _coherent_defect(exact)
        if certificate.kms_defect < right - 1e-8:
            found.append(f"KMS defect is {right:.6g} without B, not {certificate.kms_defect:.6g}")
    return found


def _coherent_defect(exact: digits.Digits) -> float:
    """‖½ tanh(βν/4) ∘ R‖ / ‖R‖: what B lacks where it is left out."""
    R = sum(digits.as_numpy(R) for _, R in exact.parts)
    E = np.array([float(e) for e in exact.E])
    size = float(np.linalg.norm(R))
    missing = 0.5 * np.tanh(exact.setup.contacts[0].beta * (E[:, None] - E[None, :]) / 4) * R
    return float(np.linalg.norm(missing)) / size if size > 0 else 0.0


def thermal_complaints(case: Case) -> list[str]:
    """Energy, free energy, entropy and heat capacity to 1e-10 of their scale."""
    found, said = [], gc.thermal(from_terms(list(case.terms)), case.beta)
    width = sum(abs(c) for _, c in case.terms)
    scales = {"energy": width, "free_energy": width + 1 / case.beta, "entropy": 1 + case.beta * width * 1e-3,
              "heat_capacity": 1.0}  # fmt: skip
    for name, right in digits.Digits(case.setup, 50).thermal(case.beta).items():
        if abs(getattr(said, name) - float(right)) > 1e-10 * scales[name]:
            found.append(f"{name} is {float(right):.12g}, not {getattr(said, name):.12g}")
    return found
