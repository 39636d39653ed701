"""Which reading tells a program's reduced states at its size: light cones, backward operators, or the density operator.

Light cones are exact and cheap where a program is shallow; backward operators tell of every start and are small where a
program forgets; the density operator forwards is for the given start alone, where neither can be had.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from ...errors import NotConvergedError, TooLargeError
from ...linalg.arrays import Real, read_only
from ...models.regions import LocalStates, Region, local_distance
from ...programs.program import Program
from .backward import FIRST_CUT, SURPLUS, LocalReading, backward, read_regions
from .cones import Sweeps
from .density import Cut, Density, density_path
from .light_cones import cone_states
from .local_maps_of import stage_maps
from .operators import Work

SECONDS = 60.0  # nominal, of backward operators, and of the density operator after them
PROBE = 6.0  # nominal, of one region at the coarsest cut; beyond, no region is read backwards
CONES = 5.0  # nominal, of all light cones
FIRST_BOND, LAST_BOND = 8, 128  # of the density operator; each is twice the one before
FORWARDS = 0.02  # trace distance: an error that large is still said, with the value
Bloch: TypeAlias = tuple[tuple[float, ...], ...]  # of every site 1, ⟨X⟩, ⟨Y⟩ and ⟨Z⟩


@dataclass(frozen=True)
class NoReading:
    """That a reading cannot be had, and why."""

    reason: str


@dataclass(frozen=True, eq=False)
class ReadStates:
    """Reduced states and why it was this reading that told them.

    Attributes:
        states: Of all regions asked for.
        why: In a line.
    """

    states: LocalStates
    why: str


def key_of(start: Real) -> Bloch:
    """A product start, (n, 4), as something to look up by."""
    return tuple(tuple(map(float, row)) for row in start)


@lru_cache(maxsize=16)
def backwards(
    program: Program, regions: tuple[Region, ...], tolerance: float = 1e-3, seconds: float = SECONDS
) -> LocalReading | NoReading:
    """Backward operators of all regions within nominal seconds; regions beyond are named, none is begun without hope.

    One region in the middle is tried first, at the coarsest cut.
    """
    if (hopeless := _probed(program)) is not None:
        return NoReading(hopeless)
    try:
        return read_regions(Sweeps.of(program), regions, tolerance, seconds=seconds)
    except (NotConvergedError, TooLargeError) as error:
        return NoReading(str(error))


@lru_cache(maxsize=64)
def _probed(program: Program) -> str | None:
    middle = program.num_system // 2
    try:
        backward(Sweeps.of(program), (middle,), FIRST_CUT, PROBE)
    except NotConvergedError:
        return (
            f"site {middle} alone would take more than {PROBE:.0f} nominal seconds of backward operators at a cut of "
            f"{FIRST_CUT:.0e}"
        )
    except TooLargeError as error:
        return str(error)
    return None


@lru_cache(maxsize=32)
def light_cones(program: Program, start: Bloch, regions: tuple[Region, ...]) -> LocalStates | NoReading:
    """Exact reduced states where the program is shallow; a refusal says how many qubits a cone would have at once."""
    maps = [(stage_maps(program, k, fuse=False), stage.repeats) for k, stage in enumerate(program.stages)]
    middle = sorted(regions, key=lambda region: (abs(sum(region) / len(region) - program.num_system / 2), region))
    try:  # the widest cones first: what is refused is refused at once
        found = cone_states(maps, middle, _all_wires(program, start), CONES)
    except TooLargeError as error:
        return NoReading(str(error))
    return LocalStates({region: found.values[region] for region in regions}, found.error, found.source)


def _all_wires(program: Program, start: Bloch) -> Real:
    ancillas = np.tile([1.0, 0.0, 0.0, 1.0], (program.num_ancilla, 1))
    return np.concatenate([np.array(start), ancillas])


@lru_cache(maxsize=16)
def forwards(
    program: Program, start: Bloch, regions: tuple[Region, ...], tolerance: float = FORWARDS, seconds: float = SECONDS
) -> tuple[LocalStates | None, ...] | NoReading:
    """The density operator after 0, 1, … sweeps at two bonds that agree; None after those where they do not.

    Bonds are doubled until all sweeps agree, or the nominal seconds are over. No reading if the last one does not.
    """
    sweeps, work, bond = Sweeps.of(program), Work(most=seconds, of="A density operator"), FIRST_BOND
    coarse, found, last = None, list[LocalStates | None](), "one bond dimension alone is no reading"
    try:
        while bond <= LAST_BOND:
            path = density_path(sweeps.stages, sweeps.line, _all_wires(program, start), Cut(bond), work)
            fine = [LocalStates(_within(state, regions)) for state in path]
            if coarse is not None:
                errors = [SURPLUS * local_distance(a, b).largest for a, b in zip(fine, coarse, strict=True)]
                how = f"density operator, bonds of {bond // 2} and {bond}"
                found = [
                    LocalStates(one.values, error, how) if error <= tolerance else None
                    for one, error in zip(fine, errors, strict=True)
                ]
                last = f"density operators with bonds of {bond // 2} and {bond} differ by {errors[-1] / SURPLUS:.1e}"
                if all(one is not None for one in found):
                    return tuple(found)
            coarse, bond = fine, 2 * bond
    except (NotConvergedError, TooLargeError) as error:
        last = f"{last}; {error}"
    return NoReading(last) if not found or found[-1] is None else tuple(found)


def _within(state: Density, regions: Sequence[Region]) -> dict[Region, Real]:
    return {region: read_only(values) for region, values in state.reduced(regions).items()}


def must_agree(read: LocalStates, exact: LocalStates) -> None:
    """That what was read differs from exact states of the same regions by no more than the errors stated.

    Raises:
        NotConvergedError: If it does.
    """
    apart = local_distance(read, exact)
    if apart.largest > apart.error:
        raise NotConvergedError(
            f"Two readings differ by {apart.largest:.1e} on sites {', '.join(map(str, apart.where))}, more than their "
            f"errors of {apart.error:.1e} together: what was read by {read.source} is not given beside "
            f"{exact.source}. Fix: allow finer cuts."
        )


def chosen_states(
    program: Program, start: Real, regions: Sequence[Region], tolerance: float = 1e-3, loosest: float = FORWARDS,
    seconds: float = SECONDS,
) -> ReadStates:  # fmt: skip
    """Reduced states by the first of the three readings that tells all of them.

    Args:
        program: Whose steps act on a few qubits each.
        start: Product start, (n, 4).
        regions: In rising order.
        tolerance: Trace distance by which backward operators at two cuts may differ.
        loosest: The same for the density operator, whose bonds cannot always be had.
        seconds: Nominal, of each.

    Raises:
        NotConvergedError: If none does, with the reason of each.
        TooLargeError: If a step acts on too many qubits at once.
    """
    asked, key = tuple(sorted({*regions})), key_of(start)
    cones = light_cones(program, key, asked)
    if isinstance(cones, LocalStates):
        return ReadStates(cones, "the light cones of all regions are narrow: exact from this start")
    read = backwards(program, asked, tolerance, seconds)
    if isinstance(read, LocalReading) and not read.left_out:
        return ReadStates(read.states(start), f"no light cones: {cones.reason}")
    missing = read.reason if isinstance(read, NoReading) else f"no time for {len(read.left_out)} of the regions"
    path = forwards(program, key, asked, loosest, seconds)
    if isinstance(path, NoReading) or path[-1] is None:
        third = path.reason if isinstance(path, NoReading) else "bonds too small"
        raise NotConvergedError(
            f"No reading tells the reduced states. Light cones: {cones.reason} Backward operators: {missing}. "
            f"Forwards: {third}. Fix: use fewer sweeps or shorter random delays, or a run with shots."
        )
    return ReadStates(path[-1], f"no light cones, and no backward operators: {missing}")
