"""An experiment file as typed objects: strings become choices here, once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from qiskit.quantum_info import SparsePauliOp

from .backends.request import DEFAULT_REALISATIONS, ENERGY
from .compiler import SCHEMES, Knobs, Scheme
from .errors import ArgumentError, check_beta, check_choice, check_known, check_name, check_real, shown, slip
from .generator_keys import make_generator
from .generator_schemas import Generator
from .limits import MAX_EFFORT, MAX_TIME_BUDGET
from .models import LIBRARY, Model, fitting, hermitian, is_matrix, pauli_sum, read_model
from .models.text import name_of, read_toml
from .qasm import read_start
from .readings.initial import InitialState, bits, mixed, one, zero
from .targets import Target, load_target
from .threads import small_matrices
from .tuning.auto import AUTO, AutoKnobs
from .tuning.clock import EFFORT, TIME_BUDGET
from .validation import from_validation

SECTIONS = ("model", "generator", "compile", "run", "observables")
MINIMAL = 'model = {name = "tfim", sites = 2, beta = 1.0}'  # a whole experiment
M = TypeVar("M", bound=BaseModel)


class CompileKeys(BaseModel):
    """[compile]: keys every scheme has, besides its own knobs."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)
    scheme: str = Field(default="parallel", description="how jumps become circuits: gibbs-circuits compile --help.")
    target_error: float = Field(
        default=0.10, gt=0, le=1, allow_inf_nan=False, description="trace distance that still agrees."
    )
    effort: float = Field(
        default=EFFORT, gt=0, le=MAX_EFFORT, allow_inf_nan=False, description="how hard is searched, in steps of about "
        "60 s of a quiet core: what is found depends on it and the seed alone, unless time runs out.",
    )  # fmt: skip
    time_budget: float = Field(
        default=TIME_BUDGET, gt=0, le=MAX_TIME_BUDGET, allow_inf_nan=False, examples=[300.0],
        description="seconds after which a search or synthesis is cut off, > 0.",
    )  # fmt: skip


class RunKeys(BaseModel):
    """[run]: where, how often, from where."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    backend: str = Field(default="aer_density_matrix", description="a packaged target's name or a .toml file.")
    shots: int = Field(default=0, ge=0, le=10**9, description="per measurement basis; 0 = exact expectation values.")
    seed: int = Field(default=1, ge=0, le=2**63 - 1, description="fixes everything random.")
    initial: str = Field(default="zero", description="zero, one, mixed, a bit string, or a .qasm file.")
    ancilla_policy: Literal["automatic", "reset", "fresh", "recorded"] = Field(
        default="automatic",
        description="what becomes of used ancillas: reset, replaced by fresh ones (one per reset), or measured and "
        "recorded before the reset; automatic: reset where the target can, else fresh.",
    )
    realisations: int | None = Field(
        default=None,
        ge=1,
        le=10**5,
        examples=[DEFAULT_REALISATIONS],
        description=f"draws of the random steps the result is the mean over; left out: {DEFAULT_REALISATIONS}, and 1 on"
        " a simulator where a program has no random step.",
    )


@dataclass(frozen=True, eq=False)
class Experiment:
    """Everything an experiment file says, as objects."""

    name: str
    path: Path
    generator: Generator
    scheme: Scheme | None  # None: the cheapest program is searched for
    knobs: Knobs | AutoKnobs
    target_error: float
    effort: float
    time_budget: float
    target: Target
    shots: int
    seed: int
    initial: InitialState
    realisations: int | None  # None: as many as the program needs
    ancilla_policy: str
    observables: dict[str, SparsePauliOp]
    filled: dict[str, Any]  # the file with defaults filled in

    @property
    def model(self) -> Model:
        """The model."""
        return self.generator.model


def read_experiment(
    path: Path, *, backend: str | None = None, seed: int | None = None, time_budget: float | None = None
) -> Experiment:
    """An experiment from its TOML file; `backend`, `seed` and `time_budget` of the command line win.

    Raises:
        ArgumentError: Naming the file, the key, what was found and a fix.
    """
    try:
        data = read_toml(path, "the experiment")
    except ArgumentError as error:
        if path.is_file() and error.found.endswith("is empty"):
            error = ArgumentError("the file", "hold an experiment", "it is empty", f"write {MINIMAL}")
        raise error.located(path) from None
    if not data:
        raise ArgumentError("the file", "hold an experiment", "it is empty", f"write {MINIMAL}", path)
    for section, value in data.items():
        try:
            check_known(section, SECTIONS)
        except ArgumentError as error:
            rule = f"be one of the sections {', '.join(SECTIONS)}"
            fix = _section_of(section, value) or error.fix
            raise ArgumentError(section or '""', rule, error.found, fix, path) from None
        if not isinstance(value, dict):
            raise ArgumentError(section, "be a section", f"{shown(value)} was found", f"write [{section}]", path)
    if "model" not in data:
        raise ArgumentError("model", "be given", "there is no such section", f"add {MINIMAL}", path)
    if backend is not None:
        data.setdefault("run", {})["backend"] = backend
    if seed is not None:
        data.setdefault("run", {})["seed"] = seed
    if time_budget is not None:
        data.setdefault("compile", {})["time_budget"] = time_budget
    return _experiment(path, data, backend_from_file=backend is None)


def _section_of(key: str, value: Any) -> str | None:
    """Where a key that stands outside of all sections belongs."""
    homes: dict[str, type[BaseModel]] = {"compile": CompileKeys, "run": RunKeys}
    own = {"model": ("name", "terms", "file", "beta", "sites"), "generator": ("kind", "couplings", "filter", "bath")}
    own |= {section: tuple(schema.model_fields) for section, schema in homes.items()}
    home = next((section for section, keys in own.items() if key in keys), None)
    return None if home is None or isinstance(value, dict) else f"write [{home}] above it"


def _experiment(path: Path, data: dict[str, Any], *, backend_from_file: bool) -> Experiment:
    model, beta, filled_model = _model(path, data["model"], several="contacts" in data.get("generator", {}))
    with small_matrices(model.num_qubits):
        generator, keys = make_generator(model, beta, data.get("generator", {}), path)
    head = _keys(CompileKeys, data.get("compile", {}), path, "compile")
    scheme, knobs = make_scheme(head.scheme, _without(data.get("compile", {}), CompileKeys), path)
    run = _keys(RunKeys, data.get("run", {}), path, "run")
    try:
        target = load_target(run.backend, path.parent if backend_from_file else None)
        initial = make_initial(run.initial, model.num_qubits, path.parent)
    except ArgumentError as error:
        raise error.located(path, "run") from None
    try:
        observables = make_observables(data.get("observables", {}), model.num_qubits)
    except ArgumentError as error:
        raise error.located(path) from None
    filled = {
        "model": filled_model,
        "generator": keys,
        "compile": {
            "scheme": AUTO if scheme is None else scheme.name,
            "target_error": head.target_error,
            "effort": head.effort,
            "time_budget": head.time_budget,
            **knobs.as_dict(),
            "calibration": knobs.calibration if isinstance(knobs, AutoKnobs) else knobs.calibration.value,
        },
        "run": run.model_dump(exclude_none=True),
        "observables": data.get("observables", {}),
    }
    return Experiment(
        path.stem, path, generator, scheme, knobs, head.target_error, head.effort, head.time_budget, target,
        run.shots, run.seed, initial, run.realisations, run.ancilla_policy, observables, filled,
    )  # fmt: skip


def _without(section: dict[str, Any], keys: type[BaseModel]) -> dict[str, Any]:
    return {key: value for key, value in section.items() if key not in keys.model_fields}


def _keys(schema: type[M], section: dict[str, Any], path: Path, name: str) -> M:
    try:
        return schema.model_validate(section)
    except ValidationError as error:
        raise from_validation(error, schema, path, name) from None


def _model(path: Path, section: dict[str, Any], *, several: bool) -> tuple[Model, float | None, dict[str, Any]]:
    try:
        if "beta" not in section and not several:
            raise ArgumentError("beta", "be given", "it is missing", "add beta = 1.0")
        if several and "beta" in section:
            raise ArgumentError(
                "beta", "be absent when there are contacts", f"{shown(section['beta'])} was found",
                "move beta into every [[generator.contacts]]",
            )  # fmt: skip
        beta = check_beta(section["beta"]) if "beta" in section else None
        rest = {key: value for key, value in section.items() if key != "beta"}
        model, filled = _model_from(rest, path)
    except ArgumentError as error:
        raise error.located(path, "model") from None
    return model, beta, filled if beta is None else {**filled, "beta": beta}


def _model_from(section: dict[str, Any], path: Path) -> tuple[Model, dict[str, Any]]:
    given = [key for key in ("name", "terms", "file") if key in section]
    if len(given) != 1:
        found = f"{' and '.join(given)} were found" if given else "none was found"
        fix = f"keep one, e.g. {given[0]}" if given else _meant_source(section)
        raise ArgumentError("name", "be the only one of name, terms, file", found, fix)
    if given == ["name"]:
        return _library_model(section)
    for key in section:
        if key not in given:
            check_known(key, ("beta", *given), section[key], whose=f"beside {given[0]}")
    if given == ["terms"]:
        return Model(pauli_sum(section["terms"], "terms"), name_of(path)), {"terms": section["terms"]}
    file = section["file"]
    if not isinstance(file, str):
        raise ArgumentError("file", "be a path", f"{shown(file)} was found", 'write file = "h2.json"')
    return read_model(path.parent / file), {"file": file}


def _meant_source(section: dict[str, Any]) -> str:
    """What a model without a source may lack: a key that is a slip of the pen, else a name."""
    for key, value in section.items():
        near = slip(key, ("name", "terms", "file"))
        if near is not None:
            return f'write {near} = "{value}"' if isinstance(value, str) and len(value) < 40 else f"write {near}"
    return 'add name = "tfim"'


def _library_model(section: dict[str, Any]) -> tuple[Model, dict[str, Any]]:
    name = check_choice("name", section["name"], LIBRARY)
    entry = LIBRARY[name]
    values = {key: value for key, value in section.items() if key != "name"}
    for key in values:
        check_known(key, entry.parameters, values[key], whose=f"of {name}")
    defaults = {key: parameter.default for key, parameter in entry.parameters.items()}
    return entry.build(**values), {"name": name, **defaults, **values}


def make_scheme(
    name: str, knobs: dict[str, Any], file: Path | None = None
) -> tuple[Scheme, Knobs] | tuple[None, AutoKnobs]:
    """A scheme and its knobs from their names; None and what a search may use for "auto"."""
    try:
        check_choice("scheme", name, [AUTO, *SCHEMES])
    except ArgumentError as error:
        raise (error if file is None else error.located(file, "compile")) from None
    if name == AUTO:
        return None, _auto_knobs(knobs, file)
    scheme = SCHEMES[name]
    try:
        chosen = scheme.knobs.model_validate(knobs)
        for key in ("coherent_radius", "coherent_tolerance"):
            changed = key in knobs and knobs[key] != scheme.knobs.model_fields[key].default
            if changed and getattr(chosen, "coherent_term", None) == "omit":
                unused = ArgumentError(
                    key, "be left out where B is not compiled", "it is unused here", 'set coherent_term = "compile"'
                )
                raise unused if file is None else unused.located(file, "compile")
        return scheme, chosen
    except ValidationError as error:
        section = "compile" if file else ""
        located = from_validation(error, scheme.knobs, file or Path(), section, CompileKeys.model_fields)
        raise (located if file else ArgumentError(located.argument, located.rule, located.found, located.fix)) from None


def _auto_knobs(knobs: dict[str, Any], file: Path | None) -> AutoKnobs:
    try:
        return AutoKnobs.model_validate(knobs)
    except ValidationError as error:
        found = from_validation(error, AutoKnobs, file or Path(), "compile" if file else "", CompileKeys.model_fields)
        raise (found if file else ArgumentError(found.argument, found.rule, found.found, found.fix)) from None


def make_initial(name: str, num_qubits: int, folder: Path) -> InitialState:
    """A start from its name, a bit string, or a QASM file."""
    named = {"zero": lambda: zero(num_qubits), "one": lambda: one(num_qubits), "mixed": mixed}
    if name in named:
        return named[name]()
    if name and set(name) <= set("01"):
        if len(name) != num_qubits:
            raise ArgumentError(
                "initial",
                f"have {num_qubits} bits, one per site",
                f"{shown(name)} has {len(name)}",
                _same_bits(name, num_qubits),
            )
        return bits(name)
    if name.endswith(".qasm"):
        return InitialState(name, read_start(folder / name, num_qubits))
    near = slip(name, [*named, *(f"all_{key}" for key in named)])
    raise ArgumentError(
        "initial",
        "be zero, one, mixed, a bit string or a .qasm file",
        f"{shown(name)} was found",
        f'set initial = "{near or "zero"}"',
    )


def _same_bits(pattern: str, num_qubits: int) -> str:
    """A bit string of another length: the word for it where all bits are one, else what to do."""
    if len(set(pattern)) == 1:
        return f'set initial = "{"zero" if pattern[0] == "0" else "one"}"'
    spare = len(pattern) - num_qubits
    return f"leave out {spare} bits" if spare > 0 else f'set initial = "{pattern.rjust(num_qubits, "0")[:60]}"'


def make_observables(observables: Mapping[str, object], num_qubits: int) -> dict[str, SparsePauliOp]:
    """Observables by name from operators or lists of [label, coefficient]."""
    made: dict[str, SparsePauliOp] = {}
    if not isinstance(observables, Mapping):
        raise ArgumentError(
            "observables", "be a table of operators by name", f"{shown(observables)} was found",
            'pass {"magnetisation": operator}',
        )  # fmt: skip
    for name, written in observables.items():
        argument = f"observables.{name}"
        check_name("observables", name, "magnetisation")
        if name == ENERGY:
            raise ArgumentError(argument, "have another name", "the energy is always there", "write total_energy")
        if isinstance(written, list | tuple) and not is_matrix(written):
            made[name] = pauli_sum(written, argument, num_qubits)
            continue
        made[name] = fitting(hermitian(written, argument), argument, num_qubits)
    return made


def check_target_error(value: object) -> float:
    """A trace distance in (0, 1]."""
    number = check_real("target_error", value, low=0.0, above=True)
    if number > 1:
        meant = number / 100 if number <= 100 else 0.1  # per cent
        raise ArgumentError("target_error", "be at most 1", f"the value is {number:g}", f"set target_error = {meant:g}")
    return number


def model_json(model: Model) -> str:
    """A model as a file that `[model] file` reads."""
    return json.dumps({"name": model.name, "num_qubits": model.num_qubits, "terms": model.terms}, indent=1)
