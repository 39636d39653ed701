"""How a model thermalises: Lindbladians in symbolic form."""

from .catalogue import dll
from .couplings import Couplings, couplings_of
from .lindbladian import Coherent, Contact, Lindbladian

__all__ = ["Coherent", "Contact", "Couplings", "Lindbladian", "couplings_of", "dll"]
