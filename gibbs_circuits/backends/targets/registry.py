"""Where a program may run: hardware_configs/*.toml as typed targets."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from pydantic import ValidationError

from ...errors import ArgumentError, check_choice, check_name, shown, slip
from ...io.schema import from_validation
from ...io.text import read_toml
from .base import Target

FOLDER = "hardware_configs"
FILES = {  # a new kind of target is a file of its name in this folder, and a line with its class here
    "aer": "AerTarget",
    "backward": "BackwardTarget",
    "ibm": "IbmTarget",
}
KINDS: dict[str, type[Target]] = {
    kind: getattr(import_module(f".{kind}", __package__), name) for kind, name in FILES.items()
}


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
    for kind, schema in KINDS.items():
        if str(name).startswith(schema.device_prefixes) and Path(name).suffix != ".toml" and kind in known:
            service = read_target(known[kind])
            return service.on_device(str(name)).model_copy(update={"name": str(name), "description": ""})
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
        schema = KINDS[check_choice("kind", data.get("kind", "aer"), KINDS)]
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
    target.check(path)
    return target
