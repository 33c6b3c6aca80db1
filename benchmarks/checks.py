"""What stored matrices hold, found in a process: ``python -m benchmarks.checks NAME FILES``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import gai


def same(ours: str, theirs: str) -> dict[str, Any]:
    """Whether both matrices have the same terms and cells, and the largest relative difference."""
    from scipy.sparse import load_npz

    mine = gai.load(ours)
    other: Any = load_npz(theirs)
    other.sort_indices()
    terms = str(np.load(theirs)["terms"].tobytes(), "utf-8").split("\n")
    cells = (
        mine.shape == other.shape
        and np.array_equal(mine.indptr, other.indptr)
        and np.array_equal(mine.indices, other.indices)
    )
    equal = cells and list(mine.terms) == terms
    largest = float(np.max(np.abs(mine.data / other.data - 1), initial=0)) if cells else None
    return {"equal": equal, "largest": largest}


def vocabulary(path: str) -> dict[str, Any]:
    """The number of terms, and the bytes of their text and offsets."""
    terms = gai.load(path).terms
    return {"terms": len(terms), "bytes": terms.arena.nbytes + terms.offsets.nbytes}


CHECKS: dict[str, Callable[..., dict[str, Any]]] = {"same": same, "vocabulary": vocabulary}

if __name__ == "__main__":
    print(json.dumps(CHECKS[sys.argv[1]](*sys.argv[2:])))
