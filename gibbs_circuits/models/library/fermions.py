"""Fermions on a lattice, by the Jordan–Wigner transformation."""

from __future__ import annotations

from ...errors import check_integer, check_real
from ...limits import MAX_SITES
from ..model import Model
from .bonds import chain
from .spin_chains import Sparse, _model


def hubbard(sites: int = 2, t: float = 1.0, U: float = 4.0, mu: float = 0.0, periodic: bool = False) -> Model:
    r"""Hubbard chain by Jordan–Wigner: $H = -t\sum(c^\dagger c + h.c.) + U\sum n_\uparrow n_\downarrow - \mu\sum n$.

    Qubit i is site i with spin up, qubit `sites` + i the same site with spin down; $n = (1 - Z)/2$.
    """
    L = check_integer("sites", sites, low=1, high=MAX_SITES)
    t, U, mu = check_real("t", t), check_real("U", U), check_real("mu", mu)
    sparse: list[Sparse] = []
    for i, j in chain(L, periodic).bonds:
        for a, b in ((i, j), (L + i, L + j)):
            low, high = min(a, b), max(a, b)
            string = list(range(low + 1, high))
            for letter in "XY":  # c†_a c_b + h.c. = (X…Z…X + Y…Z…Y)/2
                sparse.append((letter + "Z" * len(string) + letter, [low, *string, high], -t / 2))
    for i in range(L):
        sparse += [("", [], U / 4 - mu), ("ZZ", [i, L + i], U / 4)]
        sparse += [("Z", [q], mu / 2 - U / 4) for q in (i, L + i)]
    return _model(sparse, 2 * L, "hubbard")
