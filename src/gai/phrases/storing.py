"""Storing: phrases as a JSON file that people can read too."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator
from typing import Any

from gai.errors import GaiError, UsageError
from gai.phrases.model import Learning, Phrase, Phrases
from gai.signature import analysis_options, as_dict
from gai.tokens.analysis import Analysis

FORMAT = "gai phrases 1"
HINT = "gai phrases FILES -o phrases.json makes one"


def pieces(phrases: Phrases) -> Iterator[bytes]:
    """The JSON text of the phrases, one a line."""
    yield f'{{"format": "{FORMAT}",\n "signature": {_json(phrases.signature)},\n'.encode()
    yield b' "passes": ['
    for number, found in enumerate(phrases.passes):
        yield b",\n  [\n   " if number else b"\n  [\n   "
        yield ",\n   ".join(_json(as_dict(phrase)) for phrase in found).encode()
        yield b"\n  ]"
    yield b"\n ]}\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def load(path: str) -> Phrases:
    """The phrases in a file that ``gai phrases -o`` wrote.

    Raises GaiError where it cannot be read, holds something else, or is damaged.
    """
    stored = _parsed(path)
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        raise GaiError(f"{path}: this is no file of phrases", HINT)
    try:
        return _phrases(stored)
    except (AttributeError, KeyError, TypeError, ValueError, UsageError) as error:
        raise GaiError(f"{path}: damaged: {_reason(error)}", HINT) from error


def _parsed(path: str) -> Any:
    """What the JSON text of the file says; None where it is none at all."""
    try:
        with open(path, "rb") as file:
            raw = file.read()
        text = gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise GaiError(f"{path}: {reason.lower()}") from error
    if not text.startswith(f'{{"format": "{FORMAT}"'.encode()):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise GaiError(f"{path}: damaged: {error}", HINT) from error


def _phrases(stored: dict[str, Any]) -> Phrases:
    """The phrases that a JSON object describes; raises where it describes none."""
    chosen = stored["signature"]["learning"]
    Analysis(**analysis_options(stored["signature"]))  # whoever joins text asks for it
    learning = Learning(**{**chosen, "connectors": tuple(map(_word, chosen["connectors"]))})
    passes = tuple(
        tuple(_phrase(entry, frozenset(learning.connectors)) for entry in found)
        for found in stored["passes"]
    )
    return Phrases(learning, passes, stored["signature"])


def _phrase(entry: dict[str, Any], connectors: frozenset[str]) -> Phrase:
    phrase = Phrase(tuple(map(_word, entry["words"])), float(entry["score"]), int(entry["count"]))
    first, *between, last = phrase.words
    if {first, last} & connectors or not connectors.issuperset(between):
        raise ValueError(f"{' '.join(phrase.words)!r} is no phrase with these connectors")
    if not math.isfinite(phrase.score):
        raise ValueError(f"{' '.join(phrase.words)!r} has no score")
    return phrase


def _word(value: Any) -> str:
    """A word as UTF-8 can write it."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is no word")
    value.encode()
    return value


def _reason(error: Exception) -> str:
    """What is wrong, in one line."""
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return str(error).partition("\n")[0]
