"""Snapshots of devices that the IBM client brings, by name."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from qiskit.providers import BackendV2

from ...errors import ArgumentError, shown, slip

CLIENT = "qiskit-ibm-runtime"
NO_CLIENT = f"{CLIENT} is not installed: pip install 'gibbs-circuits[ibm]'"
KNOWN_SNAPSHOTS = (  # of the client, to tell a slip of the pen where it is not installed
    "fake_aachen", "fake_auckland", "fake_berlin", "fake_boston", "fake_brisbane", "fake_brussels", "fake_cusco",
    "fake_fez", "fake_geneva", "fake_kawasaki", "fake_kingston", "fake_kyiv", "fake_kyoto", "fake_marrakesh",
    "fake_miami", "fake_nighthawk", "fake_osaka", "fake_oslo", "fake_peekskill", "fake_perth", "fake_pittsburgh",
    "fake_prague", "fake_quebec", "fake_sherbrooke", "fake_strasbourg", "fake_torino", "fake_toronto_v2",
    "fake_manila_v2", "fake_lima_v2", "fake_nairobi_v2", "fake_washington_v2",
)  # fmt: skip


def client_present() -> bool:
    """Whether the IBM client is installed."""
    try:
        import qiskit_ibm_runtime  # noqa: F401
    except ImportError:
        return False
    return True


def why_missing(name: str) -> str | None:
    """Why there is no snapshot of this name here; None if there is one."""
    try:
        snapshot_backend(name)
    except ArgumentError as error:
        return error.found if client_present() else NO_CLIENT
    return None


@lru_cache(maxsize=8)
def snapshot_backend(name: str) -> BackendV2:
    """A snapshot of the IBM client by its name, such as fake_torino.

    Raises:
        ArgumentError: If the client is not installed, or has no such snapshot.
    """
    near = None if name in KNOWN_SNAPSHOTS else slip(name, KNOWN_SNAPSHOTS)
    try:
        from qiskit_ibm_runtime import fake_provider
    except ImportError:
        if near is not None:  # a slip of the pen, which installing the client would not mend
            raise ArgumentError(
                "backend", "be one of the client's snapshots", f"{shown(name)} is none that is known", f'write "{near}"'
            ) from None
        raise ArgumentError(
            "backend", f"have {CLIENT} for the snapshot `{name}`", "it is not installed",
            "pip install 'gibbs-circuits[ibm]'",
        ) from None  # fmt: skip
    classes = {_snake(cls): cls for cls in vars(fake_provider).values() if _is_snapshot(cls)}
    if name not in classes:
        recent = ", ".join(k for k in ("fake_torino", "fake_fez", "fake_marrakesh", "fake_boston") if k in classes)
        near = slip(name, classes)
        raise ArgumentError(
            "backend", "be one of the client's snapshots", f"{shown(name)} is none of its {len(classes)}",
            f"use one of {recent}, …" if near is None else f'write "{near}"',
        )  # fmt: skip
    return classes[name]()


def _is_snapshot(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, BackendV2) and cls.__name__.startswith("Fake")


def _snake(cls: type) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
