"""gai vectors convert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from gai.cli import terminal, values
from gai.cli.options import Talk, option
from gai.cli.training_options import VECTOR_FORMATS
from gai.cli.vector_files import loaded
from gai.errors import UsageError

if TYPE_CHECKING:
    from gai.output.vectors import Vectors


@dataclass(eq=False, repr=False)
class Conversion:
    """What becomes of the vectors."""

    panel: ClassVar[str] = "Output"
    format: Annotated[
        str | None,
        option(
            "--format",
            parse=values.choice(*VECTOR_FORMATS),
            help="Write this format.",
            default="by extension: .npz, .safetensors, .vec, .txt (GloVe), .bin",
        ),
    ] = None
    top: Annotated[
        int | None,
        option(
            "--top",
            metavar="N",
            parse=values.whole(1),
            help="Keep the N most frequent words; without counts the first N.",
        ),
    ] = None


def vectors_convert(
    source: Annotated[
        str | None, typer.Argument(metavar="IN", help="Vectors in any format; - is a pipe.")
    ] = None,
    target: Annotated[
        str | None, typer.Argument(metavar="OUT", help="The file to write; - is a pipe.")
    ] = None,
    *,
    conversion: Conversion,
    talk: Talk,
) -> None:
    """The same vectors in another format.

    What IN is its content says; what OUT becomes its name says: .npz, .safetensors, .vec (word2vec
    text), .txt (GloVe), .bin (word2vec, or fastText's own where the vectors know parts of words).
    Text may end in .gz. Signature and counts go along, in OUT.json where OUT has no place for them.

      gai vectors convert crawl-300d-2M-subword.bin crawl.npz
      gai vectors convert vectors.npz top.vec --top 50000
    """
    from gai.output.vectors import check, save

    if source is None or target is None:
        raise UsageError("two files are needed", "gai vectors convert IN OUT")
    check(target, conversion.format)
    vectors = loaded(source, talk)
    kept = most_frequent(vectors, conversion.top)
    with terminal.guarded():
        save(kept, target, conversion.format)
    if talk.verbose:
        words = f"{len(kept):,} of {len(vectors):,} words"
        terminal.say(f"gai: {words}, {kept.dim} numbers each: {vectors.format} is now {target}")


def most_frequent(vectors: Vectors, top: int | None) -> Vectors:
    """The ``top`` most frequent words, or where nobody has counted them the first ones."""
    import numpy as np

    if top is None or top >= len(vectors):
        return vectors
    if vectors.counts is None:
        return vectors.only(np.arange(top))
    return vectors.only(np.argsort(-vectors.counts, kind="stable")[:top])
