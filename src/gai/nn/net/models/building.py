"""From the choices of a run and the shape of its data to a network with its first weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from gai.backends import resolve
from gai.errors import GaiError, UsageError
from gai.nn.config import OWN, Config
from gai.nn.data.arrays import PAD, UNKNOWN
from gai.nn.names import TASK_OF
from gai.nn.net.initialising import initialise
from gai.nn.net.inputs import Shape
from gai.nn.net.models import transformer
from gai.nn.net.models.cnn import cnn
from gai.nn.net.models.mlp import MLP
from gai.nn.net.models.network import Body, Model, Network
from gai.nn.net.models.ntm import NTM
from gai.nn.net.models.recurrent import Recurrent
from gai.nn.net.models.transformer import Transformer


def pretrained(config: Config, shape: Shape) -> Body:
    """A body from a folder; only who asks for one needs the library behind it."""
    made: Body = resolve("gai.nn.net.models.pretrained:Pretrained")(config, shape)
    return made


BODIES: dict[str, Callable[[Config, Shape], Body]] = {
    "mlp": MLP,
    "cnn": cnn,
    "rnn": Recurrent,
    "lstm": Recurrent,
    "gru": Recurrent,
    "transformer": Transformer,
    "pretrained": pretrained,
    "ntm": NTM,
}

WHOLE: dict[str, str] = {
    "translator": "gai.nn.net.models.translator:translator",
    "autoencoder": "gai.nn.net.models.autoencoder:Autoencoder",
    "vae": "gai.nn.net.models.vae:VAE",
    "gan": "gai.nn.net.models.gan:GAN",
    "capsnet": "gai.nn.net.models.capsnet:CapsNet",
    "siamese": "gai.nn.net.models.siamese:siamese",
}
"""Models that are no body with a head: a function of config and shape, as ``"module:attribute"``.
It draws the first weights too."""

EMBEDDING_DEVIATION = 0.1
"""Of embeddings by default. With torch's 1 a cnn on TREC gets 4 points less: what is learned of a
rare word drowns in what it began with."""

RECURRENT = ("rnn", "lstm", "gru")

KINDS = {
    "pretrained": ("ids", "images"),
    "mlp": ("ids", "rows", "numbers", "sequences", "images"),
    "cnn": ("ids", "sequences", "images"),
    **dict.fromkeys((*RECURRENT, "transformer"), ("ids", "sequences")),
    "autoencoder": ("rows", "numbers", "images"),
    "vae": ("numbers", "images"),
    "gan": ("numbers", "images"),
    "capsnet": ("images",),
    "ntm": ("sequences",),
}
"""What each model takes."""

SHOWN = {
    "ids": "text as ids",
    "rows": "rows of tfidf or bow",
    "numbers": "rows of numbers",
    "sequences": "sequences of numbers",
    "images": "images",
}


def build(config: Config, shape: Shape, vectors: Tensor | None = None) -> Model:
    """The network that ``config`` describes, for inputs and outputs of ``shape``.

    First weights are drawn with torch's random numbers, as ``config.weights_init`` says: by default
    as torch's layers do, but for smaller embeddings, and those of a transformer as in GPT-2.
    ``vectors`` [V, dim] become the embeddings of terms, and ``config.freeze_vectors`` keeps
    embeddings as they are. A transformer that is a language model has the embeddings' weights in
    its head. Raises UsageError for what cannot be.
    """
    if vectors is not None:
        config = config.with_(embedding=vectors.shape[1], vectors=config.vectors or "-")
    check(config, shape)
    if found := WHOLE.get("translator" if shape.writes else config.model):
        made: Model = resolve(found)(config, shape)
        embedding = getattr(getattr(made, "body", None), "embedding", None)
        if isinstance(embedding, nn.Embedding):
            place(embedding, vectors, config.freeze_vectors)
        return made
    tied = ties(config, shape)
    body = BODIES[config.model](config, shape)
    network = Network(body, nn.Linear(body.width, shape.outputs, bias=not tied))
    embedding = getattr(network.body, "embedding", None)
    if tied and isinstance(embedding, nn.Embedding):
        network.head.weight = embedding.weight
    draw(network, config)
    if isinstance(embedding, nn.Embedding):
        place(embedding, vectors, config.freeze_vectors)
    return network


def ties(config: Config, shape: Shape) -> bool:
    """Whether the head of a language model is the embedding: a transformer's, of the same width."""
    fits = config.vectors is None or config.embedding == config.width
    learns = not config.freeze_vectors
    return config.model == "transformer" and _speaks(shape) and fits and learns


def _speaks(shape: Shape) -> bool:
    """Whether it is a language model over ids."""
    return shape.causal and shape.per_token and shape.kind == "ids"


def draw(network: Network, config: Config) -> None:
    """Draws the first weights.

    An unknown term begins as 0. Where training sees none it stays so, and says nothing: a random
    vector, which normalisation makes as large as others, costs a transformer 14 points on TREC.
    """
    activation, slope = config.activation, config.negative_slope
    initialise(network, config.weights_init, activation=activation, negative_slope=slope)
    embedding = getattr(network.body, "embedding", None)
    with torch.no_grad():
        if config.weights_init == "default" and isinstance(network.body, Transformer):
            transformer.draw(network, network.body)
        elif config.weights_init == "default" and isinstance(embedding, nn.Embedding):
            embedding.weight[PAD + 1 :].normal_(std=EMBEDDING_DEVIATION)
        if isinstance(embedding, nn.Embedding):
            embedding.weight[[PAD, UNKNOWN]] = 0.0


def place(embedding: nn.Embedding, vectors: Tensor | None, freeze: bool) -> None:
    """Puts vectors into an embedding, but for that of padding."""
    if vectors is not None:
        if vectors.shape != embedding.weight.shape:
            terms = embedding.num_embeddings
            raise GaiError(
                f"the vectors are of {len(vectors):,} terms, the vocabulary has {terms:,}"
            )
        with torch.no_grad():
            embedding.weight[PAD + 1 :] = vectors[PAD + 1 :]
    embedding.weight.requires_grad_(not freeze)


def check(config: Config, shape: Shape) -> None:
    """Raises UsageError for a model that does not fit the data, and for choices that do not fit the
    model."""
    body = config.with_(model=config.body)
    for message, hint in (*_of_others(config), *_complaints(body, shape)):
        raise UsageError(message, hint)


Complaints = Iterator[tuple[str, str]]


def _of_others(config: Config) -> Complaints:
    for name, model in OWN.items():
        if getattr(config, name) != getattr(Config, name) and config.model != model:
            yield f"--{name.replace('_', '-')} is for {model}", "leave it out"


def _complaints(config: Config, shape: Shape) -> Complaints:
    """What is wrong, with the remedy."""
    yield from _about_the_data(config, shape)
    yield from _about_sizes(config)
    if config.model in RECURRENT:
        yield from _about_recurrent(config, shape)
    elif config.bidirectional or config.attention:
        option = "--bidirectional" if config.bidirectional else "--attention"
        yield f"{option} is for recurrent networks", f"one of {', '.join(RECURRENT)}"
    if config.batch_norm and config.layer_norm:
        yield "--batch-norm and --layer-norm are two ways to do one thing", "one of them"
    if config.model == "transformer":
        yield from _about_transformer(config)
    if config.model == "ntm":
        yield from _about_ntm(config)
    if config.model == "capsnet":
        yield from _about_capsules(config)
    if shape.kind == "images" and config.model == "cnn" and config.activation == "softmax":
        yield "--activation softmax is none for pixels", "relu, for example"


def _about_the_data(config: Config, shape: Shape) -> Complaints:
    model, kind = config.model, shape.kind
    if kind not in KINDS[model]:
        like = [name for name in KINDS if TASK_OF.get(name) == TASK_OF.get(model)]
        fit = ", ".join(name for name in like if kind in KINDS[name])
        way = "; --input ids reads text as ids" if kind == "rows" else ""
        yield f"{model} does not take {SHOWN[kind]}", f"{fit} does{way}"
    if shape.writes and model != "transformer":
        yield f"{model} does not write texts", "transformer does"
    if model == "pretrained" and config.pretrained is None:
        yield "pretrained needs a folder", "gai nn finetune --from DIR DATA -o RUN"
    if shape.per_token and model == "pretrained":
        yield "a pre-trained model has no answer for each token here", "--task classify or regress"
    if shape.per_token and model == "mlp":
        fit = ", ".join(name for name in KINDS if name != "mlp" and name not in TASK_OF)
        yield "mlp has no answer for each token", f"one of {fit}"


def _about_sizes(config: Config) -> Complaints:
    least = 0 if config.model in ("mlp", "autoencoder", "vae") else 1
    if config.layers < least:
        yield f"--layers {config.layers}: {config.model} needs at least {least}", "--layers 1"
    for name in ("embedding", "width", "heads", "context", "filters", "code"):
        if getattr(config, name) < 1:
            yield f"--{name} must be at least 1", f"--{name} {getattr(Config, name)}"
    if not config.kernels or min(config.kernels) < 1:
        yield "--kernels are widths of filters: numbers from 1 on", "--kernels 3,4,5"


def _about_recurrent(config: Config, shape: Shape) -> Complaints:
    if config.bidirectional and shape.causal:
        hint = "without --bidirectional"
        yield "a language model reads in one direction: it is to guess what comes", hint
    if config.attention and shape.per_token:
        hint = "without --attention"
        yield "--attention makes one answer for all tokens, here each has its own", hint
    known = ("tanh", "relu") if config.model == "rnn" else ("tanh",)
    if config.activation not in known:
        hint = f"--activation {' or '.join(known)}"
        yield f"{config.model} has no activation {config.activation}", hint


def _about_capsules(config: Config) -> Complaints:
    if len(config.kernels) != 1:
        shown = ",".join(map(str, config.kernels))
        yield f"--kernels {shown}: the filters of a capsnet have one width", "--kernels 7"
    if min(config.capsule_sizes) < 1:
        yield "--capsule-sizes must be at least 1", "--capsule-sizes 8,16"
    if config.residual:
        yield "a capsnet has no layers with --residual", "leave it out"


def _about_transformer(config: Config) -> Complaints:
    if config.width % config.heads:
        fits = config.width + config.heads - config.width % config.heads
        message = f"--width {config.width} cannot be shared among {config.heads} heads"
        yield message, f"--width {fits}"
    if config.batch_norm:
        yield "transformer has layer normalisation, no --batch-norm", "without it"


def _about_ntm(config: Config) -> Complaints:
    if config.layers != 1:
        yield f"--layers {config.layers}: the controller of an ntm is one layer", "--layers 1"
    for name in ("batch_norm", "layer_norm", "residual"):
        if getattr(config, name):
            yield f"ntm has no --{name.replace('_', '-')}", "leave it out"
    if config.controller == "lstm" and config.activation != "tanh":
        yield f"--controller lstm has no activation {config.activation}", "--activation tanh"
