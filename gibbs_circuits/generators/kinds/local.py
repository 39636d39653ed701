"""Each site alone, for contrast."""

from __future__ import annotations

from typing import Any

from qiskit.quantum_info import SparsePauliOp

from ...models.model import Model
from ...models.signatures import public
from ..baths.registry import bath_of
from ..couplings import Couplings
from ..lindbladian import Lindbladian
from .registry import KINDS, generator_inside


@public
def local(model: Model, beta: float, couplings: Couplings = "Y", inside: str = "dll", **keys: Any) -> Lindbladian:
    """A generator made as if each site were alone, by the kind `inside`, of the single-site terms of H.

    Its steady state is the product of local Gibbs states: wrong for interacting H; kept for contrast. `keys` are those
    of `inside`; its bath is that of the whole H.
    """
    single = [(label, c) for label, c in model.terms if len(label) - label.count("I") <= 1]
    alone = Model(SparsePauliOp.from_list(single or [("I" * model.num_qubits, 0.0)]), f"{model.name}, sites alone")
    if inside in KINDS and "bath" in KINDS[inside].keys:  # that sites are alone changes no bath
        keys["bath"] = bath_of(keys.get("bath", KINDS[inside].keys["bath"].default), beta, model)
    made = generator_inside(inside, alone, beta, couplings=couplings, **keys)
    return Lindbladian(model, made.contacts, made.coherent, "local", frame=alone)
