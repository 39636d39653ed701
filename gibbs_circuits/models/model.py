"""What is thermalised: a Hamiltonian on qubits, with a name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import LARGEST, InvalidModelError, as_float, shown
from ..limits import MAX_LETTERS, MAX_SITES
from ..rendering import NAME, Shown, shortened
from .scale import acting, merged, size, without_debris

if TYPE_CHECKING:
    from qiskit.quantum_info import SparsePauliOp

SHOWN_TERMS = 40
REAL_TOLERANCE = 1e-10  # of the operator's own size


def hermitian(operator: object, argument: str) -> SparsePauliOp:
    r"""A copy of `operator` with real coefficients and read-only arrays.

    A sum of Pauli strings $\sum_k c_k P_k$ is Hermitian exactly when every merged $c_k$ is real. Imaginary parts of at
    most 1e-10 of the largest |c_k| and terms of at most 1e-14 of it, the identity left out, are what other people's
    arithmetic leaves, and dropped: see `scale.without_debris`.

    Raises:
        InvalidModelError: If it is not a SparsePauliOp, not finite, or not Hermitian to 1e-10 of its own size.
    """
    from qiskit.quantum_info import SparsePauliOp  # loaded when used

    if not isinstance(operator, SparsePauliOp):
        raise InvalidModelError(
            argument,
            "be a SparsePauliOp",
            f"{shown(operator)} is {type(operator).__name__}",
            'pass SparsePauliOp.from_list([("ZZ", -1.0), ("XI", -0.9)])',
        )
    if operator.num_qubits == 0:
        raise InvalidModelError(argument, "act on at least one qubit", "it acts on none", "add a Pauli term")
    _refuse_large(argument, operator.num_qubits, len(operator))
    if operator.coeffs.dtype == object:
        raise InvalidModelError(
            argument, "have numbers as coefficients", "it has unbound parameters", "call assign_parameters first"
        )
    if not np.all(np.isfinite(operator.coeffs)):
        bad = operator.paulis[int(np.argmin(np.isfinite(operator.coeffs)))].to_label()
        raise InvalidModelError(argument, "have finite coefficients", f"term {bad} is not finite", "give it a number")
    if float(np.max(np.abs(operator.coeffs))) > LARGEST:
        bad = operator.paulis[int(np.argmax(np.abs(operator.coeffs)))].to_label()
        raise InvalidModelError(
            argument, f"have coefficients up to {LARGEST:g}", f"term {shown(bad)} is larger", "choose another unit"
        )
    whole = operator if len(operator) == 1 and not np.any(operator.paulis.phase) else merged(operator)
    scale = np.where(acting(whole), size(whole), np.max(np.abs(whole.coeffs)))  # the identity against everything
    excess = np.abs(whole.coeffs.imag) - REAL_TOLERANCE * scale
    worst = int(np.argmax(excess))
    if excess[worst] > 0:
        raise InvalidModelError(
            argument,
            "be Hermitian",
            f"term {whole.paulis[worst].to_label()} has imaginary part {abs(whole.coeffs[worst].imag):.1e} "
            f"(allowed {REAL_TOLERANCE * scale[worst]:.1e})",
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


def pauli_sum(terms: object, argument: str, num_qubits: int | None = None) -> SparsePauliOp:
    """A SparsePauliOp from `[[label, real coefficient], ...]` in Qiskit's label order.

    Raises:
        InvalidModelError: If a term is malformed; the message names its index.
    """
    if not isinstance(terms, list | tuple) or not terms:
        raise InvalidModelError(
            argument,
            "be a non-empty list of [label, coefficient] pairs",
            f"{shown(terms)} was found",
            'write [["ZZ", -1.0], ["XI", -0.9]]',
        )
    first = terms[0][0] if isinstance(terms[0], list | tuple) and terms[0] and isinstance(terms[0][0], str) else ""
    _refuse_large(argument, num_qubits or max(1, len(first)), len(terms))
    pairs: list[tuple[str, float]] = []
    for index, term in enumerate(terms):
        where = f"{argument}[{index}]"
        if not isinstance(term, list | tuple) or len(term) != 2 or not isinstance(term[0], str):
            raise InvalidModelError(
                where, "be a [label, coefficient] pair", f"{shown(term)} was found", 'write ["ZZ", -1.0]'
            )
        label, coefficient = term
        width = num_qubits if num_qubits is not None else len(pairs[0][0]) if pairs else len(label)
        if not label or set(label) - set("IXYZ"):
            bad = sorted(set(label) - set("IXYZ"))
            raise InvalidModelError(
                where,
                "use the letters I, X, Y, Z only",
                f"label {shown(label)} has {', '.join(map(repr, bad)) or 'no letter'}",
                f'write a label such as "{"Z" * max(width, 1)}"',
            )
        if len(label) != width:
            raise InvalidModelError(
                where,
                f"have {width} letters, one per qubit",
                f"label {shown(label)} has {len(label)}",
                f'pad it with I: "{label[:width].rjust(width, "I")}"',
            )
        if isinstance(coefficient, bool) or not isinstance(coefficient, int | float):
            raise InvalidModelError(
                where,
                "have a real coefficient",
                f"{shown(coefficient)} is {type(coefficient).__name__}",
                f'write ["{label}", 1.0]; only Hermitian sums have a Gibbs state',
            )
        number = as_float(coefficient)
        if not math.isfinite(number):
            raise InvalidModelError(where, "have a finite coefficient", f"it is {number:g}", f'write ["{label}", 1.0]')
        pairs.append((label, number))
    from qiskit.quantum_info import SparsePauliOp  # loaded when used

    return hermitian(SparsePauliOp.from_list(pairs), argument)


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


def from_terms(terms: Iterable[tuple[str, float]], name: str = "custom") -> Model:
    """A model from explicit Pauli terms `[(label, coefficient), ...]`."""
    return Model(pauli_sum(list(terms), "terms"), name)
