"""Every size limit, once, each with its reason: checked before anything is allocated or read.

A limit is refused with what was found, the limit, and what to do instead; nothing is cut off silently.
"""

from __future__ import annotations

# --- searches: what they may take
MAX_EFFORT = 1000  # steps of a minute: a day of one core, after which seeds bring more than patience
MAX_TIME_BUDGET = 1e6  # seconds: eleven days
# --- files: read before anything is known about them
MAX_TEXT_BYTES = 16 * 2**20  # an FCIDUMP of 60 orbitals is 10 MiB; a text is held three times while it is parsed
# --- dense operators handed to a user
MAX_JUMP_BYTES = 2 * 2**30  # of all jump operators together: a quarter of a small machine
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
# --- models and experiment files
MAX_SITES = 2000  # qubits of a model, however it is given: a chain is written and counted in a minute
MAX_LETTERS = 20_000_000  # terms × qubits of one operator: two tables of a byte per letter
MAX_COUPLINGS = 10_000  # of one generator: each is a jump with a filter of its own; five per site at 2,000 sites
MAX_QASM_BYTES = 256 * 2**10  # of a start in OpenQASM, whose parser reads 50 kB a second
MAX_START_GATES = 100_000  # of a start once every gate definition is written out, each on a whole register or less
MAX_TABLE_ROWS = 10_000  # of a file with a bath or a filter: every row of a bath is an end of its integrals
MAX_CLASSES = 1024  # distinct Bohr frequencies of a secular kernel: one jump per coupling and class
MAX_TABULATED = 4096  # distinct Bohr frequencies of a tabulated kernel of the user: a table of their square, 256 MiB
MAX_CENTRES = 1000  # windows per side of a factored kernel: one filter each
MAX_MODES = 2000  # fermionic modes: dense matrices of twice as many rows, 256 MiB each and minutes
# --- the exact answer and the certificate: dense matrices
MAX_DENSE_QUBITS = 12  # spectrum of H: 256 MiB per matrix of 4096 rows, a minute
MAX_LINE_SECONDS = 100.0  # of a thermal state as a matrix product, as counted from its tensors: all refinements
MAX_LINE_WIDTH = 8  # interactions across one bond of the line: beyond, bonds of thousands
MAX_TRANSFER_WIDTH = 18  # sites of a classical model that are open at once: 2^18 numbers per site of the line
MAX_TYPICAL_QUBITS = 20  # 16 MiB per vector, ten of which are kept, and 8 or 16 MiB per distinct flip of H
MAX_TYPICAL_SECONDS = 300.0  # of cooling random vectors: hours at low temperature
MAX_SUPEROPERATOR_QUBITS = 5  # 16^n entries, 16 MiB at 5 and 256 MiB at 6, whose eigenvalues take minutes
MAX_SHIFT_QUBITS = 8  # a Lamb shift sums over all triples of levels, 8^n
MAX_SHIFT_ENTRIES = 2_000_000  # of the triples that are held at once: 32 MB
MAX_CERTIFIED_QUBITS = 8  # a minute on two cores; `certificate(…, max_qubits=11)` goes on
MAX_FROZEN_QUBITS = 10  # a few seconds; beyond, nothing else that compiles needs the spectrum of H
MAX_ADVISED_QUBITS = 7  # gaps of other couplings for comparison: some seconds
MAX_LOCALITY_QUBITS = 8  # a generator's terms by region: 4^n Pauli strings each
MAX_DIGITS_QUBITS = 4  # linear equations of 4^n rows in digits: seconds to a minute
MAX_BITS = {1: 16384, 2: 8192, 3: 4096, 4: 1024}  # of one number of those, by qubits: what takes half a minute
MAX_EIGENVALUES_QUBITS = 3  # of a generator whose eigenvalues are taken in digits, seconds
MAX_SPARSE_ENTRIES = 30_000_000  # of a secular generator: 0.7 GB
LARGEST_BLOCK = 2200  # rows of one block of a secular generator: its eigenvalues take a minute
SUBSPACE_BYTES = 256 * 2**20  # of the vectors a state is evolved in
STATES_BYTES = 2 * 2**30  # of all states asked for at once
# --- programs and their exact channel
MAX_CHANNEL_QUBITS = 5  # a channel as a matrix of 16^n entries: 16 MiB at 5, eigenvalues in 2 s
MAX_KRYLOV_QUBITS = 8  # a channel that is applied, not written out: 4^n entries per vector, a minute
MAX_STACK_GIB = 2.0  # of one stack of Kraus operators
MAX_STACKED = 4_000_000  # entries of a stack of Kraus operators that branches are gathered into
MAX_KEPT = 1 << 26  # entries of the Kraus operators of a random choice, beyond which branches are built when needed
MAX_READ_SITES = 5  # of an observable taken backwards: all 4^k strings of its sites are carried together
MAX_LOCAL_MAP = 5  # qubits of one map in the Pauli basis: 4^k × 4^k entries, 8 MiB at 5
MAX_CONE_QUBITS = 12  # wires of a light cone that are alive at once: vectors of 4^12 entries, 128 MiB, a second per map
MAX_PREDICTED_SITES = 128  # of a program whose regions are predicted: a minute or two where it is deep
MAX_EXACT_QUBITS = 10  # e^{−iHt} as a matrix: 16 MiB each, seconds
MAX_TRAJECTORY_QUBITS = 24  # system and ancillas away from |0⟩ at once: 2 GiB for a smallest batch
MAX_RADIUS_QUBITS = 8  # pieces of a coherent term compared with the whole: seconds
MAX_LOOP_SYSTEM = 6  # every jump between levels is a dense unitary
MAX_LOOP_GATES = 256  # dense unitaries per sweep
MAX_STEPS = 20_000  # of one sweep: counted, written as a channel and transpiled in 20 s
MAX_BRANCH_STEPS = 10**6  # of all branches that one sweep draws from: written when drawn, counted in a minute
MAX_TRIED_STEPS = 100_000  # of all sweeps that are tried to choose knobs: 15 s
MAX_GATES = 200_000  # two-qubit gates of one sweep that is written at once: transpiled in 20 s
LONGEST_DELAY = 10**4  # steps of a random delay: each length is a branch
MAX_DIAGONALISED = 8  # qubits whose Bohr frequencies settle default knobs: a second
MOST_MEASUREMENTS = 1000  # of one sweep
MAX_DENSE_GATES = 100_000  # two-qubit gates of one sweep of dense blocks: transpiled and checked in 20 s
MAX_BLOCK_SYSTEM = 5  # system qubits of a dense block: its channel is checked
MAX_BLOCK_QUBITS = 10  # of a dense block in all: a unitary of 1024 rows
MAX_BLOCK_GATES = 30_000  # two-qubit gates of one block: synthesised and checked in about 20 s
MAX_PATCH_QUBITS = 8  # around a coupling: the coherent term there is dense
MAX_COHERENT_TERMS = 5000  # Pauli rotations of a coherent term
MAX_LOOP_QUBITS = 4  # of the dense loop that a report compares with: seconds
MAX_LOOP_STEPS = 5000  # of that loop until it has cooled
MAX_LOOP_JUMPS = 32  # of that loop; more are not written by hand
# --- searches
MAX_GENERATORS = 10  # of a group whose elements are branches, 2^10
MAX_PRODUCT_QUBITS = 6  # whose nearest product state takes seconds
MAX_ALIVE = 9  # qubits that are in use at once: 4^9 entries of a noisy state
MAX_SAMPLED = 6  # qubits up to which a sampler is fitted in seconds to minutes
MAX_PREPARED = 7  # qubits up to which a preparation is
MAX_RUNG_QUBITS = 4  # qubits up to which every approximation is measured alone: seconds
MAX_PALINDROMES = 12  # jumps up to which a mirrored order is measured
# --- runs and targets
MEMORY_LIMIT_GIB = 8.0  # of one command, whatever the machine has
MEMORY_SHARE = 0.5  # of a machine: another half for what allocates on the way and for everybody else
MAX_FRESH = 10_000  # ancillas of a program that uses each once: a qubit and a step each
MAX_CIRCUIT_GATES = 2_000_000  # operations of one circuit written out: 2 kB each in a simulator, 4 GB and a minute
MAX_STATE_SITES = 11  # whose density matrix a run keeps if no backend is named; the packaged targets take no more
STATEVECTOR_LIMIT = 26  # qubits beyond which a trajectory takes minutes
MAX_CHECKED_QUBITS = 10  # in use: the vector of Pauli expectations has 4^q entries
MAX_CHECK_SECONDS = 20.0  # for writing a sweep of more than a few qubits as a map
MAX_NOISY_ENTRIES = 5 * 10**6  # sweeps × 4^q of a noisy state that is followed sweep by sweep: some seconds
MAX_NOISY_QUBITS = 10  # in use: 4^10 entries per vector
MAX_CHECKED_WIRES = 14  # of a block that is compared with its routed form: 2^14 amplitudes each
MAX_COMPARED_GATES = 8_000  # of a block that is synthesised in three ways, of which the shortest is taken: 10 s
MAX_SEARCHED = 8_000  # two-qubit gates times qubits of a block that is searched for swaps; Qiskit routes larger ones
MAX_BOTH_WAYS = 16  # qubits of a chain that is searched for swaps, too, where it has a track: half a minute
MAX_PLACES = 20_000  # embeddings that are compared
MAX_STATES = 2_000_000  # of the search for them: seconds
MAX_COMPARED_LETTERS = 10**8  # terms² × qubits that are compared pair by pair for bases: 0.5 GB
ROUTED_GATES = 1500  # per sweep; routing more beside a run would take a minute
WRITTEN_OUT = 64  # system qubits up to which writing a program to count its ancillas is quick
# --- what is said: lines and names
# --- operators
MAX_MATRIX_QUBITS = 10  # of an operator given as a matrix: 4^10 Pauli coefficients, 16 MiB
SHORTEST_TIME, LONGEST_TIME = 1e-6, 1e12  # µs of a target: a picosecond to eleven days, whose ratios are whole numbers
