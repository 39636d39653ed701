"""Declared orders, measured: each knob moved alone by factors of two, errors fitted as slopes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.linalg

from ..compiler import Program, Rung, SequentialKnobs, sequential
from ..compiler.quadrature import filter_error, uniform_nodes
from ..generators import Lindbladian
from ..generators.frequency import local_frequency
from ..generators.matrices import couplings_in_energy_basis
from ..readings import fixed_point, sweep_channel
from ..spectrum import Array, gibbs_state, spectrum, trace_distance
from .variants import exactly_evolved, fine_grid, finely_gridded, sliced, with_knobs

MAX_RUNG_QUBITS = 4


@dataclass(frozen=True)
class RungSlope:
    """Errors at halved knob values, and the slope of log error against log knob.

    Attributes:
        rung: Which approximation.
        knob: What was halved.
        values, errors: The scan.
        slope: Least-squares slope; None where an error is at rounding level or no single slope is expected.
        declared: What theory says, in words.
        holds: Whether the scan bears it out; None where there was no error to fit.
    """

    rung: Rung
    knob: str
    values: tuple[float, ...]
    errors: tuple[float, ...]
    slope: float | None
    declared: str
    holds: bool | None

    @property
    def local_slopes(self) -> tuple[float, ...]:
        """Between neighbouring values; ones that grow towards small values mean faster than any power."""
        pairs = pairwise(zip(self.values, np.maximum(self.errors, 1e-300), strict=True))
        return tuple(float(np.log(e / f) / np.log(v / w)) for (v, e), (w, f) in pairs)


def fitted_slope(values: Sequence[float], errors: Sequence[float], floor: float = 1e-12) -> float | None:
    """Slope of log error against log value."""
    if min(errors) <= floor:
        return None
    return float(np.polyfit(np.log(values), np.log(errors), 1)[0])


def measured_rungs(program: Program) -> tuple[RungSlope, ...]:
    """Strength, Trotter step, node spacing, step of the palindromic dilation, and the Lie order that must fail.

    Up to 4 system qubits; above, an empty tuple.
    """
    if program.num_system > MAX_RUNG_QUBITS:
        return ()
    rungs = [_trotter(program), _spacing(program)]
    if program.scheme == "parallel":
        rungs.insert(0, _strength(program))
    if program.generator.beta > 0:
        rungs.append(_dilation(program.lindbladian, palindromic=True))
        if local_frequency(program.lindbladian) > 0:  # else all nodes commute and every order converges
            rungs.append(_dilation(program.lindbladian, palindromic=False))
    return tuple(rungs)


def _within(slope: float | None, order: float, tolerance: float = 0.15) -> bool | None:
    return None if slope is None else abs(slope - order) <= tolerance


def _strength(program: Program) -> RungSlope:
    """Fixed-point bias of the sampler with exact evolution and fine nodes, against δ."""
    sigma = gibbs_state(program.generator.model, program.generator.beta)
    base = min(float(program.knobs["strength"]), 0.5)
    values = tuple(base / 2**k for k in range(1, 4))
    errors = []
    for strength in values:
        fine = exactly_evolved(finely_gridded(with_knobs(program, truncation=0.0, strength=strength)))
        errors.append(trace_distance(fixed_point(sweep_channel(fine)), sigma))
    slope = fitted_slope(values, errors)
    return RungSlope(
        Rung.DILATION, "strength", values, tuple(errors), slope, "fixed-point bias of order 1", _within(slope, 1)
    )


def _trotter(program: Program) -> RungSlope:
    """Distance of the channel to the one with exact evolution under all of H, against the Trotter step."""
    program = with_knobs(program, truncation=0.0)
    order = int(program.knobs["trotter_order"])
    exact = sweep_channel(exactly_evolved(program))
    slices = (2, 4, 8)
    spacing = float(program.knobs["spacing"])
    errors = tuple(float(np.linalg.norm(sweep_channel(sliced(program, k)) - exact, 2)) for k in slices)
    values = tuple(spacing / k for k in slices)
    slope = fitted_slope(values, errors)
    return RungSlope(
        Rung.TROTTER, "Trotter step", values, errors, slope, f"channel error of order {order}", _within(slope, order)
    )


def _spacing(program: Program) -> RungSlope:
    """Error of the filter on the grid of nodes, at a window wide enough not to matter."""
    generator = program.lindbladian
    _, filter = generator.contacts[0].kernel.factors()[0]
    nu = spectrum(generator.model).bohr_frequencies
    if filter.width == 0:
        return RungSlope(Rung.QUADRATURE, "node spacing", (), (), None, "a single node is exact at β = 0", True)
    coarse = np.pi / float(np.max(np.abs(nu))) if np.max(np.abs(nu)) > 0 else filter.width
    values = tuple(float(2 * coarse / 2**k) for k in range(3))
    errors = tuple(
        filter_error(filter, uniform_nodes(filter, 2 * int(np.ceil(4 * filter.width / v)) + 1, v), nu) for v in values
    )
    holds = errors[1] < errors[0] and (errors[2] < 1e-10 or errors[2] * errors[0] < errors[1] ** 2)
    return RungSlope(
        Rung.QUADRATURE, "node spacing", values, errors, None, "filter error falls faster than any power", holds
    )


def grid_generator(generator: Lindbladian, nodes: int, spacing: float) -> Array:
    """Σ_a D[L_a] with the jumps the grid makes, in the energy basis, in the frame where time starts at t₀."""
    s = spectrum(generator.model)
    nu, one = s.bohr_frequencies, np.eye(s.dim)
    total = np.zeros((s.dim**2, s.dim**2), dtype=complex)
    for A, contact in zip(couplings_in_energy_basis(generator), generator.contacts, strict=True):
        for weight, filter in contact.kernel.factors():
            grid = uniform_nodes(filter, nodes, spacing)
            L = np.sqrt(weight) * grid.frequency(nu) * np.exp(-1j * nu * grid.times[0]) * A
            R = L.conj().T @ L
            total += np.kron(L.conj(), L) - 0.5 * (np.kron(one, R) + np.kron(R.conj(), one))
    return total


def _dilation(generator: Lindbladian, *, palindromic: bool) -> RungSlope:
    """‖Φ_δ^{1/δ} − e^{L}‖ for the sequential scheme with exact evolution, against δ."""
    _, filter = generator.contacts[0].kernel.factors()[0]
    nodes, spacing = fine_grid(filter.width, filter.width / 4)
    nodes, spacing = nodes // 2 + 1, 2 * spacing if nodes > 40 else spacing
    s = spectrum(generator.model)
    V = np.kron(s.vectors.conj(), s.vectors)
    reference = V @ scipy.linalg.expm(grid_generator(generator, nodes, spacing)) @ V.conj().T
    steps = (16, 32, 64)
    errors = []
    for count in steps:
        knobs = SequentialKnobs(sweeps=1, strength=1 / count, spacing=spacing, nodes=nodes, random_delays=(0, 0))
        program = sequential(generator, knobs, palindromic=palindromic)
        program = exactly_evolved(program)
        channel = np.linalg.matrix_power(sweep_channel(program), count)
        errors.append(float(np.linalg.norm(channel - reference, 2)))
    values = tuple(1 / count for count in steps)
    slope = fitted_slope(values, errors)
    if palindromic:
        return RungSlope(
            Rung.DILATION, "step, palindromic nodes", values, tuple(errors), slope, "channel error of order 1",
            _within(slope, 1),
        )  # fmt: skip
    return RungSlope(
        Rung.DILATION, "step, Lie-ordered nodes", values, tuple(errors), slope, "negative control: must not converge",
        slope is not None and abs(slope) < 0.3,
    )  # fmt: skip
