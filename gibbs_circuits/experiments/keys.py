"""Keys of an experiment file's sections."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ..backends.runs.request import DEFAULT_REALISATIONS
from ..limits import MAX_EFFORT, MAX_STATE_SITES, MAX_TIME_BUDGET
from ..search.clock import EFFORT, TIME_BUDGET


class CompileKeys(BaseModel):
    """[compile]: keys every scheme has, besides its own knobs."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)
    scheme: str = Field(default="parallel", description="how jumps become circuits: gibbs-circuits compile --help.")
    target_error: float = Field(
        default=0.10, gt=0, le=1, allow_inf_nan=False, description="trace distance that still agrees."
    )
    effort: float = Field(
        default=EFFORT, gt=0, le=MAX_EFFORT, allow_inf_nan=False, description="how hard is searched, in steps of about "
        "60 s of a quiet core: what is found depends on it and the seed alone, unless time runs out.",
    )  # fmt: skip
    time_budget: float = Field(
        default=TIME_BUDGET, gt=0, le=MAX_TIME_BUDGET, allow_inf_nan=False, examples=[300.0],
        description="seconds after which a search or synthesis is cut off, > 0.",
    )  # fmt: skip


class RunKeys(BaseModel):
    """[run]: where, how often, from where."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    backend: str | None = Field(
        default=None,
        examples=["aer_density_matrix"],
        description=f"a packaged target's name or a .toml file; left out: aer_density_matrix up to {MAX_STATE_SITES} "
        "sites, above aer_mps with shots and backward (exact values, no gate errors) without.",
    )
    shots: int = Field(default=0, ge=0, le=10**9, description="per measurement basis; 0 = exact expectation values.")
    seed: int = Field(default=1, ge=0, le=2**63 - 1, description="fixes everything random.")
    initial: str = Field(default="zero", description="zero, one, mixed, a bit string, or a .qasm file.")
    ancilla_policy: Literal["automatic", "reset", "fresh", "recorded"] = Field(
        default="automatic",
        description="what becomes of used ancillas: reset, replaced by fresh ones (one per reset), or measured and "
        "recorded before the reset; automatic: reset where the target can, else fresh.",
    )
    realisations: int | None = Field(
        default=None,
        ge=1,
        le=10**5,
        examples=[DEFAULT_REALISATIONS],
        description=f"draws of the random steps the result is the mean over; left out: {DEFAULT_REALISATIONS}, and 1 on"
        " a simulator where a program has no random step.",
    )
