"""β·H has no unit: (H, β, bath) and (sH, β/s, bath scaled) are one system, with the same figures.

The oracle is the same question asked in another unit, and for single figures values found without this package.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qiskit.quantum_info import SparsePauliOp

import gibbs_circuits as gc
from gibbs_circuits.analysis.comparison.compare import compare
from gibbs_circuits.cli import options as cli
from gibbs_circuits.compiler import base
from gibbs_circuits.compiler.schemes.registry import SCHEMES
from gibbs_circuits.compiler.time_domain import knobs as time_knobs
from gibbs_circuits.evidence import number
from gibbs_circuits.experiments.experiment import read_experiment
from gibbs_circuits.generators.frequency import local_frequency, rate_unit
from gibbs_circuits.generators.lindbladian import Lindbladian
from gibbs_circuits.generators.matrices import largest_rate
from gibbs_circuits.models import patches
from gibbs_circuits.models.model import from_terms
from gibbs_circuits.models.scale import distinct, rounded, size, without_debris
from gibbs_circuits.models.spectrum import beta_of_energy, spectrum
from gibbs_circuits.search import cache

SCALES = (1e-20, 1e-9, 3.7e-4, 1e5, 1e12)
QUICK = (1e-20, 3.7e-4, 1e12)
BETA = 1.3
RELATIVE, ABSOLUTE = 1e-9, 1e-10  # the second for what is zero but for rounding: residuals, defects
RATES = ("spectral_gap", "gap_resolution", "growth_rate", "largest_rate")

Generator = Lindbladian | gc.DiscreteChannel


def chain(s: float, sites: int = 3) -> gc.Model:
    """The mixed-field Ising chain in a unit 1/s as large."""
    return gc.models.mixed_field_ising(sites, J=s, h=0.9 * s, g=0.5 * s)


def user_spectrum(beta: float, s: float) -> Callable[[float], float]:
    """An ohmic bath with a cutoff of 4, as a function."""
    return lambda w: (w / -math.expm1(-beta * w) if w else 1 / beta) * math.exp(-((w / (4 * s)) ** 2) / 2)


def user_kernel(beta: float) -> Callable[[Any, Any], Any]:
    """A kernel in balance that is no window of the catalogue."""
    return lambda x, y: np.exp(-((beta * (x - y)) ** 2) / 8 - beta * (x + y) / 4 - (beta * (x + y)) ** 2 / 32)


def two_filters(model: gc.Model, beta: float, s: float) -> Generator:
    """Filters have no unit: that −i[H, ·] and the dissipator keep their ratio, couplings take √s."""
    n = model.num_qubits
    left, right = ([SparsePauliOp.from_sparse_list([("X", [q], math.sqrt(s))], n)] for q in (0, n - 1))
    return gc.several_baths(gc.dll(model, beta, couplings=left), gc.dll(model, 2 * beta, couplings=right))


def strong(model: gc.Model, s: float, letters: str = "Y") -> list[SparsePauliOp]:
    """√s times a letter on every site: with a kernel that has no unit, rates in the unit of H."""
    n = model.num_qubits
    return [SparsePauliOp.from_sparse_list([(p, [q], math.sqrt(s))], n) for p in letters for q in range(n)]


def two_baths(model: gc.Model, beta: float, s: float) -> Generator:
    n = model.num_qubits
    left, right = "I" * (n - 1) + "X", "X" + "I" * (n - 1)
    return gc.several_baths(gc.davies(model, beta, couplings=[left]), gc.davies(model, 2 * beta, couplings=[right]))


# name → (maker, whether its rates come in the unit of H; those of a filter have none)
KINDS: dict[str, tuple[Callable[[gc.Model, float, float], Generator], bool]] = {
    "dll": (lambda m, b, s: gc.dll(m, b), False),
    "dll_metropolis": (lambda m, b, s: gc.dll(m, b, couplings="XZ", filter="metropolis"), False),
    "dll_without_B": (lambda m, b, s: gc.dll(m, b, coherent="none"), False),
    "ckg": (lambda m, b, s: gc.ckg(m, b), False),
    "ckg_metropolis": (lambda m, b, s: gc.ckg(m, b, filter="metropolis"), False),
    "davies": (lambda m, b, s: gc.davies(m, b), True),
    "davies_cubic": (lambda m, b, s: gc.davies(m, b, bath={"kind": "power_law", "exponent": 3}), True),
    "ule_none": (lambda m, b, s: gc.ule(m, b, coherent="none"), True),
    "ule_balance": (lambda m, b, s: gc.ule(m, b, coherent="balance"), True),
    "ule_lamb_shift": (lambda m, b, s: gc.ule(m, b), True),
    "ule_function": (lambda m, b, s: gc.ule(m, b, bath=user_spectrum(b, s), coherent="balance"), True),
    "coarse_grained": (lambda m, b, s: gc.coarse_grained(m, b), True),
    "scandi_alhambra": (lambda m, b, s: gc.scandi_alhambra(m, b), True),
    "redfield": (lambda m, b, s: gc.redfield(m, b), True),
    "local": (lambda m, b, s: gc.local(m, b, inside="davies"), True),
    "discrete": (lambda m, b, s: gc.discrete(m, b), False),
    "custom": (lambda m, b, s: gc.custom(m, b, user_kernel(b)), False),
    "two_filters": (two_filters, True),
    "dll_strong": (lambda m, b, s: gc.dll(m, b, couplings=strong(m, s)), True),
    "dll_strong_without_B": (lambda m, b, s: gc.dll(m, b, couplings=strong(m, s), coherent="none"), True),
    "ckg_strong_without_B": (lambda m, b, s: gc.ckg(m, b, couplings=strong(m, s, "XZ"), coherent="none"), True),
    "custom_strong": (lambda m, b, s: gc.custom(m, b, user_kernel(b), couplings=strong(m, s)), True),
    "two_baths": (two_baths, True),
}


def figures(kind: str, s: float, sites: int) -> dict[str, Any]:
    """Everything the exact layer says of a generator, in units of H."""
    model, beta = chain(s, sites), BETA / s
    make, in_units = KINDS[kind]
    generator, unit = make(model, beta, s), s if in_units else 1.0
    certificate = gc.certificate(generator)
    found: dict[str, Any] = {}
    for field in dataclasses.fields(certificate):
        value = getattr(certificate, field.name)
        if value is not None and field.name in RATES:
            value /= unit
        if value is not None and field.name == "mixing_bound":
            value *= unit
        found[field.name] = value if not dataclasses.is_dataclass(value) else None
    if not in_units:  # how a rate compares with H is then a matter of the unit of time; with couplings of √s it is not
        found["bias_with_hamiltonian"] = None
    errors = certificate.error_estimate  # rounding itself: known to orders of magnitude
    scales = {"spectral_gap": unit, "mixing_bound": 1 / unit}
    found["error_estimate"] = {name: max(error / scales.get(name, 1.0), 1e-9) for name, error in errors.items()}
    moving = certificate.rates
    if moving is not None and moving.log10_largest is not None:
        shift = math.log10(unit)
        found["rates"] = (
            moving.log10_largest - shift, (moving.log10_smallest or 0.0) - shift, moving.allowed, moving.frozen
        )  # fmt: skip
    found["completely_positive"] = certificate.completely_positive
    if isinstance(generator, gc.DiscreteChannel):
        return found
    gap = gc.spectral_gap(generator)
    found["gap alone"] = None if gap is None else gap.value / unit
    if len(generator.betas) == 1:
        advice = gc.faster(generator)
        found["advice"] = None if advice is None else (advice.name, advice.faster_gap / advice.faster_rate)
    if in_units:
        rho = gc.steady_state(generator)
        found["steady state"] = tuple(np.concatenate([rho.real, rho.imag]).ravel().tolist())
        if np.linalg.eigvalsh(rho)[0] > -1e-9:  # redfield's is no state
            found["heat"] = tuple(np.array([*flows(gc.heat_currents(generator, rho))]) / s**2)
    return found


def flows(currents: Any) -> list[float]:
    """The numbers of heat currents, whatever they are listed by."""
    values = currents.values() if hasattr(currents, "values") else [row[-1] for row in currents]
    return [float(value) for value in values]


def differences(a: Any, b: Any, where: str = "") -> list[str]:
    """Where two figures differ by more than the tolerance."""
    if isinstance(a, dict) and isinstance(b, dict):
        return [d for key in {**a, **b} for d in differences(a.get(key), b.get(key), f"{where} {key}".strip())]
    if isinstance(a, list | tuple) and isinstance(b, list | tuple) and len(a) == len(b):
        return [d for k, pair in enumerate(zip(a, b, strict=True)) for d in differences(*pair, f"{where}[{k}]")]
    if isinstance(a, float | np.floating) and isinstance(b, float | np.floating):
        near = abs(a - b) <= RELATIVE * max(abs(a), abs(b)) + ABSOLUTE
        return [] if near else [f"{where}: {a!r} against {b!r}"]
    return [] if a == b else [f"{where}: {a!r} against {b!r}"]


def thermal_figures(s: float) -> dict[str, Any]:
    t = gc.thermal(chain(s), BETA / s)
    return {"energy": t.energy / s, "F": (t.free_energy or 0.0) / s, "S": t.entropy, "C": t.heat_capacity,
            "purity": t.purity, "ground": t.ground_energy / s}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_exact__is_the_same_in_every_unit__two_sites(kind: str) -> None:
    reference = figures(kind, 1.0, 2)
    for s in QUICK:
        assert differences(reference, figures(kind, s, 2)) == [], s


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_exact__is_the_same_in_every_unit__three_sites(kind: str) -> None:
    reference = figures(kind, 1.0, 3)
    for s in SCALES:
        assert differences(reference, figures(kind, s, 3)) == [], s


def test_thermal__is_the_same_in_every_unit() -> None:
    for s in SCALES:
        assert differences(thermal_figures(1.0), thermal_figures(s)) == [], s


@pytest.mark.parametrize("s", SCALES)
def test_beta_of_energy__finds_beta__in_every_unit(s: float) -> None:
    found = beta_of_energy(gc.thermal(chain(s), BETA / s).energy, spectrum(chain(s)))
    assert found == pytest.approx(BETA / s, rel=1e-11)


# Programs: knobs of time scale as 1/s, those of rates as 1/(unit of the rates), all else stays.


def program_figures(kind: str, scheme: str, s: float, sites: int = 2, **knobs: Any) -> dict[str, Any]:
    make, in_units = KINDS[kind]
    generator, unit = make(chain(s, sites), BETA / s, s), s if in_units else 1.0
    program = gc.compile(generator, scheme=scheme, target_error=0.3, **knobs)
    used = dict(program.knobs)
    for name, factor in (("spacing", s), ("strength", unit), ("resolution", 1 / s)):
        if used.get(name) is not None:
            used[name] = float(used[name]) * factor
    read, price = gc.predict(program), gc.cost(program)
    assert read is not None
    return {
        "knobs": used, "gates": float(price.two_qubit_gates), "resets": price.resets, "sweeps": program.sweeps,
        "ancillas": program.num_ancilla, "guarantee": program.guarantee, "calibration": program.calibration,
        "fixed point": read.fixed_point_distance, "starts": dict(read.starts), "contraction": read.contraction,
        "distances": read.distances.tolist(), "energy": read.fixed_point_energy / s,
        "beta": None if read.fixed_point_beta is None else read.fixed_point_beta * s,
    }  # fmt: skip


EVERY = [(kind, scheme) for scheme in SCHEMES for kind in ("dll", "davies")]
EVERY += [(kind, "parallel") for kind in ("ckg", "ule_balance", "scandi_alhambra")]


@pytest.mark.parametrize(("kind", "scheme"), [("dll", "parallel"), ("dll", "discrete"), ("davies", "discrete")])
def test_program__scales_with_its_knobs__a_few(kind: str, scheme: str) -> None:
    found = program_figures(kind, scheme, 1.0), program_figures(kind, scheme, 1e-20)
    assert differences(*found) == []


def fewer_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fifth of the settings to choose among: the choice is made alike, and the tests above make it among all."""
    monkeypatch.setattr(base, "STRENGTHS", base.STRENGTHS[::5])
    monkeypatch.setattr(time_knobs, "LADDER", time_knobs.LADDER[::5])


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "scheme"), EVERY)
def test_program__scales_with_its_knobs__every_scheme(kind: str, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fewer_settings(monkeypatch)
    reference = program_figures(kind, scheme, 1.0)
    for s in QUICK:
        found = program_figures(kind, scheme, s)
        assert differences(reference, found) == [], s


@pytest.mark.parametrize("choice", ["compile", "compile_ordered"])
@pytest.mark.parametrize("kind", ["dll", "ule_balance"])
def test_coherent_term__is_compiled_alike__in_every_unit(kind: str, choice: str) -> None:
    """An absolute floor on its Pauli terms left nothing of the B of a bath at s = 1e-20."""
    unit = 1e-20 if KINDS[kind][1] else 1.0
    knobs = {"coherent_term": choice, "sweeps": 3, "nodes": 4}
    found = program_figures(kind, "parallel", 1.0, strength=0.4, spacing=0.9, **knobs)
    small = program_figures(kind, "parallel", 1e-20, strength=0.4 / unit, spacing=0.9e20, **knobs)
    assert differences(found, small) == []


def run_figures(s: float, shots: int, *, whole: bool) -> dict[str, Any]:
    """A run and its comparison; `whole` with measured orders and the hand-written loop, half a minute."""
    program = gc.compile(
        gc.dll(chain(s, 2), BETA / s), scheme="parallel", sweeps=6, strength=0.8, spacing=0.9 / s, nodes=4,
        random_delays=False,
    )  # fmt: skip
    energy_like = SparsePauliOp.from_list([("ZI", s), ("XX", 0.3 * s)])
    result = gc.run(program, "aer_density_matrix", shots=shots, seed=3, observables={"mine": energy_like})
    found = gc.compare(result, target_error=0.3) if whole else compare(result, 0.3, baselines=False)
    values = {name: (e.value / s, e.low / s, e.high / s) for name, e in found.observables.items()}
    reached = found.beta_effective
    return {
        "verdict": found.verdict, "distance": found.trace_distance, "fidelity": found.fidelity, "values": values,
        "beta": None if reached is None else (reached.value * s, reached.low * s, reached.high * s),
        "z": None if result.check is None or result.check.z is None else dict(result.check.z),
        "rungs": [(rung.rung, rung.errors, rung.holds) for rung in found.rungs],
        "loop": None if found.loop is None else [one.steps for one in found.loop],
        "ledger": [(row.rung, row.value / s if row.unit == "energy" else row.value) for row in found.ledger
                   if row.value is not None],
    }  # fmt: skip


@pytest.mark.parametrize("shots", [0, 400])
def test_run__is_the_same_in_every_unit__density_matrix(shots: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gibbs_circuits.analysis.estimators.measured_orders.measured_rungs", lambda program: ())
    found = run_figures(1.0, shots, whole=False), run_figures(1e-20, shots, whole=False)
    assert differences(*found) == []


@pytest.mark.slow
def test_run__is_the_same_in_every_unit__with_orders_and_loop() -> None:
    reference = run_figures(1.0, 400, whole=True)
    for s in SCALES:
        assert differences(reference, run_figures(s, 400, whole=True)) == [], s


# What the command line prints; powers of s that a key, and all below it, carries.

ENERGIES = ("energy", "energy_per_site", "free_energy", "ground_energy", "energy_per_sweep", "fixed_point_energy")
POWERS = {**dict.fromkeys(ENERGIES, 1), "z": 0, "beta": -1, "betas": -1, "beta_effective": -1, "spacing": -1}
RATE_POWERS = {**dict.fromkeys(RATES, 1), "mixing_time_bound": -1, "strength": -1, "step": -1}
WORDS = ("hash", "files", "source", "knobs_chosen", "version", "versions", "error_estimate")
WORDS += (
    "text",
    "values",
    "slope",
    "local_slopes",
)  # knobs in their own units, and what is fitted to errors near rounding
# how Qiskit merges rotations and synthesises dense gates is decided by last bits
WORDS += ("one_qubit_gates", "depth", "seconds", "expected_fidelity", "unitary_gate_loop")


def in_units(data: Any, s: float, powers: dict[str, int], power: int = 0) -> Any:
    """A document in units of H, without texts that hold numbers and without what is rounding only."""
    if isinstance(data, dict):
        own = 1 if "energy" in (data.get("unit"), data.get("name")) else power
        return {
            key: in_units(value, s, powers, powers.get(key, own)) for key, value in data.items() if key not in WORDS
        }  # fmt: skip
    if isinstance(data, list):
        return [in_units(value, s, powers, power) for value in data]
    return data / s**power if power and isinstance(data, int | float) and not isinstance(data, bool) else data


DOCUMENT = """[model]
name = "mixed_field_ising"
sites = {sites}
J = {J!r}
h = {h!r}
g = {g!r}
beta = {beta!r}
[generator]
kind = "{kind}"
[compile]
scheme = "{scheme}"
target_error = 0.3
[run]
shots = {shots}
seed = 5
"""


def printed(folder: Path, capsys: pytest.CaptureFixture[str], command: str, s: float, **words: Any) -> Any:
    file = folder / "e.toml"
    file.write_text(DOCUMENT.format(J=s, h=0.9 * s, g=0.5 * s, beta=BETA / s, **{"sites": 2, **words}))
    where = ["--out", str(folder / f"{s}-{words['shots']}-{words['kind']}")] if command == "run" else []
    assert cli.status([command, str(file), *where, "--json"]) == 0
    powers = {**POWERS, **(RATE_POWERS if words["kind"] == "davies" else {})}
    document = json.loads(capsys.readouterr().out)
    for name in ("log10_largest", "log10_smallest"):
        document["generator"]["rates"][name] -= math.log10(s) * powers.get("spectral_gap", 0)
    return in_units(document, s, powers)


@pytest.mark.parametrize("kind", ["dll", "davies"])
def test_exact_json__is_the_same_in_every_unit(tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    reference = printed(tmp_path, capsys, "exact", 1.0, kind=kind, scheme="parallel", shots=0)
    for s in SCALES:
        found = printed(tmp_path, capsys, "exact", s, kind=kind, scheme="parallel", shots=0)
        assert differences(reference, found) == [], s


@pytest.mark.slow
@pytest.mark.parametrize("command", ["compile", "run"])
@pytest.mark.parametrize(("kind", "scheme", "shots"), [("dll", "parallel", 400), ("davies", "stinespring", 0)])
def test_json__is_the_same_in_every_unit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    command: str, kind: str, scheme: str, shots: int,
) -> None:  # fmt: skip
    fewer_settings(monkeypatch)
    sites = 1 if (scheme, command) == ("stinespring", "run") else 2  # its run on two synthesises large dense gates
    words = {"kind": kind, "scheme": scheme, "shots": shots, "sites": sites}
    reference = printed(tmp_path, capsys, command, 1.0, **words)
    for s in QUICK:
        found = printed(tmp_path, capsys, command, s, **words)
        assert differences(reference, found) == [], s


# Cases that failed, with values found without this package.


def test_small_unit__has_nothing_conserved_and_a_gap__eight_sites() -> None:
    """It had Z0 + … + Z7 "conserved, proved" and no gap."""
    model = gc.models.mixed_field_ising(8, J=1e-9, h=9e-10, g=5e-10)
    generator = gc.dll(model, 1e9, couplings="Z")
    found = gc.spectral_gap(generator)
    assert gc.certificate(generator, max_qubits=1).conserved == ()
    assert found is not None
    assert found.value == pytest.approx(0.0230711, abs=1e-7)


def random_chain(s: float, n: int = 8) -> gc.Model:
    rng = np.random.default_rng(11)
    terms = [("ZZ", [q, (q + 1) % n], s * rng.uniform(0.5, 1.5)) for q in range(n)]
    terms += [("X", [q], s * rng.uniform(0.5, 1.5)) for q in range(n)]
    return gc.Model(SparsePauliOp.from_sparse_list(terms, n), "random ring")


@pytest.mark.parametrize("s", [1.0, 1e-9, 1e-20, 1e12])
def test_random_ring__gains_no_translation__in_a_small_unit(s: float) -> None:
    from gibbs_circuits.exact.structure.symmetry import weak_symmetries

    names = [symmetry.name for symmetry, _ in weak_symmetries(gc.dll(random_chain(s), 1 / s, couplings="Y"))]
    assert names == ["XXXXXXXX"]
    ring = gc.models.tfim(8, J=s, h=s, periodic=True)
    names = [symmetry.name for symmetry, _ in weak_symmetries(gc.dll(ring, 1 / s, couplings="Y"))]
    assert names == ["translation by 1", "XXXXXXXX"]  # what is there is found in every unit


@pytest.mark.parametrize("s", SCALES)
def test_redfield__is_not_positive__in_any_unit(s: float) -> None:
    assert gc.certificate(gc.redfield(chain(s, 2), BETA / s)).completely_positive is False


def test_hermiticity__is_relative_to_the_operator() -> None:
    with pytest.raises(gc.InvalidModelError, match="be Hermitian"):
        gc.Model(SparsePauliOp(["Z"], [1e-12 + 1e-11j]))
    with pytest.raises(gc.InvalidModelError, match="be Hermitian"):
        gc.Model(SparsePauliOp(["I", "Z"], [1e12, 1 + 1e-3j]))  # an identity excuses nothing
    assert gc.Model(SparsePauliOp(["Z"], [1e6 + 1e-9j])).terms == (("Z", 1e6),)
    assert gc.Model(SparsePauliOp(["I", "Z"], [1e6 + 1e-9j, 1.0])).terms == (("I", 1e6), ("Z", 1.0))


@pytest.mark.parametrize("c", [1e-9, 1e-12, 1e9])
def test_coupling__has_the_same_charges__however_weak(c: float) -> None:
    """A coupling of 1e-9 X commuted with everything."""
    model = gc.models.xxz(3, 1.0, 0.5, 0.3)
    for label in ("IIX", "IIZ"):
        weak, plain = (
            gc.certificate(gc.dll(model, 1.0, couplings=[SparsePauliOp([label], [f])])) for f in (c, 1.0)
        )  # fmt: skip
        assert weak.conserved == plain.conserved
        assert (weak.steady_states, weak.steady_states_with_hamiltonian) == (
            plain.steady_states, plain.steady_states_with_hamiltonian,
        )  # fmt: skip
        if plain.spectral_gap is not None:
            assert weak.spectral_gap == pytest.approx(c**2 * plain.spectral_gap, rel=1e-9)


def test_charges__are_lost_to_a_real_term__not_to_debris() -> None:
    """The negative control of the next test: 1e-9 of the largest term is physics."""
    broken = from_terms([("XX", 1.0), ("YY", 1.0), ("ZI", 0.4), ("XI", 1e-9)])
    whole = from_terms([("XX", 1.0), ("YY", 1.0), ("ZI", 0.4)])
    assert gc.certificate(gc.dll(whole, 1.0, couplings=["ZI", "IZ"])).conserved == ("ZZ", "Z0 + Z1")
    assert gc.certificate(gc.dll(broken, 1.0, couplings=["ZI", "IZ"])).conserved == ()


@pytest.mark.parametrize("s", [1e-20, 1.0, 1e12])
@pytest.mark.parametrize("debris", [1e-17, -3e-16, 1e-17j, 2e-16 + 1e-17j], ids=str)
def test_debris__changes_no_count_and_no_name(debris: complex, s: float) -> None:
    terms = {"XX": 1.0, "YY": 1.0, "ZI": 0.4, "IZ": 0.4}
    clean = gc.Model(SparsePauliOp(list(terms), [s * c for c in terms.values()]))
    dirty = gc.Model(SparsePauliOp([*terms, "XI", "YZ"], [s * c for c in (*terms.values(), debris, debris)]))
    plain = [SparsePauliOp("ZI"), SparsePauliOp("IZ")]
    touched = [SparsePauliOp(["ZI", "XI"], [1.0, debris]), SparsePauliOp(["IZ", "YY"], [1.0 + debris, debris])]
    assert dirty.terms == clean.terms
    a, b = (
        gc.certificate(gc.dll(model, 1 / s, couplings=A)) for model, A in ((clean, plain), (dirty, touched))
    )  # fmt: skip
    for name in ("conserved", "steady_states", "steady_states_with_hamiltonian", "symmetries"):
        assert getattr(a, name) == getattr(b, name)
    assert a.conserved == ("ZZ", "Z0 + Z1")
    split = gc.Model(SparsePauliOp(["XX", "YY", "ZI", "IZ"], [s * (0.1 + 0.2), s * 0.3, s, s]))
    assert "Z0 + Z1" in gc.certificate(gc.dll(split, 1 / s, couplings=plain)).conserved


def test_cutoff__is_five_times_the_size_of_H__wherever_it_is_left_out(tmp_path: Path) -> None:
    model = from_terms([("II", 900.0), ("IZ", -2.5), ("XX", 0.4)])
    expected = gc.baths.ohmic(0.7, cutoff=12.5)
    made = [
        gc.davies(model, 0.7), gc.davies(model, 0.7, bath={"kind": "ohmic", "strength": 1.0}),
        gc.ule(model, 0.7, bath=gc.baths.ohmic(0.7)), gc.scandi_alhambra(model, 0.7), gc.redfield(model, 0.7),
        gc.coarse_grained(model, 0.7), gc.discrete(model, 0.7, inside="davies").inside,
        gc.local(model, 0.7, inside="davies"),
    ]  # fmt: skip
    assert [one.baths for one in made] == [(expected,)] * len(made)
    assert gc.davies(model, 0.7, bath=gc.baths.ohmic(0.7, cutoff=3.0)).baths == (gc.baths.ohmic(0.7, cutoff=3.0),)
    cubic = gc.davies(model, 0.7, bath={"kind": "power_law", "exponent": 3}).baths
    assert cubic == (gc.baths.power_law(0.7, 3.0, cutoff=12.5),)
    file = tmp_path / "e.toml"
    file.write_text(
        '[model]\nterms = [["II", 900.0], ["IZ", -2.5], ["XX", 0.4]]\nbeta = 0.7\n[generator]\nkind = "ule"\n'
        'bath = "ohmic"\ncoherent = "balance"\n[compile]\nscheme = "parallel"\nsweeps = 1\n'
    )
    generator = read_experiment(file).generator
    assert isinstance(generator, Lindbladian)
    assert generator.baths == (expected,)
    alone = gc.baths.ohmic(0.7)  # by itself there is no other scale than the temperature
    assert alone.spectrum(2.0) == pytest.approx(gc.baths.ohmic(0.7, cutoff=5 / 0.7).spectrum(2.0), rel=1e-15)


def test_qubits_in_MHz__have_rates__with_the_default_cutoff() -> None:
    """With a cutoff of 5 in the user's unit every rate underflowed and all checks were green."""
    terms = [("IZ", -2500.0), ("ZI", -2600.0), ("XX", 20.0)]
    found = gc.certificate(gc.davies(from_terms(terms), 0.00096, couplings="X"))
    same = gc.certificate(gc.davies(from_terms([(p, c / 2600) for p, c in terms]), 0.00096 * 2600, couplings="X"))
    assert found.largest_rate is not None
    assert found.largest_rate > 1000
    assert found.spectral_gap is not None
    assert found.spectral_gap / 2600 == pytest.approx(same.spectral_gap, rel=1e-9)
    dead = gc.certificate(gc.davies(from_terms(terms), 0.00096, couplings="X", bath={"kind": "ohmic", "cutoff": 5.0}))
    assert dead.spectral_gap is None or dead.spectral_gap < 1e-300


def test_purely_imaginary_H__is_not_turned_by_a_phase__in_symmetry_blocks() -> None:
    """H = Σ (XY − YX) is i times a real matrix; taken for that real matrix its energies were wrong."""
    from gibbs_circuits.exact.spectral_gap.symmetry_blocks import hermitised_blocks

    n = 4
    terms = [(letters, [q, (q + 1) % n], c) for q in range(n) for letters, c in (("XY", 1.0), ("YX", -1.0))]
    model = gc.Model(SparsePauliOp.from_sparse_list(terms, n))
    blocks = hermitised_blocks(gc.dll(model, 1.0, couplings="XY"))
    assert blocks.names
    wanted = np.sort(np.sqrt(spectrum(model).populations(1.0)))
    np.testing.assert_allclose(np.sort(np.concatenate(blocks.populations)), wanted, atol=1e-12)


@pytest.mark.parametrize("s", SCALES)
def test_units__follow_the_model(s: float) -> None:
    assert local_frequency(gc.dll(chain(s), 1 / s)) / s == pytest.approx(local_frequency(gc.dll(chain(1.0), 1.0)))
    assert rate_unit(gc.davies(chain(s), BETA / s)) == pytest.approx(s / BETA, rel=1e-12)
    weak = [SparsePauliOp(["IIX"], [s])]
    assert rate_unit(gc.dll(chain(1.0), 1.0, couplings=weak)) == pytest.approx(s**2, rel=1e-12)
    nu = spectrum(chain(s)).bohr_frequencies
    assert distinct(nu).size == distinct(spectrum(chain(1.0)).bohr_frequencies).size
    assert rounded(1.23456 * s, s) == pytest.approx(1.235 * s, rel=1e-15)
    assert size(chain(s).hamiltonian) == s
    assert len(without_debris(SparsePauliOp(["Z", "X"], [s, 1e-15 * s]))) == 1


def test_commuting_coupling__has_no_frequency__with_cancelling_terms() -> None:
    """[XX + YY, ZI + IZ] cancels but for rounding; the spacing of nodes was then 1e17."""
    model = from_terms([("XX", 0.1 + 0.2), ("YY", 0.3), ("ZI", 0.4)])
    generator = gc.dll(model, 1.0, couplings=[SparsePauliOp(["ZI", "IZ"], [1.0, 1.0])])
    assert local_frequency(generator) == 0


@pytest.mark.parametrize("s", [1e-20, 1.0, 1e12])
def test_patches__see_what_varies__in_every_unit(s: float) -> None:
    terms = [("ZZ", [q, q + 1], s) for q in range(4)] + [("X", [q], s * (1 + 0.1 * q)) for q in range(5)]
    model = gc.Model(SparsePauliOp.from_sparse_list(terms, 5))
    reference = gc.Model(SparsePauliOp.from_sparse_list([(p, q, c / s) for p, q, c in terms], 5))
    assert len(patches.patches(model, 3)) == len(patches.patches(reference, 3))
    for a, b in zip(
        patches.whole_model_patch(model).features, patches.whole_model_patch(reference).features, strict=True
    ):
        assert [name for name, _ in a] == [name for name, _ in b]
        assert [w for _, w in a] == pytest.approx([w for _, w in b], rel=1e-12)


def test_cache__tells_baths_apart__in_a_small_unit() -> None:
    """Kernels were sampled at frequencies of order 1 and rounded to 12 digits: below 1e-12 all were one."""
    model = chain(1e-20, 2)
    kernels = [gc.davies(model, 1e20, bath={"kind": "ohmic", "strength": x}).contacts[0].kernel for x in (1.0, 2.0)]
    kernels += [gc.davies(model, 1e20, bath={"kind": "power_law", "exponent": 3}).contacts[0].kernel]
    assert len({cache._sampled(kernel, 1e-20) for kernel in kernels}) == 3


def test_tables__keep_the_digits_of_small_numbers() -> None:
    assert number(-5.34127812e-9, 8) == "-5.34128e-09"
    assert number(-5.34127812, 8) == "-5.34127812"
    assert number(1.26e-15) == "1.3e-15"


# The negative control: one old absolute tolerance put back makes the comparison red.


def test_old_rounding__put_back__is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from gibbs_circuits.exact.structure import detailed_balance as balance

    monkeypatch.setattr(balance, "distinct", lambda nu: np.unique(np.round(nu, 12)))
    found = differences(figures("redfield", 1.0, 2), figures("redfield", 1e-20, 2))
    assert any("completely_positive" in line for line in found)


def test_old_simplification__put_back__is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from gibbs_circuits.exact.structure import symmetry

    assert gc.certificate(gc.dll(chain(1e-20, 2), 1e20, couplings="Z")).conserved == ()
    monkeypatch.setattr(symmetry, "merged", lambda operator: operator.simplify())
    assert gc.certificate(gc.dll(chain(1e-20, 2), 1e20, couplings="Z")).conserved == ("Z0 + Z1",)


def test_old_cutoff__put_back__is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    left_open = type(gc.baths.ohmic(1.0))
    monkeypatch.setattr(left_open, "for_model", lambda bath, model: gc.baths.ohmic(bath.beta, 1, 5))
    terms = [("IZ", -2500.0), ("ZI", -2600.0), ("XX", 20.0)]
    generator = gc.davies(from_terms(terms), 0.00096, couplings="X")
    assert largest_rate(generator) == 0


def test_old_rounding_of_knobs__put_back__is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from gibbs_circuits.compiler.time_domain import ladder

    monkeypatch.setattr(ladder, "rounded", lambda value, unit: float(f"{value:.4g}"))
    found = [program_figures("dll", "parallel", s) for s in (1.0, 3.7e-4)]
    assert any("spacing" in line for line in differences(*found))
