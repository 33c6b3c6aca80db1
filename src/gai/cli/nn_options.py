"""The options of gai nn train, in groups; their fields are named as those of gai.nn.config."""

# No `from __future__ import annotations`: typer reads these annotations, as objects.
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import typer

from gai.cli import values
from gai.cli.options import option
from gai.nn import names
from gai.nn.defaults import spelled

INPUT_FORMATS = ("text", "jsonl", "csv", "tsv", "parquet")


def names_of(text: str) -> tuple[str, ...]:
    """Names with commas between."""
    found = tuple(name.strip() for name in text.split(","))
    if not all(found):
        raise ValueError("expected names such as a,b,c")
    return found


def wholes(text: str) -> tuple[int, ...]:
    """Whole numbers with commas between: ``"3,4,5"``."""
    return tuple(values.whole(1)(part.strip()) for part in text.split(","))


def pair(text: str) -> tuple[int, ...]:
    """Two whole numbers with a comma between."""
    found = wholes(text)
    if len(found) != 2:
        raise ValueError("expected two numbers, such as 8,16")
    return found


def stretch(text: str) -> tuple[int, int]:
    """The least and the most: ``"1-20"`` is (1, 20), and ``"40"`` is (40, 40)."""
    low, between, high = text.partition("-")
    found = (low, high if between else low)
    if not all(map(values.is_digits, found)) or not 1 <= int(found[0]) <= int(found[1]):
        raise ValueError("expected a number such as 40, or the least and the most such as 1-20")
    return int(found[0]), int(found[1])


def sides(text: str) -> tuple[int, int]:
    """Two sizes: ``"128x20"`` is (128, 20)."""
    found = text.split("x")
    if len(found) != 2 or not all(values.is_digits(side) and int(side) >= 1 for side in found):
        raise ValueError("expected places and numbers in each, such as 128x20")
    return int(found[0]), int(found[1])


def batch(text: str) -> int:
    """A batch size; ``full`` is 0, all examples at once."""
    return 0 if text == "full" else values.whole(1)(text)


def whole(*flags: str, least: int = 1, help: str, default: str = "") -> Any:
    """An option for a whole number."""
    return option(*flags, metavar="N", parse=values.whole(least), help=help, default=default)


def real(
    *flags: str, least: float = 0.0, most: float | None = None, help: str, default: str = ""
) -> Any:
    """An option for a number."""
    parse: Callable[[str], float]
    parse = values.number(least) if most is None else values.number(least, most)
    return option(*flags, metavar="X", parse=parse, help=help, default=default)


def switch(name: str, help: str) -> Any:
    """A flag that ``--no-NAME`` takes back where a file has set it."""
    return typer.Option(f"--{name}/--no-{name}", help=help, show_default=False)


def one_of(flag: str, known: dict[str, str], help: str, default: str = "") -> Any:
    """An option for a name of a list of ``gai nn list``."""
    return option(flag, parse=values.choice(*known), help=help, default=default)


@dataclass(eq=False, repr=False)
class Examples:
    """What is read of DATA."""

    panel: ClassVar[str] = "Examples"
    text_field: Annotated[
        str | None,
        option(
            "--text-field",
            metavar="NAME",
            help="Field or column of the text; title+body joins two.",
            default="text",
        ),
    ] = None
    label_field: Annotated[
        tuple[str, ...] | None,
        option(
            "--label-field",
            metavar="NAME[,NAME]",
            parse=names_of,
            help="Field or column of the label; several are numbers to be predicted together.",
            default="label",
        ),
    ] = None
    label_sep: Annotated[
        str | None,
        option("--label-sep", metavar="TEXT", help="A label is several, with this between them."),
    ] = None
    columns: Annotated[
        tuple[str, ...] | None,
        option(
            "--columns",
            metavar="A,B,C",
            parse=names_of,
            help="Learn from these columns of numbers, not from text.",
        ),
    ] = None
    header: Annotated[
        tuple[str, ...] | None,
        option(
            "--header",
            metavar="A,B,C",
            parse=names_of,
            help="Names for the columns of a csv or tsv file that has no line of names.",
        ),
    ] = None
    input_format: Annotated[
        str | None,
        option(
            "--input-format",
            parse=values.choice(*INPUT_FORMATS),
            help="What the inputs are.",
            default="by extension, else text",
        ),
    ] = None
    errors: Annotated[
        str | None,
        option(
            "--errors",
            parse=values.choice("strict", "replace", "ignore"),
            help="What happens at bytes that are no UTF-8.",
            default="strict",
        ),
    ] = None

    lengths: Annotated[
        tuple[int, int] | None,
        option(
            "--lengths",
            metavar="N|N-N",
            parse=stretch,
            help="How long the sequences of @copy and its like are.",
            default="1-20",
        ),
    ] = None
    repeats: Annotated[
        tuple[int, int] | None,
        option(
            "--repeats",
            metavar="N|N-N",
            parse=stretch,
            help="How often a sequence of @repeat-copy is repeated.",
            default="1-10",
        ),
    ] = None


@dataclass(eq=False, repr=False)
class Parts(Examples):
    """What is learned from, and what is held back."""

    task: Annotated[
        str | None,
        one_of("--task", names.TASKS, "What is learned.", "by model, data and labels"),
    ] = None
    input: Annotated[
        str | None,
        one_of(
            "--input",
            names.INPUTS,
            "What the network sees of an example.",
            "by model and data; tfidf for an mlp on text",
        ),
    ] = None
    valid: Annotated[
        str | None,
        option(
            "--valid",
            metavar="FILE|FRACTION",
            help="What validates: a file, or a share of DATA, drawn by label; 0 for nothing.",
            default="0.1",
        ),
    ] = None
    test: Annotated[
        str | None,
        option(
            "--test",
            metavar="FILE|FRACTION",
            help="Score the best network on this file, or share of DATA, once, at the end.",
        ),
    ] = None
    group_field: Annotated[
        str | None,
        option(
            "--group-field",
            metavar="NAME",
            help="Field whose equal values stay in one part: all of a user, a page.",
        ),
    ] = None
    fold: Annotated[
        str | None,
        option(
            "--fold",
            metavar="I/K",
            help="Of K folds hold out the I-th, as gai nn cv does, and test on it.",
        ),
    ] = None
    split_seed: Annotated[
        int | None,
        whole("--split-seed", least=0, help="Of what is held out.", default="--seed"),
    ] = None
    split_by: Annotated[
        str | None,
        option(
            "--split-by",
            parse=values.choice("examples", "classes"),
            help="What --valid and --test hold out, of a siamese network: classes never seen.",
            default="classes where there are 6 or more",
        ),
    ] = None
    bootstrap: Annotated[
        bool | None,
        switch("bootstrap", "Train on as many examples, drawn with replacement."),
    ] = None
    without: Annotated[
        tuple[str, ...] | None,
        option(
            "--without",
            metavar="NAME[,NAME]",
            parse=names_of,
            help="Leave out the examples with these labels.",
        ),
    ] = None
    unit: Annotated[
        str | None,
        option(
            "--unit",
            parse=values.choice("characters", "words", "subwords"),
            help="What a language model predicts.",
            default="characters",
        ),
    ] = None
    bits: Annotated[
        int | None, whole("--bits", help="Bits a step of @copy and its like.", default="8")
    ] = None
    window: Annotated[
        int | None,
        whole("--window", help="Steps of a series that a forecast looks back.", default="24"),
    ] = None
    horizon: Annotated[
        int | None, whole("--horizon", help="Steps that are forecast.", default="1")
    ] = None
    min_count: Annotated[
        int | None,
        whole("--min-count", help="Leave out rarer terms.", default="1; 2 for tags"),
    ] = None
    max_vocab: Annotated[
        int | None,
        whole(
            "--max-vocab",
            help="Only the N most frequent terms.",
            default="all; autoencoder 10000",
        ),
    ] = None
    max_length: Annotated[
        int | None, whole("--max-length", help="Cut texts behind N tokens.", default="not")
    ] = None
    class_weights: Annotated[
        str | None,
        option(
            "--class-weights",
            parse=values.choice("none", "balanced"),
            help="balanced: rare classes count more, each class as much as any other.",
            default="none",
        ),
    ] = None
    augment: Annotated[
        tuple[str, ...] | None,
        option(
            "--augment",
            metavar="NAME[,NAME]",
            parse=values.several(*names.AUGMENTATIONS),
            help=f"Change examples at random: {', '.join(names.AUGMENTATIONS)}; see gai nn list.",
        ),
    ] = None
    augment_rate: Annotated[
        float | None,
        real("--augment-rate", most=1.0, help="How much of it.", default="0.1"),
    ] = None
    turned_classes: Annotated[
        bool | None,
        switch("turned-classes", "Images turned by quarters are classes more; siamese networks."),
    ] = None
    augment_from: Annotated[
        str | None,
        option(
            "--augment-from",
            metavar="RUN",
            help="Also train on samples of this conditional gan, labelled as they were asked for.",
        ),
    ] = None
    augment_share: Annotated[
        float | None,
        real(
            "--augment-share",
            most=1.0,
            help="Share of samples among the training examples; 1: nothing else.",
            default="0.5",
        ),
    ] = None
    pretokenized: Annotated[
        bool,
        option("--pretokenized", help="The text is tokens already, separated by single spaces."),
    ] = False


@dataclass(eq=False, repr=False)
class Architecture:
    """How the network is built."""

    panel: ClassVar[str] = "Network"
    layers: Annotated[
        int | None,
        whole("--layers", least=0, help="Hidden layers.", default=spelled("layers", "1")),
    ] = None
    width: Annotated[
        int | None,
        whole("--width", help="Units of a layer.", default=spelled("width", "128")),
    ] = None
    embedding: Annotated[
        int | None, whole("--embedding", help="Numbers of a term's vector.", default="128")
    ] = None
    vectors: Annotated[
        str | None,
        option("--vectors", metavar="FILE", help="Begin with these word vectors."),
    ] = None
    freeze_vectors: Annotated[
        bool | None, switch("freeze-vectors", "Leave the vectors of words as they are.")
    ] = None
    activation: Annotated[
        str | None,
        one_of(
            "--activation", names.ACTIVATIONS, "Of hidden units.", spelled("activation", "relu")
        ),
    ] = None
    negative_slope: Annotated[
        float | None,
        real("--negative-slope", help="Of leaky-relu.", default=spelled("negative_slope", "0.01")),
    ] = None
    bidirectional: Annotated[
        bool | None, switch("bidirectional", "Recurrent networks read both ways.")
    ] = None
    attention: Annotated[
        bool | None, switch("attention", "Recurrent networks weigh all their states.")
    ] = None
    kernels: Annotated[
        tuple[int, ...] | None,
        option(
            "--kernels",
            metavar="N[,N]",
            parse=wholes,
            help="How many tokens the filters of a cnn see, or pixels those of a capsnet.",
            default=spelled("kernels", "3,4,5"),
        ),
    ] = None
    filters: Annotated[
        int | None,
        whole(
            "--filters",
            help="Filters of each kind, of a cnn; of a capsnet.",
            default=spelled("filters", "100"),
        ),
    ] = None
    pool: Annotated[
        str | None,
        one_of("--pool", names.POOLS, "How many places become one.", spelled("pool", "max")),
    ] = None
    heads: Annotated[
        int | None,
        whole(
            "--heads",
            help="Attention heads of a transformer; pairs of heads of an ntm.",
            default=spelled("heads", "4"),
        ),
    ] = None
    memory: Annotated[
        tuple[int, int] | None,
        option(
            "--memory",
            metavar="NxN",
            parse=sides,
            help="Places of an ntm's memory, and numbers in each.",
            default="128x20",
        ),
    ] = None
    encoder: Annotated[
        str | None,
        one_of("--encoder", names.ENCODERS, "Of a siamese network.", "mlp; cnn for images"),
    ] = None
    controller: Annotated[
        str | None,
        one_of("--controller", names.CONTROLLERS, "What tells an ntm's heads.", "feedforward"),
    ] = None
    context_size: Annotated[
        int | None,
        whole("--context-size", help="Tokens that a language model sees.", default="64"),
    ] = None
    residual: Annotated[
        bool | None, switch("residual", "Add the input of a layer to its output.")
    ] = None
    batch_norm: Annotated[
        bool | None, switch("batch-norm", "Normalise each unit over the batch.")
    ] = None
    layer_norm: Annotated[
        bool | None, switch("layer-norm", "Normalise each example over the units.")
    ] = None
    code: Annotated[
        int | None,
        whole(
            "--code",
            help="Width of an autoencoder's code, of what is drawn for a sample, of an embedding.",
            default=spelled("code", "32"),
        ),
    ] = None
    unit_norm: Annotated[
        bool | None,
        switch("unit-norm", "Embeddings of a siamese network have length 1; the default."),
    ] = None
    conditional: Annotated[
        bool | None,
        switch("conditional", "A gan is told the labels of the data, and makes examples of each."),
    ] = None
    capsules: Annotated[
        int | None,
        whole("--capsules", help="Kinds of primary capsules of a capsnet.", default="16"),
    ] = None
    capsule_sizes: Annotated[
        tuple[int, ...] | None,
        option(
            "--capsule-sizes",
            metavar="N,N",
            parse=pair,
            help="Numbers of a primary capsule, and of that of a class.",
            default="8,16",
        ),
    ] = None
    routings: Annotated[
        int | None,
        whole("--routings", help="Rounds in which a capsnet's capsules agree.", default="3"),
    ] = None
    shared_matrices: Annotated[
        bool | None,
        switch(
            "shared-matrices",
            "A kind of a capsnet's primary capsules votes by one matrix everywhere, and each place "
            "adds a vector: more right of what is moved farther than in training.",
        ),
    ] = None
    weights_init: Annotated[
        str | None,
        one_of("--weights-init", names.INITIALISATIONS, "How weights begin.", "default"),
    ] = None


@dataclass(eq=False, repr=False)
class Descent:
    """How the network learns."""

    panel: ClassVar[str] = "Training"
    epochs: Annotated[
        int | None,
        whole(
            "--epochs",
            help="How often to go through the data.",
            default=spelled("epochs", "10"),
        ),
    ] = None
    steps: Annotated[
        int | None, whole("--steps", help="Stop after N steps.", default="by --epochs")
    ] = None
    batch_size: Annotated[
        int | None,
        option(
            "--batch-size",
            metavar="full|N",
            parse=batch,
            help="Examples a step: all of them, some, or 1.",
            default=spelled("batch_size", "32"),
        ),
    ] = None
    eval_every: Annotated[
        int | None,
        whole(
            "--eval-every", help="Validate every N steps.", default=spelled("eval_every", "epochs")
        ),
    ] = None
    loss: Annotated[
        str | None,
        option(
            "--loss",
            metavar="NAME|MODULE:FUNCTION",
            help=f"{', '.join(names.LOSSES)}, or a function of outputs and targets.",
            default="by task",
        ),
    ] = None
    margin: Annotated[
        float | None,
        real(
            "--margin",
            help="How much farther others are, squared; how far, of contrastive.",
            default=spelled("margin", "0.2"),
        ),
    ] = None
    positives: Annotated[
        str | None,
        one_of(
            "--positives", names.POSITIVES, "What of its class a siamese network draws near.", "all"
        ),
    ] = None
    negatives: Annotated[
        str | None,
        one_of("--negatives", names.NEGATIVES, "What of others it pushes away.", "semi-hard"),
    ] = None
    per_class: Annotated[
        int | None,
        whole("--per-class", least=2, help="Examples of a class in its batches.", default="4"),
    ] = None
    huber_delta: Annotated[
        float | None, real("--huber-delta", help="Where huber becomes linear.", default="1")
    ] = None
    focal_gamma: Annotated[
        float | None, real("--focal-gamma", help="How much focal spares the easy.", default="2")
    ] = None
    label_smoothing: Annotated[
        float | None,
        real("--label-smoothing", most=0.99, help="Share of the other classes.", default="0"),
    ] = None
    optimizer: Annotated[
        str | None,
        one_of(
            "--optimizer", names.OPTIMIZERS, "What makes the steps.", spelled("optimizer", "adam")
        ),
    ] = None
    lr: Annotated[
        float | None, real("--lr", help="Learning rate.", default=spelled("lr", "0.001"))
    ] = None
    momentum: Annotated[
        float | None,
        real("--momentum", most=0.9999, help="Of momentum and nesterov.", default="0.9"),
    ] = None
    beta1: Annotated[
        float | None,
        real(
            "--beta1",
            most=0.99999,
            help="Memory of gradients, of adam.",
            default=spelled("beta1", "0.9"),
        ),
    ] = None
    beta2: Annotated[
        float | None,
        real(
            "--beta2",
            most=0.99999,
            help="Memory of squares, of adam.",
            default=spelled("beta2", "0.999"),
        ),
    ] = None
    schedule: Annotated[
        str | None,
        one_of("--schedule", names.SCHEDULES, "How the rate changes.", "constant"),
    ] = None
    warmup: Annotated[
        int | None, whole("--warmup", least=0, help="Steps in which the rate rises.", default="0")
    ] = None
    min_lr: Annotated[
        float | None, real("--min-lr", help="Lowest rate of a schedule.", default="0")
    ] = None
    schedule_every: Annotated[
        int | None,
        whole("--schedule-every", help="Epochs of a step or cycle, patience.", default="3"),
    ] = None
    schedule_gamma: Annotated[
        float | None,
        real("--schedule-gamma", most=1.0, help="What the rate is multiplied by.", default="0.5"),
    ] = None


@dataclass(eq=False, repr=False)
class Restraint:
    """What keeps a network from learning by heart, and gradients from exploding."""

    panel: ClassVar[str] = "Against overfitting and exploding gradients"
    dropout: Annotated[
        float | None,
        real(
            "--dropout",
            most=0.99,
            help="Share of hidden units left out.",
            default=spelled("dropout", "0"),
        ),
    ] = None
    input_dropout: Annotated[
        float | None,
        real("--input-dropout", most=0.99, help="Share of inputs left out.", default="0"),
    ] = None
    denoise: Annotated[
        float | None,
        real(
            "--denoise",
            help="Noise on what an autoencoder sees, not on what it is to make of it: a deviation; "
            "of rows of text the share of terms left out.",
            default="0",
        ),
    ] = None
    sparsity: Annotated[
        float | None,
        real("--sparsity", help="What an autoencoder's code costs: units go off.", default="0"),
    ] = None
    beta: Annotated[
        float | None, real("--beta", help="Times the KL part of a vae's loss.", default="1")
    ] = None
    gradient_penalty: Annotated[
        float | None,
        real(
            "--gradient-penalty",
            help="Times how far the slopes of a wasserstein critic are from 1, squared.",
            default="10",
        ),
    ] = None
    critic_steps: Annotated[
        int | None,
        whole(
            "--critic-steps",
            help="Steps of a gan's discriminator for one of its generator.",
            default=spelled("critic_steps", "1"),
        ),
    ] = None
    reconstruction: Annotated[
        float | None,
        real(
            "--reconstruction",
            help="Times the squared error of a capsnet's image, to the loss.",
            default="0.0005",
        ),
    ] = None
    l1: Annotated[
        float | None, real("--l1", help="Times the sum of |weights|, to the loss.", default="0")
    ] = None
    l2: Annotated[
        float | None, real("--l2", help="Times the sum of squares, to the loss.", default="0")
    ] = None
    weight_decay: Annotated[
        float | None,
        real("--weight-decay", help="The optimiser's own.", default=spelled("weight_decay", "0")),
    ] = None
    max_norm: Annotated[
        float | None, real("--max-norm", help="Largest norm of the weights into a unit.")
    ] = None
    early_stopping: Annotated[
        int | None,
        whole("--early-stopping", help="Stop after N evaluations without a better one."),
    ] = None
    clip_norm: Annotated[
        float | None,
        real(
            "--clip-norm", help="Largest norm of a gradient.", default=spelled("clip_norm", "none")
        ),
    ] = None
    clip_value: Annotated[
        float | None, real("--clip-value", help="Largest number in a gradient.")
    ] = None


def stages(text: str) -> int:
    """A number of stages; ``all`` is -1, all but the head."""
    return -1 if text == "all" else values.whole(0)(text)


@dataclass(eq=False, repr=False)
class Tuning:
    """How weights that have learned before learn on."""

    panel: ClassVar[str] = "Fine-tuning"
    freeze: Annotated[
        int | None,
        option(
            "--freeze",
            metavar="all|N",
            parse=stages,
            help="Leave the first N stages as they are, embeddings first, or all but the head.",
            default="0",
        ),
    ] = None
    unfreeze_every: Annotated[
        int | None,
        whole("--unfreeze-every", help="Every N epochs one frozen stage more learns, from above."),
    ] = None
    layer_decay: Annotated[
        float | None,
        real("--layer-decay", most=1.0, help="Rate of a stage, of that above it.", default="1"),
    ] = None


@dataclass(eq=False, repr=False)
class Machine:
    """On what it runs."""

    panel: ClassVar[str] = "Run"
    seed: Annotated[int | None, whole("--seed", least=0, help="Of all chance.", default="1")] = None
    threads: Annotated[
        int | None,
        whole("--threads", help="Threads of the CPU.", default="the faster of 1 and all"),
    ] = None
    device: Annotated[
        str | None,
        option("--device", metavar="auto|cpu|cuda", help="Where to compute.", default="auto"),
    ] = None
    precision: Annotated[
        str | None,
        option(
            "--precision",
            parse=values.choice("auto", "float32", "bfloat16"),
            help="Numbers of the forward pass.",
            default="float32; transformers on a GPU bfloat16",
        ),
    ] = None
    compile: Annotated[bool | None, switch("compile", "Compile the network first.")] = None
