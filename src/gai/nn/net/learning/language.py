"""Learning a language: the surprise at the next token, in windows of the text."""

from __future__ import annotations

import torch

from gai.nn.config import Config
from gai.nn.data.arrays import Ragged
from gai.nn.data.preparing import Parts
from gai.nn.net.batches import Order, Take, Windows, windows
from gai.nn.net.learning import Learning, supervised


def batches(parts: Parts, config: Config, device: torch.device) -> tuple[Order, Take]:
    """Windows of the text in a new order each epoch."""
    assert isinstance(parts.train.inputs, Ragged)
    stream = parts.train.inputs.values
    order = Windows(len(stream), config.context, config.batch_size, config.seed)
    return order, windows(stream, config.context, device)


LEARNING = Learning(supervised.objective, supervised.judge, batches)
