"""Places in the state of the counting kernels, and what they return; without Numba.

The callers of kernels read these too, and they must not import Numba.
"""

from __future__ import annotations

TERMS = 0
"""Place in the state: terms interned so far."""
ARENA = 1
"""Bytes of the arena in use."""
FILLED = 2
"""Cells written to ``ids`` and ``counts``."""
DOCUMENT = 3
"""The document that the next token belongs to."""
POSITION = 4
"""Where in ``data`` scanning goes on; -1 at the start of a document."""
ROW = 5
"""The first cell of that document's row."""
STAMP = 6
"""Documents that this table has seen, this one included."""
STOPS = 7
"""Terms below this id are stop words and are passed over."""
LENGTH = 8
"""Tokens of the document so far."""
STATE = 9
"""Numbers in a state."""

DONE, MORE_TERMS, MORE_ARENA = 0, 1, 2
"""What a kernel returns: done, or what lacks room."""
