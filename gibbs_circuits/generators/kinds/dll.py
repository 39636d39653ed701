"""Ding, Li and Lin: one filter per jump, KMS detailed balance by a coherent term."""

from __future__ import annotations

from typing import Annotated

from ...errors import ArgumentError, check_beta
from ...models.model import Model
from ...models.signatures import public
from ..couplings import Couplings
from ..filters.registry import FilterLike, filter_of
from ..kernels.base import RankOne
from ..lindbladian import Lindbladian
from .base import BalanceOrNone, with_kernel


@public
def dll(
    model: Model,
    beta: float,
    couplings: Couplings = "Y",
    filter: FilterLike = "gaussian",
    coherent: BalanceOrNone = "balance",
    bandwidth: Annotated[float | None, "metropolis: S, 1 on |ν| <= S/2; from H if left out."] = None,
    splitting: Annotated[float | None, "lloyd_abanin: h > 0; 1/β if left out."] = None,
) -> Lindbladian:
    r"""Lindbladian in KMS detailed balance with the Gibbs state of `model`: Ding, Li & Lin's construction.

    One jump per coupling, $L_a = \sum_\nu \hat f(\nu) A^a_\nu$ with $\hat f(\nu) = q(\nu)e^{-\beta\nu/4}$ and
    q(−ν) = q(ν)*; kernel $\alpha = \hat f(\nu_1)\hat f^*(\nu_2)$, and the coherent term $B$ that makes
    $\sigma = e^{-\beta H}/Z$ an exact fixed point.

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
        ArgumentError: If an argument is out of range; InvalidModelError if a coupling is not Hermitian, is a multiple
            of the identity or has the wrong width.

    Accuracy: relative residual of σ <= 1e-12, measured for n <= 4 and β <= 10. Nothing dense is formed here.

    References:
        Ding, Li & Lin, arXiv:2404.05998; Lloyd & Abanin, PRX 16, 031053.
    """
    filter = filter_of(filter, beta, model, bandwidth=bandwidth, splitting=splitting)
    beta = check_beta(beta)
    if filter.beta != beta:
        raise ArgumentError(
            "filter", f"be made for the same β = {beta:g}", f"it is for {filter.beta:g}", "give both the same β"
        )
    return with_kernel("dll", model, couplings, RankOne(filter), coherent)


kms = dll
