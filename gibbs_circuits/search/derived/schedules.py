"""Sweeps of few nodes and schedules of them, compared on the exact channel."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import TypeAlias

import numpy as np

from ...generators.frequency import time_unit
from ...generators.lindbladian import Lindbladian
from ...linalg.arrays import Array, Real, vec
from ...linalg.maps import mean_of_powers
from ...models.scale import rounded
from ...programs.program import Program, Stage
from ...readings.channel.evolver import Evolver
from ...readings.channel.sweep_channel import sweep_channel
from ...readings.circuits.cost import step_gates
from .. import costs
from ..candidates import Candidate, cheapest
from ..clock import Deadline, unlimited
from ..task import MARGINS, Margins
from .few_nodes import Layout, layout

NODES = (4, 5, 6, 3, 8)
STRENGTHS = (0.55, 0.8, 0.27, 1.1, 0.4, 0.13, 1.6, 2.4)
DELAYS = ((0, 4), (2, 8), (0, 0), (0, 2))
LIKELY = (5, 0.55, (0, 4))
FLOOR = (5, 0.05, (0, 4))  # nodes, strength, delays of the sweep that shows what the spacing alone does
MOST_SWEEPS = 60
STARTS = 12  # random basis states that are followed where there are more than 16
SHORTLIST = 8
OPENING = 6  # most repeats of a first stage
CONVERGED, MOST_POWERS = 1e-6, 400


@dataclass(frozen=True, eq=False)
class MeasuredSweep:
    """A sweep, what it costs, and its channel.

    Attributes:
        plan, strength, delays: What it is written from.
        channel: On vectorised density matrices, (4ⁿ, 4ⁿ).
        gates: Two-qubit gates, mean over random delays.
        fixed: Trace distance of its fixed point to σ.
    """

    plan: Layout
    strength: float
    delays: tuple[int, int]
    channel: Array
    gates: float
    fixed: float


@dataclass(frozen=True, eq=False)
class Schedule:
    """Sweeps, each with its repeats, in order of time."""

    parts: tuple[tuple[MeasuredSweep, int], ...]

    def candidate(self, distance: float) -> Scheduled:
        """With its gates; `distance` is that of the farthest followed start or of the last fixed point."""
        return Candidate(self, sum(sweep.gates * repeats for sweep, repeats in self.parts), distance)

    def longer(self) -> Schedule:
        """One more of the last sweep."""
        *first, (last, repeats) = self.parts
        return Schedule((*first, (last, repeats + 1)))

    def program(self) -> Program:
        """As a program with one stage per part."""
        stages = [Stage(sweep.plan.sweep(sweep.strength, sweep.delays), repeats) for sweep, repeats in self.parts]
        return self.parts[-1][0].plan.program(stages)


Scheduled: TypeAlias = Candidate[Schedule]


@dataclass(frozen=True, eq=False)
class SearchGoal:
    """What schedules of sweeps are asked for, and what is followed to see whether they reach it.

    Attributes:
        target: Trace distance, the margin taken off.
        sampler: Whether every start counts, and the fixed point.
        sigma: The Gibbs state, (2ⁿ, 2ⁿ).
        starts: Vectorised density matrices that are followed, as columns.
        deadline: Which all work counts against.
        margins: Of what is followed, against the target.
    """

    target: float
    sampler: bool
    sigma: Array
    starts: Array
    deadline: Deadline = field(default_factory=unlimited)
    margins: Margins = MARGINS

    @property
    def n(self) -> int:
        """Number of sites."""
        return len(self.sigma).bit_length() - 1

    def moved(self, channel: Array, states: Array) -> Array:
        """Vectorised density matrices, as columns, after one sweep."""
        self.deadline.spend(costs.columns_moved(self.n, states.size // len(states)))
        return np.asarray(channel @ states)

    def distances(self, states: Array) -> Real:
        """½‖ρ − σ‖₁ of every column."""
        self.deadline.spend(costs.distances(self.n, states.shape[1]))
        d = len(self.sigma)
        found = states.T.reshape(-1, d, d).transpose(0, 2, 1) - self.sigma
        values = np.linalg.eigvalsh((found + found.conj().transpose(0, 2, 1)) / 2)
        return np.asarray(0.5 * np.abs(values).sum(axis=1))


def followed(n: int) -> Array:
    """Basis states and |+…+⟩, as columns; of many basis states |0…0⟩, |1…1⟩ and some."""
    d = 2**n
    basis = np.arange(d)
    if d > 16:
        basis = np.unique([0, d - 1, *np.random.default_rng(0).choice(d, STARTS, replace=False)])
    states = [*np.eye(d)[basis], np.ones(d) / math.sqrt(d)]
    return np.stack([vec(np.outer(psi, psi)) for psi in states], axis=1)


def measured_sweeps(generator: Lindbladian, spacing: float, slices: int, goal: SearchGoal) -> Iterator[MeasuredSweep]:
    """All sweeps at one spacing: one of the likeliest, the one that shows the spacing's floor, the rest."""
    settings = dict.fromkeys([LIKELY, FLOOR, *((N, y, d) for y, N, d in product(STRENGTHS, NODES, DELAYS))])
    kicks, plans, couplings = dict[tuple[int, float], Array](), set[int](), len(generator.contacts)
    for count, strength, delays in settings:
        if count not in plans:
            goal.deadline.spend(costs.layout(goal.n, count))
            plans.add(count)
        plan = layout(generator, count, rounded(spacing, time_unit(generator)), slices)
        steps = plan.sweep(strength, delays)
        program = plan.program([Stage(plan.sweep(strength), 1)])
        if (count, strength) not in kicks:
            kicks = {(count, strength): sweep_channel(program)} if len(kicks) > len(NODES) else kicks
            goal.deadline.spend(costs.sweep_matrix(goal.n, count, couplings))
            kicks[count, strength] = sweep_channel(program)
        channel = kicks[count, strength]
        if delays[1] > 0:
            goal.deadline.spend(costs.delay_matrix(goal.n))
            U = Evolver(plan.groups, generator.model.num_qubits).unitary(plan.delay)
            channel = mean_of_powers(U, *delays).after(channel)
        gates = sum(step_gates(program, step) for step in steps)
        yield MeasuredSweep(plan, strength, delays, channel, gates, _fixed(channel, goal))


def _fixed(channel: Array, goal: SearchGoal) -> float:
    """Distance of the fixed point, by powers; 1 where they do not settle, and it is not asked for without a sampler."""
    if not goal.sampler:
        return 0.0
    d = len(goal.sigma)
    state = vec(np.eye(d) / d)
    for _ in range(MOST_POWERS):
        before, state = state, goal.moved(channel, state)
        if np.linalg.norm(state - before) < CONVERGED / math.sqrt(d):
            return float(goal.distances(state[:, None])[0])
    return 1.0


def repeated(trial: MeasuredSweep, goal: SearchGoal, found: Sequence[Scheduled]) -> Iterator[Scheduled]:
    """One stage, as often as it gets nearer and may still be of use."""
    states, before = goal.starts, math.inf
    limit = _limit(found, goal)
    for repeats in range(1, MOST_SWEEPS + 1):
        if repeats > 1 and repeats * trial.gates > limit:
            return
        states = goal.moved(trial.channel, states)
        distance = max(float(np.max(goal.distances(states))), trial.fixed)
        if distance < before:
            yield Schedule(((trial, repeats),)).candidate(distance)
        if distance >= before - 1e-5 or distance <= 0.5 * goal.target:
            return
        before = distance


def _limit(found: Sequence[Scheduled], goal: SearchGoal) -> float:
    """Gates of the cheapest so far that meets the target."""
    met = cheapest(found, goal.margins.followed * goal.target)
    return math.inf if met is None else met.two_qubit_gates


def pairs(sweeps: Sequence[MeasuredSweep], goal: SearchGoal) -> Iterator[tuple[MeasuredSweep, MeasuredSweep]]:
    """Strong first stages that forget most per gate, with weaker last ones: good enough and fast, or the nearest."""
    last = [
        *_fastest([one for one in sweeps if one.fixed <= goal.margins.fixed_point * goal.target], goal),
        *_nearest(sweeps),
    ]
    for b, a in product(dict.fromkeys(last), _fastest(sweeps, goal)):
        if a is not b and a.strength >= b.strength:
            yield a, b


def useful(sweeps: Sequence[MeasuredSweep], goal: SearchGoal) -> list[MeasuredSweep]:
    """Those that `pairs` takes, once there are many: channels fill the memory."""
    if len(sweeps) <= 4 * SHORTLIST:
        return list(sweeps)
    return list(dict.fromkeys(one for pair in pairs(sweeps, goal) for one in pair)) or list(sweeps[:SHORTLIST])


def _fastest(sweeps: Sequence[MeasuredSweep], goal: SearchGoal) -> list[MeasuredSweep]:
    return sorted(sweeps, key=lambda one: -_forgets(one, goal) / max(one.gates, 1e-9))[:SHORTLIST]


def _nearest(sweeps: Sequence[MeasuredSweep]) -> list[MeasuredSweep]:
    return sorted(sweeps, key=lambda one: one.fixed)[: SHORTLIST // 2]


def _forgets(trial: MeasuredSweep, goal: SearchGoal) -> float:
    """−log of what is left after two sweeps of the difference between two followed starts, or of the distance."""
    pair = goal.starts[:, [0, -1]]
    gap = pair[:, 0] - pair[:, 1] if pair.shape[1] > 1 and goal.sampler else pair[:, 0] - vec(goal.sigma)
    left = np.linalg.norm(trial.channel @ (trial.channel @ gap)) / max(float(np.linalg.norm(gap)), 1e-300)
    return -math.log(max(float(left), 1e-12))


def two_stages(
    first: MeasuredSweep, last: MeasuredSweep, goal: SearchGoal, found: Sequence[Scheduled]
) -> Iterator[Scheduled]:
    """Schedules of both with all repeats that may still be of use, followed at once."""
    limit, count = _limit(found, goal), goal.starts.shape[1]
    opened, states = [], goal.starts
    for _ in range(OPENING):
        states = goal.moved(first.channel, states)
        opened.append(states)
    states, alive = np.concatenate(opened, axis=1), np.arange(1, OPENING + 1)
    for repeats in range(1, MOST_SWEEPS + 1):
        keep = alive * first.gates + repeats * last.gates <= limit
        if not np.any(keep):
            return
        states, alive = states[:, np.repeat(keep, count)], alive[keep]
        states = goal.moved(last.channel, states)
        worst = np.maximum(goal.distances(states).reshape(len(alive), count).max(axis=1), last.fixed)
        yield from (
            Schedule(((first, int(k)), (last, repeats))).candidate(float(x)) for k, x in zip(alive, worst, strict=True)
        )
        if np.max(worst) <= max(goal.margins.followed * goal.target, 1.001 * last.fixed):
            return
