"""Shelves: a folder of runs is of one kind alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from gai.errors import UsageError
from gai.nn.shelves import CROSSED, ENSEMBLE, Shelf


def test_folds_in_the_place_of_an_ensemble_leave_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "member-1").mkdir()
    for name in (ENSEMBLE, "report.json", "card.md", "mine.txt"):
        (tmp_path / name).write_text("{}")
    shelf = Shelf(str(tmp_path), CROSSED)
    with pytest.raises(UsageError, match="holds runs already"):
        shelf.begin(force=False)
    shelf.begin(force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
