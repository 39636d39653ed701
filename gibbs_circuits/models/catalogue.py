"""Registries of functions that users name: what one takes is read off its signature, and said nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from inspect import Parameter, signature, unwrap
from typing import Any, Generic, TypeVar, cast

from ..errors import ArgumentError, check_choice, check_known, check_real
from ..io.schema import described
from .model import Model

T = TypeVar("T")
E = TypeVar("E", bound="Entry[Any]")
CONTEXT = ("model", "beta")  # what something is made for; every other parameter is a key that users set


@dataclass(frozen=True)
class Entry(Generic[T]):
    """A function of a registry, imported when it is used: listing all of them costs nothing.

    Attributes:
        name: Of the function, as users write it, and of its file, in the folder where its kind of entry is defined.
        summary: The line about it in the help.
        alias: Another name that users may write.
        home: Its file, where several of a family share one.
    """

    name: str
    summary: str = ""
    alias: str | None = None
    home: str | None = None

    @cached_property
    def function(self) -> Callable[..., T]:
        """The function, as Python users call it."""
        folder = type(self).__module__.rpartition(".")[0]
        return cast(Callable[..., T], vars(import_module(f"{folder}.{self.home or self.name}"))[self.name])

    @cached_property
    def parameters(self) -> dict[str, Parameter]:
        """All that it takes, the annotations as objects."""
        return dict(signature(unwrap(self.function), eval_str=True).parameters)

    @property
    def keys(self) -> dict[str, Parameter]:
        """What users set: its parameters but the model and β."""
        return {name: parameter for name, parameter in self.parameters.items() if name not in CONTEXT}

    def make(self, model: Model, beta: float, keys: Mapping[str, Any]) -> T:
        """What it returns for values that are checked already, and for the model and β where it asks for them."""
        context = {name: value for name, value in zip(CONTEXT, (model, beta), strict=True) if name in self.parameters}
        return cast(T, unwrap(self.function)(**context, **keys))


def by_name(*entries: E) -> dict[str, E]:
    """A registry, in the order in which the help shows it."""
    return {name: entry for entry in entries for name in (entry.name, entry.alias) if name is not None}


def from_numbers(
    argument: str, entries: Mapping[str, Entry[T]], keys: Mapping[str, Any], model: Model, beta: float
) -> T:
    """What a table like {kind = "ohmic", strength = 2} names; its first entry where there is no `kind`.

    Raises:
        ArgumentError: About `argument` or one of its keys, each of which is a real number.
    """
    entry = entries[check_choice(argument, keys.get("kind", next(iter(entries))), entries)]
    for key in keys:
        check_known(str(key), ("kind", *entry.keys), keys[key], where=f"{argument}.")
    values = {key: check_real(f"{argument}.{key}", value) for key, value in keys.items() if key != "kind"}
    for key, parameter in entry.keys.items():
        if parameter.default is parameter.empty and key not in values:
            fix = f"add {key} = {described(parameter.annotation)[2]}"
            raise ArgumentError(f"{argument}.{key}", f"be given for {entry.name}", "it is missing", fix)
    try:
        return entry.make(model, beta, values)
    except ArgumentError as error:
        name = f"{argument}.{error.argument}" if error.argument in entry.keys else error.argument
        raise ArgumentError(name, error.rule, error.found, error.fix) from None
