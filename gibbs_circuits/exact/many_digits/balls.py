r"""A generator in balls of real numbers (Arb): T and G of 𝓛(ρ) = T(ρ) + Gρ + ρG† from exact coefficients.

Filters enter by the logarithm of their values in double precision, so that none underflows; Lamb shifts and one-sided
transforms by their values. With `noise` both are changed at random by what they are known to, alike where frequencies
are equal: rounding does not break what is conserved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import flint
import mpmath
import numpy as np
from flint import acb, acb_mat, arb, arb_mat

from ...generators.contact import Coherent
from ...generators.lindbladian import Lindbladian
from ...linalg.arrays import Array, Real
from ...models.model import Model

ROUNDING = 4e-16  # of a logarithm of a filter's value, relative; and of the value
INTEGRALS = 1e-11  # of a Lamb shift or a one-sided transform, relative to the largest: what `Bath.lamb` promises
PHASED = 1e-290  # of a filter's value, below which it is taken to be positive
Matrix = Any  # of flint, which has no types


@dataclass(frozen=True, eq=False)
class Basis:
    """Energies and eigenvectors of the Hamiltonian whose Bohr frequencies count, in balls, and ν rounded."""

    energies: list[Any]
    vectors: Matrix
    nu: Real


@lru_cache(maxsize=8)
def basis_of(model: Model, bits: int) -> Basis:
    """The eigensystem of a Hamiltonian, to so many bits."""
    with mpmath.workprec(bits):
        d, real = 2**model.num_qubits, True
        H = mpmath.zeros(d)
        for k, l, value in _entries(model.hamiltonian):
            real = real and not value.imag
            H[k, l] += mpmath.mpc(value.real, value.imag)
        energies, vectors = mpmath.eigsy(H.apply(mpmath.re)) if real else mpmath.eighe(H)
        order = sorted(range(d), key=lambda k: energies[k])
        E = [energies[k] for k in order]
        nu = _frequencies(E, mpmath.mpf(2) ** (-bits // 2) * (abs(E[-1] - E[0]) or 1))
        V = acb_mat(d, d, [_ball(vectors[k, m]) for k in range(d) for m in order])
        return Basis([arb(e) for e in E], V, nu)


def _frequencies(E: list[Any], tolerance: Any) -> Real:
    """ν_ij rounded, equal ones to the same double: a filter that tells them apart breaks symmetries at 1e-16."""
    d = len(E)
    order = sorted(range(d * d), key=lambda k: abs(E[k // d] - E[k % d]))
    found, last, value = np.zeros(d * d), mpmath.mpf(0), 0.0
    for k in order:
        size = abs(E[k // d] - E[k % d])
        if size - last > tolerance:
            value = float(size)
        last = size
        found[k] = value if E[k // d] > E[k % d] else -value
    return found.reshape(d, d)


def _ball(x: Any) -> acb:
    return acb(arb(mpmath.re(x)), arb(mpmath.im(x)))


def _entries(operator: Any) -> Iterator[tuple[int, int, complex]]:
    """(row, column, value) of every Pauli string, exact: strings are ±1, ±i and coefficients are doubles."""
    n = operator.num_qubits
    powers = 1 << np.arange(n)
    for x, z, coefficient in zip(operator.paulis.x, operator.paulis.z, operator.coeffs, strict=True):
        flip, signs, turn = int(x @ powers), int(z @ powers), (-1j) ** int(np.sum(x & z))
        for column in range(2**n):
            sign = -1 if bin(column & signs).count("1") % 2 else 1
            yield column ^ flip, column, complex(coefficient.real) * sign * turn


class Generator:
    """T and G of chosen contacts in the energy basis."""

    def __init__(self, lindbladian: Lindbladian, basis: Basis, noise: int | None) -> None:
        self.of, self.basis, self.d = lindbladian, basis, len(basis.energies)
        self.noise = noise
        self.adjoint = basis.vectors.transpose().conjugate()
        self.jumps = [list(self._jumps(k)) for k in range(len(lindbladian.contacts))]

    def energy(self) -> Matrix:
        """H of the model in the basis, (d, d)."""
        if not self.of.local:
            return _diagonal(self.basis.energies)
        return self._in_basis(self.of.model.hamiltonian)

    def gibbs(self, beta: float) -> Matrix:
        """The Gibbs state of the model at β in the basis, (d, d)."""
        if not self.of.local:
            weights = [(-arb(beta) * (e - self.basis.energies[0])).exp() for e in self.basis.energies]
            total = sum(weights, arb(0))
            return _diagonal([w / total for w in weights])
        own = basis_of(self.of.model, flint.ctx.prec)
        weights = [(-arb(beta) * (e - own.energies[0])).exp() for e in own.energies]
        total = sum(weights, arb(0))
        W = self.adjoint * own.vectors
        return W * _diagonal([w / total for w in weights]) * W.transpose().conjugate()

    def hermitised(self) -> tuple[Matrix, Matrix]:
        """(T̃, −½R̃) of D = σ^{−1/4} 𝓛(σ^{1/4} · σ^{1/4}) σ^{−1/4} in detailed balance, R̃_ij = R_ij / cosh(βν_ij/4)."""
        T, G = self.generator(tuple(range(len(self.jumps))), hamiltonian=False)
        d, beta = self.d, self.of.beta
        grow = [[(self._nu(a, b) * beta / 4).exp() for b in range(d)] for a in range(d)]
        damp = [[1 / (self._nu(a, b) * beta / 4).cosh() for b in range(d)] for a in range(d)]
        flat = T.entries()
        for a in range(d):
            for k in range(d):
                for b in range(d):
                    for l in range(d):
                        flat[(a * d + k) * d * d + b * d + l] *= grow[a][k] * grow[b][l]
        G = (G + G.transpose().conjugate()) * (arb(1) / 2)  # −½R: B is the other part
        return acb_mat(d * d, d * d, flat), self._times(G, damp)

    def generator(self, contacts: tuple[int, ...], *, hamiltonian: bool) -> tuple[Matrix, Matrix]:
        """(T as [ik, jl], G) with 𝓛(ρ) = T(ρ) + Gρ + ρG†."""
        d = self.d
        T, G = acb_mat(d * d, d * d), acb_mat(d, d)
        half, i = arb(1) / 2, acb(0, 1)
        for k in contacts:
            contact = self.of.contacts[k]
            R = acb_mat(d, d)
            dense = []
            for left, right in self.jumps[k]:
                R = R + (right.transpose().conjugate() * left)
                dense.append((left, right))
            columns = [acb_mat(d * d, 1, left.entries()) for left, _ in dense]
            rows = [acb_mat(1, d * d, [x.conjugate() for x in right.entries()]) for _, right in dense]
            if columns:
                T = T + _joined(columns) * _joined([row.transpose() for row in rows]).transpose()
            R = (R + R.transpose().conjugate()) * half
            G = G - R * half
            if self.of.coherent is Coherent.BALANCE:
                G = G - self._times(R, [[i * half * i * (self._nu(a, b) * contact.beta / 4).tanh() for b in range(d)]
                                        for a in range(d)])  # fmt: skip
        if self.of.coherent is Coherent.LAMB_SHIFT:
            for k in contacts:
                G = G - self._shift(k) * i
        if hamiltonian:
            G = G - self.energy() * i
        return T, G

    def _nu(self, a: int, b: int) -> Any:
        return self.basis.energies[a] - self.basis.energies[b]

    @staticmethod
    def _times(M: Matrix, factors: list[list[Any]]) -> Matrix:
        d = M.nrows()
        return acb_mat(d, d, [M[a, b] * factors[a][b] for a in range(d) for b in range(d)])

    def _in_basis(self, operator: Any) -> Matrix:
        d = self.d
        flat = [acb(0)] * (d * d)
        for k, l, value in _entries(operator):
            flat[k * d + l] += acb(value.real, value.imag)
        return self.adjoint * acb_mat(d, d, flat) * self.basis.vectors

    def _shift(self, index: int) -> Matrix:
        """The Lamb shift of one contact: Σ_k conj(A_ki) A_kj η(ν_kj, ν_ki), η in doubles."""
        contact, nu, d = self.of.contacts[index], self.basis.nu, self.d
        if contact.lamb is None:
            return acb_mat(d, d)
        A = self._in_basis(contact.coupling)
        eta = [np.asarray(contact.lamb(nu[k][None, :], nu[k][:, None]), dtype=complex) for k in range(d)]
        largest, noise = max(float(np.max(np.abs(part))) for part in eta), self._random(nu, 0)
        flat = [acb(0)] * (d * d)
        for k in range(d):
            part = eta[k] + INTEGRALS * largest * (noise[k][None, :] + noise[k][:, None])
            for i in range(d):
                for j in range(d):
                    flat[i * d + j] += A[k, i].conjugate() * A[k, j] * acb(part[i, j].real, part[i, j].imag)
        H = acb_mat(d, d, flat)
        return (H + H.transpose().conjugate()) * (arb(1) / 2)

    def _random(self, nu: Real, number: int) -> Real:
        """Normal numbers, equal where ν is, the same for all contacts: rounding does not break what is conserved."""
        if self.noise is None:
            return np.zeros(nu.shape)
        values, where = np.unique(nu, return_inverse=True)
        drawn = np.random.default_rng([self.noise, number]).standard_normal(values.size)
        return np.asarray(drawn[where.reshape(nu.shape)])

    def _jumps(self, index: int) -> Iterator[tuple[Matrix, Matrix]]:
        """(left, right) with T(ρ) = Σ left ρ right†."""
        contact, nu, d = self.of.contacts[index], self.basis.nu, self.d
        A = self._in_basis(contact.coupling)
        kernel = contact.kernel.on(nu)
        gamma = kernel.one_sided(nu)
        if gamma is not None:
            gamma = gamma + 1j * INTEGRALS * float(np.max(np.abs(gamma))) * self._random(nu, 0)
            F = self._times(A, [[acb(complex(x).real, complex(x).imag) for x in row] for row in gamma])
            yield F, A
            yield A, F
            return
        damping = [[(-self._nu(a, b) * contact.beta / 4).exp() for b in range(d)] for a in range(d)]
        for number, (weight, filter) in enumerate(kernel.factors()):
            logs, values = filter.log_symmetric(nu), np.asarray(filter.symmetric(nu), dtype=complex)
            if not np.any(np.isfinite(logs)):
                continue
            size = 1 + np.abs(np.where(np.isfinite(logs), logs, 0.0))
            logs = logs + ROUNDING * size * self._random(np.abs(nu), number)
            seen = np.abs(values) > PHASED
            phases = np.where(seen, values / np.where(seen, np.abs(values), 1.0), 1.0)
            root = arb(weight).sqrt()
            flat = [
                A[a, b] * damping[a][b] * root * arb(float(logs[a, b])).exp() * acb(*_parts_of(phases[a, b]))
                if np.isfinite(logs[a, b]) else acb(0)
                for a in range(d) for b in range(d)
            ]  # fmt: skip
            J = acb_mat(d, d, flat)
            yield J, J


def _joined(columns: list[Matrix]) -> Matrix:
    rows = columns[0].nrows()
    entries = [column.entries() for column in columns]
    return acb_mat(rows, len(columns), [entry[k] for k in range(rows) for entry in entries])


def _diagonal(values: list[Any]) -> Matrix:
    d = len(values)
    return acb_mat(d, d, [acb(values[a]) if a == b else acb(0) for a in range(d) for b in range(d)])


def identity(size: int) -> Matrix:
    """The identity as a real ball matrix, (size, size)."""
    return arb_mat(size, size, [arb(1) if a == b else arb(0) for a in range(size) for b in range(size)])


def doubles(M: Matrix) -> Array:
    """The midpoints of a complex ball matrix, rounded to doubles."""
    flat = [complex(float(x.real), float(x.imag)) for x in M.entries()]
    return np.array(flat).reshape(M.nrows(), M.ncols())


def reals(M: Matrix) -> Real:
    """The midpoints of a real ball matrix as a flat array of doubles."""
    return np.array([float(x) for x in M.entries()]).reshape(M.nrows(), M.ncols())


def _parts_of(z: complex) -> tuple[float, float]:
    return float(z.real), float(z.imag)


def applied(T: Matrix, G: Matrix, rho: Matrix, d: int) -> Matrix:
    """𝓛(ρ) = T(ρ) + Gρ + ρG†, (d, d)."""
    out = G * rho + rho * G.transpose().conjugate()
    flat = [
        sum((T[i * d + k, j * d + l] * rho[k, l] for k in range(d) for l in range(d)), acb(0)) + out[i, j]
        for i in range(d) for j in range(d)
    ]  # fmt: skip
    return acb_mat(d, d, flat)


def packed_matrix(T: Matrix, G: Matrix, d: int) -> Matrix:
    """The real matrix on (ρ_ii, Re ρ_ij above the diagonal, Im ρ_ij below it)."""
    t = T.entries()
    g = G.entries()
    size = d * d
    flat = [arb(0)] * (size * size)
    for i in range(d):
        for j in range(i, d):
            row = [t[(i * d + k) * size + j * d + l] for k in range(d) for l in range(d)]
            for k in range(d):
                row[k * d + j] += g[i * d + k]  # Gρ: ρ_kj
                row[i * d + k] += g[j * d + k].conjugate()  # ρG†: ρ_ik conj(G_jk)
            for k in range(d):
                for l in range(k, d):
                    a, b = row[k * d + l], row[l * d + k]
                    real, imaginary = (a, None) if k == l else (a + b, (a - b) * acb(0, 1))
                    flat[(i * d + j) * size + k * d + l] = real.real
                    if imaginary is not None:
                        flat[(i * d + j) * size + l * d + k] = imaginary.real
                    if i != j:
                        flat[(j * d + i) * size + k * d + l] = real.imag
                        if imaginary is not None:
                            flat[(j * d + i) * size + l * d + k] = imaginary.imag
    return arb_mat(size, size, flat)


def hermitian_of(v: Matrix, d: int) -> Matrix:
    """The Hermitian (d, d) matrix of a column that `packed_matrix` acts on."""
    x = v.entries()
    flat = []
    for i in range(d):
        for j in range(d):
            if i == j:
                flat.append(acb(x[i * d + i]))
            elif i < j:
                flat.append(acb(x[i * d + j], x[j * d + i]))
            else:
                flat.append(acb(x[j * d + i], -x[i * d + j]))
    return acb_mat(d, d, flat)
