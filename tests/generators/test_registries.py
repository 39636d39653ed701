"""What holds for every kind, filter and bath: a new one is tested by its line in the registry."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gibbs_circuits as gc
from gibbs_circuits.cli.help import generator_help
from gibbs_circuits.experiments.experiment import read_experiment
from gibbs_circuits.generators.baths.registry import BATHS, NamedBath, bath_of
from gibbs_circuits.generators.filters.registry import FILTERS, NamedFilter, filter_of
from gibbs_circuits.generators.kinds.base import Kind, Wrapper
from gibbs_circuits.generators.kinds.registry import KINDS, WRAPPERS
from gibbs_circuits.io.schema import described
from gibbs_circuits.models.catalogue import Entry

MODEL, BETA = gc.models.mixed_field_ising(2), 1.0
EXPERIMENT = '[model]\nname = "mixed_field_ising"\nsites = 2\nbeta = 1.0\n[generator]\n'
EXACT, BROKEN = 1e-11, 1e-6  # residuals relative to the largest rate: with all digits, and with something left out
NU = np.linspace(-6.0, 6.0, 25)
ids = {"ids": lambda entry: entry.name}
every_kind = pytest.mark.parametrize("kind", dict.fromkeys(KINDS.values()), **ids)
every_wrapper = pytest.mark.parametrize("kind", WRAPPERS.values(), **ids)
every_filter = pytest.mark.parametrize("filter", FILTERS.values(), **ids)
every_bath = pytest.mark.parametrize("bath", BATHS.values(), **ids)


def balanced_kernel(nu1: Any, nu2: Any) -> Any:
    return np.exp(-((nu1 - nu2) ** 2) / 8 - (nu1 + nu2) ** 2 / 16 - (nu1 + nu2) / 4)


def examples(entry: Entry[Any], **given: Any) -> dict[str, Any]:
    """Values of the keys that have no default: the examples of their annotations, or what is given in their place."""
    missing = [name for name, key in entry.keys.items() if key.default is key.empty and key.kind is not key.VAR_KEYWORD]
    return {name: given.get(name, described(entry.keys[name].annotation)[2]) for name in missing}


def generator(kind: Kind | Wrapper, **keys: Any) -> Any:
    """As Python users make it."""
    return kind.function(MODEL, BETA, **examples(kind, kernel=balanced_kernel), **keys)


def balance(kind: Kind) -> gc.Lindbladian | None:
    """The generator with its coherent term; None for a kind that refuses it."""
    try:
        made: gc.Lindbladian = generator(kind, coherent="balance")
    except gc.ArgumentError as error:
        if error.argument != "coherent":
            raise
        return None
    return made


def stationarity(lindbladian: gc.Lindbladian, beta: float) -> float:
    """‖L(σ)‖ in the trace norm over the largest rate, σ the Gibbs state at β."""
    sigma = gc.gibbs_state(MODEL, beta)
    flow = (lindbladian.superoperator() @ sigma.reshape(-1, order="F")).reshape(sigma.shape, order="F")
    rate = gc.certificate(lindbladian).largest_rate
    assert rate is not None
    return float(np.linalg.norm(flow, "nuc")) / rate


def written(kind: Kind | Wrapper, folder: Path, lines: str = "") -> Any:
    """As an experiment file makes it."""
    grid = np.arange(-30, 31) / 2
    (folder / "kernel.csv").write_text("\n".join(f"{a},{b},{balanced_kernel(a, b)}" for a in grid for b in grid))
    keys = {"kind": kind.name, **examples(kind)}
    text = "\n".join(f"{name} = {value!r}" for name, value in keys.items())
    (folder / "e.toml").write_text(f"{EXPERIMENT}{text}\n{lines}\n")
    return read_experiment(folder / "e.toml")


# --- kinds


@every_kind
def test_kind__its_certificate__says_exact_or_by_how_much_not(kind: Kind) -> None:
    exact = balance(kind)
    found = gc.certificate(generator(kind) if exact is None else exact)
    assert found.steady_states == 1
    if exact is None:
        assert found.bias is not None
        assert found.bias > BROKEN
    else:
        assert found.residual is not None
        assert found.kms_defect is not None
        assert max(found.residual, found.kms_defect, stationarity(exact, BETA)) <= EXACT


@every_kind
def test_kind__its_negative_controls__fail(kind: Kind) -> None:
    """Another temperature's state is not stationary; nor, but for GNS balance, the right one without coherent term."""
    assert stationarity(generator(kind), 1.1 * BETA) > 1e-3
    bare = generator(kind, coherent="none")
    defect = gc.certificate(bare).gns_defect
    assert (defect is not None and defect <= EXACT) or stationarity(bare, BETA) > BROKEN


@every_kind
def test_kind__its_reference__is_in_its_docstring_and_in_the_citation(kind: Kind) -> None:
    assert "References:" in (inspect.getdoc(kind.function) or "")
    exact = balance(kind)
    if exact is not None:
        program = gc.compile(exact, scheme="stinespring", strength=0.1, sweeps=1)
        assert gc.citation(program).count(". For: ") >= 2  # the scheme, and what it writes


@every_kind
def test_kind__its_signature__is_the_schema_and_the_help(kind: Kind) -> None:
    fields = kind.schema.model_fields
    assert set(fields) == {"kind", *kind.keys}
    text = "\n".join(generator_help())
    assert f'kind = "{kind.name}": {kind.summary}' in text
    for name, field in fields.items():
        assert field.description
        if name not in ("kind", "couplings"):
            assert field.description.replace("[", r"\[") in text
            assert field.is_required() == (kind.keys[name].default is inspect.Parameter.empty)
    with pytest.raises(gc.ArgumentError, match=r"^Argument `nonsense` must be one of model, beta, "):
        generator(kind, nonsense=1)


@every_kind
def test_kind__from_a_file__is_the_one_from_python(kind: Kind, tmp_path: Path) -> None:
    spec = written(kind, tmp_path)
    files = {name: tmp_path / value for name, value in examples(kind).items() if str(value).endswith(".csv")}
    mine = kind.function(MODEL, BETA, **{**examples(kind), **files})
    np.testing.assert_allclose(spec.generator.superoperator(), mine.superoperator(), atol=1e-12)
    assert spec.generator.kind == mine.kind == spec.filled["generator"]["kind"] == kind.name
    with pytest.raises(gc.ArgumentError, match=r"generator\.nonsense must be one of kind, couplings, coherent"):
        written(kind, tmp_path, "nonsense = 1")


@every_wrapper
def test_wrapper__from_a_file__is_the_one_from_python(kind: Wrapper, tmp_path: Path) -> None:
    spec = written(kind, tmp_path, 'inside = "ckg"\nsigma_E = 0.8')
    mine = generator(kind, inside="ckg", sigma_E=0.8)
    np.testing.assert_allclose(spec.generator.superoperator(), mine.superoperator(), atol=1e-12)
    assert np.abs(mine.superoperator() - generator(kind, inside="ckg").superoperator()).max() > 1e-3
    assert spec.filled["generator"]["kind"] == mine.kind == kind.name
    assert spec.filled["generator"]["inside"] == "ckg"
    assert f'kind = "{kind.name}", inside = "dll": {kind.summary}' in "\n".join(generator_help())
    for name in (kind.name, "nonsense"):
        with pytest.raises(gc.ArgumentError, match=r"^Argument `inside` must be one of dll, kms, "):
            generator(kind, inside=name)


@every_wrapper
def test_wrapper__its_certificate__holds_what_it_claims(kind: Wrapper) -> None:
    """Exact, or wrong where sites interact."""
    found = gc.certificate(generator(kind))
    claims = found.kms_defect is not None
    assert (found.residual if claims else found.bias) is not None
    assert found.residual <= EXACT if claims else found.bias > 1e-2


# --- filters


def made_filter(filter: NamedFilter, beta: float = BETA) -> Any:
    return filter_of({"kind": filter.name, **examples(filter)}, beta, MODEL)


@every_filter
def test_filter__is_in_detailed_balance__its_time_kernel_too(filter: NamedFilter) -> None:
    made = made_filter(filter)
    q = made.symmetric(NU)
    np.testing.assert_allclose(q[::-1], q.conj(), rtol=1e-12)
    np.testing.assert_allclose(made.frequency(NU), q * np.exp(-BETA * NU / 4), rtol=1e-12)
    np.testing.assert_allclose(np.exp(made.log_symmetric(NU)), np.abs(q), rtol=1e-12)
    t = np.linspace(-12, 12, 2401) * made.width
    transformed = np.exp(1j * np.outer(NU[8:17], t)) @ made.time(t) * (t[1] - t[0])
    np.testing.assert_allclose(transformed, made.frequency(NU[8:17]), atol=1e-3)


@every_filter
def test_filter__makes_an_exact_generator__and_a_control_fails(filter: NamedFilter) -> None:
    made = gc.dll(MODEL, BETA, filter=made_filter(filter))
    assert stationarity(made, BETA) <= EXACT
    assert stationarity(gc.dll(MODEL, BETA, filter=made_filter(filter), coherent="none"), BETA) > BROKEN
    with pytest.raises(gc.ArgumentError, match="same β"):
        gc.dll(MODEL, BETA, filter=made_filter(filter, 2 * BETA))


@every_filter
def test_filter__is_named__in_a_file_and_in_the_help(filter: NamedFilter, tmp_path: Path) -> None:
    keys = ", ".join(f"{name} = {value!r}" for name, value in {"kind": filter.name, **examples(filter)}.items())
    spec = written(KINDS["dll"], tmp_path, f"filter = {{{keys}}}")
    assert spec.generator.contacts[0].kernel.filter == made_filter(filter)
    assert filter.name in KINDS["dll"].schema.model_fields["filter"].description
    with pytest.raises(gc.ArgumentError, match=r"generator\.filter\.nonsense must be one of kind\b"):
        written(KINDS["dll"], tmp_path, f"filter = {{{keys}, nonsense = 1}}")


# --- baths


def made_bath(bath: NamedBath, beta: float = BETA) -> gc.Bath:
    return bath_of({"kind": bath.name, **examples(bath)}, beta, MODEL)


@every_bath
def test_bath__is_in_detailed_balance__and_makes_an_exact_generator(bath: NamedBath) -> None:
    made = made_bath(bath)
    omega = NU[NU > 0]
    np.testing.assert_allclose(made.spectrum(-omega), made.spectrum(omega) * np.exp(-BETA * omega), rtol=1e-12)
    exact = gc.davies(MODEL, BETA, bath=made)
    assert stationarity(exact, BETA) <= EXACT
    assert stationarity(exact, 1.1 * BETA) > 1e-3
    with pytest.raises(gc.ArgumentError, match="same β"):
        gc.davies(MODEL, BETA, bath=made_bath(bath, 2 * BETA))


@every_bath
def test_bath__is_named__in_a_file_and_in_the_help(bath: NamedBath, tmp_path: Path) -> None:
    keys = ", ".join(f"{name} = {value!r}" for name, value in {"kind": bath.name, **examples(bath)}.items())
    spec = written(KINDS["davies"], tmp_path, f"bath = {{{keys}}}")
    assert spec.generator.baths == (made_bath(bath),)
    assert bath.summary
    assert bath.summary in KINDS["davies"].schema.model_fields["bath"].description
    with pytest.raises(gc.ArgumentError, match=r"generator\.bath\.nonsense must be one of kind\b"):
        written(KINDS["davies"], tmp_path, f"bath = {{{keys}, nonsense = 1}}")


# --- controls of this file


def test_control__stationarity__sees_a_coherent_term_left_out() -> None:
    assert stationarity(gc.dll(MODEL, BETA), BETA) <= EXACT
    assert 1e-3 < stationarity(gc.dll(MODEL, BETA, coherent="none"), BETA) < 1.0


@pytest.mark.parametrize("registry", [KINDS, WRAPPERS, FILTERS, BATHS])
def test_registry__names__are_files_of_one_public_function(registry: Mapping[str, Entry[Callable[..., Any]]]) -> None:
    for name, entry in registry.items():
        assert name in (entry.name, entry.alias)
        assert entry.function.__name__ == entry.name
        assert inspect.getdoc(entry.function)
        assert entry.function.__module__.endswith(f".{entry.name}")
