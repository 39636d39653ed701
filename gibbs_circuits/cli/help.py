"""What `--help` teaches, generated from the library, the schemes and the schema of the experiment file.

Each topic imports what it is about, and no more: `--help` must not wait for Qiskit.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import BaseModel


def _escape(text: str) -> str:
    return text.replace("[", r"\[")


def _toml(value: object) -> str:
    """A default as it would stand in a file."""
    return json.dumps(value.value if isinstance(value, Enum) else value, ensure_ascii=False)


def _keys(schema: type[BaseModel], without: tuple[str, ...] = (), chosen: Collection[str] = ()) -> list[str]:
    lines = []
    for name, field in schema.model_fields.items():
        if name in without:
            continue
        if name in chosen:
            head = f"{name} (chosen if left out)"
        elif field.default is None or field.is_required():
            head = f"{name} (optional)" if not field.is_required() else name
        else:
            head = f"{name} = {_toml(field.default)}"
        lines.append(_escape(f"  {head}: {field.description}"))
    return lines


def models_help() -> str:
    """The library models with their formulas and keys."""
    from ..models.library.bonds import LATTICES, lattice_keys
    from ..models.library.registry import LIBRARY

    lines = ["[bold]Library models[/bold] (\\[model] name = …, then the keys shown; chains are open unless periodic)"]
    for name, entry in LIBRARY.items():
        keys = ", ".join(f"{key} = {_toml(parameter.default)}" for key, parameter in entry.parameters.items())
        lines.append(_escape(f"  {name}: {entry.summary}   ({keys})"))
    kinds = "; ".join(
        f'"{name}" ({", ".join(f"{key} = {_toml(one.default)}" for key, one in lattice_keys(kind).items())})'
        for name, kind in LATTICES.items()
    )
    named = ", ".join(name for name, entry in LIBRARY.items() if entry.anywhere)
    lines.append(
        _escape(f"  lattice of {named}, with its keys in place of the chain's: {kinds}; columns and rows of heavy_hex ")
        + "are hexagons. J there is one number or one per bond, a field one number or one per site"
    )
    lines.append("Every file key: gibbs-circuits run --help. Every knob of the schemes: gibbs-circuits compile --help.")
    return "\n\n".join(lines)


def knobs_help() -> str:
    """Every scheme with its knobs and what they mean."""
    from ..compiler.presets.registry import PRESETS
    from ..compiler.schemes.registry import SCHEMES
    from ..search.task import AutoKnobs

    lines = ["[bold]Schemes and their knobs[/bold] (\\[compile])"]
    for scheme in SCHEMES.values():
        order = "exact" if scheme.order is None else f"order {scheme.order} in the strength"
        lines.append(f"[bold]{scheme.name}[/bold]: {scheme.summary}; {order}")
        family = scheme.knobs.families()[-1]
        lines += _keys(scheme.knobs, tuple(family.model_fields), scheme.knobs.chosen)
        if len(scheme.knobs.families()) > 1:
            lines.append(f"  and the knobs of {family.family}, below")
    lines.append(
        "[bold]auto[/bold]: searches for the fewest two-qubit gates that meet target_error, says what it may claim, "
        "and shows the frontier it chose from; the same question is answered from $GIBBS_CIRCUITS_CACHE "
        "(~/.cache/gibbs_circuits)"
    )
    lines += _keys(AutoKnobs)
    explained: tuple[str, ...] = ()
    for family in dict.fromkeys(family for scheme in SCHEMES.values() for family in scheme.knobs.families()):
        lines.append(f"[bold]Knobs of {family.family}[/bold]")
        lines += _keys(family, explained, family.chosen)
        explained += tuple(family.model_fields)
    lines.append(
        "[bold]Published recipes[/bold], from Python: gc.presets.<name>(…); gc.citation(program): what to cite"
    )
    lines += [_escape(f"  {preset.name}: {preset.summary} ({preset.source})") for preset in PRESETS.values()]
    return "\n\n".join(lines)


def generator_help() -> list[str]:
    """Every kind of generator with its keys."""
    from ..generators.kinds.registry import KINDS, WRAPPERS

    lines = [r"[bold]\[generator][/bold]: kind (dll if left out), couplings, coherent, and what the kind takes"]
    shared = ("kind", "couplings")
    couplings = next(iter(KINDS.values())).schema.model_fields["couplings"]
    lines.append(_escape(f"  couplings = {_toml(couplings.default)}: {couplings.description}"))
    for kind in dict.fromkeys(KINDS.values()):
        lines.append(_escape(f'  kind = "{kind.name}": {kind.summary}'))
        lines += [f"  {line}" for line in _keys(kind.schema, without=shared)]
    lines += [_escape(f'  kind = "{one.name}", inside = "dll": {one.summary}') for one in WRAPPERS.values()]
    lines.append(
        r"  several baths: one \[\[generator.contacts]] each, with beta and the keys above; then \[model] has no beta"
    )
    return lines


def experiment_help() -> str:
    """Every section and key of an experiment file."""
    from ..experiments.keys import CompileKeys, RunKeys

    lines = [
        "[bold]The experiment file[/bold]",
        r"[bold]\[model][/bold]: beta, and exactly one of name (a library model: gibbs-circuits --help), "
        r'terms = \[\["ZZII", -1.0], …] (rightmost letter: qubit 0), file = "h2.json"',
    ]
    lines += generator_help()
    for section, schema in (("compile", CompileKeys), ("run", RunKeys)):
        lines.append(rf"[bold]\[{section}][/bold]")
        lines += _keys(schema)
    lines.append(r"[bold]\[observables][/bold]: name = \[\[label, coefficient], …]; the energy is always there")
    return "\n\n".join(lines)


def targets_help() -> str:
    """Every key of a target's file."""
    from pydantic import BaseModel

    from ..backends.devices.keys import Durations
    from ..backends.targets.registry import KINDS

    lines = [
        "[bold]A target is a TOML file[/bold], named by its path, or by its name in ./hardware_configs/; the packaged "
        "ones are examples. What the kind, or a snapshot beside it, leaves without a use is refused."
    ]
    tables: list[tuple[str, type[BaseModel]]] = []
    for kind, schema in KINDS.items():
        lines.append(f'[bold]kind = "{kind}"[/bold]: {(schema.__doc__ or "").splitlines()[0]}')
        inner = {
            name: field.annotation
            for name, field in schema.model_fields.items()
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
        }
        lines += _keys(schema, without=("kind", *inner))
        tables += [(name, table) for name, table in inner.items() if (name, table) not in tables]
    for name, table in tables:
        lines.append(rf"[bold]\[{name}][/bold]: {(table.__doc__ or '').splitlines()[0]}")
        lines += _keys(table, without=("durations",))
        if "durations" in table.model_fields:
            lines.append(rf"  [bold]\[{name}.durations][/bold]")
            lines += _keys(Durations)
    return "\n\n".join(lines)
