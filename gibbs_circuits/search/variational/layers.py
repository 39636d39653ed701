"""Layers of CZ gates that suit a model: contacts with ancillas (a) and interacting pairs (b), spelled as words.

A digit is the pairs of one colour, which share no site: two such layers in a row hold every real gate of two qubits, so
that weak correlations take small angles; on a chain `12` costs as much as `b`, and holds it.
"""

from __future__ import annotations

from itertools import combinations

from ...models.graph import Edge
from .ansatz import Ansatz, Layer

CONTACT, BONDS = "a", "b"
COLOURS = "123456789"


def spelled_layers(
    word: str, num_system: int, bonds: tuple[Edge, ...], colours: tuple[int, ...] = ()
) -> tuple[Layer, ...]:
    """`aba` as layers: a CZ from every site to its ancilla, one on every bond, the ancillas again.

    `colours` are those of the bonds, for words that have digits.
    """
    contact = tuple((q, num_system + q) for q in range(num_system))
    made = {CONTACT: contact, BONDS: bonds}
    for number in sorted({int(letter) for letter in word if letter in COLOURS}):
        made[str(number)] = tuple(pair for pair, colour in zip(bonds, colours, strict=True) if colour == number)
    return tuple(made[letter] for letter in word)


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
