"""Texts that a translator writes, token by token: the likeliest each time, or by beam search."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gai.nn.data.arrays import PAD, UNKNOWN, Dataset
from gai.nn.data.encoding import Encoding
from gai.nn.data.text import END
from gai.nn.net.batches import in_turn, taker
from gai.nn.net.generating import spelling
from gai.nn.net.models.translator import Memory

CELLS = 1 << 13
"""Tokens that are read at once."""

Written = tuple[str, float]
"""A text, and the log-probability of all its tokens."""


def translated(network: Any, encoding: Encoding, dataset: Dataset, beam: int = 1) -> list[Written]:
    """What the network writes for each example.

    ``beam`` is how many unfinished texts are kept at every token (1: the likeliest token); of the
    finished ones the best has the highest mean log-probability a token. A text ends at the end
    mark, or where the network has no more places.
    """
    assert encoding.vocabulary is not None
    end = encoding.vocabulary.ids[END]
    take = taker(dataset, next(network.parameters()).device)
    network.eval()
    made: list[Written] = [("", 0.0)] * len(dataset)
    with torch.inference_mode():
        for rows in in_turn(dataset, max(CELLS // (8 * beam), 1), max(CELLS // beam, 1)):
            memory = network.read(take(rows).inputs)
            ids, logs = searched(network, memory, len(rows), end, beam)
            for row, found, log in zip(rows.tolist(), ids, logs, strict=True):
                made[row] = spelt(encoding, found), log
    return made


def spelt(encoding: Encoding, ids: list[int]) -> str:
    """The text of ids."""
    assert encoding.vocabulary is not None
    terms, spell = encoding.vocabulary.terms, spelling(encoding.config)
    return "".join(spell(terms[id]) for id in ids).strip()


def searched(
    network: Any, memory: Memory, size: int, end: int, beam: int
) -> tuple[list[list[int]], list[float]]:
    """The ids of the best text for each of ``size`` examples, without the end mark, and its
    log-probability."""
    device = memory.keys[0].device
    memory = memory.chosen(torch.arange(size, device=device).repeat_interleave(beam))
    texts = torch.full((size * beam, 1), end, device=device)
    # At first all of an example's texts are one.
    logs = torch.full((size, beam), -torch.inf, device=device)
    logs[:, 0] = 0.0
    done = torch.zeros(size, beam, dtype=torch.bool, device=device)
    lengths = torch.zeros(size, beam, device=device)
    for _ in range(network.context):
        said, memory = network.write(texts[:, -1:], memory)
        steps = steps_of(said[:, -1], end, done.view(-1))
        options = (logs.view(-1, 1) + steps).view(size, -1)
        logs, places = options.topk(beam, 1)
        parents, tokens = places // steps.shape[1], places % steps.shape[1]
        rows = (torch.arange(size, device=device)[:, None] * beam + parents).view(-1)
        memory = memory.chosen(rows) if beam > 1 else memory
        texts = torch.cat([texts[rows], tokens.view(-1, 1)], 1)
        before = done.view(-1)[rows].view(size, beam)
        lengths = lengths.view(-1)[rows].view(size, beam) + ~before
        done = before | (tokens == end)
        if done.all():
            break
    best = (logs / lengths).argmax(1)
    chosen = texts.view(size, beam, -1)[torch.arange(size, device=device), best, 1:]
    sums = logs[torch.arange(size, device=device), best].tolist()
    return [until(row, end) for row in chosen.tolist()], sums


def steps_of(said: Tensor, end: int, done: Tensor) -> Tensor:
    """The log-probability of each next token [n, V]: never padding nor the unknown; behind its end
    a text has only more ends, which cost nothing."""
    logs = said.float()
    logs[:, [PAD, UNKNOWN]] = -torch.inf
    logs = logs.log_softmax(1)
    logs[done] = -torch.inf
    logs[done, end] = 0.0
    return logs


def until(ids: list[int], end: int) -> list[int]:
    """The ids before the end mark."""
    return ids[: ids.index(end)] if end in ids else ids
