from __future__ import annotations

import inspect

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

import gibbs_circuits as gc
from gibbs_circuits.backends.targets.registry import load_target

KNOBS = {"nodes": 4, "spacing": 0.5, "strength": 0.6, "sweeps": 4}


@pytest.fixture(scope="module")
def generator() -> gc.Lindbladian:
    return gc.dll(gc.models.mixed_field_ising(2), beta=1.0, couplings="Y", filter="gaussian")


@pytest.fixture(scope="module")
def program(generator: gc.Lindbladian) -> gc.Program:
    return gc.compile(generator, scheme="parallel", random_delays=[0, 2], **KNOBS)


@pytest.fixture(scope="module")
def result(program: gc.Program) -> gc.RunResult:
    return gc.run(program, realisations=4)


@pytest.fixture(scope="module")
def comparison(result: gc.RunResult) -> gc.Comparison:
    return gc.compare(result, target_error=0.3)


def test_readme__works_as_written__two_sites(capsys: pytest.CaptureFixture[str]) -> None:
    model = gc.models.mixed_field_ising(2, J=1, h=0.9, g=0.5)
    generator = gc.dll(model, beta=1.0, couplings="Y", filter="gaussian")
    program = gc.compile(generator, scheme="parallel", sweeps=12)
    circuit = gc.circuit(program)
    result = gc.run(program, backend="aer_density_matrix", shots=0)
    print(gc.draw(program))
    print(gc.compare(result))
    assert isinstance(circuit, QuantumCircuit)
    assert circuit.num_qubits == program.num_qubits
    assert program.sweeps == 12
    out, err = capsys.readouterr()
    assert "Verdict: agrees" in out
    assert err == ""


@pytest.mark.parametrize("name", sorted(gc.__all__))
def test_all__exists_with_a_docstring__every_name(name: str) -> None:
    value = getattr(gc, name)
    if name == "__version__":
        assert value[0].isdigit()
        return
    assert inspect.getdoc(value)
    assert not (inspect.getdoc(value) or "").startswith(f"{getattr(value, '__name__', name)}(")  # a dataclass's own


def test_all__lists_the_contract__names() -> None:
    contract = {"models", "Model", "dll", "kms", "compile", "circuit", "draw", "run", "compare"}
    assert contract <= set(gc.__all__)
    assert gc.kms is gc.dll


def test_reprs__fit_on_a_line_and_name_what_matters__each_stage(
    generator: gc.Lindbladian, program: gc.Program, result: gc.RunResult
) -> None:
    expected = {
        repr(generator.model): ("mixed_field_ising", "2 qubits", "ZZ"),
        repr(generator): ("dll", "mixed_field_ising", "β = 1", "2 couplings", "balance"),
        repr(program): ("parallel", "2 + 2 qubits", "4 sweeps", program.hash[:12]),
        repr(result): ("aer_density_matrix", "4 realisations", "gc.compare(result)"),
    }
    for text, words in expected.items():
        assert len(text.splitlines()) == 1
        assert len(text) < 220
        for word in words:
            assert word in text


def test_comparison__prints_itself__text_and_html(comparison: gc.Comparison) -> None:
    text, html = str(comparison), comparison._repr_html_()
    assert len(repr(comparison).splitlines()) == 1
    assert "agrees" in repr(comparison)
    assert max(map(len, text.splitlines())) <= 100
    for words in ("Generator", "trace distance", "Two-qubit gates", "Error ledger", "Verdict: agrees"):
        assert words in text
    assert "<table>" in html
    assert "Verdict: agrees" in html
    assert "nan" not in text.split()


def test_comparison__holds_what_a_notebook_plots__fields(comparison: gc.Comparison) -> None:
    assert comparison.verdict is gc.Verdict.AGREES
    assert comparison.distances is not None
    assert comparison.distances.shape == (5,)
    assert comparison.trace_distance == comparison.distances[-1]
    assert comparison.energy is comparison.observables["energy"]


def test_run__repeats_itself__same_seed(program: gc.Program) -> None:
    for backend, shots in (("aer_density_matrix", 0), ("aer_density_matrix", 40), ("aer_statevector", 40)):
        first, second, other = (
            gc.run(program, backend=backend, shots=shots, seed=seed, realisations=4) for seed in (5, 5, 6)
        )
        for a, b in zip(first.blocks, second.blocks, strict=True):
            assert (a.draws, a.counts) == (b.draws, b.counts)
            assert (a.states is None) == (b.states is None) == (backend == "aer_statevector")
            assert a.states is None or np.array_equal(a.states, b.states)
        pairs = zip(first.blocks, other.blocks, strict=True)
        assert any((a.draws, a.counts) != (b.draws, b.counts) for a, b in pairs)


def test_circuit__is_the_same__same_seed(program: gc.Program) -> None:
    assert gc.circuit(program, seed=3) == gc.circuit(program, seed=3)
    assert gc.circuit(program, seed=3) != gc.circuit(program, seed=4)


def test_compile__gives_the_same_program__twice(generator: gc.Lindbladian, program: gc.Program) -> None:
    assert gc.compile(generator, random_delays=[0, 2], **KNOBS).hash == program.hash
    assert gc.compile(generator, random_delays=[0, 3], **KNOBS).hash != program.hash


def test_run__takes_operators_and_lists__observables(program: gc.Program) -> None:
    observables = {"a": SparsePauliOp(["ZI", "IZ"], [0.5, 0.5]), "b": [["ZI", 0.5], ["IZ", 0.5]]}
    compared = gc.compare(gc.run(program, observables=observables, realisations=2), 0.3)
    assert compared.observables["a"] == compared.observables["b"]
    assert set(compared.observables) == {"energy", "a", "b"}


def test_run__takes_a_target_object__instead_of_its_name(program: gc.Program) -> None:
    by_name = gc.run(program, backend="aer_density_matrix", realisations=1)
    by_object = gc.run(program, backend=load_target("aer_density_matrix"), realisations=1)
    assert by_name.states is not None
    assert by_object.states is not None
    assert np.array_equal(by_name.states, by_object.states)


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({"shots": -1}, "shots"),
        ({"shots": 1.5}, "shots"),
        ({"seed": -1}, "seed"),
        ({"seed": "x"}, "seed"),
        ({"realisations": 0}, "realisations"),
        ({"initial": "012"}, "initial"),
        ({"backend": "aar"}, "backend"),
        ({"backend": "aer_statevector"}, "shots"),
        ({"observables": {"m": [["Z", 1.0]]}}, r"observables\.m\[0\]"),
        ({"observables": {"m": SparsePauliOp("ZZ", 1j)}}, r"observables\.m"),
        ({"observables": {"m": SparsePauliOp("ZZZ")}}, r"observables\.m"),
        ({"observables": {"energy": SparsePauliOp("ZZ")}}, r"observables\.energy"),
    ],
)
def test_run__refuses_with_the_argument__bad_value(
    options: dict[str, object], argument: str, program: gc.Program
) -> None:
    with pytest.raises(gc.ArgumentError, match=rf"^Argument `{argument}` must .+, but .+\. Fix: .+\.$"):
        gc.run(program, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        ({"scheme": "automatic"}, "scheme"),
        ({"sweeps": 0}, "sweeps"),
        ({"strength": float("nan")}, "strength"),
        ({"random_delays": [8, 2]}, "random_delays"),
        ({"colour": 1}, "colour"),
        ({"target_error": 0.0}, "target_error"),
        ({"target_error": float("nan")}, "target_error"),
    ],
)
def test_compile__refuses_with_the_argument__bad_value(
    options: dict[str, object], argument: str, generator: gc.Lindbladian
) -> None:
    with pytest.raises(gc.ArgumentError, match=rf"^Argument `{argument}` must .+, but .+\. Fix: .+\.$"):
        gc.compile(generator, **{**KNOBS, **options})  # type: ignore[arg-type]


@pytest.mark.parametrize("target_error", [0.0, -0.1, 1.5, float("nan"), "small"])
def test_compare__refuses_with_the_argument__bad_target_error(target_error: float, result: gc.RunResult) -> None:
    with pytest.raises(gc.ArgumentError, match=r"^Argument `target_error` must "):
        gc.compare(result, target_error)
