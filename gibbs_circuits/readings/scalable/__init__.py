"""Programs read at any number of qubits: local observables backwards, light cones, matrix products, free fermions."""
