"""Local expectation values of a program at any size, by the reading that it allows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...errors import ArgumentError, NotConvergedError, TooLargeError
from ...limits import MAX_READ_SITES
from ...linalg.arrays import Real
from ...linalg.local_maps import bloch
from ...models.regions import LocalStates, Region, connected_regions, strings_of
from ...programs.initial_state import InitialState
from ...programs.program import Program, Stage
from .backward import LocalReading
from .chosen import SECONDS, NoReading, backwards, chosen_states, forwards, key_of, light_cones, must_agree
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
    return np.stack([bloch(psi) for psi in states])


def region_size(program: Program) -> int:
    """Sites of the regions that are told of a program: those that it was searched for by, or 3."""
    return min(program.region or REGION, program.num_system)


def predicted_locally(
    program: Program, start: InitialState, sigma: LocalStates, tolerance: float = 1e-3, seconds: float = SECONDS
) -> LocalPrediction:
    """Distances of the regions that σ's states are given of, from the program's start and from the worst one found.

    Backward operators, held against light cones where these apply. Regions for which there is no time are named.

    Raises:
        ArgumentError: If the start is no product.
        NotConvergedError: If they cannot be had in so many nominal seconds, or light cones say something else.
    """
    regions, begin = tuple(sorted(sigma.values)), bloch_vectors(start, program.num_system)
    reading = backwards(program, regions, tolerance, seconds)
    if isinstance(reading, NoReading):
        raise NotConvergedError(reading.reason)
    cones = light_cones(program, key_of(begin), regions)
    if isinstance(cones, LocalStates):
        must_agree(reading.states(begin), cones)
    return local_prediction(Sweeps.of(program), sigma, begin, tolerance, reading=reading)


def states_of(
    program: Program, start: InitialState, regions: Iterable[Region], tolerance: float = 1e-3,
    *, loosest: float | None = None, seconds: float = SECONDS,
) -> LocalStates:  # fmt: skip
    """Reduced states after all sweeps, the mean over random steps, without gate errors; see `chosen_states`.

    Args:
        program: Any whose steps act on a few qubits each.
        start: A product state, or the mixed one.
        regions: Sets of sites in rising order, connected or not.
        tolerance: Trace distance by which two cuts may differ.
        loosest: The same where the density operator has to do; left out: the tolerance.
        seconds: Nominal, of each reading that is tried.

    Raises:
        ArgumentError: If the start is no product.
        NotConvergedError: If two cuts differ by more in every reading, or there is no time.
        TooLargeError: If a step acts on too many qubits at once.
    """
    loosest = tolerance if loosest is None else loosest
    begin = bloch_vectors(start, program.num_system)
    return chosen_states(program, begin, [*regions], tolerance, loosest, seconds).states


def energies_by_sweep(
    program: Program, start: InitialState, operator: SparsePauliOp, counts: Sequence[int], seconds: float = SECONDS
) -> dict[int, float]:
    """⟨O⟩ after so many sweeps, for the counts that can be told: of one density operator where all sweeps need one.

    Raises:
        ArgumentError: If the start is no product.
        TooLargeError: If a string or a step acts on too many sites.
    """
    regions = connected_regions(program.generator.model, region_size(program))
    begin = key_of(bloch_vectors(start, program.num_system))
    shallow = isinstance(light_cones(program, begin, regions), LocalStates)
    if shallow or isinstance(backwards(program, regions), LocalReading):
        found = dict[int, float]()
        for count in sorted(counts, reverse=True):
            try:
                cut = first_sweeps(program, count) if count < program.sweeps else program
                found[count] = expectations(cut, start, [operator], seconds=seconds / len(counts))[0]
            except NotConvergedError:
                continue
        return dict(sorted(found.items()))
    supports = {_support(label) for label in operator.paulis.to_labels()}
    missing = supports - _homes(regions) - {()}
    if missing:
        return {}
    path = forwards(program, begin, regions)
    if isinstance(path, NoReading):
        return {}
    return {k: _values([operator], one.values)[0] for k in counts if (one := path[k]) is not None}


def expectations(
    program: Program, start: InitialState, operators: Sequence[SparsePauliOp], tolerance: float = 1e-3,
    seconds: float = SECONDS,
) -> list[float]:  # fmt: skip
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
    regions = connected_regions(program.generator.model, region_size(program))
    homes = _homes(regions)
    apart = tuple(sorted(support for support in supports if support and support not in homes))
    states = states_of(program, start, regions, tolerance, seconds=seconds).values
    if apart:
        states = {**states, **states_of(program, start, apart, tolerance, seconds=seconds).values}
    return _values(operators, states)


def _values(operators: Sequence[SparsePauliOp], states: Mapping[Region, Real]) -> list[float]:
    """⟨O⟩ from the reduced states of regions that every string of O lies within one of."""
    values = {
        (): 1.0,
        **{
            string: float(value)
            for region, row in states.items()
            for string, value in zip(strings_of(region), row, strict=True)
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
