"""What a kind of generator is: a function of the model, β and keys, through a transition kernel.

Symbolic: no matrix is formed here. Couplings are Hermitian operators through which heat flows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ValidationError

from ...errors import ArgumentError, check_choice
from ...io.schema import from_validation, schema_of
from ...models.catalogue import Entry
from ...models.model import Model
from ...models.signatures import alternatives
from ..baths.bath import Bath
from ..contact import Coherent, Contact
from ..couplings import Couplings, couplings_of
from ..kernels.base import Kernel
from ..lamb_shift import LambKernel
from ..lindbladian import Generator, Lindbladian

BalanceOrNone: TypeAlias = Annotated[str, "balance: the term B that makes it exact; none: without."]
AnyCoherent: TypeAlias = Annotated[str, "lamb_shift: the bath's own shift of H; balance: B; none."]
FIRST = ("couplings", "coherent")  # of the keys of every kind, in a file and in the help


@dataclass(frozen=True)
class Kind(Entry[Lindbladian]):
    """A kind of generator by its name: the function of that name makes it."""

    @cached_property
    def schema(self) -> type[BaseModel]:
        """The keys of `[generator]` in a file, with their types and what the help says of each."""
        kind = Parameter("kind", Parameter.KEYWORD_ONLY, default=self.name, annotation=Annotated[str, "which one."])
        own = [name for name in self.keys if name not in FIRST]
        return schema_of(self.name, [kind, *(self.keys[name] for name in (*FIRST, *own))])

    def filled(self, keys: Mapping[str, Any]) -> dict[str, Any]:
        """The keys with the defaults of those left out; what stays unset is not among them.

        Raises:
            ArgumentError: If a key is unknown or of another type than the schema says.
        """
        given = {name: value for name, value in keys.items() if value is not None}
        try:
            checked = self.schema.model_validate({**given, "kind": self.name})
        except ValidationError as error:
            raise from_validation(error, self.schema, None) from None
        return {name: value for name, value in checked if value is not None}

    def located(self, keys: Mapping[str, Any], folder: Path) -> dict[str, Any]:
        """The values of its parameters, names of files as paths.

        Text is a file's name where it ends in .csv, and where no default says that it may be another name.
        """
        found = {name: value for name, value in keys.items() if name in self.keys}
        for name, value in found.items():
            key, a_file = self.keys[name], str(value).endswith(".csv") or self.keys[name].default is Parameter.empty
            if a_file and isinstance(value, str | Path) and Path in alternatives(key.annotation):
                found[name] = folder / value
        return found


@dataclass(frozen=True)
class Wrapper(Entry[Generator]):
    """A generator made of another: besides `inside`, the name of a kind, it takes the keys of that."""

    @property
    def own(self) -> dict[str, Parameter]:
        """`inside` and the keys that are not that kind's."""
        return {
            name: parameter
            for name, parameter in self.keys.items()
            if name not in FIRST and parameter.kind is not Parameter.VAR_KEYWORD
        }


def as_coherent(coherent: str, *, of_bath: bool) -> Coherent:
    """The coherent part by its name; a Lamb shift only where there is a bath."""
    known = [part.value for part in Coherent if of_bath or part is not Coherent.LAMB_SHIFT]
    return Coherent(check_choice("coherent", coherent, known))


def with_kernel(
    kind: str, model: Model, couplings: Couplings, kernel: Kernel, coherent: str, lamb: LambKernel | None = None
) -> Lindbladian:
    """The generator with one kernel for all couplings; `lamb`, the bath's shift of H, is None without a bath."""
    operators = couplings_of(couplings, model.num_qubits)
    part = as_coherent(coherent, of_bath=lamb is not None)
    return Lindbladian(model, tuple(Contact(A, kernel, lamb) for A in operators), part, kind)


def finite_at_zero(bath: Bath, kind: str) -> Bath:
    """The bath, if its G(0) is a number; every kind but scandi_alhambra needs it."""
    if bath.exponent is not None and bath.exponent < 1:
        raise ArgumentError(
            "bath", f"have a finite G(0) for {kind}", f"its exponent is {bath.exponent:g}",
            'use an exponent >= 1, or kind = "scandi_alhambra"',
        )  # fmt: skip
    return bath
