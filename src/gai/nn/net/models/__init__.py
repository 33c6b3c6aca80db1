"""The networks: a body that makes features of inputs, and a head that makes answers of these."""

from gai.nn.net.models.building import build
from gai.nn.net.models.network import Body, Model, Network, State

__all__ = ["Body", "Model", "Network", "State", "build"]
