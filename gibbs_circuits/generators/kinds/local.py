"""Each site alone, for contrast."""

from __future__ import annotations

from collections.abc import Callable

from qiskit.quantum_info import SparsePauliOp

from ...models.model import Model
from ..lindbladian import Lindbladian


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
