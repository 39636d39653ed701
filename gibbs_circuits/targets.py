"""Where a program may run: hardware_configs/*.toml as typed targets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from .errors import ArgumentError, check_choice, shown
from .models.text import read_toml
from .target_schemas import LEAST_BUSY, AerTarget, ClientOptions, Durations, HeavyHex, IbmTarget, Noise, SnapshotNoise
from .validation import from_validation

FOLDER = "hardware_configs"
SERVICE = "ibm"  # the packaged target behind every name of a real device
DEVICE_PREFIXES = ("ibm_", "fake_")


Target = AerTarget | IbmTarget
SCHEMAS: dict[str, type[AerTarget] | type[IbmTarget]] = {"aer": AerTarget, "ibm": IbmTarget}


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

    A name such as `ibm_boston` or `fake_marrakesh` that no file has is the packaged target `ibm` with that device, or
    that snapshot of the client.

    Raises:
        ArgumentError: If there is none, or the file is not a target.
    """
    known = available_targets()
    if str(name) in known:
        return read_target(known[str(name)])
    if str(name).startswith(DEVICE_PREFIXES) and Path(name).suffix != ".toml" and SERVICE in known:
        return read_target(known[SERVICE]).model_copy(
            update={"name": str(name), "device": str(name), "description": ""}
        )
    path = Path(name) if relative_to is None else relative_to / name
    if Path(name).suffix == ".toml":
        return read_target(path)
    raise ArgumentError(
        "backend",
        f"be a .toml file, a device such as ibm_boston, or one of {', '.join(known)}",
        f"{shown(str(name))} was found",
        'set backend = "aer_density_matrix"',
    )


def read_target(path: Path) -> Target:
    """A target from its TOML file.

    Raises:
        ArgumentError: Naming the file, the key, what was found and a fix.
    """
    data = read_toml(path, "backend")
    try:
        schema = SCHEMAS[check_choice("kind", data.get("kind", "aer"), SCHEMAS)]
    except ArgumentError as error:
        raise error.located(path) from None
    try:
        target = schema.model_validate(data)
    except ValidationError as error:
        raise from_validation(error, schema, path) from None
    check_used(target, set(data), path)
    if isinstance(target, AerTarget):
        check_consistent(target, path)
    return target


def check_used(target: Target, given: set[str], path: Path | None = None) -> None:
    """Refuse keys that the others leave without a use."""
    unused = dict[str, str]()
    if target.snapshot is None:
        unused["beyond_snapshot"] = "without a snapshot"
    elif isinstance(target, AerTarget):
        unused |= dict.fromkeys(("basis", "coupling", "noise"), "beside a snapshot, which has its own")
    if isinstance(target, AerTarget) and target.method in ("density_matrix", "statevector"):
        unused["bond_dimension"] = f"with method {target.method}"
    for key, why in unused.items():
        if key in given:
            raise ArgumentError(key, f"be left out {why}", "it is unused here", f"remove {key}", path)


def check_consistent(target: AerTarget, path: Path | None = None) -> None:
    """Refuse values that do not go together, of a file or of an object.

    Raises:
        ArgumentError: If a basis gate is unknown, or a qubit dephases more slowly than relaxation allows.
    """
    from qiskit.circuit import Gate  # loaded when used
    from qiskit.circuit.library import get_standard_gate_name_mapping

    gates = get_standard_gate_name_mapping()
    for name in target.basis:
        if not isinstance(gates.get(name), Gate) or gates[name].num_qubits > 2:
            raise ArgumentError(
                "basis", "name gates of Qiskit's on one or two qubits", f"{shown(name)} was found",
                'set basis = ["cz", "rz", "sx", "x"]', path,
            )  # fmt: skip
    noise = target.noise
    if (noise.t1 is None) != (noise.t2 is None) or (noise.t1 and noise.t2 and noise.t2 > 2 * noise.t1):
        raise ArgumentError(
            "noise.t2", "be given with t1, and at most twice it", f"t1 = {noise.t1}, t2 = {noise.t2} were found",
            "set t1 = 250.0 and t2 = 200.0", path,
        )  # fmt: skip


def as_toml(target: Target) -> dict[str, Any]:
    """What a file of this target holds: every key with a value of its own, and its kind."""
    return {"kind": target.kind, **target.model_dump(mode="json", exclude_defaults=True)}


__all__ = [
    "LEAST_BUSY", "SCHEMAS", "AerTarget", "ClientOptions", "Durations", "HeavyHex", "IbmTarget", "Noise",
    "SnapshotNoise", "Target", "as_toml", "available_targets", "check_consistent",
    "check_used", "folders", "load_target",
    "packaged_folder", "read_target",
]  # fmt: skip
