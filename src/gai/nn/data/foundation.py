"""A folder with a pre-trained model as Hugging Face's transformers lays it out: ``config.json``,
``tokenizer.json`` for text, ``preprocessor_config.json`` for images, ``model.safetensors``."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gai.errors import GaiError
from gai.nn.data.arrays import Ragged
from gai.nn.data.text import Vocabulary

CONFIG, TOKENIZER, IMAGES = "config.json", "tokenizer.json", "preprocessor_config.json"
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the channels of ImageNet, which a folder may say otherwise."""


@dataclass(frozen=True)
class Foundation:
    """Such a folder."""

    path: str

    def require(self) -> None:
        """Raises GaiError where something is missing that fine-tuning needs."""
        if not os.path.isdir(self.path):
            raise GaiError(f"{self.path}: no such folder")
        needed = [CONFIG] if self.images else [CONFIG, TOKENIZER]
        missing = [name for name in needed if not self.has(name)]
        if not any(map(self.has, WEIGHTS)):
            missing.append(WEIGHTS[0])
        if missing:
            hint = "a folder as save_pretrained of transformers writes it; pickles are not read"
            raise GaiError(f"{self.path} has no {' and no '.join(missing)}", hint)

    def has(self, name: str) -> bool:
        """Whether a file is there."""
        return os.path.isfile(os.path.join(self.path, name))

    def facts(self, name: str = CONFIG) -> Mapping[str, Any]:
        """What a JSON file says; raises GaiError where it is none."""
        path = os.path.join(self.path, name)
        try:
            with open(path, encoding="utf-8") as file:
                found = json.load(file)
        except (OSError, ValueError) as error:
            raise GaiError(f"{path}: cannot be read: {error}") from error
        if not isinstance(found, dict):
            raise GaiError(f"{path}: not a JSON object")
        return found

    @property
    def images(self) -> bool:
        """Whether it sees images, and not text."""
        return "num_channels" in self.facts()

    @property
    def longest(self) -> int:
        """The most tokens that it sees."""
        facts = self.facts()
        places = int(facts.get("max_position_embeddings") or 512)
        # RoBERTa and its kin number their places from behind that of padding.
        before = facts.get("model_type") in ("roberta", "xlm-roberta", "camembert")
        return places - (int(facts.get("pad_token_id") or 0) + 1 if before else 0)

    @property
    def scale(self) -> tuple[Sequence[float], Sequence[float]]:
        """Mean and deviation of the channels of images."""
        facts = self.facts(IMAGES) if self.has(IMAGES) else {}
        return facts.get("image_mean") or MEAN, facts.get("image_std") or DEVIATION

    def tokenizer(self, longest: int | None) -> Any:
        """Hugging Face's tokenizer, which cuts texts behind ``longest`` pieces."""
        from gai.backends import resolve

        kind = resolve("tokenizers:Tokenizer", "a pre-trained tokenizer", "subword")
        path = os.path.join(self.path, TOKENIZER)
        try:
            found = kind.from_file(path)
        except Exception as error:  # tokenizers raises no other kind
            raise GaiError(f"{path}: {error}") from error
        found.no_padding()
        found.enable_truncation(min(longest or self.longest, self.longest))
        return found

    def vocabulary(self) -> Vocabulary:
        """Its pieces, by their ids."""
        known = self.tokenizer(None).get_vocab(with_added_tokens=True)
        terms = [""] * (max(known.values(), default=-1) + 1)
        for term, id in known.items():
            terms[id] = term
        return Vocabulary(terms, np.zeros(len(terms), np.int64))

    def copy(self, folder: str) -> None:
        """Copies all but the weights, so that a run can be read without this folder."""
        from gai.output.atomic import staged

        os.makedirs(folder, exist_ok=True)
        for name in (CONFIG, TOKENIZER, IMAGES):
            if self.has(name):
                with (
                    open(os.path.join(self.path, name), "rb") as source,
                    staged(os.path.join(folder, name)) as (sink,),
                ):
                    sink.write(source.read())


class PieceEncoder:
    """Texts in, the ids of their pieces out, with the marks that the model expects around them."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    def __call__(self, texts: Sequence[str]) -> Ragged:
        """The ids of the pieces of each text."""
        found = [one.ids for one in self.tokenizer.encode_batch(list(texts))]
        offsets = np.cumsum([0, *map(len, found)], dtype=np.int64)
        return Ragged(np.array([id for row in found for id in row], np.int32), offsets)
