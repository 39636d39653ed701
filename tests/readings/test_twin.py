"""The free-fermion twin against its dense circuit, gate by gate; flat in size; what noise and delays do."""

from __future__ import annotations

from functools import lru_cache, reduce

import numpy as np
import pytest
import scipy.linalg

import gibbs_circuits as gc
from gibbs_circuits.errors import TooLargeError
from gibbs_circuits.exact.free_fermions import energy, thermal_covariance
from gibbs_circuits.exact.free_fermions.jordan_wigner import quadratic_model
from gibbs_circuits.models.model import from_terms
from gibbs_circuits.programs.lower import lower
from gibbs_circuits.programs.product_formulas import factors
from gibbs_circuits.programs.program import Program
from gibbs_circuits.readings.scalable.twin import twin_of
from tests.readings.scaled import PAULI


def uneven(n):
    rng = np.random.default_rng(4)
    J, h = rng.uniform(0.7, 1.3, n - 1), rng.uniform(0.9, 1.5, n)
    terms = [("I" * (n - 2 - k) + "ZZ" + "I" * k, -J[k]) for k in range(n - 1)]
    return from_terms([*terms, *(("I" * (n - 1 - k) + "X" + "I" * k, -h[k]) for k in range(n))])


@lru_cache
def program(n: int, delays: tuple[int, int] = (0, 0), scheme: str = "parallel") -> Program:
    return gc.compile(gc.dll(uneven(n), 1.0, couplings="Y"), scheme=scheme, sweeps=1, random_delays=delays)


class Dense:
    """Wires s0 a0 s1 a1 …, the first the slowest index; string letters X on sites and Z on ancillas."""

    def __init__(self, program, depolarising=0.0, signs=True):
        self.program, self.n, self.p, self.signs = program, program.num_system, depolarising, signs
        mixed, zero = np.eye(2) / 2, np.diag([1, 0])
        self.rho = reduce(np.kron, [mixed, zero] * self.n).astype(complex)
        self.met = {}

    def on(self, letters):
        return reduce(np.kron, [PAULI[letters.get(wire, "I")] for wire in range(2 * self.n)])

    def string(self, label):
        """Of sites; an ancilla carries Z where an odd number of Y, Z stands behind it."""
        at = {2 * k: letter for k, letter in enumerate(reversed(label))}
        for k in range(self.n) if self.signs else ():
            if sum(at[2 * j] in "YZ" for j in range(k + 1, self.n)) % 2:
                at[2 * k + 1] = "Z"
        return self.on(at)

    def turned(self, H, time=1.0):
        U = scipy.linalg.expm(-1j * time * H)
        self.rho = U @ self.rho @ U.conj().T

    def exponential(self, step):
        groups = step.groups(self.program.groups)
        for index, share in factors(len(groups), step.order, step.slices):
            H = sum(c * self.string(label) for label, c in groups[index].terms)
            self.turned(H, step.duration / step.slices * share)

    def coupling(self, step):
        for label, angle in step.rotations():
            (k,) = (k for k, letter in enumerate(reversed(label)) if letter != "I")
            self.met[step.ancilla] = k
            letter = label[self.n - 1 - k]
            axes = (("X", np.cos(step.axis)), ("Y", np.sin(step.axis)))
            self.turned(sum(weight * self.on({2 * k: letter, 2 * k + 1: axis}) for axis, weight in axes), angle)

    def reset(self, step):
        for wire in range(2 * self.n) if self.p else ():
            turns = [self.on({wire: letter}) for letter in "IXYZ"]
            self.rho = (1 - self.p) * self.rho + self.p / 4 * sum(P @ self.rho @ P for P in turns)
        for ancilla in step.ancillas:
            a = 2 * self.met[ancilla] + 1
            before = {wire: "XZ"[wire % 2] for wire in range(a)} if self.signs else {}
            zero, lower = (self.on({}) + self.on({a: "Z"})) / 2, (self.on({a: "X"}) + 1j * self.on({a: "Y"})) / 2
            K = self.on(before) @ lower
            self.rho = zero @ self.rho @ zero + K @ self.rho @ K.conj().T

    def delay(self, step):
        total = np.zeros_like(self.rho)
        for count in range(step.high + 1):
            total += self.rho * (count >= step.low)
            self.exponential(step.unit)
        self.rho = total / (step.high - step.low + 1)

    def covariance(self):
        w = []
        for k in range(self.n):
            string = {wire: "XZ"[wire % 2] for wire in range(2 * k)}
            w += [self.on(string | {2 * k: letter}) for letter in "ZY"]
        return np.array([[(1j * np.trace(a @ b @ self.rho)).real * (a is not b) for b in w] for a in w])


def dense_after(program, sweeps, **options):
    dense = Dense(program, **options)
    for _ in range(sweeps):
        for step in program.stages[-1].steps:
            lower(step, dense)
    return dense.covariance()


@pytest.mark.parametrize(
    ("n", "delays", "depolarising"),
    [(2, (0, 0), 0.0), (3, (0, 0), 0.0), (3, (0, 2), 0.03),
     pytest.param(4, (1, 2), 0.02, marks=pytest.mark.slow)],
)  # fmt: skip
def test_twin__is_its_dense_circuit__inhomogeneous_with_delays_and_noise(n, delays, depolarising):
    twin, gamma = twin_of(program(n, delays), depolarising=depolarising), np.zeros((2 * n, 2 * n))
    for _ in range(2):
        gamma = twin.apply(gamma)
    expected = dense_after(program(n, delays), 2, depolarising=depolarising)
    assert gamma == pytest.approx(expected, abs=1e-10)
    if depolarising:
        assert np.abs(gamma - dense_after(program(n, delays), 2)).max() > 1e-3
    plain = dense_after(program(n, delays), 2, depolarising=depolarising, signs=False)  # the control
    assert np.abs(gamma - plain).max() > (0.05 if n == 2 else 1e-3)


@pytest.mark.parametrize(("delays", "depolarising"), [((0, 0), 0.0), ((0, 2), 0.0), ((0, 2), 0.01)])
def test_twin__fixed_point__is_where_sweeps_lead(delays, depolarising):
    twin = twin_of(program(3, delays), depolarising=depolarising)
    gamma, fixed = np.zeros((6, 6)), twin.fixed_point()
    for _ in range(5000):
        gamma = twin.apply(gamma)
    assert gamma == pytest.approx(fixed, abs=1e-8)
    assert np.linalg.svd(fixed)[1].max() <= 1 + 1e-12


def test_twin__energy_and_rate__are_flat_in_size():
    found = []
    for n in (8, 24, 48):
        chain = gc.models.tfim(n, h=1.2)
        twin = twin_of(gc.compile(gc.dll(chain, 1.0, couplings="Y"), scheme="parallel", sweeps=1, random_delays=(0, 0)))
        model, _ = quadratic_model(chain)
        exact = energy(model, thermal_covariance(model, 1.0))
        found.append((twin.energy(twin.fixed_point()) / exact - 1, twin.odd_rate))
        assert twin.energy(thermal_covariance(model, 1.0)) == pytest.approx(exact, abs=1e-10)
    errors, rates = np.array(found).T
    assert np.abs(errors).max() < 0.02
    assert rates.min() > 0.7 * rates.max()


def test_twin__refuses_what_is_not_quadratic():
    with pytest.raises(TooLargeError, match="no free-fermion chain"):
        twin_of(gc.compile(gc.dll(gc.models.mixed_field_ising(2), 1.0, couplings="Y"), scheme="parallel", sweeps=1))
    with pytest.raises(TooLargeError, match="random choice has no twin"):
        twin_of(program(2, scheme="random_jumps"))
