"""What a network makes of labelled examples: where it is most wrong, and whether to believe it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gai.nn.data.arrays import IGNORED, Dataset, Ragged
from gai.nn.data.encoding import Encoding
from gai.nn.data.raw import Raw
from gai.nn.net import answers, experiment
from gai.nn.net.answers import Judge
from gai.nn.net.showing import named
from gai.nn.net.watching import text_windows
from gai.nn.pages.facts import Examined, Pairs, Token, Wrong
from gai.nn.scores.calibration import bins_of
from gai.nn.scores.labels import SMALLEST

WINDOWS = 256
"""Windows of a text that are looked at, from its beginning to its end."""

Floats = NDArray[np.float64]


def examined(network: nn.Module, encoding: Encoding, raw: Raw, most: int) -> Examined:
    """The scores on some examples, and the ``most`` worst of them, as far as the task has such."""
    judge = experiment.judge_of(encoding, raw)
    summary, intervals, details = judge.judged(network)
    scores = {"network": summary, "intervals": intervals, "details": details}
    found = Examined(raw.sources, len(raw), scores, columns=raw.columns, digest=raw.digest)
    look = LOOKS.get(encoding.config.task)
    if look is None or not isinstance(judge, Judge):  # a network that answers in its own way
        return found
    return look(found, network, encoding, raw, most)


def classified(
    found: Examined, network: nn.Module, encoding: Encoding, raw: Raw, most: int
) -> Examined:
    """One label an example, or several."""
    assert encoding.labels is not None
    dataset = encoding.dataset(raw)
    said = answers.answers(network, dataset)
    shares = answers.probabilities(said, encoding.labels.several).astype(np.float64)
    assert dataset.targets is not None
    if encoding.labels.several:
        return several(found, shares, dataset.targets > 0.5, encoding, raw, most)
    names, best, targets = encoding.labels.names, shares.argmax(1), dataset.targets
    sure, rows = shares.max(1), np.flatnonzero(targets >= 0)
    losses = np.full(len(targets), -1.0)
    losses[rows] = -np.log(np.maximum(shares[rows, targets[rows]], SMALLEST))
    wrong = np.flatnonzero((best != targets) & (targets >= 0))
    worst = [
        Wrong(raw.ids[row], losses[row], names[targets[row]], names[best[row]], sure[row], **shown)
        for row, shown in with_looks(worst_of(wrong, losses, most), encoding, raw)
    ]
    bins = bins_of(sure, best == targets)
    return replace(found, wrongs=len(wrong), worst=worst, calibration=bins)


def several(
    found: Examined,
    shares: Floats,
    right: NDArray[np.bool_],
    encoding: Encoding,
    raw: Raw,
    most: int,
) -> Examined:
    """Labels that are each there or not; the loss of an example is the sum over them."""
    assert encoding.labels is not None
    given = shares > 0.5
    losses = -np.log(np.maximum(np.where(right, shares, 1 - shares), SMALLEST)).sum(1)
    wrong = np.flatnonzero((given != right).any(1))
    names = np.array(encoding.labels.names, object)

    def listed(row: NDArray[np.bool_]) -> str:
        return ", ".join(names[row]) or "none"

    worst = [
        Wrong(raw.ids[row], losses[row], listed(right[row]), listed(given[row]), **shown)
        for row, shown in with_looks(worst_of(wrong, losses, most), encoding, raw)
    ]
    bins = bins_of(shares.ravel(), right.ravel())
    return replace(found, wrongs=len(wrong), worst=worst, calibration=bins)


def measured(
    found: Examined, network: nn.Module, encoding: Encoding, raw: Raw, most: int
) -> Examined:
    """Numbers."""
    assert encoding.targets is not None
    dataset = encoding.dataset(raw)
    said = answers.answers(network, dataset)
    assert dataset.targets is not None
    losses = np.square(said.numpy() - dataset.targets).astype(np.float64).mean(1)
    numbers, true = answers.numbers(said, encoding), encoding.targets.undo(dataset.targets)
    worst = [
        Wrong(raw.ids[row], losses[row], spelt(true[row]), spelt(numbers[row]), **shown)
        for row, shown in with_looks(worst_of(np.arange(len(losses)), losses, most), encoding, raw)
    ]
    return replace(found, worst=worst, pairs=Pairs(true, numbers, names_of(encoding)))


def names_of(encoding: Encoding) -> list[str]:
    """What each number that is predicted is called."""
    fields, size = encoding.config.label_field, encoding.outputs
    if encoding.config.task == "regress" and len(fields) == size:
        return list(fields)
    step = "step" if encoding.config.task == "forecast" else "output"
    return [f"{step} {place}" for place in range(1, size + 1)]


def spelt(numbers: Floats, most: int = 4) -> str:
    """The first of some numbers."""
    shown = ", ".join(f"{value:.4g}" for value in numbers[:most].tolist())
    return shown if len(numbers) <= most else f"{shown}, ..."


def tagged(
    found: Examined, network: nn.Module, encoding: Encoding, raw: Raw, most: int
) -> Examined:
    """One label a token; the loss of a sentence is the mean over its tokens."""
    assert encoding.labels is not None
    dataset = encoding.dataset(raw)
    assert isinstance(dataset.inputs, Ragged)
    assert dataset.targets is not None
    shares = torch.softmax(answers.answers(network, dataset), -1).double().numpy()
    targets, best, sure = dataset.targets, shares.argmax(1), shares.max(1)
    known = targets >= 0
    right = shares[np.arange(len(targets)), np.where(known, targets, 0)]
    losses = np.where(known, -np.log(np.maximum(right, SMALLEST)), 0.0)
    missed = known & (best != targets)
    sentence = np.repeat(np.arange(len(raw)), dataset.inputs.lengths)
    counts = np.bincount(sentence, known, len(raw))
    means = np.bincount(sentence, losses, len(raw)) / np.maximum(counts, 1)
    wrong = np.flatnonzero(np.bincount(sentence, missed, len(raw)) > 0)
    names, ends = encoding.labels.names, dataset.inputs.offsets
    worst = []
    for row in worst_of(wrong, means, most).tolist():
        span = range(int(ends[row]), int(ends[row + 1]))
        words = raw.tokens[row] if raw.tokens is not None else (raw.texts or [])[row].split()
        marked = [
            Token(word, f"{names[targets[k]]}, said {names[best[k]]}" if missed[k] else "",
                  float(sure[k]) if missed[k] else 0.0)
            for word, k in zip(words, span, strict=True)
        ]  # fmt: skip
        worst.append(Wrong(raw.ids[row], means[row], tokens=marked))
    seen = targets != IGNORED
    bins = bins_of(sure[seen], (best == targets)[seen])
    return replace(found, wrongs=len(wrong), worst=worst, calibration=bins)


def foreseen(
    found: Examined, network: nn.Module, encoding: Encoding, raw: Raw, most: int
) -> Examined:
    """The windows of a text whose tokens surprise most, with the surprise at each."""
    data: Dataset = encoding.dataset(raw)
    assert isinstance(data.inputs, Ragged)
    take, rows = text_windows(data.inputs, encoding.config.context)
    places = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), WINDOWS)).astype(np.int64))
    network.cpu().eval()
    surprises, ids = [], []
    with torch.inference_mode():
        for part in np.array_split(rows[places], -(-len(places) // 16)):
            batch = take(part)
            logs = network(batch.inputs).float().log_softmax(-1)
            assert batch.targets is not None
            surprises.append(-logs.gather(-1, batch.targets[..., None])[..., 0])
            ids.append(batch.targets)
    losses, tokens = torch.cat(surprises).double().numpy(), torch.cat(ids)
    means = losses.mean(1)
    worst = [
        Wrong(
            f"tokens {place_of(rows, places, row):,} and on",
            means[row],
            tokens=shaded(encoding, tokens[row], losses[row]),
        )
        for row in worst_of(np.arange(len(means)), means, most).tolist()
    ]
    return replace(found, worst=worst)


def place_of(rows: NDArray[np.int64], places: NDArray[np.int64], row: int) -> int:
    """Where the predictions of a window begin, counted from 1."""
    return int(rows[places[row]]) + 2


def shaded(encoding: Encoding, ids: Tensor, losses: Floats) -> list[Token]:
    """Tokens, darker the less they were expected: fully at a probability of a thousandth."""
    spaced = encoding.source != "characters" and encoding.config.unit == "words"
    return [
        Token(f"{named(encoding, id)} " if spaced else named(encoding, id), "", min(loss / 6.9, 1))
        for id, loss in zip(ids.tolist(), losses.tolist(), strict=True)
    ]


LOOKS: dict[str, Callable[..., Examined]] = {
    "classify": classified,
    "regress": measured,
    "forecast": measured,
    "tag": tagged,
    "lm": foreseen,
}
"""What is looked at, by task; of other tasks the scores alone."""


def worst_of(rows: NDArray[np.int64], losses: Floats, most: int) -> NDArray[np.int64]:
    """Of these rows those with the highest losses, the highest first; of equal ones the first."""
    order: NDArray[np.int64] = rows[np.argsort(-losses[rows], kind="stable")][:most]
    return order


def with_looks(
    rows: NDArray[np.int64], encoding: Encoding, raw: Raw
) -> Sequence[tuple[int, dict[str, Any]]]:
    """The rows, and what was read of each."""
    if raw.array is None:
        texts = raw.texts or [" ".join(tokens) for tokens in raw.tokens or []]
        return [(row, {"text": texts[row]}) for row in rows.tolist()]
    if encoding.kind == "sequences" or raw.array.ndim == 2:
        return [(row, {"array": raw.array[row]}) for row in rows.tolist()]
    low, high = float(raw.array.min()), float(raw.array.max())
    return [(row, {"array": pixels(raw.array[row], low, high)}) for row in rows.tolist()]


def pixels(image: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint8]:
    """An image [H, W] or [C, H, W] as uint8 [H, W], or [H, W, 3] of three channels."""
    shares = (image - low) / ((high - low) or 1.0)
    made: NDArray[np.uint8] = np.rint(255 * np.clip(shares, 0, 1)).astype(np.uint8)
    if made.ndim == 3:
        made = np.moveaxis(made, 0, -1) if len(made) == 3 else made[0]
    return made
