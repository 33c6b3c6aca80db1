"""RUN: the folder of a training run, and what stands in it.

    config.toml         every choice
    input.json          how examples become arrays; labels; the digest of the training data
    vocab.tsv           the terms that the network knows, a line each: term, count
    model.safetensors   the best weights
    last/state.safetensors   weights, optimiser, schedule, chance, position: what --resume needs
    metrics.jsonl       a line for each evaluation
    report.json         the scores at the end, of the network and of the baseline
    card.md             the same for people
    curves.svg          losses, score, rate and gradients over the steps
    pretrained/         of a model from a folder: what that said, but for its weights

Each file appears whole or not at all.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gai import __version__
from gai.errors import GaiError, UsageError
from gai.nn import config as configs
from gai.nn.config import Config
from gai.nn.data.encoding import Encoding
from gai.nn.data.text import Vocabulary
from gai.output.atomic import naming, staged
from gai.output.tsv import escape, unescape

FORMAT = 1
"""The version of the layout."""

CONFIG, INPUT, VOCAB, MODEL = "config.toml", "input.json", "vocab.tsv", "model.safetensors"
METRICS, REPORT, CARD, CURVES = "metrics.jsonl", "report.json", "card.md", "curves.svg"
FOUNDATION = "pretrained"
LAST = os.path.join("last", "state.safetensors")
INNER = ("best", "fold-1")
"""Where the runs of a study and of a cross-validation lie."""


def strict(value: Any) -> Any:
    """The same for JSON, which has no NaN and no infinity: null in their place."""
    if isinstance(value, Mapping):
        return {name: strict(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [strict(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@dataclass(frozen=True)
class Run:
    """The folder of a run."""

    path: str

    def file(self, name: str) -> str:
        """The path of a file in it."""
        return os.path.join(self.path, name)

    def require_free(self, *, force: bool) -> None:
        """Raises UsageError where the folder holds a run that is not to be lost, or other files."""
        if os.path.exists(self.path) and not os.path.isdir(self.path):
            raise UsageError(f"{self.path} is a file", "a run is a folder: name another")
        if not os.path.isdir(self.path) or set(os.listdir(self.path)) <= {"last"}:
            return
        if not os.path.exists(self.file(CONFIG)):
            raise UsageError(f"{self.path} is a folder, and holds no run", "name another")
        if not force:
            hint = "--resume goes on with it, --force begins anew in its place"
            raise UsageError(f"{self.path} holds a run already", hint)

    def begin(self, *, force: bool) -> None:
        """Makes the folder, without what an earlier run left; raises as ``require_free`` does."""
        self.require_free(force=force)
        with naming(self.path):
            for name in (LAST, METRICS, REPORT, CARD, CURVES, MODEL, VOCAB, INPUT, CONFIG):
                if os.path.exists(self.file(name)):
                    os.unlink(self.file(name))
            os.makedirs(os.path.dirname(self.file(LAST)), exist_ok=True)

    def tidy(self) -> None:
        """Takes away what was being written when a run was killed."""
        for folder in (self.path, os.path.dirname(self.file(LAST))):
            for name in os.listdir(folder):
                if name.startswith(".") and name.endswith(".tmp"):
                    with naming(os.path.join(folder, name)):
                        os.unlink(os.path.join(folder, name))

    def write(self, name: str, text: str) -> None:
        """Writes a file of text."""
        with staged(self.file(name)) as (sink,):
            sink.write(text.encode("utf-8", "surrogateescape"))

    def write_encoding(self, encoding: Encoding, digest: str, **made: Any) -> None:
        """Writes how examples become arrays, and beside it what was ``made`` of the network."""
        if encoding.vocabulary is not None:
            terms, counts = encoding.vocabulary.terms, encoding.vocabulary.counts.tolist()
            lines = (f"{escape(t)}\t{n}\n" for t, n in zip(terms, counts, strict=True))
            self.write(VOCAB, "".join(lines))
        head = {"format": FORMAT, "gai": __version__, "digest": digest}
        self.write(INPUT, json.dumps({**head, **encoding.described(), **made}, indent=1) + "\n")

    def require_trainable(self) -> None:
        """Raises UsageError where the weights are whole numbers, which do not learn."""
        if self.input().get("quantized"):
            hint = "take the run that gai nn quantize was given"
            raise UsageError(f"{self.path} has weights of 8 bits, which do not change", hint)

    def require_going_on(self) -> None:
        """Raises UsageError where no training can go on: after gai nn quantize, and after gai nn
        prune where that trained nothing."""
        self.require_trainable()
        if self.input().get("pruned") and not os.path.exists(self.file(LAST)):
            hint = "gai nn prune RUN -o OTHER --epochs 3 trains what it has pruned"
            raise UsageError(f"{self.path} was pruned, and not trained since", hint)

    def config(self) -> Config:
        """The choices; raises GaiError where there is no run."""
        if os.path.isfile(self.file("ensemble.json")):
            hint = f"{self.file('member-1')} is one of its runs"
            raise GaiError(f"{self.path} is an ensemble, and this takes one network", hint)
        if not os.path.isfile(self.file(CONFIG)):
            what = "no such folder" if not os.path.exists(self.path) else f"it has no {CONFIG}"
            inner = [name for name in INNER if os.path.isfile(self.file(f"{name}/{CONFIG}"))]
            hint = f"{self.file(inner[0])} is one" if inner else "gai nn train MODEL DATA -o RUN"
            raise GaiError(f"{self.path} is no run: {what}", hint)
        if os.path.exists(self.file(INPUT)):
            self.input()  # another version may have choices that this one does not know
        found = configs.resolved(configs.read(self.file(CONFIG)))
        if found.pretrained is not None and os.path.isdir(self.file(FOUNDATION)):
            return found.with_(pretrained=self.file(FOUNDATION))
        return found

    def input(self) -> dict[str, Any]:
        """What input.json says; raises GaiError where another version wrote it."""
        found = self.json(INPUT)
        if found.get("format") != FORMAT:
            raise GaiError(
                f"{self.path} was written by gai {found.get('gai', '?')}, in format "
                f"{found.get('format')!r}; this is gai {__version__}, which reads {FORMAT}",
                "train it again: gai nn train --config config.toml -o OTHER",
            )
        return found

    def json(self, name: str) -> dict[str, Any]:
        """A JSON file of the run; raises GaiError where it is missing or broken."""
        path = self.file(name)
        try:
            with open(path, encoding="utf-8") as file:
                found = json.load(file)
        except FileNotFoundError:
            raise GaiError(f"{self.path} has no {name}", "the run may not have ended") from None
        except (OSError, ValueError) as error:
            raise GaiError(f"{path}: broken: {error}") from error
        if not isinstance(found, dict):
            raise GaiError(f"{path}: not a JSON object")
        return found

    def encoding(self, config: Config) -> Encoding:
        """How examples become arrays; raises GaiError where the files do not belong together."""
        found = self.input()
        has_words = found.get("source") in ("terms", "characters", "features", "pieces", "rows")
        vocabulary = self.vocabulary() if has_words else None
        try:
            encoding = Encoding.from_described(found, config, vocabulary)
        except (KeyError, TypeError, ValueError) as error:
            raise GaiError(f"{self.file(INPUT)}: broken: {error!r}") from error
        if vocabulary is not None and encoding.size != (len(vocabulary),):
            raise GaiError(
                f"{self.path}: {VOCAB} has {len(vocabulary)} terms, {INPUT} says {encoding.size[0]}"
            )
        return encoding

    def vocabulary(self) -> Vocabulary:
        """The terms of vocab.tsv."""
        path = self.file(VOCAB)
        try:
            with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
                rows = [line.rstrip("\n").split("\t") for line in file]
            counts = np.array([int(count) for _, count in rows], np.int64)
        except OSError as error:
            raise GaiError(f"{path}: {(error.strerror or str(error)).lower()}") from error
        except ValueError as error:
            raise GaiError(f"{path}: broken: {error}", "a line each: term, TAB, count") from error
        return Vocabulary([unescape(term) for term, _ in rows], counts)

    def records(self) -> list[dict[str, Any]]:
        """The lines of metrics.jsonl that are whole; raises GaiError where they are broken."""
        path = self.file(METRICS)
        try:
            with open(path, encoding="utf-8") as file:
                return [json.loads(line) for line in file if line.endswith("\n")]
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            hint = "--resume goes on without it, where it is taken away"
            raise GaiError(f"{path}: broken: {error}", hint) from error

    def write_records(self, records: list[Mapping[str, Any]]) -> None:
        """Writes metrics.jsonl anew, of those lines alone."""
        self.write(METRICS, "".join(f"{json.dumps(strict(record))}\n" for record in records))

    def append_record(self, record: Mapping[str, Any]) -> None:
        """Adds a line to metrics.jsonl."""
        with naming(self.file(METRICS)), open(self.file(METRICS), "a", encoding="utf-8") as file:
            file.write(f"{json.dumps(strict(record))}\n")
