"""The options that commands about vectors share."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from gai.cli import values
from gai.cli.options import Talk, cores, option
from gai.errors import UsageError

NEIGHBOURS = 10
"""Words that are found where nobody says how many."""


@dataclass(eq=False, repr=False)
class Source:
    """Which vectors are asked."""

    panel: ClassVar[str] = "Vectors"
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="Vectors in any format that gai reads.")
    ] = None

    @property
    def path(self) -> str:
        """The file; raises a UsageError where none is named."""
        if self.file is None:
            raise UsageError("no file: which vectors?", "gai vectors COMMAND FILE ...")
        return self.file


@dataclass(eq=False, repr=False)
class Found:
    """Which words are found."""

    panel: ClassVar[str] = "Output"
    top: Annotated[
        int | None,
        option(
            "-k",
            "--top",
            metavar="K",
            parse=values.whole(1),
            help="The K nearest words.",
            default=str(NEIGHBOURS),
        ),
    ] = None
    top_words: Annotated[
        int | None,
        option(
            "--top-words",
            metavar="N",
            parse=values.whole(1),
            help="Find none but the first N words, which in most files are the most frequent.",
        ),
    ] = None

    @property
    def k(self) -> int:
        """How many words are found."""
        return self.top or NEIGHBOURS


@dataclass(eq=False, repr=False)
class Work(Talk):
    """How the work is done."""

    jobs: Annotated[
        int | None,
        option("-j", "--jobs", metavar="N", parse=values.whole(1), help="Cores.", default="all"),
    ] = None

    @property
    def threads(self) -> int:
        """How many cores this run may use."""
        return self.jobs or cores()
