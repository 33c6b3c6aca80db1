"""What a trained network is made of, and how gradients fare in it: by layer and through time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gai.errors import GaiError
from gai.nn.data.encoding import Encoding
from gai.nn.data.raw import Raw
from gai.nn.data.text import features
from gai.nn.net.batches import Rows
from gai.nn.net.gradients import EXPLODED, VANISHED, Gradients
from gai.nn.net.inputs import Inputs
from gai.nn.net.learning import supervised
from gai.nn.net.losses import Loss
from gai.nn.net.models.capsnet import Routing
from gai.nn.net.models.mlp import SparseLinear
from gai.nn.net.models.ntm import NTM
from gai.nn.net.models.recurrent import Additive
from gai.nn.net.models.transformer import SelfAttention
from gai.nn.net.units import Census, State, Units
from gai.nn.net.watching import Call, Examples, exact, examples, layers, only_last, watched

TOKENS = 20
"""Tokens of the example that operations are counted for, where the data does not say how many."""

STEPS = (1, 2, 5)
"""Distances are counted in these times a power of ten."""

SHOWN = 12
"""Distances of a table, about."""

FADED, GROWN = 1e-4, 1e4
"""Shares of the gradient at the end that, far from it, count as vanished and as exploded."""


class Layer(NamedTuple):
    """A row of the table: ``output`` is the shape for one example, ``operations`` are the
    multiply-adds for it; None where the layer is not called, or has no weights to learn."""

    name: str
    kind: str
    output: tuple[int, ...] | None
    parameters: int
    operations: int
    learns: bool | None


@dataclass(frozen=True)
class Anatomy:
    """The layers of a network, for an example such as ``example`` says, and their sums."""

    example: str
    layers: list[Layer]
    parameters: int
    learning: int
    operations: int
    bytes: int


def anatomy(network: nn.Module, encoding: Encoding, tokens: int | None = None) -> Anatomy:
    """What a network is made of; ``tokens`` is the length of the text to count operations for."""
    inputs, said = dummy(encoding, tokens)
    rows = list(rows_of(network, inputs))
    weights = list(network.parameters())
    stored = [*weights, *network.buffers()]
    return Anatomy(
        said,
        rows,
        sum(w.numel() for w in weights),
        sum(w.numel() for w in weights if w.requires_grad),
        sum(row.operations for row in rows),
        sum(w.numel() * w.element_size() for w in stored),
    )


def dummy(encoding: Encoding, tokens: int | None) -> tuple[Inputs, str]:
    """A batch of one example, whatever is in it, and what it is."""
    config, size = encoding.config, encoding.size
    if encoding.kind not in ("ids", "rows"):
        shape = " x ".join(map(str, size))
        return Inputs(torch.zeros(1, *size, dtype=torch.float64)), f"{encoding.source} {shape}"
    length = tokens or (config.context if config.task == "lm" else TOKENS)
    if encoding.kind == "rows":
        length = min(length, size[0])
        starts, cells = torch.zeros(1, dtype=torch.int64), torch.ones(length, dtype=torch.float64)
        return Inputs(torch.arange(length), starts, cells), f"a text of {length} distinct terms"
    longest = [config.max_length] if config.max_length else []
    longest += [config.context] if config.body == "transformer" else []
    length = min(length, *longest) if longest else length
    token = (len(features("a")),) if encoding.source == "features" else ()
    said = "characters" if encoding.source == "characters" else "tokens"
    ids = torch.ones(1, length, *token, dtype=torch.int64)
    before = ids if config.task == "seq2seq" else None  # an answer as long as the text
    return Inputs(ids, torch.tensor([length]), before=before), f"a text of {length} {said}"


def rows_of(network: nn.Module, inputs: Inputs) -> Iterator[Layer]:
    """A row for each layer, in the network's order; a weight of two layers is counted once."""
    copied = exact(network)
    with watched(copied) as calls, torch.no_grad():
        copied(inputs)
    seen: dict[int, str] = {}
    for name, module in layers(copied).items():
        used = [call for call in calls if call.name == name]
        own = list(module.parameters(recurse=False))
        sharers = [seen[id(w)] for w in own if id(w) in seen]
        shared = f", weights of {sharers[0]}" if sharers else ""
        yield Layer(
            name,
            kind(module) + shared,
            tuple(used[0].output.shape[1:]) if used else None,
            sum(w.numel() for w in own if id(w) not in seen),
            sum(map(operations, used)),
            any(w.requires_grad for w in own) and not rounded(module) if own else None,
        )
        seen |= {id(w): name for w in own}


def kind(module: nn.Module) -> str:
    """What a layer is, with its sizes: ``Linear 256 -> 6``."""
    said = f"{type(module).__name__} {sizes(module)}".rstrip()
    return f"{said}, 8 bits" if rounded(module) else said


def rounded(module: nn.Module) -> bool:
    """Whether a layer stands for one with weights of 8 bits."""
    return getattr(module, "bits", 32) == 8


def sizes(module: nn.Module) -> str:
    """The main parameters of a layer."""
    match module:
        case nn.Linear():
            return f"{module.in_features} -> {module.out_features}"
        case nn.Conv1d() | nn.Conv2d():
            window = " x ".join(map(str, module.kernel_size))
            return f"{module.in_channels} -> {module.out_channels}, window {window}"
        case nn.RNNBase() | nn.RNNCellBase():
            return f"{module.input_size} -> {module.hidden_size}"
        case nn.Embedding() | nn.EmbeddingBag():
            return f"{module.num_embeddings} -> {module.embedding_dim}"
        case nn.LayerNorm():
            return " x ".join(map(str, module.normalized_shape))
        case nn.BatchNorm1d() | nn.BatchNorm2d():
            return str(module.num_features)
        case nn.MaxPool2d() | nn.AvgPool2d():
            sides = module.kernel_size
            return " x ".join(map(str, sides)) if isinstance(sides, tuple) else str(sides)
        case nn.LeakyReLU():
            return f"{module.negative_slope:g}"
        case NTM():
            return f"{module.places} places of {module.numbers}"
        case SelfAttention():
            return f"in {module.heads} heads" + (", causal" if module.causal else "")
    return ""


def operations(call: Call) -> int:
    """The multiply-adds of one call: those of matrices, filters and attention.

    What is done to each number by itself (activations, normalisation, gates, biases) counts 0, as
    does looking vectors up; of causal attention all pairs of tokens count.
    """
    module, made = call.module, call.output.numel()
    if isinstance(module, nn.Linear):
        return made * module.in_features
    if isinstance(module, nn.Conv1d | nn.Conv2d):
        return made * module.weight[0].numel()
    if isinstance(module, SparseLinear):
        return int(call.given.values.numel()) * module.embedding_dim
    if isinstance(module, nn.RNNBase):
        matrices = [w for name, w in module.named_parameters() if name.startswith("weight")]
        return int(call.given.shape[1]) * sum(w.numel() for w in matrices)
    if isinstance(module, nn.RNNCellBase):
        return int(module.weight_ih.numel()) + int(module.weight_hh.numel())
    if isinstance(module, NTM):  # each step: similarity of 2 H keys, H reads, what H erase and add
        return 5 * module.heads * module.places * module.numbers * int(call.output.shape[1])
    if isinstance(module, Routing):
        return module.operations
    if isinstance(module, SelfAttention):  # q times k of each pair of tokens, then times v
        return 2 * made * int(call.given.shape[1])
    return int(call.given.numel()) if isinstance(module, Additive) else 0


class Strength(NamedTuple):
    """The mean norm of the gradients of a layer's weights over single examples; ``share`` is that
    of the largest, ``verdict`` is "", "vanishes" or "explodes"."""

    layer: str
    norm: float
    share: float
    verdict: str


class Reach(NamedTuple):
    """How far back through time the loss reaches in a recurrent layer: the mean norm of its
    gradient with respect to the state (of an LSTM hidden state and cell), by distance from the last
    token read; ``verdict`` is "reaches", "vanishes" or "explodes"."""

    layer: str
    distances: list[int]
    norms: list[float]
    verdict: str

    @property
    def share(self) -> float:
        """The gradient farthest away, as a share of that at the end."""
        return self.norms[-1] / self.norms[0] if self.norms[0] else 0.0

    def sentence(self) -> str:
        """The verdict in words."""
        farthest = self.distances[-1]
        far = f"at distance {farthest} it is {self.share:.2g} of the last"
        step = self.share ** (1 / farthest) if farthest else 1.0
        return f"{self.verdict}: {far}, {step:.3g} a step"


@dataclass(frozen=True)
class Flow:
    """How gradients fare in a network, on ``examples`` examples."""

    examples: int
    layers: list[Strength]
    units: list[Units]
    reaches: list[Reach]


def flow(network: nn.Module, encoding: Encoding, raw: Raw, most: int) -> Flow:
    """How gradients fare on the first ``most`` examples."""
    found = examples(encoding, raw)
    rows = found.rows[:most]
    if not len(rows):
        raise GaiError("no example with a label that the network knows")
    loss, copied = supervised.loss_of(encoding), exact(network)
    strengths, units = one_by_one(copied, loss, found, rows)
    reaches = through_time(copied, loss, found, rows)
    return Flow(len(rows), strengths, units, reaches)


def states(network: nn.Module, encoding: Encoding, raw: Raw, most: int) -> list[State]:
    """What the layers give on the first ``most`` examples, looked at one by one."""
    found, copied, census = examples(encoding, raw), exact(network), Census()
    with torch.no_grad():
        for row in found.rows[:most]:
            with watched(copied) as calls:
                copied(found.take(np.array([row])).inputs)
            census.count(calls)
    return census.states()


def one_by_one(
    network: nn.Module, loss: Loss, found: Examples, rows: Rows
) -> tuple[list[Strength], list[Units]]:
    """The gradients of each example alone, and what its activations do."""
    gradients, census = Gradients(network), Census()
    for row in rows:
        batch = found.take(np.array([row]))
        network.zero_grad()
        with watched(network) as calls:
            outputs = network(batch.inputs)
        assert batch.targets is not None
        loss(outputs, batch.targets).backward()  # type: ignore[no-untyped-call]
        gradients.clip(None, None)
        census.count(calls)
    return strengths(gradients.means()), census.units()


def strengths(means: dict[str, float]) -> list[Strength]:
    """The gradients by layer, and which of them are far too small or too large."""
    largest = max(means.values(), default=0.0) or 1.0
    found = []
    for layer, mean in means.items():
        verdict = "explodes" if mean > EXPLODED else ""
        verdict = "vanishes" if mean < VANISHED * largest else verdict
        found.append(Strength(layer, mean, mean / largest, verdict))
    return found


class Stepwise(nn.Module):
    """A recurrent layer that goes token by token, and keeps the state after each."""

    def __init__(self, layer: nn.RNNBase) -> None:
        super().__init__()
        self.layer = layer
        self.states: list[tuple[Tensor, ...]] = []

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        """The hidden states [B, T, H]."""
        state, self.states = None, []
        for place in range(x.shape[1]):
            state = self.layer(x[:, place : place + 1], state)[1]
            self.states.append(state if isinstance(state, tuple) else (state,))
            for part in self.states[-1]:
                part.retain_grad()
        return torch.cat([state[0] for state in self.states]).transpose(0, 1), None

    def norms(self) -> Tensor:
        """The norm of the gradient with respect to each state: [B, T]."""
        found = [
            torch.stack([square(part) for part in state]).sum(0).sqrt() for state in self.states
        ]
        return torch.stack(found, 1)


def square(part: Tensor) -> Tensor:
    """The squared norm of the gradient of [1, B, H] for each of B; 0 where the loss sees none."""
    found = torch.zeros_like(part) if part.grad is None else part.grad
    return found[0].square().sum(-1)


def through_time(network: nn.Module, loss: Loss, found: Examples, rows: Rows) -> list[Reach]:
    """How far back the loss reaches in each recurrent layer; the layers are replaced for it.

    Where each token has an answer, it is the loss of the last one.
    """
    steps = {}
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.RNNBase):
            steps[name] = Stepwise(module)
            above, _, last = name.rpartition(".")
            setattr(network.get_submodule(above), last, steps[name])
    if not steps:
        return []
    batch = found.take(rows)
    outputs = network(batch.inputs)
    assert batch.targets is not None
    # Bits [B, T, K] are due at steps of their own, the last one seldom among them.
    asked = only_last(batch) if outputs.dim() == 3 and batch.targets.dim() == 2 else batch
    assert asked.targets is not None
    loss(outputs, asked.targets).backward()  # type: ignore[no-untyped-call]
    width = batch.inputs.values.shape[1]
    lengths = batch.inputs.lengths
    ends = np.full(len(rows), width) if lengths is None else lengths.clamp(min=1).numpy()
    return [reach(name, step.norms().numpy(), ends) for name, step in steps.items()]


def reach(name: str, norms: NDArray[np.float64], lengths: NDArray[np.int64]) -> Reach:
    """The means over examples, as far as half of them are long."""
    farthest = int(np.median(lengths)) - 1
    distances, means = distances_to(farthest), []
    for distance in distances:
        long = np.flatnonzero(lengths > distance)
        means.append(float(norms[long, lengths[long] - 1 - distance].mean()) * len(norms))
    made = Reach(name, distances, means, "")
    return made._replace(verdict=verdict(made.share))


def verdict(share: float) -> str:
    """What a share of the gradient at the end means."""
    if share < FADED:
        return "vanishes"
    return "explodes" if share > GROWN else "reaches"


def distances_to(farthest: int) -> list[int]:
    """0, about a dozen round numbers, and the farthest."""
    ladder = (step * 10**power for power in range(9) for step in STEPS)
    step = next(step for step in ladder if farthest / step <= SHOWN - 1)
    found = list(range(0, farthest, step))
    if len(found) > 1 and farthest - found[-1] < step / 2:
        found.pop()
    return [*found, farthest]
