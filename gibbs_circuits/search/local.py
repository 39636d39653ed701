"""What a finished program reaches on small regions: the one place where a distance of the local measure is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..errors import NotConvergedError
from ..evidence import number
from ..exact.references.local import local_gibbs
from ..limits import MAX_CHANNEL_QUBITS
from ..linalg.arrays import Array, Real, vec
from ..linalg.fixed_point import fixed_point
from ..linalg.local_maps import bloch, pauli_basis
from ..linalg.maps import Map, Matrix
from ..linalg.paulis import pauli_times
from ..models.regions import Region, connected_regions, local_distance, strings_of
from ..models.spectrum import gibbs_state, spectrum
from ..programs.program import Program
from ..readings.channel.sweep_channel import stage_channel
from ..readings.channel.worst_start import all_sweeps, tried_starts
from ..readings.scalable.backward import AXES, SURPLUS, backward, product_start, read_regions
from ..readings.scalable.cones import Sweeps
from ..readings.scalable.worst_local import worst_local
from .clock import Deadline, unlimited
from .evaluate import Evaluation, reading_seconds
from .task import SearchTask

READING = 60.0  # nominal seconds of regions read backwards; the first one is read whatever it takes
TOLERANCE = 0.4  # of the target; half of it is what reduced states may be off by what was cut, and that is added
FIRST_CUT, CUTS = 1e-2, (1e-3, 1e-4, 1e-5)  # that a reading begins at, and may end at
FINER_COSTS = 6.0  # times as much, as a rule, that a cut ten times finer takes
CLIMBED, STEPS, GAINED = 8, 30, 1e-7  # starts that are climbed from per region, steps at most, and what ends them


def evaluate_local(program: Program, task: SearchTask, deadline: Deadline | None = None) -> Evaluation | None:
    """The largest trace distance of a region's reduced state that the guarantee is about; None where nothing tells it.

    Over every connected region of `task.region` sites: of a sampler from the worst start found (or the fixed point of
    the last stage, if that is farther), of a preparation from the run's own start. Up to 5 qubits off the exact
    channel, above by backward operators at two cuts against a reference that knows the model.

    Args:
        program: On the task's model, or on a piece of it.
        task: Whose region, guarantee and start count.
        deadline: That the work counts against.

    Raises:
        OutOfTimeError: If the wall clock stops it.
    """
    assert task.region is not None  # asked for
    deadline = deadline or unlimited()
    if program.num_system > MAX_CHANNEL_QUBITS:
        return _at_size(program, task, deadline)
    deadline.spend(reading_seconds(program, task.sampler))
    return _dense(program, task.region, task.sampler, task.start_density)


def _dense(program: Program, size: int, sampler: bool, start: Array) -> Evaluation:
    """Off the exact channel, as a matrix."""
    model = program.generator.model
    sigma = gibbs_state(model, program.generator.beta)
    channels = [stage_channel(program, k) for k in range(len(program.stages))]
    whole, tried = all_sweeps(program, channels), tried_starts(spectrum(model).vectors)
    strings = {region: operators(region, program.num_system) for region in connected_regions(model, size)}
    if not sampler:
        return _said(of_states(strings, whole.apply(start), sigma), size, "from the given start")
    how = f"worst start found, by see-saw from {len(tried)} states"
    read = _said(of_starts(strings, whole, sigma, tried), size, how, every_start=True)
    if len(channels) == 1:  # its fixed point is a mixture of pure starts, and after all sweeps still itself
        return read
    last = channels[-1]
    assert isinstance(last, np.ndarray)  # up to 5 qubits
    try:
        settled = fixed_point(last)
    except NotConvergedError:
        return Evaluation(np.inf, "the fixed point of the last stage is not known")
    how = "fixed point of the last stage, farther than the worst start found"
    ends = _said(of_states(strings, settled, sigma), size, how, every_start=True)
    return max(read, ends, key=lambda one: one.distance)


def of_states(strings: Mapping[Region, Array], rho: Array, sigma: Array) -> dict[Region, float]:
    """½‖ρ_R − σ_R‖₁ of every region, given its Pauli strings."""
    return {R: float(_distances(expectations(P, rho - sigma)[None])[0][0]) for R, P in strings.items()}


def of_starts(strings: Mapping[Region, Array], whole: Map, sigma: Array, tried: Array) -> dict[Region, float]:
    """The same from the worst start that a search from the rows of `tried` finds for every region."""
    return {R: worst_of_region(P, backwards(whole, P), sigma, tried) for R, P in strings.items()}


def _at_size(program: Program, task: SearchTask, deadline: Deadline) -> Evaluation | None:
    """By backward operators, the ends and the middle first, and as many regions more as their time is enough for."""
    model, n, size = task.model, task.model.num_qubits, task.region or 1
    if not task.sampler and task.sites is None:
        return None  # no product: nothing that is read at this size begins there
    regions = in_turn(connected_regions(model, size))
    sigma = local_gibbs(model, task.beta, regions)
    start = None if task.sampler or task.sites is None else np.stack([bloch(psi) for psi in task.sites])
    sweeps = Sweeps.of(program)
    first = backward(sweeps, regions[0], FIRST_CUT).seconds
    deadline.spend((1 + FINER_COSTS) * first)
    cuts = [cut for k, cut in enumerate(CUTS) if first * FINER_COSTS ** (k + 1) <= READING]
    reading = read_regions(
        sweeps, regions, TOLERANCE * task.target_error, starts=() if start is None else (start,),
        seconds=READING, first_cut=FIRST_CUT, last_cut=min(cuts, default=CUTS[0]),
    )  # fmt: skip
    deadline.spend(max(0.0, sum(one.coarse.seconds + one.fine.seconds for one in reading.readings[1:])))
    seen = f"{len(reading.regions)} of {len(regions)} regions read"
    if start is not None:
        measured = local_distance(reading.states(start), sigma, reading.regions)
        how = f"from the given start, {seen}, {reading.source}, reference {sigma.source}"
        return _said(measured.distances, size, how, measured.error)
    rng, found, off = np.random.default_rng(task.seed), dict[Region, float](), 0.0
    usual = np.stack([product_start(n, axis) for axis in AXES.values()])
    for one in reading.readings:
        for cone in one.equals:
            found[cone.region] = worst_local(one.fine, sigma.values[cone.region], n, rng).distance
        off = max(off, one.values(one.cone, usual)[1])
    how = f"worst start found, by see-saw from products and entangled states, {seen}, {reading.source}"
    how += f", reference {sigma.source}"
    return _said(found, size, how, SURPLUS * off + sigma.error, every_start=True)


def in_turn(regions: Sequence[Region]) -> list[Region]:
    """The first, the middle and the last one, then those half-way between, and so on: what is left out is near."""
    count, order = len(regions), dict[int, None]()
    parts = 2
    while len(order) < count:
        for k in range(parts + 1):
            order.setdefault(min(count - 1, round(k * (count - 1) / parts)))
        parts *= 2
    return [regions[k] for k in order]


def _said(
    found: Mapping[Region, float], size: int, how: str, error: float = 0.0, *, every_start: bool = False
) -> Evaluation:
    """The largest, what it may be off added."""
    worst = max(found, key=lambda region: found[region])
    where = f"sites {', '.join(map(str, worst))}"
    how += f", error {number(error)} included" if error else ""
    return Evaluation(found[worst] + error, f"{over_regions(size)}, at {where}; {how}", every_start)


def over_regions(size: int) -> str:
    """What a local distance is the largest of."""
    return f"largest over regions of {size} site{'s' if size > 1 else ''}"


def operators(region: Region, n: int) -> Array:
    """The Pauli strings of a region on n qubits, (4^k, 2^n, 2^n), in the order of `strings_of`."""
    one, found = np.eye(2**n, dtype=complex), []
    for string in strings_of(region):
        letters = dict(string)
        found.append(pauli_times("".join(letters.get(q, "I") for q in reversed(range(n))), one))
    return np.stack(found)


def expectations(strings: Array, rho: Array) -> Real:
    """Tr Pρ of every string."""
    return np.asarray(np.einsum("pij,ji->p", strings, rho).real)


def backwards(whole: Map, strings: Array) -> Array:
    """The strings before all sweeps, Hermitian."""
    if isinstance(whole, Matrix):
        columns = np.stack([vec(one) for one in strings], axis=1)
        d = strings.shape[1]
        made = (whole.channel.conj().T @ columns).T.reshape(-1, d, d).transpose(0, 2, 1)
    else:
        made = np.stack([whole.adjoint_apply(one) for one in strings])
    return np.asarray((made + made.conj().transpose(0, 2, 1)) / 2)


def worst_of_region(strings: Array, before: Array, sigma: Array, tried: Array) -> float:
    r"""Max over starts of ½‖ρ_R − σ_R‖₁ that a search finds: a lower bound on the largest there is.

    See-saw: O the sign of the difference at ψ, then ψ the top eigenvector of O taken backwards. Neither half can lower
    the value.

    Args:
        strings: Of the region, (4^k, d, d).
        before: The same taken back through all sweeps.
        sigma: The Gibbs state, (d, d).
        tried: States to begin with, one per row; it climbs from the farthest.
    """
    wanted, d = expectations(strings, sigma), len(sigma)
    flat = before.reshape(len(before), d * d)

    def differences(states: Array) -> Real:
        pairs = (states[:, :, None].conj() * states[:, None, :]).reshape(len(states), -1)
        return np.asarray((pairs @ flat.T).real) - wanted

    values, signs = _distances(differences(tried))
    first = np.argsort(values)[-CLIMBED:]
    signs, best = signs[first], float(np.max(values))
    k = round(np.log2(len(wanted)) / 2)
    for _ in range(STEPS):
        weights = np.einsum("sij,pji->sp", signs, pauli_basis(k)).real / 2**k
        observables = (weights @ flat).reshape(-1, d, d)
        values, signs = _distances(differences(np.linalg.eigh(observables)[1][:, :, -1]))
        gained, best = float(np.max(values)) - best, max(best, float(np.max(values)))
        if gained < GAINED:
            break
    return best


def _distances(values: Real) -> tuple[Real, Array]:
    """½‖Δ‖₁ of differences given as Pauli values, (…, 4^k), and the sign of each, (…, 2^k, 2^k)."""
    k = round(np.log2(values.shape[-1]) / 2)
    matrices = np.tensordot(values, pauli_basis(k), axes=1) / 2**k
    w, U = np.linalg.eigh(matrices)
    return np.asarray(0.5 * np.abs(w).sum(axis=-1)), (U * np.sign(w)[:, None, :]) @ U.conj().transpose(0, 2, 1)
