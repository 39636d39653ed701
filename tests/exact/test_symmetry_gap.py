from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import scipy.sparse.linalg
from qiskit.quantum_info import SparsePauliOp

from gibbs_circuits import models
from gibbs_circuits.exact.certificate.certificate import certificate
from gibbs_circuits.exact.spectral_gap import gap as gap_module
from gibbs_circuits.exact.spectral_gap import symmetry_blocks as blocks_module
from gibbs_circuits.exact.spectral_gap.gap import dense_decay_rates, iterative_gap
from gibbs_circuits.exact.spectral_gap.symmetry_blocks import Blocks, Sector, hermitised_blocks
from gibbs_circuits.exact.spectral_gap.uniqueness import steady_state_counts
from gibbs_circuits.exact.structure.symmetry import conserved, weak_symmetries
from gibbs_circuits.generators.baths import ohmic
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.kinds.ckg import ckg
from gibbs_circuits.generators.kinds.coarse_grained import coarse_grained
from gibbs_circuits.generators.kinds.dll import dll
from gibbs_circuits.generators.kinds.scandi_alhambra import scandi_alhambra
from gibbs_circuits.generators.kinds.several_baths import several_baths
from gibbs_circuits.generators.kinds.ule import ule
from gibbs_circuits.generators.lindbladian import Lindbladian
from gibbs_circuits.models.model import Model, from_terms
from tests.systems import Matrix, Real, Terms, dense, gaussian, hopping_gap, hopping_terms, label, majoranas

SMALL_DENSE = 90  # sectors above it go to the iterative solver, which wants five times its block


def generator(model: Model, couplings: object, beta: float = 1.0) -> Lindbladian:
    return dll(model, beta, couplings_of(couplings, model.num_qubits), GaussianFilter(beta))


def collective(n: int, letters: str) -> list[SparsePauliOp]:
    return [SparsePauliOp([label(n, {i: p}) for i in range(n)]) for p in letters]


def drawn(n: int, letters: str, seed: int) -> Model:
    """A sum of random strings, with every field X and Z so that no Pauli string commutes."""
    rng = np.random.default_rng(seed)
    strings = sorted({"".join(rng.choice(list(letters), n)) for _ in range(2 * n)})
    fields = [label(n, {i: p}) for i in range(n) for p in "XZ"]
    chosen = [text for text in strings if text.count("I") < n - 1] + fields
    return from_terms(list(zip(chosen, rng.normal(size=len(chosen)).tolist(), strict=True)), "drawn")


def dzyaloshinskii_moriya(n: int) -> Model:
    """A ring with Σ X_iY_{i+1} − Y_iX_{i+1}, a complex matrix without reflection."""
    terms: Terms = [(label(n, {i: "Z"}), 0.3) for i in range(n)]
    for i in range(n):
        j = (i + 1) % n
        terms += [(label(n, {i: "X", j: "Y"}), 0.5), (label(n, {i: "Y", j: "X"}), -0.5)]
        terms += [(label(n, {i: "Z", j: "Z"}), 0.4)]
    return from_terms(terms)


@dataclass(frozen=True, eq=False)
class Twin:
    """The Hermitised generator of the Gaussian filter in the energy basis, from its formula alone.

    D(X) = Σ J̃XJ̃ − ½{R̃, X} with J̃ = e^{−(βν)²/8} A, R̃ = R/cosh(βν/4), R = Σ L†L.
    """

    jumps: Sequence[Matrix]
    decay: Matrix

    @classmethod
    def of(cls, found: Lindbladian) -> Twin:
        beta, (E, V) = found.beta, np.linalg.eigh(dense(found.model.terms))
        nu = E[:, None] - E[None, :]
        A = [V.conj().T @ contact.coupling.to_matrix() @ V for contact in found.contacts]
        L = [gaussian(beta)(nu) * a for a in A]
        R = sum(jump.conj().T @ jump for jump in L)
        return cls([np.exp(-((beta * nu) ** 2) / 8) * a for a in A], R / np.cosh(beta * nu / 4))

    def __call__(self, X: Matrix) -> Matrix:
        return sum(J @ X @ J.conj().T for J in self.jumps) - (self.decay @ X + X @ self.decay) / 2

    def rates(self) -> Real:
        """All −λ, ascending."""
        one = np.eye(len(self.decay))
        D = sum(np.kron(J.conj(), J) for J in self.jumps)
        D = D - (np.kron(one, self.decay) + np.kron(self.decay.conj(), one)) / 2
        return -np.linalg.eigvalsh((D + D.conj().T) / 2)[::-1]

    def lowest(self, count: int) -> Real:
        """The lowest −λ by Lanczos."""
        d = len(self.decay)

        def apply(x: Matrix) -> Matrix:
            return self(x.reshape(d, d)).ravel()

        operator = scipy.sparse.linalg.LinearOperator((d * d, d * d), matvec=apply, dtype=complex)
        start = np.random.default_rng(0).standard_normal(d * d).astype(complex)
        values = scipy.sparse.linalg.eigsh(operator, k=count, which="LA", v0=start, tol=1e-11, ncv=60)[0]
        return -np.sort(values)[::-1]


@dataclass(frozen=True, eq=False)
class Case:
    generator: Lindbladian
    names: tuple[str, ...]


def charge(n: int) -> str:
    return " + ".join(f"Z{q}" for q in range(n))


FIELDS = [0.3, -0.2, 0.45, 0.1]
CASES: dict[str, Case] = {
    "ising 3": Case(generator(models.mixed_field_ising(3), "Y"), ("reflection",)),
    "ising 4": Case(generator(models.mixed_field_ising(4), "XZ"), ("reflection",)),
    "ising 5": Case(generator(models.mixed_field_ising(5), "Y"), ("reflection",)),
    "tfim 3": Case(generator(models.tfim(3), "Y"), ("reflection", "XXX")),
    "tfim 4": Case(generator(models.tfim(4), "Y"), ("reflection", "XXXX")),
    "tfim 5": Case(generator(models.tfim(5), "XYZ"), ("reflection", "XXXXX")),
    "ising ring 4": Case(generator(models.mixed_field_ising(4, periodic=True), "XZ"), ("translation by 1",)),
    "ising ring 5": Case(generator(models.mixed_field_ising(5, periodic=True), "Y"), ("translation by 1",)),
    "tfim ring 4": Case(generator(models.tfim(4, periodic=True), "Y"), ("translation by 1", "XXXX")),
    "xxz 3": Case(generator(models.xxz(3, 1.0, 0.5, 0.3), "XYZ"), (charge(3), "reflection")),
    "xxz 4": Case(generator(models.xxz(4, 1.0, 0.5, 0.3), "XYZ"), (charge(4), "reflection")),
    "xxz 4 in fields": Case(generator(models.xxz(4, 1.0, 0.5, FIELDS), "XYZ"), (charge(4),)),
    "xxz ring 4": Case(generator(models.xxz(4, 1.0, 0.5, 0.3, True), "XY"), (charge(4), "translation by 1")),
    "hubbard 2": Case(generator(models.hubbard(2, 1.0, 4.0, 1.0), majoranas(4)), (charge(4), "Z0 + Z1")),
    "hopping 4": Case(generator(from_terms(hopping_terms(4)), majoranas(4)), (charge(4),)),
    "drawn 3": Case(generator(drawn(3, "IXZ", 1), "XYZ"), ()),
    "drawn 4": Case(generator(drawn(4, "IXYZ", 2), "XY"), ()),
    "complex ring 4": Case(generator(dzyaloshinskii_moriya(4), "XY"), (charge(4), "translation by 1")),
    "complex 3": Case(generator(drawn(3, "XYZ", 3), "Y"), ()),
}


@pytest.mark.parametrize("case", CASES)
def test_weak_symmetries__are_the_expected_ones__library(case: str) -> None:
    assert tuple(s.name for s, _ in weak_symmetries(CASES[case].generator)) == CASES[case].names


@pytest.mark.parametrize("case", CASES)
def test_iterative_gap__equals_dense__with_and_without_symmetry(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gap_module, "DENSE_DIM", 24)
    found = CASES[case].generator
    exact = float(Twin.of(found).rates()[1])
    assert dense_decay_rates(found, balanced=True)[1] == pytest.approx(exact, abs=1e-11)
    for use in (True, False):
        result = iterative_gap(found, 1, use_symmetry=use)
        assert result.value == pytest.approx(exact, abs=1e-8)
        assert result.symmetries == (CASES[case].names if use else ())
        assert (result.sectors > 1) == bool(result.symmetries)


@pytest.mark.parametrize("case", [case for case in CASES if CASES[case].generator.model.num_qubits < 5])
def test_sectors__hold_the_whole_spectrum__counted_with_their_mirror_images(case: str) -> None:
    found = CASES[case].generator
    blocks, values, total = hermitised_blocks(found), [], 0
    for s in blocks.sectors:
        sector = blocks.sector(s)
        if sector.dim == 0:
            continue
        D = np.stack([sector(column) for column in np.eye(sector.dim)], axis=1)
        np.testing.assert_allclose(D, D.conj().T, atol=1e-12)
        np.testing.assert_allclose(np.diag(D).real, sector.diagonal, atol=1e-12)
        mirrored = tuple(-x % m if m else -x for x, m in zip(s, blocks.moduli, strict=True)) != s
        values += [-np.linalg.eigvalsh(D)] * (2 if mirrored else 1)
        total += sector.dim * (2 if mirrored else 1)
    assert total == 4**found.model.num_qubits
    np.testing.assert_allclose(np.sort(np.concatenate(values)), Twin.of(found).rates(), atol=1e-10)


def basis_of(found: Lindbladian, blocks: Blocks) -> list[Matrix]:
    """Energy eigenvectors label by label, as the blocks are written in them."""
    symmetries = [s for s, _ in weak_symmetries(found)] if blocks.names else []
    labels, groups, _ = blocks_module._labelled_basis(found, symmetries)
    assert tuple(labels) == blocks.labels
    return groups


def joined(sector: Sector, groups: list[Matrix], x: Matrix) -> Matrix:
    """Σ V_r X[r, h] V_h†, a matrix in the computational basis."""
    parts = zip(sector.pairs, sector.split(x), strict=True)
    return sum(groups[r] @ X @ groups[h].conj().T for (r, h), X in parts)


@pytest.mark.parametrize("use", [True, False])
@pytest.mark.parametrize("case", [case for case in CASES if CASES[case].generator.model.num_qubits < 5])
def test_sector__acts_as_the_dense_generator__random_vectors(case: str, use: bool) -> None:
    found = CASES[case].generator
    blocks, twin = hermitised_blocks(found, use_symmetry=use), Twin.of(found)
    V, groups = np.linalg.eigh(dense(found.model.terms))[1], basis_of(found, blocks)
    rng = np.random.default_rng(5)
    for s in blocks.sectors:
        sector = blocks.sector(s)
        if sector.dim == 0:
            continue
        x = rng.normal(size=sector.dim) + 1j * rng.normal(size=sector.dim)

        X, image = (V.conj().T @ joined(sector, groups, y) @ V for y in (x, sector(x)))
        np.testing.assert_allclose(image, twin(X), atol=1e-11)


def test_sector__zero_mode__is_the_root_of_the_gibbs_state() -> None:
    blocks = hermitised_blocks(CASES["xxz 4"].generator)
    modes = [mode for s in blocks.sectors if (mode := blocks.sector(s).zero_mode) is not None]
    assert len(modes) == 1
    assert np.linalg.norm(modes[0]) == pytest.approx(1.0)
    identity = next(blocks.sector(s) for s in blocks.sectors if blocks.sector(s).zero_mode is not None)
    assert np.linalg.norm(identity(modes[0])) <= 1e-14


@pytest.mark.parametrize(("seed", "beta"), [(8, 1.0), (25, 0.2), (27, 1.0)])
def test_iterative_gap__equals_dense__one_coupling_to_a_drawn_model(
    seed: int, beta: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gap_module, "DENSE_DIM", SMALL_DENSE)
    found = generator(drawn(4, "IXYZ", seed), [SparsePauliOp("IXIZ")], beta)
    assert iterative_gap(found).value == pytest.approx(float(Twin.of(found).rates()[1]), abs=1e-8)


# Six qubits and more: against Lanczos on the whole space.


SIX = [
    pytest.param(generator(models.mixed_field_ising(6), "Y"), ("reflection",), id="ising"),
    pytest.param(generator(models.xxz(6, 1.0, 0.5, 0.3), "XY"), (charge(6), "reflection"), id="xxz"),
    pytest.param(
        generator(models.tfim(6, periodic=True), "Y"), ("translation by 1", "XXXXXX"),
        id="tfim ring", marks=pytest.mark.slow,
    ),
    pytest.param(
        generator(models.hubbard(3, 1.0, 4.0, 1.0), majoranas(6)), (charge(6), "Z0 + Z1 + Z2"),
        id="hubbard", marks=pytest.mark.slow,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("found", "names"), SIX)
def test_iterative_gap__equals_lanczos__six_qubits(found: Lindbladian, names: tuple[str, ...]) -> None:
    exact = float(Twin.of(found).lowest(2)[1])
    result = iterative_gap(found)
    assert result.value == pytest.approx(exact, abs=1e-8)
    assert result.symmetries == names
    assert result.resolved


@pytest.mark.slow
def test_iterative_gap__equals_dense__six_qubits() -> None:
    found = generator(models.mixed_field_ising(6), "Y")
    exact = dense_decay_rates(found, balanced=True)[1]
    for use in (True, False):
        assert iterative_gap(found, use_symmetry=use).value == pytest.approx(exact, abs=1e-8)


@pytest.mark.parametrize("n", [5, 6])
def test_iterative_gap__equals_free_fermions__hopping_chain(n: int) -> None:
    found = generator(from_terms(hopping_terms(n)), majoranas(n))
    assert iterative_gap(found).value == pytest.approx(hopping_gap(n, 1.0), abs=1e-8)


@pytest.mark.parametrize("use", [True, False])
def test_iterative_gap__forms_no_superoperator__memory_at_six_qubits(use: bool) -> None:
    found = generator(models.mixed_field_ising(6), "Y")
    iterative_gap(generator(models.mixed_field_ising(3), "Y"))  # imports and caches
    tracemalloc.start()
    try:
        iterative_gap(found, use_symmetry=use)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.1 * 8 * 16**6  # real, 4^n × 4^n


# Kinds with more than one jump per coupling.


@pytest.mark.parametrize(
    "kind",
    ["ckg", pytest.param("ckg metropolis", marks=pytest.mark.slow), "scandi_alhambra", "ule", "coarse_grained"],
)
def test_iterative_gap__equals_the_whole_space__many_factors(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gap_module, "DENSE_DIM", 24)
    model, A, bath = models.xxz(3, 1.0, 0.5, 0.3), couplings_of("XY", 3), ohmic(1.0)
    found = {
        "ckg": lambda: ckg(model, 1.0, A),
        "ckg metropolis": lambda: ckg(model, 1.0, A, filter="metropolis"),
        "scandi_alhambra": lambda: scandi_alhambra(model, bath.beta, A, bath, 1.5),
        "ule": lambda: ule(model, bath.beta, A, bath, coherent="balance"),
        "coarse_grained": lambda: coarse_grained(model, bath.beta, A, bath, 1.5, coherent="balance"),
    }[kind]()
    exact = certificate(found).spectral_gap
    rates = np.sort(-np.linalg.eigvals(from_values(found)).real)
    assert exact == pytest.approx(rates[1], abs=1e-10)
    for use in (True, False):
        result = iterative_gap(found, use_symmetry=use)
        assert result.value == pytest.approx(exact, abs=1e-8)
        assert result.symmetries == ((charge(3), "reflection") if use else ())


def from_values(found: Lindbladian) -> Matrix:
    """𝓛 from the values of the kernel, entry by entry."""
    E, V = np.linalg.eigh(dense(found.model.terms))
    nu, d, one = E[:, None] - E[None, :], E.size, np.eye(E.size)
    T, R = np.zeros((d, d, d, d), dtype=complex), np.zeros((d, d), dtype=complex)
    alpha = found.contacts[0].kernel(nu[:, :, None, None], nu[None, None, :, :])  # at [i, k, j, l]
    for contact in found.contacts:
        A = V.conj().T @ contact.coupling.to_matrix() @ V
        T += np.einsum("ik,jl,ikjl->jilk", A, A.conj(), alpha)  # ρ_kl → ρ_ij, columns stacked
        R += np.einsum("ki,kj,kjki->ij", A.conj(), A, alpha)
    G = 0.5 * np.tanh(found.beta * nu / 4) * R - R / 2  # −iB − R/2
    return T.reshape(d * d, d * d) + np.kron(one, G) + np.kron(G.conj(), one)


# Controls: one term or one coupling less symmetric, and the symmetry is not used.


def ising_with(couplings: list[SparsePauliOp]) -> Lindbladian:
    return generator(models.mixed_field_ising(4), couplings)


def plus(model: Model, text: str, value: float) -> Model:
    return Model(model.hamiltonian + SparsePauliOp(text, value), "broken")


Y = [SparsePauliOp(label(4, {i: "Y"})) for i in range(4)]
XXZ = models.xxz(4, 1.0, 0.5, FIELDS)
BROKEN: dict[str, tuple[str, Lindbladian, Lindbladian]] = {
    "reflection, by a field": (
        "reflection",
        generator(models.mixed_field_ising(4), "Y"),
        generator(plus(models.mixed_field_ising(4), "IIIZ", 0.1), "Y"),
    ),
    "reflection, by a coupling left out": ("reflection", ising_with(Y), ising_with(Y[:3])),
    "reflection, by a coupling's strength": ("reflection", ising_with(Y), ising_with([1.1 * Y[0], *Y[1:]])),
    "parity, by a longitudinal field": (
        "XXXX",
        generator(models.tfim(4), "Y"),
        generator(models.mixed_field_ising(4, h=1.0, g=1e-3), "Y"),
    ),
    "parity, by a mixed coupling": (
        "XXXX",
        generator(models.tfim(4), Y),
        generator(models.tfim(4), [Y[0] + SparsePauliOp("IIIX", 0.1), *Y[1:]]),
    ),
    "momentum, by a bond": (
        "translation by 1",
        generator(models.mixed_field_ising(4, periodic=True), "Y"),
        generator(plus(models.mixed_field_ising(4, periodic=True), "IIZZ", 0.1), "Y"),
    ),
    "magnetisation, by a transverse field": (
        charge(4),
        generator(XXZ, "XYZ"),
        generator(plus(XXZ, "IIIX", 0.1), "XYZ"),
    ),
    "magnetisation, by couplings": (charge(4), generator(XXZ, "XY"), generator(XXZ, "X")),
    "magnetisation, by unequal couplings": (
        charge(4),
        generator(XXZ, "XY"),
        generator(XXZ, [*couplings_of("X", 4), *(0.5 * A for A in couplings_of("Y", 4))]),
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_weak_symmetries__control__broken_ones_are_not_used(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gap_module, "DENSE_DIM", 24)
    name, whole, broken = BROKEN[case]
    assert name in [s.name for s, _ in weak_symmetries(whole)]
    assert name not in [s.name for s, _ in weak_symmetries(broken)]
    for found in (whole, broken):
        assert iterative_gap(found).value == pytest.approx(float(Twin.of(found).rates()[1]), abs=1e-8)


def test_weak_symmetries__control__baths_of_different_shape_are_not_exchanged() -> None:
    model, left, right = models.tfim(3), (SparsePauliOp("IIY"),), (SparsePauliOp("YII"),)
    same = several_baths(dll(model, 1.0, left, GaussianFilter(1.0)), dll(model, 1.0, right, GaussianFilter(1.0)))
    other = several_baths(dll(model, 1.0, left, GaussianFilter(1.0)), dll(model, 1.0, right, GaussianFilter(1.0, 2.0)))
    assert tuple(s.name for s, _ in weak_symmetries(same)) == ("reflection", "XXX")
    assert tuple(s.name for s, _ in weak_symmetries(other)) == ("XXX",)
    for found in (same, other):
        assert iterative_gap(found).value == pytest.approx(dense_decay_rates(found, balanced=True)[1], abs=1e-8)


def test_sector__control__a_jump_that_is_off_by_a_percent_is_seen() -> None:
    twin = Twin.of(CASES["tfim 3"].generator)
    broken = Twin([twin.jumps[0] * 1.01, *twin.jumps[1:]], twin.decay)
    assert abs(broken.rates()[1] - twin.rates()[1]) > 1e-6


# Charges, and as many steady states as there are.


@pytest.mark.parametrize(
    ("found", "names"),
    [
        (generator(models.mixed_field_ising(4), "Y"), ()),
        (generator(models.tfim(3, h=0.0), "Z"), ("IIZ", "IZI", "ZII")),
        (generator(models.tfim(4), "X"), ("XXXX",)),
        (generator(models.xxz(4, 1.0, 0.5, FIELDS), "Z"), ("ZZZZ", charge(4))),
        (generator(models.xxz(4, 1.0, 0.5, FIELDS), "XYZ"), ()),
        (generator(models.heisenberg(4), collective(4, "Z")), ("ZZZZ", charge(4))),
        (generator(from_terms([("IX", 1.0), ("XI", 0.7)]), [SparsePauliOp("IZ")]), ("XI",)),
    ],
    ids=["none", "classical", "parity", "magnetisation", "broken", "collective", "spectator"],
)
def test_conserved__finds_charges_and_strings__by_name(found: Lindbladian, names: tuple[str, ...]) -> None:
    listed = conserved(found)
    assert set(names) <= set(listed)
    assert bool(names) == bool(listed)
    assert len(set(listed)) == len(listed)
    H = dense(found.model.terms)
    for name in listed:  # each one does commute
        Q = charge_matrix(name, found.model.num_qubits)
        for M in (H, *(contact.coupling.to_matrix() for contact in found.contacts)):
            assert np.linalg.norm(Q @ M - M @ Q) <= 1e-12 * np.linalg.norm(M)


def charge_matrix(name: str, n: int) -> Matrix:
    if set(name) <= set("IXYZ"):
        return dense([(name, 1.0)])
    terms = [(label(n, {int(part.split("Z")[1]): "Z"}), 1.0) for part in name.split(" + ")]
    return dense(terms)


COUNTED: dict[str, tuple[Lindbladian, int]] = {
    "ising 4": (generator(models.mixed_field_ising(4), "Y", 0.5), 1),
    "classical 4": (generator(models.tfim(4, h=0.0), "Z", 0.5), 16),
    "parity 4": (generator(models.tfim(4), "X", 0.5), 2),
    "magnetisation 4": (generator(models.xxz(4, 1.0, 0.5, FIELDS), "Z", 0.3), 5),
    "magnetisation 5": (generator(models.xxz(5, 1.0, 0.5, [*FIELDS, -0.35]), "Z", 0.2), 6),
    "collective 4": (
        generator(from_terms([(label(4, {i: "Z"}), 0.5) for i in range(4)]), collective(4, "XY"), 0.5),
        14,
    ),
    "spectators 4": (generator(from_terms([("IIIZ", 0.5), ("IIZZ", 0.3)]), [SparsePauliOp("IIIX")], 0.5), 32),
    "ising 5": (generator(models.mixed_field_ising(5), "XZ", 0.3), 1),
}


@pytest.mark.parametrize("case", COUNTED)
def test_steady_states__equal_brute_force__four_and_five_qubits(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found, count = COUNTED[case]
    rates = Twin.of(found).rates()
    assert int(np.sum(rates < 1e-10)) == count
    assert steady_state_counts(found)[0] == count
    listed = conserved(found)
    assert bool(listed) == (count > 1 and "collective" not in case)
    if count > gap_module.MAX_ZEROS:
        missing = iterative_gap(found, count)
        assert missing.value is None
        assert str(count) in str(missing.reason)
        return
    monkeypatch.setattr(gap_module, "DENSE_DIM", SMALL_DENSE)
    for use in (True, False):
        assert iterative_gap(found, count, use_symmetry=use).value == pytest.approx(rates[count], abs=1e-8)


def test_iterative_gap__counts_mirrored_zeros_twice__slow_mode_that_is_not_degenerate() -> None:
    """Five steady states, two of them in sectors k and −k: of the pair only one is solved for."""
    n = 3
    bonds: Terms = [(label(n, {i: "Z", j: "Z"}), -0.8) for i in range(n) for j in range(i)]
    found = generator(from_terms([*bonds, *((label(n, {i: "Z"}), 0.1) for i in range(n))]), collective(n, "X"))
    rates = Twin.of(found).rates()
    assert steady_state_counts(found)[0] == 5
    assert rates[6] - rates[5] > 1e-3
    assert iterative_gap(found, 5).symmetries == ("translation by 1",)
    for use in (True, False):
        assert iterative_gap(found, 5, use_symmetry=use).value == pytest.approx(rates[5], abs=1e-10)
