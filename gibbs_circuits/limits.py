"""Every size limit, once, each with its reason: checked before anything is allocated or read.

A limit is refused with what was found, the limit, and what to do instead; nothing is cut off silently.
"""

from __future__ import annotations

# --- files: read before anything is known about them
MAX_TEXT_BYTES = 16 * 2**20  # an FCIDUMP of 60 orbitals is 10 MiB; a text is held three times while it is parsed
MAX_NESTING = 100  # brackets within brackets of a text that a parser follows by recursion
MAX_NUMBER_LENGTH = 400  # digits of one number: the longest double written out in full has 325

# --- dense operators handed to a user
MAX_JUMP_BYTES = 2 * 2**30  # of all jump operators together: a quarter of a small machine

# --- the exact answer in many digits
MAX_DIGITS_QUBITS = 4  # matrices of 4**n rows of balls: 10 s at 4

# --- threads: below these sizes one is faster beside other work, and hardly slower alone
ONE_THREAD_ROWS = 1024  # of a dense matrix: eigh takes 1.6 s on one thread, 25 s on two beside other work
ONE_THREAD_AMPLITUDES = 2**14  # of a simulated state: where Aer itself begins to use several threads

# --- results on disk: held against what a run asks for before anything is unpacked
MAX_BLOCK_BYTES = 64 * 2**20  # of a block whose run is not known; a run's own bound comes from its shots and qubits
BLOCK_OVERHEAD_BYTES = 64 * 2**10  # headers and names of the arrays of a block
MAX_SAVED_BYTES = 64 * 2**20  # a saved program: a 1024 × 1024 unitary is 45 MiB; parsing takes six times as much

# --- programs: a hand may write anything into a saved one
MAX_REGISTER = 100_000  # qubits of a program's system or ancillas: more than any device has
MAX_SWEEPS = 10**6  # repeats of a stage, as many as the key `sweeps` may ask for
MAX_SLICES = 10**9  # slices of an evolution, repetitions of a delay: counted by formula up to here
