"""Programs from couplings, H and β by formulas; the exact channel accepts or rejects."""
