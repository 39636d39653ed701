"""What a user would take instead of a tuned program: published recipes, purification, variational thermofield double.

    python benchmarks/peers.py        # mixed-field Ising chain, 4 sites, β = 1; about three minutes on one core

Two-qubit gates are CZ after Qiskit's level 3 in the basis cz, rz, sx, x, every pair connected; a repeated recipe is one
sweep transpiled, mean over its random steps, times the sweeps. Distances are trace distances of exact density matrices.
The worst start is searched for up to 5 qubits, so that a worse one may exist; above, seven starts are followed: the
counts err in favour of the peers. The settings of the recipes are the best of a search within a time, upper bounds:
more time finds cheaper ones, and so may another run on another machine.
"""

from __future__ import annotations

from peer import Peer
from peer_purifications import eigenstates, nearest_product, purification, thermofield_double
from peer_recipes import preset_peers
from rich.console import Console
from rich.table import Table

from gibbs_circuits.models.library.spin_chains import mixed_field_ising
from gibbs_circuits.programs.program import Guarantee


def main() -> None:
    """Print the table."""
    model, beta, letters, targets, seconds = mixed_field_ising(4), 1.0, "Y", (0.05, 0.02), 60.0
    table = Table("way", "target", "CZ", "trace distance", "how", title=f"{model.name}, 4 sites, β = {beta:g}")

    def row(peer: Peer, target: str) -> None:
        gates = "never" if peer.gates is None else f"{peer.gates:,.1f}"
        table.add_row(peer.name, target, gates, f"{peer.distance:.4f}", peer.how)

    for guarantee in (Guarantee.ANY_START, Guarantee.GIVEN_START):
        for target, peers in preset_peers(model, beta, letters, targets, seconds, guarantee).items():
            for peer in peers:
                row(peer, f"{target:g}, {guarantee.value.replace('_', ' ')}")
        table.add_section()
    for target, peer in thermofield_double(model, beta, targets, seconds).items():
        row(peer, f"{target:g}")
    table.add_section()
    for peer in (purification(model, beta), eigenstates(model, beta), nearest_product(model, beta)):
        row(peer, "—")
    Console(width=180).print(table)


if __name__ == "__main__":
    main()
