"""What every approximation does to the state that comes out, rung by rung, and whether that adds up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ...compiler.schemes.registry import written_by
from ...evidence import Status
from ...limits import MAX_CHANNEL_QUBITS
from ...linalg.arrays import Array
from ...linalg.fixed_point import fixed_point
from ...models.spectrum import gibbs_state, trace_distance
from ...programs.program import Calibration, ErrorTerm, Program, Rung
from ...programs.steps import EXACT
from ...programs.transforms import exactly_evolved, untruncated
from ...readings.channel.effective_generator import NotReadableError, segments
from ...readings.channel.sweep_channel import state_after_sweeps, sweep_channel
from .fine_grid import FineGrid, fine_grid
from .idealised import generator_states, ideal_state, weak_state
from .shifts import Ledger, Shift, half_norm


def ledger(
    program: Program,
    start: Array,
    *,
    extra: Sequence[Shift] = (),
    others: Sequence[ErrorTerm] = (),
    measured: Array | None = None,
) -> Ledger:
    r"""What each approximation does alone, as a shift Δ of the state against σ, and how well the shifts add up.

    Shifts add as matrices, $\rho - \sigma\approx\sum_i\Delta_i$, and $\tfrac12\|\sum\Delta_i\|_1 \le
    \sum\tfrac12\|\Delta_i\|_1$. A sweep of jumps in time is moved rung by rung from one that leaves σ fixed: jumps
    and coherent term of the generator, at first order in the strength, with memoryless free evolution between. Filter,
    quadrature and dilation are moved one after the other, and may be large and cancel (too few nodes at a strength that
    makes up for them); the others alone, on the program's own nodes.

    - filter: the filters that are compiled, on a fine, wide grid.
    - quadrature: the program's spacing with a wide window (aliasing), and its own nodes against those (cut).
    - coherent: what the sweep has of a Hamiltonian, compiled or from the order of its nodes, in place of B.
    - dilation: full strength against first order, on its own nodes, with the missing part of B inserted exactly.
    - truncation, trotter: what is left out of H, and its product formulas, on the program's own nodes and delays.
    - delays: the program's own free evolution in place of a memoryless one, the couplings as they are: with σ as its
      only input it does nothing, so it cannot be moved alone.
    - mixing: the state after all sweeps against the fixed point, of the program itself.

    Dense schemes have a dilation and mixing, and what their generator itself is off by: with B, and for want of it.
    Where a rung cannot be told from another the line says so.

    Args:
        program: Measured up to 5 system qubits; above, the declared terms are returned as they are.
        start: Density matrix the sweeps begin from.
        extra: Shifts that the caller has measured: noise, finitely many draws.
        others: Lines in other units, which no sum includes.
        measured: The state that came out; the exact mean after all sweeps, plus `extra`, if left out.

    Cost: seconds at 4 qubits, a minute at 5.
    """
    if program.num_system > MAX_CHANNEL_QUBITS:
        return Ledger((*declared_terms(program), *(shift.line for shift in extra), *others))
    sigma = gibbs_state(program.generator.model, program.generator.beta)
    last = state_after_sweeps(program, start)
    if program.preparation:
        shifts = [*_prepared(sigma, last), *extra]
    else:
        actual = fixed_point(sweep_channel(program))
        shifts = [*_shifts(program, sigma, actual), _mixing(program, last, actual), *extra]
    matrices = [shift.matrix for shift in shifts if shift.matrix is not None]
    if measured is None:
        measured = last + sum((shift.matrix for shift in extra if shift.matrix is not None), np.zeros_like(sigma))
    lines, together = tuple(shift.line for shift in shifts), np.asarray(sum(matrices))
    return Ledger(
        lines=(*lines, *others),
        total=half_norm(together),
        plain_sum=sum(line.value for line in lines if line.value is not None),
        measured=trace_distance(measured, sigma),
        remainder=half_norm(measured - sigma - together),
    )


def declared_terms(program: Program) -> Iterator[ErrorTerm]:
    """What the recipe knows in advance, with the reason why the rest was not measured."""
    why = f"what it does to the state is measured up to {MAX_CHANNEL_QUBITS} system qubits, not {program.num_system}"
    for term in program.declared:
        yield replace(term, source=f"{why}; {term.source}") if term.value is None else term


def _mixing(program: Program, last: Array, actual: Array) -> Shift:
    text = f"state after {program.sweeps} sweeps against the fixed point"
    return Shift(Rung.MIXING, last - actual, Status.MEASURED, text)


def _shifts(program: Program, sigma: Array, actual: Array) -> list[Shift]:
    if program.calibration is not Calibration.DERIVED and written_by(program) is None:
        return _fitted(sigma, actual)
    if not any(step.couples for step in program.all_steps):
        return _dense(program, sigma, actual)
    try:
        return _in_time(program, sigma)
    except NotReadableError:
        return _unseparated(program, sigma, actual)


def _zero(rung: Rung, sigma: Array, source: str) -> Shift:
    return Shift(rung, np.zeros_like(sigma), Status.PROVED, source)


def _measured(rung: Rung, matrix: Array, source: str) -> Shift:
    return Shift(rung, matrix, Status.MEASURED, source)


def _unknown(rung: Rung, source: str) -> Shift:
    return Shift(rung, None, Status.NOT_CHECKED, source)


def _in_time(program: Program, sigma: Array) -> list[Shift]:
    exact = exactly_evolved(program)
    full = untruncated(exact)
    own = segments(full)
    nodes = weak_state(full, own, ideal=True, balanced=True)
    return [
        *_jumps(full, fine_grid(full), nodes, sigma),
        _truncation(program, exact, sigma),
        _measured(
            Rung.DILATION,
            ideal_state(full, own, coherent=True) - nodes,
            "full strength against weak coupling, on the program's own nodes, the coherent term exact in both",
        ),
        _measured(
            Rung.COHERENT,
            weak_state(full, own, ideal=True, balanced=False) - nodes,
            "weak coupling with the Hamiltonian the sweep has in place of B",
        ),
        _trotter(program, exact, sigma),
        _measured(
            Rung.DELAYS,
            fixed_point(sweep_channel(full)) - ideal_state(full, own),
            "fixed points with the program's own times and with memoryless ones of the same mean",
        ),
    ]


def _jumps(full: Program, fine: FineGrid | None, nodes: Array, sigma: Array) -> list[Shift]:
    """σ, a fine and wide grid, one as coarse as the program's but wide, its own: one after the other."""
    if fine is None:
        return [
            _unknown(Rung.FILTER, "included in quadrature: its filters are known on the program's nodes only"),
            _measured(Rung.QUADRATURE, nodes - sigma, "jumps that the nodes make, with their B, against σ"),
        ]
    base, aliased = (weak_state(one, segments(one), ideal=True, balanced=True) for one in (fine.program, fine.aliased))
    grid = f"the fine grid of {fine.nodes} nodes"
    spacing, count = float(full.knobs["spacing"]), int(full.knobs["nodes"])
    cut = f"cut: {count} nodes, window {count * spacing:g}, against spacing {spacing:g} and a wide window"
    return [
        _measured(Rung.FILTER, base - sigma, f"jumps that are compiled, on {grid}, with their B, against σ"),
        _measured(Rung.QUADRATURE, aliased - base, f"aliasing: spacing {spacing:g} and a wide window, {grid}"),
        _measured(Rung.QUADRATURE, nodes - aliased, cut),
    ]


def _truncation(program: Program, exact: Program, sigma: Array) -> Shift:
    full = untruncated(exact)
    terms = {label for group in full.groups for label, _ in group.terms}
    kept = {label for group in exact.groups for label, _ in group.terms}
    whole = not any(step.left_out for step in program.all_steps)
    if kept == terms and whole:
        return _zero(Rung.TRUNCATION, sigma, "every evolution is under all of H")
    cut, all_ = (weak_state(p, segments(p), ideal=False, balanced=True) for p in (exact, full))
    text = "weak coupling with the terms of H that are evolved under against all of H"
    return _measured(Rung.TRUNCATION, cut - all_, text)


def _formulas(program: Program) -> bool:
    """Whether anything is evolved by a product formula."""
    return any(step.order != EXACT for step in program.all_steps)


def _trotter(program: Program, exact: Program, sigma: Array) -> Shift:
    if not _formulas(program):
        return _zero(Rung.TROTTER, sigma, "no product formula")
    split, whole = (weak_state(p, segments(p), ideal=False, balanced=True) for p in (program, exact))
    return _measured(Rung.TROTTER, split - whole, "weak coupling with product formulas against exact evolution")


def _dense(program: Program, sigma: Array, actual: Array) -> list[Shift]:
    exact = fixed_point(sweep_channel(exactly_evolved(program))) if _formulas(program) else actual
    none = "dense operators of the generator itself: there is no such step"
    if written_by(program) is not None:
        own, balanced = generator_states(program.lindbladian, sigma)
        rows = [
            _zero(Rung.FILTER, sigma, none) if balanced is sigma else
            _measured(Rung.FILTER, balanced - sigma, "steady state of the generator, with B, against σ"),
            _zero(Rung.QUADRATURE, sigma, none),
            _zero(Rung.TRUNCATION, sigma, none),
            _measured(Rung.DILATION, exact - own, "fixed point of the sweep against the generator's steady state"),
            _zero(Rung.COHERENT, sigma, none) if own is balanced else
            _measured(Rung.COHERENT, own - balanced, "steady states of the generator as it is and with B"),
        ]  # fmt: skip
    else:
        rows = [_unknown(rung, "included in dilation") for rung in (Rung.FILTER, Rung.QUADRATURE, Rung.TRUNCATION)]
        rows.append(_measured(Rung.DILATION, exact - sigma, "fixed point of the sweep against σ"))
        rows.append(_unknown(Rung.COHERENT, "included in dilation"))
    text = "fixed points with product formulas and with exact evolution"
    formula = _formulas(program)
    rows.append(_measured(Rung.TROTTER, actual - exact, text) if formula else _zero(Rung.TROTTER, sigma, "no formula"))
    random = any(step.random and not step.options[1:] for step in program.all_steps)
    rows.append(_unknown(Rung.DELAYS, "included in dilation") if random else _zero(Rung.DELAYS, sigma, "no delays"))
    return rows


def _fitted(sigma: Array, actual: Array) -> list[Shift]:
    """A sweep of fitted angles follows no generator: nothing in it can be moved alone."""
    none = "fitted angles: there is no such step"
    rows = [_zero(rung, sigma, none) for rung in (Rung.FILTER, Rung.QUADRATURE, Rung.TRUNCATION, Rung.COHERENT)]
    rows.append(_measured(Rung.DILATION, actual - sigma, "fixed point of the fitted sweep against σ"))
    return [*rows, *(_zero(rung, sigma, none) for rung in (Rung.TROTTER, Rung.DELAYS))]


def _prepared(sigma: Array, last: Array) -> list[Shift]:
    """A preparation has no fixed point that a rung alone could move: only what it makes of its start."""
    rungs = (Rung.FILTER, Rung.QUADRATURE, Rung.TRUNCATION, Rung.COHERENT, Rung.TROTTER, Rung.DELAYS, Rung.MIXING)
    text = "state after all sweeps from the given start against σ: a preparation, everything together"
    rows = [_unknown(rung, "included in dilation: a preparation is not taken apart") for rung in rungs]
    return [_measured(Rung.DILATION, last - sigma, text), *rows]


def _unseparated(program: Program, sigma: Array, actual: Array) -> list[Shift]:
    """A sweep that cannot be read to first order: only what can be switched off in its steps."""
    exact = exactly_evolved(program)
    full = untruncated(exact)
    evolved, whole = (fixed_point(sweep_channel(p)) for p in (exact, full))
    rows = [
        _unknown(rung, "included in dilation: this sweep cannot be taken apart")
        for rung in (Rung.FILTER, Rung.QUADRATURE, Rung.COHERENT, Rung.DELAYS)
    ]
    rows.append(_measured(Rung.DILATION, whole - sigma, "fixed point with exact evolution under all of H against σ"))
    rows.append(_measured(Rung.TRUNCATION, evolved - whole, "fixed points without and with all terms of H"))
    rows.append(_measured(Rung.TROTTER, actual - evolved, "fixed points with product formulas and exact evolution"))
    return rows
