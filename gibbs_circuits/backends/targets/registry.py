"""Where a program may run: hardware_configs/*.toml as typed targets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ...errors import ArgumentError, check_choice, check_name, shown, slip
from ...io.schema import from_validation
from ...io.text import read_toml
from .aer import AerTarget
from .ibm import IbmTarget

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


FOLDER = "hardware_configs"
SERVICE = "ibm"  # the packaged target behind every name of a real device
DEVICE_PREFIXES = ("ibm_", "fake_")
DEFAULT_BASIS = ("cz", "rz", "sx", "x")
Target = AerTarget | IbmTarget
SCHEMAS: dict[str, type[AerTarget] | type[IbmTarget]] = {"aer": AerTarget, "ibm": IbmTarget}


def packaged_folder() -> Path:
    """The configurations shipped with the package: beside its files in a wheel, at the top of a source tree."""
    package = Path(__file__).parents[2]
    return package / FOLDER if (package / FOLDER).is_dir() else package.parent / FOLDER


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
    near = slip(str(name), known) or slip(path.stem, known)
    raise ArgumentError(
        "backend",
        f"be a .toml file, a device such as ibm_boston, or one of {', '.join(known)}",
        f"{shown(str(name))} was found",
        f'set backend = "{near or "aer_density_matrix"}"',
    )


def read_target(path: Path) -> Target:
    """A target from its TOML file.

    Raises:
        ArgumentError: Naming the file, the key, what was found and a fix.
    """
    data = read_toml(path, "backend")
    if not data:
        raise ArgumentError("the file", "hold a target", "it is empty", 'write name = "mine" and kind = "aer"', path)
    try:
        schema = SCHEMAS[check_choice("kind", data.get("kind", "aer"), SCHEMAS)]
    except ArgumentError as error:
        raise error.located(path) from None
    try:
        target = schema.model_validate(data)
    except ValidationError as error:
        raise from_validation(error, schema, path) from None
    try:
        check_name("name", target.name, "mine")
    except ArgumentError as error:
        raise error.located(path) from None
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
        if not isinstance(gates.get(name), Gate) or gates[name].num_qubits not in (1, 2):
            near = slip(
                name, [key for key, gate in gates.items() if isinstance(gate, Gate) and gate.num_qubits in (1, 2)]
            )
            rest = [other for other in target.basis if other != name]
            fix = f"write {quoted([near])[1:-1]}" if near else f"set basis = {quoted(rest or DEFAULT_BASIS)}"
            raise ArgumentError(
                "basis", "name gates of Qiskit's on one or two qubits", f"{shown(name)} was found", fix, path
            )
    lacking, more = lacking_gates(tuple(target.basis))
    if lacking:
        raise ArgumentError(
            "basis", "be universal: rotations about two axes of every qubit, and a gate that entangles two",
            f"{quoted(target.basis)} lacks {lacking}", f"set basis = {quoted([*target.basis, *more])}", path,
        )  # fmt: skip
    noise = target.noise
    if (noise.t1 is None) != (noise.t2 is None) or (noise.t1 and noise.t2 and noise.t2 > 2 * noise.t1):
        fix = f"set t2 = {2 * noise.t1:g}" if noise.t1 is not None else f"set t1 = {noise.t2:g}"
        raise ArgumentError(
            "noise.t2", "be given with t1, and at most twice it", f"t1 = {noise.t1}, t2 = {noise.t2} were found",
            fix, path,
        )  # fmt: skip


def quoted(names: Iterable[str]) -> str:
    """A list of texts as TOML writes it."""
    return json.dumps(list(names))


@lru_cache(maxsize=64)
def lacking_gates(basis: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """What a basis cannot make by Qiskit's rules, in words, and gates that would mend it; ("", ()) if it is universal.

    Asked of Qiskit's translator, with one rotation by an angle that no finite group has, and one CX.
    """
    if {"rz", "sx"} <= set(basis) and {"cz", "cx", "ecr"} & set(basis):
        return "", ()
    from qiskit import QuantumCircuit  # loaded when used

    turns, pair = QuantumCircuit(1), QuantumCircuit(2)
    turns.rz(0.3, 0)
    turns.sx(0)
    turns.rz(0.7, 0)
    pair.cx(0, 1)
    one = _translates(turns, basis)
    two = _translates(pair, basis if one else (*basis, "rz", "sx", "x"))
    names = [*([] if one else ["rotations of one qubit"]), *([] if two else ["a gate that entangles two qubits"])]
    more = [*([] if one else ["rz", "sx"]), *([] if two else ["cz"])]
    return " and ".join(names), tuple(gate for gate in more if gate not in basis)


def _translates(circuit: QuantumCircuit, basis: tuple[str, ...]) -> bool:
    from qiskit import transpile  # loaded when used
    from qiskit.exceptions import QiskitError

    try:
        transpile(circuit, basis_gates=[*basis], optimization_level=1)
    except QiskitError:
        return False
    return True


def as_toml(target: Target) -> dict[str, Any]:
    """What a file of this target holds: every key with a value of its own, and its kind."""
    return {"kind": target.kind, **target.model_dump(mode="json", exclude_defaults=True)}
