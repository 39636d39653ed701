"""One experiment on every kind of target, and what a simulated device gives against what was predicted.

    python benchmarks/targets.py [--task everywhere|seeds|placement] [--seeds 20]

everywhere: the same experiment file on noiseless simulations by three methods, on two noisy ones and on two simulated
Heron devices: result with its 95 % interval, what the exact channel with the target's errors and readout predicts, and
z = (result − predicted) / standard error. Targets without errors must agree with each other, others only with their own
prediction.

seeds: the 4-site chain on a simulated Heron device with its own errors, 20 seeds: how many energies are within 3
standard errors of the predicted one, which no seed enters.

placement: two-qubit gates of chains on heavy-hex devices against all-to-all, and where their qubits are.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
import scipy.stats
from rich.console import Console
from rich.table import Table

import gibbs_circuits as gc
from gibbs_circuits.analysis.comparison.compare import compare
from gibbs_circuits.analysis.estimators.expected import final_state, predicted_values
from gibbs_circuits.analysis.estimators.target import placement_rows
from gibbs_circuits.backends.measurement.counts import from_counts
from gibbs_circuits.backends.runs.prepare import opened, request_run, run_request, transpiled
from gibbs_circuits.backends.runs.request import Request
from gibbs_circuits.backends.simulators.noisy_channel import try_noisy_prediction
from gibbs_circuits.backends.targets.registry import load_target
from gibbs_circuits.backends.transpile.compiled import Compiled
from gibbs_circuits.experiments import pipeline
from gibbs_circuits.experiments.experiment import Experiment, read_experiment
from gibbs_circuits.experiments.schemes import CompileTask
from gibbs_circuits.programs.initial_state import zero

FILE = Path(__file__).parent.parent / "experiments" / "mixed_field_ising.toml"
EVERYWHERE = (
    "aer_density_matrix", "aer_statevector", "aer_mps", "aer_noisy", "aer_torino", "fake_torino", "fake_boston",
)  # fmt: skip
DEVICE = "fake_boston"
SHOTS = 1600
LIMIT = 4.0  # of |z|; Student's with 15 degrees of freedom is beyond once in 860
CLOSE = 3.0  # standard errors


def asked(spec: Experiment, program: gc.Program, target: str, seed: int) -> Request:
    """A run of a program on a target."""
    return request_run(program, load_target(target), spec.initial, spec.observables, SHOTS, spec.realisations, seed)


def program_of(spec: Experiment) -> gc.Program:
    """The experiment's program."""
    return pipeline.compile_program(spec.generator, spec.scheme, CompileTask(spec.target_error))


def everywhere(console: Console) -> bool:
    """The same file on all targets; whether every z is small and noiseless intervals overlap."""
    spec = read_experiment(FILE)
    program = program_of(spec)
    table = Table(
        "target", "method", "energy, 95 %", "predicted", "z", "magnetisation, z", "one sweep", "CZ", "seconds",
        title=f"{FILE.stem}, {SHOTS} shots per basis, {spec.realisations} realisations, a seed each",
    )  # fmt: skip
    good, clean = True, list[tuple[float, float]]()
    for seed, name in enumerate(EVERYWHERE, spec.seed):  # one seed would give two methods the same samples
        began = perf_counter()
        request = asked(spec, program, name, seed)
        found = compare(run_request(request), spec.target_error, baselines=False)
        energy, other = found.energy, found.observables["magnetisation"]
        check = found.run.check
        passed = check is not None and check.passed
        good &= bool(passed) and all(e.z is not None and abs(e.z) <= LIMIT for e in (energy, other))
        if not request.compiled.errors.present:
            clean.append((energy.low, energy.high))
        method = "" if request.choice is None else request.choice.method
        table.add_row(
            name, method, f"{energy.value:.3f} [{energy.low:.3f}, {energy.high:.3f}]", f"{energy.predicted:.3f}",
            f"{energy.z:+.2f}", f"{other.value:.3f} ({other.z:+.2f})", "passed" if passed else "FAILED",
            f"{request.compiled.two_qubit_gates:,.0f}", f"{perf_counter() - began:.1f}",
        )  # fmt: skip
    overlap = max(low for low, _ in clean) <= min(high for _, high in clean)
    console.print(table)
    console.print(
        f"noiseless intervals overlap: {'yes' if overlap else 'NO'}; |z| <= {LIMIT:g}: {'yes' if good else 'NO'}"
    )
    return good and overlap


def seeds(console: Console, count: int) -> bool:
    """Sampled against predicted energies on a simulated device; whether all are close."""
    spec = read_experiment(FILE)
    program = program_of(spec)
    first = asked(spec, program, DEVICE, 0)
    noisy = try_noisy_prediction(first.compiled)
    predicted = predicted_values(first, final_state(first, gc.predict(program), noisy))["energy"]
    values, errors = [], []
    for seed in range(count):
        run = run_request(replace(first, seed=seed))
        blocks = [from_counts(first.observables["energy"], first.bases, block.counts) for block in run.blocks]
        values.append(float(np.mean(blocks)))
        errors.append(float(np.std(blocks, ddof=1) / np.sqrt(len(blocks))))
        console.print(
            f"seed {seed}: {values[-1]:.4f} ± {errors[-1]:.4f}, z {(values[-1] - predicted) / errors[-1]:+.2f}"
        )
    z = (np.array(values) - predicted) / np.array(errors)
    mean, spread = float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(count))
    fit = scipy.stats.kstest(z, scipy.stats.t(df=spec.realisations - 1).cdf).pvalue
    close = int(np.sum(np.abs(z) <= CLOSE))
    exact = gc.thermal(spec.model, spec.generator.beta).energy
    console.print(
        f"{DEVICE}, own errors: predicted {predicted:.4f} (in the Gibbs state {exact:.4f}); mean of {count} seeds "
        f"{mean:.4f} ± {spread:.4f}; {close} of {count} within {CLOSE:g} standard errors, largest |z| "
        f"{np.abs(z).max():.2f}; Kolmogorov–Smirnov against Student's t p = {fit:.2f}"
    )
    return close == count


def compiled_on(program: gc.Program, target: str) -> Compiled:
    start = zero(program.num_system)
    return transpiled(program, opened(program, load_target(target), start, "reset"), start, "reset")


def placement(console: Console) -> bool:
    """Gates on lattices against all-to-all; whether the 6-site chain is within 1.3."""
    table = Table("sites", "target", "CZ all-to-all", "CZ on the lattice", "ratio", "where", "s")
    ratio = 0.0
    for sites in (3, 4, 5, 6):
        model = gc.models.mixed_field_ising(sites)
        program = gc.compile(gc.dll(model, 1.0, couplings="Y", filter="gaussian"), target_error=0.10)
        free = compiled_on(program, "aer_density_matrix")
        for name in ("fake_heavy_hex", "fake_torino", "fake_boston"):
            began = perf_counter()
            compiled = compiled_on(program, name)
            took = perf_counter() - began
            found = compiled.two_qubit_gates / free.two_qubit_gates
            if (sites, name) == (6, "fake_heavy_hex"):
                ratio = found
            where = dict(placement_rows(compiled))["site–ancilla"]
            table.add_row(
                str(sites), name, f"{free.two_qubit_gates:,.0f}", f"{compiled.two_qubit_gates:,.0f}", f"{found:.2f}",
                where, f"{took:.1f}",
            )  # fmt: skip
    console.print(table)
    return ratio <= 1.3


def main(arguments: Sequence[str] | None = None) -> bool:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=["everywhere", "seeds", "placement", "all"], default="all")
    parser.add_argument("--seeds", type=int, default=20)
    chosen = parser.parse_args(arguments)
    console, good = Console(width=150), True
    if chosen.task in ("everywhere", "all"):
        good &= everywhere(console)
    if chosen.task in ("seeds", "all"):
        good &= seeds(console, chosen.seeds)
    if chosen.task in ("placement", "all"):
        good &= placement(console)
    return good


if __name__ == "__main__":
    main()
