"""Pretrained: a transformer or a ResNet from a folder, with a new head."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gai.backends import resolve
from gai.errors import GaiError
from gai.nn.config import Config
from gai.nn.data.foundation import Foundation
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.models.front import pool, real
from gai.nn.net.models.network import Body


class Pretrained(Body):
    """A model of Hugging Face's transformers; what it makes of tokens is pooled, of images what its
    own pooling gives."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        assert config.pretrained is not None
        folder = Foundation(config.pretrained)
        self.kind, self.how = shape.kind, config.pool
        self.model: nn.Module = built(folder)
        self.width = width_of(folder)
        self.dropout = nn.Dropout(config.dropout)
        self.side = folder.facts().get("image_size")
        if folder.images:
            mean, deviation = folder.scale
            self.register_buffer("mean", torch.tensor(mean)[:, None, None], persistent=False)
            self.register_buffer("deviation", torch.tensor(deviation)[:, None, None], False)

    def forward(self, inputs: Inputs) -> Tensor:
        """[B, width]."""
        if self.kind == "images":
            return self._seen(inputs.values)
        there = real(inputs)
        mask = torch.ones_like(inputs.values) if there is None else there.long()
        said = self.model(input_ids=inputs.values, attention_mask=mask).last_hidden_state
        features: Tensor = self.dropout(pool(said, there, self.how))
        return features

    def _seen(self, pixels: Tensor) -> Tensor:
        """The features of images [B, 3, H, W] from 0 to 1; a model that knows one size only sees
        them in that."""
        if isinstance(self.side, int) and pixels.shape[2:] != (self.side, self.side):
            pixels = F.interpolate(pixels, (self.side, self.side), mode="bilinear")
        said = self.model(pixel_values=(pixels - self.mean) / self.deviation)
        found = (
            said.pooler_output if said.pooler_output is not None else said.last_hidden_state[:, 0]
        )
        features: Tensor = self.dropout(found.flatten(1))
        return features


def library() -> Any:
    """Hugging Face's transformers, silent and offline; raises MissingExtraError without it."""
    found = resolve("transformers", "a pre-trained model", "pretrained")
    found.utils.logging.set_verbosity_error()
    found.utils.logging.disable_progress_bar()
    return found


def built(folder: Foundation) -> nn.Module:
    """The model that ``config.json`` describes, with random weights."""
    hf = library()
    try:
        config = hf.AutoConfig.from_pretrained(folder.path, local_files_only=True)
        made: nn.Module = hf.AutoModel.from_config(config)
    except (OSError, ValueError, KeyError, ImportError) as error:
        first = str(error).splitlines()[0]
        raise GaiError(f"{folder.path}: no model that transformers knows: {first}") from error
    return made


def width_of(folder: Foundation) -> int:
    """How many features it makes."""
    facts = folder.facts()
    sizes = facts.get("hidden_sizes") or [facts.get("hidden_size") or facts.get("dim") or 0]
    if not (width := int(sizes[-1])):
        raise GaiError(f"{folder.path}: config.json does not say how wide the model is")
    return width


def fill(body: Pretrained, folder: Foundation) -> str:
    """Puts the weights of the folder into a body, and gives back how many there are, in words.

    Raises GaiError where they are not those of the model.
    """
    hf = library()
    try:
        loaded, told = hf.AutoModel.from_pretrained(
            folder.path, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
        body.model.load_state_dict(loaded.state_dict())
    except (OSError, ValueError, RuntimeError) as error:
        first = str(error).splitlines()[0]
        raise GaiError(f"{folder.path}: the weights do not fit config.json: {first}") from error
    missing = sorted(told["missing_keys"])
    count = sum(math.prod(weight.shape) for weight in body.model.parameters())
    lacking = f"; the folder lacks {', '.join(missing[:3])}" if missing else ""
    return f"{count:,} weights are those of {folder.path}{lacking}"
