"""The signature: everything that changes a number in a matrix, so that two can be compared."""

from __future__ import annotations

import hashlib
import json
import os
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai import __version__

TUPLES = ("ngrams", "stop_words")


def signature(
    kind: str,
    analysis: Mapping[str, Any],
    *,
    documents: int,
    terms: int,
    weighting: Mapping[str, Any] | None = None,
    pruning: Mapping[str, Any] | None = None,
    reading: Mapping[str, Any] | None = None,
    binary: bool = False,
    input_digest: str = "",
    tables: str = "15.0",
) -> dict[str, Any]:
    """The signature of a matrix, fit for JSON: no times, hosts or absolute paths.

    ``kind`` is "bow" or "tfidf". ``analysis``, ``weighting``, ``pruning`` and ``reading`` are the
    fields of the objects of that name (``dataclasses.asdict``). Stop words are kept whole, so that
    a matrix can be applied where their file is gone; a fixed vocabulary is its digest, because the
    columns are in the matrix. ``tables`` is the Unicode version of the word boundaries.
    """
    made = {
        "gai": __version__,
        "kind": kind,
        "analysis": _analysis(analysis),
        "weighting": None if weighting is None else dict(weighting),
        "pruning": None if pruning is None else _pruning(pruning),
        "reading": None if reading is None else dict(reading),
        "binary": binary,
        "unicode": {"tables": tables, "python": unicodedata.unidata_version},
        "input": input_digest,
        "documents": documents,
        "terms": terms,
    }
    plain: dict[str, Any] = json.loads(json.dumps(made, default=_plain))
    return plain


def as_dict(choice: Any) -> dict[str, Any]:
    """The fields of a dataclass; asdict would also take a vocabulary apart."""
    return {field.name: getattr(choice, field.name) for field in fields(choice)}


def _analysis(analysis: Mapping[str, Any]) -> dict[str, Any]:
    words = list(analysis.get("stop_words") or ())
    name = os.path.basename(analysis.get("stop_words_name") or "")
    more = {"stop_words": words, "stop_words_name": name, "stop_words_digest": digest(words)}
    return {**analysis, **more}


def _pruning(pruning: Mapping[str, Any]) -> dict[str, Any]:
    words = pruning.get("vocabulary")
    return {**pruning, "vocabulary": None if words is None else digest(words)}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} in a signature")


def digest(words: Iterable[str]) -> str:
    """Sixteen hexadecimal digits of SHA-256 over the words, each followed by a NUL; "" for none."""
    listed = list(words)
    joined = "".join(f"{word}\0" for word in listed).encode("utf-8", "surrogatepass")
    return hashlib.sha256(joined).hexdigest()[:16] if listed else ""


def analysis_options(signature: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments of the Analysis that a signature describes."""
    options = dict(signature["analysis"])
    options.pop("stop_words_digest", None)
    return options | {name: tuple(options[name]) for name in TUPLES if name in options}


def packed(signature: Mapping[str, Any]) -> NDArray[np.uint8]:
    """The signature as the bytes of its JSON, keys sorted."""
    text = json.dumps(signature, sort_keys=True, separators=(",", ":"))
    return np.frombuffer(text.encode("ascii"), np.uint8)


def unpacked(array: NDArray[np.uint8]) -> dict[str, Any]:
    """The signature that :func:`packed` packed; raises ValueError for anything else."""
    found = json.loads(array.tobytes())
    if not isinstance(found, dict):
        raise ValueError("not a signature")
    return found


def line(signature: Mapping[str, Any]) -> str:
    """The signature in one line, to be pasted into a paper or a log.

    ``kind:tfidf|tokenizer:unicode|case:lower|...|version:0.1.0``: the main choices always, others
    where they are not the default.

    >>> line({"kind": "bow", "analysis": {"tokenizer": "word", "lowercase": True}, "gai": "0.1.0"})
    'kind:bow|tokenizer:word|case:lower|version:0.1.0'
    """
    parts = [("kind", signature.get("kind")), *_analysis_parts(signature.get("analysis") or {})]
    parts += [("binary", "yes" if signature.get("binary") else None)]
    weighting = signature.get("weighting") or {}
    names = dict.fromkeys(("tf", "idf", "norm", *sorted(weighting)))  # a file has its keys sorted
    parts += [(name, weighting.get(name)) for name in names]
    parts += [
        (name, value)
        for name, value in sorted((signature.get("pruning") or {}).items())
        if value is not None and value != UNPRUNED.get(name)
    ]
    for section in ("vocabulary", "cooccurrence", "training"):
        parts += _chosen(signature.get(section) or {})
    unicode = signature.get("unicode") or {}
    versions = "+".join(str(unicode[name]) for name in ("tables", "python") if name in unicode)
    parts += [("unicode", versions), ("input", signature.get("input"))]
    parts += [("version", signature.get("gai"))]
    return "|".join(f"{name}:{_word(value)}" for name, value in parts if value not in (None, ""))


def _chosen(section: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """All choices of a section, those within choices too, but for what is off."""
    parts: list[tuple[str, Any]] = []
    for name, value in sorted(section.items()):
        if isinstance(value, Mapping):
            parts += _chosen(value)
        elif value is not False:
            parts.append((name, "yes" if value is True else value))
    return parts


UNPRUNED = {"min_df": 1, "max_df": 1.0, "order": "term"}


def _analysis_parts(analysis: Mapping[str, Any]) -> list[tuple[str, Any]]:
    lower = analysis.get("lowercase", True)
    ngrams = analysis.get("ngrams", [1, 1])
    stop = [analysis.get("stop_words_name") or "own", analysis.get("stop_words_digest")]
    least = analysis.get("min_length", 1)
    return [
        ("tokenizer", analysis.get("tokenizer")),
        ("pattern", analysis.get("token_pattern")),
        ("min_length", least if least != 1 else None),
        ("case", "lower" if lower else "keep"),
        ("accents", analysis.get("strip_accents")),
        ("normalize", analysis.get("normalize")),
        ("form", analysis.get("form")),
        ("context", "yes" if analysis.get("context") else None),
        ("lang", analysis.get("lang")),
        ("model", analysis.get("model")),
        ("package", analysis.get("package")),
        ("analyzer", analysis["analyzer"] if analysis.get("analyzer", "word") != "word" else None),
        ("ngrams", "-".join(map(str, ngrams)) if list(ngrams) != [1, 1] else None),
        ("stop", "-".join(map(str, stop)) if analysis.get("stop_words") else None),
    ]


def _word(value: Any) -> str:
    """The value without spaces, bars and control characters, so that the line stays one word."""
    text = str(value).replace("%", "%25").replace("|", "%7c")
    return "".join(f"%{ord(c):02x}" if c.isspace() or not c.isprintable() else c for c in text)
