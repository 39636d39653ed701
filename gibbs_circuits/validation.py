"""Complaints of a schema in the grammar of this package."""

from __future__ import annotations

import json
from collections.abc import Iterable
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from .errors import ArgumentError, shown

KINDS: dict[Any, str] = {
    int: "a whole number", float: "a finite number", str: "text in quotes", bool: "true or false"
}  # fmt: skip


def from_validation(
    error: ValidationError, schema: type[BaseModel], file: Path, section: str = "", also: Iterable[str] = ()
) -> ArgumentError:
    """The first complaint of a schema, in the grammar of this package; `also` are keys known beside its own."""
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]]
    while len(where) > 1 and (inner := _table(schema, where[0])) is not None:
        section, schema, where, also = f"{section}.{where[0]}".lstrip("."), inner, where[1:], ()
    name = where[0] or '""'
    key = f"{section}.{name}" if section else name
    if first["type"] == "extra_forbidden":
        known = [*also, *schema.model_fields]
        near = get_close_matches(name, known, n=1, cutoff=0.75)  # `direction` is no slip for `truncation`
        fix = f"write {near[0]}" if near else f"remove {name}"
        rule = f"be one of {', '.join(known)}"
        return ArgumentError(key, rule, "it is unknown or unused here", fix, file)
    field = schema.model_fields[name]
    example = next(iter(field.examples or ()), field.default)
    fix = f"set {name} = {_toml(example)}"
    if first["type"] == "missing":
        return ArgumentError(key, "be given", "it is missing", fix, file)
    return ArgumentError(key, _rule(field, first["msg"]), f"{shown(first['input'])} was found", fix, file)


def _table(schema: type[BaseModel], name: str) -> type[BaseModel] | None:
    """The schema of a key whose value is a table."""
    kind = schema.model_fields[name].annotation if name in schema.model_fields else None
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _toml(value: Any) -> str:
    """An example as TOML writes it."""
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_none=True)
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key} = {_toml(inner)}' for key, inner in value.items())}}}"
    return json.dumps(value.value if isinstance(value, Enum) else value)


def _rule(field: FieldInfo, message: str) -> str:
    """What a key must be, with all its bounds; the schema's own words where it has some."""
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "rule" in extra:
        return str(extra["rule"])
    kind, parts = field.annotation, get_args(field.annotation)
    if get_origin(kind) is Literal:
        return f"be one of {', '.join(map(str, parts))}"
    if type(None) in parts:
        kind = next(part for part in parts if part is not type(None))
    if kind not in KINDS:
        return message
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    bounds = [
        f"{sign} {getattr(bound, name):g}"
        for bound in field.metadata
        for name, sign in signs.items()
        if getattr(bound, name, None) is not None
    ]
    return " ".join(["be", KINDS[kind], " and ".join(bounds)]).strip()
