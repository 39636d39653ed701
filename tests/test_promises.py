"""What is printed must be true: guarantees, certificates, "measured", "agrees", against an oracle of its own.

Right values stand as numbers where they take long; how they were obtained stands beside them.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qiskit import qasm3, transpile
from qiskit.quantum_info import SparsePauliOp

import gibbs_circuits as gc
from gibbs_circuits.analysis.comparison import verdict
from gibbs_circuits.analysis.estimators.interval import Estimate
from gibbs_circuits.cli import options as cli
from gibbs_circuits.experiments.experiment import read_experiment
from gibbs_circuits.experiments.pipeline import compile_program
from gibbs_circuits.experiments.schemes import CompileTask
from gibbs_circuits.models.model import from_terms
from tests import promises
from tests.clocks import brief_steps
from tests.oracle import classical, digits, paulis, qasm, simulator, starts
from tests.oracle.cases import SCHEMES, figure_case, program_case
from tests.oracle.digits import Contact, Digits, Setup, every_site
from tests.promises import Tally, certificate_complaints, claims, program_complaints, thermal_complaints

CASES = Path(__file__).parent / "cases"
EXPERIMENTS = Path(__file__).parents[1] / "experiments"
CHAIN = (("ZZI", -1.0), ("IZZ", -1.0), ("XII", -0.4), ("IXI", -0.3), ("IIX", -0.5), ("IIZ", -0.05))
PAIR = (("ZZ", -1.0), ("ZI", -0.5), ("IZ", -0.5))
HYDROGEN = (("II", -1.0523), ("IZ", 0.3979), ("ZI", -0.3979), ("ZZ", -0.0113), ("XX", 0.1809))
MEGAHERTZ = (("IZ", -2500.0), ("ZI", -2600.0), ("XX", 20.0))
SOON = 30.0  # seconds: a refusal is not worth waiting for longer; it includes starting Python
# Programs per scheme: 200 in all.
PROGRAMS = {**dict.fromkeys(SCHEMES[:4], 24), **dict.fromkeys(SCHEMES[4:10], 16), "auto": 8}
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True, scope="module")
def brief() -> Iterator[None]:
    """A step of effort is a nominal second."""
    with brief_steps():
        yield


def setup_of(
    terms: Any, beta: float, letters: str, coherent: str = "balance", kind: str = "dll", **given: Any
) -> Setup:
    """The oracle's setup with one coupling per letter and site."""
    n = len(terms[0][0])
    return Setup(terms, tuple(Contact(A, beta, kind, given) for A in every_site(letters, n)), coherent)


def document(capsys: Capture, *arguments: str | Path) -> dict[str, Any]:
    """What a command prints with --json."""
    assert cli.status([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused_soon(*arguments: str | Path) -> str:
    """The one line of a refusal, which must come within `SOON` seconds."""
    code = "import sys; from gibbs_circuits.cli import options as cli; sys.exit(cli.status(sys.argv[1:]))"
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            capture_output=True, text=True, timeout=SOON, cwd=Path(__file__).parents[1], check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise AssertionError(f"no answer within {SOON:g} s") from None
    assert done.returncode == 2, f"exit status {done.returncode}: {done.stderr[-300:]}{done.stdout[-300:]}"
    return done.stderr


def tried(call: Callable[[], Any]) -> tuple[Any, str]:
    """(answer, "") or (None, refusal)."""
    try:
        return call(), ""
    except gc.GibbsError as error:
        return None, str(error)


def numbers(found: Any) -> list[float]:
    """The numbers of a mapping or a sequence of numbers or of objects that hold one."""
    values = list(found.values()) if hasattr(found, "values") else list(found)
    return [float(getattr(v, "heat_current", getattr(v, "value", v))) for v in values]


# (a) generated programs and generators


@pytest.mark.parametrize("scheme", [name for name in SCHEMES if name != "auto"])
def test_promises__hold__one_generated_program_of_each_scheme(scheme: str) -> None:
    tally = Tally()
    for seed in (101, 102):
        tally.check(program_case(scheme, seed))
    print(f"{scheme}: {tally}")
    assert not tally.wrong, "\n".join(tally.wrong)
    assert tally.counts["checked"] >= 1


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES)
def test_promises__hold__200_generated_programs(scheme: str) -> None:
    tally = Tally()
    for seed in range(PROGRAMS[scheme]):
        tally.check(program_case(scheme, seed))
    print(f"{scheme}: {tally}")
    assert not tally.wrong, f"{tally}\n" + "\n".join(tally.wrong)
    assert tally.counts["checked"] >= PROGRAMS[scheme] // 2, f"too few were checked: {tally}"
    assert tally.counts["any_start"] + tally.counts["given_start"] >= 1, f"nothing was claimed: {tally}"


def figures(seeds: range) -> tuple[list[str], int, int]:
    """(complaints, generators checked, certificates that took too many digits)."""
    wrong, checked, far = [], 0, 0
    for seed in seeds:
        case = figure_case(seed)
        wrong += [f"{case} {line}" for line in thermal_complaints(case)]
        try:
            certificate = gc.certificate(promises.generator_of(case))
        except gc.GibbsError:
            continue
        if promises.too_many_digits(case.setup):
            far += 1
            continue
        checked += 1
        wrong += [f"{case} {line}" for line in certificate_complaints(certificate, case.setup)]
    return wrong, checked, far


def test_figures__are_within_their_stated_error__generated_generators() -> None:
    wrong, checked, far = figures(range(200, 216))
    print(f"checked {checked}, too many digits {far}")
    assert not wrong, "\n".join(wrong)
    assert checked >= 8


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 100, 20))
def test_figures__are_within_their_stated_error__100_generated_generators(first: int) -> None:
    wrong, checked, far = figures(range(first, first + 20))
    print(f"checked {checked}, too many digits {far}")
    assert not wrong, "\n".join(wrong)
    assert checked >= 10


@pytest.mark.parametrize("beta", [0.4, 2.0, 9.0])
def test_figures__are_within_their_stated_error__discrete_channel(beta: float) -> None:
    setup = setup_of((("ZZ", -1.0), ("XI", 0.6), ("IX", 0.35), ("IZ", 0.2)), beta, "Y", "none")
    exact = Digits(setup, digits.enough_digits(setup))
    values = sorted((abs(z) for z in digits.eigenvalues(exact.discrete_channel(0.5))), reverse=True)
    assert float(values[0]) == pytest.approx(1, abs=1e-14)  # σ, left alone by the oracle's channel
    found = gc.certificate(gc.discrete(from_terms(list(setup.terms)), beta, couplings="Y", step=0.5))
    gap, stated = float(1 - values[1]), promises.stated_error(found, "gap")
    allowed = 1e-8 * gap if stated is None else stated
    assert found.spectral_gap is None or abs(found.spectral_gap - gap) <= allowed + 1e-15
    assert found.bias is None or found.bias <= (promises.stated_error(found, "bias") or 1e-12)


# the oracle itself


def test_oracle__circuit_and_steps_agree__the_written_qasm_of_a_sweep_without_delays() -> None:
    generator = gc.dll(gc.models.mixed_field_ising(2), 1.0, couplings="Y")
    for scheme in ("parallel", "sequential"):
        program = gc.compile(generator, scheme, sweeps=2, strength=0.8, spacing=0.3, nodes=3, random_delays=False)
        assert paulis.trace_distance(written(program, 0), from_zero(program)) < 1e-7  # angles as written


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["parallel", "random_jumps", "thermal_ancilla"])
def test_oracle__circuit_and_steps_agree__mean_over_seeds(scheme: str) -> None:
    generator = gc.dll(gc.models.mixed_field_ising(2), 1.0, couplings="Y")
    program = gc.compile(generator, scheme, sweeps=1, strength=0.8, spacing=0.3, nodes=2, random_delays=(0, 2))
    states = np.array([written(program, seed) for seed in range(30)])
    error = np.sqrt(np.sum(np.var(states, axis=0, ddof=1)) / len(states))
    z = np.linalg.norm(states.mean(axis=0) - from_zero(program)) / error
    assert error > 1e-4  # the seeds do differ
    assert z < 3  # Frobenius norm over its root mean square: beyond 3 once in thousands


def written(program: gc.Program, seed: int) -> Any:
    circuit = transpile(gc.circuit(program, seed=seed), basis_gates=["cz", "rz", "sx", "x"], optimization_level=0)
    return qasm.final_state(qasm3.dumps(circuit), list(range(program.num_system)))


def from_zero(program: gc.Program) -> Any:
    zero = np.zeros((2**program.num_system,) * 2, dtype=complex)
    zero[0, 0] = 1
    return simulator.after(simulator.Simulator(program).whole(), zero)


@pytest.mark.skipif(digits.flint is None, reason="there is one way only")
def test_oracle__two_ways_agree__mpmath_alone_and_flint(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = Digits(setup_of((PAIR[0], ("XI", 0.4), ("IZ", 0.3)), 1.5, "Y", "none"), 40)
    fast = exact.bias(), exact.steady_states_and_gap()
    monkeypatch.setattr(digits, "flint", None)
    slow = exact.bias(), exact.steady_states_and_gap()
    assert abs(fast[0] - slow[0]) < 1e-30
    assert fast[1][0] == slow[1][0] == 1
    assert abs(fast[1][1] - slow[1][1]) < 1e-30


def test_oracle__search_finds_the_worst__amplitude_damping_in_closed_form() -> None:
    eta, s = 0.8**3, np.tanh(0.35)  # ½|(√η x, √η y, 1 − η + ηz) − (0, 0, s)| is largest at z = 1 − s/(1 − η)
    K = np.array([[1, 0], [0, np.sqrt(eta)]]), np.array([[0, np.sqrt(1 - eta)], [0, 0]])
    channel = sum(np.kron(k, k.conj()) for k in K).astype(complex)
    z = 1 - s / (1 - eta)
    right = 0.5 * np.sqrt(eta * (1 - z**2) + (1 - eta + eta * z - s) ** 2)
    found, _ = starts.worst_start(channel, np.diag([(1 + s) / 2, (1 - s) / 2]).astype(complex))
    assert found == pytest.approx(right, abs=1e-7)


# (b) kind 1: guarantees


def shipped(path: Path) -> tuple[gc.Program, Any, float]:
    spec = read_experiment(path)
    assert isinstance(spec.target_error, float)
    program = compile_program(spec.generator, spec.scheme, CompileTask(spec.target_error, initial=spec.initial))
    return program, list(spec.model.hamiltonian.to_list()), spec.target_error


# From |++++⟩ and from the worst start: this simulator and search; the issue's own simulation found the same.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "from_plus", "worst"),
    [(CASES / "h2_from_plus.toml", 0.16661, 0.26153), (EXPERIMENTS / "h2_full.toml", 0.14215, 0.18793)],
)
def test_guarantee__is_not_any_start__h2_whose_worst_start_is_far(path: Path, from_plus: float, worst: float) -> None:
    data = read_experiment(path)
    program = fixed_h2() if path.name == "h2_from_plus.toml" else fixed_h2_full()
    terms = [(label, float(np.real(c))) for label, c in data.model.hamiltonian.to_list()]
    sigma, whole = paulis.gibbs(terms, 4, 2.0), simulator.Simulator(program).whole()
    plus = np.full((16, 16), 1 / 16, dtype=complex)
    assert paulis.trace_distance(simulator.after(whole, plus), sigma) == pytest.approx(from_plus, abs=2e-5)
    assert starts.worst_start(whole, sigma)[0] == pytest.approx(worst, abs=2e-5)
    said = claims(program, 0.1, gc.predict(program))
    assert said["guarantee"] == "given_start"  # zero ends within .10, and that is what was checked
    assert not program_complaints(program, terms, 0.1, said, gc.predict(program))


H2_KNOBS: dict[str, Any] = {
    "ancillas": 2, "nodes": 2, "sweeps": 2, "trotter_order": 1, "random_delays": False, "strength": 1.05,
    "spacing": 1.87, "truncation": 0.05,
}  # fmt: skip


def fixed_h2() -> gc.Program:
    """The program that was shipped with `any_start` at 0.10: its knobs stand here, whatever the file says today."""
    spec = read_experiment(CASES / "h2_from_plus.toml")
    return gc.compile(spec.generator, "parallel", 0.1, **H2_KNOBS)


def fixed_h2_full() -> gc.Program:
    model = read_experiment(CASES / "h2_from_plus.toml").model
    knobs = {**H2_KNOBS, "spacing": 1.7, "strength": 0.9, "sweeps": 3, "truncation": 0.0}
    return gc.compile(gc.dll(model, 2.0, couplings="X"), "parallel", 0.1, **knobs)


@pytest.mark.parametrize("name", ["h2", pytest.param("h2_full", marks=pytest.mark.slow), "mixed_field_ising"])
def test_guarantee__holds__shipped_experiments(name: str) -> None:
    program, terms, target = shipped(EXPERIMENTS / f"{name}.toml")
    prediction = gc.predict(program)
    assert not program_complaints(program, terms, target, claims(program, target, prediction), prediction)


# A chain of two whose zero, one and mixed end within .198 of σ: contraction .99433 and worst start .7124 by the oracle.
# (The issue's own two qubits have .9952 and .77.)
SLOW_PAIR = (("ZZ", -1.0), ("XI", -0.5), ("IX", -0.5))


def slow_pair() -> gc.Program:
    generator = gc.discrete(from_terms(list(SLOW_PAIR)), 0.3, couplings="Y")
    return gc.compile(generator, "discrete", 0.2, sweeps=3)


def test_guarantee__is_not_any_start__discrete_that_hardly_contracts() -> None:
    program = slow_pair()
    prediction = gc.predict(program)
    oracle = simulator.Simulator(program)
    assert simulator.fixed_point(oracle.sweep())[1] == pytest.approx(0.99433, abs=1e-5)
    assert starts.worst_start(oracle.whole(), paulis.gibbs(SLOW_PAIR, 2, 0.3))[0] == pytest.approx(0.71240, abs=1e-5)
    assert not program_complaints(program, SLOW_PAIR, 0.2, claims(program, 0.2, prediction), prediction)


@pytest.mark.slow
def test_guarantee__is_none__h2_from_a_start_that_ends_too_far(capsys: Capture) -> None:
    found = document(capsys, "compile", CASES / "h2_from_plus.toml")["program"]
    assert found["guarantee"] == "none"  # .1666 from its own start, .2615 from the worst
    assert found["guarantee_worst"] == pytest.approx(0.26153, abs=1e-3)
    assert found["guarantee_bound"] is None or found["guarantee_bound"] >= 0.2615


def test_guarantee__names_what_it_rests_on__named_scheme() -> None:
    generator = gc.dll(gc.models.mixed_field_ising(2), 1.0, couplings="Y")
    program = gc.compile(generator, "parallel", 0.2)
    said = claims(program, 0.2, gc.predict(program))
    assert said["guarantee"] == "any_start"  # knobs that are chosen are chosen so that it holds
    assert said["guarantee_worst"] is not None
    assert said["guarantee_measure"] in ("global", "local")


@pytest.mark.parametrize(
    ("terms", "beta"),
    [
        pytest.param((("X", -0.9),), 1.0, id="X"),
        pytest.param((("ZZI", -1.0), ("IZZ", -1.0)), 4.0, id="ZZ", marks=pytest.mark.slow),
    ],
)
def test_auto__names_what_is_conserved__or_keeps_its_promise(terms: Any, beta: float) -> None:
    generator = gc.dll(from_terms(list(terms)), beta, couplings="X")  # X and XXX commute with all of it
    program, text = tried(lambda: gc.compile(generator, "auto", 0.1, calibration="fitted_to_target", effort=5))
    if program is not None:
        prediction = gc.predict(program)
        said = claims(program, 0.1, prediction)
        assert not program_complaints(program, terms, 0.1, said, prediction)
        text = "" if said["guarantee"] == "none" else "nothing conserved stood in the way"
        text = text or program.provenance
    assert "conserved" in text


# (b) kind 2: a small residual is no small error


def test_two_cold_baths__energy_and_currents__or_refused(capsys: Capture) -> None:
    # 120 digits: energy −2.251557369, currents ± 1.4251514e-5
    if cli.status(["exact", str(CASES / "two_cold_baths.toml"), "--json"]) != 0:
        assert "Fix" in capsys.readouterr().err
        return
    found = json.loads(capsys.readouterr().out)["steady_state"]
    assert found["energy"] == pytest.approx(-2.251557369, abs=1e-6)
    assert [side["heat_current"] for side in found["baths"]] == pytest.approx([1.4251514e-5, -1.4251514e-5], rel=1e-4)


def cold_chain(beta: float, coherent: str = "none") -> gc.Lindbladian:
    return gc.dll(from_terms(list(CHAIN)), beta, couplings="Y", coherent=coherent)


@lru_cache
def coldest() -> gc.Certificate:
    return gc.certificate(cold_chain(12.0))


# Digits(setup_of(CHAIN, β, "Y", "none"), 120).bias(with H)
@pytest.mark.parametrize(
    ("beta", "hamiltonian", "right"),
    [(8.0, False, 0.32128328), (8.0, True, 1.8034172e-5), (12.0, False, 0.29790333), (12.0, True, 4.9865228e-6)],
)
def test_steady_state__is_as_far_from_sigma_as_it_is__cold_chain_without_coherent_term(
    beta: float, hamiltonian: bool, right: float
) -> None:
    generator = cold_chain(beta)
    rho, refusal = tried(lambda: gc.steady_state(generator, hamiltonian=hamiltonian))
    if rho is None:
        assert "Fix" in refusal
        return
    sigma = gc.gibbs_state(generator.model, beta)
    assert gc.trace_distance(rho, sigma) == pytest.approx(right, rel=1e-3)


def test_oracle__reproduces__cold_chain() -> None:
    exact = Digits(setup_of(CHAIN, 12.0, "Y", "none"), 120)
    assert float(exact.bias(False)) == pytest.approx(0.29790333, rel=1e-7)
    assert float(exact.bias(True)) == pytest.approx(4.9865228e-6, rel=1e-7)


@pytest.mark.slow
def test_bias__is_not_zero__cold_chain_whose_residual_is(capsys: Capture) -> None:
    found = document(capsys, "exact", CASES / "cold_bias.toml")["generator"]
    assert found["residual"] < 1e-12
    if found["bias"] is not None:
        assert found["bias"] == pytest.approx(4.9865e-6 if found["with_hamiltonian"] else 0.29790, rel=1e-3)
    assert not certificate_complaints(coldest(), setup_of(CHAIN, 12.0, "Y", "none"))


@pytest.mark.slow
def test_bias__is_not_printed_as_zero__cold_chain(capsys: Capture) -> None:
    assert cli.status(["exact", str(CASES / "cold_bias.toml")]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "bias" in line.lower()]
    assert lines
    assert not any("stationary to rounding" in line for line in lines)


def test_certificate__has_an_error_estimate__every_figure_it_measures() -> None:
    found = gc.certificate(cold_chain(1.0, "balance"))
    assert set(found.error_estimate) >= {"spectral_gap", "bias"}
    assert found.error_estimate["spectral_gap"] < 1e-9
    assert abs(found.spectral_gap - float(Digits(setup_of(CHAIN, 1.0, "Y"), 40).steady_states_and_gap()[1])) <= (
        found.error_estimate["spectral_gap"] + 1e-15
    )


# One coupling 1.269 XZ + .151 ZX (as .362 XZ + .907 XZ + .151 ZX): YY stays, so that a start with YY = 1 ends .5 away.
# −(XX + YY)/2 with X: XX stays; |++⟩ ends 1 − 1/(1 + e^{−5}) = .00669 away, |+−⟩ .99331. Both by Digits' kernel.
@pytest.mark.parametrize(
    ("terms", "couplings", "beta", "stated"),
    [
        ((("ZZ", -1.0),), ((("XZ", 0.362), ("XZ", 0.907), ("ZX", 0.151)),), 1.0, 0.00626),
        ((("XX", -0.5), ("YY", -0.5)), tuple(every_site("X", 2)), 5.0, 0.00669),
    ],
)
def test_bias__is_not_zero_or_says_from_where__redfield_with_several_steady_states(
    terms: Any, couplings: Any, beta: float, stated: float
) -> None:
    written_out = [[list(term) for term in A] for A in couplings]
    bath = {"kind": "ohmic", "cutoff": 5.0}
    found = gc.certificate(gc.redfield(from_terms(list(terms)), beta, couplings=written_out, bath=bath))
    says = any("start" in name and getattr(found, name) for name in found.__dataclass_fields__)
    assert found.bias is None or says or found.bias >= stated - 1e-5


def test_redfield__right_values__from_the_kernel_in_many_digits() -> None:
    setup = setup_of((("XX", -0.5), ("YY", -0.5)), 5.0, "X", "lamb_shift", "redfield", cutoff=5.0)
    exact = Digits(setup, 30)
    V = digits.as_numpy(exact.V)
    values, vectors = np.linalg.eig(digits.as_numpy(exact.generator(True)))
    still = np.abs(values) < 1e-9
    assert np.count_nonzero(still) == 2
    P = vectors[:, still] @ np.linalg.pinv(vectors)[still]
    sigma = digits.as_numpy(exact.sigma())
    for signs, right in (((1, 1), 0.00669), ((1, -1), 0.99331)):
        psi = V.conj().T @ np.kron([1, signs[0]], [1, signs[1]]) / 2
        rho = (P @ np.outer(psi, psi.conj()).reshape(-1)).reshape(4, 4)
        assert paulis.trace_distance(rho, sigma) == pytest.approx(right, abs=1e-5)


# (b) kind 3: nothing happens


@pytest.mark.parametrize("command", ["compile", pytest.param("run", marks=pytest.mark.slow)])
def test_dead_generator__is_refused_within_seconds__hydrogen_at_300_K(command: str, tmp_path: Path) -> None:
    out = ["--out", tmp_path / "out"] if command == "run" else []
    line = refused_soon(command, CASES / "hydrogen_300K.toml", *out)
    assert "Fix" in line
    assert "metropolis" in line or "filter" in line or "temperature" in line


def test_dead_generator__is_not_certified__hydrogen_at_300_K(capsys: Capture) -> None:
    found = document(capsys, "exact", CASES / "hydrogen_300K.toml")["generator"]
    assert not (found["bias"] == 0 and found["status"]["bias"] == "measured")
    assert found["steady_states"] in (16, None)
    low, high = rates_of(setup_of(HYDROGEN, 1052.6, "X"))  # −125291.7, −45005.0
    assert found["rates"]["log10_largest"] == pytest.approx(high, abs=1.0)
    assert found["rates"]["log10_smallest"] == pytest.approx(low, abs=1.0)
    assert found["rates"]["frozen"] > 0


def rates_of(setup: Setup) -> tuple[float, float]:
    high, low = Digits(setup, 60).log10_rates()
    return low, high


MHZ_WITH_BATH = '\nbath = { kind = "ohmic", cutoff = 5.0 }\n'


@pytest.mark.parametrize("command", ["compile", pytest.param("run", marks=pytest.mark.slow)])
def test_dead_generator__names_the_cutoff__qubits_in_megahertz(command: str, tmp_path: Path) -> None:
    path = tmp_path / "mhz.toml"
    path.write_text((CASES / "qubits_in_MHz.toml").read_text() + MHZ_WITH_BATH)
    out = ["--out", tmp_path / "out"] if command == "run" else []
    assert "cutoff" in refused_soon(command, path, *out)


def test_default_bath__scales_with_the_model__qubits_in_megahertz(capsys: Capture) -> None:
    found = document(capsys, "exact", CASES / "qubits_in_MHz.toml")["generator"]
    _, high = rates_of(setup_of(MEGAHERTZ, 0.00096, "X", kind="davies", cutoff=5 * 2600.0))  # −.51, 3.68
    assert found["rates"]["log10_largest"] == pytest.approx(high, abs=0.7)
    assert found["steady_states"] == 1
    assert found["spectral_gap"] > 0


# (b) kind 4: the unit is the user's


@pytest.mark.slow
def test_unit__changes_nothing__chain_of_eight_in_nano_units(capsys: Capture) -> None:
    found = document(capsys, "exact", CASES / "small_unit.toml")["generator"]
    assert found["conserved"] == []
    assert found["steady_states"] == 1
    assert found["spectral_gap"] == pytest.approx(0.0230711, rel=1e-5)  # own Lanczos on the 4⁸ Hermitian matrix


def test_debris__changes_no_count_and_no_charge__terms_of_1e_17() -> None:
    clean = gc.models.xxz(3)
    noise = [("XII", 1e-17), ("IYZ", -3e-17), ("ZXI", 2e-17)]
    dirty = from_terms([*((label, float(c)) for label, c in clean.terms), *noise])
    wanted, found = (gc.certificate(gc.dll(model, 1.0, couplings="Z")) for model in (clean, dirty))
    assert wanted.conserved  # Z commutes with the charge Σ Z
    assert found.conserved == wanted.conserved
    assert found.steady_states == wanted.steady_states
    assert found.steady_states_with_hamiltonian == wanted.steady_states_with_hamiltonian


# (b) kind 5: "agrees"


def judged(target: float) -> verdict.Verdict:
    """E = −6.63 ± .17 of the chain whose exact energy is −7.32: β = .739 reached instead of 1."""
    terms = [(label, float(c)) for label, c in gc.models.tfim(6, h=1.2).terms]
    sigma, H = paulis.gibbs(terms, 6, 1.0), SparsePauliOp.from_list(terms)
    exact = float(np.real(np.trace(paulis.pauli_sum(terms, 6) @ sigma)))
    assert exact == pytest.approx(-7.32, abs=0.01)
    energy = Estimate(-6.63, -6.80, -6.46, exact)
    made = getattr(verdict, "scale", None)  # until both are one: an operator stands for its scale
    scales: Any = {"energy": H if made is None else verdict.scale(H, sigma, cooled=True)}  # type: ignore[attr-defined]
    outcome: Any = verdict.judge(None, {"energy": energy}, scales, target)
    return outcome[0] if isinstance(outcome, tuple) else outcome


def test_verdict__disagrees__state_at_beta_074_instead_of_1() -> None:
    assert judged(0.05) is verdict.Verdict.DISAGREES
    assert judged(0.10) is verdict.Verdict.AGREES  # −6.80 − .1 · 7.32 < −7.32


# (b) also seen


def test_gap__is_known__classical_chain_of_seven() -> None:
    right = classical.flip_rates(classical.ising_energies(7, 1.0), 1.0)[2]  # behind 1 and the product of all X
    assert right == pytest.approx(0.0820377, rel=1e-6)
    found = gc.spectral_gap(gc.dll(gc.models.tfim(7, J=1, h=0), 1.0, couplings="X"))
    assert found is not None
    assert found.value == pytest.approx(right, rel=1e-6)


def test_gap__is_known__classical_chain_of_six() -> None:
    right = classical.flip_rates(classical.ising_energies(6, 1.0), 1.0)[2]
    assert right == pytest.approx(0.09345303, rel=1e-6)
    found = gc.spectral_gap(gc.dll(gc.models.tfim(6, J=1, h=0), 1.0, couplings="X"))
    assert found is not None
    assert found.value == pytest.approx(right, rel=1e-6)


@pytest.mark.slow
def test_gap__is_a_value_or_a_reason__ule_of_eight_sites() -> None:
    found, refusal = tried(lambda: gc.spectral_gap(gc.ule(gc.models.mixed_field_ising(8), 1.0, couplings="Y")))
    if refusal:
        assert "Fix" in refusal
        return
    assert found is not None
    assert found.value is not None or found.reason


def test_heat_currents__are_two__two_baths_at_one_beta() -> None:
    terms, couplings = CHAIN, ((("IIX", 1.0),), (("XII", 1.0),))
    model = from_terms(list(terms))
    parts = [gc.dll(model, 1.0, couplings=[[list(t) for t in A]]) for A in couplings]
    zero = np.zeros((8, 8), dtype=complex)
    zero[0, 0] = 1
    exact = Digits(Setup(terms, tuple(Contact(A, 1.0) for A in couplings)), 30)
    V = digits.as_numpy(exact.V)
    inside = V.conj().T @ zero @ V
    right = [float(x) for x in exact.heat_currents(digits.mpmath.matrix(inside.tolist()))]
    assert abs(right[0] - right[1]) > 0.01
    assert numbers(gc.heat_currents(gc.several_baths(*parts), zero)) == pytest.approx(right, abs=1e-10)


# Blocks on two qubits that a decomposition missed by 2.0e-6 and 1.3e-8.
ORDINARY_BLOCKS: tuple[Any, ...] = (
    ("weak_measurement", (("Z", -0.675),), "X", 19.72128907218258, {}, {"sweeps": 12, "strength": 0.33}),
    (
        "stinespring", (("X", 0.523), ("Z", 1.308), ("Y", 0.231)), "Z", 6.1954293719187055,
        {"filter": "lloyd_abanin", "splitting": 0.3099855415515653, "coherent": "none"}, {},
    ),
)  # fmt: skip


@pytest.mark.parametrize(("scheme", "terms", "letters", "beta", "given", "knobs"), ORDINARY_BLOCKS)
def test_dense_block__is_written__ordinary_input(
    scheme: str, terms: Any, letters: str, beta: float, given: dict[str, Any], knobs: dict[str, Any]
) -> None:
    generator = gc.dll(from_terms(list(terms)), beta, couplings=letters, **given)
    _, refusal = tried(lambda: gc.cost(gc.compile(generator, scheme, 0.1, **knobs)))
    assert "synthesised" not in refusal


def test_error_budget__is_of_the_size_of_the_error__commuting_pair(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "pair.toml"
    terms = ", ".join(f'["{label}", {c}]' for label, c in PAIR)
    path.write_text(f'[model]\nterms = [{terms}]\nbeta = 2.0\n[generator]\ncouplings = "X"\n')
    found = document(capsys, "compile", path)["ledger_sum"]
    assert found["measured"] <= found["total"] + 1e-9
    assert found["total"] <= 5 * max(found["measured"], 1e-3)  # it was 47 times the measured error


# (d) negative controls: each old rule, put back, turns its check red


@pytest.mark.slow
def test_control__three_starts__turn_the_guarantee_red(monkeypatch: pytest.MonkeyPatch) -> None:
    now: Callable[..., dict[str, Any]] = promises.program_data

    def old(program: Any, seed: int, prediction: Any, target: float) -> dict[str, Any]:
        listed = max(*prediction.starts.values(), prediction.fixed_point_distance)
        return {**now(program, seed, prediction, target), "guarantee": "any_start" if listed <= target else "none"}

    monkeypatch.setattr(promises, "program_data", old)
    for program, terms, target in ((slow_pair(), SLOW_PAIR, 0.2), (fixed_h2(), None, 0.1)):
        prediction = gc.predict(program)
        found = terms or [(label, float(np.real(c))) for label, c in program.generator.model.hamiltonian.to_list()]
        complaints = program_complaints(program, found, target, claims(program, target, prediction), prediction)
        assert any(line.startswith("any_start within") for line in complaints)


def test_control__small_residual__turns_the_bias_red() -> None:
    found = coldest()
    assert found.residual is not None
    old = replace(found, bias=0.0 if found.residual <= 1e-12 else found.bias)
    complaints = certificate_complaints(old, setup_of(CHAIN, 12.0, "Y", "none"))
    assert any("bias is" in line for line in complaints)


def test_control__absolute_tolerance__turns_the_unit_red(monkeypatch: pytest.MonkeyPatch) -> None:
    from gibbs_circuits.exact.structure import symmetry

    monkeypatch.setattr(symmetry, "merged", lambda A: A.simplify(), raising=False)  # drops below 1e-8 of any unit
    small = gc.models.mixed_field_ising(3, J=1e-9, h=9e-10, g=5e-10)
    assert symmetry.conserved(gc.dll(small, 1e9, couplings="Z"))


def test_conserved__is_nothing__chain_of_three_in_nano_units() -> None:
    from gibbs_circuits.exact.structure import symmetry

    small = gc.models.mixed_field_ising(3, J=1e-9, h=9e-10, g=5e-10)
    assert not symmetry.conserved(gc.dll(small, 1e9, couplings="Z"))


def test_control__spectral_width__turns_the_verdict_red(monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True)
    class Width:
        value: float
        norm: float
        text: str = "the spectral width"

    def old(operator: SparsePauliOp, sigma: Any, *, cooled: bool) -> Width:
        levels = np.linalg.eigvalsh(operator.to_matrix())
        return Width(float(levels[-1] - levels[0]), float(np.abs(levels).max()))

    monkeypatch.setattr(verdict, "scale", old, raising=False)
    if not hasattr(verdict, "Scale"):
        monkeypatch.delattr(verdict, "scale")  # the old rule is still there
    assert judged(0.05) is verdict.Verdict.AGREES
