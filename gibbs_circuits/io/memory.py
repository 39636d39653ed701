"""How much memory one command may use, and the refusal before more is allocated."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

from ..errors import TooLargeError
from ..limits import MEMORY_LIMIT_GIB, MEMORY_SHARE

GIB = 2**30
CGROUP = Path("/sys/fs/cgroup")


def allowed_bytes() -> int:
    """Half of what this machine, its container or the shell's `ulimit -v` gives, and 8 GiB at most.

    It depends on the machine, not on what else is running there: the same input is refused, or not, every time.
    """
    return min(int(MEMORY_LIMIT_GIB * GIB), int(MEMORY_SHARE * min(_ceilings(), default=GIB)))


def check_memory(needed: float, what: str, fix: str) -> None:
    """Refuse what does not fit, before it is allocated.

    Raises:
        TooLargeError: With what is needed and what is allowed.
    """
    if needed > (allowed := allowed_bytes()):
        raise TooLargeError(
            f"{what} would take {gib(needed)}; {gib(allowed)} are allowed (half of this machine's memory, "
            f"{MEMORY_LIMIT_GIB:g} GiB at most). Fix: {fix}."
        )


def gib(count: float) -> str:
    """A number of bytes as people say it; of thousands of qubits as a power of two."""
    if count >= 2.0**80:
        return f"2^{int(count).bit_length() - 31} GiB"
    return f"{count / GIB:.3g} GiB" if count >= GIB / 10 else f"{count / 2**20:,.3g} MiB"


def _ceilings() -> Iterator[int]:
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY:
        yield limit
    for line in _text(Path("/proc/meminfo")).splitlines():
        if line.startswith("MemTotal:"):
            yield int(line.split()[1]) * 1024
    for file in (CGROUP / "memory.max", CGROUP / "memory" / "memory.limit_in_bytes", *_own_groups()):
        if (text := _text(file).strip()).isdigit():
            yield int(text)


def _own_groups() -> Iterator[Path]:
    """Limits of this process's own control group and of those it is in."""
    for line in _text(Path("/proc/self/cgroup")).splitlines():
        number, _, path = line.split(":", 2)
        if number == "0":
            group = CGROUP / path.lstrip("/")
            yield from (folder / "memory.max" for folder in (group, *group.parents) if CGROUP in folder.parents)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
