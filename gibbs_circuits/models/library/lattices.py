"""Two-dimensional lattices."""

from __future__ import annotations

from ...errors import check_integer, check_real
from ..model import Model
from .bonds import check_periodic
from .spin_chains import Sparse, _model


def kagome_ising(columns: int = 2, rows: int = 2, gx: float = 0.5, gz: float = 2.0, periodic: bool = False) -> Model:
    r"""Antiferromagnet on the kagome lattice: $H = \sum_{\langle ij\rangle} Z_iZ_j + g_x\sum X_i + g_z\sum Z_i$.

    Three sites per cell; 2 × 2 cells are 12 sites with 17 bonds (24 periodic).
    """
    nx, ny = check_integer("columns", columns, low=1, high=30), check_integer("rows", rows, low=1, high=30)
    check_periodic(periodic, "columns" if nx <= ny else "rows", min(nx, ny), 2)
    gx, gz = check_real("gx", gx), check_real("gz", gz)
    n = 3 * nx * ny

    def site(x: int, y: int, k: int) -> int | None:
        if periodic:
            x, y = x % nx, y % ny
        return 3 * (nx * y + x) + k if 0 <= x < nx and 0 <= y < ny else None

    bonds: set[tuple[int, int]] = set()
    for x in range(nx):
        for y in range(ny):
            a, b, c = (site(x, y, k) for k in range(3))
            pairs = [(a, b), (b, c), (a, c)]
            pairs += [(b, site(x + 1, y, 0)), (c, site(x, y + 1, 0)), (c, site(x - 1, y + 1, 1))]
            bonds |= {(min(p, q), max(p, q)) for p, q in pairs if p is not None and q is not None and p != q}
    sparse: list[Sparse] = [("ZZ", list(bond), 1.0) for bond in sorted(bonds)]
    sparse += [("X", [i], gx) for i in range(n)] + [("Z", [i], gz) for i in range(n)]
    return _model(sparse, n, "kagome_ising")
