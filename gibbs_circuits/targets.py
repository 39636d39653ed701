"""Where a program may run: hardware_configs/*.toml as typed targets."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from qiskit.transpiler import CouplingMap

from .errors import ArgumentError, shown
from .models.files import read_text

FOLDER = "hardware_configs"


class HeavyHex(BaseModel):
    """A heavy-hex lattice of odd code distance d: (5d² − 2d − 1)/2 qubits."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    heavy_hex: Literal[3, 5, 7, 9, 11]


class Target(BaseModel):
    """A simulator or device: its gates, its lattice, how it runs."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str = Field(min_length=1, description="What reports call it.")
    description: str = Field(default="", description="One line for `gibbs-circuits backends`.")
    kind: Literal["aer"] = Field(description="How it runs: aer, a local simulation.")
    method: Literal["density_matrix", "statevector"] = Field(description="Aer's simulation method.")
    basis: tuple[str, ...] = Field(
        default=("cz", "rz", "sx", "x"), strict=False, description="Basis gates; reset is always there."
    )
    coupling: Literal["all_to_all"] | HeavyHex = Field(default="all_to_all", description="Which pairs interact.")
    max_qubits: int = Field(default=13, ge=1, description="Most qubits in use that a run may have.")

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
        return Target.model_validate(tomllib.loads(read_text(path, "backend")))
    except tomllib.TOMLDecodeError as error:
        raise ArgumentError("the file", "be TOML", str(error), "mend that line", path) from None
    except ValidationError as error:
        raise from_validation(error, path) from None


def from_validation(error: ValidationError, file: Path, section: str = "") -> ArgumentError:
    """The first complaint of a schema, in the grammar of this package."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in (section, *first["loc"]) if str(part) and not _is_tag(part))
    found = f"{shown(first['input'])} was found" if "input" in first else "it is missing"
    match first["type"]:
        case "extra_forbidden":
            return ArgumentError(
                key, "be a known key", "it is unknown or unused here", f"remove {first['loc'][-1]}", file
            )
        case "missing":
            return ArgumentError(key, "be given", "it is missing", f"add {first['loc'][-1]}", file)
        case _:
            rule = first["msg"].lower().replace("input should ", "").replace("value should ", "")
            return ArgumentError(key, rule, found, f"mend {first['loc'][-1] if first['loc'] else 'it'}", file)


def _is_tag(part: object) -> bool:
    """Pydantic names the branch of a union inside a location; users know only keys."""
    return isinstance(part, str) and ("[" in part or part in {"HeavyHex", "function-plain", "tuple", "list", "str"})
