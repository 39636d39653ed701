"""What is thermalised: a Hamiltonian on qubits, with a name."""

from __future__ import annotations

import cmath
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import (
    LARGEST,
    LONGEST_NUMBER,
    SMALLEST,
    InvalidModelError,
    check_integer,
    check_name,
    shown,
    written_number,
)
from ..io.rendering import NAME, Shown, shortened
from ..limits import MAX_LETTERS, MAX_MATRIX_QUBITS, MAX_SITES
from . import scale
from .scale import acting, merged, size, without_debris

if TYPE_CHECKING:
    from qiskit.quantum_info import SparsePauliOp


SHOWN_TERMS = 40
REAL_TOLERANCE = 1e-10  # of the operator's own size


def as_operator(operator: object, argument: str) -> SparsePauliOp:
    """A SparsePauliOp from whatever is one without ambiguity: itself, a matrix, a label, a list of terms, a Model.

    Raises:
        InvalidModelError: If it is none of these.
    """
    from qiskit.quantum_info import Operator, Pauli, SparsePauliOp  # loaded when used

    match operator:
        case SparsePauliOp():
            return operator
        case Model():
            return operator.hamiltonian
        case Pauli():
            return SparsePauliOp(operator)
        case str() if operator and set(operator) <= set("IXYZ"):
            return SparsePauliOp(operator)
        case list() | tuple() | Mapping() if not is_matrix(operator):
            return pauli_sum(operator, argument)
    matrix = matrix_of(operator.data if isinstance(operator, Operator) else operator)
    if matrix is None:
        raise InvalidModelError(
            argument, "be a SparsePauliOp, a Pauli label, a list of terms or a square matrix",
            f"{shown(operator)} is {type(operator).__name__}",
            'pass SparsePauliOp.from_list([("ZZ", -1.0), ("XI", -0.9)])',
        )  # fmt: skip
    n = matrix.shape[0].bit_length() - 1
    if matrix.ndim != 2 or matrix.shape != (2**n, 2**n) or n == 0:
        raise InvalidModelError(
            argument, "be a 2ⁿ × 2ⁿ matrix", f"its shape is {matrix.shape}", "pass one row per basis state"
        )
    if n > MAX_MATRIX_QUBITS:
        raise InvalidModelError(
            argument, f"act on at most {MAX_MATRIX_QUBITS} qubits as a matrix", f"it acts on {n}",
            "pass a SparsePauliOp of the same operator",
        )  # fmt: skip
    if not np.all(np.isfinite(matrix)):
        raise InvalidModelError(argument, "have finite entries", "one is not", "give every entry a number")
    return SparsePauliOp.from_operator(Operator(matrix), atol=0.0, rtol=0.0)


def is_matrix(value: object) -> bool:
    """Whether a list is a matrix written as rows of numbers."""
    rows = list(value) if isinstance(value, list | tuple) else []
    return bool(rows) and all(
        isinstance(row, list | tuple) and bool(row) and all(isinstance(x, int | float | complex) for x in row)
        for row in rows
    )


def matrix_of(value: object) -> NDArray[np.complex128] | None:
    """An array of at least one axis as complex numbers; None of what is no array of numbers, Pauli sums among them."""
    if not isinstance(value, list | tuple) and not hasattr(value, "__array__"):
        return None
    if any(hasattr(one, "paulis") for one in (value if isinstance(value, list | tuple) else (value,))):
        return None  # a Pauli sum, or several: NumPy would write each out, 4ⁿ numbers
    try:
        matrix = np.asarray(value)
        if matrix.ndim == 0 or matrix.dtype.kind not in "iufc":
            return None
        return np.asarray(matrix, dtype=np.complex128)
    except Exception:  # of ragged rows, or of somebody's own __array__
        return None


def hermitian(operator: object, argument: str) -> SparsePauliOp:
    r"""A copy of `operator` with real coefficients and read-only arrays.

    A sum of Pauli strings $\sum_k c_k P_k$ is Hermitian exactly when every merged $c_k$ is real. Imaginary parts of at
    most 1e-10 of the largest |c_k| and terms of at most 1e-14 of it, the identity left out, are what other people's
    arithmetic leaves, and dropped: see `scale.without_debris`.

    Args:
        operator: A SparsePauliOp, a Pauli label, a list of terms, or a matrix of up to 10 qubits.
        argument: What complaints call it.

    Raises:
        InvalidModelError: If it is no operator, not finite, or not Hermitian to 1e-10 of its own size.
    """
    from qiskit.quantum_info import SparsePauliOp  # loaded when used

    given = as_operator(operator, argument)
    if given.num_qubits == 0:
        raise InvalidModelError(argument, "act on at least one qubit", "it acts on none", "add a Pauli term")
    _refuse_large(argument, given.num_qubits, len(given))
    if given.coeffs.dtype == object:
        raise InvalidModelError(
            argument, "have numbers as coefficients", "it has unbound parameters", "call assign_parameters first"
        )
    if not np.all(np.isfinite(given.coeffs)):
        bad = given.paulis[int(np.argmin(np.isfinite(given.coeffs)))].to_label()
        raise InvalidModelError(
            argument, "have finite coefficients", f"term {shown(bad)} is not finite", "give it a number"
        )
    largest = float(np.max(np.abs(given.coeffs)))
    if largest > LARGEST or 0 < largest < SMALLEST:
        worst = given.paulis[int(np.argmax(np.abs(given.coeffs)))].to_label()
        raise InvalidModelError(
            argument, f"have coefficients from {SMALLEST:g} to {LARGEST:g}",
            f"the largest, of term {shown(worst)}, is {largest:g}", "choose another unit for H, and β in one over it",
        )  # fmt: skip
    whole = given if len(given) == 1 and not np.any(given.paulis.phase) else merged(given)
    scale = np.where(acting(whole), size(whole), np.max(np.abs(whole.coeffs)))  # the identity against everything
    excess = np.abs(whole.coeffs.imag) - REAL_TOLERANCE * scale
    at = int(np.argmax(excess))
    if excess[at] > 0:
        raise InvalidModelError(
            argument,
            "be Hermitian",
            f"term {shown(whole.paulis[at].to_label())} has imaginary part {abs(whole.coeffs[at].imag):.1e} "
            f"(allowed {REAL_TOLERANCE * scale[at]:.1e})",
            "pass A + A† and i(A − A†)",
        )
    real = without_debris(SparsePauliOp(whole.paulis, whole.coeffs.real))
    real = SparsePauliOp(real.paulis, real.coeffs)
    real.coeffs.setflags(write=False)
    return real


def _refuse_large(argument: str, num_qubits: int, terms: int) -> None:
    if num_qubits > MAX_SITES:
        raise InvalidModelError(
            argument, f"act on at most {MAX_SITES} qubits", f"it acts on {num_qubits}", "use a smaller model"
        )
    if num_qubits * terms > MAX_LETTERS:
        raise InvalidModelError(
            argument, f"have at most {MAX_LETTERS:,} letters in all", f"{terms:,} terms of {num_qubits} were found",
            "leave small terms out",
        )  # fmt: skip


def fitting(operator: SparsePauliOp, argument: str, num_qubits: int) -> SparsePauliOp:
    """The operator, if it acts on so many qubits.

    Raises:
        InvalidModelError: If not.
    """
    n = operator.num_qubits
    if n == num_qubits:
        return operator
    fix = f'pad its labels with I: "{operator.paulis[0].to_label().rjust(num_qubits, "I")}"'
    fix = fix if n < num_qubits else f"leave out the letters of {n - num_qubits} qubits"
    raise InvalidModelError(argument, f"act on {num_qubits} qubits", f"it acts on {n}", fix)


def number_of(value: object) -> complex | None:
    """The number that a coefficient is, also as text ("-0.47") or as a pair of real and imaginary part."""
    if isinstance(value, bool | np.bool_):
        return None
    if isinstance(value, complex | np.complexfloating):
        return complex(value)
    if isinstance(value, list | tuple) and len(value) == 2:
        parts = [written_number(part) for part in value if not isinstance(part, str)]
        return complex(*parts) if len(parts) == 2 and None not in parts else None  # type: ignore[arg-type]
    if isinstance(value, str) and written_number(value) is None and len(value) <= LONGEST_NUMBER:
        try:
            return complex(value.replace(" ", "").replace("i", "j"))
        except ValueError:
            return None
    number = written_number(value)
    return None if number is None else complex(number)


def pauli_sum(terms: object, argument: str, num_qubits: int | None = None) -> SparsePauliOp:
    """A SparsePauliOp from `[[label, real coefficient], ...]` in Qiskit's label order.

    A coefficient may be a NumPy number, a complex number without imaginary part, a pair [re, 0.0] or text ("-0.47").

    Raises:
        InvalidModelError: If a term is malformed; the message names its index.
    """
    if num_qubits is not None:
        num_qubits = check_integer("num_qubits", num_qubits, low=1, high=10**6)
    if isinstance(terms, Mapping):
        terms = list(terms.items())
    if not isinstance(terms, list | tuple) or not terms:
        raise InvalidModelError(
            argument,
            "be a non-empty list of [label, coefficient] pairs",
            f"{shown(terms)} was found",
            'write [["ZZ", -1.0], ["XI", -0.9]]',
        )
    first = terms[0][0] if isinstance(terms[0], list | tuple) and terms[0] and isinstance(terms[0][0], str) else ""
    _refuse_large(argument, num_qubits or max(1, len(first)), len(terms))
    pairs: list[tuple[str, complex]] = []
    for index, term in enumerate(terms):
        where = f"{argument}[{index}]"
        if not isinstance(term, list | tuple) or len(term) != 2 or not isinstance(term[0], str):
            fix = "write"
            if isinstance(term, str) and set(term) <= set("IXYZ") and term:
                fix += f' ["{term}", 1.0]'
            elif isinstance(term, list | tuple) and len(term) == 2 and isinstance(term[1], str):
                fix += f" {json.dumps([term[1], term[0]], default=str)}"
            else:
                fix += ' ["ZZ", -1.0]'
            raise InvalidModelError(where, "be a [label, coefficient] pair", f"{shown(term)} was found", fix)
        label, coefficient = term
        width = num_qubits if num_qubits is not None else len(pairs[0][0]) if pairs else len(label)
        _check_label(label, width, where)
        number = number_of(coefficient)
        if number is None:
            raise InvalidModelError(
                where, "have a real coefficient", f"{shown(coefficient)} is {type(coefficient).__name__}",
                f'write a number after the label, as in ["{label}", 1.0]; only Hermitian sums have a Gibbs state',
            )  # fmt: skip
        if not cmath.isfinite(number):
            raise InvalidModelError(
                where, "have a finite coefficient", f"it is {shown(coefficient)}", f'write ["{label}", 1.0]'
            )
        pairs.append((label, number))
    from qiskit.quantum_info import SparsePauliOp  # loaded when used

    largest = max(abs(number) for _, number in pairs)
    for index, (label, number) in enumerate(pairs):
        if abs(number.imag) > REAL_TOLERANCE * largest:
            raise InvalidModelError(
                f"{argument}[{index}]", "have a real coefficient", f"it is {number.real:g} + {number.imag:g}i",
                f'write ["{label}", {number.real or number.imag!r}]; only Hermitian sums have a Gibbs state',
            )  # fmt: skip
    return hermitian(SparsePauliOp.from_list(pairs), argument)


def _check_label(label: str, width: int, where: str) -> None:
    """Refuse a label that is none of so many letters I, X, Y, Z."""
    if not label or set(label) - set("IXYZ"):
        bad = sorted(set(label) - set("IXYZ"))
        upper = label.upper()
        meant = upper if label and not set(upper) - set("IXYZ") else "Z" * min(max(width, 1), 20)
        raise InvalidModelError(
            where,
            "use the letters I, X, Y, Z only",
            f"label {shown(label)} has {', '.join(map(repr, bad[:5])) or 'no letter'}",
            f'write a label such as "{meant}"',
        )
    if len(label) != width:
        fix = f'pad it with I: "{label.rjust(width, "I")}"'
        if len(label) > width:
            spare = label[: len(label) - width]
            fix = f"leave out {len(spare)} of its letters, or widen the others"
            fix = f'write "{label[len(spare) :]}"' if set(spare) == {"I"} else fix
        raise InvalidModelError(
            where, f"have {width} letters, one per qubit", f"label {shown(label)} has {len(label)}", fix
        )


@dataclass(frozen=True, eq=False, repr=False)
class Model(Shown):
    r"""A Hamiltonian $H = \sum_k c_k P_k$ with a name.

    Args:
        hamiltonian: SparsePauliOp on n qubits with real coefficients, in the user's energy unit; ħ = k_B = 1.
        name: What reports call it.

    Raises:
        InvalidModelError: If the Hamiltonian is not Hermitian or not finite.
    """

    hamiltonian: SparsePauliOp
    name: str = "custom"

    def __post_init__(self) -> None:
        object.__setattr__(self, "hamiltonian", hermitian(self.hamiltonian, "hamiltonian"))
        check_name("name", self.name)

    @property
    def num_qubits(self) -> int:
        """Number of system qubits n; the Hilbert space has dimension 2**n."""
        return int(self.hamiltonian.num_qubits)

    @property
    def terms(self) -> tuple[tuple[str, float], ...]:
        """The Pauli terms as (label, coefficient), the rightmost letter being qubit 0."""
        return tuple((label, float(c.real)) for label, c in self.hamiltonian.to_list())

    def _in_words(self) -> str:
        terms = self.terms
        shown = max(1, min(6, 48 // (self.num_qubits + 7)))
        head = " ".join(f"{c:+.4g} {shortened(label, NAME)}" for label, c in terms[:shown])
        more = f" … ({len(terms)} terms)" if len(terms) > shown else ""
        return f"Model({shortened(self.name, NAME)}, {self.num_qubits} qubits: {head}{more})"

    def _rows(self) -> Iterator[tuple[str, ...]]:
        yield "term", "coefficient"
        for label, coefficient in self.terms[:SHOWN_TERMS]:
            yield label, f"{coefficient:.6g}"
        if len(self.terms) > SHOWN_TERMS:
            yield f"… {len(self.terms)} in all", ""


def from_terms(terms: Iterable[tuple[str, float]] | Mapping[str, float], name: str = "custom") -> Model:
    """A model from explicit Pauli terms `[(label, coefficient), ...]`, such as `SparsePauliOp.to_list()` gives."""
    from qiskit.quantum_info import SparsePauliOp  # loaded when used

    if isinstance(terms, Iterable) and not isinstance(terms, str | Mapping | SparsePauliOp):
        terms = list(terms)
    return Model(as_operator(terms, "terms") if isinstance(terms, SparsePauliOp) else pauli_sum(terms, "terms"), name)


def as_model(model: object, argument: str = "model") -> Model:
    """A model from what is one without ambiguity: a Model, or its Hamiltonian as an operator.

    Raises:
        InvalidModelError: If it is neither.
    """
    if isinstance(model, Model):
        return model
    if isinstance(model, str) and set(model) - set("IXYZ"):
        raise InvalidModelError(
            argument, "be a Model or a Hamiltonian", f"{shown(model)} is a text",
            "pass gc.models.tfim(4), or gc.models.read_model(path)",
        )  # fmt: skip
    return Model(hermitian(model, argument))


def bandwidth(model: Model) -> float:
    """Σ|c_k| over the terms that are not the identity: at least half of max |ν|; 1 if there are none."""
    return scale.bandwidth(model.hamiltonian)
