"""What can be chosen by name, with one line for each: models, activations, losses, optimisers,
schedules, initialisations, and tasks.

The command line offers these names, ``gai nn list`` prints them, and ``gai.nn.net`` makes what they
stand for.
"""

from __future__ import annotations

MODELS = {
    "mlp": "Layers of units, each seeing all of the layer before: bag of words, numbers, pixels.",
    "cnn": "Convolutions and pooling: n-gram detectors over text, or filters over images.",
    "rnn": "The plain recurrent network (Elman 1990); forgets over long distances.",
    "lstm": "Long short-term memory: gates that keep, forget and show a cell's content.",
    "gru": "Gated recurrent unit: two gates, nearly an LSTM at three quarters of the size.",
    "transformer": "Self-attention; causal for language models.",
}

TASKS = {
    "classify": "One label (or several) for each text, row or image.",
    "regress": "One number, or several, for each example.",
    "lm": "A language model: the next character, word or piece.",
    "forecast": "The next values of a series of numbers.",
    "tag": "One label for each token.",
}

TASK_OF: dict[str, str] = {}
"""The task of models that have only one."""

UNLABELLED: tuple[str, ...] = ()
"""Tasks that learn from examples without labels."""

INPUTS = {
    "ids": "Text as a sequence of term ids.",
    "tfidf": "Text as one row of TF-IDF weights.",
    "bow": "Text as one row of counts.",
    "numbers": "A row of numbers.",
    "sequences": "A sequence of rows of numbers.",
    "images": "Pixels in channels.",
}

ACTIVATIONS = {
    "linear": "x: none at all.",
    "sigmoid": "1 / (1 + exp(-x)), from 0 to 1; saturates on both sides.",
    "tanh": "From -1 to 1, around 0; saturates on both sides.",
    "relu": "max(0, x).",
    "leaky-relu": "x, or --negative-slope times x below 0.",
    "prelu": "Leaky ReLU whose slope is learned, one for each layer.",
    "elu": "x, or exp(x) - 1 below 0.",
    "gelu": "x times the normal distribution function of x.",
    "swish": "x times sigmoid(x), also called SiLU.",
    "softmax": "exp(x) over its sum: shares that add up to 1, across the units of a layer.",
}

LOSSES = {
    "mse": "Mean squared error; the default for numbers.",
    "mae": "Mean absolute error.",
    "huber": "Squared up to --huber-delta, linear beyond: outliers pull less.",
    "bce": "Binary cross-entropy of each label on its own; the default for several labels.",
    "cross-entropy": "Minus the log-probability of the right class; the default for one label.",
    "hinge": "Margin loss: right scores must beat others by 1.",
    "kl": "Kullback-Leibler divergence from the target distribution.",
    "focal": "Cross-entropy that looks less at easy examples, by --focal-gamma.",
}

OPTIMIZERS = {
    "sgd": "Stochastic gradient descent.",
    "momentum": "SGD with a running mean of steps (--momentum).",
    "nesterov": "Momentum that looks ahead.",
    "adagrad": "Rates fall for weights that have moved much.",
    "rmsprop": "Rates by the recent size of gradients.",
    "adam": "RMSprop with momentum, bias corrected.",
    "adamw": "Adam with weight decay beside the gradient.",
}

SCHEDULES = {
    "constant": "The same rate throughout.",
    "step": "Times --schedule-gamma every --schedule-every epochs.",
    "exponential": "Times --schedule-gamma every epoch.",
    "cosine": "Down to --min-lr along half a cosine.",
    "warm-up": "Up over --warmup steps, then constant.",
    "cyclical": "Up from --min-lr to --lr and down, every --schedule-every epochs (Smith 2017).",
    "one-cycle": "Up to --lr, then far down, once (Smith and Topin 2018).",
    "plateau": "Times --schedule-gamma when --schedule-every validation losses were no better.",
}

INITIALISATIONS = {
    "default": "torch's own, but for smaller embeddings; GPT-2's for transformers.",
    "he": "Normal, variance 2 / fan-in: for ReLU (He 2015).",
    "xavier": "Uniform, variance 2 / (fan-in + fan-out): for tanh and sigmoid (Glorot 2010).",
    "orthogonal": "Random rotations (Saxe 2014).",
}

POOLS = {
    "max": "The largest value.",
    "avg": "The mean.",
}

AUGMENTATIONS = {
    "drop": "Text: leave words out.",
    "swap": "Text: swap neighbouring words.",
    "synonym": "Text: put a synonym from WordNet, where that is installed.",
    "noise": "Text: put a random word; numbers and images: add Gaussian noise.",
    "shift": "Images: move by a pixel or two.",
    "rotate": "Images: turn by some degrees.",
    "scale": "Images: larger or smaller.",
    "flip": "Images: mirror left and right.",
    "crop": "Images: cut out and enlarge.",
}


SUPERVISED = tuple(LOSSES)
"""The losses of outputs against labels; those of other tasks come behind them."""


def default_loss(task: str, several_labels: bool) -> str:
    """The loss of a task that is not told which: by its targets."""
    if task in ("regress", "forecast"):
        return "mse"
    return "bce" if several_labels else "cross-entropy"


LISTS = {
    "models": MODELS,
    "tasks": TASKS,
    "inputs": INPUTS,
    "activations": ACTIVATIONS,
    "losses": LOSSES,
    "optimizers": OPTIMIZERS,
    "schedules": SCHEDULES,
    "initialisations": INITIALISATIONS,
    "pools": POOLS,
    "augmentations": AUGMENTATIONS,
}
"""All of them, as ``gai nn list`` shows them."""
