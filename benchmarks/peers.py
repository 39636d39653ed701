"""What a user would take instead of a tuned program: published recipes, purification, variational thermofield double.

    python benchmarks/peers.py        # mixed-field Ising chain, 4 sites, β = 1; about three minutes on one core

Two-qubit gates are CZ after Qiskit's level 3 in the basis cz, rz, sx, x, every pair connected; a repeated recipe is one
sweep transpiled, mean over its random steps, times the sweeps. Distances are trace distances of exact density matrices.
The worst start is searched for up to 5 qubits, so that a worse one may exist; above, seven starts are followed: the
counts err in favour of the peers. The settings of the recipes are the best of a search within a time, upper bounds:
more time finds cheaper ones, and so may another run on another machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import scipy.optimize
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import Isometry, PauliEvolutionGate, StatePreparation, UnitaryGate
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import SparsePauliOp
from rich.console import Console
from rich.table import Table

from gibbs_circuits.analysis.baselines import best_product_distance
from gibbs_circuits.backends import compile_for
from gibbs_circuits.compiler import Guarantee, Program, Unitary
from gibbs_circuits.compiler.presets import PRESETS, unitary_gate_loop
from gibbs_circuits.compiler.trotter import commuting_groups
from gibbs_circuits.errors import GibbsError
from gibbs_circuits.filters import GaussianFilter
from gibbs_circuits.generators import couplings_of, dll
from gibbs_circuits.generators.frequency import local_frequency
from gibbs_circuits.models import Model, mixed_field_ising
from gibbs_circuits.readings import cost, zero
from gibbs_circuits.readings.channel import MAX_CHANNEL_QUBITS, stage_channel
from gibbs_circuits.readings.maps import Action, Chain, Kraus, Map, Matrix
from gibbs_circuits.readings.work import building_seconds
from gibbs_circuits.readings.worst_start import climb, worst_start
from gibbs_circuits.spectrum import Array, Real, gibbs_state, spectrum, trace_distance
from gibbs_circuits.targets import load_target

BASIS = ("cz", "rz", "sx", "x")
DOUBLINGS = 13  # 2^13 sweeps are the most that are counted
LEVEL_3_QUBITS = 10  # above, a general state preparation is transpiled at level 1
LAYERS = 5
SMOOTHING = (1e-2, 1e-3, 1e-4)
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


@dataclass(frozen=True)
class Peer:
    """Another way to the state.

    Attributes:
        name: Of the way.
        gates: CZ that meet the target; None where nothing that was tried meets it. A lower bound where `distance` is
            above the target, because a last search found a worse start, and `how` says so.
        distance: Of the program counted, or the smallest that was found.
        how: Its settings, and what was tried.
    """

    name: str
    gates: float | None
    distance: float
    how: str


def two_qubit_gates(qc: QuantumCircuit, level: int = 3) -> int:
    """CZ after transpilation, every pair connected."""
    done = transpile(qc, basis_gates=list(BASIS), optimization_level=level, seed_transpiler=1)
    return int(done.count_ops().get("cz", 0))


# --- published recipes ------------------------------------------------------------------------------------------------


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
    generator = dll(model, operators, GaussianFilter(beta), beta)
    fastest = local_frequency(generator) or 1.0
    bins = 8 if model.num_qubits <= MAX_CHANNEL_QUBITS else 4

    def letters(s: Mapping[str, float]) -> str:
        return "XYZ" if s["letters"] else couplings

    def loop(s: Mapping[str, float]) -> Program:
        return unitary_gate_loop(generator, step=s["step"], sweeps=1)

    def cooled(s: Mapping[str, float]) -> Program:
        scaled = {"norm": s["norm"] * norm, "gap": s["gap"] * gap}
        return PRESETS["ding_chen_lin"](model, couplings=operators, step=s["step"], beta=beta, sweeps=1, **scaled)

    def farrell(s: Mapping[str, float]) -> Program:
        step, top = s["duration"] / s["slices"], s["omega"] * fastest
        shape = {"alpha": s["alpha"], "duration": s["duration"], "step": step, "omega_max": top, "frequencies": bins}
        return PRESETS["farrell"](model, beta=beta, couplings=letters(s), sweeps=1, **shape)

    def modulated(s: Mapping[str, float]) -> Program:
        splitting = s["splitting"] / beta
        step = s["tails"] / (s["nodes"] * np.sqrt(4 * splitting / beta))
        shape = {"splitting": splitting, "theta": s["theta"], "step": float(step), "tails": s["tails"]}
        shape["trotter_order"] = int(s["order"])
        return PRESETS["lloyd_abanin"](model, beta=beta, couplings=letters(s), sweeps=1, **shape)

    def thermal(s: Mapping[str, float]) -> Program:
        step = s["reach"] * s["envelope"] / s["nodes"] * (1 + 1e-12)  # `ceil` inside must not round up
        shape = {"alpha": s["alpha"], "envelope": s["envelope"], "reach": s["reach"], "step": step}
        shape |= {"trotter_order": int(s["order"]), "omega_max": s["omega"] * fastest, "frequencies": bins}
        return PRESETS["ding_zhan_preskill_lin"](model, beta=beta, couplings=letters(s), sweeps=1, **shape)

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


# --- with σ known: purifications, eigenstates, product states ---------------------------------------------------------


def purification(model: Model, beta: float) -> Peer:
    """√σ as a vector on 2n qubits by general state preparation: exact; the fewest CZ of two syntheses of Qiskit.

    The environment has the rank of σ. Where a synthesis fails, it is repeated between rotations of the environment's
    qubits, which change nothing. Level 1 above 10 qubits.
    """
    s = spectrum(model)
    weights = np.exp(-beta * (s.energies - s.energies[0]))
    kept = weights > SETTLED * np.sum(weights)
    environment = int(np.sum(kept) - 1).bit_length()
    root = (s.vectors * np.sqrt(weights)) @ s.vectors.conj().T
    if environment < model.num_qubits:  # in the eigenbasis the rows that are left out are empty
        root = np.zeros((2**environment, len(root)), dtype=root.dtype)
        root[: np.sum(kept)] = (s.vectors * np.sqrt(weights))[:, kept].T
    level = 3 if model.num_qubits + environment <= LEVEL_3_QUBITS else 1
    rng, found = np.random.default_rng(0), list[tuple[int, str]]()
    for _ in range(4):
        for name in ("StatePreparation", "Isometry"):
            try:
                found.append((two_qubit_gates(_prepared(root.ravel(), name), level), name))
            except QiskitError:  # small amplitudes
                continue
        if found:
            break
        root = _turned(environment, rng) @ root
    gates, name = min(found, default=(None, "neither synthesis succeeded"))
    return Peer("purification", gates, 0.0, f"{name}, {environment} qubits of environment, level {level}")


def eigenstates(model: Model, beta: float) -> Peer:
    """An eigenstate of H drawn with its Boltzmann weight and written by `StatePreparation`: exact, mean over draws."""
    s, mean = spectrum(model), 0.0
    weights = np.exp(-beta * (s.energies - s.energies[0]))
    weights /= np.sum(weights)
    for weight, state in zip(weights, s.vectors.T, strict=True):
        mean += weight * two_qubit_gates(_prepared(state, "StatePreparation"))
    return Peer("eigenstates drawn", float(mean), 0.0, "StatePreparation of each, no ancilla; mean over the draw")


def nearest_product(model: Model, beta: float) -> Peer:
    """The nearest product of one-qubit states that is found."""
    distance = best_product_distance(gibbs_state(model, beta))
    return Peer("nearest product", 0.0, np.nan if distance is None else distance, "L-BFGS from 4 starts")


def _prepared(state: Array | Real, name: str) -> QuantumCircuit:
    vector = np.asarray(state / np.linalg.norm(state))
    qc = QuantumCircuit(round(np.log2(vector.size)))
    gate = StatePreparation(vector) if name == "StatePreparation" else Isometry(vector.reshape(-1, 1), 0, 0)
    qc.append(gate, qc.qubits)
    return qc


def _turned(qubits: int, rng: np.random.Generator) -> Real:
    """A product of real rotations."""
    total = np.eye(1)
    for angle in rng.uniform(0, 2 * np.pi, qubits):
        total = np.kron(total, np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]))
    return total


# --- variational thermofield double -----------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Rotation:
    """exp(−iθP) on 2n qubits, θ = coefficient · angle; `group` says which angle it shares in the published circuit."""

    label: str
    coefficient: float
    group: tuple[object, ...]
    source: Any
    phase: Array

    @classmethod
    def of(cls, label: str, coefficient: float, group: tuple[object, ...]) -> Rotation:
        """(Pψ)[y] = phase[y] ψ[source[y]]."""
        y, phase, mask = np.arange(2 ** len(label)), np.ones(2 ** len(label), dtype=complex), 0
        for q, letter in enumerate(reversed(label)):
            sign = 1 - 2 * ((y >> q) & 1)
            phase = phase * {"I": 1, "X": 1, "Z": sign, "Y": -1j * sign}[letter]
            mask |= (letter in "XY") << q
        return cls(label, coefficient, group, y ^ mask, phase)

    def on(self, psi: Array) -> Array:
        """Pψ."""
        return np.asarray(self.phase * psi[self.source])


@dataclass(frozen=True, eq=False)
class Double:
    """A thermofield double of some layers: Bell pairs of site and partner, then the rotations in order."""

    sigma: Array
    rotations: tuple[Rotation, ...]

    @property
    def bell(self) -> Array:
        """The start."""
        d = len(self.sigma)
        return np.asarray(np.eye(d).ravel() / np.sqrt(d), dtype=complex)

    def marginal(self, psi: Array) -> Array:
        """Of the system, which is the right half of the qubits."""
        rows = psi.reshape(self.sigma.shape)
        return np.asarray(rows.T @ rows.conj())

    def forward(self, angles: Real) -> Array:
        """The state."""
        psi = self.bell
        for one, angle in zip(self.rotations, angles, strict=True):
            psi = np.cos(angle) * psi - 1j * np.sin(angle) * one.on(psi)
        return psi

    def smooth(self, angles: Real, eta: float) -> tuple[float, Real]:
        """½ Σ (√(λ² + η²) − η) and its gradient, the rotations undone on the way back."""
        psi, slope = self.forward(angles), np.empty(len(angles))
        values, vectors = np.linalg.eigh(self.marginal(psi) - self.sigma)
        root = np.sqrt(values**2 + eta**2)
        M = (vectors * (0.5 * values / root)) @ vectors.conj().T
        back = (psi.reshape(self.sigma.shape) @ M.T).ravel()
        for k in range(len(angles) - 1, -1, -1):
            one, c, s = self.rotations[k], np.cos(angles[k]), np.sin(angles[k])
            turned = one.on(psi)
            slope[k] = 2 * np.imag(np.vdot(back, turned))
            psi, back = c * psi + 1j * s * turned, c * back + 1j * s * one.on(back)
        return float(0.5 * np.sum(root - eta)), slope

    def descended(self, angles: Real, shared: bool, end: float) -> Real:
        """L-BFGS from given angles, in the shared ones or in all."""
        groups = [one.group if shared else k for k, one in enumerate(self.rotations)]
        names = list(dict.fromkeys(groups))
        spread = np.zeros((len(groups), len(names)))
        for k, (group, one) in enumerate(zip(groups, self.rotations, strict=True)):
            spread[k, names.index(group)] = one.coefficient
        x: Any = np.linalg.lstsq(spread, angles, rcond=None)[0]

        def late(xk: Real) -> None:
            if time.perf_counter() > end:
                raise StopIteration

        for eta in SMOOTHING:

            def value(x: Real, eta: float) -> tuple[float, Real]:
                smooth, slope = self.smooth(spread @ x, eta)
                return smooth, spread.T @ slope

            x = scipy.optimize.minimize(value, x, args=(eta,), jac=True, method="L-BFGS-B", callback=late).x
        return np.asarray(spread @ x)

    def circuit(self, angles: Real) -> QuantumCircuit:
        """In gates."""
        n = round(np.log2(len(self.sigma)))
        qc = QuantumCircuit(2 * n)
        for q in range(n):
            qc.h(q)
            qc.cx(q, n + q)
        for one, angle in zip(self.rotations, angles, strict=True):
            qc.append(PauliEvolutionGate(SparsePauliOp(one.label), time=float(angle)), qc.qubits)
        return qc


def thermofield_double(
    model: Model, beta: float, targets: Sequence[float], seconds: float, seed: int = 0
) -> dict[float, Peer]:
    """Bell pairs, then layers of H's commuting groups on system and partners and of XX and ZZ between the two.

    As Wu & Hsieh, PRL 123, 220502, with one angle per group, letters and layer, the same on both sides; then, from
    there, every rotation has its own angle, which costs no gate. In the first layer the partners' half of H is left
    out: on Bell pairs it can be moved to the system. Each of 1 … 5 layers has an equal part of the time that is left
    and ends once its targets are met; it starts from the layers before it with nothing added, then at random.
    """
    end, rng, sigma = time.perf_counter() + seconds, np.random.default_rng(seed), gibbs_state(model, beta)
    found: dict[float, Peer] = {}
    before, nearest, tried = np.zeros(0), np.inf, list[str]()
    for layers in range(1, LAYERS + 1):
        double = Double(sigma, tuple(_rotations(model, layers)))
        stop = time.perf_counter() + (end - time.perf_counter()) / (LAYERS + 1 - layers)
        width, best, least, runs = len(double.rotations), np.zeros(0), np.inf, 0
        wanted = min((t for t in targets if t not in found), default=0.0)
        while least > wanted and (runs == 0 or time.perf_counter() < stop):
            angles = rng.normal(0, 0.1 if runs == 0 else 0.6, width)
            if runs == 0:
                angles[: len(before)] += before
            for shared in (True, False):
                angles = double.descended(angles, shared and (runs > 0 or layers == 1), stop)
            distance, runs = trace_distance(double.marginal(double.forward(angles)), sigma), runs + 1
            if distance < least:
                least, best = distance, angles
        before, nearest = best, min(nearest, least)
        gates = two_qubit_gates(double.circuit(best))
        tried.append(f"{layers}: {gates} CZ {least:.3g} ({runs} starts)")
        for target in targets:
            if least <= target and target not in found:
                found[target] = Peer("thermofield double", gates, least, "; ".join(tried))
        if len(found) == len(targets) or time.perf_counter() > end:
            break
    missed = Peer("thermofield double", None, nearest, "; ".join(tried))
    return {target: found.get(target, missed) for target in targets}


def _rotations(model: Model, layers: int) -> Iterator[Rotation]:
    """Of all layers, in order."""
    n = model.num_qubits
    for layer in range(layers):
        for index, group in enumerate(commuting_groups(model.hamiltonian)):
            for label, coefficient in sorted(group.terms, key=lambda term: _order(term[0])):
                key = (layer, index, label.replace("I", ""))
                yield Rotation.of("I" * n + label, coefficient, key)
                if layer > 0:
                    yield Rotation.of(label + "I" * n, coefficient * (-1) ** label.count("Y"), key)
        for q in range(n):
            for letter in "ZX":
                single = "I" * (n - 1 - q) + letter + "I" * q
                yield Rotation.of(single + single, 1.0, (layer, letter))


def _order(label: str) -> tuple[int, str, tuple[int, ...]]:
    """One-qubit terms by letter; others by place, so that terms on the same qubits are neighbours."""
    support = tuple(k for k, letter in enumerate(label) if letter != "I")
    return (0, label.replace("I", ""), support) if len(support) == 1 else (1, "", support)


# --- all in one table -------------------------------------------------------------------------------------------------


def main() -> None:
    """Print the table."""
    model, beta, letters, targets, seconds = mixed_field_ising(4), 1.0, "Y", (0.05, 0.02), 60.0
    table = Table("way", "target", "CZ", "trace distance", "how", title=f"{model.name}, 4 sites, β = {beta:g}")

    def row(peer: Peer, target: str) -> None:
        gates = "never" if peer.gates is None else f"{peer.gates:,.1f}"
        table.add_row(peer.name, target, gates, f"{peer.distance:.4f}", peer.how)

    for guarantee in (Guarantee.ANY_START, Guarantee.GIVEN_START):
        for target, peers in preset_peers(model, beta, letters, targets, seconds, guarantee).items():
            for peer in peers:
                row(peer, f"{target:g}, {guarantee.value.replace('_', ' ')}")
        table.add_section()
    for target, peer in thermofield_double(model, beta, targets, seconds).items():
        row(peer, f"{target:g}")
    table.add_section()
    for peer in (purification(model, beta), eigenstates(model, beta), nearest_product(model, beta)):
        row(peer, "—")
    Console(width=180).print(table)


if __name__ == "__main__":
    main()
