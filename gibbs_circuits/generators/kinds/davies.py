"""Davies: weak coupling, secular."""

from __future__ import annotations

from typing import Annotated

from ...errors import check_real
from ...models.model import Model, bandwidth
from ...models.signatures import public
from ..baths.registry import BathLike, bath_of
from ..couplings import Couplings
from ..kernels.davies import Secular
from ..lamb_shift import SecularLamb
from ..lindbladian import DEGENERACY_TOLERANCE, Lindbladian
from .base import AnyCoherent, finite_at_zero, with_kernel


@public
def davies(
    model: Model,
    beta: float,
    couplings: Couplings = "Y",
    bath: BathLike = "ohmic",
    degeneracy_tolerance: Annotated[
        float, "frequencies closer than this × Σ|c_k| count as equal."
    ] = DEGENERACY_TOLERANCE,
    coherent: AnyCoherent = "lamb_shift",
) -> Lindbladian:
    r"""Davies' weak-coupling generator, $\alpha = \gamma(\nu)\delta_{\nu_1\nu_2}$, with the bath's Lamb shift; exact.

    Blocks of equal Bohr frequency are kept whole (partial secular). GNS and KMS detailed balanced; the Lamb shift
    $\sum_\nu S(-\nu)A_\nu^\dagger A_\nu$ commutes with H and leaves σ fixed.

    Args:
        model: Hamiltonian on n qubits.
        beta: Inverse temperature.
        couplings: Hermitian operators.
        bath: Gives γ(ν) and S(ω); a cutoff left out is 5 × the largest |coefficient| of H.
        degeneracy_tolerance: Frequencies closer than this times Σ|c_k| count as equal.
        coherent: "lamb_shift", "none", or "balance" (which matters for a wide tolerance only).

    References:
        Davies, Commun. Math. Phys. 39, 91 (1974); Breuer & Petruccione, ch. 3.
    """
    bath = finite_at_zero(bath_of(bath, beta, model), "davies")
    tolerance = check_real("degeneracy_tolerance", degeneracy_tolerance, low=0.0) * bandwidth(model)
    kernel = Secular(bath, tolerance)
    return with_kernel("davies", model, couplings, kernel, coherent, SecularLamb(kernel))
