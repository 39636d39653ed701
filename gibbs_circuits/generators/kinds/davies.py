"""Davies: weak coupling, secular."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from ...errors import check_real
from ...models.model import Model, bandwidth
from ..baths.bath import Bath
from ..kernels.davies import Secular
from ..lamb_shift import SecularLamb
from ..lindbladian import DEGENERACY_TOLERANCE, Coherent, Lindbladian
from .base import BathKeys, Operators, _made


class DaviesKeys(BathKeys):
    names = ("davies",)
    summary = "Davies: secular, blocks of equal Bohr frequency kept whole; exact."
    degeneracy_tolerance: float = Field(
        default=DEGENERACY_TOLERANCE, description="frequencies closer than this × Σ|c_k| count as equal."
    )

    def build(self, model: Model, beta: float, folder: Path) -> Lindbladian:
        return davies(
            model, self.operators(model), self.made_bath(model, beta, folder),
            degeneracy_tolerance=self.degeneracy_tolerance, coherent=self.choice(),
        )  # fmt: skip


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
