"""Shelf: a folder with several runs in it, and a JSON file that says what they are together.

    cv.json         the scores of each fold, their means and spreads    fold-1, fold-2, ...
    ensemble.json   how the answers of members become one               member-1, member-2, ...

What stands in the subfolders are ordinary runs. The JSON file is written last, so that a folder
without it was cut off.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gai import __version__
from gai.errors import GaiError, UsageError
from gai.nn.runs import CARD, REPORT, Run, strict
from gai.output.atomic import naming, staged

FORMAT = 1
"""The version of the layout."""

CROSSED, ENSEMBLE = "cv.json", "ensemble.json"
KEYS: dict[str, dict[str, type]] = {
    CROSSED: {"folds": list, "network": dict},
    ENSEMBLE: dict.fromkeys(("members", "weights", "bias", "fitted_on"), list) | {"how": str},
}
"""What the files must have."""

RUNS = re.compile(r"(fold|member)-\d+")


@dataclass(frozen=True)
class Shelf:
    """A folder of runs; ``head`` names the JSON file."""

    path: str
    head: str

    def file(self, name: str) -> str:
        """The path of a file in it."""
        return os.path.join(self.path, name)

    @property
    def there(self) -> bool:
        """Whether the folder is one of this kind."""
        return os.path.isfile(self.file(self.head))

    def require_free(self, *, force: bool) -> None:
        """Raises UsageError where the folder holds what is not to be lost."""
        if os.path.exists(self.path) and not os.path.isdir(self.path):
            raise UsageError(f"{self.path} is a file", "runs lie in a folder: name another")
        held = set(os.listdir(self.path)) if os.path.isdir(self.path) else set()
        ours = {name for name in held if RUNS.fullmatch(name)}
        if held and not ours and self.head not in held:
            raise UsageError(f"{self.path} is a folder with other files in it", "name another")
        if held and not force:
            raise UsageError(f"{self.path} holds runs already", "--force begins anew in its place")

    def begin(self, *, force: bool) -> None:
        """Makes the folder, without what was in it; raises as ``require_free`` does."""
        self.require_free(force=force)
        with naming(self.path):
            os.makedirs(self.path, exist_ok=True)
            for name in (*KEYS, CARD, REPORT):
                if os.path.exists(self.file(name)):
                    os.unlink(self.file(name))
            for name in sorted(os.listdir(self.path)):
                if RUNS.fullmatch(name):
                    shutil.rmtree(self.file(name))

    def run(self, name: str) -> Run:
        """A run in it."""
        return Run(self.file(name))

    def write(self, name: str, text: str) -> None:
        """Writes a file of text."""
        with staged(self.file(name)) as (sink,):
            sink.write(text.encode("utf-8", "surrogateescape"))

    def write_head(self, said: Mapping[str, Any]) -> None:
        """Writes the JSON file, with which the folder is whole."""
        head = {"format": FORMAT, "gai": __version__, **said}
        self.write(self.head, json.dumps(strict(head), indent=1) + "\n")

    def read_head(self) -> dict[str, Any]:
        """What the JSON file says; raises GaiError where it is missing, broken or of another
        version."""
        found = Run(self.path).json(self.head)
        if found.get("format") != FORMAT:
            raise GaiError(
                f"{self.file(self.head)} was written by gai {found.get('gai', '?')}, in format "
                f"{found.get('format')!r}; this is gai {__version__}, which reads {FORMAT}",
                "make it again",
            )
        for name, kind in KEYS[self.head].items():
            if not isinstance(found.get(name), kind):
                shown = f"{name} is {found.get(name)!r}"
                raise GaiError(f"{self.file(self.head)}: broken: {shown}", "make it again")
        return found
