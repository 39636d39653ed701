"""The exact layer beside QuTiP, in one run: gaps, steady states, evolution, growth with size, cost of one application.

    python benchmarks/exact.py            # about ten minutes on two cores
    python benchmarks/exact.py --slow     # with 11 qubits, and QuTiP at 6

Test model: mixed-field Ising chain, XZ couplings on every site, β = 1. Times are wall-clock, each in a process of its
own with cold caches, imports left out; the peak memory is that of the whole process. QuTiP is given the same task in
the way its documentation does it. Every figure is checked against the other side's before its time counts.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import qutip
import scipy.sparse
from rich.console import Console
from rich.table import Table

import gibbs_circuits as gc
from gibbs_circuits.exact.spectral_gap.symmetry_blocks import hermitised_blocks

BETA, LETTERS, TIME = 1.0, "XZ", 10.0
LIMIT = 600  # seconds QuTiP may take


def ising(n: int) -> gc.Model:
    """The test model."""
    return gc.models.mixed_field_ising(n)


def qutip_operators(n: int) -> tuple[qutip.Qobj, list[qutip.Qobj]]:
    """H and the couplings as QuTiP holds them: dims 2 × … × 2, the last factor being qubit 0."""
    dims = [[2] * n, [2] * n]

    def made(operator: Any) -> qutip.Qobj:
        return qutip.Qobj(operator.to_matrix(), dims=dims)

    return made(ising(n).hamiltonian), [made(c.coupling) for c in gc.dll(ising(n), BETA, LETTERS).contacts]


def rate(w: float) -> float:
    """Ohmic bath, cutoff 5: G(ω). QuTiP recognises the argument by its name."""
    return (w / (1 - np.exp(-BETA * w)) if abs(w) > 1e-12 else 1 / BETA) * np.exp(-(w**2) / 50)


def bohr_components(H: qutip.Qobj, A: qutip.Qobj) -> list[tuple[float, qutip.Qobj]]:
    """(ν, A_ν) in the energy basis, frequencies equal to 1e-9 joined."""
    energies, states = H.eigenstates()
    inside = A.transform(states).full()
    nu = np.round(energies[:, None] - energies[None, :], 9)
    parts = ((float(v), scipy.sparse.csr_matrix(np.where(nu == v, inside, 0))) for v in np.unique(nu))
    return [(v, qutip.Qobj(part, dims=H.dims)) for v, part in parts if part.nnz]


def qutip_davies(n: int) -> dict[str, float]:
    """Davies by its definition: one collapse operator per coupling and Bohr frequency."""
    H, couplings = qutip_operators(n)
    total = 0
    for A in couplings:
        for nu, part in bohr_components(H, A):
            total = total + qutip.lindblad_dissipator(np.sqrt(rate(-nu)) * part)
    return qutip_finish(total)


def qutip_dll(n: int) -> dict[str, float]:
    """Ding–Li–Lin with the matrices a reader of the paper writes: filtered couplings and B as dense operators."""
    H, couplings = qutip_operators(n)
    energies, states = H.eigenstates()
    nu = energies[:, None] - energies[None, :]
    f = np.exp(-((BETA * nu) ** 2) / 8 - BETA * nu / 4)
    jumps = [qutip.Qobj(f * A.transform(states).full(), dims=H.dims) for A in couplings]
    R = sum(L.dag() * L for L in jumps)
    B = qutip.Qobj(0.5j * np.tanh(BETA * nu / 4) * R.full(), dims=H.dims)
    return qutip_finish(qutip.liouvillian(B, jumps))


def qutip_finish(L: qutip.Qobj) -> dict[str, float]:
    """Steady state and gap of a Liouvillian, by QuTiP."""
    rho = qutip.steadystate(L)
    values = np.sort(-L.eigenenergies().real)
    return {"gap": float(values[1]), "purity": float(rho.purity())}


def ours(kind: Callable[..., Any], n: int) -> dict[str, float]:
    """The same task by the package: H and couplings in, gap and steady state out."""
    generator = kind(ising(n), BETA, LETTERS)
    found = gc.spectral_gap(generator)
    rho = gc.steady_state(generator, hamiltonian=False)
    assert found is not None
    return {"gap": found.value, "purity": float(np.real(np.vdot(rho, rho))), "resolution": found.resolution}


def redfield_tensor(n: int) -> dict[str, float]:
    """QuTiP's own shortcut, the Bloch–Redfield tensor with its secular cut-off."""
    H, couplings = qutip_operators(n)
    R = qutip.bloch_redfield_tensor(H, [[A, rate] for A in couplings], sec_cutoff=1e-9, fock_basis=True)
    rho = qutip.steadystate(R)
    return {"gap": float(np.sort(-np.linalg.eigvals(R.full()).real)[1]), "purity": float(rho.purity())}


def start_state(n: int) -> Any:
    """|0…0⟩."""
    rho = np.zeros((2**n, 2**n), dtype=complex)
    rho[0, 0] = 1
    return rho


def our_evolution(n: int, tolerance: float) -> dict[str, Any]:
    """ρ(10) of the DLL generator with H."""
    evolution = gc.evolve(gc.dll(ising(n), BETA, LETTERS), start_state(n), [TIME], tolerance=tolerance)
    return {"state": listed(evolution.states[-1]), "applications": evolution.applications}


def qutip_evolution(n: int, method: str, tolerance: float) -> dict[str, Any]:
    """The same by `mesolve`, H + B and the jumps given as operators."""
    H, couplings = qutip_operators(n)
    energies, states = H.eigenstates()
    nu = energies[:, None] - energies[None, :]
    V = np.hstack([state.full() for state in states])

    def back(M: Any) -> qutip.Qobj:
        return qutip.Qobj(V @ M @ V.conj().T, dims=H.dims)

    f = np.exp(-((BETA * nu) ** 2) / 8 - BETA * nu / 4)
    inside = [f * A.transform(states).full() for A in couplings]
    B = 0.5j * np.tanh(BETA * nu / 4) * sum(L.conj().T @ L for L in inside)
    options = {"method": method, "atol": tolerance, "rtol": tolerance, "nsteps": 10**7, "progress_bar": ""}
    rho = qutip.Qobj(start_state(n), dims=H.dims)
    solved = qutip.mesolve(H + back(B), rho, [0.0, TIME], c_ops=[back(L) for L in inside], options=options)
    return {"state": listed(solved.states[-1].full())}


def listed(rho: Any) -> list[list[float]]:
    """A matrix as numbers that JSON can carry."""
    return [np.asarray(rho).real.ravel().tolist(), np.asarray(rho).imag.ravel().tolist()]


def growth(n: int) -> dict[str, float]:
    """Gap of the DLL generator, matrix-free."""
    found = gc.spectral_gap(gc.dll(ising(n), BETA, LETTERS))
    assert found is not None
    return {"gap": found.value, "resolution": found.resolution}


def application(n: int) -> dict[str, float]:
    """One application of D against the bare products of the matrices it contains."""
    blocks = hermitised_blocks(gc.dll(ising(n), BETA, LETTERS))
    sector = blocks.sector(blocks.sectors[0])
    rng = np.random.default_rng(0)
    x = rng.standard_normal(sector.dim)
    parts = [rng.standard_normal(shape) for shape in sector.shapes]

    def bare() -> None:
        for X, (r, h) in zip(parts, sector.pairs, strict=True):
            blocks.drift[r] @ X
            X @ blocks.drift[h]
        for begin, _, left, right in sector.plan:
            (left @ parts[begin]) @ right.conj().T

    def best(function: Callable[[], Any]) -> float:
        times = []
        for _ in range(7):
            begin = time.perf_counter()
            function()
            times.append(time.perf_counter() - begin)
        return min(times)

    best(bare)
    return {"ours": best(lambda: sector(x)), "bare": best(bare), "products": 2 * (len(sector.plan) + len(parts))}


TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    "qutip_davies": qutip_davies,
    "qutip_dll": qutip_dll,
    "redfield_tensor": redfield_tensor,
    "our_davies": lambda n: ours(gc.davies, n),
    "our_dll": lambda n: ours(gc.dll, n),
    "our_evolution": our_evolution,
    "qutip_evolution": qutip_evolution,
    "growth": growth,
    "application": application,
}


def measure(task: str, *arguments: Any) -> dict[str, Any] | None:
    """Run a task in a process of its own: its result, seconds and peak memory; None after ten minutes."""
    command = [sys.executable, __file__, "--task", json.dumps([task, *arguments])]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT * 3, check=False)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        raise RuntimeError(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def worker(text: str) -> None:
    """The other end of `measure`."""
    task, *arguments = json.loads(text)
    np.linalg.eigh(np.eye(8))  # libraries start their threads before the clock does
    begin = time.perf_counter()
    result = TASKS[task](*arguments)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({**result, "seconds": seconds, "gib": peak}))


def best_of(count: int, task: str, *arguments: Any) -> dict[str, Any] | None:
    """The fastest of a few runs."""
    runs = [run for run in (measure(task, *arguments) for _ in range(count)) if run is not None]
    return min(runs, key=lambda run: run["seconds"]) if runs else None


def whole_task(console: Console, sizes: list[int]) -> None:
    """H and couplings in, gap and steady state out."""
    table = Table("n", "generator", "ours, s", "QuTiP, s", "ratio", "gap", "gaps differ by", "purities differ by",
                  title="H and couplings in, gap and steady state out")  # fmt: skip
    for n in sizes:
        for name, mine, theirs in (
            ("Davies, collapse operators", "our_davies", "qutip_davies"),
            ("Davies, Bloch–Redfield tensor", "our_davies", "redfield_tensor"),
            ("DLL, dense operators", "our_dll", "qutip_dll"),
        ):
            us, them = best_of(3, mine, n), best_of(1, theirs, n)
            assert us is not None
            if them is None:
                table.add_row(str(n), name, f"{us['seconds']:.3f}", f"> {3 * LIMIT}", "—", f"{us['gap']:.8f}", "—", "—")
                continue
            ratio = them["seconds"] / us["seconds"]
            differ = f"{abs(us['gap'] / them['gap'] - 1):.1e}", f"{abs(us['purity'] - them['purity']):.1e}"
            row = (f"{us['seconds']:.3f}", f"{them['seconds']:.2f}", f"{ratio:.0f}", f"{us['gap']:.8f}", *differ)
            table.add_row(str(n), name, *row)
    console.print(table)


def evolution(console: Console) -> None:
    """To t = 10 at equal accuracy: QuTiP's tolerance is tightened until its error is at most ours."""
    table = Table("n", "way", "tolerance", "error", "seconds", "QuTiP / ours", title="ρ(10) from |0…0⟩, with H")
    for n in (4, 5):
        reference = state(best_of(1, "our_evolution", n, 1e-12))
        tolerance = 3e-7  # a bound; the error found is a thousand times smaller
        mine = best_of(5, "our_evolution", n, tolerance)
        assert mine is not None
        error = distance(state(mine), reference)
        table.add_row(str(n), f"ours, {mine['applications']} applications", f"{tolerance:.0e}", f"{error:.1e}",
                      f"{mine['seconds']:.4f}", "1")  # fmt: skip
        for method in ("adams", "bdf", "dop853"):
            for atol in (1e-9, 1e-10, 1e-11, 1e-12):
                theirs = best_of(3 if n == 4 else 1, "qutip_evolution", n, method, atol)
                assert theirs is not None
                off = distance(state(theirs), reference)
                if off <= max(error, 1e-8):
                    break
            ratio = theirs["seconds"] / mine["seconds"]
            table.add_row(str(n), f"QuTiP mesolve, {method}", f"{atol:.0e}", f"{off:.1e}", f"{theirs['seconds']:.3f}",
                          f"{ratio:.0f}")  # fmt: skip
    console.print(table)
    console.print(
        "Errors: trace distance to our own run at tolerance 1e-12, which the tests hold against a matrix exponential."
    )


def state(run: dict[str, Any] | None) -> Any:
    """ρ from what a task printed."""
    assert run is not None
    real, imaginary = np.array(run["state"])
    d = round(real.size**0.5)
    return (real + 1j * imaginary).reshape(d, d)


def distance(a: Any, b: Any) -> float:
    """Trace distance."""
    return float(0.5 * np.abs(np.linalg.eigvalsh(a - b)).sum())


def growing(console: Console, sizes: list[int]) -> None:
    """Gap against size."""
    table = Table(
        "n", "gap", "resolution", "seconds", "peak memory, GiB", title="Gap of the DLL generator, matrix-free"
    )
    for n in sizes:
        run = measure("growth", n)
        if run is None:
            table.add_row(str(n), "—", "—", f"> {3 * LIMIT}", "—")
            continue
        table.add_row(
            str(n), f"{run['gap']:.9f}", f"{run['resolution']:.1e}", f"{run['seconds']:.2f}", f"{run['gib']:.2f}"
        )
    console.print(table)
    table = Table("n", "products", "one application, ms", "bare products, ms", "ratio", title="One application of D")
    for n in (6, 7, 8, 9):
        run = measure("application", n)
        assert run is not None
        row = (str(run["products"]), f"{1e3 * run['ours']:.2f}", f"{1e3 * run['bare']:.2f}")
        table.add_row(str(n), *row, f"{run['ours'] / run['bare']:.2f}")
    console.print(table)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slow", action="store_true", help="with 11 qubits, and QuTiP at 6")
    parser.add_argument("--task", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        worker(options.task)
        return
    console = Console(width=130)
    evolution(console)
    growing(console, [8, 9, 10, *([11] if options.slow else [])])
    whole_task(console, [4, 5, *([6] if options.slow else [])])


if __name__ == "__main__":
    main()
