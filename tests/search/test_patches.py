"""Pieces of a model, which of their sites are alike, and programs fitted on them: accepted or refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from qiskit import QuantumCircuit
from qiskit.quantum_info import Statevector, partial_trace

import gibbs_circuits as gc
from gibbs_circuits.models.graph import interacting_pairs
from gibbs_circuits.models.model import Model, from_terms
from gibbs_circuits.models.patches import Patch, covering, patches, ring, whole_model_patch
from gibbs_circuits.programs.initial_state import InitialState, mixed, zero
from gibbs_circuits.programs.program import Calibration, Guarantee, Program
from gibbs_circuits.readings.channel.worst_start import worst_start
from gibbs_circuits.search.candidates import Candidate, cheapest
from gibbs_circuits.search.patched import patched, plan_of, sizes_of
from gibbs_circuits.search.pieces.piece_fits import DoesNotTransferError, PatchedWord, PieceFits
from gibbs_circuits.search.task import SearchTask
from gibbs_circuits.search.variational.ansatz import columns, forward
from gibbs_circuits.search.variational.layers import never_wipes
from gibbs_circuits.search.variational.shared_angles import SharedAngles, ansatz_of
from tests.clocks import within
from tests.examples import distance, evolved, gibbs, lowered, unrolled
from tests.strategies import hamiltonians, moderate
from tests.systems import dense, label

RUNGS = ((0, 1), (2, 3), (4, 5))
RAILS = ((0, 2), (2, 4), (1, 3), (3, 5))
FIELDS = (0.1, 0.5, -0.3, 0.2, 0.9, -0.4)


def chain(sites: int = 6, J: float = 1.0) -> Model:
    return gc.models.mixed_field_ising(sites, J=J, h=0.9, g=0.5)


def ladder() -> Model:
    """Three rungs: sites 2k and 2k + 1 are one."""
    bonds = [(label(6, {a: "Z", b: "Z"}), -1.0) for a, b in (*RAILS, *RUNGS)]
    return from_terms([*bonds, *((label(6, {q: "X"}), -0.7) for q in range(6))], "ladder")


def disordered() -> Model:
    return gc.models.xxz(6, J=1.0, delta=0.5, fields=list(FIELDS))


def wish(
    model: Model, target: float, guarantee: str = "given_start", seconds: float = 5.0, **changes: Any
) -> SearchTask:
    start = np.eye(2**model.num_qubits, dtype=complex)[0]
    made = {
        "generator": gc.dll(model, 1.0, "Y"), "target_error": target, "guarantee": Guarantee(guarantee),
        "calibration": Calibration.PATCH, "start": start, "effort": seconds / 60, "seed": 1,
        "sites": zero(model.num_qubits).site_states(model.num_qubits),
    }  # fmt: skip
    return SearchTask(**{**made, **changes})


def searched(wanted: SearchTask) -> tuple[Candidate[Program], ...]:
    return patched(wanted, wanted.clock.until(1.0))


def pieces_of(wanted: SearchTask) -> PieceFits:
    return PieceFits(wanted, plan_of(wanted), lambda text: None)


# which pieces there are


def classes(patch: Patch) -> list[object]:
    """Of every site in order."""
    return [names[0][0][1] for names in patch.features[: patch.size]]  # type: ignore[index]


@pytest.mark.parametrize("size", range(2, 7))
def test_patches__of_a_uniform_chain__are_one_of_each_size(size: int) -> None:
    (piece,) = patches(chain(), size)
    assert piece.sites == tuple(range(size))
    assert piece.bonds == tuple((k, k + 1) for k in range(size - 1))
    neighbours = [1, *[2] * (size - 2), 1]
    around = [sorted(neighbours[j] for j in (k - 1, k + 1) if 0 <= j < size) for k in range(size)]
    assert classes(piece) == [(mine, *near) for mine, near in zip(neighbours, around, strict=True)]
    (alone,) = patches(chain(), size, radius=0)
    assert classes(alone) == [(mine,) for mine in neighbours]


def test_patches__of_a_chain__its_ancillas_are_classes_of_their_own() -> None:
    (piece,) = patches(chain(), 4)
    assert len(piece.features) == 8
    site, ancilla = piece.features[1], piece.features[5]
    assert site == ((("site", (2, 1, 2)), 1.0),)
    assert ancilla == ((("ancilla", (2, 1, 2)), 1.0),)
    assert piece.classes == {("site", (1, 2)), ("site", (2, 1, 2))}


def test_patches__of_a_chain__grow_until_their_classes_are_those_of_the_whole() -> None:
    known = whole_model_patch(chain(8)).classes
    assert [patches(chain(8), size)[0].classes == known for size in (3, 4, 5, 6)] == [False, False, True, True]


def test_patches__of_a_ladder__are_those_with_the_most_bonds_first() -> None:
    squares = patches(ladder(), 4)
    assert squares[0].sites in ((0, 1, 2, 3), (2, 3, 4, 5))
    assert set(squares[0].bonds) == {(0, 1), (0, 2), (1, 3), (2, 3)}  # its own numbers, qubit k is sites[k]
    assert classes(squares[0]) == [(2, 2, 2)] * 4
    assert len(squares[0].bonds) == max(len(piece.bonds) for piece in squares)
    middle = classes(whole_model_patch(ladder()))
    assert middle[2] == middle[3] == (3, 2, 2, 3)
    assert middle[0] == middle[1] == middle[4] == middle[5] == (2, 2, 3)
    assert any((3, 1, 2, 2) in classes(piece) for piece in patches(ladder(), 5))


def test_patches__of_a_chain_in_random_fields__carry_the_excess() -> None:
    pieces = patches(disordered(), 3)
    assert {piece.sites for piece in pieces} == {(0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5)}
    for piece in (*pieces, whole_model_patch(disordered())):
        for role, offset in (("site", 0), ("ancilla", piece.size)):
            for k, site in enumerate(piece.sites):
                (name, one), (varying, value) = piece.features[offset + k]
                assert (name[0], one) == (role, 1.0)  # type: ignore[index]
                assert varying == (*name, "Z")  # type: ignore[misc]
                assert value == pytest.approx(FIELDS[site] - np.mean(FIELDS))


def test_covering__sees_every_site__where_fields_vary() -> None:
    model = gc.models.xxz(12, J=1.0, delta=0.5, fields=list(np.random.default_rng(1).uniform(-1, 1, 12)))
    known = {c for piece in patches(model, 4) for c in piece.classes}
    pieces = covering(model, 4, 1, known)
    assert {site for piece in pieces for site in piece.sites} == set(range(12))
    assert len(pieces) <= 8
    assert {site for piece in patches(model, 4) for site in piece.sites} != set(range(12))  # control
    alike = covering(chain(12), 4, 1, known)
    assert [p.sites for p in alike] == [p.sites for p in patches(chain(12), 4)]


def test_covering__is_none__where_a_site_is_alone_or_its_class_unknown() -> None:
    terms = [(label(5, {q: "Z", q + 1: "Z"}), -1.0) for q in range(3)]
    model = from_terms([*terms, *((label(5, {q: "X"}), -0.1 * q) for q in range(1, 5))], "alone")
    known = {c for piece in patches(model, 3) for c in piece.classes}
    assert covering(model, 3, 1, known) == ()
    assert covering(disordered(), 3, 1, known) != ()
    assert covering(disordered(), 3, 1, set()) == ()


def test_patches__of_unequal_bonds__carry_the_excess_of_their_sum() -> None:
    strengths = (1.0, 1.4, 0.8)
    terms = [(label(4, {q: "Z", q + 1: "Z"}), -J) for q, J in enumerate(strengths)]
    model = from_terms([*terms, *((label(4, {q: "X"}), -0.5) for q in range(4))], "unequal")
    sums = -np.array([1.0, 2.4, 2.2, 0.8]) / max(strengths)  # weights of angles have no unit
    found = [dict(names[1:]) for names in whole_model_patch(model).features[:4]]
    assert [next(iter(one.values())) for one in found] == pytest.approx(list(sums - sums.mean()))
    assert {key[-1] for one in found for key in one} == {"J"}  # type: ignore[index]


def test_patches__control__equal_fields_have_no_excess() -> None:
    uniform = gc.models.xxz(6, J=1.0, delta=0.5, fields=0.3)
    assert all(len(names) == 1 for names in whole_model_patch(uniform).features)
    assert len(patches(uniform, 3)) == 1
    assert len(patches(disordered(), 3)) == 4


def traced(H: np.ndarray, n: int, sites: tuple[int, ...]) -> np.ndarray:
    """tr over all other sites, per dimension of theirs: what acts beyond `sites` vanishes."""
    kept, gone = [n - 1 - q for q in reversed(sites)], [n - 1 - q for q in range(n) if q not in sites]
    tensor = H.reshape((2,) * 2 * n).transpose(*kept, *gone, *(n + k for k in kept), *(n + k for k in gone))
    inside, outside = 2 ** len(kept), 2 ** len(gone)
    return np.einsum("aibi->ab", tensor.reshape(inside, outside, inside, outside)) / outside


def without_constant(H: np.ndarray) -> np.ndarray:
    return H - np.trace(H) / len(H) * np.eye(len(H))


@pytest.mark.parametrize("model", [chain(), ladder(), disordered()], ids=["chain", "ladder", "disordered"])
@pytest.mark.parametrize("size", [2, 4, 5])
def test_patches__are_dense_partial_sums__library(model: Model, size: int) -> None:
    H = dense(model.terms)
    for piece in patches(model, size):
        assert np.allclose(dense(piece.model.terms), traced(H, 6, piece.sites), atol=1e-12)
        assert piece.bonds == interacting_pairs(piece.model.hamiltonian)


@moderate
@given(model=hamiltonians(max_qubits=4, min_qubits=3))
def test_patches__are_dense_partial_sums__generated(model: Model) -> None:
    assume(interacting_pairs(model.hamiltonian))
    H, n = without_constant(dense(model.terms)), model.num_qubits
    for size in range(1, n + 1):
        for piece in patches(model, size):
            assert list(piece.sites) == sorted(set(piece.sites))
            assert np.allclose(without_constant(dense(piece.model.terms)), traced(H, n, piece.sites), atol=1e-12)


def test_patches__control__a_term_that_leaves_is_seen() -> None:
    (piece,) = patches(chain(4), 3)
    H = dense(piece.model.terms)
    assert not np.allclose(H, traced(dense(chain(4, J=1.1).terms), 4, piece.sites), atol=1e-3)
    assert not np.allclose(H, traced(dense(chain(4).terms), 4, (0, 1, 3)), atol=1e-3)


def test_patches__of_free_spins__are_none() -> None:
    assert patches(chain(4, J=0.0), 2) == ()


def test_patched__free_spins__are_refused() -> None:
    with pytest.raises(DoesNotTransferError):
        searched(wish(chain(4, J=0.0), 0.1))


# rings


@pytest.mark.parametrize(("size", "sites"), [(4, 6), (5, 7), (5, 9)])
def test_ring__is_the_closed_bulk__of_a_chain(size: int, sites: int) -> None:
    found = ring(chain(sites), size)
    assert found is not None
    bonds = [(label(size, {k: "Z", (k + 1) % size: "Z"}), -1.0) for k in range(size)]
    fields = [(label(size, {k: letter}), -h) for k in range(size) for letter, h in (("X", 0.9), ("Z", 0.5))]
    assert np.allclose(dense(found.model.terms), dense([*bonds, *fields]), atol=1e-12)
    assert set(map(frozenset, found.bonds)) == {frozenset({k, (k + 1) % size}) for k in range(size)}
    assert found.classes == {("site", (2, 2, 2))}
    assert found.classes <= whole_model_patch(chain(sites)).classes
    alone = ring(chain(sites), size, radius=0)
    assert alone is not None
    assert alone.classes == {("site", (2,))}


def test_ring__keeps_the_order_of_letters__a_bond_with_a_direction() -> None:
    terms = [(label(6, {q: "X", q + 1: "Y"}), 0.7) for q in range(5)]
    found = ring(from_terms(terms, "directed"), 4)
    assert found is not None
    closed = [(label(4, {k: "X", (k + 1) % 4: "Y"}), 0.7) for k in range(4)]
    assert np.allclose(dense(found.model.terms), dense(closed), atol=1e-12)


def test_ring__does_not_look_at_the_ends__fields_there_differ() -> None:
    terms = [*chain().terms, ("IIIIIZ", -0.3), ("ZIIIII", 0.8)]
    found, plain = ring(from_terms(terms, "ends"), 4), ring(chain(), 4)
    assert found is not None
    assert plain is not None
    assert np.allclose(dense(found.model.terms), dense(plain.model.terms), atol=1e-12)


NO_RING: dict[str, tuple[Model, int]] = {
    "small_ring": (chain(), 3),
    "short_chain": (chain(5), 4),
    "ladder": (ladder(), 4),
    "random_fields": (disordered(), 4),
    "periodic": (gc.models.mixed_field_ising(6, periodic=True), 4),
    "unequal_bonds": (from_terms([*chain().terms, ("IIZZII", 0.2)], "unequal"), 4),
}


@pytest.mark.parametrize("case", NO_RING)
def test_ring__is_none__where_there_is_no_uniform_path(case: str) -> None:
    assert ring(*NO_RING[case]) is None


def test_ring__of_longer_terms__has_them_or_is_none() -> None:
    model = from_terms([*chain().terms, *((label(6, {q: "Z", q + 1: "X", q + 2: "Z"}), 0.4) for q in range(4))], "long")
    found = ring(model, 4)
    assert found is None or any(sum(letter != "I" for letter in text) == 3 for text, _ in found.model.terms)


# sizes and trends


@pytest.mark.parametrize(
    ("n", "sampler", "sizes"),
    [
        (4, True, ((2, 3), 3, 4)),
        (5, True, ((2, 3), 4, 5)),
        (6, False, ((3, 4), 5, 6)),
        (7, True, ((4, 5), 6, 7)),
        (12, True, ((4, 5), 6, 7)),
        (8, False, ((5, 6), 7, 8)),
        (30, False, ((5, 6), 7, 8)),
    ],
)
def test_sizes__hold_out_the_largest__for_both_kinds(n: int, sampler: bool, sizes: tuple[object, ...]) -> None:
    found = sizes_of(n, sampler)
    assert (found.fit, found.choice, found.held_out) == sizes
    assert found.held_out not in (*found.fit, found.choice)
    assert found.held_out <= n


def test_fitted__at__is_the_line_through_the_two_largest_sizes() -> None:
    def at(n: int, **distances: float) -> float:
        known = {int(size[1:]): value for size, value in distances.items()}
        return PatchedWord("aba", 3, SharedAngles((), np.zeros((0, 1))), known).at(n)

    assert at(7, _4=0.02, _5=0.03) == pytest.approx(0.05)
    assert at(9, _5=0.03, _4=0.9, _7=0.05) == pytest.approx(0.07)  # size 4 is not looked at; two sites, 0.02
    assert at(20, _4=0.05, _5=0.02) == pytest.approx(0.02)  # it never falls
    assert at(5, _4=0.02, _5=0.03) == pytest.approx(0.03)


# starts on pieces


def test_site_states__are_the_start__and_none_where_it_is_no_product() -> None:
    qc = QuantumCircuit(3)
    qc.h(0)
    qc.rz(0.3, 0)
    qc.x(2)
    start = InitialState("own", qc)
    sites = start.site_states(3)
    amplitudes = start.amplitudes(3)
    assert sites is not None
    assert amplitudes is not None
    assert np.allclose(np.kron(sites[2], np.kron(sites[1], sites[0])), amplitudes)
    qc.cx(0, 1)
    assert InitialState("own", qc).site_states(3) is None
    assert mixed().site_states(3) is None


def product(kets: list[np.ndarray], sites: tuple[int, ...]) -> np.ndarray:
    total = np.ones(1, dtype=complex)
    for q in sites:
        total = np.kron(kets[q], total)
    return total


def test_workshop__start__is_that_of_the_sites__any_phases() -> None:
    rng = np.random.default_rng(2)
    ket = rng.standard_normal(2) + 1j * rng.standard_normal(2)
    kets = [ket / np.linalg.norm(ket) * np.exp(1j * phase) for phase in range(5)]
    fits = pieces_of(wish(chain(5), 0.1, start=product(kets, (0, 1, 2, 3, 4)), sites=tuple(kets)))
    for size in (2, 3, 4, 5):
        for piece in fits.pieces[size]:
            assert abs(np.vdot(fits.start_of(piece), product(kets, piece.sites))) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("flipped", [0, 2, 4])
def test_patched__is_refused__from_a_start_that_differs_from_site_to_site(flipped: int) -> None:
    """A piece of a uniform chain stands for all of its windows, and must begin as they do."""
    kets = [np.array([0, 1] if q == flipped else [1, 0], dtype=complex) for q in range(5)]
    with pytest.raises(DoesNotTransferError, match="begin in different states"):
        searched(wish(chain(5), 0.1, start=product(kets, (0, 1, 2, 3, 4)), sites=tuple(kets)))


def test_wanted__real__looks_at_the_sites_of_a_start_that_is_not_written_out() -> None:
    left, right = np.array([1, 1j]) / np.sqrt(2), np.array([1, 0], dtype=complex)
    assert not wish(chain(4), 0.1, start=None, sites=(left,) * 4).real
    assert wish(chain(4), 0.1, start=None, sites=(right,) * 4).real
    assert wish(chain(4), 0.1, "any_start", start=None, sites=(left,) * 4).real


def test_workshop__words__the_cheapest_first_and_none_that_wipes() -> None:
    fits = pieces_of(wish(chain(5), 0.1, "any_start"))
    words = list(fits.words())
    gates = [sweeps * (word.count("a") * 5 + word.count("b") * 4) for word, sweeps in words]
    assert gates == sorted(gates)
    assert all(never_wipes(ansatz_of(fits.whole, word, real=True)) for word, _ in words)
    assert not any("aa" in word for word, _ in words)


# refused


def test_patched__is_refused__with_three_sites_or_fewer() -> None:
    for n in (1, 2, 3):
        for guarantee in ("any_start", "given_start"):
            with pytest.raises(DoesNotTransferError, match=f"{n} sites have no smaller pieces"):
                searched(wish(chain(n), 0.1, guarantee))


def test_patched__is_refused__from_a_start_that_pieces_do_not_have() -> None:
    ghz = np.zeros(32, dtype=complex)
    ghz[[0, -1]] = np.sqrt(0.5)
    with pytest.raises(DoesNotTransferError, match="no pure product state"):
        searched(wish(chain(5), 0.1, start=ghz, sites=None))


def test_patched__is_refused__where_no_piece_has_a_site_like_it() -> None:
    star = [(label(6, {0: "Z", q: "Z"}), -1.0) for q in range(1, 6)]
    with pytest.raises(DoesNotTransferError, match="surroundings"):
        searched(wish(from_terms([*star, *((label(6, {q: "X"}), -0.7) for q in range(6))], "star"), 0.1))


def test_patched__does_not_transfer__critical_chain_from_a_given_start() -> None:
    with pytest.raises(DoesNotTransferError, match=r"by trend .* at 5 sites, not within") as caught:
        searched(wish(gc.models.tfim(5, J=1, h=1), 0.05, seconds=1.0))
    assert "(4)" in str(caught.value)  # it lists what was found, up to the pieces it was chosen on
    nearest = caught.value.nearest  # and brings it, held against the largest piece: here the chain itself
    assert nearest is not None
    assert not nearest.accepted
    assert nearest.distance > 0.5 * 0.05  # what a trend below 7 sites has to stay within
    assert "held out 5" in nearest.program.provenance


@pytest.mark.slow
@pytest.mark.parametrize(("sites", "guarantee"), [(8, "given_start"), (7, "any_start")])
def test_patched__does_not_transfer__critical_chain(sites: int, guarantee: str) -> None:
    with pytest.raises(DoesNotTransferError, match="by trend"):
        searched(wish(gc.models.tfim(sites, J=1, h=1), 0.1, guarantee, seconds=15.0))


# accepted


@pytest.fixture(scope="module")
def prepared() -> Candidate[Program]:
    *others, found = searched(wish(chain(5, J=0.1), 0.1, seconds=10.0))
    assert all(one.two_qubit_gates < found.two_qubit_gates for one in others)
    return found


@pytest.fixture(scope="module")
def sampler() -> Candidate[Program]:
    return searched(wish(chain(4, J=0.1), 0.15, "any_start", seconds=10.0))[-1]


def test_patched__preparation__is_measured_on_the_whole(prepared: Candidate[Program]) -> None:
    """Acceptance at 5 sites is a measurement; here once more, by Qiskit's state vector and by the exact channel."""
    program = prepared.program
    assert program.calibration is Calibration.PATCH
    assert prepared.note.endswith("accepted")
    qc = lowered(unrolled(program, []))
    qc.data = [item for item in qc.data if item.operation.name != "reset"]  # the sweep's last step
    rho = partial_trace(Statevector(qc), range(5, 10)).data
    far = distance(rho, gibbs(chain(5, J=0.1).hamiltonian, 1.0))
    assert far == pytest.approx(prepared.distance, abs=1e-9)
    assert far <= 0.1
    predicted = gc.predict(program)
    assert predicted is not None
    assert predicted.distances[-1] == pytest.approx(far, abs=1e-9)


def test_patched__preparation__says_what_it_was_fitted_on(prepared: Candidate[Program]) -> None:
    text = prepared.program.provenance
    assert text.startswith("fitted on pieces of 2 and 3 sites, chosen on 4, held out 5; distances ")
    assert text.endswith(f"at 5 sites {prepared.distance:.4f}, measured")
    word, sweeps = prepared.program.knobs["word"], prepared.program.knobs["sweeps"]
    assert prepared.two_qubit_gates == sweeps * (5 * word.count("a") + 4 * word.count("b"))


def test_patched__preparation__has_the_same_angles_on_like_sites(prepared: Candidate[Program]) -> None:
    """The circuit of a mirrored chain is its own mirror image."""
    program = prepared.program
    qc = lowered(unrolled(program, []))
    qc.data = [item for item in qc.data if item.operation.name != "reset"]
    rho = partial_trace(Statevector(qc), range(5, 10)).data
    mirror = [int(f"{k:05b}"[::-1], 2) for k in range(32)]
    assert np.allclose(rho[np.ix_(mirror, mirror)], rho, atol=1e-9)


def test_patched__sampler__holds_from_random_starts(sampler: Candidate[Program]) -> None:
    program, exact = sampler.program, gibbs(chain(4, J=0.1).hamiltonian, 1.0)
    qc, rng = lowered(unrolled(program, [])), np.random.default_rng(3)
    for _ in range(3):
        psi = rng.standard_normal(16) + 1j * rng.standard_normal(16)
        psi /= np.linalg.norm(psi)
        assert distance(evolved(qc, np.outer(psi, psi.conj())), exact) <= sampler.distance + 1e-6
    assert worst_start(program).distance == pytest.approx(sampler.distance, abs=2e-3)  # two searches
    predicted = gc.predict(program)
    assert predicted is not None
    assert max(predicted.worst_start, predicted.fixed_point_distance) <= sampler.distance + 1e-6


def test_patched__control__of_a_stronger_coupling_it_is_no_preparation(prepared: Candidate[Program]) -> None:
    other = gibbs(chain(5, J=1.0).hamiltonian, 1.0)
    qc = lowered(unrolled(prepared.program, []))
    qc.data = [item for item in qc.data if item.operation.name != "reset"]
    assert distance(partial_trace(Statevector(qc), range(5, 10)).data, other) > 0.3


def test_workshop__worst__is_that_of_the_circuit_on_a_piece() -> None:
    """Angles drawn at random: the distance on a piece is that of its own ansatz, gate by gate elsewhere."""
    fits = pieces_of(wish(chain(5), 0.1))
    names = tuple(dict.fromkeys(name for size in (2, 3, 4) for p in fits.pieces[size]
                                for name in ansatz_of(p, "bab", real=True).names))  # fmt: skip
    rng = np.random.default_rng(4)
    shared = SharedAngles(names, rng.standard_normal((len(names), 1)))
    (piece,) = fits.pieces[3]
    ansatz = ansatz_of(piece, "bab", real=True)
    V = forward(ansatz, shared.angles(ansatz)[:, None], columns(ansatz, 1))[..., 0].reshape(-1, 8, 8)
    rho = sum(np.outer(v[:, 0], v[:, 0].conj()) for v in V)
    expected = distance(rho, gibbs(piece.model.hamiltonian, 1.0))
    assert fits.worst("bab", 1, shared, 3, within(1.0)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.slow
def test_patched__cheapest_within_the_target__is_the_accepted_one() -> None:
    found = searched(wish(chain(5, J=0.1), 0.08, seconds=6.0))
    chosen = cheapest(found, 0.08)
    assert chosen is not None
    assert len(found) > 1
    assert chosen.note.endswith("accepted")
