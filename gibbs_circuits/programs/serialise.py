"""A program as JSON and back: its steps, settings and claims, for the model and β it was made for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import ArgumentError, InvalidProgramError, shown, shown_text
from ..evidence import Status
from ..generators.lindbladian import Generator
from ..io.files import intact, sealed
from ..io.text import parsed_json, read_bytes
from ..limits import MAX_REGISTER, MAX_SAVED_BYTES, MAX_SWEEPS
from .product_formulas import read_group
from .program import Alternative, Calibration, ErrorTerm, Guarantee, Program, Rung, Search, Stage
from .steps import Branch, Correct, Couple, Evolve, RandomChoice, RandomDelay, Reset, Step, Unitary

FORMAT = 4
ADDED: dict[int, dict[str, Any]] = {  # by the format that brought them, fields with what earlier documents say
    2: {"preparation": None, "worst_found": None},
    3: {"search": None},
    4: {"given_found": None, "region": None},
}
UNREADABLE = (
    KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, RecursionError, InvalidProgramError,
)  # fmt: skip
LONGEST = 160  # characters of a reason
STEPS = {step.kind: step for step in (Evolve, Correct, Couple, Unitary, Reset, RandomDelay)}  # and choices of these


def physics_hash(generator: Generator) -> str:
    """SHA-256 of what decides the Gibbs state: the Hamiltonian's terms, in a fixed order, and β."""
    terms = sorted((label, float(c).hex()) for label, c in generator.model.terms)
    return hashlib.sha256(json.dumps([terms, float(generator.beta).hex()]).encode()).hexdigest()


def to_saved(program: Program) -> dict[str, Any]:
    """Everything but the generator, whose Hamiltonian and β stand in it as a hash; floats survive to the last bit."""
    document = {
        "format": FORMAT,
        "physics": physics_hash(program.generator),
        "hash": program.hash,
        "num_system": program.num_system,
        "num_ancilla": program.num_ancilla,
        "groups": [group.terms for group in program.groups],
        "stages": [{"repeats": s.repeats, "steps": [step.saved() for step in s.steps]} for s in program.stages],
        "scheme": program.scheme,
        "knobs": dict(program.knobs),
        "declared": [{**asdict(t), "rung": t.rung.value, "status": t.status.value} for t in program.declared],
        "recipe": program.recipe,
        "provenance": program.provenance,
        "calibration": program.calibration.value,
        "guarantee": None if program.guarantee is None else program.guarantee.value,
        "frontier": [asdict(one) for one in program.frontier],
        "preparation": program.preparation,
        "worst_found": program.worst_found,
        "given_found": program.given_found,
        "region": program.region,
        "search": None if program.search is None else asdict(program.search),
    }
    return sealed(document)


def from_saved(data: Mapping[str, Any], generator: Generator) -> Program:
    """The program that `to_saved` wrote; what it claims is sealed with it, so that a hand that edits it is noticed.

    Raises:
        ArgumentError: If it is no such document, was made for another Hamiltonian or β, or was changed.
    """
    found = data.get("format") if isinstance(data, Mapping) else None
    if found not in range(1, FORMAT + 1):
        raise ArgumentError("program", f"have format {FORMAT}", f"it has {shown(found)}", "compile it anew")
    if data.get("physics") != physics_hash(generator):
        raise ArgumentError(
            "program", "be made for this Hamiltonian and β", "it was made for others", "compile it anew"
        )
    if not intact(data):
        raise ArgumentError(
            "program", "be as it was saved", "it was changed since, so that its claims are void",
            "compile it anew with the knobs you want",
        )  # fmt: skip
    try:
        program = _program(data, generator)
    except UNREADABLE as error:
        known = isinstance(error, InvalidProgramError)
        reason = shown_text(str(error), LONGEST) if known else shown(error, LONGEST)
        raise ArgumentError(
            "program", "be a program that was saved", f"it cannot be read: {reason}", "compile it anew"
        ) from None
    if data.get("hash") != program.hash:
        raise ArgumentError(
            "program", "have the steps that its hash says", f"they hash to {program.hash[:12]}", "compile it anew"
        )
    return program


def _program(data: Mapping[str, Any], generator: Generator) -> Program:
    guarantee = data["guarantee"]
    added = {key: said for format, fields in ADDED.items() if format > data["format"] for key, said in fields.items()}
    data = {**data, **added}
    prepared = guarantee == Guarantee.GIVEN_START.value if data["preparation"] is None else data["preparation"]
    region = data["region"]
    n = _whole(data["num_system"], generator.num_qubits)
    return Program(
        num_system=n,
        num_ancilla=_whole(data["num_ancilla"], MAX_REGISTER),
        groups=tuple(read_group(terms) for terms in data["groups"]),
        stages=tuple(Stage(_steps(s["steps"], n), _whole(s["repeats"], MAX_SWEEPS)) for s in data["stages"]),
        generator=generator,
        scheme=str(data["scheme"]),
        knobs={key: tuple(v) if isinstance(v, list) else v for key, v in data["knobs"].items()},
        declared=tuple(
            ErrorTerm(Rung(t["rung"]), t["value"], t["unit"], Status(t["status"]), t["source"])
            for t in data["declared"]
        ),
        recipe=str(data["recipe"]),
        provenance=str(data["provenance"]),
        calibration=Calibration(data["calibration"]),
        guarantee=None if guarantee is None else Guarantee(guarantee),
        frontier=tuple(Alternative(**one) for one in data["frontier"]),
        preparation=bool(prepared),
        worst_found=_distance(data["worst_found"]),
        given_found=_distance(data["given_found"]),
        region=None if region is None else _whole(region, n),
        search=None if data["search"] is None else _search(data["search"]),
    )


def _search(data: Mapping[str, Any]) -> Search:
    return Search(
        seed=int(data["seed"]), effort=_number(data["effort"]), time_budget=_number(data["time_budget"]),
        done=_number(data["done"]), ran_out=bool(data["ran_out"]), seconds=_number(data["seconds"]),
    )  # fmt: skip


def _distance(value: Any) -> float | None:
    return None if value is None else float(value)


def _number(value: Any) -> float:
    """As it stands, whole or not, so that what is written again is the same."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("a number is none")
    return value


def load_program(path: Path, generator: Generator) -> Program:
    """The program in a file.

    Raises:
        ArgumentError: If there is none, or it is not for this generator.
    """
    try:
        document = parsed_json(read_bytes(path, "program", MAX_SAVED_BYTES))
    except ArgumentError:
        raise
    except (OSError, ValueError) as error:  # a path with a null character is a ValueError too
        said = error.strerror if isinstance(error, OSError) else f"it is no JSON ({error})"
        raise ArgumentError(
            "program", "be a file of a saved program", f"{path}: {said}", "write one: compile --out program.json"
        ) from None
    try:
        return from_saved(document, generator)
    except ArgumentError as error:
        raise ArgumentError(error.argument, error.rule, f"{path}: {error.found}", error.fix) from None


def _steps(data: Any, n: int) -> tuple[Step, ...]:
    return tuple(_choice(one, n) if one["kind"] == RandomChoice.kind else _read(one, n) for one in data)


def _choice(data: Mapping[str, Any], n: int) -> RandomChoice:
    """Branches hold no choice of their own, so that no document can nest deeper than this."""
    found = (Branch(float(b["probability"]), tuple(_read(one, n) for one in b["steps"])) for b in data["branches"])
    return RandomChoice(tuple(found))


def _read(data: Mapping[str, Any], n: int) -> Step:
    kind, values = data["kind"], {key: value for key, value in data.items() if key != "kind"}
    if kind not in STEPS:
        raise ValueError(f"no step is called {shown(kind)}")
    return STEPS[kind].read(values, n)


def _whole(value: Any, most: int) -> int:
    """A whole number that is checked before anything of that size is made; Program checks the rest."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError(f"{shown(value)} is no whole number up to {most}")
    return value
