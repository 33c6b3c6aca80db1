"""Text from a language model, token by token."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gai.errors import GaiError
from gai.nn.config import Config
from gai.nn.data.arrays import PAD, UNKNOWN
from gai.nn.data.encoding import Encoding
from gai.nn.data.raw import Raw


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn.

    ``temperature`` divides the logits: below 1 the likely becomes likelier, 0 takes the likeliest.
    Only the ``top_k`` likeliest tokens are drawn from, and of these as few of the likeliest as have
    the probability ``top_p`` together (Holtzman et al. 2020, nucleus sampling).
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    seed: int = 1


def generated(
    network: Any, encoding: Encoding, prompt: str, sampling: Sampling, length: int
) -> Iterator[str]:
    """The text that follows the prompt, piece by piece, ``length`` tokens of it.

    Raises GaiError where the model is no language model. What it does not know in the prompt is
    left out; without a prompt it begins as after the end of a line.
    """
    task = encoding.config.task
    if task != "lm":
        message = f"this model was trained to {task}: only language models generate"
        hint = "gai nn train gru book.txt -o RUN trains one, gai nn predict asks this one"
        raise GaiError(message, hint)
    return _generated(network, encoding, prompt, sampling, length)


def _generated(
    network: Any, encoding: Encoding, prompt: str, sampling: Sampling, length: int
) -> Iterator[str]:
    config = encoding.config
    assert encoding.vocabulary is not None
    terms, device = encoding.vocabulary.terms, next(network.parameters()).device
    generator = torch.Generator(device).manual_seed(sampling.seed)
    ids = beginning(encoding, prompt).to(device)
    spell, state = spelling(config), None
    if prompt and not prompt[-1].isspace():
        for id in ids[0].tolist():
            spell(terms[id])  # what follows may need a space before it
    for _ in range(length):
        said, state = network.step(ids, state)
        ids = drawn(said, sampling, generator)
        yield spell(terms[int(ids)])


def beginning(encoding: Encoding, prompt: str) -> Tensor:
    """The ids of the prompt, [1, n], n at least 1."""
    assert encoding.vocabulary is not None
    found = encoding.inputs(Raw(["prompt"], texts=[prompt])).values  # type: ignore[union-attr]
    known = found[found > UNKNOWN]
    if not len(known):
        newline = encoding.vocabulary.ids.get("\n", UNKNOWN + 1)
        return torch.tensor([[newline]])
    return torch.from_numpy(known.astype("int64"))[None]


def drawn(said: Tensor, sampling: Sampling, generator: torch.Generator) -> Tensor:
    """A token [1, 1] drawn by its logits [1, V]; never padding or the unknown."""
    logits = said[0].float()
    logits[[PAD, UNKNOWN]] = -torch.inf
    if sampling.temperature == 0:
        return logits.argmax().view(1, 1)
    shares = torch.softmax(kept(logits / sampling.temperature, sampling), -1)
    return torch.multinomial(shares, 1, generator=generator).view(1, 1)


def kept(logits: Tensor, sampling: Sampling) -> Tensor:
    """The logits [V], those that are not to be drawn minus infinity."""
    if sampling.top_k is not None and sampling.top_k < len(logits):
        least = logits.topk(sampling.top_k).values[-1]
        logits = logits.masked_fill(logits < least, -torch.inf)
    if sampling.top_p is not None:
        ordered, places = logits.sort(descending=True)
        shares = torch.softmax(ordered, -1)
        # What is before a token reaches top_p: the token itself is no longer needed.
        needless = shares.cumsum(-1) - shares >= sampling.top_p
        logits = logits.index_fill(0, places[needless], -torch.inf)
    return logits


OPENING, CLOSING = "([{“‘$#@", ".,;:!?)]}”’%"


def spelling(config: Config) -> Callable[[str], str]:
    """A function from one token after the other to the text that it adds."""
    if config.unit == "characters":
        return lambda token: token
    if config.tokenizer == "bpe":
        table = bytes_of_letters()
        return decoded(lambda token: bytes(table.get(letter, 63) for letter in token))
    if config.tokenizer == "unigram":
        return decoded(bytes_of_piece)
    return word_spelling()


def word_spelling() -> Callable[[str], str]:
    """Words with spaces between, but none before closing signs and at the start of lines."""
    before = "\n"

    def spell(token: str) -> str:
        nonlocal before
        glued = before == "\n" or token == "\n" or token in CLOSING or before in OPENING
        apostrophe = token in "'’" or before in "'’"
        before = token
        return token if glued or apostrophe else f" {token}"

    return spell


def decoded(to_bytes: Callable[[str], bytes]) -> Callable[[str], str]:
    """A function from pieces to their text, for pieces that may be parts of a character."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    return lambda token: decoder.decode(to_bytes(token))


BYTE = re.compile("<0x([0-9A-F]{2})>")


def bytes_of_piece(piece: str) -> bytes:
    """The bytes of a piece of a unigram model: ``▁`` is a space, ``<0xC3>`` a byte."""
    found = BYTE.fullmatch(piece)
    return bytes.fromhex(found[1]) if found else piece.replace("▁", " ").encode()


def bytes_of_letters() -> dict[str, int]:
    """The byte behind each letter of byte-level BPE (Radford 2019): printable ones stand for
    themselves, the others for the letters from U+0100 on, in their order."""
    plain = re.compile("[!-~¡-¬®-ÿ]")
    other = [byte for byte in range(256) if not plain.match(chr(byte))]
    found = {chr(byte): byte for byte in range(256) if plain.match(chr(byte))}
    return found | {chr(256 + place): byte for place, byte in enumerate(other)}
