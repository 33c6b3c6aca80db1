"""The networks: a body that makes features of inputs, and a head that makes answers of these."""

from gai.nn.net.models.building import build
from gai.nn.net.models.network import Body, Network, State

__all__ = ["Body", "Network", "State", "build"]
