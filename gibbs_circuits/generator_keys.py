"""[generator]: from keys to generators. One schema per kind, so that a key that a kind does not use is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from . import baths
from .baths import Bath
from .errors import ArgumentError, check_choice, check_real, shown
from .filters import Filter, GaussianFilter, MetropolisFilter
from .generators import Coherent, Lindbladian, catalogue, couplings_of
from .generators.catalogue import bandwidth
from .generators.channels import DiscreteChannel
from .models import Model
from .tables import read_filter, read_kernel
from .targets import from_validation
from .user import CustomFilter

Generator = Lindbladian | DiscreteChannel
FILTERS = ("gaussian", "metropolis", "lloyd_abanin")
BATHS: dict[str, Callable[..., Bath]] = {"ohmic": baths.ohmic, "power_law": baths.power_law}
BATH_KEYS = {"ohmic": ("strength", "cutoff"), "power_law": ("exponent", "strength", "cutoff")}
BATH_HELP = (
    'G(ω): "ohmic", {kind = "ohmic", strength = 1, cutoff = 5}, {kind = "power_law", exponent = 3}, or "file.csv".'
)


class Keys(BaseModel):
    """Keys of every kind."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)
    names: ClassVar[tuple[str, ...]] = ()
    summary: ClassVar[str] = ""
    kind: str = Field(description="which generator.", examples=["dll"])
    couplings: Any = Field(
        default="Y", description='letters put on every site ("Y", "XZ"), or a list of labels or terms.'
    )

    def build(self, model: Model, beta: float, folder: Path) -> Generator:
        """The generator."""
        raise NotImplementedError

    def operators(self, model: Model) -> Any:
        """The couplings as operators."""
        return couplings_of(self.couplings, model.num_qubits)


class BalancedKeys(Keys):
    coherent: str = Field(default="balance", description="balance: the term B that makes it exact; none: without.")

    def choice(self) -> Coherent:
        """What `coherent` says."""
        return Coherent(check_choice("coherent", self.coherent, ("balance", "none")))


class DllKeys(BalancedKeys):
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


class CkgKeys(BalancedKeys):
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
    bath: Any = Field(default="ohmic", description=BATH_HELP)
    coherent: str = Field(default="lamb_shift", description="lamb_shift: the bath's own shift of H; balance: B; none.")

    def made_bath(self, beta: float, folder: Path) -> Bath:
        """The bath, whose G(0) all kinds but scandi_alhambra need."""
        bath = make_bath(self.bath, beta, folder)
        if bath.exponent is not None and bath.exponent < 1 and self.kind != "scandi_alhambra":
            raise ArgumentError(
                "bath", f"have a finite G(0) for {self.kind}", f"its exponent is {bath.exponent:g}",
                'use an exponent >= 1, or kind = "scandi_alhambra"',
            )  # fmt: skip
        return bath

    def choice(self) -> Coherent:
        """What `coherent` says."""
        return Coherent(check_choice("coherent", self.coherent, [c.value for c in Coherent]))


class DaviesKeys(BathKeys):
    names = ("davies",)
    summary = "Davies: secular, blocks of equal Bohr frequency kept whole; exact."
    degeneracy_tolerance: float = Field(
        default=catalogue.DEGENERACY_TOLERANCE, description="frequencies closer than this × Σ|c_k| count as equal."
    )

    def build(self, model: Model, beta: float, folder: Path) -> Lindbladian:
        return catalogue.davies(
            model, self.operators(model), self.made_bath(beta, folder),
            degeneracy_tolerance=self.degeneracy_tolerance, coherent=self.choice(),
        )  # fmt: skip


class RedfieldKeys(BathKeys):
    names = ("redfield",)
    summary = "Redfield: not positive, biased by O(λ²); for comparison."

    def build(self, model: Model, beta: float, folder: Path) -> Lindbladian:
        return catalogue.redfield(model, self.operators(model), self.made_bath(beta, folder), self.choice())


class UleKeys(BathKeys):
    names = ("ule",)
    summary = 'Universal Lindblad equation (GAME): biased by O(λ²); exact with coherent = "balance".'

    def build(self, model: Model, beta: float, folder: Path) -> Lindbladian:
        return catalogue.ule(model, self.operators(model), self.made_bath(beta, folder), self.choice())


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
            model, self.operators(model), self.made_bath(beta, folder), window_of(self.window, beta),
            shifted=self.shifted, coherent=self.choice(),
        )  # fmt: skip


class ScandiAlhambraKeys(BathKeys):
    names = ("scandi_alhambra",)
    summary = "Scandi–Alhambra: coarse graining in KMS form, exact at every window, Davies as it widens."
    coherent: str = Field(default="balance", description="balance: the term B that makes it exact; lamb_shift; none.")
    window: float | None = Field(default=None, examples=[1.0], description="T > 0; β if left out.")

    def build(self, model: Model, beta: float, folder: Path) -> Lindbladian:
        bath = self.made_bath(beta, folder)
        return catalogue.scandi_alhambra(
            model, self.operators(model), bath, window_of(self.window, beta), self.choice()
        )


class CustomKeys(BalancedKeys):
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
WRAPPERS = {
    "discrete": "exact channel at finite step, of the transition part of `inside`; step = 0.5",
    "local": "each site alone, by `inside`; for contrast",
}


def make_generator(
    model: Model, beta: float | None, keys: Mapping[str, Any], file: Path | None = None, section: str = "generator"
) -> tuple[Generator, dict[str, Any]]:
    """A generator from its keys, and the keys with defaults filled in.

    Args:
        model: What is thermalised.
        beta: None when every contact has its own.
        keys: `kind` and what it takes; or `contacts`, one mapping each.
        file: Named in complaints; paths resolve against its folder.
        section: Where the keys stand in that file.

    Raises:
        ArgumentError: If a name is unknown, a key unused or a value out of range.
    """
    try:
        if "contacts" in keys:
            return _several(model, keys, file)
        if beta is None:
            raise ArgumentError("beta", "be given in [model]", "it is missing", "add beta = 1.0 to [model]")
        return _one(model, beta, dict(keys), file)
    except ArgumentError as error:
        raise (error if file is None else error.located(file, section)) from None


def _one(model: Model, beta: float, keys: dict[str, Any], file: Path | None) -> tuple[Generator, dict[str, Any]]:
    folder = file.parent if file is not None else Path()
    kind = check_choice("kind", keys.setdefault("kind", "dll"), [*KINDS, *WRAPPERS])
    if kind in WRAPPERS:
        return _wrapped(kind, model, beta, keys, file)
    schema = KINDS[kind]
    try:
        checked = schema.model_validate({**keys, "kind": schema.names[0]})
    except ValidationError as error:
        found = from_validation(error, schema, file or Path())
        raise ArgumentError(found.argument, found.rule, found.found, found.fix) from None
    return checked.build(model, beta, folder), _plain(checked.model_dump(exclude_none=True))


def _wrapped(
    kind: str, model: Model, beta: float, keys: dict[str, Any], file: Path | None
) -> tuple[Generator, dict[str, Any]]:
    rest = {key: value for key, value in keys.items() if key not in ("kind", "inside", "step")}
    inside = check_choice("inside", keys.get("inside", "dll"), KINDS)
    if kind == "local":
        if "step" in keys:
            raise ArgumentError("step", "be left out for local", "it is unused there", "remove step")
        filled: dict[str, Any] = {}

        def alone(single: Model) -> Lindbladian:
            made, used = _one(single, beta, {**rest, "kind": inside}, file)
            filled.update(used)
            assert isinstance(made, Lindbladian)
            return made

        generator: Generator = catalogue.local(model, alone)
        return generator, {**filled, "kind": kind, "inside": filled["kind"]}
    made, filled = _one(model, beta, {**rest, "kind": inside}, file)
    assert isinstance(made, Lindbladian)
    step = check_real("step", keys.get("step", 0.5), low=0.0, above=True)
    return DiscreteChannel(made, step), {**filled, "kind": kind, "inside": filled["kind"], "step": step}


def _several(model: Model, keys: Mapping[str, Any], file: Path | None) -> tuple[Generator, dict[str, Any]]:
    for key in keys:
        if key != "contacts":
            raise ArgumentError(key, "be inside the contacts", "it stands beside them", f"move {key} into each contact")
    contacts = keys["contacts"]
    if not isinstance(contacts, list | tuple) or not contacts or not all(isinstance(c, Mapping) for c in contacts):
        raise ArgumentError(
            "contacts", "be a list of tables", f"{shown(contacts)} was found", "write [[generator.contacts]]"
        )
    parts, filled = [], []
    for index, contact in enumerate(contacts):
        try:
            rest = {key: value for key, value in contact.items() if key != "beta"}
            if "beta" not in contact:
                raise ArgumentError("beta", "be given", "it is missing", "add beta = 1.0")
            own = check_real("beta", contact["beta"], low=0.0)
            made, used = _one(model, own, rest, file)
            if not isinstance(made, Lindbladian) or made.frame is not None:
                raise ArgumentError(
                    "kind", "be a Lindbladian's of the whole H", f"{rest['kind']} was found", 'set kind = "dll"'
                )
        except ArgumentError as error:
            raise ArgumentError(
                f"contacts[{index}].{error.argument}", error.rule, error.found, error.fix, error.file
            ) from None
        parts.append(made)
        filled.append({**used, "beta": own})
    return catalogue.several_baths(tuple(parts)), {"contacts": filled}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Keys as a file can say them."""
    return {key: value if isinstance(value, str | int | float | bool | dict | list) else str(value)
            for key, value in values.items()}  # fmt: skip


def window_of(window: float | None, beta: float) -> float:
    """T, β if left out.

    Raises:
        ArgumentError: If it is left out at β = 0.
    """
    if window is None and beta == 0:
        raise ArgumentError("window", "be given at β = 0", "it is left out", "set window = 1.0")
    return beta if window is None else check_real("window", window, low=0.0, above=True)


def make_filter(
    filter: Any, beta: float, model: Model, folder: Path, bandwidth_S: float | None, splitting: float | None
) -> Filter:
    """A filter from a name, a file, a function of ν, or a filter itself."""
    for key, value, owner in (("bandwidth", bandwidth_S, "metropolis"), ("splitting", splitting, "lloyd_abanin")):
        if value is not None and not (isinstance(filter, str) and filter == owner):
            raise ArgumentError(key, f"be left out unless filter = {owner}", "it is unused here", f"remove {key}")
    largest = 2 * bandwidth(model)  # >= max |ν|
    match filter:
        case "gaussian":
            return GaussianFilter(beta)
        case "metropolis":
            return MetropolisFilter(beta, 2 * largest if bandwidth_S is None else bandwidth_S)
        case "lloyd_abanin":
            return GaussianFilter(beta, splitting)
        case str() | Path() if str(filter).endswith(".csv"):
            return CustomFilter(beta, read_filter(folder / filter, beta), largest, Path(filter).stem)
        case str():
            check_choice("filter", filter, [*FILTERS, "file.csv"])
        case _ if hasattr(filter, "frequency"):
            return filter  # type: ignore[no-any-return]
        case _ if callable(filter):
            return CustomFilter(beta, filter, largest)
    raise ArgumentError(
        "filter", "be a name, a .csv file or a function of ν", f"{shown(filter)} was found", 'set filter = "gaussian"'
    )


def make_bath(bath: Any, beta: float, folder: Path) -> Bath:
    """A bath from a name, a table of keys, a file, a function G(ω), or a bath itself."""
    match bath:
        case Bath():
            if bath.beta != beta:
                raise ArgumentError(
                    "bath", f"be made for the same β = {beta:g}", f"it is for {bath.beta:g}", "give both the same β"
                )
            return bath
        case str() | Path() if str(bath).endswith(".csv"):
            if not (folder / bath).is_file():
                raise ArgumentError("bath", "be a file", f"{folder / bath} does not exist", "check the path")
            return baths.read_bath(folder / bath, beta)
        case str():
            return _named_bath({"kind": bath}, beta)
        case Mapping():
            return _named_bath(bath, beta)
        case _ if callable(bath):
            return baths.from_function(beta, bath)
    raise ArgumentError(
        "bath", "be a name, {kind = …}, or a .csv file", f"{shown(bath)} was found", 'set bath = "ohmic"'
    )


def _named_bath(keys: Mapping[str, Any], beta: float) -> Bath:
    kind = check_choice("bath", keys.get("kind", "ohmic"), BATHS)
    for key in keys:
        if key not in ("kind", *BATH_KEYS[kind]):
            raise ArgumentError(
                f"bath.{key}", f"be one of kind, {', '.join(BATH_KEYS[kind])}", "it is unknown", f"remove {key}"
            )
    values = {key: check_real(f"bath.{key}", value) for key, value in keys.items() if key != "kind"}
    filled = {"strength": 1.0, "cutoff": 5.0, **values}
    if kind == "power_law" and "exponent" not in values:
        raise ArgumentError("bath.exponent", "be given for power_law", "it is missing", "add exponent = 3")
    try:
        return BATHS[kind](beta, **filled)
    except ArgumentError as error:
        name = error.argument if error.argument == "beta" else f"bath.{error.argument}"
        raise ArgumentError(name, error.rule, error.found, error.fix) from None
