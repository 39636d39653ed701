"""Dense schemes: dilated Hamiltonians, weak measurement, exact Stinespring, the discrete channel."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from hypothesis import assume, given, settings
from pydantic import ValidationError
from qiskit.quantum_info import Operator

from gibbs_circuits.compiler.schemes.registry import SCHEMES
from gibbs_circuits.errors import ArgumentError, TooLargeError
from gibbs_circuits.evidence import Status
from gibbs_circuits.generators.baths import ohmic
from gibbs_circuits.generators.contact import Contact
from gibbs_circuits.generators.couplings import couplings_of
from gibbs_circuits.generators.dense import dense_generator
from gibbs_circuits.generators.discrete import DiscreteChannel
from gibbs_circuits.generators.filters.custom import CustomFilter
from gibbs_circuits.generators.filters.gaussian import GaussianFilter
from gibbs_circuits.generators.kernels.base import RankOne
from gibbs_circuits.generators.kinds.ckg import ckg
from gibbs_circuits.generators.kinds.davies import davies
from gibbs_circuits.generators.kinds.dll import dll
from gibbs_circuits.generators.kinds.redfield import redfield
from gibbs_circuits.generators.kinds.scandi_alhambra import scandi_alhambra
from gibbs_circuits.generators.kinds.ule import ule
from gibbs_circuits.generators.lindbladian import Lindbladian
from gibbs_circuits.linalg.fixed_point import fixed_point
from gibbs_circuits.models.library.spin_chains import mixed_field_ising
from gibbs_circuits.models.model import from_terms
from gibbs_circuits.programs.program import Program, Rung
from gibbs_circuits.programs.steps import Reset, Unitary
from gibbs_circuits.readings.channel.sweep_channel import sweep_channel
from gibbs_circuits.readings.circuits.circuit import block
from gibbs_circuits.readings.circuits.cost import cost
from tests.examples import channel_of, generators, gibbs, ising, lowered, slope
from tests.systems import Matrix, Oracle, dense, gaussian

STEPPED = {"dilated_1": 1, "dilated_2": 2, "dilated_3": 3, "weak_measurement": 1}
DENSE = (*STEPPED, "stinespring", "discrete")
NOT_COMMUTING = [("ZZ", -1.0), ("XI", -0.9), ("IX", -0.9), ("ZI", -0.5), ("IZ", -0.5)]


def written(generator: Lindbladian | DiscreteChannel, scheme: str, **knobs: Any) -> Program:
    recipe = SCHEMES[scheme]
    strength = {} if scheme == "discrete" or isinstance(generator, DiscreteChannel) else {"strength": 0.4}
    return recipe(generator, recipe.knobs.model_validate({"sweeps": 1, **strength, **knobs}))


def oracle(sign: float = 1.0) -> Oracle:
    """The generator of `ising(2)` from matrices alone."""
    return Oracle(dense(NOT_COMMUTING), [dense([("IY", 1.0)]), dense([("YI", 1.0)])], 1.0, gaussian(1.0), sign)


def two_sites() -> Lindbladian:
    return dll(from_terms(NOT_COMMUTING), 1.0, couplings_of("Y", 2), GaussianFilter(1.0))


def map_of(kraus: Any) -> Matrix:
    return np.asarray(sum(np.kron(K.conj(), K) for K in kraus))


def channel_by_qiskit(program: Program) -> Matrix:
    """Of a sweep whose only reset is its last gate: the blocks below |0…0⟩ of its unitary."""
    low, d = lowered(block(program, program.stages[0].steps)), 2**program.num_system
    assert low.count_ops().get("reset", 0) == program.num_ancilla
    bare = low.copy_empty_like()
    for instruction in low.data:
        if instruction.operation.name != "reset":
            bare.append(instruction)
    return map_of(Operator(bare).data[:, :d].reshape(-1, d, d))


# slopes


def powers(scheme: str, strengths: list[float], reference: Matrix) -> tuple[list[float], list[float]]:
    """Local errors, and errors at time 1."""
    local, fixed = [], []
    for strength in strengths:
        channel = sweep_channel(written(two_sites(), scheme, strength=strength))
        local.append(float(np.linalg.norm(channel - scipy.linalg.expm(strength * reference), 2)))
        power = np.linalg.matrix_power(channel, round(1 / strength))
        fixed.append(float(np.linalg.norm(power - scipy.linalg.expm(reference), 2)))
    return local, fixed


@pytest.mark.parametrize("scheme", STEPPED)
def test_scheme__slope__is_the_declared_order(scheme: str) -> None:
    strengths = [0.1, 0.05, 0.025]
    local, fixed = powers(scheme, strengths, oracle().matrix())
    assert slope(strengths, fixed) == pytest.approx(STEPPED[scheme], abs=0.15)
    assert slope(strengths, local) == pytest.approx(STEPPED[scheme] + 1, abs=0.15)
    assert SCHEMES[scheme].order == STEPPED[scheme]


@pytest.mark.parametrize("scheme", STEPPED)
def test_scheme__control__another_coherent_term_is_not_met(scheme: str) -> None:
    local, fixed = powers(scheme, [0.1, 0.05, 0.025], oracle(sign=-1.0).matrix())
    assert min(fixed) > 0.05
    assert slope([0.1, 0.05, 0.025], local) == pytest.approx(1, abs=0.15)


def second_order(delta: float, share: float) -> Matrix:
    """The printed second-order Hamiltonian; `share` multiplies the last two terms of h_j."""
    V, B, S = oracle().jumps(), oracle().coherent(), oracle().decay()
    V0 = -1j * B - S / 2
    h0 = np.sqrt(delta) * B - delta**1.5 / 12 * (B @ S + S @ B)
    below = [v + delta * ((v @ V0 + V0 @ v) / 2 + share * (0.5j * v @ B + v @ S / 6)) for v in V]
    below += [np.sqrt(delta / 2) * v @ w for v, w in product(V, V)]
    count = 1 + len(below)
    H = np.zeros((4 * count, 4 * count), dtype=complex)
    H[:4, :4], H[4:, :4] = h0, np.vstack(below)
    H[:4, 4:] = H[4:, :4].conj().T
    return map_of(scipy.linalg.expm(-1j * np.sqrt(delta) * H)[:, :4].reshape(-1, 4, 4))


def test_dilated_2__channel__is_that_of_the_printed_hamiltonian() -> None:
    channel = sweep_channel(written(two_sites(), "dilated_2", strength=0.3))
    assert channel == pytest.approx(second_order(0.3, 1.0), abs=1e-12)


def test_dilated_2__control__a_half_too_much_loses_the_order() -> None:
    strengths, L = [0.1, 0.05, 0.025], oracle().matrix()
    right, wrong = (
        [float(np.linalg.norm(second_order(d, share) - scipy.linalg.expm(d * L), 2)) for d in strengths]
        for share in (1.0, 0.5)
    )
    assert slope(strengths, right) == pytest.approx(3, abs=0.15)
    assert slope(strengths, wrong) == pytest.approx(2, abs=0.15)


# exactness


@pytest.mark.parametrize("strength", [1e-3, 0.3, 3.0, 100.0])
def test_stinespring__channel__is_the_exponential(strength: float) -> None:
    program = written(two_sites(), "stinespring", strength=strength)
    exact = scipy.linalg.expm(strength * oracle().matrix())
    assert np.linalg.norm(sweep_channel(program) - exact, 2) <= 1e-12
    (term,) = program.declared
    assert (term.rung, term.status) == (Rung.DILATION, Status.MEASURED)
    assert term.value is not None
    assert term.value <= 1e-12


@pytest.mark.parametrize("step", [0.1, 0.5, 0.9])
def test_discrete__fixed_point__is_gibbs_at_any_step(step: float) -> None:
    program = written(two_sites(), "discrete", step=step)
    sigma = gibbs(two_sites().model.hamiltonian, 1.0)
    assert fixed_point(sweep_channel(program)) == pytest.approx(sigma, abs=1e-12)
    assert program.knobs["step"] == step
    assert program.num_ancilla == 2  # two jumps and K


def test_discrete__channel__is_that_of_its_definition() -> None:
    T, R, sigma = map_of(oracle().jumps()), oracle().decay(), gibbs(two_sites().model.hamiltonian, 1.0)
    s = 0.5 / np.linalg.norm(R, 2)
    root = scipy.linalg.sqrtm(sigma)
    K = scipy.linalg.sqrtm(root @ (np.eye(4) - s * R) @ root) @ np.linalg.inv(root)
    assert sweep_channel(written(two_sites(), "discrete")) == pytest.approx(s * T + np.kron(K.conj(), K), abs=1e-10)


def test_discrete__channel_as_generator__is_the_same_program() -> None:
    channel = DiscreteChannel(two_sites(), 0.3)
    same = written(two_sites(), "discrete", step=0.3)
    assert written(channel, "discrete").text == same.text
    assert written(channel, "discrete", step=0.3).text == same.text
    assert sweep_channel(written(channel, "stinespring")) == pytest.approx(sweep_channel(same), abs=1e-12)


# circuit and cost


@pytest.mark.parametrize("scheme", DENSE)
@settings(deadline=None, derandomize=True, max_examples=6)
@given(generator=generators(2))
def test_scheme__circuit__is_the_channel__generated(scheme: str, generator: Lindbladian) -> None:
    program = written(generator, scheme, **({} if scheme == "discrete" else {"strength": 0.1}))
    assume(program.num_qubits <= 6)
    assume(cost(program).resets == program.num_ancilla)  # one weak measurement: what is read off a unitary
    assert channel_by_qiskit(program) == pytest.approx(sweep_channel(program), abs=1e-10)
    counts = lowered(block(program, program.stages[0].steps)).count_ops()
    assert counts.get("cx", 0) == cost(program).two_qubit_gates
    assert counts.get("reset", 0) == cost(program).resets


@pytest.mark.parametrize(
    "scheme", ["dilated_1", "dilated_2", "discrete", pytest.param("weak_measurement", marks=pytest.mark.slow)]
)
def test_scheme__circuit__is_the_channel__three_sites(scheme: str) -> None:
    program = written(ising(3), scheme, **({} if scheme == "discrete" else {"strength": 0.1}))
    assert channel_by_qiskit(program) == pytest.approx(sweep_channel(program), abs=1e-10)
    assert lowered(block(program, program.stages[0].steps)).count_ops()["cx"] == cost(program).two_qubit_gates


@pytest.mark.parametrize("scheme", DENSE)
def test_scheme__circuit__resets_included__one_site(scheme: str) -> None:
    program = written(ising(1), scheme)  # strong enough for two weak measurements in a sweep
    low = lowered(block(program, program.stages[0].steps))
    assert channel_of(low, 1) == pytest.approx(sweep_channel(program), abs=1e-10)


def test_weak_measurement__strong_sweep__is_several_measurements() -> None:
    strength = 3.5 / np.linalg.norm(oracle().decay(), 2)
    one, four = (written(two_sites(), "weak_measurement", strength=s) for s in (strength / 4, strength))
    assert [sum(isinstance(step, Reset) for step in p.stages[0].steps) for p in (one, four)] == [1, 4]
    power = np.linalg.matrix_power(sweep_channel(one), 4)
    assert sweep_channel(four) == pytest.approx(power, abs=1e-12)


def test_dense_gate__clean_ancillas__are_cheaper_as_columns() -> None:
    (step, _) = written(ising(3), "dilated_1").stages[0].steps
    assert isinstance(step, Unitary)
    assert cost(written(ising(3), "dilated_1")).two_qubit_gates < 300 < 423  # 423: any unitary on 5 qubits


# kinds


@cache
def exact_kinds() -> dict[str, Lindbladian]:
    model, A = mixed_field_ising(2), couplings_of("Y", 2)
    bath = ohmic(1.0, strength=0.3, cutoff=4.0)
    flat = RankOne(CustomFilter(1.0, lambda nu: np.exp(-(nu**2) / 6 - nu / 4), 10.0))
    return {
        "dll": dll(model, 1.0, A, GaussianFilter(1.0)),
        "ckg": ckg(model, 1.0, A),
        "ckg_metropolis": ckg(model, 1.0, A, filter="metropolis"),
        "davies": davies(model, bath.beta, A, bath),
        "ule": ule(model, bath.beta, A, bath, coherent="balance"),
        "scandi_alhambra": scandi_alhambra(model, bath.beta, A, bath, 2.0),
        "custom": Lindbladian(model, tuple(Contact(a, flat) for a in A)),
    }


@pytest.mark.parametrize("kind", ["dll", "ckg", "ckg_metropolis", "davies", "ule", "scandi_alhambra", "custom"])
def test_scheme__every_exact_kind__compiles(kind: str) -> None:
    generator = exact_kinds()[kind]
    sigma = gibbs(generator.model.hamiltonian, 1.0)
    for scheme in DENSE:
        channel = sweep_channel(written(generator, scheme, **({} if scheme == "discrete" else {"strength": 0.5})))
        found = fixed_point(channel)
        if scheme in STEPPED:
            assert np.linalg.norm(found - sigma) < 0.2
        else:
            assert found == pytest.approx(sigma, abs=1e-10)


def test_stinespring__control__without_b_the_fixed_point_is_another() -> None:
    bare = dll(from_terms(NOT_COMMUTING), 1.0, couplings_of("Y", 2), GaussianFilter(1.0), coherent="none")
    sigma = gibbs(bare.model.hamiltonian, 1.0)
    assert np.linalg.norm(fixed_point(sweep_channel(written(bare, "stinespring"))) - sigma) > 1e-3


def test_dense_generator__jumps__are_the_fewest() -> None:
    assert len(dense_generator(two_sites()).jumps) == 2
    twice = replace(two_sites(), contacts=two_sites().contacts * 2)
    assert len(dense_generator(twice).jumps) == 2
    assert len(dense_generator(exact_kinds()["davies"]).jumps) <= 16
    assert dense_generator(two_sites()).superoperator == pytest.approx(oracle().matrix(), abs=1e-12)


# refusals


@pytest.mark.parametrize("scheme", DENSE)
def test_scheme__too_many_qubits__is_refused_with_its_gates(scheme: str) -> None:
    with pytest.raises(TooLargeError, match=rf"{scheme} .* 12 system qubits .* two-qubit gates.*Fix: use fewer"):
        written(ising(12), scheme)


def test_weak_measurement__too_many_gates__is_refused() -> None:
    with pytest.raises(TooLargeError, match=r"5 system qubits and 5 ancillas, about 479,\d+ two-qubit gates.*Fix:"):
        written(ising(5), "weak_measurement")


def test_stinespring__too_many_ancillas__is_refused() -> None:
    with pytest.raises(TooLargeError, match=r"4 system qubits and 8 ancillas.*Fix:"):
        written(ising(4), "stinespring")


@pytest.mark.parametrize("scheme", STEPPED)
def test_scheme__discrete_channel__is_refused_by_steps(scheme: str) -> None:
    with pytest.raises(ArgumentError, match=r'`kind`.*Fix: set scheme = "discrete"'):
        written(DiscreteChannel(two_sites()), scheme)


def test_scheme__refusals__name_the_knob() -> None:
    channel, bath = DiscreteChannel(two_sites(), 0.3), ohmic(1.0, strength=0.3, cutoff=4.0)
    model, A = mixed_field_ising(2), couplings_of("Y", 2)
    with pytest.raises(ArgumentError, match=r"`step`.*0\.5 was found beside 0\.3.*Fix: set step = 0\.3"):
        written(channel, "discrete", step=0.5)
    with pytest.raises(ArgumentError, match=r"`strength`.*left out.*Fix:"):
        written(channel, "stinespring", strength=1.0)
    with pytest.raises(ArgumentError, match=r"`strength`.*Fix:"):
        written(two_sites(), "dilated_1", strength=None)
    with pytest.raises(ArgumentError, match=r"`kind`.*redfield is not"):
        written(redfield(model, bath.beta, A, bath, coherent="none"), "dilated_1")
    with pytest.raises(ArgumentError, match=r"`coherent`.*ule.*Fix:"):
        written(ule(model, bath.beta, A, bath), "stinespring")
    with pytest.raises(TooLargeError, match=r"weak measurements on .* two-qubit gates.*Fix: set strength"):
        written(two_sites(), "weak_measurement", strength=1e5)


@pytest.mark.parametrize("knobs", [{"strength": 0.5}, {"step": 0.0}, {"step": 1.0}, {"spacing": 0.1}], ids=str)
def test_discrete_knobs__out_of_range__are_refused(knobs: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        SCHEMES["discrete"].knobs.model_validate({"sweeps": 1, **knobs})
