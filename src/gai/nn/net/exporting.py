"""A network as an ONNX file, which other programs run without torch and without gai.

The file takes what ``gai nn predict`` reads once text is ids or counts, and answers as it does:
what lies between (scales, TF-IDF weights, softmax) is part of the graph.

Its input is, by what the network reads,

    ids        int64 [B, T], or [B, T, C] of a tagger; numbers of lines of vocab.tsv, from 0; 0
               behind the end of a text
    counts     float32 [B, V]: how often each term of vocab.tsv is in the text
    numbers    float32 [B, D], in their own units
    sequences  float32 [B, T, F], in their own units
    images     float32 [B, C, H, W]

and its output

    probabilities  of each label: [B, K], of a tagger [B, T, K]
    predicted      [B, K], numbers in the units of the labels
    logits         [B, T, V] of a language model, for the token behind each
    reconstructed  [B, D], what an autoencoder makes of its input, in the units of the data
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import logging
import os
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gai import __version__
from gai.errors import GaiError
from gai.nn import runs
from gai.nn.config import Config
from gai.nn.data.arrays import PAD
from gai.nn.data.encoding import Encoding, Scale
from gai.nn.data.text import features
from gai.nn.net.inputs import Inputs
from gai.nn.net.integers import LAYERS
from gai.nn.net.models.autoencoder import Autoencoder
from gai.nn.net.models.cnn import TextCNN
from gai.nn.net.models.mlp import MLP, SparseLinear
from gai.nn.net.watching import Convolving
from gai.nn.runs import Run

TOLERANCE = 1e-4
"""How far an answer of the file may be from torch's, as a share of the largest one, or of 1."""

SIZES = ((1, 1), (2, 5), (5, 17))
"""Examples and tokens of the batches that the file is checked with."""

TRACED = (3, 7)
"""The same of the batch that torch follows through the network."""

LARGEST = 2_000_000_000
"""Bytes of weights that one ONNX file holds, about."""

NAMES = {"ids": "ids", "rows": "counts"}
"""What the input is called, where not as the kind of inputs is."""


class Asked(nn.Module):
    """The network with plain tensors in place of ``Inputs``."""

    def __init__(self, network: nn.Module, encoding: Encoding) -> None:
        super().__init__()
        self.network = network
        self.causal = encoding.config.task == "lm"
        self.reconstructs = encoding.config.task == "reconstruct"
        self.entering = entering(encoding)
        self.leaving = leaving(encoding)
        self.features: nn.Embedding | None = None
        if encoding.source == "features":
            # Their vectors are added up here: of a bag of them the graph would be a loop.
            self.features, network.body.embedding = network.body.embedding, None  # type: ignore[union-attr, assignment]

    def forward(self, values: Tensor) -> Tensor:
        """The answers for a batch."""
        values = self.entering(values)
        lengths = None
        if not values.is_floating_point() and not self.causal:
            real = values if values.dim() == 2 else values.amax(2)
            lengths = (real != PAD).sum(1)
        if self.features is not None:
            values = self.features(values).sum(2)
        answers: Any = self.network(Inputs(values, lengths))
        if self.reconstructs:
            answers = self.network.seen(answers)  # type: ignore[operator]
        made: Tensor = self.leaving(answers)
        return made


class Scaled(nn.Module):
    """Values in units of the deviation from the mean; what is far from 0 needs doubles for that."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, scale: Scale) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(scale.mean))
        self.register_buffer("deviation", torch.from_numpy(scale.deviation))

    def forward(self, values: Tensor) -> Tensor:
        """float32, as ``Scale.apply``."""
        return ((values.double() - self.mean) / self.deviation).float()


class Unscaled(Scaled):
    """The other way around."""

    def forward(self, values: Tensor) -> Tensor:
        """float32, as ``Scale.undo``."""
        return (values.double() * self.deviation + self.mean).float()


class Weighted(nn.Module):
    """Counts of terms as TF-IDF weights, as ``gai.nn.data.rows`` has them."""

    idf: Tensor

    def __init__(self, encoding: Encoding) -> None:
        super().__init__()
        assert encoding.vocabulary is not None
        df = encoding.vocabulary.counts.astype(np.float64)
        idf = np.log((1 + encoding.documents) / (1.0 + df)) + 1.0
        idf[:2] = 0.0
        self.register_buffer("idf", torch.from_numpy(idf.astype(np.float32)))

    def forward(self, counts: Tensor) -> Tensor:
        """[B, V], rows of length 1."""
        weights = torch.where(counts > 0, 1 + counts.clamp(min=1).log(), 0.0) * self.idf
        norms = weights.square().sum(1, keepdim=True).sqrt()
        return weights / norms.clamp(min=torch.finfo(torch.float32).tiny)


class Logged(nn.Module):
    """ln(1 + count)."""

    def forward(self, counts: Tensor) -> Tensor:
        """[B, V]; the columns of padding and of the unknown are empty."""
        return counts.log1p()


def entering(encoding: Encoding) -> nn.Module:
    """What comes before the network."""
    if encoding.kind == "rows":
        return Logged() if encoding.config.input == "bow" else Weighted(encoding)
    return nn.Identity() if encoding.scale is None else Scaled(encoding.scale)


def leaving(encoding: Encoding) -> nn.Module:
    """What comes behind it."""
    if answer_of(encoding) == "probabilities":
        several = encoding.labels is not None and encoding.labels.several
        return nn.Sigmoid() if several else nn.Softmax(-1)
    scale = encoding.scale if encoding.config.task == "reconstruct" else encoding.targets
    return nn.Identity() if scale is None else Unscaled(scale)


def answer_of(encoding: Encoding) -> str:
    """What the output is called."""
    return ANSWERS[encoding.config.task]


ANSWERS = {
    **dict.fromkeys(("classify", "tag"), "probabilities"),
    **dict.fromkeys(("regress", "forecast"), "predicted"),
    "lm": "logits",
    "reconstruct": "reconstructed",
}
"""What the output is called, by what the network has learned; others cannot be exported."""


def exported(network: nn.Module, encoding: Encoding, run: Run) -> bytes:
    """The content of the file, which onnxruntime has run on random inputs and answered as torch.

    Raises GaiError for a network that cannot be exported, and where an answer differs.
    """
    require_possible(network, encoding)
    asked = Asked(ready(network), encoding).eval()
    with quiet():
        model = traced(asked, encoding)
    strip(model)
    name_axes(model)
    describe(model, encoding, run)
    content: bytes = model.SerializeToString(deterministic=True)
    check(content, asked, encoding)
    return content


def require_possible(network: nn.Module, encoding: Encoding) -> None:
    """Raises GaiError for a task that is more than a tensor in and one out, and for more weights
    than one file holds."""
    if encoding.config.task not in ANSWERS:
        hint = f"those that {', '.join(ANSWERS)} can"
        raise GaiError(f"a model of --task {encoding.config.task} cannot be exported", hint)
    size = sum(weight.numel() * weight.element_size() for weight in network.parameters())
    if size > LARGEST:
        raise GaiError(f"{size:,} bytes of weights are more than an ONNX file holds, 2 GB")


def ready(network: nn.Module) -> nn.Module:
    """A copy whose layers ONNX has, with the same answers."""
    made = copy.deepcopy(network).cpu().float().eval()
    body = getattr(made, "body", None)
    if isinstance(body, TextCNN):
        body.__class__ = Convolving
    for name, module in list(made.named_modules()):
        above, _, last = name.rpartition(".")
        if isinstance(module, SparseLinear):
            setattr(made.get_submodule(above), last, dense(module))
            takes_numbers(made)
        elif isinstance(module, nn.RNNBase):
            setattr(made.get_submodule(above), last, Steps(module))
    return made


def takes_numbers(network: nn.Module) -> None:
    """Tells a network over sparse rows that they come with all their columns."""
    body = getattr(network, "body", None)
    if isinstance(body, MLP):
        body.kind = "numbers"
    elif isinstance(network, Autoencoder):
        network.sparse = False


def dense(layer: SparseLinear) -> nn.Linear:
    """The same layer over rows with all their columns."""
    made = nn.Linear(layer.num_embeddings, layer.embedding_dim)
    made.weight = nn.Parameter(layer.weight.detach().t().contiguous())
    made.bias = nn.Parameter(layer.bias.detach())
    return made


ORDER = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2)}
"""Where ONNX's gates stand in torch's weights: input, output, forget, cell; update, reset, new."""


def reordered(weight: Tensor, order: tuple[int, ...]) -> Tensor:
    """The weight with its gates, blocks of rows, in another order."""
    blocks = weight.chunk(len(order))
    return torch.cat([blocks[place] for place in order])


class Steps(nn.Module):
    """torch's recurrent layer as one operator, which torch itself would write out token by token,
    and so for one length alone."""

    def __init__(self, layer: nn.RNNBase) -> None:
        super().__init__()
        self.mode, self.width = layer.mode, layer.hidden_size
        order = ORDER.get(self.mode, (0,))
        for name, weight in layer.named_parameters():
            bare = name.removesuffix("_l0")
            self.register_buffer(bare, reordered(weight.detach(), order))

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        """[B, T, hidden]."""
        own = [getattr(self, name) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        return recurrent(x, *own, self.width, self.mode), None


@torch.library.custom_op("gai::recurrent", mutates_args=())
def recurrent(
    x: Tensor, w: Tensor, r: Tensor, wb: Tensor, rb: Tensor, width: int, mode: str
) -> Tensor:
    """The hidden states [B, T, width] of a recurrent layer whose gates are in ONNX's order."""
    order = ORDER.get(mode, (0,))
    back = tuple(order.index(place) for place in range(len(order)))
    layer = LAYERS[mode](x.shape[2], width, batch_first=True)
    with torch.no_grad():
        for weight, found in zip(layer.parameters(), (w, r, wb, rb), strict=True):
            weight.copy_(reordered(found, back))
        made: Tensor = layer(x)[0]
    return made


@recurrent.register_fake
def _shape_of_recurrent(
    x: Tensor, w: Tensor, r: Tensor, wb: Tensor, rb: Tensor, width: int, mode: str
) -> Tensor:
    return x.new_empty(x.shape[0], x.shape[1], width)


def recurrent_in_onnx() -> Callable[..., Any]:
    """The operator in ONNX's terms."""
    from onnxscript import opset18 as op

    def translated(x: Any, w: Any, r: Any, wb: Any, rb: Any, width: int, mode: str) -> Any:
        first: Any = op.Constant(value_ints=[0])
        second: Any = op.Constant(value_ints=[1])
        steps, bias = op.Transpose(x, perm=[1, 0, 2]), op.Concat(wb, rb, axis=0)
        weights = [op.Unsqueeze(one, first) for one in (w, r, bias)]
        if mode == "LSTM":
            made = op.LSTM(steps, *weights, hidden_size=width)[0]
        elif mode == "GRU":
            made = op.GRU(steps, *weights, hidden_size=width, linear_before_reset=1)[0]
        else:
            kind = mode.removeprefix("RNN_").capitalize()
            made = op.RNN(steps, *weights, hidden_size=width, activations=[kind])[0]
        return op.Transpose(op.Squeeze(made, second), perm=[1, 0, 2])

    return translated


def traced(asked: Asked, encoding: Encoding) -> Any:
    """The ONNX model; raises GaiError where torch cannot follow the network."""
    batch = torch.from_numpy(random_inputs(encoding, *TRACED, seed=0))
    name = NAMES.get(encoding.kind, encoding.kind)
    try:
        program = torch.export.export(asked, (batch,), dynamic_shapes=(axes(encoding),))
        made = torch.onnx.export(
            program,
            dynamo=True,
            verbose=False,
            input_names=[name],
            output_names=[answer_of(encoding)],
            custom_translation_table={torch.ops.gai.recurrent.default: recurrent_in_onnx()},
        )
    except Exception as error:  # torch raises what its layers raise
        raise refused(encoding, error) from error
    assert made is not None
    return made.model_proto


def refused(encoding: Encoding, error: Exception) -> GaiError:
    """Says in a line that a network cannot be exported, with the first that torch says of it."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    line = next((line.strip() for line in str(cause).splitlines() if line.strip()), "")
    return GaiError(
        f"this {encoding.config.model} cannot be exported: {type(cause).__name__}: {line}"
    )


def axes(encoding: Encoding) -> dict[int, Any]:
    """Which axes of the input may have another size when the file is used."""
    found = {0: torch.export.Dim("batch")}
    if has_length(encoding):
        bound = longest(encoding)
        found[1] = torch.export.Dim("length", **({} if bound is None else {"max": bound}))
    return found


def has_length(encoding: Encoding) -> bool:
    """Whether examples differ in length."""
    fixed = encoding.kind == "sequences" and encoding.config.model not in OVER_TIME
    return encoding.kind in ("ids", "sequences") and not fixed


OVER_TIME = ("cnn", "rnn", "lstm", "gru", "transformer")
"""Models that read sequences of numbers of any length."""


def longest(encoding: Encoding) -> int | None:
    """How long an example may be; None where that does not matter."""
    if encoding.config.model != "transformer":
        return None
    return encoding.config.context if encoding.kind == "ids" else encoding.size[0]


def random_inputs(encoding: Encoding, size: int, length: int, seed: int) -> NDArray[Any]:
    """A batch as the file takes it; texts of it are of different lengths."""
    rng = np.random.default_rng(seed)
    length = min(length, longest(encoding) or length)
    if encoding.kind == "ids":
        return random_ids(encoding, rng, size, length)
    if encoding.kind == "rows":
        counts = rng.poisson(min(20 / encoding.size[0], 1.0), (size, *encoding.size))
        counts[:, :2] = 0
        return counts.astype(np.float32)
    shape = (length, *encoding.size[1:]) if has_length(encoding) else encoding.size
    drawn = rng.standard_normal((size, *shape))
    if encoding.kind == "images":
        drawn = rng.random((size, *shape))
    scaled = drawn if encoding.scale is None else encoding.scale.undo(drawn)
    return scaled.astype(np.float32)


def random_ids(
    encoding: Encoding, rng: np.random.Generator, size: int, length: int
) -> NDArray[np.int64]:
    """Ids [B, T] or [B, T, C]; but for a language model, 0 behind the ends of all but the first."""
    token = (len(features("a")),) if encoding.source == "features" else ()
    drawn = rng.integers(PAD + 1, encoding.size[0], (size, length, *token))
    if encoding.config.task != "lm":
        ends = rng.integers(0, length + 1, size)
        ends[0] = length
        drawn[np.arange(length) >= ends[:, None]] = PAD
    return drawn


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps to itself what torch and onnxscript print and log."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def strip(model: Any) -> None:
    """Takes out where in which file of this machine each operator comes from."""
    for graph in (model.graph, *model.functions):
        del graph.metadata_props[:]
        for part in (*graph.node, *graph.value_info):
            part.doc_string = ""
            del part.metadata_props[:]
    for part in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        del part.metadata_props[:]


def name_axes(model: Any) -> None:
    """Calls the axes that may have any size batch and length, where torch has numbers for them."""
    first = model.graph.input[0].type.tensor_type.shape.dim
    names = dict(zip((axis.dim_param for axis in first), ("batch", "length"), strict=False))
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        for axis in value.type.tensor_type.shape.dim:
            if axis.dim_param:
                axis.dim_param = SYMBOL.sub(
                    lambda found: names.get(found[0], found[0]), axis.dim_param
                )


SYMBOL = re.compile(r"\bs\d+\b")
"""What torch calls a size that it does not know."""


def describe(model: Any, encoding: Encoding, run: Run) -> None:
    """Adds what a program needs beside the graph: labels, vocabulary, how text becomes terms."""
    config, labels = encoding.config, encoding.labels
    said: dict[str, Any] = {
        "gai": __version__,
        "model": config.model,
        "task": config.task,
        "input": encoding.source,
        "digest": run.input()["digest"],
    }
    if labels is not None:
        said |= {"labels": list(labels.names), "several": labels.several}
    if encoding.vocabulary is not None:
        said |= {"vocabulary": os.path.join(run.path, runs.VOCAB), "text": text_of(config)}
    if (bound := longest(encoding)) is not None:
        said["longest"] = bound
    if encoding.columns:
        said["columns"] = list(encoding.columns)
    for name, value in said.items():
        text = value if isinstance(value, str) else json.dumps(value)
        model.metadata_props.add(key=name, value=text)


def text_of(config: Config) -> dict[str, Any]:
    """How text becomes terms, as far as it is not the default."""
    plain = Config()
    found = {**config.analysis(), "unit": config.unit, "max_length": config.max_length}
    default = {**plain.analysis(), "unit": plain.unit, "max_length": plain.max_length}
    return {name: value for name, value in found.items() if value != default[name]}


def check(content: bytes, asked: Asked, encoding: Encoding) -> None:
    """Raises GaiError where onnxruntime answers otherwise than torch."""
    ask = runner(content)
    for seed, (size, length) in enumerate(SIZES, 1):
        batch = random_inputs(encoding, size, length, seed)
        with torch.inference_mode():
            wanted = asked(torch.from_numpy(batch)).numpy()
        found = ask(batch)
        bound = TOLERANCE * max(1.0, float(np.abs(wanted).max(initial=0)))
        far = float(np.abs(found - wanted).max(initial=0)) if found.shape == wanted.shape else None
        if far is None or not far <= bound:
            what = "in shape" if far is None else f"by {far:.3g}, more than {bound:.3g}"
            raise GaiError(f"onnxruntime's answers differ from torch's {what}; nothing is written")


def runner(content: bytes) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """A function from a batch to the answers of an ONNX file."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def ask(batch: NDArray[Any]) -> NDArray[Any]:
        answers: NDArray[Any] = session.run(None, {name: batch})[0]
        return answers

    return ask
