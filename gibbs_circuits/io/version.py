"""The version of this package, as it was installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def package_version() -> str:
    """The version of this package."""
    try:
        return version("gibbs-circuits")
    except PackageNotFoundError:  # run from a source tree that was never installed
        return "0.0.0+uninstalled"


__version__ = package_version()
