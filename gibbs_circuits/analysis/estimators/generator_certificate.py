"""What is known of the generator that was sampled: its certificate."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from ...evidence import number
from ...exact.certificate.certificate import Certificate, certificate
from ...generators.lindbladian import Generator
from ...io.json import plain
from ...io.section import Section
from ...limits import MAX_DENSE_QUBITS
from .base import Analysis, Finding
from .measured_run import MeasuredRun

BIAS = "distance of the steady state to σ"
SHOWN = 1e-5  # a relative error that a table of four digits shows
SHORT = {"spectral_gap": "gap", "mixing_bound": "mixing_time_bound"}  # of attributes whose errors JSON names


def certificate_section(generator: Generator, cert: Certificate) -> Section:
    """A certificate, with how each line is known."""
    judged = "with −i[H + Lamb shift, ·]" if cert.with_hamiltonian else "certificate, without −i[H, ·]"
    rows: list[tuple[str, ...]] = []

    def row(label: str, field: str, text: str, status: str | None = None) -> None:
        rows.append((label, text, status or cert.status(field).value.replace("_", " ")))

    row("residual ‖L(σ)‖ / ‖L‖‖σ‖", "residual", number(cert.residual))
    without = "residual_without_coherent"
    row("  without the coherent term (control)", without, number(cert.residual_without_coherent))
    row(f"bias{' with H' if cert.with_hamiltonian else ', without H'}: {BIAS}", "bias", bias_text(cert, "bias"))
    if not cert.with_hamiltonian:
        row("  with H", "bias_with_hamiltonian", bias_text(cert, "bias_with_hamiltonian"))
    row("KMS defect (kernel and B)", "kms_defect", number(cert.kms_defect))
    row("GNS defect (0 for secular kernels only)", "gns_defect", number(cert.gns_defect))
    lowest = cert.lowest_kernel_eigenvalue
    positive = "—" if lowest is None else f"{'yes' if cert.completely_positive else 'NO'} ({number(lowest)})"
    row("completely positive (lowest / largest eigenvalue)", "lowest_kernel_eigenvalue", positive)
    counts = (cert.steady_states, cert.steady_states_with_hamiltonian)
    steady = " / ".join("—" if one is None else str(one) for one in counts)
    row("steady states, without / with H", "steady_states_with_hamiltonian", steady)
    row("conserved Pauli strings and charges", "conserved", ", ".join(cert.conserved) or "none")
    unresolved = cert.spectral_gap is None and cert.gap_resolution is not None
    gap = f"below {number(10 * (cert.gap_resolution or 0))}" if unresolved else with_error(cert, "spectral_gap")
    gap = f"— ({cert.gap_unknown})" if cert.gap_unknown is not None else gap
    if cert.growth_rate is not None:
        row("UNSTABLE: largest growth rate", "growth_rate", number(cert.growth_rate))
    row("spectral gap", "spectral_gap", gap, "measured, not resolved" if unresolved else None)
    if cert.rates is not None:
        row("rates of transitions, fastest … slowest", "rates", str(cert.rates))
    row("time to relax, in units of 1/(largest rate)", "spectral_gap", number(cert.relaxation_time, 1))
    proved = "proved from the measured gap" if cert.mixing_bound is not None else "not checked"
    row("mixing time bound, ε = 0.1", "mixing_bound", number(cert.mixing_bound, 4), proved)
    reach = cert.jump_locality
    row("jump norm outside radius 0, 1, 2, …", "jump_locality",
        "—" if reach is None else ", ".join(f"{one:.2g}" for one in reach))  # fmt: skip
    head = (judged, "value", "status")
    return Section(f"Generator: {generator!r}", head, tuple(rows), data={"generator": certificate_data(cert)})


def certificate_data(cert: Certificate) -> dict[str, Any]:
    """A certificate in the JSON document: its attributes, how each is known, and what follows from them."""
    data: dict[str, Any] = plain(cert)
    del data["lowest_population"]
    bound = data.pop("mixing_bound")
    return {
        **data,
        "mixing_time_bound": bound,
        "completely_positive": cert.completely_positive,
        "relaxation_time": cert.relaxation_time,
        "error_estimate": {SHORT.get(name, name): error for name, error in cert.error_estimate.items()},
        "status": {one.name: cert.status(one.name).value for one in fields(cert)},
    }


def with_error(cert: Certificate, field: str) -> str:
    """A figure of a certificate, with its error where that shows."""
    value, error = getattr(cert, field), cert.error_estimate.get(field, 0.0)
    if value is None or error <= SHOWN * abs(value):
        return number(value)
    return f"{number(value)} ± {error:.0e}" if error < abs(value) else f"below {error:.0e}"


def bias_text(cert: Certificate, field: str) -> str:
    """A bias, which of several steady states it is about, and its error."""
    counts = (cert.steady_states, cert.steady_states_with_hamiltonian)
    count = counts[field == "bias_with_hamiltonian" or cert.with_hamiltonian]
    if getattr(cert, field) == 0 and cert.error_estimate.get(field) == 0:
        return "0 (detailed balance)"
    if getattr(cert, field) is None:
        return "—"
    several = f", from the maximally mixed start ({count} steady states)" if count is not None and count > 1 else ""
    return with_error(cert, field) + several


def _why_not(run: MeasuredRun) -> str | None:
    n = run.run.num_system
    return None if run.dense else f"it needs the spectrum of H, up to {MAX_DENSE_QUBITS} qubits; there are {n}"


def _measure(run: MeasuredRun) -> Finding[Certificate]:
    generator = run.generator
    cert = certificate(generator)
    return Finding(cert, (certificate_section(generator, cert),))


generator_certificate = Analysis(
    "certificate", "Generator", _measure, _why_not, {"generator": certificate_data(Certificate())}
)
