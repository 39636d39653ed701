"""A signature as a schema, and the complaints of a schema in the grammar of this package."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from enum import Enum
from inspect import Parameter
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.fields import FieldInfo

from ..errors import ArgumentError, check_known, shown, slip, written_number

KINDS: dict[Any, str] = {
    int: "a whole number", float: "a finite number", str: "text in quotes", bool: "true or false"
}  # fmt: skip
EXAMPLES: dict[Any, Any] = {int: 1, float: 1.0, bool: True}  # where neither a default nor an annotation shows one


def described(annotation: Any) -> tuple[Any, str, Any]:
    """What `Annotated[type, about, example]` says of a parameter.

    The type is Any where it is a choice of several, which no schema is to judge; the line about it is for the help; the
    example, a value to paste, is 1.0, 1 or true by the type if left out.
    """
    kind, about, *example = get_args(annotation) if get_origin(annotation) is Annotated else (annotation, "")
    parts = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    plain = [part for part in parts if part is not NoneType]
    judged = len(plain) == 1 and (plain[0] in KINDS or get_origin(plain[0]) is Literal)
    return kind if judged else Any, about, example[0] if example else EXAMPLES.get(plain[0])


def schema_of(name: str, parameters: Iterable[Parameter]) -> type[BaseModel]:
    """The schema that the parameters of a function are: one field each, in this order, and no other key."""
    fields: dict[str, Any] = {}
    for parameter in parameters:
        kind, about, example = described(parameter.annotation)
        default = ... if parameter.default is parameter.empty else parameter.default
        examples = [example] if example is not None and default in (None, ...) else None
        fields[parameter.name] = (kind, Field(default, description=about, examples=examples))
    return create_model(name, __config__=ConfigDict(extra="forbid", frozen=True, strict=True), **fields)


def from_validation(
    error: ValidationError, schema: type[BaseModel], file: Path | None, section: str = "", also: Iterable[str] = ()
) -> ArgumentError:
    """The first complaint of a schema, in the grammar of this package; `also` are keys known beside its own."""
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]] or [""]
    while len(where) > 1 and (inner := _table(schema, where[0])) is not None:
        section, schema, where, also = f"{section}.{where[0]}".lstrip("."), inner, where[1:], ()
    name = where[0] or '""'
    key = f"{section}.{name}" if section else name
    if first["type"] == "extra_forbidden":
        try:
            known, prefix = [*also, *schema.model_fields], f"{section}." if section else ""
            check_known(where[0], known, first["input"], where=prefix)
        except ArgumentError as complaint:
            return complaint if file is None else complaint.located(file)
    field = schema.model_fields.get(name)
    if field is None:  # not about one key
        return ArgumentError(section or "the table", "hold these keys", first["msg"], "see --help", file)
    fix = f"set {name} = {_toml(_meant(first['input'], field))}"
    if first["type"] == "missing":
        return ArgumentError(key, "be given", "it is missing", fix, file)
    return ArgumentError(key, _rule(field, first["msg"]), f"{shown(first['input'])} was found", fix, file)


def _table(schema: type[BaseModel], name: str) -> type[BaseModel] | None:
    """The schema of a key whose value is a table."""
    kind = schema.model_fields[name].annotation if name in schema.model_fields else None
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _meant(value: Any, field: FieldInfo) -> Any:
    """What a value that was refused was meant to be: the number in quotes, the nearest bound, the near name.

    An example where nothing tells.
    """
    example = next(iter(field.examples or ()), field.default)
    kind, bounds = _kind(field), _bounds(field)
    if get_origin(kind) is Literal:
        names = [name for name in get_args(kind) if isinstance(name, str)]
        near = slip(value, names) if isinstance(value, str) else None
        return near if near is not None else example
    if kind is bool:
        return {"true": True, "false": False, "1": True, "0": False}.get(str(value).lower(), example)
    number = written_number(value) if kind in (int, float) else None
    if number is None or not math.isfinite(number):
        return example
    if kind is int:
        number = round(number)
    low, high = bounds.get("ge", bounds.get("gt", -math.inf)), bounds.get("le", bounds.get("lt", math.inf))
    if number <= low:
        if "gt" in bounds or kind is int:
            return low if "ge" in bounds else (-number if number < low and low < -number < high else example)
        return low
    if number >= high:
        return (int(high) if kind is int else high) if "le" in bounds else example
    return number


def _toml(value: Any) -> str:
    """An example as TOML writes it."""
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_none=True)
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key} = {_toml(inner)}' for key, inner in value.items())}}}"
    return json.dumps(value.value if isinstance(value, Enum) else value, default=str)


def _kind(field: FieldInfo) -> Any:
    kind, parts = field.annotation, get_args(field.annotation)
    if type(None) in parts and get_origin(kind) is not Literal:
        kind = next(part for part in parts if part is not type(None))
    return kind


def _bounds(field: FieldInfo) -> dict[str, Any]:
    """The bounds of a number by their name, such as ge."""
    return {
        name: getattr(bound, name)
        for bound in field.metadata
        for name in ("ge", "gt", "le", "lt")
        if getattr(bound, name, None) is not None
    }


def _rule(field: FieldInfo, message: str) -> str:
    """What a key must be, with all its bounds; the schema's own words where it has some."""
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "rule" in extra:
        return str(extra["rule"])
    kind = _kind(field)
    if get_origin(kind) is Literal:
        return f"be one of {', '.join(map(str, get_args(kind)))}"
    if kind not in KINDS:
        return message[:1].lower() + message[1:].rstrip(".!")
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    bounds = [f"{signs[name]} {bound:g}" for name, bound in _bounds(field).items()]
    return " ".join(["be", KINDS[kind], " and ".join(bounds)]).strip()
