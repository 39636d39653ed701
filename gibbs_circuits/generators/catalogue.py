"""The named generators, a few lines each, all through the transition kernel."""

from __future__ import annotations

from qiskit.quantum_info import SparsePauliOp

from ..errors import ArgumentError, check_beta
from ..filters import Filter
from ..kernels import RankOne
from ..models import Model
from .lindbladian import Coherent, Contact, Lindbladian


def dll(
    model: Model,
    couplings: tuple[SparsePauliOp, ...],
    filter: Filter,
    beta: float,
    coherent: Coherent = Coherent.BALANCE,
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

    Accuracy: relative residual of σ <= 1e-12 (measured, n <= 4, β <= 10). Symbolic: no matrix is formed here.

    References:
        Ding, Li & Lin, arXiv:2404.05998.
    """
    beta = check_beta(beta)
    if filter.beta != beta:
        raise ArgumentError(
            "filter", f"be made for the same β = {beta:g}", f"it is for {filter.beta:g}", "give both the same β"
        )
    contacts = tuple(Contact(A, RankOne(filter), beta) for A in couplings)
    return Lindbladian(model, contacts, coherent, kind="dll")
