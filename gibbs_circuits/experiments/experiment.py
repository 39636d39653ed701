"""An experiment file as typed objects: strings become choices here, once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from qiskit.quantum_info import SparsePauliOp

from ..backends.targets.base import Target
from ..backends.targets.registry import load_target
from ..errors import ArgumentError, check_beta, check_choice, check_known, shown, slip
from ..generators.kinds.registry import make_generator
from ..generators.lindbladian import Generator
from ..io.schema import from_validation
from ..io.text import name_of, read_toml
from ..linalg.threads import small_matrices
from ..models.files import read_model
from ..models.library.registry import LIBRARY
from ..models.model import Model, pauli_sum
from ..programs.initial_state import InitialState
from ..programs.program import Calibration
from .choices import default_backend, make_initial, make_observables, make_scheme
from .keys import CompileKeys, RunKeys
from .schemes import ChosenScheme

SECTIONS = ("model", "generator", "compile", "run", "observables")
MINIMAL = 'model = {name = "tfim", sites = 2, beta = 1.0}'  # a whole experiment
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, eq=False)
class Experiment:
    """Everything an experiment file says, as objects."""

    name: str
    path: Path
    generator: Generator
    scheme: ChosenScheme
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
        """The model of the generator."""
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
    scheme = make_scheme(head.scheme, _without(data.get("compile", {}), CompileKeys), path)
    run = _keys(RunKeys, data.get("run", {}), path, "run")
    try:
        backend = run.backend or default_backend(model.num_qubits, run.shots)
        target = load_target(backend, path.parent if backend_from_file and run.backend else None)
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
            "scheme": scheme.name,
            "target_error": head.target_error,
            "effort": head.effort,
            "time_budget": head.time_budget,
            **scheme.knobs.as_dict(),
            "calibration": Calibration(scheme.knobs.calibration).value,
        },
        "run": {"backend": backend, **run.model_dump(exclude_none=True)},
        "observables": data.get("observables", {}),
    }
    return Experiment(
        path.stem, path, generator, scheme, head.target_error, head.effort, head.time_budget, target,
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
    model, filled = LIBRARY[name].from_keys(name, {key: value for key, value in section.items() if key != "name"})
    return model, {"name": name, **filled}


def model_json(model: Model) -> str:
    """A model as a file that `[model] file` reads."""
    return json.dumps({"name": model.name, "num_qubits": model.num_qubits, "terms": model.terms}, indent=1)
