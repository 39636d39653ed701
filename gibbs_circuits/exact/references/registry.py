"""The references, in the order in which they are tried: one line each."""

from __future__ import annotations

from ...models.model import Model
from .base import GibbsReference
from .dense import dense
from .free_fermions import free_fermions
from .matrix_product import matrix_product
from .patches import patches
from .transfer_matrix import transfer_matrix
from .typicality import typicality

REFERENCES: tuple[GibbsReference, ...] = (
    dense,
    free_fermions,
    transfer_matrix,
    matrix_product,
    typicality,
    patches,
)


def first_reference(model: Model, beta: float) -> GibbsReference | None:
    """The first reference that applies; None where none does."""
    return next((one for one in REFERENCES if one.why_not(model, beta) is None), None)


def why_none(model: Model, beta: float) -> str:
    """What each reference has against a model, in one line."""
    return "; ".join(f"{one.name.replace('_', ' ')}: {one.why_not(model, beta)}" for one in REFERENCES)
