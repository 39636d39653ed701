"""Every size limit, once, each with its reason: checked before anything is allocated or read.

A limit is refused with what was found, the limit, and what to do instead; nothing is cut off silently.
"""

from __future__ import annotations

# --- files: read before anything is known about them
MAX_TEXT_BYTES = 16 * 2**20  # an FCIDUMP of 60 orbitals is 10 MiB; a text is held three times while it is parsed
MAX_NESTING = 100  # brackets within brackets of a text that a parser follows by recursion
MAX_NUMBER_LENGTH = 400  # digits of one number: the longest double written out in full has 325

# --- what is said: lines and names
LONGEST_LINE = 400  # characters of an error: five lines of a terminal
LONGEST_NAME = 200  # characters of a name: what a table can hold

# --- operators
MAX_MATRIX_QUBITS = 10  # of an operator given as a matrix: 4^10 Pauli coefficients, 16 MiB
SHORTEST_TIME, LONGEST_TIME = 1e-6, 1e12  # µs of a target: a picosecond to eleven days, whose ratios are whole numbers
