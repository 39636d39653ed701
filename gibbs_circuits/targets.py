"""Where a program may run: hardware_configs/*.toml as typed targets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from qiskit.transpiler import CouplingMap

from .errors import ArgumentError, shown
from .models.text import read_toml

FOLDER = "hardware_configs"
KINDS: dict[Any, str] = {
    int: "a whole number", float: "a finite number", str: "text in quotes", bool: "true or false"
}  # fmt: skip


class HeavyHex(BaseModel):
    """A heavy-hex lattice of odd code distance d: (5d² − 2d − 1)/2 qubits."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    heavy_hex: Literal[3, 5, 7, 9, 11]


class Noise(BaseModel):
    """Errors of a target; all zero is no noise at all.

    Depolarising with probability p on d levels takes ρ to (1 − p) ρ + p Tr[ρ] 1/d: the state is lost with probability
    p, so that an error other than the identity happens with probability p (1 − 1/d²).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    p1: float = Field(
        default=0.0, ge=0, lt=1, allow_inf_nan=False, examples=[1e-4],
        description="depolarising probability after every one-qubit basis gate except rz: ρ → (1 − p) ρ + p 1/2.",
    )  # fmt: skip
    p2: float = Field(
        default=0.0, ge=0, lt=1, allow_inf_nan=False, examples=[1e-3],
        description="depolarising probability after every two-qubit basis gate, on its pair: ρ → (1 − p) ρ + p 1/4.",
    )  # fmt: skip
    reset: float = Field(
        default=0.0, ge=0, lt=1, allow_inf_nan=False, examples=[1e-3],
        description="probability that a reset leaves |1⟩ instead of |0⟩.",
    )  # fmt: skip

    @property
    def present(self) -> bool:
        """Whether there is any."""
        return max(self.p1, self.p2, self.reset) > 0


class Target(BaseModel):
    """A simulator or device: its gates, its lattice, how it runs."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str = Field(min_length=1, examples=["my_target"], description="What reports call it.")
    description: str = Field(default="", description="One line for `gibbs-circuits backends`.")
    kind: Literal["aer"] = Field(examples=["aer"], description="How it runs: aer, a local simulation.")
    method: Literal["density_matrix", "statevector"] = Field(
        examples=["density_matrix"], description="Aer's simulation method."
    )
    basis: tuple[str, ...] = Field(
        default=("cz", "rz", "sx", "x"), strict=False, description="Basis gates; reset is always there.",
        json_schema_extra={"rule": "be a list of gate names"},
    )  # fmt: skip
    coupling: Literal["all_to_all"] | HeavyHex = Field(
        default="all_to_all",
        description="Which pairs interact.",
        json_schema_extra={"rule": 'be "all_to_all" or {heavy_hex = 3}, with 3, 5, 7, 9 or 11'},
    )
    max_qubits: int = Field(default=13, ge=1, le=1000, description="Most qubits in use that a run may have.")
    noise: Noise = Field(
        default=Noise(),
        examples=[{"p1": 1e-4, "p2": 1e-3}],
        description="Errors of gates and resets; none by default.",
        json_schema_extra={"rule": "be a table of p1, p2, reset"},
    )

    @property
    def coupling_map(self) -> CouplingMap | None:
        """Qiskit's coupling map; None where every pair interacts."""
        if isinstance(self.coupling, HeavyHex):
            return CouplingMap.from_heavy_hex(self.coupling.heavy_hex, bidirectional=True)
        return None


def packaged_folder() -> Path:
    """The configurations shipped with the package: beside its files in a wheel, at the top of a source tree."""
    inside = Path(__file__).parent / FOLDER
    return inside if inside.is_dir() else Path(__file__).parent.parent / FOLDER


def folders() -> tuple[Path, Path]:
    """Where names are looked up, in order."""
    return Path.cwd() / FOLDER, packaged_folder()


def available_targets() -> dict[str, Path]:
    """Every configuration that can be found by name; one in ./hardware_configs/ hides a packaged one."""
    found: dict[str, Path] = {}
    for folder in reversed(folders()):
        if folder.is_dir():
            found |= {path.stem: path for path in sorted(folder.glob("*.toml"))}
    return dict(sorted(found.items()))


def load_target(name: str | Path, relative_to: Path | None = None) -> Target:
    """The target in a TOML file, or of a name in ./hardware_configs/ or among the packaged ones.

    Raises:
        ArgumentError: If there is none, or the file is not a target.
    """
    known = available_targets()
    if str(name) in known:
        return read_target(known[str(name)])
    path = Path(name) if relative_to is None else relative_to / name
    if Path(name).suffix == ".toml":
        return read_target(path)
    raise ArgumentError(
        "backend", f"be a .toml file or one of {', '.join(known)}", f"{shown(str(name))} was found",
        'set backend = "aer_density_matrix"',
    )  # fmt: skip


def read_target(path: Path) -> Target:
    """A target from its TOML file."""
    try:
        return Target.model_validate(read_toml(path, "backend"))
    except ValidationError as error:
        raise from_validation(error, Target, path) from None


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
