"""[generator]: from keys to generators. One schema per kind, so that a key that a kind does not use is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from .errors import ArgumentError, check_choice, check_real, shown
from .generator_schemas import KINDS, Generator
from .generators import Lindbladian, catalogue
from .generators.channels import DiscreteChannel
from .makers import make_bath
from .models import Model
from .validation import from_validation

WRAPPERS = {
    "discrete": "exact channel at finite step, of the transition part of `inside`; step = 0.5",
    "local": "each site alone, by `inside`; for contrast",
}


def make_generator(
    model: Model, beta: float | None, keys: Mapping[str, Any], file: Path | None = None, section: str = "generator"
) -> tuple[Generator, dict[str, Any]]:
    """A generator from its keys, and the keys with defaults filled in.

    Args:
        model: What is thermalised.
        beta: None when every contact has its own.
        keys: `kind` and what it takes; or `contacts`, one mapping each.
        file: Named in complaints; paths resolve against its folder.
        section: Where the keys stand in that file.

    Raises:
        ArgumentError: If a name is unknown, a key unused or a value out of range.
    """
    try:
        if "contacts" in keys:
            return _several(model, keys, file)
        if beta is None:
            raise ArgumentError("beta", "be given in [model]", "it is missing", "add beta = 1.0 to [model]")
        return _one(model, beta, dict(keys), file)
    except ArgumentError as error:
        raise (error if file is None else error.located(file, section)) from None


def _one(model: Model, beta: float, keys: dict[str, Any], file: Path | None) -> tuple[Generator, dict[str, Any]]:
    folder = file.parent if file is not None else Path()
    kind = check_choice("kind", keys.setdefault("kind", "dll"), [*KINDS, *WRAPPERS])
    if kind in WRAPPERS:
        return _wrapped(kind, model, beta, keys, file)
    schema = KINDS[kind]
    try:
        checked = schema.model_validate({**keys, "kind": schema.names[0]})
    except ValidationError as error:
        found = from_validation(error, schema, file or Path())
        raise ArgumentError(found.argument, found.rule, found.found, found.fix) from None
    return checked.build(model, beta, folder), _plain(checked.model_dump(exclude_none=True))


def _wrapped(
    kind: str, model: Model, beta: float, keys: dict[str, Any], file: Path | None
) -> tuple[Generator, dict[str, Any]]:
    rest = {key: value for key, value in keys.items() if key not in ("kind", "inside", "step")}
    inside = check_choice("inside", keys.get("inside", "dll"), KINDS)
    if kind == "local":
        if "step" in keys:
            raise ArgumentError("step", "be left out for local", "it is unused there", "remove step")
        filled: dict[str, Any] = {}
        if "bath" in KINDS[inside].model_fields:  # of the whole H: that sites are alone changes no bath
            rest["bath"] = make_bath(rest.get("bath", "ohmic"), beta, Path() if file is None else file.parent, model)

        def alone(single: Model) -> Lindbladian:
            made, used = _one(single, beta, {**rest, "kind": inside}, file)
            filled.update({**used, **({"bath": keys.get("bath", "ohmic")} if "bath" in used else {})})
            assert isinstance(made, Lindbladian)
            return made

        generator: Generator = catalogue.local(model, alone)
        return generator, {**filled, "kind": kind, "inside": filled["kind"]}
    made, filled = _one(model, beta, {**rest, "kind": inside}, file)
    assert isinstance(made, Lindbladian)
    step = check_real("step", keys.get("step", 0.5), low=0.0, above=True)
    return DiscreteChannel(made, step), {**filled, "kind": kind, "inside": filled["kind"], "step": step}


def _several(model: Model, keys: Mapping[str, Any], file: Path | None) -> tuple[Generator, dict[str, Any]]:
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
            own = check_real("beta", contact["beta"], low=0.0)
            made, used = _one(model, own, rest, file)
            if not isinstance(made, Lindbladian) or made.frame is not None:
                raise ArgumentError(
                    "kind", "be a Lindbladian's of the whole H", f"{rest['kind']} was found", 'set kind = "dll"'
                )
        except ArgumentError as error:
            raise ArgumentError(
                f"contacts[{index}].{error.argument}", error.rule, error.found, error.fix, error.file
            ) from None
        parts.append(made)
        filled.append({**used, "beta": own})
    return catalogue.several_baths(tuple(parts)), {"contacts": filled}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Keys as a file can say them."""
    return {key: value if isinstance(value, str | int | float | bool | dict | list) else str(value)
            for key, value in values.items()}  # fmt: skip
