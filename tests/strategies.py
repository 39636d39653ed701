"""Generated inputs: small Hamiltonians (degenerate ones often), couplings, temperatures."""

from __future__ import annotations

import itertools

from hypothesis import settings
from hypothesis import strategies as st
from qiskit.quantum_info import SparsePauliOp

from gibbs_circuits.models.model import Model

moderate = settings(max_examples=25, deadline=None, derandomize=True)
few = settings(moderate, max_examples=12)

betas = st.floats(0.0, 10.0)

GRID = st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0])  # makes equal levels and equal Bohr frequencies likely
SMOOTH = st.floats(-1.5, 1.5).map(lambda x: round(x, 3))


def labels(num_qubits: int, letters: str = "IXYZ") -> list[str]:
    return ["".join(text) for text in itertools.product(letters, repeat=num_qubits)]


@st.composite
def hamiltonians(draw: st.DrawFn, max_qubits: int = 3, min_qubits: int = 1) -> Model:
    n = draw(st.integers(min_qubits, max_qubits))
    letters = draw(st.sampled_from(["IXYZ", "IXYZ", "IZ", "IXZ"]))
    chosen = draw(st.lists(st.sampled_from(labels(n, letters)), min_size=1, max_size=6, unique=True))
    value = draw(st.sampled_from([GRID, SMOOTH]))
    return Model(SparsePauliOp(chosen, [draw(value) for _ in chosen]), "generated")


@st.composite
def coupling_sets(draw: st.DrawFn, num_qubits: int) -> tuple[SparsePauliOp, ...]:
    """One to three Hermitian couplings, none a multiple of the identity."""
    value = st.sampled_from([-1.0, -0.7, 0.4, 1.0])
    sets = []
    for _ in range(draw(st.integers(1, 3))):
        chosen = draw(st.lists(st.sampled_from(labels(num_qubits)[1:]), min_size=1, max_size=3, unique=True))
        sets.append(SparsePauliOp(chosen, [draw(value) for _ in chosen]))
    return tuple(sets)


@st.composite
def systems(draw: st.DrawFn, max_qubits: int = 3) -> tuple[Model, tuple[SparsePauliOp, ...]]:
    model = draw(hamiltonians(max_qubits))
    return model, draw(coupling_sets(model.num_qubits))
