"""Declared orders, measured: each knob moved alone by factors of two, errors fitted as slopes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import numpy as np
import scipy.linalg

from ...compiler.base import Order, Scan
from ...compiler.schemes.registry import written_by
from ...compiler.schemes.sequential import SequentialKnobs, sequential
from ...compiler.time_domain.quadrature import filter_error, uniform_nodes
from ...compiler.time_domain.symbolic_jumps import symbolic_jumps
from ...errors import GibbsError
from ...generators.filters.base import Filter
from ...generators.frequency import local_frequency, rate_unit, time_unit
from ...limits import MAX_PALINDROMES, MAX_RUNG_QUBITS
from ...linalg.fixed_point import fixed_point
from ...models.spectrum import gibbs_state, spectrum, trace_distance
from ...programs.program import Program, Rung
from ...programs.steps import EXACT
from ...programs.transforms import exactly_evolved, map_evolutions, sliced, untruncated
from ...readings.channel.effective_generator import NotReadableError, segments
from ...readings.channel.sweep_channel import sweep_channel
from .fine_grid import fine_grid
from .idealised import lindblad, weak_state, with_exact_coherence
from .variants import with_knobs

TOLERANCE = 0.15
ROUNDING = 1e-11
EXACT_FILTER = 1e-5


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
    if min(errors, default=0.0) <= floor:
        return None
    return float(np.polyfit(np.log(values), np.log(errors), 1)[0])


def measured_rungs(program: Program) -> tuple[RungSlope, ...]:
    """The orders that the scheme declares at the program's knobs, measured on the program's generator.

    Up to 4 system qubits, and not for presets, whose knobs are their own; an empty tuple otherwise.
    """
    if program.num_system > MAX_RUNG_QUBITS or (found := written_by(program)) is None:
        return ()
    scheme, knobs = found
    measured = (SCANS[one.scan](program, one) for one in knobs.orders(scheme.order))
    return tuple(rung for rung in measured if rung is not None)


def _power(
    rung: Rung, knob: str, values: Sequence[float], errors: Sequence[float], declared: Order, what: str
) -> RungSlope:
    """Whether the errors fall with the declared power."""
    slope, text = fitted_slope(values, errors, ROUNDING), what.format(order=declared.power)
    holds = None if slope is None or declared.power is None else abs(slope - declared.power) <= TOLERANCE
    return RungSlope(rung, knob, tuple(values), tuple(errors), slope, text, holds)


def _halved(base: float, count: int = 3) -> tuple[float, ...]:
    return tuple(base / 2**k for k in range(count))


def _fixed_point(program: Program, declared: Order) -> RungSlope | None:
    """Fixed-point bias with exact evolution, fine nodes and the coherent term exact, against δ."""
    try:
        fine = fine_grid(untruncated(exactly_evolved(with_knobs(program, truncation=0.0))))
    except (GibbsError, NotReadableError):
        return None
    if fine is None:
        return None
    sigma = gibbs_state(program.generator.model, program.generator.beta)
    values = _halved(min(float(program.knobs["strength"]), 0.5 / rate_unit(program.lindbladian)) / 8)
    errors = []
    for strength in values:
        one = exactly_evolved(with_knobs(program, strength=strength, nodes=fine.nodes, spacing=fine.spacing))
        errors.append(trace_distance(fixed_point(sweep_channel(with_exact_coherence(untruncated(one)))), sigma))
    found = _power(Rung.DILATION, "strength", values, errors, declared, "fixed-point bias of order {order}, B exact")
    limit = weak_state(fine.program, segments(fine.program), ideal=True, balanced=True)
    if trace_distance(limit, sigma) <= EXACT_FILTER:
        return found
    return replace(found, declared="saturates: the filters compiled are not in detailed balance", holds=None)


def _trotter(program: Program, declared: Order) -> RungSlope:
    """Distance of the channel to the one with exact evolution, against the Trotter step."""
    order, spacing = declared.power or 1, float(program.knobs["spacing"])
    exact = sweep_channel(map_evolutions(program, lambda step: replace(step, order=EXACT)))

    def error(slices: int) -> float:
        return float(np.linalg.norm(sweep_channel(sliced(program, slices)) - exact, 2))

    counts = {1: (8, 16, 32), 2: (4, 8, 16), 4: (1, 2, 4)}[order]  # order 4 soon meets rounding
    values, errors = tuple(spacing / k for k in counts), tuple(error(k) for k in counts)
    return _power(Rung.TROTTER, "Trotter step", values, errors, declared, "channel error of order {order}")


def _spacing(program: Program, declared: Order) -> RungSlope | None:
    """Error of the widest filter on the grid of nodes, at a window wide enough not to matter."""
    filter = _widest(program)
    if filter is None:
        return None
    nu = spectrum(program.lindbladian.bohr_model).bohr_frequencies
    if filter.width == 0:
        return RungSlope(Rung.QUADRATURE, "node spacing", (), (), None, "a single node is exact at β = 0", True)
    coarse = np.pi / float(np.max(np.abs(nu))) if np.max(np.abs(nu)) > 0 else filter.width
    values = _halved(2 * coarse)
    errors = tuple(
        filter_error(filter, uniform_nodes(filter, 2 * int(np.ceil(4 * filter.width / v)) + 1, v), nu) for v in values
    )
    holds = errors[1] < errors[0] and (errors[2] < 1e-10 or errors[2] * errors[0] < errors[1] ** 2)
    return RungSlope(
        Rung.QUADRATURE, "node spacing", values, errors, None, "filter error falls faster than any power", holds
    )


def _widest(program: Program) -> Filter | None:
    resolution = program.knobs.get("resolution")
    jumps = symbolic_jumps(program.generator, resolution)
    filters = [jump.filter for jump in jumps if np.isfinite(jump.filter.width)]
    return max(filters, key=lambda filter: filter.width, default=None)


def _dilation(program: Program, declared: Order, *, palindromic: bool) -> RungSlope | None:
    """‖Φ_δ^{t/δ} − e^{tL}‖ of one jump per coupling, forward and back with exact evolution, against δ.

    At t one over the unit of the rates. None where palindromes of all jumps are not quickly written, or where nodes
    commute by themselves, so that they converge in any order.
    """
    jumps = symbolic_jumps(program.generator, program.knobs.get("resolution"))
    if len(jumps) > MAX_PALINDROMES or not all(0 < jump.filter.width < np.inf for jump in jumps):
        return None
    if not palindromic and local_frequency(program.lindbladian) == 0:
        return None
    filter = _widest(program)
    assert filter is not None  # the sequential scheme has been written
    errors, counts, reference = [], (16, 32, 64), None
    values = tuple(1 / rate_unit(program.lindbladian) / count for count in counts)
    for count, strength in zip(counts, values, strict=True):
        one = _palindrome(program, filter, strength, palindromic=palindromic)
        if reference is None:
            kick = segments(_palindrome(program, filter, strength, palindromic=True))[0].kicks[0]
            reference = scipy.linalg.expm(count * lindblad(kick.jumps, np.zeros_like(kick.hamiltonian)))
        channel = np.linalg.matrix_power(sweep_channel(one), count)
        errors.append(float(np.linalg.norm(channel - reference, 2)))
    if palindromic:
        what = "channel error of order {order}"
        return _power(Rung.DILATION, "step, palindromic nodes", values, errors, declared, what)
    slope = fitted_slope(values, errors, ROUNDING)
    return RungSlope(
        Rung.DILATION, "step, Lie-ordered nodes", values, tuple(errors), slope, "negative control: must not converge",
        slope is not None and abs(slope) < 0.3,
    )  # fmt: skip


def _palindrome(program: Program, filter: Filter, strength: float, *, palindromic: bool) -> Program:
    knobs = SequentialKnobs(
        sweeps=1, strength=strength, spacing=filter.width / 4 or time_unit(program.lindbladian), nodes=25,
        random_delays=(0, 0), resolution=program.knobs.get("resolution"),
    )  # fmt: skip
    return exactly_evolved(sequential(program.generator, knobs, palindromic=palindromic))


def _fixed_time(program: Program, declared: Order) -> RungSlope:
    """‖Φ_δ^{t/δ} − e^{tL}‖ at a fixed time, against δ."""
    target = program.lindbladian.superoperator()
    rate = float(np.linalg.norm(target, 2))
    time = 0.5 / rate if rate > 0 else 1.0
    values, reference = _halved(time / 4), scipy.linalg.expm(time * target)

    def error(count: int) -> float:
        channel = sweep_channel(with_knobs(program, strength=time / count, sweeps=1))
        return float(np.linalg.norm(np.linalg.matrix_power(channel, count) - reference, 2))

    errors = tuple(error(count) for count in (4, 8, 16))
    what = "channel error of order {order} over a fixed time"
    return _power(Rung.DILATION, "strength", values, errors, declared, what)


def _exact(program: Program, declared: Order) -> RungSlope:
    """Schemes without a step error: the sweep against e^{δL}, or σ under a discrete channel."""
    channel, strength = sweep_channel(program), program.knobs.get("strength")
    if strength is not None:
        reference = scipy.linalg.expm(float(strength) * program.lindbladian.superoperator())
        error, text = float(np.linalg.norm(channel - reference, 2)), "e^{δL} exactly, at any strength"
    else:
        sigma = gibbs_state(program.generator.model, program.generator.beta)
        error, text = trace_distance(fixed_point(channel), sigma), "σ exactly, at any step"
    step = float(strength if strength is not None else program.knobs.get("step") or 1.0)
    return RungSlope(Rung.DILATION, "step", (step,), (error,), None, text, error <= 1e-9)


SCANS: Mapping[Scan, Callable[[Program, Order], RungSlope | None]] = {
    Scan.FIXED_TIME: _fixed_time,
    Scan.NO_STEP_ERROR: _exact,
    Scan.FIXED_POINT: _fixed_point,
    Scan.TROTTER_STEP: _trotter,
    Scan.NODE_SPACING: _spacing,
    Scan.PALINDROMIC_NODES: partial(_dilation, palindromic=True),
    Scan.LIE_ORDERED_NODES: partial(_dilation, palindromic=False),
}
