"""A published recipe, before there is any particular one."""

from __future__ import annotations

from dataclasses import dataclass

from ...models.catalogue import Entry
from ...programs.program import Program


@dataclass(frozen=True)
class Preset(Entry[Program]):
    """A recipe as `--help` sees it: the function of its name has parameters, all with defaults.

    Attributes:
        source: What to cite for it.
    """

    source: str = ""
