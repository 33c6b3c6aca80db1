"""Config: every choice of a training run, resolved, and its file ``config.toml``.

A flag wins over the file, the file over the defaults; ``resolved`` settles this. What is None in a
``Config`` is off, or decided by the data.
"""

from __future__ import annotations

import json
import os
import tomllib
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Union, get_args, get_origin, get_type_hints

from gai import __version__
from gai.errors import GaiError, UsageError
from gai.nn import defaults, names


def _in(section: str, default: Any = None) -> Any:
    """A field that stands in this section of the file."""
    return field(default=default, metadata={"section": section})


@dataclass(frozen=True)
class Config:
    """Every choice of a run. Fields are named as the options of ``gai nn train``."""

    model: str = _in("model", "mlp")
    embedding: int = _in("model", 128)
    layers: int = _in("model", 1)
    width: int = _in("model", 128)
    heads: int = _in("model", 4)
    memory: tuple[int, int] = _in("model", (128, 20))
    controller: str = _in("model", "feedforward")
    context: int = _in("model", 64)
    kernels: tuple[int, ...] = _in("model", (3, 4, 5))
    filters: int = _in("model", 100)
    bidirectional: bool = _in("model", False)
    attention: bool = _in("model", False)
    activation: str = _in("model", "relu")
    negative_slope: float = _in("model", 0.01)
    pool: str = _in("model", "max")
    residual: bool = _in("model", False)
    batch_norm: bool = _in("model", False)
    layer_norm: bool = _in("model", False)
    dropout: float = _in("model", 0.0)
    input_dropout: float = _in("model", 0.0)
    weights_init: str = _in("model", "default")
    code: int = _in("model", 32)
    encoder: str | None = _in("model")
    unit_norm: bool = _in("model", True)
    conditional: bool = _in("model", False)
    capsules: int = _in("model", 16)
    capsule_sizes: tuple[int, int] = _in("model", (8, 16))
    routings: int = _in("model", 3)
    shared_matrices: bool = _in("model", False)
    causal: bool = _in("model", False)
    pretrained: str | None = _in("model")
    vectors: str | None = _in("model")
    freeze_vectors: bool = _in("model", False)

    task: str = _in("data", "classify")
    input: str = _in("data", "ids")
    data: tuple[str, ...] = _in("data", ())
    valid: str | None = _in("data")
    test: str | None = _in("data")
    input_format: str | None = _in("data")
    header: tuple[str, ...] | None = _in("data")
    text_field: str = _in("data", "text")
    label_field: tuple[str, ...] = _in("data", ("label",))
    label_sep: str | None = _in("data")
    columns: tuple[str, ...] | None = _in("data")
    group_field: str | None = _in("data")
    fold: str | None = _in("data")  # 2/5: without the second of five, which tests
    split_seed: int | None = _in("data")  # None: the seed of all chance
    bootstrap: bool = _in("data", False)
    split_by: str = _in("data", "examples")
    without: tuple[str, ...] = _in("data", ())
    errors: str = _in("data", "strict")
    lengths: tuple[int, int] = _in("data", (1, 20))
    bits: int = _in("data", 8)
    repeats: tuple[int, int] = _in("data", (1, 10))
    window: int = _in("data", 24)
    horizon: int = _in("data", 1)
    unit: str = _in("data", "characters")
    min_count: int = _in("data", 1)
    max_vocab: int | None = _in("data")
    max_length: int | None = _in("data")
    class_weights: str = _in("data", "none")
    augment: tuple[str, ...] = _in("data", ())
    augment_rate: float = _in("data", 0.1)
    turned_classes: bool = _in("data", False)
    augment_from: str | None = _in("data")
    augment_share: float = _in("data", 0.5)

    tokenizer: str = _in("text", "unicode")
    token_pattern: str | None = _in("text")
    min_length: int = _in("text", 1)
    lowercase: bool = _in("text", True)
    strip_accents: str | None = _in("text")
    normalize: str | None = _in("text")
    form: str = _in("text", "")
    language: str = _in("text", "")
    tokenizer_model: str = _in("text", "")
    package: str = _in("text", "")
    lemma_context: bool = _in("text", False)
    analyzer: str = _in("text", "word")
    ngrams: tuple[int, int] = _in("text", (1, 1))
    stop_words: tuple[str, ...] = _in("text", ())
    stop_words_name: str = _in("text", "")

    epochs: int = _in("training", 10)
    steps: int | None = _in("training")
    eval_every: int | None = _in("training")
    batch_size: int = _in("training", 32)  # 0: all of the examples
    loss: str = _in("training", "cross-entropy")
    huber_delta: float = _in("training", 1.0)
    focal_gamma: float = _in("training", 2.0)
    label_smoothing: float = _in("training", 0.0)
    optimizer: str = _in("training", "adam")
    lr: float = _in("training", 1e-3)
    momentum: float = _in("training", 0.9)
    beta1: float = _in("training", 0.9)
    beta2: float = _in("training", 0.999)
    weight_decay: float = _in("training", 0.0)
    schedule: str = _in("training", "constant")
    warmup: int = _in("training", 0)
    min_lr: float = _in("training", 0.0)
    schedule_every: int = _in("training", 3)
    schedule_gamma: float = _in("training", 0.5)
    denoise: float = _in("training", 0.0)
    margin: float = _in("training", 0.2)
    positives: str = _in("training", "all")
    negatives: str = _in("training", "semi-hard")
    per_class: int = _in("training", 4)
    sparsity: float = _in("training", 0.0)
    beta: float = _in("training", 1.0)
    gradient_penalty: float = _in("training", 10.0)
    critic_steps: int = _in("training", 1)
    reconstruction: float = _in("training", 0.0005)
    l1: float = _in("training", 0.0)
    l2: float = _in("training", 0.0)
    parent: str | None = _in("training")
    freeze: int = _in("training", 0)  # -1: all but the head
    unfreeze_every: int | None = _in("training")
    layer_decay: float = _in("training", 1.0)
    max_norm: float | None = _in("training")
    clip_norm: float | None = _in("training")
    clip_value: float | None = _in("training")
    early_stopping: int | None = _in("training")
    seed: int = _in("training", 1)
    threads: int = _in("training", 0)  # 0: not decided yet
    device: str = _in("training", "auto")
    precision: str = _in("training", "auto")
    compile: bool = _in("training", False)

    def with_(self, **changes: Any) -> Config:
        """The same with other values."""
        return replace(self, **changes)

    @property
    def body(self) -> str:
        """The model whose layers make features of examples: of a siamese network its encoder."""
        return self.encoder or self.model

    @property
    def labelled(self) -> bool:
        """Whether it learns from labels of examples, or of tokens, or from numbers beside them."""
        return self.conditional or self.task not in ("lm", "seq2seq", *names.UNLABELLED)

    def analysis(self) -> dict[str, Any]:
        """The keyword arguments of the Analysis of the text."""
        renamed = {"language": "lang", "tokenizer_model": "model", "lemma_context": "context"}
        text = [f.name for f in fields(self) if f.metadata["section"] == "text"]
        return {renamed.get(name, name): getattr(self, name) for name in text}


def resolved(flags: Mapping[str, Any], file: Mapping[str, Any] | None = None) -> Config:
    """The choices of a run: ``flags`` over those of a file over the defaults of model and task.

    Raises UsageError for a name that nothing is called, and for numbers out of their range.
    """
    said = {**(file or {}), **flags}
    model, task = said.get("model", "mlp"), said.get("task", "classify")
    default = defaults.of(said.get("encoder"), model, task, said.get("loss"))
    config = Config(**{**default, **said})
    check(config)
    return config


KNOWN = {
    "model": names.MODELS,
    "task": names.TASKS,
    "input": names.INPUTS,
    "activation": names.ACTIVATIONS,
    "optimizer": names.OPTIMIZERS,
    "schedule": names.SCHEDULES,
    "weights_init": names.INITIALISATIONS,
    "pool": names.POOLS,
    "encoder": names.ENCODERS,
    "positives": names.POSITIVES,
    "negatives": names.NEGATIVES,
    "split_by": ("examples", "classes"),
    "controller": names.CONTROLLERS,
    "unit": ("characters", "words", "subwords"),
    "class_weights": ("none", "balanced"),
    "precision": ("auto", "float32", "bfloat16"),
    "errors": ("strict", "replace", "ignore"),
}
"""The names that a choice may have."""

OWN = {
    **dict.fromkeys(("denoise", "sparsity"), "autoencoder"),
    "beta": "vae",
    **dict.fromkeys(("conditional", "critic_steps", "gradient_penalty"), "gan"),
    **dict.fromkeys(("capsules", "capsule_sizes", "routings", "shared_matrices"), "capsnet"),
    "reconstruction": "capsnet",
    **dict.fromkeys(("memory", "controller"), "ntm"),
    **dict.fromkeys(("encoder", "unit_norm", "split_by", "turned_classes"), "siamese"),
    **dict.fromkeys(("margin", "positives", "negatives", "per_class"), "siamese"),
}
"""Choices that only one model has. They are written down for it alone: another default in another
version is then no matter to runs of other models."""

OF_TASKS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("lengths", "repeats", "bits"), ("algorithm",)),
    **dict.fromkeys(("window", "horizon"), ("forecast",)),
    "unit": ("lm", "seq2seq"),
}
"""Choices about the data that only some tasks look at."""

SHARES = ("dropout", "input_dropout", "label_smoothing")

LEAST = {
    **dict.fromkeys(("window", "horizon", "min_count", "epochs", "schedule_every", "code"), 1),
    **dict.fromkeys(("max_vocab", "max_length", "steps", "eval_every", "early_stopping"), 1),
    "unfreeze_every": 1,
    "freeze": -1,
    **dict.fromkeys(("batch_size", "seed", "threads", "warmup", "weight_decay", "l1", "l2"), 0),
    "split_seed": 0,
    **dict.fromkeys(("denoise", "sparsity", "beta"), 0),
    **dict.fromkeys(("gradient_penalty", "reconstruction"), 0),
    **dict.fromkeys(("critic_steps", "capsules", "routings"), 1),
    "bits": 1,
    "margin": 0,
    "per_class": 2,
}
"""The least that a number may be, which a file may miss; options see to it themselves."""


def check(config: Config) -> None:
    """Raises UsageError for what cannot be."""
    for name, known in KNOWN.items():
        if (value := getattr(config, name)) is not None and value not in known:
            raise UsageError(
                f"unknown {name.replace('_', '-')} {value!r}",
                f"one of {', '.join(known)}",
            )
    if config.loss not in names.LOSSES and ":" not in config.loss:
        hint = f"one of {', '.join(names.LOSSES)}, or module:function"
        raise UsageError(f"unknown loss {config.loss!r}", hint)
    for name in config.augment:
        if name not in names.AUGMENTATIONS:
            hint = f"one of {', '.join(names.AUGMENTATIONS)}"
            raise UsageError(f"unknown augmentation {name!r}", hint)
    for name in SHARES:
        if not 0.0 <= getattr(config, name) < 1.0:
            raise UsageError(f"--{name.replace('_', '-')} must be at least 0 and below 1")
    for name, least in LEAST.items():
        if (value := getattr(config, name)) is not None and not value >= least:
            raise UsageError(f"--{name.replace('_', '-')} {value} must be at least {least}")
    for name in ("lengths", "repeats"):
        low, high = getattr(config, name)
        if not 1 <= low <= high:
            raise UsageError(f"--{name} {low}-{high}: from 1 on, the longest last", f"--{name} 1-9")
    if min(config.memory) < 1:
        places, numbers = config.memory
        raise UsageError(f"--memory {places}x{numbers}: at least 1x1", "--memory 128x20")
    if not 0.0 < config.layer_decay <= 1.0:
        raise UsageError(f"--layer-decay {config.layer_decay:g} must be above 0, and 1 at most")
    for name in ("beta1", "beta2"):
        if not 0.0 <= getattr(config, name) < 1.0:
            raise UsageError(f"--{name} must be at least 0 and below 1")
    if not 0.0 < config.augment_share <= 1.0:
        raise UsageError("--augment-share must be above 0, and 1 at most")
    if not 0.0 < config.lr < float("inf"):
        raise UsageError(f"--lr {config.lr:g} must be above 0", "--lr 0.001")


def require_read(config: Config) -> None:
    """Raises UsageError for choices about the data that the task does not look at, but for those
    that came with the network which goes on."""
    for name, tasks in OF_TASKS.items():
        brought = config.parent is not None and name in ("window", "unit")
        if config.task in tasks or brought or getattr(config, name) == getattr(Config, name):
            continue
        raise UsageError(f"--{name} is for --task {' or '.join(tasks)}", "leave it out")


def write(config: Config) -> str:
    """The text of ``config.toml``: a section a kind of choice, None left out."""
    lines = [f"gai = {spelt(__version__)}"]
    section = ""
    for f in fields(config):
        if f.metadata["section"] != section:
            section = f.metadata["section"]
            lines += ["", f"[{section}]"]
        of_another = OWN.get(f.name, config.model) != config.model
        if (value := getattr(config, f.name)) is not None and not of_another:
            lines.append(f"{f.name} = {spelt(value)}")
    return "\n".join(lines) + "\n"


def spelt(value: Any) -> str:
    """A value as TOML spells it."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(spelt, value))}]"
    if isinstance(value, float):
        return repr(value) if value == value and abs(value) != float("inf") else f"{value}"
    if isinstance(value, str):
        # JSON's escapes are TOML's, but for DEL, which only TOML forbids.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The choices in a file, by name; raises GaiError where it is no TOML, or has other names."""
    shown = os.fspath(path)
    try:
        # As names of files are: their bytes need not be UTF-8.
        with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
            found = tomllib.loads(file.read())
    except OSError as error:
        raise GaiError(f"{shown}: {(error.strerror or str(error)).lower()}") from error
    except tomllib.TOMLDecodeError as error:
        raise GaiError(f"{shown}: not TOML: {error}") from error
    found.pop("gai", None)
    return dict(checked(_flat(found), shown))


def _flat(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in found.items():
        if isinstance(value, dict):
            yield from value.items()
        else:
            yield name, value


def checked(found: Iterable[tuple[str, Any]], path: str) -> Iterator[tuple[str, Any]]:
    """The choices with their values as their fields have them; raises GaiError, naming the file,
    for a choice that there is not and a value of another type."""
    hints = get_type_hints(Config)
    for name, value in found:
        if name not in hints:
            hint = "the names are those of gai nn train's options, with _ for -"
            raise GaiError(f"{path}: no choice is called {name!r}", hint)
        converted = _as(hints[name], value)
        if converted is None:
            raise GaiError(f"{path}: {name} is {value!r}, not {_kind(hints[name])}")
        yield name, converted


def _as(kind: Any, value: Any) -> Any:
    """``value`` as the type of a field, None where it is of another."""
    if get_origin(kind) in (Union, types.UnionType):
        found = (_as(one, value) for one in get_args(kind) if one is not type(None))
        return next((one for one in found if one is not None), None)
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            return None
        one, *rest = get_args(kind)
        items = tuple(_as(one, item) for item in value)
        wrong = None in items or (rest != [...] and len(items) != len(rest) + 1)
        return None if wrong else items
    if kind is float and type(value) in (int, float):
        return float(value)
    return value if type(value) is kind else None


SPELT = {int: "a whole number", float: "a number", str: "a string", bool: "true or false"}


def _kind(kind: Any) -> str:
    """The type of a field, in words."""
    if get_origin(kind) in (Union, types.UnionType):
        return _kind(get_args(kind)[0])
    if get_origin(kind) is tuple:
        return f"a list, each of it {_kind(get_args(kind)[0])}"
    return SPELT[kind]
