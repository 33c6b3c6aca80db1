"""One example as a person sees it: what the network is given, what it answers, what is true."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from torch import Tensor, nn

from gai.errors import GaiError, UsageError
from gai.nn.data.encoding import Encoding, as_kind
from gai.nn.data.raw import Raw
from gai.nn.net.answers import numbers
from gai.nn.net.batches import Batch
from gai.nn.net.watching import examples

Row = dict[str, Any]
"""A row of a table, by column."""


class Chosen(NamedTuple):
    """An example: its name, what was read of it, and the batch of it alone."""

    name: str
    raw: Raw
    batch: Batch


def chosen(encoding: Encoding, raw: Raw, row: int) -> Chosen:
    """Example ``row`` of ``raw``, from 1 on; of a language model that window of the text.

    Raises UsageError where there are not so many, GaiError where training never saw the label.
    """
    language = encoding.config.task == "lm"
    if language:
        found = examples(encoding, raw)
        size, what = len(found.rows), f"windows of {encoding.config.context} tokens"
    else:
        size, what = len(raw), "examples"
    if not 1 <= row <= size:
        raise UsageError(f"no example {row}: the data has {size:,} {what}", f"1 to {size}")
    if language:
        return Chosen(f"window {row} of {size:,}", raw, found.take(found.rows[row - 1 : row]))
    one = raw.take(np.array([row - 1]))
    found = examples(encoding, one)
    if not len(found.rows):
        assert encoding.labels is not None
        assert one.labels is not None
        known = ", ".join(encoding.labels.names[:8])
        raise GaiError(f"training never saw the label {one.labels[0]!r}", f"it knows {known}")
    return Chosen(str(one.ids[0]), one, found.take(found.rows))


def shown(encoding: Encoding, example: Chosen) -> list[Row]:
    """What the network is given, and where it was scaled or numbered what it was before."""
    values = example.batch.inputs.values
    if encoding.kind == "ids":
        return tokens(encoding, example)
    if encoding.kind == "rows":
        return terms(encoding, example)
    assert example.raw.array is not None
    given = values[0].tolist()
    before = as_kind(example.raw.array, encoding.kind)[0].tolist()
    if encoding.kind == "numbers":
        names = encoding.columns or tuple(map(str, range(len(before))))
        rows = zip(names, before, given, strict=True)
        return [{"number": n, "value": v, "scaled": s} for n, v, s in rows]
    if encoding.kind == "sequences":
        pairs = enumerate(zip(before, given, strict=True))
        return [{"step": t, "values": v, "scaled": s} for t, (v, s) in pairs]
    return [
        {"channel": c, "row": y, "values": row}
        for c, rows in enumerate(given)
        for y, row in enumerate(rows)
    ]


def tokens(encoding: Encoding, example: Chosen) -> list[Row]:
    """The tokens of a text, and their ids."""
    inputs = example.batch.inputs
    assert inputs.lengths is not None
    ids = inputs.values[0, : int(inputs.lengths[0])].tolist()
    if encoding.source == "features":
        rows = zip(words_of(example.raw), ids, strict=False)
        return [{"token": word, "ids": found} for word, found in rows]
    return [{"token": named(encoding, id), "id": id} for id in ids]


def words_of(raw: Raw) -> list[str]:
    """The words of a sentence whose words have tags."""
    return raw.tokens[0] if raw.tokens is not None else (raw.texts or [""])[0].split()


def named(encoding: Encoding, id: int) -> str:
    """The term with an id."""
    assert encoding.vocabulary is not None
    return encoding.vocabulary.terms[id]


def terms(encoding: Encoding, example: Chosen) -> list[Row]:
    """The terms of a row, the heaviest first."""
    inputs = example.batch.inputs
    assert inputs.weights is not None
    pairs = zip(inputs.weights.tolist(), inputs.values.tolist(), strict=True)
    ordered = sorted(pairs, key=lambda pair: -pair[0])
    return [{"term": named(encoding, id), "column": id, "weight": w} for w, id in ordered]


def answers(encoding: Encoding, outputs: Tensor, batch: Batch, raw: Raw) -> list[Row]:
    """What the network says of one example, beside what is true: [K] or [T, K]."""
    assert batch.targets is not None
    target = batch.targets[0]
    if outputs.dim() == 2:
        return token_answers(encoding, outputs, batch, raw)
    if encoding.targets is not None:
        said = numbers(outputs[None], encoding)[0]
        true = encoding.targets.undo(target.numpy())
        rows = zip(said.tolist(), true.tolist(), outputs.tolist(), target.tolist(), strict=True)
        return [{"said": s, "true": t, "output": o, "target": y} for s, t, o, y in rows]
    assert encoding.labels is not None
    found = outputs.sigmoid() if encoding.labels.several else outputs.softmax(0)
    wanted = target if target.dim() else nn.functional.one_hot(target, len(outputs))
    columns = (encoding.labels.names, outputs.tolist(), found.tolist(), wanted.tolist())
    rows = zip(*columns, strict=True)
    return [{"label": n, "output": o, "probability": p, "target": y} for n, o, p, y in rows]


def token_answers(encoding: Encoding, outputs: Tensor, batch: Batch, raw: Raw) -> list[Row]:
    """What the network says of each token, and how probable it held what is true."""
    assert batch.targets is not None
    assert batch.inputs.lengths is not None
    if encoding.labels is not None:
        words, names = words_of(raw), encoding.labels.names
    else:
        assert encoding.vocabulary is not None
        names = tuple(encoding.vocabulary.terms)
        words = [names[id] for id in batch.inputs.values[0].tolist()]
    shares, rows = outputs.softmax(-1), []
    for t, word in enumerate(words[: int(batch.inputs.lengths[0])]):
        said, true = int(outputs[t].argmax()), int(batch.targets[0, t])
        known = true >= 0
        probability = float(shares[t, true]) if known else None
        target = names[true] if known else ""
        rows.append(
            {"token": word, "true": target, "said": names[said], "probability": probability}
        )
    return rows
