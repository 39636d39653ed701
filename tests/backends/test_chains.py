"""Chains routed along a track: the same channel, home at the end, few gates, and no search for swaps."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Reset
from qiskit.quantum_info import Clifford, Pauli, StabilizerState

from gibbs_circuits.backends.targets.aer import AerTarget, HeavyHex
from gibbs_circuits.backends.targets.base import Target
from gibbs_circuits.backends.targets.registry import load_target
from gibbs_circuits.backends.transpile import chains, transpile
from gibbs_circuits.backends.transpile.chains import routed_along
from gibbs_circuits.backends.transpile.compiled import Compiled
from gibbs_circuits.backends.transpile.routing import Router, chain_block
from gibbs_circuits.backends.transpile.swapping import Lattice
from gibbs_circuits.backends.transpile.tracks import Chain, Layout, Prices, tracks
from gibbs_circuits.backends.transpile.transpile import compile_for, gates_anywhere
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.kinds.dll import dll
from gibbs_circuits.generators.lindbladian import Lindbladian
from gibbs_circuits.models.library.spin_chains import heisenberg, mixed_field_ising
from gibbs_circuits.models.model import Model
from gibbs_circuits.programs.initial_state import zero
from gibbs_circuits.programs.program import Program, Stage
from gibbs_circuits.readings.circuits.circuit import assemble
from gibbs_circuits.search.variational.ansatz import Ansatz
from gibbs_circuits.search.variational.to_steps import steps_of
from tests.examples import build, evolved, exact_states, random_state, some_draws

EXACT = 1e-10
TURNING, GAPPED = Prices(0.1, 50.0), Prices(50.0, 0.1)  # seats that turn, and free wires between seats
SMALL = AerTarget(name="small", kind="aer", method="density_matrix", coupling=HeavyHex(heavy_hex=3))


def generator(model: Model, letters: str = "Y") -> Lindbladian:
    return dll(model, 1.0, couplings_of(letters, model.num_qubits), GaussianFilter(1.0))


def fitted(sites: int, word: str = "abab", sweeps: int = 2, every: int = 1) -> Program:
    """A word of layers with random angles, an ancilla at every site or at every other."""
    owners = range(0, sites, every)
    contacts = tuple((site, sites + k) for k, site in enumerate(owners))
    bonds = tuple((q, q + 1) for q in range(sites - 1))
    layers = tuple(contacts if letter == "a" else bonds for letter in word)
    ansatz = Ansatz(sites, len(owners), layers, real=False)
    steps = steps_of(ansatz, np.random.default_rng(3).normal(size=ansatz.num_angles))
    return Program(sites, len(owners), (), (Stage(steps, sweeps),), generator(mixed_field_ising(sites)), "patch")


def ridden(sites: int, nodes: int, model: Callable[[int], Model] = mixed_field_ising, letters: str = "Y") -> Program:
    """All couplings at once, every ancilla riding the same evolution."""
    knobs = {"sweeps": 2, "nodes": nodes, "spacing": 0.3, "strength": 0.6, "random_delays": False}
    return build(generator(model(sites), letters), "parallel", **knobs)


PROGRAMS: dict[str, Callable[[], Program]] = {
    "fitted": lambda: fitted(4, sweeps=1),
    "short": lambda: fitted(3),
    "odd number of turns": lambda: fitted(3, "ab"),
    "long": lambda: fitted(3, "abbabb"),
    "few ancillas": lambda: fitted(4, every=2),
    "ridden": lambda: ridden(3, 3),
    "with delays": lambda: build(generator(mixed_field_ising(3)), "parallel", sweeps=2, nodes=2),
    "two letters": lambda: ridden(3, 2, letters="XZ"),
    "not commuting": lambda: ridden(4, 2, lambda sites: heisenberg(sites, fields=[0.3, -0.2, 0.5, 0.1])),
}


@pytest.fixture
def along(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chains have a track, or none is routed."""

    def refuse(*_: object) -> None:
        raise AssertionError("nothing is searched for swaps")

    monkeypatch.setattr(transpile, "MAX_BOTH_WAYS", 0)
    monkeypatch.setattr(transpile, "searched_placement", refuse)
    monkeypatch.setattr(Router, "placement", refuse)


def distance(program: Program, compiled: Compiled) -> float:
    """Between a random state after all sweeps of the routed program and of the exact channel."""
    small, draws = compiled.compact(), some_draws(program)
    body = assemble(small.program, small.parts, QuantumCircuit(small.start.num_qubits), draws)
    rho = random_state(program.num_system, 4)
    return float(np.abs(evolved(body, rho) - exact_states(program, rho, draws)[-1]).max())


@pytest.mark.parametrize(
    ("name", "prices"),
    [
        *((name, TURNING) for name in PROGRAMS),
        ("short", GAPPED),
        pytest.param("fitted", GAPPED, marks=pytest.mark.slow),
        pytest.param("not commuting", GAPPED, marks=pytest.mark.slow),
    ],
)
@pytest.mark.usefixtures("along")
def test_along__small__acts_as_the_channel(name: str, prices: Prices, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chains, "_prices", lambda *_: prices)
    program = PROGRAMS[name]()
    assert distance(program, compile_for(program, SMALL, zero(program.num_system))) < EXACT


@pytest.mark.parametrize("part", ["_turn", "_kept_letter"])
@pytest.mark.usefixtures("along")
def test_along__wrong_pattern__is_caught(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    turn = chains._Walk._turn

    def careless(walk: chains._Walk, seat: int) -> None:
        walk.clean.update(walk.owner)  # every ancilla taken to be in |0⟩
        turn(walk, seat)

    monkeypatch.setattr(chains, "_prices", lambda *_: TURNING if part == "_turn" else GAPPED)
    if part == "_turn":
        monkeypatch.setattr(chains._Walk, part, careless)
    else:
        monkeypatch.setattr(chains, part, lambda *_: "X")  # what is exchanged taken to commute with X
    program = fitted(4)
    with pytest.raises(AssertionError, match="must act as the block"):
        compile_for(program, SMALL, zero(program.num_system))


def test_chain__what_is_none__is_left_to_the_search() -> None:
    line, own = [(0, 1), (1, 2)], [(0, 3), (1, 4), (2, 5)]
    found = Chain.of([*line, *own], 3, 6)
    assert found is not None
    assert (found.sites, found.ancillas) == ((0, 1, 2), (3, 4, 5))
    for pairs in (
        [*line, (0, 2), *own],
        [*line, *own[:2]],
        [*line, *own, (0, 4)],
        [line[0], *own],
        [*line, *own, (3, 4)],
    ):
        assert Chain.of(pairs, 3, 6) is None
    assert Chain.of([(0, 1), (1, 2), (1, 3)], 4, 4) is None


@pytest.mark.parametrize("count", [5, 20, 60])
def test_tracks__seats__are_wires_of_their_own_side_by_side(count: int) -> None:
    lattice = lattice_of(load_target("fake_boston"))
    found = list(tracks(lattice, [True] * count, Prices(5.0, 4.0)))
    assert found
    for track in found:
        wires = [w for seat in track.seats for w in seat.wires] + [w for gap in track.gaps for w in gap]
        assert len(set(wires)) == len(wires)
        assert all(len(seat.wires) == 2 for seat in track.seats)
        path = [w for seat, gap in zip(track.seats, (*track.gaps, ()), strict=True) for w in (*seat.path, *gap)]
        assert all(lattice.distance[a][b] == 1 for a, b in pairwise(path))
        assert all(lattice.distance[s.path[0]][s.aside] == 1 for s in track.seats if s.aside is not None)


def lattice_of(target: Target) -> Lattice:
    coupling = target.open(2).device.coupling
    assert coupling is not None
    return Lattice.of(coupling)


def clifford_block(sites: int, every: int, seed: int) -> QuantumCircuit:
    """A sweep a b a b of gates that a stabiliser simulation follows, with the resets of its ancillas."""
    rng, owners = np.random.default_rng(seed), range(0, sites, every)
    qc = QuantumCircuit(sites + len(owners))
    for letter in "abab":
        pairs = (
            [(q, sites + k) for k, q in enumerate(owners)] if letter == "a" else [(q, q + 1) for q in range(sites - 1)]
        )
        for qubit in sorted({q for pair in pairs for q in pair}):
            for name in rng.choice(["h", "s", "x"], size=4):
                getattr(qc, name)(qubit)
        for pair in pairs:
            qc.cz(*pair)
    qc.reset(range(sites, qc.num_qubits))
    return qc


def purified(qc: QuantumCircuit, home: tuple[int, ...], sites: int) -> StabilizerState:
    """Its state with every site entangled with a qubit outside, and what a reset throws away kept.

    The first reset of a program's ancilla throws it onto a qubit of its own; of other wires nothing is thrown away.
    """
    wires, ancillas = qc.num_qubits, len(home) - sites
    whole = QuantumCircuit(wires + sites + ancillas)
    for k in range(sites):
        whole.h(wires + k)
        whole.cx(wires + k, home[k])
    for item in qc.data:
        on = [qc.find_bit(q).index for q in item.qubits]
        if item.operation.name != "reset":
            whole.append(item.operation, on)
        elif item.operation.label is not None:
            whole.swap(on[0], wires + sites + int(item.operation.label))
    return StabilizerState(Clifford(whole))


@pytest.mark.parametrize(("sites", "every"), [(20, 1), (20, 2)])
def test_along__large__leaves_the_same_state(sites: int, every: int) -> None:
    qc, lattice = clifford_block(sites, every, 5), lattice_of(load_target("fake_boston"))
    num, size = qc.num_qubits, len(lattice.neighbours)
    body, ends = chain_block(qc, frozenset(range(sites, num)))
    owners = [k % every == 0 for k in range(sites)]
    chain = Chain(tuple(range(sites)), tuple(sites + k // every if own else None for k, own in enumerate(owners)))
    layout = Layout.of(chain, next(tracks(lattice, owners, Prices(5.0, 4.0))), first=False)
    routed = routed_along(body, layout, size, ends)
    assert routed is not None
    home = layout.placement(num)
    reference = QuantumCircuit(size)
    reference.compose(body, home, inplace=True)
    for k in range(num - sites):
        reference.append(Reset(label=str(k)), [home[sites + k]])
    found, expected = purified(routed, home, sites), purified(reference, home, sites)
    generators = expected.clifford.to_labels(mode="S")
    assert all(stabilised(found, label) for label in generators)
    wrong = routed.copy_empty_like()
    left_out = [k for k, item in enumerate(routed.data) if item.operation.num_qubits == 2][len(routed.data) // 8]
    for k, item in enumerate(routed.data):
        if k != left_out:
            wrong.append(item)
    spoiled = purified(wrong, home, sites)
    assert not all(stabilised(spoiled, label) for label in generators)


def stabilised(state: StabilizerState, label: str) -> bool:
    return bool(abs(state.expectation_value(Pauli(label)) - 1) < EXACT)


# measured, then rounded up; contacts of one CZ and an ancilla at every site leave too little to merge swaps with
ALLOWED: dict[str, tuple[Callable[[], Program], float]] = {
    "ancilla at every other site, 20": (lambda: fitted(20, every=2), 1.05),
    "ancilla at every other site, 60": (lambda: fitted(60, every=2), 1.05),
    "ridden, 20": (lambda: ridden(20, 4), 1.4),
    "fitted, 20": (lambda: fitted(20), 1.9),
    "fitted, 60": (lambda: fitted(60), 2.1),
    "ridden, 60": (lambda: ridden(60, 4), 1.65),
}


@pytest.mark.parametrize(
    "name", [name if "other" in name else pytest.param(name, marks=pytest.mark.slow) for name in ALLOWED]
)
@pytest.mark.usefixtures("along")
def test_along__gates__stay_near_those_where_every_pair_interacts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write, most = ALLOWED[name]
    program, walks = write(), list[Layout]()

    def counted(*given: object) -> QuantumCircuit | None:
        walks.append(given[1])  # type: ignore[arg-type]
        return routed_along(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(chains, "routed_along", counted)
    compiled = compile_for(program, load_target("fake_boston"), zero(program.num_system))
    assert compiled.two_qubit_gates <= most * gates_anywhere(program)
    assert compiled.expected_fidelity > 0  # what is reported to be out of order is not used
    assert len(walks) <= 8  # what compiling costs: a block is walked along once per layout, and once more


def test_compiled__short_chain__is_never_worse_than_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    program = fitted(3)
    both = compile_for(program, SMALL, zero(3)).two_qubit_gates  # or as few, on fewer wires
    monkeypatch.setattr(transpile, "best_layout", lambda *_: None)
    assert both <= compile_for(program, SMALL, zero(3)).two_qubit_gates
