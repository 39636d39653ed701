"""The named generators, a few lines each, all through the transition kernel.

Symbolic: no matrix is formed here. Couplings are Hermitian operators through which heat flows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from qiskit.quantum_info import SparsePauliOp

from ..baths import Bath
from ..errors import ArgumentError, check_beta, check_real, shown
from ..filters import Filter, GaussianFilter, RateFilter
from ..kernels import Kernel, RankOne, Redfield, Secular
from ..lamb import LambKernel, RedfieldLamb, SecularLamb, UniversalLamb, WindowedLamb
from ..models import Model, scale
from ..spectrum import Real
from ..user import CustomKernel
from ..windows import ckg_gaussian, ckg_metropolis
from ..windows import coarse_grained as coarse_grained_kernel
from ..windows import scandi_alhambra as scandi_alhambra_kernel
from ..windows import shifted as shifted_kernel
from .lindbladian import Coherent, Contact, Lindbladian

Operators = tuple[SparsePauliOp, ...]
DEGENERACY_TOLERANCE = 1e-9


def bandwidth(model: Model) -> float:
    """Σ|c_k| over the terms that are not the identity: at least half of max |ν|; 1 if there are none."""
    return scale.bandwidth(model.hamiltonian)


def _made(
    model: Model, couplings: Operators, kernel: Kernel, coherent: Coherent, kind: str, lamb: LambKernel | None = None
) -> Lindbladian:
    return Lindbladian(model, tuple(Contact(A, kernel, lamb) for A in couplings), coherent, kind)


def dll(
    model: Model, couplings: Operators, filter: Filter, beta: float, coherent: Coherent = Coherent.BALANCE
) -> Lindbladian:
    r"""Lindbladian in KMS detailed balance with the Gibbs state of `model`: Ding, Li & Lin's construction.

    One jump per coupling, $L_a = \sum_\nu\hat f(\nu)A^a_\nu$, kernel $\alpha = \hat f(\nu_1)\hat f^*(\nu_2)$, and the
    coherent term B that makes σ an exact fixed point.

    Args:
        model: Hamiltonian on n qubits.
        couplings: Hermitian operators through which heat flows.
        filter: With f̂(ν) = q(ν) e^{−βν/4} and q(−ν) = q(ν)*, at the same β.
        beta: Inverse temperature, >= 0.
        coherent: NONE leaves B out.

    Raises:
        InvalidModelError: If a coupling is not Hermitian, is a multiple of the identity or has the wrong width.
        ArgumentError: If β is not finite or negative, or there is no coupling.

    Accuracy: relative residual of σ <= 1e-12 (measured, n <= 4, β <= 10).

    References:
        Ding, Li & Lin, arXiv:2404.05998.
    """
    beta = check_beta(beta)
    if filter.beta != beta:
        raise ArgumentError(
            "filter", f"be made for the same β = {beta:g}", f"it is for {filter.beta:g}", "give both the same β"
        )
    return _made(model, couplings, RankOne(filter), coherent, "dll")


def ckg(
    model: Model,
    couplings: Operators,
    beta: float,
    *,
    metropolis: bool = False,
    sigma_E: float | None = None,
    omega_gamma: float | None = None,
    coherent: Coherent = Coherent.BALANCE,
) -> Lindbladian:
    r"""Chen, Kastoryano & Gilyén's generator: a Gaussian window of width σ_E on energies, rate Gaussian or Metropolis.

    $\alpha = \int\gamma(\omega)\hat f(\omega-\nu_1)\hat f(\omega-\nu_2)d\omega$. Gaussian:
    $\gamma = e^{-(\omega+\omega_\gamma)^2/2\sigma_\gamma^2}$, β = 2ω_γ/(σ_E² + σ_γ²); Metropolis:
    $\gamma = e^{-\beta\max(\omega+\beta\sigma_E^2/2, 0)}$, whose gap is about three times larger.

    Args:
        model: As for `dll`, like the next three.
        couplings: Hermitian operators.
        beta: Inverse temperature.
        coherent: NONE leaves B out.
        metropolis: The Metropolis rate.
        sigma_E: σ_E, 1/β if left out.
        omega_gamma: ω_γ of the Gaussian rate, 1/β if left out.

    Raises:
        ArgumentError: If no σ_γ fits, or only one of the widths is left to its default at β = 0.

    References:
        Chen, Kastoryano & Gilyén, arXiv:2311.09207.
    """
    beta = check_beta(beta)
    if beta == 0 and sigma_E is None and omega_gamma is None:  # the limit of 1/β: a constant
        flat = np.exp(-0.25) / np.sqrt(2) if not metropolis else float(_metropolis_at_zero())
        return _made(model, couplings, RankOne(GaussianFilter(0.0), float(flat)), coherent, "ckg")
    if beta == 0:
        raise ArgumentError(
            "sigma_E", "be left out at β = 0, where every balanced kernel of this family is flat",
            "a width was given", "remove sigma_E and omega_gamma",
        )  # fmt: skip
    beta = check_real("beta", beta, low=0.0, above=True)  # so that 1/β is a number
    sigma = 1 / beta if sigma_E is None else check_real("sigma_E", sigma_E, low=0.0, above=True)
    if metropolis:
        return _made(model, couplings, ckg_metropolis(beta, sigma), coherent, "ckg")
    omega = 1 / beta if omega_gamma is None else check_real("omega_gamma", omega_gamma, low=0.0, above=True)
    return _made(model, couplings, ckg_gaussian(beta, sigma, omega), coherent, "ckg")


def _metropolis_at_zero() -> float:
    kernel = ckg_metropolis(1e-6, 1e6)
    return float(kernel.balanced(np.zeros(1), np.zeros(1))[0].real)


def davies(
    model: Model,
    couplings: Operators,
    bath: Bath,
    *,
    degeneracy_tolerance: float = DEGENERACY_TOLERANCE,
    coherent: Coherent = Coherent.LAMB_SHIFT,
) -> Lindbladian:
    r"""Davies' weak-coupling generator, $\alpha = \gamma(\nu)\delta_{\nu_1\nu_2}$, with the bath's Lamb shift.

    Blocks of equal Bohr frequency are kept whole (partial secular). GNS and KMS detailed balanced; the Lamb shift
    $\sum_\nu S(-\nu)A_\nu^\dagger A_\nu$ commutes with H and leaves σ fixed.

    Args:
        model: Hamiltonian on n qubits.
        couplings: Hermitian operators.
        bath: Gives γ(ν) and S(ω); a cutoff left out is 5 × the largest |coefficient| of H.
        degeneracy_tolerance: Frequencies closer than this times Σ|c_k| count as equal.
        coherent: LAMB_SHIFT, NONE, or BALANCE (which matters for a wide tolerance only).

    References:
        Davies, Commun. Math. Phys. 39, 91 (1974); Breuer & Petruccione, ch. 3.
    """
    bath = bath.for_model(model)
    tolerance = check_real("degeneracy_tolerance", degeneracy_tolerance, low=0.0) * bandwidth(model)
    kernel = Secular(bath, tolerance)
    return _made(model, couplings, kernel, coherent, "davies", SecularLamb(kernel))


def redfield(model: Model, couplings: Operators, bath: Bath, coherent: Coherent = Coherent.LAMB_SHIFT) -> Lindbladian:
    """The Redfield equation: not completely positive, biased by O(λ²); kept for comparison.

    References:
        Redfield, IBM J. 1, 19 (1957); Breuer & Petruccione, ch. 3.
    """
    if coherent is Coherent.BALANCE:
        raise ArgumentError(
            "coherent", "be lamb_shift or none for redfield", "its kernel is not positive, so B cannot balance it",
            'use kind = "ule" with coherent = "balance"',
        )  # fmt: skip
    bath = bath.for_model(model)
    kernel = Redfield(bath)
    return _made(model, couplings, kernel, coherent, "redfield", RedfieldLamb(kernel))


def ule(model: Model, couplings: Operators, bath: Bath, coherent: Coherent = Coherent.LAMB_SHIFT) -> Lindbladian:
    r"""The universal Lindblad equation, $\alpha = \sqrt{\gamma(\nu_1)\gamma(\nu_2)}$ (GAME is the same kernel).

    With the bath's Lamb shift biased by O(λ²); with BALANCE σ is exact: any physical bath gives an exact sampler.

    References:
        Nathan & Rudner, PRB 102, 115109; Davidović, Quantum 4, 326 (GAME).
    """
    bath = bath.for_model(model)
    return _made(model, couplings, RankOne(RateFilter(bath)), coherent, "ule", UniversalLamb(bath))


def coarse_grained(
    model: Model,
    couplings: Operators,
    bath: Bath,
    window: float,
    *,
    shifted: bool | None = None,
    coherent: Coherent = Coherent.LAMB_SHIFT,
) -> Lindbladian:
    r"""Coarse graining over a Gaussian time window T: $e^{-(\nu_1-\nu_2)^2T^2/8}(\gamma * N_{1/T})((\nu_1+\nu_2)/2)$.

    Biased by O(β²/T²) whatever the coupling strength; with BALANCE and the shifted spectrum γ(ν + β/2T²) exact.

    Args:
        model: Hamiltonian on n qubits.
        couplings: Hermitian operators.
        bath: Gives γ(ν) and S(ω); a cutoff left out is 5 × the largest |coefficient| of H.
        window: T > 0.
        shifted: Whether the spectrum is shifted; if left out, exactly when `coherent` is BALANCE. The Lamb shift
            stays that of the bath.
        coherent: LAMB_SHIFT, BALANCE or NONE.

    References:
        Schaller & Brandes, PRA 78, 022106; for the shift Scandi & Alhambra, arXiv:2505.20064.
    """
    bath = bath.for_model(model)
    moved = coherent is Coherent.BALANCE if shifted is None else shifted
    kernel = (shifted_kernel if moved else coarse_grained_kernel)(bath, window)
    return _made(model, couplings, kernel, coherent, "coarse_grained", WindowedLamb(bath, kernel.sigma))


def scandi_alhambra(
    model: Model, couplings: Operators, bath: Bath, window: float, coherent: Coherent = Coherent.BALANCE
) -> Lindbladian:
    r"""Coarse graining in KMS form: γ(ν) → e^{β²/4T²} γ(ν + β/2T²), with B; exact at every T, Davies as T → ∞.

    References:
        Scandi & Alhambra, arXiv:2505.20064 (our reconstruction of the KMS form).
    """
    bath = bath.for_model(model)
    kernel = scandi_alhambra_kernel(bath, window)
    return _made(model, couplings, kernel, coherent, "scandi_alhambra", WindowedLamb(bath, kernel.sigma))


def custom(
    model: Model,
    couplings: Operators,
    beta: float,
    kernel: Callable[[Real, Real], NDArray[np.generic]],
    coherent: Coherent = Coherent.BALANCE,
) -> Lindbladian:
    """A generator from the user's own kernel α(ν1, ν2); refused with the numbers if it is not balanced and positive."""
    return _made(model, couplings, CustomKernel(check_beta(beta), kernel, 2 * bandwidth(model)), coherent, "custom")


def local(model: Model, inside: Callable[[Model], Lindbladian]) -> Lindbladian:
    """A generator made as if each site were alone: of the single-site terms of H. Kept for contrast.

    Its steady state is the product of local Gibbs states: wrong for interacting H.

    Args:
        model: The interacting model.
        inside: Makes a generator of any kind for a model.
    """
    single = [(label, c) for label, c in model.terms if len(label) - label.count("I") <= 1]
    alone = Model(SparsePauliOp.from_list(single or [("I" * model.num_qubits, 0.0)]), f"{model.name}, sites alone")
    made = inside(alone)
    return Lindbladian(model, made.contacts, made.coherent, "local", frame=alone)


def several_baths(parts: tuple[Lindbladian, ...]) -> Lindbladian:
    """The sum of generators of one model, each with its own β: a non-equilibrium steady state.

    Raises:
        ArgumentError: If the models or the coherent parts differ.
    """
    if not parts:
        raise ArgumentError("contacts", "hold at least one generator", "there is none", "pass gc.dll(model, 1.0)")
    for part in parts:
        if not isinstance(part, Lindbladian) or part.frame is not None:
            raise ArgumentError(
                "contacts", "be Lindbladians of the whole H", f"{shown(part)} was found", 'use kind = "dll"'
            )
    first = parts[0]
    if any(part.model is not first.model for part in parts):
        raise ArgumentError("contacts", "share one model", "several were found", "build all of them from one Model")
    if any(part.coherent is not first.coherent for part in parts):
        found = ", ".join(sorted({part.coherent.value for part in parts}))
        raise ArgumentError(
            "contacts", "have the same coherent part", f"{found} were found", 'set coherent = "balance" in all'
        )
    contacts = tuple(replace(contact, bath=k) for k, part in enumerate(parts) for contact in part.contacts)
    kinds = sorted({part.kind for part in parts})
    return Lindbladian(first.model, contacts, first.coherent, "+".join(kinds), frame=first.frame)
