"""gai subword train."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

from gai.cli import choices, display, terminal, values, writing
from gai.cli.counting import check_deps, report, require_input, write_deps
from gai.cli.options import Documents, Output, Talk, option
from gai.cli.progress import progress
from gai.errors import UsageError

if TYPE_CHECKING:
    from gai.documents import Reader

ALGORITHMS = ("bpe", "unigram")
SIZE, MIN_FREQUENCY = 8000, 2


def subword_train(
    *,
    documents: Documents,
    algorithm: Annotated[
        str | None,
        option(
            "--algorithm",
            parse=values.choice(*ALGORITHMS),
            help="bpe: byte-pair encoding. unigram: pieces with probabilities.",
            default="bpe",
        ),
    ] = None,
    size: Annotated[
        int | None,
        option(
            "--size",
            metavar="N",
            parse=values.whole(1),
            help="Tokens in the vocabulary, 256 bytes and special tokens among them.",
            default=str(SIZE),
        ),
    ] = None,
    min_frequency: Annotated[
        int | None,
        option(
            "--min-frequency",
            metavar="N",
            parse=values.whole(1),
            help="Learn nothing that occurs fewer times.",
            default=str(MIN_FREQUENCY),
        ),
    ] = None,
    lowercase: Annotated[
        bool, option("--lowercase", help="The model lower-cases its input.")
    ] = False,
    special: Annotated[
        list[str] | None,
        option(
            "--special",
            metavar="TOKEN",
            help="Keep TOKEN whole, first in the vocabulary; may be given several times.",
        ),
    ] = None,
    output: Annotated[
        str | None,
        option("-o", "--output", metavar="FILE", help="Write the model here, as JSON."),
    ] = None,
    deps: Annotated[
        str | None,
        option("--deps", metavar="FILE", help="Also write a Make dependency file for the output."),
    ] = None,
    talk: Talk,
) -> None:
    """Learn a tokenizer of word pieces, BPE or unigram.

    The model is used with --tokenizer bpe or unigram and --model FILE. The file is that of the
    package tokenizers, which other programs read as well. The same documents give the same bytes.
    Learning goes line by line: no token reaches over the end of a line.

      gai subword train novels/ --size 16000 -o bpe.json
      gai tokenize --tokenizer bpe --model bpe.json book.txt
    """
    place = Output(output=output, deps=deps)
    if output is None:
        raise UsageError("-o FILE is missing", "a model is a file: -o model.json")
    check_deps(place)
    writing.check_place(place.place)
    from gai.tokens import subword

    started = perf_counter()
    name = algorithm or ALGORITHMS[0]
    subword.check(name, size or SIZE, special or ())
    reader = opened(documents)

    def learn() -> str:
        return subword.train(
            texts(reader),
            name,
            size or SIZE,
            min_frequency or MIN_FREQUENCY,
            lowercase,
            special or (),
        )

    with progress(reader, talk.quiet):
        model = in_a_thread(learn)
    if reader.skipped and not talk.quiet:
        terminal.say(f"gai: left out {reader.skipped:,} broken records")
    write_deps(place, reader.files)
    writing.write([model.encode()], place.place)
    report(place, talk, lambda: display.speed(reader.bytes_read, perf_counter() - started))


def opened(documents: Documents) -> Reader:
    """The documents, large ones in parts; raises where there are none."""
    from gai.documents import Reader
    from gai.tokens.analysis import Analysis

    require_input(documents)
    return Reader(choices.reading(documents, Analysis()))


def texts(reader: Reader) -> Iterator[str]:
    """The text of each document."""
    from gai.kernels import reference
    from gai.tokens.prepare import checked, pieces

    for batch in reader:
        whole, _ = checked(batch, reference, reader.reading.errors)
        yield from (piece.decode() for piece in pieces(whole))


def in_a_thread(work: Callable[[], str]) -> str:
    """What ``work`` gives back or raises; Ctrl-C need not wait for it.

    Learning happens in machine code that never looks up.
    """
    results: list[str] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(0.1)
    if errors:
        raise errors[0]
    return results[0]
