"""Several baths, each with its own temperature."""

from __future__ import annotations

from dataclasses import replace

from ...errors import ArgumentError, shown
from ...models.signatures import public
from ..lindbladian import Lindbladian


@public
def several_baths(*parts: Lindbladian) -> Lindbladian:
    """The sum of generators of one model, each with its own β: `steady_state` gives what they settle on.

    Raises:
        ArgumentError: If the models or the coherent parts differ.
    """
    if not parts:
        raise ArgumentError("contacts", "hold at least one generator", "there is none", "pass gc.dll(model, 1.0)")
    for part in parts:
        if part.step is not None or part.local:
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
    return Lindbladian(first.model, contacts, first.coherent, "+".join(kinds))
