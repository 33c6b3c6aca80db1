"""Network: a body that makes features of a batch, and a head that makes outputs of features."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from gai.nn.net.inputs import Inputs

State = tuple[Tensor, ...]
"""What a language model keeps of the tokens that it has seen."""


class Body(nn.Module):
    """All layers of a network but the last."""

    width: int
    """How many features it makes."""

    def forward(self, inputs: Inputs) -> Tensor:
        """The features of each example [B, width], or of each token [B, T, width]."""
        raise NotImplementedError

    def advance(self, ids: Tensor, state: State | None) -> tuple[Tensor, State]:
        """The features [B, width] of the last of ``ids`` [B, n], and what is kept of them and those
        before; causal bodies only."""
        raise NotImplementedError

    def folded(self) -> Body:
        """The same for answers only, with what does not depend on the batch worked out before."""
        return self


class Model(nn.Module):
    """Whatever is trained: it answers for inputs, and shows what it has made of them before."""

    def features(self, inputs: Inputs) -> Tensor:
        """What it has made of each example before it answers: [B, H], or [B, T, H]."""
        raise NotImplementedError

    def folded(self) -> Model:
        """The same in eval mode for answers only, faster where there are many of them."""
        return self.eval()

    @contextmanager
    def watch(self) -> Iterator[dict[str, Tensor]]:
        """The weights of attention in the last call within the context, by the module's name:
        [B, T] of pooling over tokens, [B, heads, T, T] of self-attention."""
        found: dict[str, Tensor] = {}
        watched = {name: m for name, m in self.named_modules() if isinstance(m, Attention)}
        for name, module in watched.items():
            module.watcher = partial(found.__setitem__, name)
        try:
            yield found
        finally:
            for module in watched.values():
                module.watcher = None


class Network(Model):
    """``head(body(inputs))``."""

    def __init__(self, body: Body, head: nn.Linear) -> None:
        super().__init__()
        self.body, self.head = body, head

    def features(self, inputs: Inputs) -> Tensor:
        """The last hidden layer: [B, H], or [B, T, H] of a network that answers for each token."""
        found: Tensor = self.body(inputs)
        return found

    def forward(self, inputs: Inputs) -> Tensor:
        """The outputs: [B, K], or [B, T, K]."""
        outputs: Tensor = self.head(self.body(inputs))
        return outputs

    @torch.no_grad()
    def step(self, ids: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """The outputs [B, V] for what follows ``ids`` [B, n], and the state to go on from.

        ``state`` is what was kept of the tokens before them. For causal networks, in eval mode.
        """
        features, state = self.body.advance(ids, state)
        return self.head(features), state

    def folded(self) -> Network:
        """A network of the same layers, in eval mode, that answers faster with its weights as they
        are now; not for training.

        Worth it for many examples: it costs about what some thousands of them do.
        """
        return Network(self.body.folded(), self.head).eval()


class Attention(nn.Module):
    """A layer with weights of attention, which it shows to whoever watches."""

    watcher: Callable[[Tensor], None] | None = None
