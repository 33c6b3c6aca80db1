"""What a run has held out, read again; and whether two runs have held out the same."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import numpy as np

from gai.errors import GaiError
from gai.nn import config as configs
from gai.nn.data.preparing import shared_out, whole
from gai.nn.data.raw import Raw
from gai.nn.runs import CONFIG, Run
from gai.nn.shelves import ENSEMBLE, Shelf

HELD = ("test", "valid")
"""The parts that a network was not trained on, that which decided nothing first."""


def parts_of(run: Run) -> dict[str, Raw]:
    """The parts of a run by name, as its choices divide its data; of an ensemble those that all
    members have, but for those that it was fitted to.

    Raises GaiError where the data is not there any more, or has changed.
    """
    shelf = Shelf(run.path, ENSEMBLE)
    if shelf.there:
        head = shelf.read_head()
        found = shared([parts_of(member) for member in members_of(shelf)])
        return {name: part for name, part in found.items() if name not in head["fitted_on"]}
    run.config()  # raises where there is no run
    said = configs.read(run.file(CONFIG))
    if "-" in said["data"]:
        raise GaiError(f"{run.path} was trained on standard input", "name DATA to score it on")
    found = shared_out(whole(said)).raw
    require_unchanged(run, found)
    return found


def require_unchanged(run: Run, parts: Mapping[str, Raw]) -> None:
    """Raises GaiError where the data of a run is not what it was trained on."""
    from gai.nn.data.preparing import digest_of

    if run.input()["digest"] != digest_of(parts.values()):
        files = ", ".join(run.config().data)
        hint = "name DATA to score it on"
        raise GaiError(f"{run.path} was trained on other data than is in {files} now", hint)


def shared(runs: Sequence[Mapping[str, Raw]]) -> dict[str, Raw]:
    """The held-out parts that are the same examples in all of the runs."""
    first, *others = runs
    return {
        name: first[name]
        for name in HELD
        if name in first
        and all(name in one and identity(one[name]) == identity(first[name]) for one in others)
    }


def identity(raw: Raw) -> str:
    """A digest of which examples these are: their files, their names in these, and their labels.

    Where the files lie does not matter, nor what is read of an example.
    """
    known = sha256(raw.digest.encode())
    for id in raw.ids:
        known.update(f"{os.path.basename(id)}\n".encode("utf-8", "surrogatepass"))
    labels = raw.labels
    known.update(labels.tobytes() if isinstance(labels, np.ndarray) else repr(labels).encode())
    if labels is None:  # the pieces of a text have the name of the text
        known.update(repr(raw.texts).encode())
    return known.hexdigest()


def digests(raw: Raw) -> list[bytes]:
    """A digest of what each example is made of, its label left out."""
    return [sha256(content).digest() for content in contents(raw)]


def contents(raw: Raw) -> Iterable[bytes]:
    """The bytes of each example."""
    if raw.array is not None:
        return (np.ascontiguousarray(row).tobytes() for row in raw.array)
    texts: Sequence[Any] = raw.tokens if raw.tokens is not None else raw.texts or []
    return (repr(text).encode() for text in texts)


def members_of(shelf: Shelf) -> list[Run]:
    """The runs of an ensemble."""
    return [shelf.run(name) for name in shelf.read_head()["members"]]


def trained_on(runs: Iterable[Run]) -> set[bytes]:
    """The digests of all examples that these networks, or the members of these ensembles, were
    trained on."""
    seen = set[bytes]()
    for run in runs:
        shelf = Shelf(run.path, ENSEMBLE)
        seen |= (
            trained_on(members_of(shelf)) if shelf.there else set(digests(parts_of(run)["train"]))
        )
    return seen


def untouched(raw: Raw, seen: set[bytes]) -> Raw:
    """The examples whose digest is not among these."""
    kept = [row for row, digest in enumerate(digests(raw)) if digest not in seen]
    return raw if len(kept) == len(raw) else raw.take(np.array(kept, np.int64))


DOUBLES = 0.05
"""The share of examples that may occur twice in good data, under another name."""


def overlap(one: Raw, other: Raw) -> bool:
    """Whether more of the examples of one are in the other than doubles would explain."""
    known = set(digests(other))
    return sum(digest in known for digest in digests(one)) > DOUBLES * len(one)
