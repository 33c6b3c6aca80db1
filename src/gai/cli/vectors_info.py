"""gai vectors info."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gai.cli import values, writing
from gai.cli.info import SHOWN, flat
from gai.cli.options import Talk, option
from gai.cli.vector_files import loaded
from gai.errors import UsageError

if TYPE_CHECKING:
    from gai.output.vectors import Vectors

Facts = dict[str, Any]


def vectors_info(
    *,
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="Vectors in any format that gai reads.")
    ] = None,
    format: Annotated[
        str | None,
        option(
            "--format",
            parse=values.choice("tsv", "json"),
            help="Write this format.",
            default="aligned on a terminal, tsv in a pipe",
        ),
    ] = None,
    talk: Talk,
) -> None:
    """What a file of vectors holds.

    Its format, words, dimensions and numbers, whether unseen words have vectors too, its signature,
    and its first words. With -v also how long the vectors are, for which all of them are read.
    """

    if file is None:
        raise UsageError("no file: which vectors?", "gai vectors info FILE")
    vectors = loaded(file, talk)
    facts = of_vectors(file, vectors, lengths=talk.verbose)
    if format == "json":
        print(json.dumps(facts, indent=2))
    else:
        writing.write_facts([(name, text, "") for name, text in flat(facts)], format)


def of_vectors(path: str, vectors: Vectors, lengths: bool = False) -> Facts:
    """What vectors hold; ``lengths`` asks for those of the vectors."""
    from gai.signature import line

    counts = vectors.counts
    facts: Facts = {
        "file": path,
        "kind": vectors.signature.get("kind") or "vectors",
        "format": vectors.format,
        "words": len(vectors),
        "dim": vectors.dim,
        "numbers": str(vectors.dtype),
        "tokens": None if counts is None else int(counts.sum()),
        "unseen words": unseen(vectors),
        "training state": sorted(vectors.state),
        "line": line(vectors.signature) if "analysis" in vectors.signature else "",
        "signature": vectors.signature,
        "first words": list(vectors.words[:SHOWN]),
    }
    if lengths and len(vectors):
        norms = vectors.norms
        some = {"shortest": norms.min(), "mean": norms.mean(), "longest": norms.max()}
        facts["length"] = {name: round(float(value), 6) for name, value in some.items()}
    return facts


def unseen(vectors: Vectors) -> str:
    """What becomes of a word that has no row."""
    parts = vectors.subwords
    if parts is None or not vectors.knows_parts:
        return "unknown"
    return f"made of parts of {parts.min_n} to {parts.max_n} characters, {parts.bucket:,} buckets"
