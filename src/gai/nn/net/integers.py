"""Layers whose weights are whole numbers of 8 bits, a scale for each row: W[i, j] = s[i] q[i, j].

Linear and recurrent layers round what enters them too, each row by its own largest value, and
multiply whole numbers (Jacob et al. 2018, https://arxiv.org/abs/1712.05877; dynamic quantisation).
So what is said of an example does not depend on who else is in its batch. For answers only: there
are no gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gai.nn.net.inputs import Inputs
from gai.nn.net.models.mlp import SparseLinear

LARGEST = 127
"""The largest whole number: -128 has no opposite."""

LEAST = 1e-30
"""A step between whole numbers is no smaller, for a row of zeros has one too."""

ROWS = 512
"""Rows that are multiplied at once, so that the sums stay in the cache."""


class Rounded(NamedTuple):
    """A tensor as whole numbers: int8, and the step [n] of each of its rows (of the first
    dimension)."""

    whole: Tensor
    steps: Tensor

    def values(self) -> Tensor:
        """The numbers that it stands for, float32."""
        return self.whole * self.steps.view(-1, *[1] * (self.whole.dim() - 1))


def rounded(values: Tensor) -> Rounded:
    """The nearest whole numbers, where the largest of each row becomes 127."""
    flat = values.detach().flatten(1)
    steps = (flat.abs().amax(1) / LARGEST).clamp_(min=LEAST)
    return Rounded((flat / steps[:, None]).round_().to(torch.int8).view_as(values), steps)


def product(x: Tensor, weights: Rounded, *, within_one: bool = False) -> Tensor:
    """x W' [n, out] of rows [n, in], each rounded on its own; ``within_one`` says that no number of
    x is beyond 1, so that they need no look at the largest."""
    made = x.new_empty(len(x), len(weights.whole))
    for first in range(0, len(x), ROWS):
        rows, part = x[first : first + ROWS], made[first : first + ROWS]
        if within_one:
            part.copy_(sums((rows * LARGEST).round_().to(torch.int8), weights.whole))
            part.mul_(weights.steps / LARGEST)
        else:
            entering = rounded(rows)
            part.copy_(sums(entering.whole, weights.whole))
            part.mul_(entering.steps[:, None]).mul_(weights.steps)
    return made


def sums(a: Tensor, b: Tensor) -> Tensor:
    """a b' of int8 matrices: int32, or float32 where whole numbers are slow or wrong."""
    if a.device.type == "cpu" and a.shape[1] > 1 and multiplies():  # of one column torch is wrong
        return torch._int_mm(a, b.t())
    return F.linear(a.float(), b.float())


@cache
def multiplies() -> bool:
    """Whether this CPU and this torch multiply whole numbers as they should.

    Without instructions for it (VNNI) it is slow, and in some versions sums of two products did not
    fit into their 16 bits.
    """
    if not (hasattr(torch, "_int_mm") and known("_is_vnni_supported")):
        return False
    a = torch.full((32, 64), LARGEST, dtype=torch.int8)
    a[::2] = -LARGEST
    try:
        found = torch._int_mm(a, a.t())
    except RuntimeError:
        return False
    return torch.equal(found, (a.double() @ a.double().t()).to(torch.int32))


def known(name: str) -> bool:
    """What ``torch.cpu`` says of this CPU; no where it does not say."""
    asked: Callable[[], bool] | None = getattr(torch.cpu, name, None)
    return asked is not None and asked()


class Integers(nn.Module):
    """A layer with weights of whole numbers: parameters that do not learn, and their steps."""

    def keep(self, name: str, tensor: Rounded) -> None:
        """Makes ``name`` a weight, and beside it its steps."""
        whole = tensor.whole
        if not isinstance(whole, nn.Parameter):
            whole = nn.Parameter(whole, requires_grad=False)
        setattr(self, name, whole)
        self.register_buffer(f"{name}_steps", tensor.steps)

    def kept(self, name: str) -> Rounded:
        """The weight of that name."""
        return Rounded(getattr(self, name), getattr(self, f"{name}_steps"))

    @property
    def weight(self) -> Tensor:
        """The weights as numbers, float32."""
        return self.kept("whole").values()

    def plain(self) -> nn.Module:
        """The layer that it stands for, with weights of float32."""
        raise NotImplementedError


class Linear(Integers):
    """x W' + b."""

    def __init__(self, layer: nn.Linear, weights: dict[str, Rounded]) -> None:
        super().__init__()
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.keep("whole", weights["weight"])
        self.bias = None if layer.bias is None else fixed(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """[..., out]."""
        made = product(x.flatten(0, -2), self.kept("whole"))
        if self.bias is not None:
            made += self.bias
        return made.view(*x.shape[:-1], -1)

    def plain(self) -> nn.Linear:
        return with_weights(
            nn.Linear(self.in_features, self.out_features, bias=self.bias is not None),
            {"weight": self.weight, "bias": self.bias},
        )


class Embedding(Integers):
    """A vector for each id; whole numbers become numbers as they are looked up."""

    def __init__(self, layer: nn.Embedding, weights: dict[str, Rounded]) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim = layer.num_embeddings, layer.embedding_dim
        self.padding_idx = layer.padding_idx
        self.keep("whole", weights["weight"])

    def forward(self, ids: Tensor) -> Tensor:
        """[..., dim]."""
        whole, steps = self.kept("whole")
        return whole[ids] * steps[ids][..., None]

    def plain(self) -> nn.Embedding:
        made = nn.Embedding(self.num_embeddings, self.embedding_dim, self.padding_idx)
        return with_weights(made, {"weight": self.weight})


class Sparse(Integers):
    """A linear layer over sparse rows: only the columns that are in a batch become numbers."""

    def __init__(self, layer: SparseLinear, weights: dict[str, Rounded]) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim = layer.num_embeddings, layer.embedding_dim
        self.keep("whole", weights["weight"])
        self.bias = fixed(layer.bias)

    def forward(self, inputs: Inputs) -> Tensor:
        """[B, width]."""
        whole, steps = self.kept("whole")
        columns, table = inputs.values, whole
        if len(columns) < len(whole) // 2:
            distinct, columns = torch.unique(columns, return_inverse=True)
            table = F.pad(whole[distinct], (0, 0, 0, 1))  # never empty
        assert inputs.weights is not None
        cells = inputs.weights * steps[inputs.values]
        found = F.embedding_bag(
            columns, table.float(), inputs.lengths, mode="sum", per_sample_weights=cells
        )
        return found + self.bias

    def plain(self) -> SparseLinear:
        made = SparseLinear(self.num_embeddings, self.embedding_dim)
        return with_weights(made, {"weight": self.weight, "bias": self.bias})


class Recurrent(Integers):
    """One recurrent layer in one direction, over [B, T, in]: LSTM, GRU or plain."""

    def __init__(self, layer: nn.RNNBase, weights: dict[str, Rounded]) -> None:
        super().__init__()
        self.mode = layer.mode
        self.input_size, self.hidden_size = layer.input_size, layer.hidden_size
        self.keep("entering", weights["weight_ih_l0"])
        self.keep("recalled", weights["weight_hh_l0"])
        self.entering_bias = fixed(layer.get_parameter("bias_ih_l0"))
        self.recalled_bias = fixed(layer.get_parameter("bias_hh_l0"))

    def forward(
        self, x: Tensor, state: Tensor | tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor | tuple[Tensor, Tensor]]:
        """[B, T, hidden], and the state behind the last token, as torch's layers have it."""
        size, length = x.shape[:2]
        steps = x.transpose(0, 1)
        entering = product(steps.flatten(0, 1), self.kept("entering"))
        entering = (entering + self.entering_bias).view(length, size, -1)
        hidden = x.new_zeros(size, self.hidden_size)
        cell = torch.zeros_like(hidden)
        if isinstance(state, tuple):
            hidden, cell = state[0][0], state[1][0]
        elif state is not None:
            hidden = state[0]
        made = x.new_empty(length, size, self.hidden_size)
        weights, squashed = self.kept("recalled"), self.mode != "RNN_RELU"
        for step in range(length):
            recalled = product(hidden, weights, within_one=squashed).add_(self.recalled_bias)
            hidden, cell = CELLS[self.mode](entering[step], recalled, hidden, cell)
            made[step] = hidden
        after = (hidden[None], cell[None]) if self.mode == "LSTM" else hidden[None]
        return made.transpose(0, 1), after

    def plain(self) -> nn.RNNBase:
        return with_weights(
            LAYERS[self.mode](self.input_size, self.hidden_size, batch_first=True),
            {
                "weight_ih_l0": self.kept("entering").values(),
                "weight_hh_l0": self.kept("recalled").values(),
                "bias_ih_l0": self.entering_bias,
                "bias_hh_l0": self.recalled_bias,
            },
        )


LAYERS: dict[str, Callable[..., nn.RNNBase]] = {
    "LSTM": nn.LSTM,
    "GRU": nn.GRU,
    "RNN_TANH": partial(nn.RNN, nonlinearity="tanh"),
    "RNN_RELU": partial(nn.RNN, nonlinearity="relu"),
}

States = tuple[Tensor, Tensor]


def lstm(entering: Tensor, recalled: Tensor, hidden: Tensor, cell: Tensor) -> States:
    """The gates of an LSTM in torch's order: in, forget, cell, out; changes ``recalled``."""
    gates = recalled.add_(entering)
    i, f, g, o = gates.chunk(4, 1)
    cell = torch.addcmul(i.sigmoid_() * g.tanh_(), f.sigmoid_(), cell)
    return o.sigmoid_() * cell.tanh(), cell


def gru(entering: Tensor, recalled: Tensor, hidden: Tensor, cell: Tensor) -> States:
    """The gates of a GRU in torch's order: reset, update, new."""
    width = 2 * hidden.shape[1]
    r, z = (entering[:, :width] + recalled[:, :width]).sigmoid_().chunk(2, 1)
    new = torch.addcmul(entering[:, width:], r, recalled[:, width:]).tanh_()
    return torch.lerp(new, hidden, z), cell


def tanh(entering: Tensor, recalled: Tensor, hidden: Tensor, cell: Tensor) -> States:
    """The plain recurrent network."""
    return recalled.add_(entering).tanh_(), cell


def relu(entering: Tensor, recalled: Tensor, hidden: Tensor, cell: Tensor) -> States:
    """The same with relu."""
    return recalled.add_(entering).relu_(), cell


CELLS = {"LSTM": lstm, "GRU": gru, "RNN_TANH": tanh, "RNN_RELU": relu}


def fixed(bias: Tensor) -> nn.Parameter:
    """The same numbers, which do not learn."""
    return nn.Parameter(bias.detach(), requires_grad=False)


L = TypeVar("L", bound=nn.Module)


def with_weights(layer: L, weights: dict[str, Tensor | None]) -> L:
    """The layer with these weights, marked as what they were: ``bits`` is 8."""
    layer.bits = 8  # type: ignore[assignment]
    for name, tensor in weights.items():
        if tensor is not None:
            setattr(layer, name, nn.Parameter(tensor.detach().clone()))
    return layer


TWINS: dict[type[nn.Module], Callable[..., Integers]] = {
    nn.Linear: Linear,
    nn.Embedding: Embedding,
    SparseLinear: Sparse,
    nn.LSTM: Recurrent,
    nn.GRU: Recurrent,
    nn.RNN: Recurrent,
}
"""The layer of whole numbers that stands for each layer of torch."""
