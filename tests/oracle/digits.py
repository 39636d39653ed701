r"""Generators, steady states, gaps and currents in as many digits as it takes, dense, on very few qubits.

L(ρ) = −i[B, ρ] + Σ_a Σ α(ν1,ν2) A_ν1 ρ A_ν2† − ½{R, ρ}, R_ij = Σ_k conj(A_ki) A_kj α(E_k−E_j, E_k−E_i), and
B_ij = (i/2) tanh(βν_ij/4) R_ij, all in the energy basis. Numbers are mpmath's; linear systems and eigenvalues are
python-flint's where it is there, which is much faster, else mpmath's.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpc, mpf

from .kernels import Kernel, kernel, ohmic, one_sided
from .paulis import pauli

try:
    import flint
except ImportError:  # the answers are the same
    flint = None

Matrix = Any  # mpmath.matrix
Terms = tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Contact:
    """One coupling to one bath; see `kernels.kernel` for the parameters."""

    coupling: Terms
    beta: float
    kind: str = "dll"
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Setup:
    """A model and its contacts, as data."""

    terms: Terms
    contacts: tuple[Contact, ...]
    coherent: str = "balance"

    @property
    def qubits(self) -> int:
        return len(self.terms[0][0])


def every_site(letters: str, qubits: int) -> list[Terms]:
    """Couplings letter by letter, each on site 0, 1, …."""
    return [(("I" * (qubits - 1 - q) + p + "I" * q, 1.0),) for p in letters for q in range(qubits)]


@contextmanager
def digits(count: int) -> Iterator[None]:
    with mp.workdps(count):
        if flint is None:
            yield
        else:
            before, flint.ctx.dps = flint.ctx.dps, count
            try:
                yield
            finally:
                flint.ctx.dps = before


class Digits:
    """Everything about one setup; every method works at `dps` digits. Nobody changes a matrix that is handed out."""

    def __init__(self, setup: Setup, dps: int = 60) -> None:
        self.setup, self.dps, self.d = setup, dps, 2**setup.qubits
        with digits(dps):
            H = self._dense(setup.terms)
            self.E, self.V = mp.eighe(H)
            self.width = sum(abs(mpf(c)) for label, c in setup.terms if set(label) != {"I"})
            self.span = max(self.E) - min(self.E)
        self._steady: dict[bool, Matrix] = {}

    def _dense(self, terms: Sequence[tuple[str, float]]) -> Matrix:
        total = mpmath.zeros(self.d, self.d)
        for label, c in terms:
            P, c = pauli(label), mpf(c)
            for i, j in zip(*np.nonzero(P), strict=True):
                total[int(i), int(j)] += c * mpc(complex(P[i, j]))
        return total

    def nu(self, i: int, j: int) -> mpf:
        return self.E[i] - self.E[j]

    def coupling(self, terms: Terms) -> Matrix:
        A = self.V.H * self._dense(terms) * self.V
        return (A + A.H) / 2

    def kernel_of(self, contact: Contact) -> Kernel:
        return kernel(contact.kind, contact.beta, contact.parameters, self.width, self.span)

    @cached_property
    def parts(self) -> list[tuple[Matrix, Matrix]]:
        """(L, R) of every contact alone, with its coherent part, in the energy basis, row-stacked."""
        with digits(self.dps):
            return [self._part(contact) for contact in self.setup.contacts]

    def _part(self, contact: Contact) -> tuple[Matrix, Matrix]:
        A, d, beta = self.coupling(contact.coupling), self.d, mpf(contact.beta)
        L = mpmath.zeros(d * d, d * d)
        shift = mpmath.zeros(d, d)
        if contact.kind == "redfield":  # [XρA − AXρ] + h.c. with X_ij = Γ(−ν_ij) A_ij, AX = ½R + iH_LS
            cutoff = mpf(contact.parameters["cutoff"])
            strength = mpf(contact.parameters.get("strength", 1))
            gamma = one_sided(ohmic(beta, strength, cutoff), beta, cutoff)
            X = mpmath.matrix(d, d)
            for i in range(d):
                for j in range(d):
                    X[i, j] = gamma(-self.nu(i, j)) * A[i, j]
            AX = A * X
            R = AX + AX.H
            if self.setup.coherent == "lamb_shift":
                shift = (AX - AX.H) / mpc(0, 2)
            for i, j, k, l in np.ndindex(d, d, d, d):
                L[i * d + j, k * d + l] = X[i, k] * A[l, j] + A[i, k] * mp.conj(X[j, l])
        else:
            alpha = self.kernel_of(contact)
            R = mpmath.zeros(d, d)
            for i, j in np.ndindex(d, d):
                R[i, j] = mp.fsum(
                    mp.conj(A[k, i]) * A[k, j] * alpha(self.nu(k, j), self.nu(k, i))
                    for k in range(d)
                    if A[k, i] != 0 and A[k, j] != 0
                )
            if self.setup.coherent == "balance":
                for i, j in np.ndindex(d, d):
                    shift[i, j] = mpc(0, 0.5) * mp.tanh(beta * self.nu(i, j) / 4) * R[i, j]
            for i, j, k, l in np.ndindex(d, d, d, d):
                if A[i, k] != 0 and A[j, l] != 0:
                    L[i * d + j, k * d + l] = alpha(self.nu(i, k), self.nu(j, l)) * A[i, k] * mp.conj(A[j, l])
        self._add_left_right(L, mpc(0, -1) * shift - R / 2)
        return L, R

    def _add_left_right(self, L: Matrix, G: Matrix) -> None:
        """L += G · + · G†."""
        d = self.d
        for i, k, j in np.ndindex(d, d, d):
            L[i * d + j, k * d + j] += G[i, k]
            L[j * d + i, j * d + k] += mp.conj(G[i, k])

    def generator(self, hamiltonian: bool = False) -> Matrix:
        """The whole L, or −i[H, ·] + L."""
        with digits(self.dps):
            L = mpmath.zeros(self.d**2, self.d**2)
            for part, _ in self.parts:
                L += part
            if hamiltonian:
                for i, j in np.ndindex(self.d, self.d):
                    L[i * self.d + j, i * self.d + j] -= mpc(0, 1) * self.nu(i, j)
            return L

    def sigma(self, beta: float | None = None) -> Matrix:
        """e^{−βH}/Z, in the energy basis."""
        with digits(self.dps):
            b, low = mpf(self.setup.contacts[0].beta if beta is None else beta), min(self.E)
            weights = [mp.exp(-b * (E - low)) for E in self.E]
            return mp.diag([w / mp.fsum(weights) for w in weights])

    def steady_state(self, hamiltonian: bool = False) -> Matrix:
        """The one state with Lρ = 0 and Tr ρ = 1, in the energy basis."""
        if hamiltonian not in self._steady:
            self._steady[hamiltonian] = self._solved(hamiltonian)
        return self._steady[hamiltonian]

    def _solved(self, hamiltonian: bool) -> Matrix:
        with digits(self.dps):
            L, d = self.generator(hamiltonian), self.d
            for column in range(d * d):
                L[0, column] = mpf(0)
            for i in range(d):
                L[0, i * d + i] = mpf(1)
            right = mpmath.zeros(d * d, 1)
            right[0] = mpf(1)
            x = solved(L, right)
            rho = mpmath.matrix(d, d)
            for i, j in np.ndindex(d, d):
                rho[i, j] = x[i * d + j]
            return rho

    def eigenvalues(self, hamiltonian: bool = False) -> list[Any]:
        """Of L, by real part from 0 down."""
        with digits(self.dps):
            return sorted(eigenvalues(self.generator(hamiltonian)), key=lambda z: -z.real)

    def steady_states_and_gap(self, hamiltonian: bool = False) -> tuple[int, mpf]:
        """(number of zero eigenvalues, min −Re λ over the others); zero is below 10^{−dps/2} of the largest."""
        values = self.eigenvalues(hamiltonian)
        with digits(self.dps):
            zero = mpf(10) ** (-self.dps // 2) * max(abs(z) for z in values)
            rest = [-z.real for z in values if abs(z) > zero]
            return len(values) - len(rest), min(rest) if rest else mpf(0)

    def discrete_channel(self, fraction: float) -> Matrix:
        """Φ = sT + K·K†, K = (σ^½Mσ^½)^½σ^{−½}, M = 1 − sR, s = fraction/‖R‖, of a setup without coherent term."""
        with digits(self.dps):
            d, R = self.d, mpmath.zeros(self.d, self.d)
            for _, part in self.parts:
                R += part
            s = mpf(fraction) / max(mp.eighe((R + R.H) / 2, eigvals_only=True))
            p = [self.sigma()[i, i] for i in range(d)]
            M = mpmath.matrix(d, d)
            for i, j in np.ndindex(d, d):
                M[i, j] = mp.sqrt(p[i] * p[j]) * ((1 if i == j else 0) - s * R[i, j])
            values, U = mp.eighe((M + M.H) / 2)
            K = U * mp.diag([mp.sqrt(v) for v in values]) * U.H
            for i, j in np.ndindex(d, d):
                K[i, j] /= mp.sqrt(p[j])
            T = self.generator()
            self._add_left_right(T, R / 2)
            Phi = s * T
            for i, j, k, l in np.ndindex(d, d, d, d):
                Phi[i * d + j, k * d + l] += K[i, k] * mp.conj(K[j, l])
            return Phi

    def distance(self, a: Matrix, b: Matrix) -> mpf:
        """½‖a − b‖₁."""
        with digits(self.dps):
            D = a - b
            return mp.fsum(abs(x) for x in mp.eighe((D + D.H) / 2, eigvals_only=True)) / 2

    def bias(self, hamiltonian: bool = False) -> mpf:
        """Distance of the steady state from σ."""
        return self.distance(self.steady_state(hamiltonian), self.sigma())

    def energy(self, rho: Matrix) -> mpf:
        with digits(self.dps):
            return mp.fsum(mp.re(rho[i, i]) * self.E[i] for i in range(self.d))

    def heat_currents(self, rho: Matrix) -> list[mpf]:
        """Tr[H L_c(ρ)] of every contact."""
        with digits(self.dps):
            d = self.d
            x = mpmath.matrix([rho[i, j] for i, j in np.ndindex(d, d)])
            return [mp.fsum(mp.re((L * x)[i * d + i]) * self.E[i] for i in range(d)) for L, _ in self.parts]

    def thermal(self, beta: float) -> dict[str, mpf]:
        """Energy, free energy −ln Z/β, entropy, heat capacity β² Var H."""
        with digits(self.dps):
            b, low = mpf(beta), min(self.E)
            w = [mp.exp(-b * (E - low)) for E in self.E]
            Z = mp.fsum(w)
            mean = mp.fsum(p * (E - low) for p, E in zip(w, self.E, strict=True)) / Z
            square = mp.fsum(p * (E - low - mean) ** 2 for p, E in zip(w, self.E, strict=True)) / Z
            return {
                "energy": low + mean, "free_energy": low - mp.log(Z) / b, "entropy": b * mean + mp.log(Z),
                "heat_capacity": b**2 * square,
            }  # fmt: skip

    def log10_rates(self) -> tuple[float, float]:
        """log₁₀ of the largest and the smallest γ(ν_ij)|A_ij|² among the entries that are not zero."""
        found = []
        with digits(self.dps):
            for contact in self.setup.contacts:
                A = self.coupling(contact.coupling)
                size = max(abs(x) for x in A)
                alpha = None if contact.kind == "redfield" else self.kernel_of(contact)
                for i, j in np.ndindex(self.d, self.d):
                    if abs(A[i, j]) > mpf(10) ** (-self.dps // 2) * size and alpha is not None:
                        value = abs(alpha(self.nu(i, j), self.nu(i, j)))
                        if value > 0:
                            found.append(float(mp.log10(value * abs(A[i, j]) ** 2)))
        return (max(found), min(found)) if found else (0.0, 0.0)


_FOUND: dict[tuple[str, int], Digits] = {}


def exactly(setup: Setup, dps: int) -> Digits:
    """`Digits` of a setup that several tests ask about, found once."""
    return _FOUND.setdefault((repr(setup), dps), Digits(setup, dps))


def enough_digits(setup: Setup) -> int:
    """Digits in which the smallest rate, beside the largest and beside H, can be told from zero, three times over.

    Eigenvectors are as far from orthogonal as Boltzmann factors are from 1; their digits come on top.
    """
    coarse = Digits(setup, 40)
    high, low = coarse.log10_rates()
    span = float(mp.log10(coarse.span)) if coarse.span > 0 else high
    boltzmann = 0.87 * max(contact.beta for contact in setup.contacts) * float(coarse.span)
    return int(60 + boltzmann + 3 * (max(high, span) - low))


def as_numpy(M: Matrix) -> np.ndarray:
    return np.array([[complex(M[i, j]) for j in range(M.cols)] for i in range(M.rows)])


def solved(A: Matrix, b: Matrix) -> Matrix:
    if flint is None:
        return mp.lu_solve(A, b)
    x = _flint(A).solve(_flint(b), algorithm="approx")
    return mpmath.matrix([_back(x[i, 0]) for i in range(A.rows)])


def eigenvalues(A: Matrix) -> list[Any]:
    if flint is None:
        return list(mp.eig(A, left=False, right=False))
    return [_back(z) for z in _flint(A).eig(algorithm="approx")]


def _flint(A: Matrix) -> Any:
    return flint.acb_mat(A.rows, A.cols, [_acb(A[i, j]) for i, j in np.ndindex(A.rows, A.cols)])


def _acb(z: Any) -> Any:
    z = mpc(z)
    return flint.acb(flint.arb(z.real), flint.arb(z.imag))


def _back(z: Any) -> Any:
    parts = []
    for part in (z.real, z.imag):
        man, exp = part.mid().man_exp()
        parts.append(mpmath.ldexp(mpf(int(man)), int(exp)))
    return mpc(*parts)
