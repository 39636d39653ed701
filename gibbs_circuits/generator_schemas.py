"""The keys of every kind of generator, and how each is built from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from .baths import Bath
from .errors import ArgumentError, check_choice, shown
from .generators import Coherent, Lindbladian, catalogue, couplings_of
from .generators.channels import DiscreteChannel
from .makers import make_bath, make_filter, window_of
from .models import Model
from .tables import read_kernel

Generator = Lindbladian | DiscreteChannel
BATH_HELP = (
    'G(ω): "ohmic", {kind = "ohmic", strength = 1, cutoff = 5}, {kind = "power_law", exponent = 3}, or "file.csv";'
    " a cutoff left out is 5 × the largest |coefficient| of H."
)


class Keys(BaseModel):
    """Keys of every kind."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)
    names: ClassVar[tuple[str, ...]] = ()
    summary: ClassVar[str] = ""
    coherents: ClassVar[tuple[str, ...]] = ("balance", "none")
    kind: str = Field(description="which generator.", examples=["dll"])
    couplings: Any = Field(
        default="Y", description='letters put on every site ("Y", "XZ"), or a list of labels or terms.'
    )
    coherent: str = Field(default="balance", description="balance: the term B that makes it exact; none: without.")

    def build(self, model: Model, beta: float, folder: Path) -> Generator:
        """The generator."""
        raise NotImplementedError

    def choice(self) -> Coherent:
        """What `coherent` says."""
        return Coherent(check_choice("coherent", self.coherent, self.coherents))

    def operators(self, model: Model) -> Any:
        """The couplings as operators."""
        return couplings_of(self.couplings, model.num_qubits)


class DllKeys(Keys):
    names = ("dll", "kms")
    summary = "Ding–Li–Lin (alias kms): one jump per coupling, exact detailed balance."
    filter: Any = Field(
        default="gaussian", description='f̂(ν): gaussian, metropolis, lloyd_abanin, or "file.csv" (nu, f or nu, re, im).'
    )
    bandwidth: float | None = Field(
        default=None, examples=[1.0], description="metropolis: S, 1 on |ν| <= S/2; from H if left out."
    )
    splitting: float | None = Field(default=None, examples=[1.0], description="lloyd_abanin: h > 0; 1/β if left out.")

    def build(self, model: Model, beta: float, folder: Path) -> Lindbladian:
        filter = make_filter(self.filter, beta, model, folder, self.bandwidth, self.splitting)
        return catalogue.dll(model, self.operators(model), filter, beta, self.choice())


class CkgKeys(Keys):
    names = ("ckg",)
    summary = "Chen–Kastoryano–Gilyén: a Gaussian window on energies, exact detailed balance."
    filter: str = Field(default="gaussian", description="the rate: gaussian or metropolis.")
    sigma_E: float | None = Field(default=None, examples=[1.0], description="width of the window; 1/β if left out.")
    omega_gamma: float | None = Field(
        default=None, examples=[1.0], description="gaussian: centre of the rate; 1/β if left out."
    )

    def build(self, model: Model, beta: float, folder: Path) -> Lindbladian:
        metropolis = check_choice("filter", self.filter, ("gaussian", "metropolis")) == "metropolis"
        if metropolis and self.omega_gamma is not None:
            raise ArgumentError(
                "omega_gamma", "be left out with filter = metropolis", "it is unused there", "remove omega_gamma"
            )
        return catalogue.ckg(
            model, self.operators(model), beta, metropolis=metropolis, sigma_E=self.sigma_E,
            omega_gamma=self.omega_gamma, coherent=self.choice(),
        )  # fmt: skip


class BathKeys(Keys):
    coherents = tuple(c.value for c in Coherent)
    bath: Any = Field(default="ohmic", description=BATH_HELP)
    coherent: str = Field(default="lamb_shift", description="lamb_shift: the bath's own shift of H; balance: B; none.")

    def made_bath(self, model: Model, beta: float, folder: Path) -> Bath:
        """The bath, whose G(0) all kinds but scandi_alhambra need."""
        bath = make_bath(self.bath, beta, folder, model)
        if bath.exponent is not None and bath.exponent < 1 and self.kind != "scandi_alhambra":
            raise ArgumentError(
                "bath", f"have a finite G(0) for {self.kind}", f"its exponent is {bath.exponent:g}",
                'use an exponent >= 1, or kind = "scandi_alhambra"',
            )  # fmt: skip
        return bath


class DaviesKeys(BathKeys):
    names = ("davies",)
    summary = "Davies: secular, blocks of equal Bohr frequency kept whole; exact."
    degeneracy_tolerance: float = Field(
        default=catalogue.DEGENERACY_TOLERANCE, description="frequencies closer than this × Σ|c_k| count as equal."
    )

    def build(self, model: Model, beta: float, folder: Path) -> Lindbladian:
        return catalogue.davies(
            model, self.operators(model), self.made_bath(model, beta, folder),
            degeneracy_tolerance=self.degeneracy_tolerance, coherent=self.choice(),
        )  # fmt: skip


class RedfieldKeys(BathKeys):
    names = ("redfield",)
    summary = "Redfield: not positive, biased by O(λ²); for comparison."

    def build(self, model: Model, beta: float, folder: Path) -> Lindbladian:
        return catalogue.redfield(model, self.operators(model), self.made_bath(model, beta, folder), self.choice())


class UleKeys(BathKeys):
    names = ("ule",)
    summary = 'Universal Lindblad equation (GAME): biased by O(λ²); exact with coherent = "balance".'

    def build(self, model: Model, beta: float, folder: Path) -> Lindbladian:
        return catalogue.ule(model, self.operators(model), self.made_bath(model, beta, folder), self.choice())


class CoarseGrainedKeys(BathKeys):
    names = ("coarse_grained",)
    summary = 'coarse graining over a Gaussian window: biased by O(β²/T²); exact with coherent = "balance".'
    window: float | None = Field(default=None, examples=[1.0], description="T > 0; β if left out.")
    shifted: bool | None = Field(
        default=None,
        examples=[True],
        json_schema_extra={"rule": "be true or false"},
        description="spectrum shifted to γ(ν + β/2T²); if left out, exactly with balance.",
    )

    def build(self, model: Model, beta: float, folder: Path) -> Lindbladian:
        return catalogue.coarse_grained(
            model, self.operators(model), self.made_bath(model, beta, folder), window_of(self.window, beta),
            shifted=self.shifted, coherent=self.choice(),
        )  # fmt: skip


class ScandiAlhambraKeys(BathKeys):
    names = ("scandi_alhambra",)
    summary = "Scandi–Alhambra: coarse graining in KMS form, exact at every window, Davies as it widens."
    coherent: str = Field(default="balance", description="balance: the term B that makes it exact; lamb_shift; none.")
    window: float | None = Field(default=None, examples=[1.0], description="T > 0; β if left out.")

    def build(self, model: Model, beta: float, folder: Path) -> Lindbladian:
        bath = self.made_bath(model, beta, folder)
        return catalogue.scandi_alhambra(
            model, self.operators(model), bath, window_of(self.window, beta), self.choice()
        )


class CustomKeys(Keys):
    names = ("custom",)
    summary = "your own kernel α(ν1, ν2), held to detailed balance and positivity."
    kernel: Any = Field(description='"file.csv" with columns nu1, nu2, alpha on a grid.', examples=["kernel.csv"])

    def build(self, model: Model, beta: float, folder: Path) -> Lindbladian:
        function = read_kernel(folder / self.kernel, beta) if isinstance(self.kernel, str | Path) else self.kernel
        if not callable(function):
            raise ArgumentError(
                "kernel", "be a function or a file", f"{shown(self.kernel)} was found", 'set kernel = "kernel.csv"'
            )
        return catalogue.custom(model, self.operators(model), beta, function, self.choice())


KINDS: dict[str, type[Keys]] = {
    name: schema
    for schema in (
        DllKeys, CkgKeys, DaviesKeys, UleKeys, RedfieldKeys, CoarseGrainedKeys, ScandiAlhambraKeys, CustomKeys,
    )
    for name in schema.names
}  # fmt: skip
