"""The JSON documents of the commands: the data of a report's sections, with what they are about."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ..generators.lindbladian import Generator
from ..io.section import Section, merged
from ..io.version import package_version

PACKAGES = ("gibbs-circuits", "qiskit", "qiskit-aer", "numpy", "scipy", "pydantic", "matplotlib")


def document(generator: Generator, sections: Iterable[Section], **more: Any) -> dict[str, Any]:
    """The JSON document of a report.

    Args:
        generator: What it is about.
        sections: Of the report.
        more: Further keys, at the end.
    """
    several = len(generator.betas) > 1  # then there is no β of the model
    beta = None if several else generator.betas[0]
    lindbladian = generator.lindbladian
    about = {
        "version": package_version(),
        "model": {"num_qubits": generator.model.num_qubits, "beta": beta, "name": generator.model.name},
        "generator": {
            "kind": generator.kind,
            "betas": list(generator.betas),
            "coherent": lindbladian.coherent.value,
            "couplings": len(lindbladian.contacts),
        },
    }
    return merged((about, *(section.data for section in sections), more))


def versions() -> dict[str, str]:
    """Versions of everything that matters to a result."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
