"""gai turns text into numbers: the line of the commands as Python functions.

    documents -> tokens -> forms -> terms -> counts -> weights -> output

>>> import gai
>>> words = gai.Terms.of(["dog", "cat"])
>>> list(words.take(words.argsort()))
['cat', 'dog']

Each name is loaded when it is first used, so that ``import gai`` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from gai.counts import Counts, Pruning, count
    from gai.documents import Reading, read
    from gai.errors import GaiError, UsageError
    from gai.output import Result, Stored, load, write
    from gai.terms import Terms
    from gai.tokens.analysis import Analysis
    from gai.weights import Statistics, Weighting, weighted

_HOMES = {
    "Analysis": "gai.tokens.analysis",
    "Counts": "gai.counts",
    "GaiError": "gai.errors",
    "Pruning": "gai.counts",
    "Reading": "gai.documents",
    "Result": "gai.output",
    "Statistics": "gai.weights",
    "Stored": "gai.output",
    "Terms": "gai.terms",
    "UsageError": "gai.errors",
    "Weighting": "gai.weights",
    "count": "gai.counts",
    "load": "gai.output",
    "read": "gai.documents",
    "weighted": "gai.weights",
    "write": "gai.output",
}

__all__ = [
    "Analysis",
    "Counts",
    "GaiError",
    "Pruning",
    "Reading",
    "Result",
    "Statistics",
    "Stored",
    "Terms",
    "UsageError",
    "Weighting",
    "__version__",
    "count",
    "load",
    "read",
    "weighted",
    "write",
]


def __getattr__(name: str) -> Any:
    """A name of the front door, from the room it lives in."""
    if name not in _HOMES:
        raise AttributeError(f"module 'gai' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
