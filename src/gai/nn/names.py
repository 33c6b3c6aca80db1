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
    "pretrained": "A transformer or a ResNet from a folder; gai nn finetune --from DIR.",
    "autoencoder": "Through a narrow code and back: fewer dimensions, anomalies, denoising.",
    "vae": "Variational autoencoder: a code that is drawn, and so new examples can be.",
    "gan": "Generative adversarial network: a generator learns to deceive a discriminator.",
    "capsnet": "Capsules: vectors for the parts of an image, routed by agreement (Sabour 2017).",
    "siamese": "Siamese network: an encoder under which examples of one class are near.",
    "ntm": "Neural Turing machine: a controller that reads and writes a memory (Graves 2014).",
}

TASKS = {
    "classify": "One label (or several) for each text, row or image.",
    "regress": "One number, or several, for each example.",
    "lm": "A language model: the next character, word or piece.",
    "forecast": "The next values of a series of numbers.",
    "tag": "One label for each token.",
    "seq2seq": "One text from another: inflection, translation, short answers.",
    "reconstruct": "The example itself, through a narrow code; no labels are needed.",
    "generate": "New examples like those of the data; no labels are needed but for --conditional.",
    "match": "Whether two examples are of one class, also of one that training never saw.",
    "algorithm": "What to do with generated bits: copy, repeat, reverse or sort them.",
}

TASK_OF: dict[str, str] = {
    "ntm": "algorithm",
    "autoencoder": "reconstruct",
    "vae": "reconstruct",
    "gan": "generate",
    "capsnet": "classify",
    "siamese": "match",
}
"""The task of models that have only one."""

UNLABELLED: tuple[str, ...] = ("reconstruct", "generate")
"""Tasks that learn from examples without labels."""

OF_CLASSES = ("classify", "match")
"""Tasks that learn from the class of each example."""

ENCODERS = {
    name: line
    for name, line in MODELS.items()
    if name in ("mlp", "cnn", "rnn", "lstm", "gru", "transformer")
}
"""What makes features of an example in a siamese network."""

POSITIVES = {
    "all": "Each in turn.",
    "easy": "The nearest: a class may have several forms, and new ones fare better (Xuan 2020).",
    "hard": "The farthest (Hermans 2017).",
}
"""Which other example of its class a siamese network learns from beside an example."""

NEGATIVES = {
    "random": "Any example of another class.",
    "semi-hard": "The nearest that is farther than the one of the same class (Schroff 2015).",
    "hard": "The nearest of all.",
}
"""Which example of another class a siamese network learns from beside two of one class."""

GENERATED = {
    "@copy": "Bits, which are to come out again.",
    "@repeat-copy": "Bits that are to come out as often as a number says, and an end mark.",
    "@reverse": "Bits that are to come out from the last to the first.",
    "@sort": "Bits with priorities, the highest of which is to come out first.",
}
"""Examples of algorithms, an endless stream."""

CONTROLLERS = {
    "feedforward": "A layer that remembers nothing: all that is kept is in the memory.",
    "lstm": "Has a state of its own, and can count.",
}

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


PRUNERS = {
    "median": "Stops a trial that is worse than the median of those before it.",
    "halving": "Stops all but the best third, again and again (Li 2020).",
    "none": "Lets every trial run to its end.",
}
"""Which trials of a search end early."""

SUPERVISED = tuple(LOSSES)
"""The losses of outputs against labels; those of other tasks come behind them."""


LOSSES |= {
    "cosine": "1 - the cosine of the angle; the default of an autoencoder for rows of text.",
    "non-saturating": "Of a gan: a discriminator that tells data from samples (Goodfellow 2014).",
    "wasserstein": "Of a gan: a critic with gradient penalty (Gulrajani 2017).",
    "triplet": "Of a siamese network: one of the class nearer than another, by --margin.",
    "contrastive": "Of a siamese network: one class together, others --margin apart.",
    "margin": "Of a capsnet: the right capsule longer than 0.9, the others shorter than 0.1.",
}


def default_loss(
    task: str, several_labels: bool, model: str = "mlp", input: str = "numbers"
) -> str:
    """The loss of a task that is not told which: by its targets."""
    if task == "generate":
        return "non-saturating"
    if task == "match":
        return "triplet"
    if model == "capsnet":
        return "margin"
    if task == "reconstruct" and input in ("tfidf", "bow"):
        return "cosine"
    if task == "reconstruct":
        return "bce" if model == "vae" and input == "images" else "mse"
    if task in ("regress", "forecast"):
        return "mse"
    return "bce" if several_labels or task == "algorithm" else "cross-entropy"


LISTS = {
    "models": MODELS,
    "tasks": TASKS,
    "generated": GENERATED,
    "controllers": CONTROLLERS,
    "encoders": ENCODERS,
    "positives": POSITIVES,
    "negatives": NEGATIVES,
    "inputs": INPUTS,
    "activations": ACTIVATIONS,
    "losses": LOSSES,
    "optimizers": OPTIMIZERS,
    "schedules": SCHEDULES,
    "initialisations": INITIALISATIONS,
    "pools": POOLS,
    "augmentations": AUGMENTATIONS,
    "pruners": PRUNERS,
}
"""All of them, as ``gai nn list`` shows them."""
