"""Generated inputs over every public signature: whatever a user passes, it works or is refused in the one grammar."""

from __future__ import annotations

import inspect
import random
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from qiskit.quantum_info import SparsePauliOp

import gibbs_circuits as gc
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.filters.metropolis import MetropolisFilter
from gibbs_circuits.generators.filters.rate import RateFilter
from gibbs_circuits.models.signatures import as_annotated

GRAMMAR = re.compile(r"^(Argument `[^`]+`|[^:]+: .+) must \S.*, but \S.*\. Fix: \S.*[^.]\.$", re.DOTALL)
LONGEST = 400
RESULTS = {  # made by the package, never by a user: their constructors hold no checks
    "Advice", "Bath", "Certificate", "Comparison", "Cost", "Estimate", "Evolution", "Jumps", "Prediction", "Program",
    "RunResult", "Trajectories", "Verdict",
}  # fmt: skip
OWN = {"ArgumentError", "BackendError", "GibbsError", "InvalidModelError", "InvalidProgramError", "TooLargeError"}


def raising(*arguments: object) -> float:
    raise KeyError("a user's own slip")


class Odd:
    """An object that is nothing a function asks for, and refuses to be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")


ODD: dict[str, Callable[[], Any]] = {
    "none": lambda: None,
    "empty text": lambda: "",
    "text": lambda: "nonsense",
    "escape": lambda: "\x1b[31mred\x07\n\ud800",
    "number in quotes": lambda: "0.5",
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "negative": lambda: -1,
    "zero": lambda: 0,
    "fraction": lambda: 0.5,
    "tiny": lambda: 1e-320,
    "large": lambda: 1e308,
    "endless": lambda: 10**30,
    "longest": lambda: 10**400,
    "bool": lambda: True,
    "empty list": lambda: [],
    "ragged list": lambda: [[1.0], [1.0, 2.0]],
    "list of texts": lambda: ["ZZ", "Q"],
    "table": dict,
    "object": Odd,
    "class": lambda: GaussianFilter,
    "complex": lambda: 1j,
    "numpy number": lambda: np.float32(0.5),
    "vector": lambda: np.ones(3),
    "matrix": lambda: np.full((2, 2), np.nan),
    "texts": lambda: np.array(["a", "b"]),
    "wide operator": lambda: SparsePauliOp("ZZZZZ"),
    "imaginary operator": lambda: SparsePauliOp("ZZ", 1j),
    "no qubits": lambda: SparsePauliOp("", 1.0),
    "path": lambda: Path("nowhere.json"),
    "folder": lambda: Path("."),
    "raising": lambda: raising,
    "wrong function": lambda: lambda *x: "text",
    "bytes": lambda: b"ZZ",
    "set": lambda: {1, 2},
}


@dataclass(frozen=True)
class Call:
    """A public function with arguments that it takes."""

    function: Callable[..., Any]
    arguments: dict[str, Callable[[], Any]]
    slow: bool = False  # a call of it takes longer than a second, so that few odd values are tried


@cache
def model() -> gc.Model:
    return gc.models.mixed_field_ising(2)


@cache
def generator() -> gc.Lindbladian:
    return gc.dll(model(), 1.0)


@cache
def program() -> gc.Program:
    return gc.compile(generator(), sweeps=1, nodes=3, spacing=0.5, strength=0.5)


@cache
def result() -> gc.RunResult:
    return gc.run(program(), realisations=1)


@cache
def recorded() -> gc.RunResult:
    return gc.run(program(), "aer_statevector", shots=4, realisations=2, ancilla_policy="recorded")


@cache
def comparison() -> gc.Comparison:
    return gc.compare(result())


@cache
def mixed() -> Any:
    return np.eye(4) / 4


@cache
def evolution() -> gc.Evolution:
    return gc.evolve(generator(), mixed(), [0.0, 0.1])


def bell_bath(omega: float) -> float:
    """G of an ohmic bath at β = 1."""
    return float(np.exp(-(omega**2) / 2) * (omega / -np.expm1(-omega) if omega else 1.0))


def fixed(value: Any) -> Callable[[], Any]:
    return lambda: value


OF_MODEL: dict[str, Callable[[], Any]] = {"model": model, "beta": fixed(1.0), "couplings": fixed("Y")}
BATHED = {**OF_MODEL, "bath": fixed("ohmic")}
CALLS: dict[str, Call] = {
    "dll": Call(gc.dll, {**OF_MODEL, "filter": fixed("metropolis"), "coherent": fixed("balance"),
                         "bandwidth": fixed(20.0), "splitting": fixed(None)}),
    "ckg": Call(gc.ckg, {**OF_MODEL, "filter": fixed("gaussian"), "sigma_E": fixed(1.0), "omega_gamma": fixed(1.0),
                         "coherent": fixed("balance")}),
    "davies": Call(gc.davies, {**BATHED, "degeneracy_tolerance": fixed(1e-9), "coherent": fixed("lamb_shift")}),
    "ule": Call(gc.ule, {**BATHED, "coherent": fixed("balance")}),
    "redfield": Call(gc.redfield, {**BATHED, "coherent": fixed("none")}),
    "coarse_grained": Call(gc.coarse_grained, {**BATHED, "window": fixed(1.0), "shifted": fixed(True),
                                               "coherent": fixed("balance")}),
    "scandi_alhambra": Call(gc.scandi_alhambra, {**BATHED, "window": fixed(1.0), "coherent": fixed("balance")}),
    "custom": Call(gc.custom, {"model": model, "beta": fixed(1.0), "couplings": fixed("Y"),
                               "kernel": fixed(lambda a, b: np.exp(-(a * a + b * b) / 8 - (a + b) / 4)),
                               "coherent": fixed("balance")}),
    "discrete": Call(gc.discrete, {**OF_MODEL, "inside": fixed("dll"), "step": fixed(0.5)}),
    "local": Call(gc.local, {**OF_MODEL, "inside": fixed("dll")}),
    "several_baths": Call(gc.several_baths, {"parts": generator}),
    "certificate": Call(gc.certificate, {"generator": generator, "max_qubits": fixed(4)}),
    "faster": Call(gc.faster, {"lindbladian": generator}),
    "spectral_gap": Call(gc.spectral_gap, {"lindbladian": generator}),
    "steady_state": Call(gc.steady_state, {"lindbladian": generator, "hamiltonian": fixed(True)}),
    "steady_states": Call(gc.steady_states, {"lindbladian": generator, "hamiltonian": fixed(True)}),
    "heat_currents": Call(gc.heat_currents, {"lindbladian": generator, "rho": mixed}),
    "evolve": Call(gc.evolve, {"lindbladian": generator, "start": mixed, "times": fixed([0.0, 0.1]),
                               "hamiltonian": fixed(True), "tolerance": fixed(1e-8)}),
    "expectation": Call(gc.expectation, {"evolution": evolution, "operator": fixed(SparsePauliOp("ZI"))}),
    "mixing_time": Call(gc.mixing_time, {"lindbladian": generator, "starts": lambda: [mixed()], "epsilon": fixed(0.3),
                                         "hamiltonian": fixed(False), "longest": fixed(100.0)}),
    "gibbs_state": Call(gc.gibbs_state, {"model": model, "beta": fixed(1.0)}),
    "thermal": Call(gc.thermal, {"model": model, "beta": fixed(1.0)}),
    "trace_distance": Call(gc.trace_distance, {"rho": mixed, "sigma": mixed}),
    "fidelity": Call(gc.fidelity, {"rho": mixed, "sigma": mixed}),
    "compile": Call(gc.compile, {"generator": generator, "scheme": fixed("parallel"), "target_error": fixed(0.3),
                                 "initial": fixed("zero"), "seed": fixed(1), "backend": fixed(None),
                                 "sweeps": fixed(1), "nodes": fixed(3), "spacing": fixed(0.5),
                                 "strength": fixed(0.5), "random_delays": fixed((0, 1)), "trotter_order": fixed(1)}),
    "extrapolate": Call(gc.extrapolate, {"generator": generator, "scheme": fixed("parallel"),
                                         "observables": fixed(None), "strengths": fixed(2), "spacings": fixed(1),
                                         "sweeps": fixed(1), "nodes": fixed(3), "spacing": fixed(0.5),
                                         "strength": fixed(0.5)}),
    "circuit": Call(gc.circuit, {"program": program, "initial": fixed("zero"), "seed": fixed(0), "loop": fixed(False)}),
    "citation": Call(gc.citation, {"program": program}),
    "cost": Call(gc.cost, {"program": program}),
    "draw": Call(gc.draw, {"program": program, "stage": fixed(-1)}),
    "predict": Call(gc.predict, {"program": program, "initial": fixed("zero")}),
    "preview": Call(gc.preview, {"program": program, "backend": fixed("aer_density_matrix"), "shots": fixed(10),
                                 "seed": fixed(1), "initial": fixed("zero"), "realisations": fixed(2),
                                 "ancilla_policy": fixed("automatic")}, slow=True),
    "run": Call(gc.run, {"program": program, "backend": fixed("aer_density_matrix"), "shots": fixed(0),
                         "seed": fixed(1), "initial": fixed("zero"), "observables": fixed(None),
                         "realisations": fixed(1), "ancilla_policy": fixed("automatic"), "out": fixed(None),
                         "resume": fixed(False)}, slow=True),
    "compare": Call(gc.compare, {"result": result, "target_error": fixed(0.1)}, slow=True),
    "jumps": Call(gc.jumps, {"result": recorded}),
    "plot": Call(gc.plot, {"comparison": comparison}),
    "save": Call(gc.save, {"program": program, "path": fixed("p.json")}),
    "load": Call(gc.load, {"path": fixed("p.json"), "generator": generator}),
    "trajectories": Call(gc.trajectories, {"program": program, "initial": fixed("zero"), "count": fixed(2),
                                           "seed": fixed(1), "sweeps": fixed(1), "observables": fixed(None),
                                           "every": fixed(1), "record": fixed(False), "batch": fixed(None),
                                           "workers": fixed(1), "progress": fixed(None)}),
    "Model": Call(gc.Model, {"hamiltonian": fixed(SparsePauliOp("ZZ")), "name": fixed("pair")}),
    "Lindbladian": Call(gc.Lindbladian, {"model": model, "contacts": lambda: generator().contacts}),
    "DiscreteChannel": Call(gc.DiscreteChannel, {"inside": generator, "fraction": fixed(0.5)}),
    "AerTarget": Call(gc.AerTarget, {"name": fixed("t"), "kind": fixed("aer"), "method": fixed("automatic"),
                                     "basis": fixed(("cz", "rz", "sx", "x")), "max_qubits": fixed(10),
                                     "noise": fixed({"p1": 1e-3}), "bond_dimension": fixed(None)}),
    "IbmTarget": Call(gc.IbmTarget, {"name": fixed("t"), "kind": fixed("ibm"), "device": fixed("ibm_boston"),
                                     "mode": fixed("job"), "max_qpu_seconds": fixed(1.0)}),
    "models.from_terms": Call(gc.models.from_terms, {"terms": fixed([("ZZ", 1.0)]), "name": fixed("pair")}),
    "models.tfim": Call(gc.models.tfim, {"sites": fixed(3), "J": fixed(1.0), "h": fixed(1.0), "periodic": fixed(True)}),
    "models.mixed_field_ising": Call(gc.models.mixed_field_ising, {
        "sites": fixed(3), "J": fixed(1.0), "h": fixed(1.0), "g": fixed(1.0), "periodic": fixed(False)}),
    "models.xxz": Call(gc.models.xxz, {"sites": fixed(3), "J": fixed(1.0), "delta": fixed(1.0),
                                       "fields": fixed([0.0, 1.0, 2.0]), "periodic": fixed(True)}),
    "models.heisenberg": Call(gc.models.heisenberg, {"sites": fixed(3), "J": fixed(1.0), "fields": fixed(0.5),
                                                     "periodic": fixed(True)}),
    "models.hubbard": Call(gc.models.hubbard, {"sites": fixed(2), "t": fixed(1.0), "U": fixed(1.0), "mu": fixed(0.0),
                                               "periodic": fixed(False)}),
    "models.kagome_ising": Call(gc.models.kagome_ising, {
        "columns": fixed(2), "rows": fixed(2), "gx": fixed(0.5), "gz": fixed(2.0), "periodic": fixed(True)}),
    "models.chain": Call(gc.models.chain, {"sites": fixed(3), "periodic": fixed(True)}),
    "models.ladder": Call(gc.models.ladder, {"rungs": fixed(3), "periodic": fixed(True)}),
    "models.square": Call(gc.models.square, {"columns": fixed(3), "rows": fixed(3), "periodic": fixed(True)}),
    "models.heavy_hex": Call(gc.models.heavy_hex, {"columns": fixed(1), "rows": fixed(1)}),
    "models.read_model": Call(gc.models.read_model, {"path": fixed("m.json")}),
    "models.hermitian": Call(gc.models.hermitian, {"operator": fixed(SparsePauliOp("ZZ")), "argument": fixed("A")}),
    "models.pauli_sum": Call(gc.models.pauli_sum, {"terms": fixed([("ZZ", 1.0)]), "argument": fixed("A"),
                                                   "num_qubits": fixed(2)}),
    "baths.ohmic": Call(gc.baths.ohmic, {"beta": fixed(1.0), "strength": fixed(1.0), "cutoff": fixed(5.0)}),
    "baths.power_law": Call(gc.baths.power_law, {"beta": fixed(1.0), "exponent": fixed(3.0), "strength": fixed(1.0),
                                                 "cutoff": fixed(5.0)}),
    "baths.from_function": Call(gc.baths.from_function, {"beta": fixed(1.0), "spectrum": fixed(bell_bath),
                                                         "name": fixed("mine"), "limit": fixed(8.0)}),
    "baths.from_qutip": Call(gc.baths.from_qutip, {"beta": fixed(1.0), "spectrum": fixed(bell_bath),
                                                   "limit": fixed(8.0)}),
    "baths.from_textbook": Call(gc.baths.from_textbook, {"beta": fixed(1.0), "gamma": fixed(bell_bath),
                                                         "limit": fixed(8.0)}),
    "baths.from_table": Call(gc.baths.from_table, {"beta": fixed(1.0), "omega": fixed([0.0, 1.0, 2.0, 3.0]),
                                                   "spectrum": fixed([1.0, 0.5, 0.2, 0.0]), "name": fixed("mine")}),
    "baths.read_bath": Call(gc.baths.read_bath, {"path": fixed("b.csv"), "beta": fixed(1.0)}),
    "baths.rescaled": Call(gc.baths.rescaled, {"bath": lambda: gc.baths.ohmic(1.0), "factor": fixed(2.0)}),
    "baths.to_qutip": Call(gc.baths.to_qutip, {"bath": lambda: gc.baths.ohmic(1.0)}),
    "filters.GaussianFilter": Call(GaussianFilter, {"beta": fixed(1.0), "splitting": fixed(1.0)}),
    "filters.MetropolisFilter": Call(MetropolisFilter, {"beta": fixed(1.0), "bandwidth": fixed(5.0)}),
    "filters.RateFilter": Call(RateFilter, {"bath": lambda: gc.baths.ohmic(1.0)}),
    "presets.ding_chen_lin": Call(gc.presets.ding_chen_lin, {
        "model": model, "couplings": fixed(None), "norm": fixed(None), "gap": fixed(None), "step": fixed(1.0),
        "beta": fixed(None), "trotter_order": fixed(2), "sweeps": fixed(1)}),
    "presets.ding_zhan_preskill_lin": Call(gc.presets.ding_zhan_preskill_lin, {
        "model": model, "beta": fixed(1.0), "alpha": fixed(0.2), "envelope": fixed(1.0), "reach": fixed(2.0),
        "step": fixed(0.5), "omega_max": fixed(None), "frequencies": fixed(2), "couplings": fixed("X"),
        "trotter_order": fixed(2), "sweeps": fixed(1)}),
    "presets.farrell": Call(gc.presets.farrell, {
        "model": model, "periodic": fixed(False), "beta": fixed(1.0), "alpha": fixed(1.0), "duration": fixed(0.5),
        "step": fixed(0.25), "omega_max": fixed(8.0), "frequencies": fixed(2), "couplings": fixed("X"),
        "sweeps": fixed(1)}),
    "presets.lloyd_abanin": Call(gc.presets.lloyd_abanin, {
        "model": model, "beta": fixed(1.0), "splitting": fixed(4.0), "theta": fixed(0.6), "step": fixed(0.5),
        "tails": fixed(2.0), "couplings": fixed("X"), "trotter_order": fixed(1), "sweeps": fixed(1)}),
    "presets.unitary_gate_loop": Call(gc.presets.unitary_gate_loop, {"generator": generator, "step": fixed(0.1),
                                                                     "sweeps": fixed(1)}),
}  # fmt: skip
PAIRS = [(name, parameter, odd) for name, call in CALLS.items() for parameter in call.arguments for odd in ODD]
EXEMPT = {
    ("models.hermitian", "argument"), ("models.pauli_sum", "argument"),  # what complaints call it: no value of a user
    ("trajectories", "progress"),  # what a user's own callback raises is the user's to see
}  # fmt: skip


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.json").write_text('{"num_qubits": 2, "terms": [["ZZ", 1.0]]}')
    (tmp_path / "b.csv").write_text("omega,G\n0,1\n1,0.5\n2,0.2\n3,0\n")
    gc.save(program(), "p.json")


def call(name: str, /, **changed: Any) -> Any:
    """The call with some arguments in place of those that it takes."""
    one = CALLS[name]
    values = {key: made() for key, made in one.arguments.items()} | changed
    stars = [p.name for p in inspect.signature(one.function).parameters.values() if p.kind is p.VAR_POSITIONAL]
    if stars:
        return one.function(values.pop(stars[0]), **values)
    return one.function(**values)


def complaint(error: gc.GibbsError) -> str | None:
    """What is wrong with the words of a refusal; None if nothing is."""
    text = str(error)
    if not text.isprintable():
        return f"characters that a terminal obeys: {text!r}"
    if isinstance(error, gc.ArgumentError) and not GRAMMAR.match(text):
        return f"not in the grammar: {text}"
    return f"{len(text)} characters" if isinstance(error, gc.ArgumentError) and len(text) > LONGEST else None


def tried(name: str, parameter: str, odd: str) -> str | None:
    """What is wrong when a function meets an odd value in one place; None if nothing is."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            call(name, **{parameter: ODD[odd]()})
    except gc.GibbsError as error:
        wrong = complaint(error)
    except Exception as error:
        wrong = f"{type(error).__name__}: {str(error)[:200]}"
    else:
        return None
    return None if wrong is None else f"{name}({parameter} = {odd}): {wrong}"


def names() -> Iterator[str]:
    """Every public function and every class that a user makes."""
    for name in gc.__all__:
        if callable(getattr(gc, name)) and name not in RESULTS | OWN:
            yield name
    for module, own in (("models", gc.models.__all__), ("baths", gc.baths.__all__), ("presets", gc.presets.__all__)):
        for name in own:
            found = getattr(getattr(gc, module), name)
            if callable(found) and not isinstance(found, type):
                yield f"{module}.{name}"


def test_calls__cover__every_public_function() -> None:
    known = {"kms": "dll"}  # the same function
    inner = {"models.as_model", "models.as_operator", "models.fitting", "models.is_matrix"}  # not for users
    missing = {known.get(name, name) for name in names()} - set(CALLS) - inner
    assert not missing
    for name, one in CALLS.items():
        parameters = inspect.signature(one.function).parameters
        if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()) and name[:3] not in ("Aer", "Ibm"):
            assert set(one.arguments) >= set(parameters) - {"coherent", "kind", "frame"}, name


@pytest.mark.parametrize("name", CALLS)
def test_public__works__on_what_it_takes(name: str) -> None:
    call(name)


@pytest.mark.parametrize("name", CALLS)
def test_public__works_or_refuses_in_the_grammar__some_odd_values(name: str) -> None:
    rng = random.Random(f"signatures {name}")
    mine = [pair for pair in PAIRS if pair[0] == name and pair[:2] not in EXEMPT]
    some = rng.sample(mine, min(len(mine), 3 if CALLS[name].slow else 12))
    assert [wrong for pair in some if (wrong := tried(*pair))] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
def test_public__works_or_refuses_in_the_grammar__every_odd_value(name: str) -> None:
    mine = [pair for pair in PAIRS if pair[0] == name and pair[:2] not in EXEMPT]
    assert [wrong for pair in mine if (wrong := tried(*pair))] == []


@pytest.mark.parametrize(
    ("value", "kind", "good"),
    [
        (1, int, True), (np.int64(1), int, True), (1.0, int, False), (True, int, False), (1, float, True),
        ("1", float, False),
        (True, float, False), (np.bool_(True), bool, True), (1, bool, False), (None, int | None, True),
        ("a", str | int, True),
        ([1.0], np.ndarray, True), (["a"], np.ndarray, False), ("a", Literal["a", "b"], True),
        ("c", Literal["a", "b"], False),
        (1, Literal[1, 2], True), (True, Literal[1, 2], False), (len, Callable[[int], int], True),
        (1, Callable[[int], int], False),
        ((1,), Sequence[int], True), ({}, Mapping[str, int], True), ([], Mapping[str, int], False), (3, Any, True),
    ],
)  # fmt: skip
def test_as_annotated__holds_a_value_against_its_annotation__each_kind(value: Any, kind: Any, good: bool) -> None:
    if good:
        assert as_annotated("x", value, kind) is value
    else:
        with pytest.raises(gc.ArgumentError, match=r"^Argument `x` must be .+, but .+\. Fix: .+\.$"):
            as_annotated("x", value, kind)


def test_as_annotated__converts__what_leaves_no_doubt() -> None:
    assert as_annotated("path", "a.json", Path) == Path("a.json")
    assert as_annotated("model", SparsePauliOp("ZZ"), gc.Model).num_qubits == 2
    assert as_annotated("operator", "ZI", SparsePauliOp) == SparsePauliOp("ZI")


def test_tried__control__finds_what_is_raised_raw(monkeypatch: pytest.MonkeyPatch) -> None:
    def raw(rho: Any, sigma: Any) -> float:
        return float(np.linalg.eigvalsh(rho - sigma if np.ndim(rho) else np.ones(3))[0])

    monkeypatch.setitem(CALLS, "trace_distance", Call(raw, CALLS["trace_distance"].arguments))
    assert "LinAlgError" in str(tried("trace_distance", "rho", "fraction"))
    assert "ValueError" in str(tried("trace_distance", "rho", "vector"))
    assert complaint(gc.ArgumentError("x", "be y", "z was found", "write y")) is None
    assert complaint(gc.GibbsError("a\nb")) is not None


def test_signature__pauli_sums_in_a_list__are_not_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fourteen couplings of fourteen qubits would be 56 GiB; NumPy asks `__array__` of every element of a list."""
    monkeypatch.setattr(SparsePauliOp, "__array__", lambda *arguments, **keys: pytest.fail("it was written out"))
    model = gc.models.tfim(14)
    couplings = [SparsePauliOp.from_sparse_list([("Y", [q], 1.0)], 14) for q in range(14)]
    assert len(gc.dll(model, 1.0, couplings).contacts) == 14
    assert len(gc.dll(model, 1.0, couplings=tuple(couplings)).contacts) == 14
