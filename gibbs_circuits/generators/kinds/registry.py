"""Kinds of generators by name, and [generator] of an experiment file: from keys to generators.

To add a kind: a function of its name in a file of its name here, and a line in `KINDS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import ArgumentError, check_choice, check_real, shown
from ...models.catalogue import by_name
from ...models.model import Model
from ..lindbladian import Generator, Lindbladian
from .base import Kind, Wrapper
from .several_baths import several_baths

KINDS = by_name(
    Kind("dll", "Ding–Li–Lin (alias kms): one jump per coupling, exact detailed balance.", alias="kms"),
    Kind("ckg", "Chen–Kastoryano–Gilyén: a Gaussian window on energies, exact detailed balance."),
    Kind("davies", "Davies: secular, blocks of equal Bohr frequency kept whole; exact."),
    Kind("ule", 'Universal Lindblad equation (GAME): biased by O(λ²); exact with coherent = "balance".'),
    Kind("redfield", "Redfield: not positive, biased by O(λ²); for comparison."),
    Kind("coarse_grained",
         'coarse graining over a Gaussian window: biased by O(β²/T²); exact with coherent = "balance".'),
    Kind("scandi_alhambra",
         "Scandi–Alhambra: coarse graining in KMS form, exact at every window, Davies as it widens."),
    Kind("custom", "your own kernel α(ν1, ν2), held to detailed balance and positivity."),
)  # fmt: skip
WRAPPERS = by_name(
    Wrapper("discrete", "exact channel at finite step, of the transition part of `inside`; step = 0.5"),
    Wrapper("local", "each site alone, by `inside`; for contrast"),
)
DEFAULT = next(iter(KINDS))


def make_generator(
    model: Model, beta: float | None, keys: Mapping[str, Any], file: Path
) -> tuple[Generator, dict[str, Any]]:
    """A generator from its keys, and the keys with defaults filled in.

    Args:
        model: What is thermalised.
        beta: None when every contact has its own.
        keys: `kind` and what it takes; or `contacts`, one mapping each.
        file: Named in complaints; paths resolve against its folder.

    Raises:
        ArgumentError: If a name is unknown, a key unused or a value out of range.
    """
    try:
        if "contacts" in keys:
            return _several(model, keys, file.parent)
        if beta is None:
            raise ArgumentError("beta", "be given in [model]", "it is missing", "add beta = 1.0 to [model]")
        name = _name(keys)
        if name in WRAPPERS:
            return _wrapped(WRAPPERS[name], model, beta, keys, file.parent)
        return _plain(KINDS[name], model, beta, keys, file.parent)
    except ArgumentError as error:
        raise error.located(file, "generator") from None


def generator_inside(inside: str, model: Model, beta: float, **keys: Any) -> Lindbladian:
    """The generator that a wrapper is made of, from the name of its kind and its keys."""
    return _plain(_inside(inside), model, beta, keys, Path())[0]


def _name(keys: Mapping[str, Any]) -> str:
    return check_choice("kind", keys.get("kind", DEFAULT), [*KINDS, *WRAPPERS])


def _inside(name: object) -> Kind:
    return KINDS[check_choice("inside", name, KINDS)]


def _plain(
    kind: Kind, model: Model, beta: float, keys: Mapping[str, Any], folder: Path
) -> tuple[Lindbladian, dict[str, Any]]:
    filled = kind.filled(keys)
    return kind.make(model, beta, kind.located(filled, folder)), filled


def _wrapped(
    wrapper: Wrapper, model: Model, beta: float, keys: Mapping[str, Any], folder: Path
) -> tuple[Generator, dict[str, Any]]:
    own = {name: keys.get(name, parameter.default) for name, parameter in wrapper.own.items()}
    kind = _inside(own["inside"])
    filled = kind.filled({name: value for name, value in keys.items() if name not in own})
    generator = wrapper.make(model, beta, {**kind.located(filled, folder), **own})
    return generator, {**filled, "kind": wrapper.name, **own, "inside": kind.name}


def _several(model: Model, keys: Mapping[str, Any], folder: Path) -> tuple[Generator, dict[str, Any]]:
    for key in keys:
        if key != "contacts":
            raise ArgumentError(key, "be inside the contacts", "it stands beside them", f"move {key} into each contact")
    contacts = keys["contacts"]
    if not isinstance(contacts, list | tuple) or not contacts or not all(isinstance(c, Mapping) for c in contacts):
        raise ArgumentError(
            "contacts", "be a list of tables", f"{shown(contacts)} was found", "write [[generator.contacts]]"
        )
    parts, filled = [], []
    for index, contact in enumerate(contacts):
        try:
            rest = {key: value for key, value in contact.items() if key != "beta"}
            if "beta" not in contact:
                raise ArgumentError("beta", "be given", "it is missing", "add beta = 1.0")
            own, name = check_real("beta", contact["beta"], low=0.0), _name(rest)
            if name in WRAPPERS:
                fix = f'set kind = "{DEFAULT}"'
                raise ArgumentError("kind", "be a Lindbladian's of the whole H", f"{name} was found", fix)
            made, used = _plain(KINDS[name], model, own, rest, folder)
        except ArgumentError as error:
            raise ArgumentError(
                f"contacts[{index}].{error.argument}", error.rule, error.found, error.fix, error.file
            ) from None
        parts.append(made)
        filled.append({**used, "beta": own})
    return several_baths(*parts), {"contacts": filled}
