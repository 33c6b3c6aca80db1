"""Subword tokens: byte-pair encoding and unigram models, by the package ``tokenizers``.

Models that gai trains lose nothing and know every text. BPE works on bytes (``Ġ`` stands for a
space, ``é`` is ``Ã©``), so that no character is unknown. Unigram works on characters, with ``▁``
for a space, and spells a character that it has not learned in bytes (``<0xC3>``). Both learn from
lines: no token reaches over the end of one.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from gai.backends import resolve
from gai.errors import GaiError, UsageError
from gai.tokens.tokenizers import Spans, Tokenizer, first_line, portions

ALGORITHMS = {"bpe": "BPE", "unigram": "Unigram"}
"""What the models are called in the files of ``tokenizers``."""

BYTES = 256
SPACE_SIGN = "▁"
UNKNOWN = "<unk>"
NEVER = -100.0
"""The score (log probability) of pieces that stand for no text: lower than any spelling."""

WORDS = r"▁?\p{L}[\p{L}\p{M}]*(?:['’]\p{L}[\p{L}\p{M}]*)*|▁?\p{N}+"
"""What is kept together before pieces are learned, beside runs of anything else."""

BYTE = re.compile("<0x([0-9A-F]{2})>")

Place = tuple[int, int]


def bpe(model: str | None) -> Tokenizer:
    """The tokenizer of a BPE model in a file."""
    return trained("bpe", model)


def unigram(model: str | None) -> Tokenizer:
    """The tokenizer of a unigram model in a file."""
    return trained("unigram", model)


def trained(algorithm: str, model: str | None) -> Tokenizer:
    """The tokenizer of a model in a JSON file of ``tokenizers``.

    Tokens are spelled as the model has them. Their places leave out white space around them, and a
    token that is part of a character has the place of the character. Raises UsageError without a
    file, GaiError where it cannot be read or holds another kind of model.
    """
    if model is None:
        raise UsageError(
            f"--tokenizer {algorithm} needs --model FILE",
            f"gai subword train --algorithm {algorithm} -o FILE makes one",
        )
    encoder = read(algorithm, model)

    def tokenize(texts: Sequence[str]) -> Iterator[Spans]:
        for portion in portions(texts):
            encoded = encoder.encode_batch(portion, add_special_tokens=False)
            yield from map(placed, portion, encoded)

    return tokenize


def read(algorithm: str, path: str) -> Any:
    """The model in a file, as an object of ``tokenizers`` that neither cuts nor pads texts."""
    with_package("Tokenizer")
    text = content(path)
    found = kind(text)
    if found != ALGORITHMS[algorithm]:
        names = {name: key for key, name in ALGORITHMS.items()}
        raise GaiError(
            f"{path} holds {f'a model of type {found}' if found else 'no subword model'}, "
            f"not {ALGORITHMS[algorithm]}",
            f"--tokenizer {names[found]}" if found in names else "gai subword train makes one",
        )
    try:
        encoder = with_package("Tokenizer").from_str(text)
    except Exception as error:  # the package raises no other kind
        raise GaiError(f"{path}: broken subword model: {first_line(error)}") from error
    encoder.no_truncation()
    encoder.no_padding()
    return encoder


def content(path: str) -> str:
    """The text of a model's file."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise GaiError(f"{path}: {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError as error:
        raise GaiError(f"{path}: byte {error.start} is no UTF-8: no subword model") from error


def kind(text: str) -> str:
    """The type of the model that a JSON text describes, "" where it is none."""
    try:
        described = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    model = described.get("model") if isinstance(described, dict) else None
    return str(model.get("type", "")) if isinstance(model, dict) else ""


def with_package(name: str) -> Any:
    """Something from the package ``tokenizers``; raises MissingExtraError where it is missing."""
    return resolve(f"tokenizers:{name}", "subword tokens", "subword")


def placed(text: str, encoded: Any) -> Spans:
    """The tokens of a text with their places, without the white space that belongs to no token."""
    tokens: list[str] = encoded.tokens
    places: list[Place] = encoded.offsets
    if tokens and tokens[0] == SPACE_SIGN and not text.startswith((" ", SPACE_SIGN)):
        places[0] = (0, 0)  # set before the text by the tokenizer
    if any(token.startswith("<0x") for token in tokens):
        places = spread(tokens, places)
    places = [trimmed(text, start, end) for start, end in places]
    return Spans(tokens, [start for start, _ in places], [end for _, end in places])


def trimmed(text: str, start: int, end: int) -> Place:
    """A place without the white space around it; all of it where it is nothing else."""
    piece = text[start:end]
    bare = piece.strip()
    if len(bare) == len(piece) or not bare:
        return start, end
    start += len(piece) - len(piece.lstrip())
    return start, start + len(bare)


def spread(tokens: Sequence[str], places: Sequence[Place]) -> list[Place]:
    """The places with each byte at its own character.

    The package gives all bytes of neighbouring unknown characters the place of all of them.
    """
    found: list[Place] = []
    for (start, end), run in groupby(range(len(tokens)), key=places.__getitem__):
        numbers = list(run)
        values = [BYTE.fullmatch(tokens[number]) for number in numbers]
        leads = [value is not None and int(value[1], 16) & 0xC0 != 0x80 for value in values]
        if None in values or sum(leads) != end - start or not leads[0]:
            found += [(start, end)] * len(numbers)
            continue
        place = start - 1
        for lead in leads:
            place += lead
            found.append((place, place + 1))
    return found


def train(
    texts: Iterable[str],
    algorithm: str = "bpe",
    vocab_size: int = 8000,
    min_frequency: int = 2,
    lowercase: bool = False,
    special_tokens: Sequence[str] = (),
) -> str:
    """A model learned from texts, as JSON; the same texts always give the same bytes.

    The vocabulary has at most ``vocab_size`` tokens, the 256 bytes and ``special_tokens`` among
    them. What occurs fewer than ``min_frequency`` times is not learned. ``special_tokens`` come
    first, in this order, behind ``<unk>`` in a unigram model.

    Raises MissingExtraError without the package, UsageError for an unknown algorithm or too small
    a vocabulary, GaiError where there is no text.
    """
    check(algorithm, vocab_size, special_tokens)
    learn = learn_bpe if algorithm == "bpe" else learn_unigram
    model = learn(lines(texts), vocab_size, min_frequency, lowercase, list(special_tokens))
    written: str = model.to_str(pretty=True)
    return written + "\n"


def check(algorithm: str, vocab_size: int, special_tokens: Sequence[str]) -> None:
    """Raises what :func:`train` would raise, before anything is read."""
    if algorithm not in ALGORITHMS:
        raise UsageError(f"unknown algorithm {algorithm}", f"one of {', '.join(ALGORITHMS)}")
    least = BYTES + len(special_tokens) + (algorithm == "unigram")
    if vocab_size <= least:
        raise UsageError(
            f"a vocabulary of {vocab_size} tokens is too small",
            f"{least + 1} or more: bytes and special tokens come first",
        )
    reserved = ["", UNKNOWN, *special_tokens]
    for token in special_tokens:
        if reserved.count(token) > 1 or BYTE.fullmatch(token):
            raise UsageError(f"special token {token!r}", "empty, given twice, or there already")
    with_package("Tokenizer")


def lines(texts: Iterable[str]) -> Iterator[str]:
    """The lines of the texts. Raises GaiError where there is not one that holds something."""
    empty = True
    for text in texts:
        for line in text.split("\n"):
            if line:
                empty = False
                yield line
    if empty:
        raise GaiError("no text to learn tokens from", "the input is empty")


def learn_bpe(
    lines: Iterable[str],
    vocab_size: int,
    min_frequency: int,
    lowercase: bool,
    special_tokens: list[str],
) -> Any:
    """A byte-level BPE model, as an object of ``tokenizers``."""
    steps, decoders = with_package("pre_tokenizers"), with_package("decoders")
    model = with_package("Tokenizer")(with_package("models").BPE())
    model.pre_tokenizer = steps.ByteLevel(add_prefix_space=False)
    model.decoder = decoders.ByteLevel()
    if lowercase:
        model.normalizer = with_package("normalizers").Lowercase()
    trainer = with_package("trainers").BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=min_frequency,
        show_progress=False,
        initial_alphabet=sorted(steps.ByteLevel.alphabet()),
        special_tokens=special_tokens,
    )
    model.train_from_iterator(lines, trainer)
    return model


def learn_unigram(
    lines: Iterable[str],
    vocab_size: int,
    min_frequency: int,
    lowercase: bool,
    special_tokens: list[str],
) -> Any:
    """A unigram model with bytes for what it does not know, as an object of ``tokenizers``.

    The package's own trainer gives another vocabulary each time, so the pieces are learned here.
    """
    from gai.tokens.unigram import learned

    model = with_package("Tokenizer")(with_package("models").Unigram())
    if lowercase:
        model.normalizer = with_package("normalizers").Lowercase()
    steps, decoders = with_package("pre_tokenizers"), with_package("decoders")
    pattern = with_package("Regex")(WORDS)
    model.pre_tokenizer = steps.Sequence([steps.Metaspace(), steps.Split(pattern, "isolated")])
    model.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])
    fixed = [UNKNOWN, *special_tokens, *(f"<0x{byte:02X}>" for byte in range(BYTES))]
    words = counted(lines, model)
    pieces = learned(words, vocab_size - len(fixed), min_frequency)
    scores = [(token, NEVER) for token in fixed]
    scores += [piece for piece in pieces if piece[0] not in fixed]
    model.model = with_package("models").Unigram(scores, 0, True)
    model.add_special_tokens(special_tokens)
    return model


def counted(lines: Iterable[str], model: Any) -> Counter[str]:
    """How often each word occurs, as the model cuts lines into words."""
    normalizer, cut = model.normalizer, model.pre_tokenizer.pre_tokenize_str
    words: Counter[str] = Counter()
    for line in lines:
        text = normalizer.normalize_str(line) if normalizer else line
        words.update([word for word, _ in cut(text)])
    return words
