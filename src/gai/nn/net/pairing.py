"""Trained runs side by side: their scores on the same examples, and whether they differ."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from gai.errors import GaiError
from gai.nn import runs
from gai.nn.data import held
from gai.nn.data.arrays import Ragged
from gai.nn.data.encoding import Encoding
from gai.nn.data.raw import Raw
from gai.nn.net import answers, ensembles
from gai.nn.net.models import Model
from gai.nn.runs import Run
from gai.nn.scores import paired
from gai.nn.scores.paired import Sums
from gai.nn.shelves import ENSEMBLE, Shelf

Report = dict[str, Any]

TASKS = ("classify", "regress", "forecast", "tag", "lm")
"""What can be compared."""

PIECE = 500
"""Characters of a piece of text at least: the surprises of neighbouring tokens are alike."""

OF_TOKENS = ("loss", "perplexity")
"""Scores that are by token, and say nothing of models with other tokens."""


@dataclass(frozen=True)
class Side:
    """A run, or an ensemble, that is compared."""

    run: Run
    network: Model
    encoding: Encoding

    @classmethod
    def of(cls, path: str, device: str, threads: int | None) -> Side:
        """The one in a folder."""
        run = Run(path)
        return cls(run, *ensembles.asked(run, device, threads))

    @cached_property
    def facts(self) -> Report:
        """How large it is, and how long its training took."""
        report = self.run.file(runs.REPORT)
        found = self.run.json(runs.REPORT) if os.path.exists(report) else {}
        return {
            "parameters": sum(p.numel() for p in self.network.parameters()),
            "bytes": sum(os.path.getsize(path) for path in weights_of(self.run)),
            "seconds": found.get("seconds"),
        }


def weights_of(run: Run) -> list[str]:
    """The files of the weights: of an ensemble those of all members."""
    shelf = Shelf(run.path, ENSEMBLE)
    if not shelf.there:
        return [run.file(runs.MODEL)]
    return [path for name in shelf.read_head()["members"] for path in weights_of(shelf.run(name))]


def require_comparable(sides: Sequence[Side]) -> None:
    """Raises GaiError for runs that do not answer the same kind of question."""
    first = sides[0]
    for side in sides:
        if (task := side.encoding.config.task) not in TASKS:
            hint = f"{', '.join(TASKS)} can be compared"
            raise GaiError(f"{side.run.path} was trained for --task {task}", hint)
        if (one := kind_of(first.encoding)) != (other := kind_of(side.encoding)):
            message = f"{first.run.path} gives {one}, {side.run.path} {other}"
            raise GaiError(message, "runs that are compared answer the same question")


def kind_of(encoding: Encoding) -> str:
    """What a run answers with, in words."""
    if encoding.config.task == "lm":
        return "the next tokens of a text"
    if encoding.labels is None:
        count = encoding.outputs
        return "a number" if count == 1 else f"{count} numbers"
    if encoding.config.task == "tag":
        return "a tag for each token"
    return "several labels an example" if encoding.labels.several else "a label an example"


def shared_part(sides: Sequence[Side], wanted: str | None) -> tuple[str, Raw]:
    """The part that all runs have held out, and its name; raises GaiError where there is none."""
    parts = [held.parts_of(side.run) for side in sides]
    found = held.shared(parts)
    for name in held.HELD if wanted is None else (wanted,):
        if name in found:
            return name, found[name]
    lacking = [
        side.run.path
        for side, one in zip(sides, parts, strict=True)
        if not (one.keys() & {wanted} if wanted else one.keys() & set(held.HELD))
    ]
    hint = "name DATA to score them on; runs of one --split-seed hold out the same"
    if lacking:
        raise GaiError(f"{lacking[0]} has held out no {wanted or 'validation or test'} part", hint)
    names = " and ".join(side.run.path for side in sides[:2])
    raise GaiError(f"{names} were scored on different data: their digests differ", hint)


def require_same_examples(sides: Sequence[Side], parts: Sequence[Raw]) -> None:
    """Raises GaiError where two runs read other examples, or other labels, from the same DATA."""
    for side, raw in zip(sides, parts, strict=True):
        if held.identity(raw) != held.identity(parts[0]):
            message = f"{sides[0].run.path} and {side.run.path} read different examples from DATA"
            raise GaiError(message, "--label-field, --label-sep or --input-format say how")


def compared(
    sides: Sequence[Side], parts: Sequence[Raw], *, draws: int = 1000, seed: int = 0
) -> Report:
    """The scores of runs on the same examples, how each differs from the first, and for classifiers
    which examples each answers rightly. ``parts`` are the examples as each run reads them."""
    found = [sums_of(side, raw) for side, raw in zip(sides, parts, strict=True)]
    apart = paired.differences(found, draws=draws, seed=seed)
    left_out = () if same_tokens(sides) else OF_TOKENS
    report: Report = {
        "task": sides[0].encoding.config.task,
        "examples": len(parts[0]),
        "draws": draws,
        "seed": seed,
        "runs": [
            {"run": side.run.path, "scores": one.scores(), **side.facts}
            for side, one in zip(sides, found, strict=True)
        ],
        "against": sides[0].run.path,
        "differences": [
            {
                "run": side.run.path,
                "scores": {n: d._asdict() for n, d in one.items() if n not in left_out},
            }
            for side, one in zip(sides[1:], apart, strict=True)
        ],
    }
    first = found[0].right
    if first is not None:
        report["mcnemar"] = [
            {"run": side.run.path, **paired.mcnemar(first, one.right)._asdict()}
            for side, one in zip(sides[1:], found[1:], strict=True)
            if one.right is not None
        ]
    return report


def same_tokens(sides: Sequence[Side]) -> bool:
    """Whether all runs see a text as the same tokens; of other tasks nobody asks."""
    known = [side.encoding.vocabulary for side in sides]
    if sides[0].encoding.config.task != "lm":
        return True
    terms = [[] if vocabulary is None else vocabulary.terms for vocabulary in known]
    return all(list(one) == list(terms[0]) for one in terms)


def sums_of(side: Side, raw: Raw) -> Sums:
    """What each example adds to the scores of a run."""
    network, encoding = side.network, side.encoding
    if encoding.config.task == "lm":
        return of_language(network, encoding, raw)
    dataset = encoding.dataset(raw)
    targets = dataset.targets
    assert targets is not None
    said = answers.answers(network, dataset)
    if encoding.targets is not None:
        wanted = encoding.targets.undo(targets)
        return paired.of_numbers(wanted, answers.numbers(said, encoding))
    assert encoding.labels is not None
    if encoding.config.task == "tag":
        assert dataset.lengths is not None
        given = said.argmax(-1).numpy()
        return paired.of_tags(targets, given, dataset.lengths, len(encoding.labels))
    shares = answers.probabilities(said, encoding.labels.several)
    judge = paired.of_several if encoding.labels.several else paired.of_labels
    return judge(targets, shares)


def of_language(network: Model, encoding: Encoding, raw: Raw) -> Sums:
    """What each piece of a text adds to its surprise."""
    texts = [piece for text in raw.texts or [] for piece in pieces(text)]
    cut = encoding.inputs(Raw([""] * len(texts), texts=texts))
    whole = encoding.inputs(raw)
    assert isinstance(cut, Ragged)
    assert isinstance(whole, Ragged)
    if not np.array_equal(cut.values, whole.values):
        raise GaiError("the tokens of this text go on over the ends of lines", "one run at a time")
    context = encoding.config.context
    cells = min(answers.CELLS, answers.LOGITS // encoding.outputs)
    found = list(answers.surprises(network, whole.values, context, cells))
    nats = np.concatenate([[0.0], torch.cat(found).numpy()])
    owner = np.repeat(np.arange(cut.rows), cut.lengths)
    tokens = cut.lengths.astype(np.float64)
    tokens[owner[0]] -= 1  # the first token is given
    return paired.of_texts(
        np.bincount(owner, nats, cut.rows).astype(np.float64),
        tokens,
        np.array([len(text) for text in texts], np.float64),
        np.array([len(text.encode("utf-8", "surrogatepass")) for text in texts], np.float64),
    )


def pieces(text: str) -> list[str]:
    """The text in pieces of whole lines, of some length each."""
    found, start = list[str](), 0
    while start < len(text):
        end = text.find("\n", start + PIECE - 1) + 1 or len(text)
        found.append(text[start:end])
        start = end
    return found
