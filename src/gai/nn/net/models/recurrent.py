"""RNN, LSTM and GRU: networks that read token after token, and pass a state on."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from gai.nn.config import Config
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.models.front import embedding, normalisation, real, vectors
from gai.nn.net.models.network import Attention, Body, State


class Recurrent(Body):
    """Recurrent layers, and of their outputs the last, or a mean weighted by attention.

    The last is that behind the last token; of the direction that reads backward, that at the first.
    """

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.per_token = shape.per_token
        inner = config.embedding if shape.kind == "ids" else shape.size[-1]
        self.embedding = embedding(shape, inner)
        self.input_dropout = nn.Dropout(config.input_dropout)
        self.width = config.width * (2 if config.bidirectional else 1)
        self.ahead = config.width
        self.layers = nn.ModuleList(
            Layer(config, inner if k == 0 else self.width) for k in range(config.layers)
        )
        self.attention = Additive(self.width) if config.attention else None
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, inputs: Inputs) -> Tensor:
        """[B, width], or [B, T, width] of a network that answers for each token."""
        there = real(inputs)
        x = self.input_dropout(vectors(self.embedding, inputs.values))
        turned = None if there is None else turns(there)
        for place, layer in enumerate(self.layers):
            x = layer(self.dropout(x) if place else x, there, turned)
        dropped: Tensor = self.dropout(x if self.per_token else self._pooled(x, there))
        return dropped

    def _pooled(self, x: Tensor, there: Tensor | None) -> Tensor:
        if self.attention is not None:
            pooled: Tensor = self.attention(x, there)
            return pooled
        return last(x, there, self.ahead)

    def advance(self, ids: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Keeps the hidden state of each layer, and of an LSTM the cells."""
        x, kept = vectors(self.embedding, ids), list[Tensor]()
        size = len(state) // len(self.layers) if state else 0
        for k, layer in enumerate(self.layers):
            assert isinstance(layer, Layer)
            x, after = layer.go_on(x, state[k * size : (k + 1) * size] if state else None)
            kept += after
        return x[:, -1], tuple(kept)


def turns(there: Tensor) -> Tensor:
    """The places [B, T] that turn the tokens of each example around, and leave padding behind."""
    places = torch.arange(there.shape[1], device=there.device)
    return torch.where(there, there.sum(1, keepdim=True) - 1 - places, places)


def last(x: Tensor, there: Tensor | None, forward: int) -> Tensor:
    """The first ``forward`` features of the last real token, and the others of the first token."""
    if there is None:
        ahead = x[:, -1]
    else:
        ahead = x[torch.arange(x.shape[0], device=x.device), there.sum(1) - 1]
    return torch.cat([ahead[:, :forward], x[:, 0, forward:]], 1)


MODULES: dict[str, Callable[..., nn.RNNBase]] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


class Layer(nn.Module):
    """One recurrent layer, in one direction or two.

    The second direction is a layer that sees each example turned around within its length: on CPU
    as fast as torch's bidirectional layer without regard to lengths, where packing costs up to half
    as much again.
    """

    def __init__(self, config: Config, inner: int) -> None:
        super().__init__()
        self.ahead = recurrent(config, inner)
        self.back = recurrent(config, inner) if config.bidirectional else None
        width = config.width * (2 if config.bidirectional else 1)
        self.norm = normalisation(config, width)
        self.residual = config.residual and inner == width

    def forward(self, x: Tensor, there: Tensor | None, turned: Tensor | None) -> Tensor:
        """[B, T, width]."""
        y = self.ahead(x)[0]
        if self.back is not None:
            y = torch.cat([y, turn(self.back(turn(x, turned))[0], turned)], 2)
        return self._finished(x, y, there)

    def _finished(self, x: Tensor, y: Tensor, there: Tensor | None) -> Tensor:
        finished: Tensor = self.norm(x + y if self.residual else y, there)
        return finished

    def go_on(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        """The outputs after an earlier state, and the new state."""
        lstm = self.ahead.mode == "LSTM"
        before = None if state is None else state if lstm else state[0]
        y, after = self.ahead(x, before)
        return self._finished(x, y, None), after if lstm else (after,)


def recurrent(config: Config, inner: int) -> nn.RNNBase:
    """A layer of the kind that the model has."""
    more = {"nonlinearity": config.activation} if config.model == "rnn" else {}
    return MODULES[config.model](inner, config.width, batch_first=True, **more)


def turn(x: Tensor, turned: Tensor | None) -> Tensor:
    """[B, T, H] with the tokens of each example the other way around."""
    if turned is None:
        return x.flip(1)
    rows = torch.arange(x.shape[0], device=x.device)[:, None]
    return x[rows, turned]


class Additive(Attention):
    """A mean of [B, T, H] over tokens, weighted by softmax(v tanh(W h)) (Bahdanau 2015, with no
    query but v)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, width)
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, x: Tensor, there: Tensor | None) -> Tensor:
        """[B, H]."""
        scores = self.score(torch.tanh(self.hidden(x)))[..., 0]
        if there is not None:
            scores = scores.masked_fill(~there, -torch.inf)
        weights = scores.softmax(1)
        if self.watcher is not None:
            self.watcher(weights.detach())
        mixed: Tensor = weights[:, None] @ x
        return mixed[:, 0]
