"""Every kind of generator from what users write: names, files, functions, or the objects themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from .baths import Bath
from .filters import Filter
from .generator_keys import make_generator
from .generators import Couplings, Lindbladian, catalogue
from .generators.channels import DiscreteChannel
from .models import Model
from .signatures import public

BathLike = str | Mapping[str, Any] | Path | Bath | Callable[[float], float]
"""A bath's name, its keys ({"kind": "ohmic", "cutoff": 4}), a .csv file, a bath, or a function G(ω)."""


def _made(model: Model, beta: float | None, **keys: Any) -> Any:
    return make_generator(model, beta, {key: value for key, value in keys.items() if value is not None})[0]


@public
def dll(
    model: Model,
    beta: float,
    couplings: Couplings = "Y",
    filter: str | Path | Filter | Callable[[Any], Any] = "gaussian",
    coherent: str = "balance",
    bandwidth: float | None = None,
    splitting: float | None = None,
) -> Lindbladian:
    r"""Lindbladian in KMS detailed balance with the Gibbs state of `model`: Ding, Li & Lin's construction.

    One jump per coupling, $L_a = \sum_\nu \hat f(\nu) A^a_\nu$ with $\hat f(\nu) = q(\nu)e^{-\beta\nu/4}$,
    and the coherent term $B$ that makes $\sigma = e^{-\beta H}/Z$ an exact fixed point.

    Args:
        model: Hamiltonian on n qubits; dim = 2**n.
        beta: Inverse temperature, 1/energy, finite and >= 0.
        couplings: Pauli letters put on every site ("Y", "XZ"), or one label ("IIIX"), SparsePauliOp or list of terms
            per coupling.
        filter: "gaussian", $q = e^{-(\beta\nu)^2/8}$; "metropolis", $q = e^{-\sqrt{1+(\beta\nu)^2}/4}$ times a bump,
            which keeps mixing when β × bandwidth is large; "lloyd_abanin", $q = e^{-\beta\nu^2/8h}$; a .csv file with
            columns ν, f̂; or a function f̂ of an array of ν, refused if q(−ν) ≠ q(ν)*.
        coherent: "balance", or "none" to leave B out (a negative control).
        bandwidth: Of the Metropolis bump, S >= 2 max |ν|; from H if left out.
        splitting: h of Lloyd & Abanin's ancilla; 1/β if left out.

    Raises:
        ArgumentError: If an argument is out of range; InvalidModelError if a coupling is not Hermitian.

    Accuracy: relative residual of σ <= 1e-12, measured for n <= 4 and β <= 10. Nothing dense is formed here.

    References:
        Ding, Li & Lin, arXiv:2404.05998; Lloyd & Abanin, PRX 16, 031053.
    """
    return cast(Lindbladian, _made(
        model, beta, kind="dll", couplings=couplings, filter=filter, coherent=coherent, bandwidth=bandwidth,
        splitting=splitting,
    ))  # fmt: skip


kms = dll


@public
def ckg(
    model: Model,
    beta: float,
    couplings: Couplings = "Y",
    filter: str = "gaussian",
    sigma_E: float | None = None,
    omega_gamma: float | None = None,
    coherent: str = "balance",
) -> Lindbladian:
    """Chen, Kastoryano & Gilyén's generator, exact; `filter` "gaussian" or "metropolis", widths 1/β if left out.

    Formulas and references: `generators.catalogue.ckg`.
    """
    return cast(Lindbladian, _made(
        model, beta, kind="ckg", couplings=couplings, filter=filter, sigma_E=sigma_E, omega_gamma=omega_gamma,
        coherent=coherent,
    ))  # fmt: skip


@public
def davies(
    model: Model,
    beta: float,
    couplings: Couplings = "Y",
    bath: BathLike = "ohmic",
    degeneracy_tolerance: float = 1e-9,
    coherent: str = "lamb_shift",
) -> Lindbladian:
    """Davies' weak-coupling generator, blocks of equal Bohr frequency kept whole; exact. See `generators.catalogue`."""
    return cast(Lindbladian, _made(
        model, beta, kind="davies", couplings=couplings, bath=bath, degeneracy_tolerance=degeneracy_tolerance,
        coherent=coherent,
    ))  # fmt: skip


@public
def ule(
    model: Model, beta: float, couplings: Couplings = "Y", bath: BathLike = "ohmic", coherent: str = "lamb_shift"
) -> Lindbladian:
    """The universal Lindblad equation: biased by O(λ²), λ² the bath's strength; exact with coherent="balance"."""
    return cast(Lindbladian, _made(model, beta, kind="ule", couplings=couplings, bath=bath, coherent=coherent))


@public
def redfield(
    model: Model, beta: float, couplings: Couplings = "Y", bath: BathLike = "ohmic", coherent: str = "lamb_shift"
) -> Lindbladian:
    """The Redfield equation: not positive, biased by O(λ²); for comparison."""
    return cast(Lindbladian, _made(model, beta, kind="redfield", couplings=couplings, bath=bath, coherent=coherent))


@public
def coarse_grained(
    model: Model,
    beta: float,
    couplings: Couplings = "Y",
    bath: BathLike = "ohmic",
    window: float | None = None,
    shifted: bool | None = None,
    coherent: str = "lamb_shift",
) -> Lindbladian:
    """Coarse graining over a window T (β if left out): biased by O(β²/T²); exact with coherent="balance"."""
    return cast(Lindbladian, _made(
        model, beta, kind="coarse_grained", couplings=couplings, bath=bath, window=window, shifted=shifted,
        coherent=coherent,
    ))  # fmt: skip


@public
def scandi_alhambra(
    model: Model,
    beta: float,
    couplings: Couplings = "Y",
    bath: BathLike = "ohmic",
    window: float | None = None,
    coherent: str = "balance",
) -> Lindbladian:
    """Coarse graining in KMS form: exact at every window T (β if left out), Davies as T → ∞."""
    return cast(Lindbladian, _made(
        model, beta, kind="scandi_alhambra", couplings=couplings, bath=bath, window=window, coherent=coherent
    ))  # fmt: skip


@public
def custom(
    model: Model,
    beta: float,
    kernel: str | Path | Callable[[Any, Any], Any],
    couplings: Couplings = "Y",
    coherent: str = "balance",
) -> Lindbladian:
    """Your own kernel α(ν1, ν2), a function of two arrays or a .csv file.

    Refused, with the numbers, if it is not Hermitian, positive and in detailed balance,
    α(ν1, ν2) = α(−ν2, −ν1) e^{−β(ν1+ν2)/2}.
    """
    return cast(Lindbladian, _made(model, beta, kind="custom", couplings=couplings, kernel=kernel, coherent=coherent))


@public
def discrete(
    model: Model, beta: float, couplings: Couplings = "Y", inside: str = "dll", step: float = 0.5, **keys: Any
) -> DiscreteChannel:
    """The exact channel at finite step of Gilyén, Chen, Doriguello & Kastoryano, of the transitions of any exact kind.

    `step` in (0, 0.99] is s ‖T†(1)‖; `keys` are those of `inside`.
    """
    return cast(DiscreteChannel, _made(
        model, beta, kind="discrete", couplings=couplings, inside=inside, step=step, **keys
    ))  # fmt: skip


@public
def local(model: Model, beta: float, couplings: Couplings = "Y", inside: str = "dll", **keys: Any) -> Lindbladian:
    """Each site alone, by the generator `inside`: a product state, wrong for interacting H; kept for contrast."""
    return cast(Lindbladian, _made(model, beta, kind="local", couplings=couplings, inside=inside, **keys))


@public
def several_baths(*parts: Lindbladian) -> Lindbladian:
    """The sum of generators of one model at different β: `steady_state` gives what they settle on."""
    return catalogue.several_baths(parts)


__all__ = [
    "BathLike", "ckg", "coarse_grained", "custom", "davies", "discrete", "dll", "kms", "local", "redfield",
    "scandi_alhambra", "several_baths", "ule",
]  # fmt: skip
