"""The classes of characters that the scanners tell apart, as bits of one byte per code point.

The low five bits are the Word_Break class of Unicode 15.0 (UAX #29), made whole by the two
properties that its rules need beside it: Extended_Pictographic and Line_Break=Complex_Context.
"""

from __future__ import annotations

OTHER = 0
CR = 1
LF = 2
NEWLINE = 3
EXTEND = 4
ZWJ = 5
FORMAT = 6
REGIONAL_INDICATOR = 7
KATAKANA = 8
HEBREW_LETTER = 9
ALETTER = 10
SINGLE_QUOTE = 11
DOUBLE_QUOTE = 12
MIDNUMLET = 13
MIDLETTER = 14
MIDNUM = 15
NUMERIC = 16
EXTENDNUMLET = 17
WSEGSPACE = 18
PICTOGRAPH = 19
"""Extended_Pictographic, and Other for Word_Break."""
ALETTER_PICTOGRAPH = 20
"""Extended_Pictographic and ALetter at once: the circled letters and their kin."""
COMPLEX = 21
"""Line_Break=Complex_Context and Other for Word_Break: letters of Thai, Lao, Khmer, Myanmar."""

CLASS = 0x1F
"""The bits of the class."""
LETTER_OR_DIGIT = 0x20
"""General_Category L*, Nd, Nl or No in Unicode 15.0, whichever version the interpreter knows."""
WORD = 0x40
r"""What ``\w`` matches in the running interpreter."""
SPACE = 0x80
r"""What ``\s`` matches in the running interpreter."""
