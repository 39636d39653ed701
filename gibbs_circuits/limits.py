"""Every size limit, once, each with its reason: checked before anything is allocated or read.

A limit is refused with what was found, the limit, and what to do instead; nothing is cut off silently.
"""

from __future__ import annotations

# --- searches: what they may take
MAX_EFFORT = 1000  # steps of a minute: a day of one core, after which seeds bring more than patience
MAX_TIME_BUDGET = 1e6  # seconds: eleven days

# --- files: read before anything is known about them
MAX_TEXT_BYTES = 16 * 2**20  # an FCIDUMP of 60 orbitals is 10 MiB; a text is held three times while it is parsed
MAX_NESTING = 100  # brackets within brackets of a text that a parser follows by recursion
MAX_NUMBER_LENGTH = 400  # digits of one number: the longest double written out in full has 325
