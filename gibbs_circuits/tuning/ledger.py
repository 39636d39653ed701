"""Each rung moved alone and measured on the exact channel: where the distance comes from."""

from __future__ import annotations

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from ..compiler import ErrorTerm, Program, Rung, Status
from ..exact.steady import stationary_state
from ..generators import Coherent, Lindbladian
from ..generators.matrices import superoperator
from ..models import Model
from ..readings import fixed_point, states_after_sweeps, sweep_channel
from ..readings.channel import MAX_CHANNEL_QUBITS
from ..spectrum import Array, gibbs_state, spectrum, trace_distance
from .variants import exactly_evolved, finely_gridded, free_time

UNIT = "trace_distance"


def ledger(program: Program, start: Array) -> tuple[ErrorTerm, ...]:
    """Trace distances between fixed points that differ in one rung only, and what finite sweeps leave over.

    Args:
        program: Measured up to 5 system qubits; above, the declared terms are returned as they are.
        start: Density matrix the sweeps begin from.

    The lines need not add up to the total: trace distances obey a triangle inequality, errors can cancel.
    """
    if program.num_system > MAX_CHANNEL_QUBITS:
        return program.declared
    sigma = gibbs_state(program.generator.model, program.generator.beta)
    actual = fixed_point(sweep_channel(program))
    exact = exactly_evolved(program)
    evolved = fixed_point(sweep_channel(exact))
    gridded = fixed_point(sweep_channel(finely_gridded(exact)))
    truncated = _gibbs_of_groups(program)
    weak = weak_coupling_state(program, truncated=truncated is not None)
    last = states_after_sweeps(program, start)[-1]

    def row(rung: Rung, a: Array, b: Array, source: str) -> ErrorTerm:
        return ErrorTerm(rung, trace_distance(a, b), UNIT, Status.MEASURED, source)

    reference = sigma if truncated is None else truncated
    rows = [
        row(Rung.QUADRATURE, evolved, gridded, "fixed points with these nodes and with a fine, wide grid"),
        row(Rung.DILATION, gridded, weak, "fixed point on the fine grid against the weak-coupling steady state"),
        row(Rung.COHERENT, weak, reference, "steady state of the generator without B, with H, against the Gibbs state"),
        row(Rung.TROTTER, actual, evolved, "fixed points with product formula and with exact evolution"),
        row(Rung.MIXING, last, actual, f"state after {program.sweeps} sweeps against the fixed point"),
    ]
    if truncated is not None:
        rows.append(row(Rung.TRUNCATION, truncated, sigma, "Gibbs states of the evolved and of the full Hamiltonian"))
    return tuple(rows)


def _evolved_model(program: Program) -> Model:
    terms = [term for group in program.groups for term in group.terms] or [("I" * program.num_system, 0.0)]
    return Model(SparsePauliOp.from_list(terms), f"{program.generator.model.name}, evolved part")


def _gibbs_of_groups(program: Program) -> Array | None:
    """The Gibbs state of what is evolved under; None when nothing was truncated."""
    if not program.knobs.get("truncation"):
        return None
    return gibbs_state(_evolved_model(program), program.generator.beta)


def weak_coupling_state(program: Program, *, truncated: bool = False) -> Array:
    r"""Steady state of $-i\,T[H,\cdot] + \delta(\mathcal L + i[B,\cdot])$, T the free time of a sweep.

    What the sweep tends to at weak coupling without B: the bias that leaving B out causes.
    """
    generator = program.lindbladian
    if truncated:
        generator = Lindbladian(_evolved_model(program), generator.contacts, generator.coherent, generator.kind)
    bare = Lindbladian(generator.model, generator.contacts, Coherent.NONE, generator.kind)
    s = spectrum(generator.model)
    d = s.dim
    L = float(program.knobs["strength"]) * superoperator(bare)
    H = np.diag(s.energies)
    one = np.eye(d)
    L = L - 1j * free_time(program) * (np.kron(one, H) - np.kron(H, one))
    return s.from_energy(stationary_state(L))
