"""Transition kernels α(ν1, ν2) in any number of digits, straight from the formulas of the literature.

α multiplies A_ν1 ρ A_ν2†, ν = E_i − E_j the energy that the system gains, γ(ν) = e^{−βν} γ(−ν).
"""

from collections.abc import Callable
from typing import Any

from mpmath import mp, mpf

Kernel = Callable[[mpf, mpf], mpf]
Number = Any


def ohmic(beta: Number, strength: Number, cutoff: Number) -> Callable[[mpf], mpf]:
    """γ(ν) = G(−ν), G(ω) = strength · ω e^{−ω²/2 cutoff²} / (1 − e^{−βω})."""

    def rate(nu: mpf) -> mpf:
        omega = -nu
        if abs(beta * omega) < mpf(10) ** (-mp.dps // 2):
            return strength / beta
        return strength * omega * mp.exp(-(omega**2) / (2 * cutoff**2)) / -mp.expm1(-beta * omega)

    return rate


def smoothed(
    rate: Callable[[mpf], mpf], beta: Number, sigma: Number, cutoff: Number, span: Number, digits: int
) -> Callable[[mpf], mpf]:
    """(rate ∗ N_σ)(m) by the trapezoid rule, which converges exponentially.

    The integrand is analytic in a strip of 2π/β, and as narrow as a Gaussian of 1/√(σ⁻² + cutoff⁻²).
    """
    decimal = digits * mp.log(10)
    narrow = 1 / mp.sqrt(1 / sigma**2 + 1 / cutoff**2)
    step = min(2 * mp.pi * narrow / mp.sqrt(2 * decimal), 4 * mp.pi**2 / (beta * decimal))
    reach = span + sigma * mp.sqrt(2 * decimal) + 2 * beta * sigma**2
    first, last = int(mp.floor(-reach / step)), int(mp.ceil(reach / step))
    nodes = [k * step for k in range(first, last + 1)]
    values = [rate(u) for u in nodes]
    norm = step / (sigma * mp.sqrt(2 * mp.pi))

    def at(m: mpf) -> mpf:
        return norm * mp.fsum(v * mp.exp(-((m - u) ** 2) / (2 * sigma**2)) for u, v in zip(nodes, values, strict=True))

    return at


def kernel(kind: str, beta: Number, parameters: dict[str, Any], width: Number, span: Number) -> Kernel:
    """The kernel of a kind.

    Args:
        kind: dll, ckg, davies, ule, coarse_grained, scandi_alhambra.
        beta: Inverse temperature.
        parameters: filter, splitting, sigma_E, omega_gamma, strength, cutoff, window, shifted.
        width: Σ|c| of H, the unit of Davies' tolerance.
        span: Largest |ν|.
    """
    beta = mpf(beta)
    given = {k: v if isinstance(v, str | bool) else mpf(v) for k, v in parameters.items() if v is not None}
    name = given.get("filter", "gaussian")
    if kind == "dll":
        if name == "metropolis":  # the bump is 1 on all Bohr frequencies
            return _rank_one(lambda nu: mp.exp(-mp.sqrt(1 + (beta * nu) ** 2) / 4 - beta * nu / 4))
        variance = beta**2 if name == "gaussian" else beta / given.get("splitting", 1 / beta)
        return _rank_one(lambda nu: mp.exp(-variance * nu**2 / 8 - beta * nu / 4))
    if kind == "ckg":
        return _ckg(beta, name, given)
    rate = ohmic(beta, given.get("strength", mpf(1)), given["cutoff"])
    if kind == "ule":
        return _rank_one(lambda nu: mp.sqrt(rate(nu)))
    if kind == "davies":
        tolerance = mpf("1e-9") * width
        return lambda x, y: mp.sqrt(rate(x) * rate(y)) if abs(x - y) <= tolerance else mpf(0)
    sigma = 1 / given.get("window", beta)
    shift, factor = mpf(0), mpf(1)
    if kind == "scandi_alhambra":
        shift, factor = beta * sigma**2 / 2, mp.exp((beta * sigma) ** 2 / 4)
    elif given.get("shifted"):
        shift = beta * sigma**2 / 2
    mean = smoothed(lambda u: rate(u + shift), beta, sigma, given["cutoff"], span, 30)
    return _windowed(lambda m: factor * mean(m), sigma)


def _rank_one(f: Callable[[mpf], mpf]) -> Kernel:
    known: dict[mpf, mpf] = {}

    def at(nu: mpf) -> mpf:
        if nu not in known:
            known[nu] = f(nu)
        return known[nu]

    return lambda x, y: at(x) * at(y)


def _windowed(mean: Callable[[mpf], mpf], sigma: mpf) -> Kernel:
    known: dict[mpf, mpf] = {}

    def alpha(x: mpf, y: mpf) -> mpf:
        m = (x + y) / 2
        key = mp.nstr(m, mp.dps // 2) if abs(m) > mpf(10) ** (-mp.dps // 2) else "0"
        if key not in known:
            known[key] = mean(m)
        return mp.exp(-((x - y) ** 2) / (8 * sigma**2)) * known[key]

    return alpha


def _ckg(beta: mpf, name: Any, given: dict[str, Any]) -> Kernel:
    s = given.get("sigma_E", 1 / beta)
    if name == "gaussian":
        omega = given.get("omega_gamma", 1 / beta)
        total = 2 * omega / beta  # σ_E² + σ_γ²
        front = mp.sqrt(total - s**2) / mp.sqrt(total)
        return _windowed(lambda m: front * mp.exp(-((m + omega) ** 2) / (2 * total)), s)
    x0, root = -beta * s**2 / 2, mp.sqrt(2) * s

    def mean(m: mpf) -> mpf:
        left = mp.erfc((m - x0) / root) / 2
        return left + mp.exp(-beta * (m - x0) + (beta * s) ** 2 / 2) * mp.erfc((x0 - m + beta * s**2) / root) / 2

    return _windowed(mean, s)


def one_sided(rate: Callable[[mpf], mpf], beta: mpf, cutoff: mpf, digits: int = 22) -> Callable[[mpf], Any]:
    """Γ(ω) = ½G(ω) + iS(ω), S(ω) = PV ∫ dx/2π G(ω − x)/x, G(ω) = γ(−ω).

    The trapezoid rule on nodes half a step away from the pole converges exponentially, to some 20 digits here.
    """
    decimal = digits * mp.log(10)
    step = min(2 * mp.pi * cutoff / mp.sqrt(2 * decimal), 4 * mp.pi**2 / (beta * decimal))
    known: dict[str, Any] = {}

    def at(omega: mpf) -> Any:
        key = mp.nstr(omega, mp.dps // 2) if abs(omega) > mpf(10) ** (-mp.dps // 2) else "0"
        if key not in known:
            with mp.workdps(digits + 6):
                reach = abs(omega) + cutoff * mp.sqrt(2 * decimal)
                nodes = [(k + mpf(0.5)) * step for k in range(int(mp.ceil(reach / step)))]
                S = step * mp.fsum((rate(x - omega) - rate(-omega - x)) / x for x in nodes) / (2 * mp.pi)
            known[key] = rate(-omega) / 2 + mp.mpc(0, 1) * S
        return known[key]

    return at
