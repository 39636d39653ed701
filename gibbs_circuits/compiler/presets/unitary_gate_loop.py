"""The loop people write by hand: one dense gate per jump."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import TooLargeError, check_integer, check_real
from ...evidence import Status
from ...generators.contact import Coherent
from ...generators.couplings import couplings_of
from ...generators.filters.gaussian import GaussianFilter
from ...generators.kinds.dll import dll
from ...generators.lindbladian import Lindbladian
from ...generators.matrices import coherent_term, decay_operator, energy_spectrum, jumps
from ...limits import MAX_LOOP_GATES, MAX_LOOP_SYSTEM
from ...linalg.arrays import Array
from ...linalg.channels import exponential
from ...models.library.spin_chains import mixed_field_ising
from ...models.signatures import public
from ...programs.product_formulas import commuting_groups
from ...programs.program import ErrorTerm, Program, Rung, Stage
from ...programs.steps import Reset, Step, Unitary

NEGLIGIBLE = 1e-12  # of the rates
SOURCE = "first-order dilation: Ding, Chen & Lin, Phys. Rev. Research 6, 033147"


@public
def unitary_gate_loop(generator: Lindbladian | None = None, *, step: float = 0.1, sweeps: int = 100) -> Program:
    r"""Per step e^{−iBδ}, then for each jump $e^{-i\sqrt\delta(L\otimes|1\rangle\langle 0| + h.c.)}$ and a reset.

    Every factor is one dense unitary on all system qubits (and the ancilla), as `UnitaryGate` takes it, so the cost is
    that of unitary synthesis: about 10³ CZ a step at 3 qubits. δ = 0.1 and T = 10 are what people use. −i[H, ·] is left
    out, which costs nothing and leaves σ where it is. Error O(δ) over a fixed time.

    Args:
        generator: Default: Ding, Li & Lin's Gaussian on the 3-site mixed-field Ising chain, β = 1, Y couplings.
        step: δ.
        sweeps: Steps.

    Raises:
        TooLargeError: Above 6 qubits or 256 jumps.
        ArgumentError: If a number is out of range.

    References:
        The first-order dilation is that of Ding, Chen & Lin, Phys. Rev. Research 6, 033147; the loop is folklore.
    """
    if generator is None:
        model = mixed_field_ising(3)
        generator = dll(model, 1.0, couplings_of("Y", 3), GaussianFilter(1.0))
    step, sweeps = check_real("step", step, low=0.0, above=True), check_integer("sweeps", sweeps, low=1)
    n = generator.model.num_qubits
    if n > MAX_LOOP_SYSTEM:
        raise TooLargeError(
            f"The hand-written loop on {n} qubits has gates of {2 ** (n + 1)} × {2 ** (n + 1)}; the limit is "
            f"{MAX_LOOP_SYSTEM} qubits. Fix: use a scheme that works in the time domain."
        )
    count = len(jumps(generator))
    if count > MAX_LOOP_GATES:
        raise TooLargeError(
            f"The hand-written loop would have {count} jumps; the limit is {MAX_LOOP_GATES}. "
            "Fix: use fewer couplings or a generator with one jump per coupling."
        )
    B, dilations = loop_unitaries(generator, step)
    steps: list[Step] = [] if B is None else [Unitary(B, (), "B")]
    for number, unitary in enumerate(dilations):
        steps += [Unitary(unitary, (0,), f"L{number}", clean=True), Reset((0,))]
    knobs: dict[str, Any] = {"sweeps": sweeps, "strength": step}
    coherent = "B is one dense gate" if generator.coherent is Coherent.BALANCE else "B is not compiled"
    return Program(
        num_system=n,
        num_ancilla=1,
        groups=commuting_groups(generator.model.hamiltonian),
        stages=(Stage(tuple(steps), sweeps),),
        generator=generator,
        scheme="unitary_gate_loop",
        knobs=knobs,
        declared=(
            ErrorTerm(Rung.DILATION, None, "order 1 in strength", Status.NOT_CHECKED, SOURCE),
            ErrorTerm(Rung.COHERENT, None, coherent, Status.NOT_CHECKED, SOURCE),
        ),
        recipe="unitary_gate_loop",
        provenance=f"customary: step {step:g}",
    )


def loop_unitaries(generator: Lindbladian, step: float) -> tuple[Array | None, list[Array]]:
    """e^{−iBδ}, None where there is no B, and the dilation of every jump, the ancilla on the highest qubit."""
    s, coherent = energy_spectrum(generator), None
    if generator.coherent is Coherent.BALANCE:
        B = s.from_energy(coherent_term(generator))
        small = NEGLIGIBLE * float(np.linalg.norm(decay_operator(generator)))
        coherent = exponential(B, step) if np.linalg.norm(B) > small else None
    raising = [np.kron(np.array([[0, 0], [1, 0]]), s.from_energy(jump)) for jump in jumps(generator)]
    return coherent, [exponential(L + L.conj().T, np.sqrt(step)) for L in raising]
