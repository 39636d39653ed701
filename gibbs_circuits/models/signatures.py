"""The public border: arguments are held against the annotations of a signature before a function sees them.

What is meant without ambiguity is turned into it (a SparsePauliOp where a Model is asked for, a text where a path is);
everything else is refused in the one grammar, so that no function has to word it. Ranges are the function's own.
"""

from __future__ import annotations

import inspect
import math
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, wraps
from pathlib import Path
from typing import Annotated, Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from ..errors import ArgumentError, check_choice, check_known, shown, written_number
from .model import Model, as_model, as_operator, matrix_of

P = ParamSpec("P")
R = TypeVar("R")
MOST = 2**63  # beyond, a whole number counts nothing
JUDGED = {"backend", "start", "rho"}  # by what opens or reads it, which knows better what it must be
NUMBERS = (int, float, np.integer, np.floating)


def public(function: Callable[P, R]) -> Callable[P, R]:
    """The function with its arguments checked; its name, text and signature stay.

    Raises:
        ArgumentError: If an argument is none that its annotation takes, or a name is unknown.
    """
    signature = inspect.signature(function)

    @cache
    def hints() -> dict[str, Any]:
        return {name: _resolved(text, function) for name, text in function.__annotations__.items()}

    @wraps(function)
    def checked(*arguments: P.args, **named: P.kwargs) -> R:
        kinds = [parameter.kind for parameter in signature.parameters.values()]
        if inspect.Parameter.VAR_KEYWORD not in kinds:
            for name in named:
                if name not in signature.parameters:
                    check_known(name, signature.parameters, named[name])
        bound = signature.bind(*arguments, **named)
        for name, value in bound.arguments.items():
            kind, annotation = signature.parameters[name].kind, hints().get(name, Any)
            if kind is inspect.Parameter.VAR_POSITIONAL:
                bound.arguments[name] = tuple(
                    as_annotated(f"{name}[{k}]", one, annotation) for k, one in enumerate(value)
                )
            elif kind is not inspect.Parameter.VAR_KEYWORD and not (name in JUDGED and _open(annotation)):
                bound.arguments[name] = as_annotated(name, value, annotation)
        return function(*bound.args, **bound.kwargs)

    return checked


def _resolved(annotation: Any, function: Callable[..., Any]) -> Any:
    """An annotation as an object; Any where its names are there for a type checker only."""
    try:
        return eval(annotation, inspect.unwrap(function).__globals__) if isinstance(annotation, str) else annotation
    except NameError:
        return Any


def _open(annotation: Any) -> bool:
    """Whether objects of others may stand there, beside names and paths."""
    return bool(set(alternatives(annotation)) - {str, Path, type(None)})


def as_annotated(argument: str, value: Any, annotation: Any) -> Any:
    """The value as an annotation asks for it: itself, or what it stands for without doubt.

    Raises:
        ArgumentError: If it does not.
    """
    choices = alternatives(annotation)
    if int in choices and float not in choices and isinstance(value, int) and abs(value) >= MOST:
        raise ArgumentError(argument, "be a whole number below 2^63", f"it is {shown(value)}", "pass a smaller one")
    for choice in choices:
        if holds(value, choice):
            return value
    for choice in choices:
        converter = CONVERTERS.get(choice)
        if converter is not None and _convertible(value, choice):
            return converter(value, argument)
    literals = [name for choice in choices if get_origin(choice) is Literal for name in get_args(choice)]
    if literals and isinstance(value, str):
        return check_choice(argument, value, [str(name) for name in literals])
    words = list(dict.fromkeys(word for choice in choices for word in [in_words(choice)] if word))
    rule = f"be {' or '.join([', '.join(words[:-1]), words[-1]] if len(words) > 1 else words)}"
    number = written_number(value) if {int, float} & set(choices) else None
    if number is not None and math.isfinite(number):  # in quotes, or 4.0 for 4
        fix = f"pass {number!r}" if float in choices else f"pass {round(number)}"
    else:
        fix = remedy(choices)
    raise ArgumentError(argument, rule, f"{shown(value)} is {type(value).__name__}", fix)


def alternatives(annotation: Any) -> list[Any]:
    """The members of a union, flattened and without what is noted about them; the annotation itself otherwise."""
    if get_origin(annotation) is Annotated:
        return alternatives(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [inner for part in get_args(annotation) for inner in alternatives(part)]
    return [annotation]


def holds(value: Any, kind: Any) -> bool:
    """Whether a value is what an annotation without alternatives says."""
    origin = get_origin(kind)
    if kind is Any or isinstance(kind, TypeVar) or kind is object:
        return True
    if kind is None or kind is type(None):
        return value is None
    if origin is Literal:
        return any(type(value) is type(name) and value == name for name in get_args(kind))
    if kind is bool:
        return isinstance(value, bool | np.bool_)
    if kind is int:
        return isinstance(value, int | np.integer) and not isinstance(value, bool)
    if kind is float:
        return isinstance(value, NUMBERS) and not isinstance(value, bool)
    if kind is Callable or origin is Callable or kind is types.FunctionType or origin is type(Callable[..., Any]):
        return callable(value)
    base = origin or kind
    if base is np.ndarray:
        return (isinstance(value, np.ndarray) and value.dtype.kind in "iufcb") or matrix_of(value) is not None
    if base in (Sequence, list, tuple):
        return isinstance(value, list | tuple | np.ndarray)
    if not isinstance(base, type):
        return True
    if getattr(base, "_is_protocol", False):
        names = [name for name in vars(base) if not name.startswith("_")]
        return not isinstance(value, type) and all(hasattr(value, name) for name in names)
    return isinstance(value, base)


def _convertible(value: Any, kind: Any) -> bool:
    if kind is Path:
        return isinstance(value, str)
    return value is not None


CONVERTERS: dict[Any, Callable[[Any, str], Any]] = {
    Model: as_model,
    SparsePauliOp: as_operator,
    Path: lambda value, argument: Path(value),
}
WORDS: dict[Any, str] = {
    bool: "true or false", int: "a whole number", float: "a real number", str: "text", Path: "a path",
    type(None): "", np.ndarray: "an array of numbers", Sequence: "a list", Mapping: "a table by name", list: "a list",
    tuple: "a list", Iterable: "a list",
}  # fmt: skip
REMEDIES: dict[str, str] = {
    "bool": "pass True", "int": "pass a whole number such as 4", "float": "pass a number such as 1.0",
    "str": "pass a name in quotes", "Path": 'pass "file.json"', "Model": "pass gc.models.tfim(4)",
    "Lindbladian": "pass gc.dll(model, beta=1.0)", "DiscreteChannel": "pass gc.discrete(model, beta=1.0)",
    "Program": "pass gc.compile(generator)", "RunResult": "pass gc.run(program)",
    "Comparison": "pass gc.compare(result)", "Evolution": "pass gc.evolve(generator, rho, times)",
    "SparsePauliOp": 'pass SparsePauliOp("ZZ")', "Bath": "pass gc.baths.ohmic(beta)",
    "ndarray": "pass a NumPy array of numbers", "Sequence": "pass a list", "Mapping": "pass a dict",
}  # fmt: skip


def in_words(kind: Any) -> str:
    """What an annotation asks for."""
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, get_args(kind)))}"
    base = get_origin(kind) or kind
    if base in WORDS:
        return WORDS[base]
    name = getattr(base, "__name__", str(base))
    return "a function" if name == "Callable" else f"a {name}"


def remedy(kinds: Sequence[Any]) -> str:
    """Something to pass in place of what was refused."""
    for kind in kinds:
        if get_origin(kind) is Literal:
            return f"pass {get_args(kind)[0]!r}"
        name = getattr(get_origin(kind) or kind, "__name__", "")
        if name == "Callable":
            return "pass a function"
        if name in REMEDIES:
            return REMEDIES[name]
    return f"pass {in_words(kinds[0]) or 'another value'}"
