"""Dense linear algebra for schemes that write a whole sweep as matrices: a few qubits, any kernel."""

from __future__ import annotations

from ..errors import ArgumentError, TooLargeError
from ..generators.lindbladian import Generator, Lindbladian
from ..limits import MAX_BLOCK_GATES, MAX_BLOCK_QUBITS, MAX_BLOCK_SYSTEM
from ..linalg.channels import ancillas_for


def stated_gates(num_system: int, num_ancilla: int, *, clean: bool = True) -> int:
    """The most two-qubit gates that a dense block takes, before it is synthesised; a matrix without pattern takes them.

    Two or more clean ancillas: column by column, on q = n + m qubits. Column k takes 2^q − q − 1, and 2^|k| − 1 for
    every zero of k above its lowest one (|k| its number of ones); the phases 2^n − 2: about 2^{2n+m} in all. Otherwise
    (22/48) 4^q − (3/2) 2^q + 5/3.

    References:
        Iten et al., PRA 93, 032318 (isometries); Krol & Al-Ars, arXiv:2403.13692 (unitaries).
    """
    q = num_system + num_ancilla
    if clean and num_ancilla >= 2:
        under_control = 0
        for above in range(num_system):  # columns by the number of bits above their lowest one, summed over those bits
            zeros, share = num_ancilla + above, 3 ** max(above - 1, 0)
            ones = 2 ** max(above - 1, 0)
            under_control += 2 * (zeros * 3**above - 2 * above * share) - (zeros * 2**above - above * ones)
        return int(2**num_system * (2**q - q) + under_control - 2)
    return 0 if q < 2 else int(22 * 4**q - 72 * 2**q + 80) // 48


def most_operators(generator: Generator) -> int:
    """A bound on the number of jumps, without a matrix: one per coupling of rank one, dim² in all."""
    full = int(4**generator.model.num_qubits)
    return min(full, sum(1 if c.kernel.rank_one else full for c in generator.contacts))


def refuse_system(scheme: str, num_system: int, operators: int, extra: int = 0) -> None:
    """Refuse too many system qubits before any matrix is formed; `operators` is a bound.

    Raises:
        TooLargeError: With the two-qubit gates and the qubits.
    """
    if num_system > MAX_BLOCK_SYSTEM:
        refuse(scheme, num_system, ancillas_for(operators) + extra)


def refuse(scheme: str, num_system: int, num_ancilla: int, *, clean: bool = True) -> None:
    """Refuse a dense block that is too large to write out; `clean` as for `stated_gates`.

    Raises:
        TooLargeError: With the two-qubit gates and the qubits.
    """
    gates = stated_gates(num_system, num_ancilla, clean=clean)
    if num_system <= MAX_BLOCK_SYSTEM and num_system + num_ancilla <= MAX_BLOCK_QUBITS and gates <= MAX_BLOCK_GATES:
        return
    count = f"{gates:,}" if gates < 10**9 else f"10^{len(str(gates)) - 1}"
    raise TooLargeError(
        f"A sweep of the scheme {scheme} is a dense block on {num_system} system qubits and {num_ancilla} ancillas, "
        f"about {count} two-qubit gates; the limit is {MAX_BLOCK_SYSTEM} system qubits, {MAX_BLOCK_QUBITS} in all and "
        f'{MAX_BLOCK_GATES:,} gates. Fix: use fewer couplings, kind = "dll", or scheme = "parallel".'
    )


def lindbladian_of(generator: Generator, scheme: str) -> Lindbladian:
    """The generator, if it is one.

    Raises:
        ArgumentError: If it is a discrete channel.
    """
    if generator.step is not None:
        raise ArgumentError(
            "kind", f"be a Lindbladian to be compiled by the scheme {scheme}", "a discrete channel was found",
            'set scheme = "discrete" or "stinespring"',
        )  # fmt: skip
    return generator.lindbladian
