"""Siamese network: one encoder for all examples, under which those of a class are near each other
(Bromley 1993, "Signature verification using a Siamese time delay neural network")."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from gai.nn.config import Config
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.models import building
from gai.nn.net.models.network import Body, Network


class Siamese(Network):
    """The features of a body as an embedding of ``code`` numbers, of length 1 where it has
    ``unit_norm``: its only answer."""

    def __init__(self, body: Body, head: nn.Linear, unit_norm: bool) -> None:
        super().__init__(body, head)
        self.unit_norm = unit_norm

    def forward(self, inputs: Inputs) -> Tensor:
        """The embedding of each example, [B, code]."""
        made: Tensor = self.head(self.body(inputs))
        return F.normalize(made, dim=-1) if self.unit_norm else made

    def features(self, inputs: Inputs) -> Tensor:
        """The same."""
        found: Tensor = self(inputs)
        return found

    def folded(self) -> Siamese:
        """One of the same layers, in eval mode, that answers faster; not for training."""
        made = Siamese(self.body.folded(), self.head, self.unit_norm)
        made.eval()
        return made


def siamese(config: Config, shape: Shape) -> Siamese:
    """The network that ``config`` describes, with its first weights."""
    encoder = config.with_(model=config.body)
    body = building.BODIES[encoder.model](encoder, shape)
    made = Siamese(body, nn.Linear(body.width, config.code), config.unit_norm)
    building.draw(made, encoder)
    return made
