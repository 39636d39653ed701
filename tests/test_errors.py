from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp

import gibbs_circuits as gc
from gibbs_circuits import models
from gibbs_circuits.errors import (
    ArgumentError,
    BackendError,
    GibbsError,
    InvalidModelError,
    InvalidProgramError,
    TooLargeError,
    check_beta,
    check_choice,
    check_integer,
    check_real,
    one_line,
    shown,
)
from gibbs_circuits.generators.contact import Contact
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.kernels.base import RankOne
from gibbs_circuits.generators.lindbladian import Lindbladian
from tests.strategies import moderate

GRAMMAR = re.compile(r"^(Argument `[^`]+`|[^:]+: .+) must \S.*, but \S.*\. Fix: \S.*[^.]\.$")
PACKAGE = Path(gc.__file__).parent

TFIM = models.tfim(2)
HOT, COLD = (
    Contact(SparsePauliOp("YI"), RankOne(GaussianFilter(beta)))  # one bath each
    for beta in (0.5, 2.0)
)
UNBOUND = SparsePauliOp(["Z"], np.array([Parameter("a")]))

REFUSED: dict[str, tuple[str, Callable[[], object]]] = {
    "beta_negative": ("beta", lambda: gc.dll(TFIM, -1.0)),
    "beta_nan": ("beta", lambda: gc.dll(TFIM, float("nan"))),
    "beta_infinite": ("beta", lambda: gc.gibbs_state(TFIM, float("inf"))),
    "beta_text": ("beta", lambda: gc.thermal(TFIM, "1")),  # type: ignore[arg-type]
    "beta_bool": ("beta", lambda: gc.thermal(TFIM, True)),
    "beta_zero_in_time": ("beta", lambda: GaussianFilter(0.0).time(np.zeros(1))),
    "huge_integer": ("J", lambda: models.tfim(2, J=10**400)),
    "sites_zero": ("sites", lambda: models.tfim(0)),
    "sites_float": ("sites", lambda: models.tfim(2.0)),  # type: ignore[arg-type]
    "periodic_text": ("periodic", lambda: models.tfim(3, periodic="yes")),  # type: ignore[arg-type]
    "fields_length": ("fields", lambda: models.xxz(3, fields=[1.0, 2.0])),
    "fields_entry": ("fields[1]", lambda: models.xxz(2, fields=[1.0, "b"])),  # type: ignore[list-item]
    "couplings_letter": ("couplings", lambda: gc.dll(TFIM, 1.0, "A")),
    "couplings_repeated": ("couplings", lambda: gc.dll(TFIM, 1.0, "YY")),
    "couplings_none": ("couplings", lambda: gc.dll(TFIM, 1.0, [])),
    "couplings_empty": ("couplings", lambda: gc.dll(TFIM, 1.0, "")),
    "couplings_number": ("couplings", lambda: gc.dll(TFIM, 1.0, 3)),  # type: ignore[arg-type]
    "coupling_width": ("couplings[0]", lambda: gc.dll(TFIM, 1.0, [SparsePauliOp("Y")])),
    "coupling_identity": ("couplings[1]", lambda: gc.dll(TFIM, 1.0, [SparsePauliOp("YI"), SparsePauliOp("II")])),
    "coupling_zero": ("couplings[0]", lambda: gc.dll(TFIM, 1.0, [SparsePauliOp("YI", 0.0)])),
    "coupling_cancels": ("couplings[0]", lambda: gc.dll(TFIM, 1.0, [SparsePauliOp(["YI", "YI"], [1, -1])])),
    "coupling_complex": ("couplings[0]", lambda: gc.dll(TFIM, 1.0, [SparsePauliOp("YI", 1j)])),
    "coupling_term": ("couplings[0][1]", lambda: gc.dll(TFIM, 1.0, [[["YI", 1.0], ["YQ", 1.0]]])),
    "no_contact": ("couplings", lambda: Lindbladian(TFIM, ())),
    "two_temperatures": ("beta", lambda: Lindbladian(TFIM, (HOT, COLD)).beta),
    "filter": ("filter", lambda: gc.dll(TFIM, 1.0, filter="gausian")),
    "coherent": ("coherent", lambda: gc.dll(TFIM, 1.0, coherent="yes")),
    "model_complex": ("hamiltonian", lambda: gc.Model(SparsePauliOp("Z", 1j))),
    "model_nan": ("hamiltonian", lambda: gc.Model(SparsePauliOp("Z", np.nan))),
    "model_type": ("hamiltonian", lambda: gc.Model(np.eye(3))),  # type: ignore[arg-type]
    "model_unbound": ("hamiltonian", lambda: gc.Model(UNBOUND)),
    "terms_none": ("terms", lambda: models.from_terms([])),
    "terms_pair": ("terms[1]", lambda: models.from_terms([("Z", 1.0), 5])),  # type: ignore[list-item]
    "terms_letter": ("terms[0]", lambda: models.from_terms([("Q", 1.0)])),
    "terms_empty_label": ("terms[0]", lambda: models.from_terms([("", 1.0)])),
    "terms_width": ("terms[1]", lambda: models.from_terms([("ZZ", 1.0), ("Z", 1.0)])),
    "terms_complex": ("terms[0]", lambda: models.from_terms([("Z", 1j)])),  # type: ignore[list-item]
    "terms_huge": ("terms[0]", lambda: models.from_terms([("Z", -(10**400))])),
    "terms_infinite": ("terms[0]", lambda: models.from_terms([("Z", float("inf"))])),
}


@pytest.mark.parametrize("case", REFUSED)
def test_argument_error__has_one_grammar__every_refusal(case: str) -> None:
    argument, call = REFUSED[case]
    with pytest.raises(ArgumentError) as caught:
        call()
    assert caught.value.argument == argument
    assert GRAMMAR.match(str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, GibbsError)
    assert isinstance(caught.value, ValueError)


def test_grammar__control__refuses_what_lacks_a_part() -> None:
    assert not GRAMMAR.match("Argument `beta` must be positive. Fix: set beta = 1.")
    assert not GRAMMAR.match("Argument `beta` must be positive, but it is −1.")
    assert not GRAMMAR.match("Argument `beta` must be positive,\nbut it is −1. Fix: set beta = 1.")
    assert GRAMMAR.match("Argument `beta` must be positive, but it is −1. Fix: set beta = 1.")


@moderate
@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_argument_error__is_one_line__whatever_was_found(argument: str, rule: str, found: str, fix: str) -> None:
    assert len(str(ArgumentError(argument, rule, found, fix)).splitlines()) == 1


def calls_of_argument_error() -> Iterator[tuple[Path, ast.Call]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id in {"ArgumentError", "InvalidModelError"} and len(node.args) >= 4:
                yield path, node


def literal(node: ast.expr) -> str:
    """The text of a string or f-string, its values replaced by x."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(part.value if isinstance(part, ast.Constant) else "x" for part in parts)
    return "x"


def test_argument_error__parts_continue_the_sentence__every_call_in_the_package() -> None:
    calls = list(calls_of_argument_error())
    assert len(calls) > 20
    for path, node in calls:
        where = f"{path.name}:{node.lineno}"
        argument, rule, found, fix = (literal(part) for part in node.args[:4])
        assert argument, where
        assert not rule.startswith("must"), where
        assert not re.search(r"[.!\s]$", rule), where
        assert not re.search(r"[.!\s]$", found), where
        assert not re.search(r"[.!]$|^Fix", fix), where


def test_argument_error__names_the_file_once__located_twice() -> None:
    error = InvalidModelError("sites", "be a whole number >= 1", "the value is 0", "set sites = 1")
    located = error.located("a.toml", "model")
    assert type(located) is InvalidModelError
    assert str(located) == "a.toml: model.sites must be a whole number >= 1, but the value is 0. Fix: set sites = 1."
    assert located.located("b.toml", "run") is located


@pytest.mark.parametrize("kind", [ArgumentError, InvalidProgramError, TooLargeError, BackendError])
def test_errors__share_one_base__each_class(kind: type[Exception]) -> None:
    assert issubclass(kind, GibbsError)


@pytest.mark.parametrize("value", [0, 0.0, 1, 2.5, np.float64(0.3), 1e50])
def test_check_beta__accepts__finite_numbers_from_zero(value: float) -> None:
    assert check_beta(value) == value
    assert type(check_beta(value)) is float


@pytest.mark.parametrize("value", [None, "1", True, -1e-9, float("nan"), float("inf"), 10**400, -(10**400), 1j, [1]])
def test_check_beta__refuses__everything_else(value: object) -> None:
    with pytest.raises(ArgumentError, match="`beta` must be a finite real number >= 0"):
        check_beta(value)


def test_check_real__excludes_the_limit__when_above() -> None:
    assert check_real("x", 0.0, low=0.0) == 0.0
    with pytest.raises(ArgumentError, match="> 0, but the value is 0"):
        check_real("x", 0.0, low=0.0, above=True)


@pytest.mark.parametrize(("value", "ok"), [(1, True), (5, True), (0, False), (6, False), (1.0, False), (True, False)])
def test_check_integer__keeps_to_its_range__from_1_to_5(value: object, ok: bool) -> None:
    if ok:
        assert check_integer("n", value, low=1, high=5) == value
    else:
        with pytest.raises(ArgumentError, match="whole number from 1 to 5"):
            check_integer("n", value, low=1, high=5)


def test_check_choice__names_the_near_miss__in_its_fix() -> None:
    assert check_choice("name", "tfim", ["tfim", "xxz"]) == "tfim"
    with pytest.raises(ArgumentError, match='Fix: use "xxz"'):
        check_choice("name", "xzx", ["tfim", "xxz"])
    with pytest.raises(ArgumentError, match='Fix: use "tfim"'):
        check_choice("name", 7, ["tfim", "xxz"])


def test_shown__is_short_and_on_one_line__long_text() -> None:
    assert shown("a\nb") == r"'a\nb'"
    assert len(shown(list(range(1000)))) == 60
    assert one_line(" a \n\t b ") == "a b"
