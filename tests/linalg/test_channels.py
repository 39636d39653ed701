"""Kraus operators are functions of their map: no mixture and no phase is left to a diagonaliser."""

import numpy as np
import pytest
from scipy.stats import unitary_group

from gibbs_circuits.linalg.channels import minimal_kraus
from tests.systems import PAULIS


def map_of(operators: np.ndarray) -> np.ndarray:
    return np.asarray(sum(np.kron(K.conj(), K) for K in operators))


def some(dim: int, count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, dim, dim)) + 1j * rng.standard_normal((count, dim, dim))


@pytest.mark.parametrize("seed", range(4))
def test_minimal_kraus__apart__are_orthogonal_with_their_largest_entry_positive(seed: int) -> None:
    found = minimal_kraus(map_of(some(3, 4, seed)))
    overlaps = np.einsum("mij,nij->mn", found.conj(), found)
    assert found.shape == (4, 3, 3)
    assert map_of(found) == pytest.approx(map_of(some(3, 4, seed)), abs=1e-10)
    assert overlaps == pytest.approx(np.diag(np.diag(overlaps)), abs=1e-8)
    assert list(np.diag(overlaps).real) == sorted(np.diag(overlaps).real, reverse=True)
    for K in found:
        largest = K.flat[np.argmax(np.abs(K))]
        assert largest.real > 0
        assert abs(largest.imag) < 1e-10


@pytest.mark.parametrize("seed", range(4))
def test_minimal_kraus__of_one_weight__are_those_of_every_mixture(seed: int) -> None:
    paulis = np.array([PAULIS[letter] for letter in "IXYZ"], dtype=complex)
    mixed = np.einsum("mn,nij->mij", unitary_group.rvs(4, random_state=np.random.default_rng(seed)), paulis)
    found = minimal_kraus(map_of(mixed))
    assert found == pytest.approx(minimal_kraus(map_of(paulis)), abs=1e-8)
    assert map_of(found) == pytest.approx(map_of(paulis), abs=1e-10)
    first = found.reshape(4, -1)[0]
    assert first[np.argmax(np.abs(first))].real > 0
