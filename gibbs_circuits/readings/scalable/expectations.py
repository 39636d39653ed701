"""Local expectation values of a program at any size, by taking observables backwards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ...errors import ArgumentError, TooLargeError
from ...limits import MAX_READ_SITES
from ...linalg.arrays import Real
from ...models.regions import LocalStates, Region, connected_regions, strings_of
from ...programs.initial_state import InitialState
from ...programs.program import Program, Stage
from .backward import LocalReading, read_regions
from .cones import Sweeps
from .local_guarantee import LocalPrediction, local_prediction

if TYPE_CHECKING:
    from qiskit.quantum_info import SparsePauliOp

REGION = 3  # sites of the regions that are read whatever is asked for: all that is said of a run follows from them


def bloch_vectors(start: InitialState, num_system: int) -> Real:
    """1, ⟨X⟩, ⟨Y⟩ and ⟨Z⟩ of every site of a product start, (n, 4).

    Raises:
        ArgumentError: If the start is no product.
    """
    found = np.zeros((num_system, 4))
    found[:, 0] = 1.0
    if start.preparation is None:
        return found
    states = start.site_states(num_system)
    if states is None:
        raise ArgumentError(
            "initial", "be a product state where observables are taken backwards",
            f"`{start.name}` has gates on several qubits", 'set initial = "zero"',
        )  # fmt: skip
    for site, psi in enumerate(states):
        cross = np.conj(psi[0]) * psi[1]
        found[site, 1:] = 2 * cross.real, 2 * cross.imag, abs(psi[0]) ** 2 - abs(psi[1]) ** 2
    return found


@lru_cache(maxsize=16)
def _reading(program: Program, regions: tuple[Region, ...], tolerance: float) -> LocalReading:
    return read_regions(Sweeps.of(program), regions, tolerance)


def predicted_locally(
    program: Program, start: InitialState, sigma: LocalStates, tolerance: float = 1e-3
) -> LocalPrediction:
    """Distances of all regions that σ's states are given of, from the program's start and from the worst one found.

    Raises and arguments as of `states_of`.
    """
    reading = _reading(program, tuple(sorted(sigma.values)), tolerance)
    begin = bloch_vectors(start, program.num_system)
    return local_prediction(Sweeps.of(program), sigma, begin, tolerance, reading=reading)


def states_of(program: Program, start: InitialState, regions: Iterable[Region], tolerance: float = 1e-3) -> LocalStates:
    """Reduced states after all sweeps, the mean over random steps, without gate errors; at two cuts that agree.

    Args:
        program: Any whose steps act on a few qubits each.
        start: A product state, or the mixed one.
        regions: Sets of sites in rising order, connected or not.
        tolerance: Trace distance by which the two cuts may differ.

    Raises:
        ArgumentError: If the start is no product.
        NotConvergedError: If the two cuts differ by more.
        TooLargeError: If a step acts on too many qubits at once.
    """
    wanted = tuple(sorted({*regions}))
    return _reading(program, wanted, tolerance).states(bloch_vectors(start, program.num_system))


def expectations(
    program: Program, start: InitialState, operators: Sequence[SparsePauliOp], tolerance: float = 1e-3
) -> list[float]:
    """Values after all sweeps of sums of Pauli strings on a few sites each; arguments and refusals as in `states_of`.

    Strings within a connected region of three sites are read with it.

    Raises:
        TooLargeError: If a string acts on too many sites.
    """
    supports = {_support(label) for operator in operators for label in operator.paulis.to_labels()}
    longest = max(supports, key=len)
    if len(longest) > MAX_READ_SITES:
        raise TooLargeError(
            f"An observable acts on {len(longest)} sites at once, and is read with all 4^k strings there; the limit is "
            f"{MAX_READ_SITES}. Fix: ask for observables of fewer sites each."
        )
    regions = connected_regions(program.generator.model, min(REGION, program.num_system))
    homes = _homes(regions)
    apart = tuple(sorted(support for support in supports if support and support not in homes))
    states = states_of(program, start, regions, tolerance).values
    if apart:
        states = {**states, **states_of(program, start, apart, tolerance).values}
    values = {
        (): 1.0,
        **{
            string: float(value)
            for region in (*regions, *apart)
            for string, value in zip(strings_of(region), states[region], strict=True)
        },
    }
    found = []
    for operator in operators:
        labels = zip(operator.paulis.to_labels(), operator.coeffs, strict=True)
        found.append(float(sum(np.real(c) * values[_string(label)] for label, c in labels)))
    return found


def first_sweeps(program: Program, count: int) -> Program:
    """The program cut off after so many sweeps; at 0 with no step left."""
    stages, left = list[Stage](), count
    for stage in program.stages:
        if left:
            stages.append(replace(stage, repeats=min(stage.repeats, left)))
            left -= stages[-1].repeats
    return replace(program, stages=tuple(stages) or (Stage((), 1),))


def _homes(regions: Iterable[Region]) -> set[Region]:
    """All sets of sites that lie within one of the regions."""
    found: set[Region] = set()
    for region in regions:
        for kept in range(1, 2 ** len(region)):
            found.add(tuple(site for k, site in enumerate(region) if kept >> k & 1))
    return found


def _support(label: str) -> Region:
    return tuple(q for q, letter in enumerate(reversed(label)) if letter != "I")


def _string(label: str) -> tuple[tuple[int, str], ...]:
    return tuple((q, letter) for q, letter in enumerate(reversed(label)) if letter != "I")
