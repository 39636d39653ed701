"""Published recipes, the presets of the compiler, tuned by a stated grid within a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from peer import Peer, two_qubit_gates
from qiskit import QuantumCircuit
from qiskit.circuit.library import UnitaryGate

from gibbs_circuits.backends.targets.registry import load_target
from gibbs_circuits.backends.transpile.transpile import compile_for
from gibbs_circuits.compiler import presets
from gibbs_circuits.compiler.presets.unitary_gate_loop import unitary_gate_loop
from gibbs_circuits.errors import GibbsError
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.frequency import local_frequency
from gibbs_circuits.generators.kinds.dll import dll
from gibbs_circuits.limits import MAX_CHANNEL_QUBITS
from gibbs_circuits.linalg.arrays import Array
from gibbs_circuits.linalg.maps import Action, Chain, Kraus, Map, Matrix
from gibbs_circuits.models.model import Model
from gibbs_circuits.models.spectrum import gibbs_state, spectrum, trace_distance
from gibbs_circuits.programs.initial_state import zero
from gibbs_circuits.programs.program import Guarantee, Program
from gibbs_circuits.programs.steps import Unitary
from gibbs_circuits.readings.channel.building_time import building_seconds
from gibbs_circuits.readings.channel.sweep_channel import stage_channel
from gibbs_circuits.readings.channel.worst_start import climb, worst_start
from gibbs_circuits.readings.circuits.cost import cost

DOUBLINGS = 13  # 2^13 sweeps are the most that are counted
SETTLED = 1e-10
NEGLIGIBLE = 1e-10  # weight of a Kraus operator, against the largest, above 5 qubits
POINT = 8  # above 5 qubits a setting may take the eighth part of a recipe's time
FEW = 6  # starts and steps of the search while settings are compared
SEARCHED = 40  # above 5 qubits the worst start is searched for if 40 times the time of all sweeps is there
ANYWHERE = load_target("aer_density_matrix")

# Grids; `nodes` is half of the nodes of an interaction, ω, Δ and ‖H‖ are in units of the recipe's own choice.
SIDES = (1, 2, 3, 4, 6, 8, 12, 16)
GRIDS: dict[str, dict[str, tuple[float, ...]]] = {
    "unitary_gate_loop": {"step": tuple(0.1 * 2 ** (k / 4) for k in range(29))},
    "ding_chen_lin": {
        "gap": (0.125, 0.25, 0.5, 1, 2), "norm": (0.05, 0.1, 0.2, 0.5, 1), "step": (0.1, 0.25, 0.5, 1, 2),
    },
    "farrell": {
        "alpha": (0.2, 0.3, 0.4, 0.6, 0.9, 1.3, 1.75, 2.5), "duration": (0.3, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6),
        "slices": (1, 2, 3, 4, 6, 8, 12, 16), "omega": (0.125, 0.25, 0.5, 1, 2, 4), "letters": (0, 1),
    },
    "lloyd_abanin": {
        "theta": (0.2, 0.3, 0.45, 0.6, 0.9, 1.2, 1.6, 2.2), "splitting": (0.125, 0.25, 0.5, 1, 2, 4, 8, 16),
        "tails": (0.7, 1, 1.5, 2, 2.5, 3, 4), "nodes": SIDES, "order": (1, 2), "letters": (0, 1),
    },
    "ding_zhan_preskill_lin": {
        "alpha": (0.2, 0.3, 0.5, 0.8, 1.2, 1.7, 2.3), "envelope": (0.15, 0.25, 0.4, 0.6, 0.9, 1.3, 2),
        "reach": (1, 1.5, 2, 2.5, 3, 4), "nodes": SIDES, "omega": (0.125, 0.25, 0.5, 1, 1.5), "order": (1, 2),
        "letters": (0, 1),
    },
}  # fmt: skip
BEGIN: dict[str, tuple[float, ...]] = {  # good on the chain of `main`, where the search begins
    "unitary_gate_loop": (GRIDS["unitary_gate_loop"]["step"][14],),
    "ding_chen_lin": (0.5, 0.1, 0.25),
    "farrell": (0.2, 3, 12, 1, 0),
    "lloyd_abanin": (1.2, 4, 1.5, 2, 2, 0),
    "ding_zhan_preskill_lin": (1.2, 0.9, 3, 8, 1, 2, 0),
}


@dataclass(frozen=True, eq=False)
class Recipe:
    """A preset with one sweep on one system, as a function of a setting of its grid, and what to count it with."""

    name: str
    build: Callable[[Mapping[str, float]], Program]
    gates: Callable[[Program], float]
    transpiled: Callable[[Program], float]


@dataclass(frozen=True, eq=False)
class Found:
    """One setting: two-qubit gates per sweep by the formula, sweeps to every target, the smallest distance."""

    per_sweep: float
    sweeps: dict[float, int | None]
    distance: float

    def score(self, target: float) -> tuple[int, float]:
        """Less is better: gates where the target is met, the distance where it is not."""
        sweeps = self.sweeps.get(target)
        return (1, self.distance) if sweeps is None else (0, self.per_sweep * sweeps)


NOTHING = Found(0.0, {}, np.inf)


def preset_peers(
    model: Model,
    beta: float,
    couplings: str,
    targets: Sequence[float],
    seconds: float,
    guarantee: Guarantee = Guarantee.ANY_START,
) -> dict[float, tuple[Peer, ...]]:
    """Every preset, its parameters searched on the grid of `GRIDS`, each target on its own.

    The search goes from neighbour to neighbour, from `BEGIN` and from random settings, until the time is
    up. `seconds` is for all presets together: each may use an equal part of what those before it have left. `letters`
    is `couplings` or XYZ, bath frequencies come in 8 bins (4 above 5 qubits), the bath has the model's β.

    Args:
        model: Hamiltonian.
        beta: Inverse temperature.
        couplings: Letters.
        targets: Trace distances.
        seconds: About what may be spent; the final search for the worst start and transpilation come on top.
        guarantee: ANY_START: from every start, the fixed point included; GIVEN_START: from the zero state, at the first
            sweep that is near enough.
    """
    recipes, end = _recipes(model, beta, couplings), time.perf_counter() + seconds
    searched = []
    for left, recipe in zip(range(len(recipes), 0, -1), recipes, strict=True):
        share = (end - time.perf_counter()) / left
        judge = _Judge(model, beta, tuple(targets), guarantee is Guarantee.ANY_START, share)
        searched.append((recipe, judge, _searched(recipe, judge, targets, share)))
    return {target: tuple(_peer(*one, target) for one in searched) for target in targets}


def _recipes(model: Model, beta: float, couplings: str) -> list[Recipe]:
    energies = np.unique(np.round(spectrum(model).energies, 9))
    norm, gap = float(np.max(np.abs(energies))), float(energies[1] - energies[0])
    operators = couplings_of(couplings, model.num_qubits)
    generator = dll(model, beta, operators, GaussianFilter(beta))
    fastest = local_frequency(generator) or 1.0
    bins = 8 if model.num_qubits <= MAX_CHANNEL_QUBITS else 4

    def letters(s: Mapping[str, float]) -> str:
        return "XYZ" if s["letters"] else couplings

    def loop(s: Mapping[str, float]) -> Program:
        return unitary_gate_loop(generator, step=s["step"], sweeps=1)

    def cooled(s: Mapping[str, float]) -> Program:
        scaled = {"norm": s["norm"] * norm, "gap": s["gap"] * gap}
        return presets.ding_chen_lin(model, couplings=operators, step=s["step"], beta=beta, sweeps=1, **scaled)

    def farrell(s: Mapping[str, float]) -> Program:
        step, top = s["duration"] / s["slices"], s["omega"] * fastest
        shape = {"alpha": s["alpha"], "duration": s["duration"], "step": step, "omega_max": top, "frequencies": bins}
        return presets.farrell(model, beta=beta, couplings=letters(s), sweeps=1, **shape)

    def modulated(s: Mapping[str, float]) -> Program:
        splitting = s["splitting"] / beta
        step = s["tails"] / (s["nodes"] * np.sqrt(4 * splitting / beta))
        shape = {"splitting": splitting, "theta": s["theta"], "step": float(step), "tails": s["tails"]}
        shape["trotter_order"] = int(s["order"])
        return presets.lloyd_abanin(model, beta=beta, couplings=letters(s), sweeps=1, **shape)

    def thermal(s: Mapping[str, float]) -> Program:
        step = s["reach"] * s["envelope"] / s["nodes"] * (1 + 1e-12)  # `ceil` inside must not round up
        shape = {"alpha": s["alpha"], "envelope": s["envelope"], "reach": s["reach"], "step": step}
        shape |= {"trotter_order": int(s["order"]), "omega_max": s["omega"] * fastest, "frequencies": bins}
        return presets.ding_zhan_preskill_lin(model, beta=beta, couplings=letters(s), sweeps=1, **shape)

    dense = _dense_gates(loop({"step": 0.1}))
    return [
        Recipe("unitary_gate_loop", loop, lambda _: dense, lambda _: dense),
        *(
            Recipe(name, build, lambda program: cost(program).two_qubit_gates, _transpiled)
            for name, build in (
                ("ding_chen_lin", cooled), ("farrell", farrell), ("lloyd_abanin", modulated),
                ("ding_zhan_preskill_lin", thermal),
            )
        ),
    ]  # fmt: skip


def _dense_gates(program: Program) -> int:
    """Of the dense gates of one sweep, one by one; transpiled at level 1 from 7 qubits on."""
    total = 0
    for step in program.stages[0].steps:
        if isinstance(step, Unitary):
            qc = QuantumCircuit(round(np.log2(len(step.matrix))))
            qc.append(UnitaryGate(step.matrix), qc.qubits)
            total += two_qubit_gates(qc, 3 if qc.num_qubits < 7 else 1)
    return total


def _transpiled(program: Program) -> float:
    return compile_for(program, ANYWHERE, zero(program.num_system)).two_qubit_gates


@dataclass(frozen=True, eq=False)
class _Judge:
    """How many sweeps a program of one sweep needs."""

    model: Model
    beta: float
    targets: tuple[float, ...]
    any_start: bool
    seconds: float

    def judged(self, recipe: Recipe, setting: Mapping[str, float], *, thorough: bool = False) -> Found:
        try:
            program = recipe.build(setting)
            if self.model.num_qubits > MAX_CHANNEL_QUBITS and building_seconds(program) > self.seconds / POINT:
                return NOTHING
            channel = stage_channel(program, 0)
        except GibbsError:  # a setting that the preset refuses
            return NOTHING
        gates = recipe.gates(program)
        if not isinstance(channel, np.ndarray):
            return Found(gates, *self.followed(_shorter(channel)))
        return Found(gates, *(self.doubled(program, channel, thorough) if self.any_start else self.passed(channel)))

    def starts(self) -> list[Array]:
        """Zero alone, or with one, plus, minus, two eigenstates of H (first excited, highest) and mixed."""
        d, vectors = 2**self.model.num_qubits, spectrum(self.model).vectors
        signs = np.array([(-1) ** k.bit_count() for k in range(d)])
        pure = [np.eye(d)[0], np.eye(d)[-1], np.ones(d), signs, vectors[:, 1], vectors[:, -1]]
        states = [np.asarray(np.outer(v, v.conj()) / np.vdot(v, v), dtype=complex) for v in pure]
        return [*states, np.eye(d) / d] if self.any_start else states[:1]

    def doubled(self, program: Program, channel: Array, thorough: bool) -> tuple[dict[float, int | None], float]:
        """From the worst start found, whose distance never grows with the sweeps: by halving intervals.

        To compare settings a few steps from a few starts do; `thorough` is the package's own search.
        """
        sigma, powers = gibbs_state(self.model, self.beta), [channel]
        while len(powers) <= DOUBLINGS and (len(powers) < 2 or np.max(np.abs(powers[-1] - powers[-2])) > SETTLED):
            powers.append(powers[-1] @ powers[-1])
        pure = np.random.default_rng(0).standard_normal((FEW, len(sigma), 2)) @ np.array([1, 1j])
        pure /= np.linalg.norm(pure, axis=1, keepdims=True)
        flat = np.stack([rho.T.ravel() for rho in self.starts()], axis=1)

        def worst(power: Array, target: float) -> float:
            ends = (power @ flat).T.reshape(-1, *sigma.shape).transpose(0, 2, 1)
            quick = max(trace_distance(rho, sigma) for rho in ends)
            if quick > target:
                return quick
            if thorough:
                return worst_start(program, [power]).distance
            return float(np.max(climb(Matrix(power), sigma, pure, FEW)[1][-1]))

        limit, sweeps = worst(powers[-1], max(self.targets)), dict[float, int | None]()
        for target in self.targets:
            sweeps[target] = None
            if limit <= target:
                count, total = 0, np.eye(len(channel), dtype=complex)
                for k, power in reversed(list(enumerate(powers))):
                    longer = power @ total
                    if worst(longer, target) > target:
                        count, total = count + 2**k, longer
                sweeps[target] = count + 1
        return sweeps, limit

    def passed(self, channel: Array) -> tuple[dict[float, int | None], float]:
        """From the zero state, up to the first sweep that is near enough."""
        sigma, d = gibbs_state(self.model, self.beta), 2**self.model.num_qubits
        vector, sweeps, least = np.eye(d * d, dtype=complex)[0], dict[float, int | None](), np.inf
        for count in range(1, 2**DOUBLINGS + 1):
            before, vector = vector, channel @ vector
            distance = trace_distance(vector.reshape(d, d).T, sigma)
            least = min(least, distance)
            sweeps |= {t: count for t in self.targets if distance <= t and t not in sweeps}
            if len(sweeps) == len(self.targets) or np.max(np.abs(vector - before)) < SETTLED:
                break
        return sweeps, least

    def followed(self, chain: Chain) -> tuple[dict[float, int | None], float]:
        """Above 5 qubits: the starts one by one, sweep by sweep, as far as the time goes."""
        sigma, end = gibbs_state(self.model, self.beta), time.perf_counter() + self.seconds / POINT
        states, sweeps, least = self.starts(), dict[float, int | None](), np.inf
        for count in range(1, 2**DOUBLINGS + 1):
            before, states = states, _pairwise(chain, states)
            distance = max(trace_distance(rho, sigma) for rho in states)
            least = min(least, distance)
            sweeps |= {t: count for t in self.targets if distance <= t and t not in sweeps}
            still = max(float(np.max(np.abs(a - b))) for a, b in zip(states, before, strict=True)) < SETTLED
            if len(sweeps) == len(self.targets) or still or time.perf_counter() > end:
                break
        return sweeps, least

    def reached(self, program: Program) -> tuple[float, str]:
        """Of all sweeps; above 5 qubits the worst start is searched for where the time of a recipe is enough."""
        sigma, channel = gibbs_state(self.model, self.beta), stage_channel(program, 0)
        if isinstance(channel, np.ndarray) and self.any_start:
            return worst_start(program, [channel]).distance, "the worst start found"
        one = Matrix(channel) if isinstance(channel, np.ndarray) else _shorter(channel)
        states, begun = self.starts(), time.perf_counter()
        for _ in range(program.sweeps):
            states = _pairwise(one, states)
        spent = time.perf_counter() - begun
        if self.any_start and SEARCHED * spent < self.seconds:
            return worst_start(program, [one], starts=2).distance, "the worst start found"
        start = "the worst of 7 starts" if self.any_start else "zero"
        return max(trace_distance(rho, sigma) for rho in states), start


def _pairwise(chain: Action, states: list[Array]) -> list[Array]:
    """Two Hermitian matrices at a time, as A + iB."""
    found: list[Array] = []
    for pair in (states[k : k + 2] for k in range(0, len(states), 2)):
        image = chain.apply(pair[0] + 1j * pair[1] if len(pair) == 2 else pair[0])
        found += [(image + image.conj().T) / 2, (image - image.conj().T) / 2j][: len(pair)]
    return found


def _shorter(chain: Chain) -> Chain:
    return Chain(chain.dim, tuple(map(_compressed, chain.maps)))


def _compressed(one: Map) -> Map:
    """A long stack of Kraus operators as few."""
    if not isinstance(one, Kraus) or len(one.operators) < 8:
        return one
    flat = one.operators.reshape(len(one.operators), -1)
    weights, vectors = np.linalg.eigh(flat.conj() @ flat.T)
    kept = weights > NEGLIGIBLE * weights[-1]
    stack = (vectors[:, kept].T @ flat).reshape(-1, one.dim, one.dim)
    return Kraus(np.ascontiguousarray(stack.transpose(1, 0, 2)).transpose(1, 0, 2))


def _searched(
    recipe: Recipe, judge: _Judge, targets: Sequence[float], seconds: float
) -> dict[tuple[int, ...], tuple[dict[str, float], Found]]:
    """Settings that were judged, by their place in the grid; at least one."""
    grid, end = GRIDS[recipe.name], time.perf_counter() + seconds
    sizes, rng = [len(values) for values in grid.values()], np.random.default_rng(0)
    known: dict[tuple[int, ...], tuple[dict[str, float], Found]] = {}

    def score(place: tuple[int, ...], target: float) -> tuple[int, float]:
        if place not in known:
            if known and time.perf_counter() > end:
                return (2, 0.0)
            setting = {name: values[k] for (name, values), k in zip(grid.items(), place, strict=True)}
            known[place] = setting, judge.judged(recipe, setting)
        return known[place][1].score(target)

    begin = tuple(values.index(v) for values, v in zip(grid.values(), BEGIN[recipe.name], strict=True))
    while len(known) < np.prod(sizes) and (not known or time.perf_counter() < end):
        for target in targets:
            place, now = begin, score(begin, target)
            moves = list(product(range(len(sizes)), (-1, 1)))
            while moves:
                axis, step = moves.pop(int(rng.integers(len(moves))))
                there = (*place[:axis], place[axis] + step, *place[axis + 1 :])
                if 0 <= there[axis] < sizes[axis] and (value := score(there, target)) < now:
                    place, now, moves = there, value, list(product(range(len(sizes)), (-1, 1)))
        begin = tuple(int(rng.integers(size)) for size in sizes)
    return known


def _peer(
    recipe: Recipe, judge: _Judge, known: dict[tuple[int, ...], tuple[dict[str, float], Found]], target: float
) -> Peer:
    setting, best = min(known.values(), key=lambda pair: pair[1].score(target))
    total = int(np.prod([len(values) for values in GRIDS[recipe.name].values()]))
    text = ", ".join(f"{name} {value:.3g}" for name, value in setting.items())
    tried = f"{len(known)} of {total:,} settings"
    if judge.any_start and judge.model.num_qubits <= MAX_CHANNEL_QUBITS and best.sweeps.get(target) is not None:
        best = judge.judged(recipe, setting, thorough=True)
    sweeps = best.sweeps.get(target)
    if sweeps is None:
        return Peer(recipe.name, None, best.distance, f"nearest: {text}; {tried}")
    program = recipe.build(setting)
    per_sweep = min(best.per_sweep, recipe.transpiled(program))
    whole = replace(program, stages=tuple(replace(stage, repeats=sweeps) for stage in program.stages))
    distance, start = judge.reached(whole)
    shape = f"{'AT LEAST ' if distance > target else ''}{sweeps} sweeps of {per_sweep:.4g}"
    return Peer(recipe.name, per_sweep * sweeps, distance, f"{shape} from {start}; {text}; {tried}")
