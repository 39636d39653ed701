"""Layers of CZ gates that suit a model: contacts with ancillas (a) and interacting pairs (b), spelled as words."""

from __future__ import annotations

from itertools import combinations, pairwise

from qiskit.quantum_info import SparsePauliOp

from .ansatz import Ansatz, Edge, Layer

CONTACT, BONDS = "a", "b"


def interacting_pairs(hamiltonian: SparsePauliOp) -> tuple[Edge, ...]:
    """Pairs of qubits that some term acts on, terms of the fewest qubits first.

    A longer term adds a path along it, unless pairs already connect its qubits.
    """
    terms = []
    for label, coefficient in hamiltonian.to_list():
        support = tuple(q for q, letter in enumerate(reversed(label)) if letter != "I")
        if len(support) > 1 and coefficient != 0:
            terms.append(support)
    found: dict[Edge, None] = {}
    for support in sorted(terms, key=len):
        if len(support) == 2:
            found[support] = None
        elif not _connected(support, found):
            for edge in pairwise(support):
                found[edge] = None
    return tuple(found)


def _connected(support: tuple[int, ...], pairs: dict[Edge, None]) -> bool:
    reached, edges = {support[0]}, [edge for edge in pairs if set(edge) <= set(support)]
    for _ in support:
        reached |= {q for edge in edges if set(edge) & reached for q in edge}
    return reached == set(support)


def spelled_layers(word: str, num_system: int, bonds: tuple[Edge, ...]) -> tuple[Layer, ...]:
    """`aba` as layers: a CZ from every site to its ancilla, one on every bond, the ancillas again."""
    contact = tuple((q, num_system + q) for q in range(num_system))
    return tuple(contact if letter == CONTACT else bonds for letter in word)


def shape(word: str, num_system: int, bonds: tuple[Edge, ...], *, real: bool, classical: bool = False) -> Ansatz:
    """One ancilla per site, nothing shared."""
    return Ansatz(num_system, num_system, spelled_layers(word, num_system, bonds), real, classical=classical)


def any_pairs(num_system: int, bonds: tuple[Edge, ...]) -> tuple[Edge, ...]:
    """Where a search may put a gate: bonds and own ancillas, three times as often as any other pair."""
    own = [(q, num_system + q) for q in range(num_system)]
    others = list(combinations(range(num_system), 2))
    foreign = [(q, num_system + a) for q in range(num_system) for a in range(num_system) if a != q]
    return (*list(bonds) * 3, *own * 3, *others, *foreign[:: max(1, num_system - 1)])


def never_wipes(ansatz: Ansatz) -> bool:
    """Whether no site meets ancillas twice without a gate between it and another site in between, sweep after sweep.

    One CZ with an ancilla is at most a dephasing: it neither resets a site nor carries its state away.
    """
    n = ansatz.num_system
    met = set[int]()
    for layer in (*ansatz.layers, *ansatz.layers):  # twice, so that a sweep's end stands before the next one's begin
        for a, b in layer:
            if b >= n:
                if a in met:
                    return False
                met.add(a)
            else:
                met -= {a, b}
    return True
