"""Right answers that share no code with the package: handed Hamiltonian terms, couplings, β, or a program's steps."""
