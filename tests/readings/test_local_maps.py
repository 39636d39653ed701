"""A program as local maps: against the exact channel of its sweep, which is written from Kraus operators."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import gibbs_circuits as gc
from gibbs_circuits.errors import TooLargeError
from gibbs_circuits.linalg.local_maps import Average, LocalMap, applied_to, fused, of_unitary, pauli_basis
from gibbs_circuits.programs.program import Stage
from gibbs_circuits.programs.steps import Reset, Unitary
from gibbs_circuits.readings.channel.sweep_channel import stage_channel
from gibbs_circuits.readings.scalable.local_maps_of import along_a_line, stage_maps


def transfer_in_paulis(channel, n):
    """The Pauli transfer matrix of a superoperator on column-stacked matrices; qubit 0 is the fastest index there."""
    P = pauli_basis(n)  # first qubit slowest
    order = np.array(np.unravel_index(np.arange(4**n), (4,) * n))[::-1]
    index = np.ravel_multi_index(order, (4,) * n)  # so that axis k is qubit k
    P = P[index]
    vectors = P.transpose(0, 2, 1).reshape(4**n, -1).T  # columns: column-stacked matrices
    return (vectors.conj().T @ channel @ vectors).real / 2**n


@pytest.mark.parametrize(
    ("scheme", "knobs"),
    [
        ("parallel", {"sweeps": 1}),
        ("sequential", {"sweeps": 1}),
        ("thermal_ancilla", {"sweeps": 2}),
        ("random_jumps", {"sweeps": 1}),
    ],
)
def test_stage_maps__are_the_exact_channel__scheme_by_scheme(scheme, knobs):
    n = 2
    model = gc.models.mixed_field_ising(n, J=1, h=0.9, g=0.5)
    program = gc.compile(gc.dll(model, 0.7, couplings="Y"), scheme=scheme, **knobs)
    maps = stage_maps(program, 0)
    expected = transfer_in_paulis(stage_channel(program, 0), n)
    found = np.empty((4**n, 4**n))
    for k in range(4**n):
        x = np.zeros((4,) * program.num_qubits)
        start = np.zeros(4**n)
        start[k] = 1
        fresh = np.ones(1)
        for _ in range(program.num_ancilla):
            fresh = np.multiply.outer(fresh, np.array([1.0, 0, 0, 1]))
        x = np.multiply.outer(start.reshape((4,) * n), fresh.reshape((4,) * program.num_ancilla))
        x = applied_to(maps, x)
        found[:, k] = x.reshape(4**n, -1)[:, 0]
    assert found == pytest.approx(expected, abs=1e-10)
    assert len(fused(maps)) <= len(maps)


def test_stage_maps__refuse_dense_unitaries__of_many_qubits():
    program = gc.compile(gc.dll(gc.models.tfim(3), 1.0, couplings="Y"), scheme="parallel", sweeps=1)
    ancillas = tuple(range(program.num_ancilla))
    dense = Unitary(np.eye(2 ** (3 + len(ancillas))), ancillas, "nothing")
    with pytest.raises(TooLargeError, match="qubits at once"):
        stage_maps(replace(program, stages=(Stage((dense, Reset(ancillas)), 1),)))
    small = Unitary(np.eye(2**4), ancillas[:1], "nothing")  # the control: of few qubits it is read
    assert stage_maps(replace(program, stages=(Stage((small, Reset(ancillas[:1])), 1),)))


def test_fused__is_the_same_map__random_circuits_with_averages():
    rng = np.random.default_rng(3)

    def gate(*qubits):
        from scipy.stats import unitary_group

        return LocalMap(qubits, of_unitary(unitary_group.rvs(2 ** len(qubits), random_state=rng)))

    n = 4
    for _ in range(20):
        operations = []
        for _ in range(12):
            qubits = rng.choice(n, size=rng.integers(1, 3), replace=False)
            operations.append(gate(*map(int, qubits)))
        branch = (gate(1), gate(1, 2))
        operations.insert(6, Average((0.3, 0.7), (branch, (gate(2),)), range(0, 3)))
        x = rng.standard_normal((4,) * n)
        short = fused(operations)
        assert len(short) < len(operations)
        assert applied_to(short, x) == pytest.approx(applied_to(operations, x), abs=1e-10)
        c = rng.standard_normal((4,) * n)
        forwards = np.vdot(c, applied_to(operations, x))
        assert np.vdot(applied_to(short, c, adjoint=True), x) == pytest.approx(forwards, abs=1e-9)
        shuffled = [operations[0], *reversed(operations[1:])]
        assert np.abs(applied_to(shuffled, x) - applied_to(operations, x)).max() > 1e-3


def test_along_a_line__puts_ancillas_beside_their_sites__chain_and_ladder():
    program = gc.compile(gc.dll(gc.models.tfim(4), 1.0, couplings="Y"), scheme="parallel", sweeps=1)
    order = along_a_line(stage_maps(program, 0), 4)
    assert [q for q in order if q < 4] == [0, 1, 2, 3]
    assert len(order) == program.num_qubits or set(order) <= set(range(program.num_qubits))
    pairs = [LocalMap(pair, np.eye(16)) for pair in [(0, 1), (2, 3), (4, 5), (0, 2), (2, 4), (1, 3), (3, 5)]]
    order = along_a_line(pairs, 6)
    assert max(abs(order.index(a) - order.index(b)) for a, b in (one.qubits for one in pairs)) == 2
