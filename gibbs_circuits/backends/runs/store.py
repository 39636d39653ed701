"""Where the blocks of a run are kept while it goes on."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ..measurement.shots import Block
from ..services.queue import JobRecord


class Store(Protocol):
    """Where blocks and jobs are kept while a run goes on."""

    @property
    def run_id(self) -> str:
        """A name that no other run has."""
        ...

    @property
    def set_aside(self) -> tuple[str, ...]:
        """Names of files that were kept and damaged since."""
        ...

    def load(self) -> dict[int, Block]:
        """The blocks already there, by realisation."""
        ...

    def save(self, block: Block) -> None:
        """Keep one block, whole or not at all."""
        ...

    def jobs(self) -> Mapping[str, JobRecord]:
        """The jobs that were written down, by tag."""
        ...

    def save_job(self, record: JobRecord) -> None:
        """Write one job down, whole or not at all."""
        ...


@dataclass
class Memory:
    """A store that keeps nothing beyond the process."""

    run_id: str = field(default_factory=lambda: uuid.uuid4().hex[:16])
    records: dict[str, JobRecord] = field(default_factory=dict)
    set_aside: tuple[str, ...] = ()

    def load(self) -> dict[int, Block]:
        """No blocks: nothing was kept before."""
        return {}

    def save(self, block: Block) -> None:
        """Nothing to do: the run holds it."""

    def jobs(self) -> Mapping[str, JobRecord]:
        """What is known of every job of this process, by its tag."""
        return dict(self.records)

    def save_job(self, record: JobRecord) -> None:
        """Remember a job by its tag."""
        self.records[record.tag] = record
