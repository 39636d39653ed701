r"""Fixed points of a sweep with one thing idealised: its strength, its delays, its coherent term."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy.linalg

from ...generators.contact import Coherent
from ...generators.dense import DenseGenerator, dense_generator
from ...generators.lindbladian import Lindbladian
from ...linalg.arrays import Array, read_only, unvec, vec
from ...linalg.fixed_point import fixed_point, stationary_state
from ...linalg.maps import Dephasing, Kraus
from ...models.spectrum import spectrum
from ...programs.program import Program
from ...programs.steps import Unitary
from ...programs.transforms import Steps, map_split, with_steps
from ...readings.channel.effective_generator import Segment, SweepCouplings, balance, kick_of
from ...readings.channel.evolver import Evolver
from ...readings.channel.sweep_channel import sweep_channel


def lindblad(jumps: Array, hamiltonian: Array) -> Array:
    """−i[X, ·] + Σ D[L] as a matrix on column-stacked matrices."""
    return DenseGenerator(jumps, hamiltonian).superoperator


def generator_states(generator: Lindbladian, sigma: Array) -> tuple[Array, Array]:
    """The steady states of a generator as it is, and with B; σ itself where balance and coherent part prove it."""
    contacts = generator.contacts
    exact = all(contact.kernel.detailed_balance for contact in contacts)
    shift = generator.coherent is Coherent.LAMB_SHIFT and generator.secular
    as_is, with_B = dense_generator(generator), dense_generator(replace(generator, coherent=Coherent.BALANCE))
    balanced = sigma if exact else stationary_state(with_B.superoperator)
    if generator.coherent is Coherent.BALANCE or shift:
        return balanced, balanced
    return stationary_state(as_is.superoperator), balanced


def memoryless(program: Program, time: float) -> Dephasing:
    r"""Free evolution under H for an exponentially distributed time: $\rho_{ij}\to\rho_{ij}/(1 + i\nu_{ij}T)$.

    The ideal random delay: it has no resonances, and with weak kicks between, the stationary state is that of
    $-iT[H,\cdot]$ plus the kicks.
    """
    s = spectrum(program.generator.model)
    return Dephasing(s.vectors.astype(complex), read_only(np.asarray(1 / (1 + 1j * time * s.bohr_frequencies))))


def weak_state(program: Program, parts: tuple[Segment, ...], *, ideal: bool, balanced: bool) -> Array:
    r"""Fixed point of the sweep whose couplings are replaced by their first-order generator $\mathcal G$.

    Args:
        program: For H and β.
        parts: Its segments.
        ideal: With memoryless free evolution of the same mean time instead of the program's own.
        balanced: With B in place of the Hamiltonian that the sweep has.

    Each kick is $(1-\mathcal G/2)^{-1}(1+\mathcal G/2)$, which is $e^{\mathcal G}$ to second order and leaves σ where
    $\mathcal G$ does.
    """

    def generator(kick: SweepCouplings) -> Array:
        X = balance(program, kick.decay) if balanced else kick.hamiltonian
        return lindblad(kick.jumps, X)

    def after(part: Segment, kicked: Array) -> Array:
        if ideal:
            return memoryless(program, part.time).after(kicked)
        return kicked if part.delay is None else part.delay.after(kicked)

    if len(parts) == 1 and len(parts[0].kicks) == 1:
        part, kick = parts[0], parts[0].kicks[0]
        half = generator(kick) / 2
        one = np.eye(len(half))
        gained = one + half if ideal else _evolution(kick).after(one + half)
        v = stationary_state(after(part, gained) - (one - half))  # v = (1 − G/2)⁻¹ρ
        rho = unvec((one - half) @ vec(v))
        return np.asarray((rho + rho.conj().T) / 2)
    total: Array | None = None
    for part in parts:
        kicked = []
        for kick in part.kicks:
            half = generator(kick) / 2
            one = np.eye(len(half))
            map_ = np.asarray(scipy.linalg.solve(one - half, one + half))
            kicked.append(kick.probability * (map_ if ideal else _evolution(kick).after(map_)))
        map_ = after(part, np.asarray(sum(kicked)))
        total = map_ if total is None else np.asarray(map_ @ total)
    assert total is not None  # a sweep has segments
    return fixed_point(total)


def _evolution(kick: SweepCouplings) -> Kraus:
    return Kraus(kick.free[None])


def ideal_state(program: Program, parts: tuple[Segment, ...], *, coherent: bool = False) -> Array:
    """Fixed point of the program's own couplings at full strength between memoryless delays of the same mean time.

    With `coherent`, what is missing of the coherent term is inserted exactly.
    """
    total: Array | None = None
    for part in parts:
        branches: list[tuple[float, Steps, Array]] = [(1.0, part.steps, part.kicks[0].free)]
        if len(part.kicks) > 1:
            (choice,) = part.steps
            branches = [(b.probability, b.steps, kick_of(program, b.steps).free) for b in choice.options]
        kicked: Array = np.zeros((4**program.num_system,) * 2, dtype=complex)
        for probability, steps, free in branches:
            done = corrected(program, steps) if coherent else steps
            kicked += probability * Kraus(free.conj().T[None]).after(sweep_channel(with_steps(program, done)))
        map_ = memoryless(program, part.time).after(kicked)
        total = map_ if total is None else np.asarray(map_ @ total)
    assert total is not None  # a sweep has segments
    return fixed_point(total)


def corrected(program: Program, steps: Steps) -> Steps:
    """The steps with the coherent term that each block lacks, B − S, as exponentials before and after it.

    Halves on either side, so that they add no error of the order of the dilation's own; a compiled B is taken out.
    """
    evolver = Evolver(program.groups, program.num_system)

    def change(piece: Steps) -> Steps:
        kept = tuple(step for step in piece if not step.corrects)
        if not any(step.couples for step in kept):
            return kept
        kick = kick_of(program, kept, evolver)
        half = scipy.linalg.expm(-0.5j * (balance(program, kick.decay) - kick.ordering))
        turned = kick.free @ half @ kick.free.conj().T
        return (Unitary(half, (), "half of B"), *kept, Unitary(turned, (), "half of B"))

    return map_split(steps, change)


def with_exact_coherence(program: Program) -> Program:
    """The program with the coherent term that its blocks lack; see `corrected`."""
    stages = tuple(replace(stage, steps=corrected(program, stage.steps)) for stage in program.stages)
    return replace(program, stages=stages)
