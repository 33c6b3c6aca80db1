"""Pruning: weights near 0 become 0, or whole units go and leave a smaller network.

Single weights go by their magnitude (Han et al. 2015, https://arxiv.org/abs/1506.02626). Units (of
an mlp, a cnn, or a recurrent layer) go by the norm of the weights into them times that of the
weights out of them: where an activation is relu, a network that says the same with one half and
double the other loses the same units.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.prune import L1Unstructured

from gai.errors import UsageError
from gai.nn.config import Config
from gai.nn.net import checkpoints
from gai.nn.net.models.cnn import Block, Filters, ImageCNN, TextCNN
from gai.nn.net.models.front import Unchanged
from gai.nn.net.models.mlp import MLP, Hidden, SparseLinear
from gai.nn.net.models.network import Network
from gai.nn.net.models.recurrent import Layer, Recurrent
from gai.nn.net.models.transformer import Transformer

GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}
"""How often the units of a recurrent layer stand one behind the other in its weights."""


def prune_weights(network: nn.Module, amount: float, *, together: bool) -> None:
    """Makes the share ``amount`` of the weights 0, those of the smallest magnitude: of each matrix
    (a vector counts as none: biases and normalisation stay), or of all ``together``."""
    weights = [weight for weight in network.parameters() if weight.dim() > 1]
    with torch.no_grad():
        if not together:
            for weight in weights:
                weight.mul_(kept(weight, amount))
            return
        flat = torch.cat([weight.flatten() for weight in weights])
        masks = torch.split(kept(flat, amount), [weight.numel() for weight in weights])
        for weight, mask in zip(weights, masks, strict=True):
            weight.mul_(mask.view_as(weight))


def kept(weights: Tensor, amount: float) -> Tensor:
    """1 for each weight that stays, 0 for each of the share that goes."""
    method: Any = L1Unstructured(amount)
    mask: Tensor = method.compute_mask(weights, torch.ones_like(weights))
    return mask


def hold(network: nn.Module) -> None:
    """Lets no step change a weight that is 0 in a matrix: its gradient is 0 from now on.

    A weight of 0 without a gradient stays 0 in every optimiser and under every penalty. Weights
    that are frozen are held too, for an epoch may thaw them.
    """
    for weight in network.parameters():
        if weight.dim() > 1:
            mask, learns = weight.detach() != 0, weight.requires_grad
            weight.requires_grad_()
            weight.register_hook(mask.mul)  # type: ignore[no-untyped-call]
            weight.requires_grad_(learns)


class Place(NamedTuple):
    """Where the units of a group stand along one dimension of a tensor: ``spread`` entries for each
    (the pixels of a channel), the whole ``blocks`` times (the gates of a layer), the first at
    ``start``."""

    name: str
    dim: int
    start: int = 0
    spread: int = 1
    blocks: int = 1

    def entries(self, units: Tensor, size: int) -> Tensor:
        """The entries [len(units), blocks * spread] of some of ``size`` units."""
        blocks = torch.arange(self.blocks) * size * self.spread
        within = blocks[:, None] + torch.arange(self.spread)
        return self.start + units[:, None] * self.spread + within.flatten()


@dataclass
class Group:
    """Units that go or stay together: ``size`` of them, in the tensors that make them (``into``),
    in those that they only pass through (``beside``), and in those that take them (``out``).

    As many stay as are a multiple of what stays of ``base``."""

    size: int
    base: int
    into: list[Place] = field(default_factory=list)
    beside: list[Place] = field(default_factory=list)
    out: list[Place] = field(default_factory=list)

    def norms(self, tensors: checkpoints.Tensors) -> Tensor:
        """The norm of the weights into each unit times that of those out of it: [size]."""
        return (self._squares(self.into, tensors) * self._squares(self.out, tensors)).sqrt()

    def _squares(self, places: list[Place], tensors: checkpoints.Tensors) -> Tensor:
        found = torch.zeros(self.size, dtype=torch.float64)
        units = torch.arange(self.size)
        for place in places:
            tensor = tensors[place.name].detach().cpu().double()
            rows = tensor.movedim(place.dim, 0).reshape(tensor.shape[place.dim], -1).square().sum(1)
            found += rows[place.entries(units, self.size)].sum(1)
        return found

    def going(self, tensors: checkpoints.Tensors, count: int) -> Tensor:
        """The ``count`` units whose weights matter least."""
        return self.norms(tensors).argsort(stable=True)[:count]

    def join(self, other: Group) -> None:
        """Takes in another group, whose units are added to this one's."""
        self.into += other.into
        self.beside += other.beside
        self.out += other.out


def prune_units(
    network: nn.Module, config: Config, amount: float
) -> tuple[Config, dict[str, Tensor]]:
    """The choices and the weights of the network without the share ``amount`` of its units.

    Of a transformer, whose width is that of all its layers, the units of the dense layers become 0
    in place. At least one unit stays everywhere. Raises UsageError for a network whose units gai
    does not know.
    """
    if not isinstance(network, Network):
        raise unknown(config)
    tensors = checkpoints.tensors_of(network)
    gone: dict[tuple[str, int], Tensor] = {}
    for group in groups_of(network, config):
        stay = left(group.base, amount) * (group.size // group.base)
        units = group.going(tensors, group.size - stay)
        for place in (*group.into, *group.beside, *group.out):
            size = tensors[place.name].shape[place.dim]
            entries = gone.setdefault((place.name, place.dim), torch.zeros(size, dtype=torch.bool))
            entries[place.entries(units, group.size).flatten()] = True
    if isinstance(network.body, Transformer):
        return config, zeroed(tensors, gone)
    return smaller(network, config, amount), cut(tensors, gone)


def unknown(config: Config) -> UsageError:
    """What is said of a model whose units are not known."""
    hint = "without --structured single weights go"
    return UsageError(f"--structured does not know the units of a model {config.model}", hint)


def left(size: int, amount: float) -> int:
    """How many of ``size`` units stay."""
    return max(round(size * (1 - amount)), 1)


def zeroed(tensors: checkpoints.Tensors, gone: dict[tuple[str, int], Tensor]) -> dict[str, Tensor]:
    """The tensors with 0 in the entries that go."""
    made = {name: tensor.detach().clone() for name, tensor in tensors.items()}
    for (name, dim), entries in gone.items():
        made[name].movedim(dim, 0)[entries.to(made[name].device)] = 0
    return made


def cut(tensors: checkpoints.Tensors, gone: dict[tuple[str, int], Tensor]) -> dict[str, Tensor]:
    """The tensors without the entries that go."""
    made = {name: tensor.detach() for name, tensor in tensors.items()}
    for (name, dim), entries in gone.items():
        stay = torch.nonzero(~entries)[:, 0].to(made[name].device)
        made[name] = made[name].index_select(dim, stay)
    return made


def smaller(network: Network, config: Config, amount: float) -> Config:
    """The choices of the network that is left."""
    width, filters = left(config.width, amount), left(config.filters, amount)
    if isinstance(network.body, TextCNN):
        made = config.with_(filters=filters)
    elif isinstance(network.body, ImageCNN):
        made = config.with_(filters=filters, width=width)
    else:
        made = config.with_(width=width)
    if config.residual and inputs_of(network) == wide(network, made):
        hint = "another --amount"
        raise UsageError("--structured: the first layer would be as wide as its inputs", hint)
    return made


def inputs_of(network: Network) -> int | None:
    """How wide the inputs are of a first layer that may be residual; None where it may not."""
    first = getattr(network.body, "layers", [None])[0]
    if isinstance(first, Hidden) and isinstance(first.linear, nn.Linear):
        return first.linear.in_features
    if isinstance(first, Filters):
        conv = first.kernels[0]
        assert isinstance(conv, nn.Conv1d)
        return conv.in_channels
    return first.ahead.input_size if isinstance(first, Layer) else None


def wide(network: Network, config: Config) -> int:
    """How wide the layers of a body are with these choices."""
    if isinstance(network.body, TextCNN):
        return config.filters * len(config.kernels)
    return config.width * (2 if config.bidirectional else 1)


def groups_of(network: Network, config: Config) -> list[Group]:
    """The units of a network; raises UsageError where they are not known or cannot go."""
    body = network.body
    if isinstance(body, MLP):
        return units_of_mlp(body)
    if isinstance(body, TextCNN):
        return filters_of_text(body)
    if isinstance(body, ImageCNN):
        return filters_of_images(body)
    if isinstance(body, Recurrent):
        return units_of_recurrent(body)
    if isinstance(body, Transformer):
        return units_of_transformer(body)
    raise unknown(config)


def norm_places(norm: nn.Module, name: str, start: int = 0) -> Iterator[Place]:
    """Where units pass through a normalisation."""
    if isinstance(norm, Unchanged | nn.Identity):
        return
    found = {**dict(norm.named_parameters()), **dict(norm.named_buffers())}
    for own, tensor in found.items():
        if tensor.dim() == 1:
            yield Place(f"{name}.{own}", 0, start)


def require_free(residual: bool) -> None:
    """Raises UsageError where the units of the first layer are added to the inputs."""
    if residual:
        hint = "without --structured single weights go"
        raise UsageError("--structured: the first layer's units are added to its inputs", hint)


def units_of_mlp(body: MLP) -> list[Group]:
    """The units of each layer; those that a residual layer adds up are one."""
    groups: list[Group] = []
    for k, layer in enumerate(body.layers):
        assert isinstance(layer, Hidden)
        name, sparse = f"body.layers.{k}", isinstance(layer.linear, SparseLinear)
        group = Group(body.width, body.width)
        group.into += [Place(f"{name}.linear.weight", 1 if sparse else 0)]
        group.into += [Place(f"{name}.linear.bias", 0)]
        group.beside += norm_places(layer.norm, f"{name}.norm")
        after = f"body.layers.{k + 1}.linear.weight" if k + 1 < len(body.layers) else "head.weight"
        group.out += [Place(after, 1)]
        add(groups, group, joined=layer.residual, first=k == 0)
    return groups


def add(groups: list[Group], group: Group, *, joined: bool, first: bool) -> None:
    """Adds a group, or joins it with the last."""
    if first:
        require_free(joined)
    if joined and not first:
        groups[-1].join(group)
    else:
        groups.append(group)


def filters_of_text(body: TextCNN) -> list[Group]:
    """The filters of each width in each layer."""
    groups: dict[tuple[int, int], Group] = {}
    for k, layer in enumerate(body.layers):
        assert isinstance(layer, Filters)
        for j, conv in enumerate(layer.kernels):
            assert isinstance(conv, nn.Conv1d)
            name, start = f"body.layers.{k}", j * conv.out_channels
            group = Group(conv.out_channels, conv.out_channels)
            group.into += [Place(f"{name}.kernels.{j}.{own}", 0) for own in ("weight", "bias")]
            group.beside += norm_places(layer.norm, f"{name}.norm", start)
            group.out += [Place(after, 1, start) for after in after_filters(body, k)]
            if layer.residual:
                require_free(k == 0)
                groups[0, j].join(group)
            else:
                groups[k, j] = group
    return list(groups.values())


def after_filters(body: TextCNN, k: int) -> list[str]:
    """The weights that take the filters of a layer."""
    if k + 1 == len(body.layers):
        return ["head.weight"]
    after = body.layers[k + 1]
    assert isinstance(after, Filters)
    return [f"body.layers.{k + 1}.kernels.{j}.weight" for j in range(len(after.kernels))]


def filters_of_images(body: ImageCNN) -> list[Group]:
    """The filters of each block, and the units of the dense layer."""
    groups = []
    for k, block in enumerate(body.blocks):
        assert isinstance(block, Block)
        name, size = f"body.blocks.{k}", block.filters.out_channels
        group = Group(size, size >> k)
        group.into += [Place(f"{name}.filters.{own}", 0) for own in ("weight", "bias")]
        group.beside += norm_places(block.norm, f"{name}.norm")
        if block.residual:
            group.out += [Place(f"{name}.again.weight", 1)]
            group.into += [Place(f"{name}.again.{own}", 0) for own in ("weight", "bias")]
            group.beside += norm_places(block.norm_again, f"{name}.norm_again")
        last = k + 1 == len(body.blocks)
        after = "body.dense.weight" if last else f"body.blocks.{k + 1}.filters.weight"
        pixels = body.dense.in_features // size if last else 1
        group.out += [Place(after, 1, spread=pixels)]
        groups.append(group)
    dense = Group(body.width, body.width)
    dense.into += [Place(f"body.dense.{own}", 0) for own in ("weight", "bias")]
    dense.out += [Place("head.weight", 1)]
    return [*groups, dense]


def units_of_recurrent(body: Recurrent) -> list[Group]:
    """The units of each direction of each layer, and those within attention."""
    groups: list[list[Group]] = []
    for k, layer in enumerate(body.layers):
        assert isinstance(layer, Layer)
        ways = ("ahead",) if layer.back is None else ("ahead", "back")
        here = [directed(body, layer, k, way, j * body.ahead) for j, way in enumerate(ways)]
        if layer.residual:
            require_free(k == 0)
            for one, other in zip(groups[-1], here, strict=True):
                one.join(other)
        else:
            groups.append(here)
    found = [group for layer_groups in groups for group in layer_groups]
    return [*found, *within_attention(body)]


def directed(body: Recurrent, layer: Layer, k: int, way: str, start: int) -> Group:
    """The units of one direction, which stand from ``start`` on among those of the layer."""
    name, gates = f"body.layers.{k}.{way}", GATES[layer.ahead.mode]
    group = Group(body.ahead, body.ahead)
    group.into += [
        Place(f"{name}.{own}_l0", 0, blocks=gates)
        for own in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    ]
    group.beside += norm_places(layer.norm, f"body.layers.{k}.norm", start)
    group.out += [Place(f"{name}.weight_hh_l0", 1)]
    if k + 1 < len(body.layers):
        after = body.layers[k + 1]
        assert isinstance(after, Layer)
        ways = ("ahead", "back") if after.back is not None else ("ahead",)
        group.out += [Place(f"body.layers.{k + 1}.{one}.weight_ih_l0", 1, start) for one in ways]
    else:
        group.out += [Place("head.weight", 1, start)]
        if body.attention is not None:
            group.out += [Place("body.attention.hidden.weight", 1, start)]
    return group


def within_attention(body: Recurrent) -> list[Group]:
    """The units that score tokens."""
    if body.attention is None:
        return []
    group = Group(body.width, body.ahead)
    group.into += [Place(f"body.attention.hidden.{own}", 0) for own in ("weight", "bias")]
    group.out += [Place("body.attention.score.weight", 1)]
    return [group]


def units_of_transformer(body: Transformer) -> list[Group]:
    """The units of the dense layers of each block."""
    size, groups = 4 * body.width, []
    for k in range(len(body.layers)):
        group = Group(size, size)
        group.into += [Place(f"body.layers.{k}.up.weight", 0)]
        group.out += [Place(f"body.layers.{k}.down.weight", 1)]
        groups.append(group)
    return groups
