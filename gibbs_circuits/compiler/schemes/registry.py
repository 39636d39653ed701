"""One file per scheme: jump operators → ancilla couplings."""

from __future__ import annotations

from ..base import Knobs, Scheme
from .dilated import DILATED_SOURCE, dilated_1, dilated_2, dilated_3
from .discrete import DiscreteKnobs, discrete
from .parallel import ParallelKnobs, parallel
from .random_jumps import RandomJumpsKnobs, random_jumps
from .sequential import SequentialKnobs, sequential
from .stinespring import stinespring
from .thermal_ancilla import ThermalAncillaKnobs, thermal_ancilla
from .weak_measurement import WEAK_SOURCE, weak_measurement

SCHEMES: dict[str, Scheme] = {
    scheme.name: scheme
    for scheme in (
        Scheme(
            "parallel",
            parallel,
            ParallelKnobs,
            "one ancilla per site, all riding the same evolution",
            1,
            "Lloyd & Abanin, PRX 16, 031053",
        ),
        Scheme(
            "sequential",
            sequential,
            SequentialKnobs,
            "one ancilla, jump by jump, forward and back",
            1,
            "Ding, Chen & Lin, Phys. Rev. Research 6, 033147",
        ),
        Scheme(
            "random_jumps",
            random_jumps,
            RandomJumpsKnobs,
            "one ancilla, one jump per sweep, drawn by its share of the total rate",
            1,
            "Chen, Li, Lu & Ying, arXiv:2407.06594; Campbell, PRL 123, 070503",
        ),
        Scheme(
            "thermal_ancilla",
            thermal_ancilla,
            ThermalAncillaKnobs,
            "one coupling and one thermal ancilla drawn per sweep, with the shift rule",
            1,
            "Ding, Zhan, Preskill & Lin, arXiv:2508.05703",
        ),
        Scheme(
            "dilated_1",
            dilated_1,
            Knobs,
            "one dense evolution under the first-order dilated Hamiltonian",
            1,
            DILATED_SOURCE,
        ),
        Scheme(
            "dilated_2",
            dilated_2,
            Knobs,
            "one dense evolution under the second-order dilated Hamiltonian",
            2,
            DILATED_SOURCE,
        ),
        Scheme(
            "dilated_3",
            dilated_3,
            Knobs,
            "one dense evolution under the third-order dilated Hamiltonian",
            3,
            DILATED_SOURCE,
        ),
        Scheme(
            "weak_measurement",
            weak_measurement,
            Knobs,
            "a block encoding of the jumps, weakly measured",
            1,
            WEAK_SOURCE,
        ),
        Scheme(
            "stinespring",
            stinespring,
            Knobs,
            "the exact channel of a sweep as one dense isometry",
            None,
            "Stinespring, Proc. AMS 6, 211",
            discrete=True,
        ),
        Scheme(
            "discrete",
            discrete,
            DiscreteKnobs,
            "the discrete exact channel, whose fixed point is exact at finite step, as one dense isometry",
            None,
            "Gilyén, Chen, Doriguello & Kastoryano, arXiv:2405.20322",
            discrete=True,
        ),
    )
}
