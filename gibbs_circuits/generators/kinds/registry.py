"""[generator]: from keys to generators. One schema per kind, so that a key that a kind does not use is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from ...errors import ArgumentError, check_choice, check_real, shown
from ...io.schema import from_validation
from ...models.model import Model
from ...models.signatures import public
from ..baths.bath import Bath
from ..baths.named import make_bath
from ..couplings import Couplings
from ..discrete import DiscreteChannel
from ..filters.base import Filter
from ..lindbladian import Lindbladian
from .base import Generator, Keys
from .ckg import CkgKeys
from .coarse_grained import CoarseGrainedKeys
from .custom import CustomKeys
from .davies import DaviesKeys
from .dll import DllKeys
from .local import local as local_generator
from .redfield import RedfieldKeys
from .scandi_alhambra import ScandiAlhambraKeys
from .several_baths import several_baths as generator_of_several_baths
from .ule import UleKeys

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
        if "bath" in KINDS[inside].model_fields:  # of the whole H: that sites are alone changes no bath
            rest["bath"] = make_bath(rest.get("bath", "ohmic"), beta, Path() if file is None else file.parent, model)

        def alone(single: Model) -> Lindbladian:
            made, used = _one(single, beta, {**rest, "kind": inside}, file)
            filled.update({**used, **({"bath": keys.get("bath", "ohmic")} if "bath" in used else {})})
            return made.lindbladian

        generator: Generator = local_generator(model, alone)
        return generator, {**filled, "kind": kind, "inside": filled["kind"]}
    made, filled = _one(model, beta, {**rest, "kind": inside}, file)
    step = check_real("step", keys.get("step", 0.5), low=0.0, above=True)
    return DiscreteChannel(made.lindbladian, step), {**filled, "kind": kind, "inside": filled["kind"], "step": step}


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
            if made.step is not None or made.local:
                raise ArgumentError(
                    "kind", "be a Lindbladian's of the whole H", f"{rest['kind']} was found", 'set kind = "dll"'
                )
        except ArgumentError as error:
            raise ArgumentError(
                f"contacts[{index}].{error.argument}", error.rule, error.found, error.fix, error.file
            ) from None
        parts.append(made.lindbladian)
        filled.append({**used, "beta": own})
    return generator_of_several_baths(tuple(parts)), {"contacts": filled}


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Keys as a file can say them."""
    return {key: value if isinstance(value, str | int | float | bool | dict | list) else str(value)
            for key, value in values.items()}  # fmt: skip


KINDS: dict[str, type[Keys]] = {
    name: schema
    for schema in (
        DllKeys, CkgKeys, DaviesKeys, UleKeys, RedfieldKeys, CoarseGrainedKeys, ScandiAlhambraKeys, CustomKeys,
    )
    for name in schema.names
}  # fmt: skip
BathLike = str | Mapping[str, Any] | Path | Bath | Callable[[float], float]
"""A bath's name, its keys ({"kind": "ohmic", "cutoff": 4}), a .csv file, a bath, or a function G(ω)."""


def _made(model: Model, beta: float | None, **keys: Any) -> Any:
    return make_generator(model, beta, {key: value for key, value in keys.items() if value is not None})[0]


@public
def dll(
    model: Model,
    beta: float,
    couplings: Couplings = "Y",
    filter: str | Path | Filter | Callable[[Any], Any] = "gaussian",
    coherent: str = "balance",
    bandwidth: float | None = None,
    splitting: float | None = None,
) -> Lindbladian:
    r"""Lindbladian in KMS detailed balance with the Gibbs state of `model`: Ding, Li & Lin's construction.

    One jump per coupling, $L_a = \sum_\nu \hat f(\nu) A^a_\nu$ with $\hat f(\nu) = q(\nu)e^{-\beta\nu/4}$,
    and the coherent term $B$ that makes $\sigma = e^{-\beta H}/Z$ an exact fixed point.

    Args:
        model: Hamiltonian on n qubits; dim = 2**n.
        beta: Inverse temperature, 1/energy, finite and >= 0.
        couplings: Pauli letters put on every site ("Y", "XZ"), or one label ("IIIX"), SparsePauliOp or list of terms
            per coupling.
        filter: "gaussian", $q = e^{-(\beta\nu)^2/8}$; "metropolis", $q = e^{-\sqrt{1+(\beta\nu)^2}/4}$ times a bump,
            which keeps mixing when β × bandwidth is large; "lloyd_abanin", $q = e^{-\beta\nu^2/8h}$; a .csv file with
            columns ν, f̂; or a function f̂ of an array of ν, refused if q(−ν) ≠ q(ν)*.
        coherent: "balance", or "none" to leave B out (a negative control).
        bandwidth: Of the Metropolis bump, S >= 2 max |ν|; from H if left out.
        splitting: h of Lloyd & Abanin's ancilla; 1/β if left out.

    Raises:
        ArgumentError: If an argument is out of range; InvalidModelError if a coupling is not Hermitian.

    Accuracy: relative residual of σ <= 1e-12, measured for n <= 4 and β <= 10. Nothing dense is formed here.

    References:
        Ding, Li & Lin, arXiv:2404.05998; Lloyd & Abanin, PRX 16, 031053.
    """
    return cast(Lindbladian, _made(
        model, beta, kind="dll", couplings=couplings, filter=filter, coherent=coherent, bandwidth=bandwidth,
        splitting=splitting,
    ))  # fmt: skip


kms = dll


@public
def ckg(
    model: Model,
    beta: float,
    couplings: Couplings = "Y",
    filter: str = "gaussian",
    sigma_E: float | None = None,
    omega_gamma: float | None = None,
    coherent: str = "balance",
) -> Lindbladian:
    """Chen, Kastoryano & Gilyén's generator, exact; `filter` "gaussian" or "metropolis", widths 1/β if left out.

    Formulas and references: `generators.catalogue.ckg`.
    """
    return cast(Lindbladian, _made(
        model, beta, kind="ckg", couplings=couplings, filter=filter, sigma_E=sigma_E, omega_gamma=omega_gamma,
        coherent=coherent,
    ))  # fmt: skip


@public
def davies(
    model: Model,
    beta: float,
    couplings: Couplings = "Y",
    bath: BathLike = "ohmic",
    degeneracy_tolerance: float = 1e-9,
    coherent: str = "lamb_shift",
) -> Lindbladian:
    """Davies' weak-coupling generator, blocks of equal Bohr frequency kept whole; exact. See `generators.catalogue`."""
    return cast(Lindbladian, _made(
        model, beta, kind="davies", couplings=couplings, bath=bath, degeneracy_tolerance=degeneracy_tolerance,
        coherent=coherent,
    ))  # fmt: skip


@public
def ule(
    model: Model, beta: float, couplings: Couplings = "Y", bath: BathLike = "ohmic", coherent: str = "lamb_shift"
) -> Lindbladian:
    """The universal Lindblad equation: biased by O(λ²), λ² the bath's strength; exact with coherent="balance"."""
    return cast(Lindbladian, _made(model, beta, kind="ule", couplings=couplings, bath=bath, coherent=coherent))


@public
def redfield(
    model: Model, beta: float, couplings: Couplings = "Y", bath: BathLike = "ohmic", coherent: str = "lamb_shift"
) -> Lindbladian:
    """The Redfield equation: not positive, biased by O(λ²); for comparison."""
    return cast(Lindbladian, _made(model, beta, kind="redfield", couplings=couplings, bath=bath, coherent=coherent))


@public
def coarse_grained(
    model: Model,
    beta: float,
    couplings: Couplings = "Y",
    bath: BathLike = "ohmic",
    window: float | None = None,
    shifted: bool | None = None,
    coherent: str = "lamb_shift",
) -> Lindbladian:
    """Coarse graining over a window T (β if left out): biased by O(β²/T²); exact with coherent="balance"."""
    return cast(Lindbladian, _made(
        model, beta, kind="coarse_grained", couplings=couplings, bath=bath, window=window, shifted=shifted,
        coherent=coherent,
    ))  # fmt: skip


@public
def scandi_alhambra(
    model: Model,
    beta: float,
    couplings: Couplings = "Y",
    bath: BathLike = "ohmic",
    window: float | None = None,
    coherent: str = "balance",
) -> Lindbladian:
    """Coarse graining in KMS form: exact at every window T (β if left out), Davies as T → ∞."""
    return cast(Lindbladian, _made(
        model, beta, kind="scandi_alhambra", couplings=couplings, bath=bath, window=window, coherent=coherent
    ))  # fmt: skip


@public
def custom(
    model: Model,
    beta: float,
    kernel: str | Path | Callable[[Any, Any], Any],
    couplings: Couplings = "Y",
    coherent: str = "balance",
) -> Lindbladian:
    """Your own kernel α(ν1, ν2), a function of two arrays or a .csv file.

    Refused, with the numbers, if it is not Hermitian, positive and in detailed balance,
    α(ν1, ν2) = α(−ν2, −ν1) e^{−β(ν1+ν2)/2}.
    """
    return cast(Lindbladian, _made(model, beta, kind="custom", couplings=couplings, kernel=kernel, coherent=coherent))


@public
def discrete(
    model: Model, beta: float, couplings: Couplings = "Y", inside: str = "dll", step: float = 0.5, **keys: Any
) -> DiscreteChannel:
    """The exact channel at finite step of Gilyén, Chen, Doriguello & Kastoryano, of the transitions of any exact kind.

    `step` in (0, 0.99] is s ‖T†(1)‖; `keys` are those of `inside`.
    """
    return cast(DiscreteChannel, _made(
        model, beta, kind="discrete", couplings=couplings, inside=inside, step=step, **keys
    ))  # fmt: skip


@public
def local(model: Model, beta: float, couplings: Couplings = "Y", inside: str = "dll", **keys: Any) -> Lindbladian:
    """Each site alone, by the generator `inside`: a product state, wrong for interacting H; kept for contrast."""
    return cast(Lindbladian, _made(model, beta, kind="local", couplings=couplings, inside=inside, **keys))


@public
def several_baths(*parts: Lindbladian) -> Lindbladian:
    """The sum of generators of one model at different β: `steady_state` gives what they settle on."""
    return generator_of_several_baths(parts)
