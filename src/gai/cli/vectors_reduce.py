"""gai vectors reduce."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from gai.cli import choices, display, terminal, values
from gai.cli.counting import check_deps, write_deps
from gai.cli.options import option
from gai.cli.training_options import VectorOutput
from gai.cli.vector_files import loaded
from gai.cli.vector_options import Source, Work
from gai.errors import UsageError

if TYPE_CHECKING:
    from gai.output.vectors import Vectors
    from gai.vectors.reducing import Reduced, Reduction


@dataclass(eq=False, repr=False)
class Smaller:
    """What is to become smaller."""

    panel: ClassVar[str] = "Reduction"
    dim: Annotated[
        int | None,
        option(
            "--dim",
            metavar="N",
            parse=values.whole(1),
            help="Keep the N principal components of largest variance, of centred vectors.",
        ),
    ] = None
    remove_top: Annotated[
        int | None,
        option(
            "--remove-top",
            metavar="K",
            parse=values.whole(1),
            help="Take the mean and the K strongest components away (all-but-the-top); --dim keeps "
            "the next ones.",
        ),
    ] = None
    numbers: Annotated[
        str | None,
        option(
            "--numbers",
            parse=values.choice("float32", "float16", "int8"),
            help="Round numbers: two bytes each, or one and a scale for each word.",
            default="as they are",
        ),
    ] = None
    top: Annotated[
        int | None,
        option(
            "--top",
            metavar="N",
            parse=values.whole(1),
            help="Keep the first N words, which in most files are the most frequent.",
        ),
    ] = None


def vectors_reduce(source: Source, smaller: Smaller, output: VectorOutput, work: Work) -> None:
    """Fewer dimensions or smaller numbers.

    Words first (--top), then dimensions, then numbers. The file's signature says how much of the
    variance the dimensions have, and how near rounded vectors are to what they were. Vectors that
    know parts of words (fastText) still do. npz and safetensors keep small numbers small.

      gai vectors reduce vectors.bin --dim 100 --numbers int8 -o small.npz
      gai vectors reduce vectors.bin --top 50000 --remove-top 2 -o fewer.bin
    """
    from gai.output.vectors import save
    from gai.vectors.reducing import reduced

    check(output, smaller)
    wanted = reduction(smaller)
    vectors = loaded(source.path, work)
    made = reduced(vectors, wanted, work.threads)
    write_deps(output, [source.path])
    with terminal.guarded():
        save(made.vectors, output.place, output.format)
    if not work.quiet and (work.verbose or terminal.is_terminal(sys.stderr)):
        terminal.say(f"gai: {sentence(vectors, made)}")


def check(output: VectorOutput, smaller: Smaller) -> None:
    """Raises what can be refused before the work."""
    from gai.output.vectors import files

    check_deps(output)
    if output.output is None and output.format is None:
        raise UsageError("reduced vectors need a file: -o small.npz")
    files.check(output.place, output.format)
    format = files.resolve(output.place, output.format).format
    if smaller.numbers not in (None, "float32") and format not in ("npz", "safetensors"):
        raise UsageError(
            f"--numbers {smaller.numbers} contradicts {format}, which has float32 only",
            "-o FILE.npz or FILE.safetensors keeps small numbers",
        )


def reduction(smaller: Smaller) -> Reduction:
    """What is to become smaller; raises a UsageError where nothing is."""
    from gai.vectors.reducing import Reduction

    names = {"remove_top": "remove"}
    said = {names.get(name, name): value for _, name, value in choices.given(smaller)}
    if not said:
        raise UsageError("nothing to reduce", "--dim, --remove-top, --numbers or --top says what")
    return Reduction(**said)


def sentence(before: Vectors, made: Reduced) -> str:
    """What became of the vectors, in one line."""
    after = made.vectors
    parts = [f"{len(after):,} of {len(before):,} words" if len(after) < len(before) else ""]
    if made.explained is not None:
        of = f"{after.dim} of {before.dim} dimensions"
        parts.append(f"{of} with {100 * made.explained:.1f} % of the variance")
    if made.cosine is not None:
        parts.append(f"{after.dtype.name} with a mean cosine of {made.cosine:.6f}")
    sizes = f"{display.amount(size(before))} became {display.amount(size(after))}"
    return ", ".join([*filter(None, parts), sizes])


def size(vectors: Vectors) -> int:
    """The bytes of all numbers, those of parts of words included."""
    parts = vectors.subwords
    more = 0 if parts is None else parts.words.nbytes + parts.buckets.nbytes
    return len(vectors) * vectors.dim * vectors.dtype.itemsize + more
