"""A published recipe, before there is any particular one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...programs.program import Program


@dataclass(frozen=True)
class Preset:
    """A recipe as `--help` sees it.

    Attributes:
        name, summary: As listed.
        build: Its parameters, all with defaults → program; the function of that name in this package.
        source: What to cite for it.
    """

    name: str
    build: Callable[..., Program]
    summary: str
    source: str

    def __call__(self, *arguments: object, **settings: object) -> Program:
        """The program of the recipe."""
        return self.build(*arguments, **settings)
