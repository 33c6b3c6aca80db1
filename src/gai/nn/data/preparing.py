"""From the choices of a run to the parts that it trains, validates and tests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np

from gai.errors import GaiError, UsageError
from gai.nn import names
from gai.nn.config import Config, resolved
from gai.nn.data import algorithms, folds
from gai.nn.data import encoding as encodings
from gai.nn.data.arrays import Dataset, Inputs, Ragged
from gai.nn.data.encoding import Encoding
from gai.nn.data.inheriting import refit
from gai.nn.data.labels import Labels
from gai.nn.data.leaving import read_without
from gai.nn.data.raw import Raw, RawLabels
from gai.nn.data.splits import split, split_classes, split_texts
from gai.nn.runs import Run

HELD_OUT = "0.1"
"""The share of the training data that validates where ``--valid`` says nothing."""

RECURRENT = ("rnn", "lstm", "gru")
FILTERING = ("cnn", "capsnet")
WORDS = r"\w+|[^\w\s]|\n"
"""The tokens of a language model of words: words, signs, and ends of lines."""


@dataclass
class Parts:
    """The examples of a run, as they were read and as arrays; what is not there is None."""

    config: Config
    encoding: Encoding
    train: Dataset
    valid: Dataset | None
    test: Dataset | None
    raw: dict[str, Raw]
    digest: str
    notes: list[str] = field(default_factory=list)


def prepare(
    said: Mapping[str, Any], before: Encoding | None = None, found: Whole | None = None
) -> Parts:
    """The parts of a run; ``said`` is what flags and file chose, ``found`` what was read already.

    A run that goes on from another, ``parent``, reads as that does, or as ``before`` says. Raises
    GaiError for data that cannot be trained on, UsageError for choices that do not fit it.
    """
    if before is None and (parent := said.get("parent")):
        run = Run(parent)
        before = run.encoding(run.config())
    return assembled(said, shared_out(found or whole(said)), before)


class Gathered(NamedTuple):
    """The choices that the data has decided, and the parts as they were read."""

    config: Config
    raw: dict[str, Raw]
    guessed: bool = False


class Whole(NamedTuple):
    """The choices that the data has decided, and all of it."""

    config: Config
    raw: Raw
    guessed: bool = False


def gathered(said: Mapping[str, Any]) -> Gathered:
    """What is read, divided into the parts of a run."""
    return shared_out(whole(said))


def whole(said: Mapping[str, Any]) -> Whole:
    """What is read."""
    first = settled(said)
    raw = read_without(first.data, first)
    if not len(raw):
        raise GaiError("no examples in the data", "the input is empty")
    if first.group_field is not None and raw.groups is None:
        hint = "jsonl, csv, tsv and parquet have fields that name groups"
        raise UsageError(f"--group-field {first.group_field}: the data has no groups", hint)
    guessed = "task" not in said and isinstance(raw.labels, list)
    return Whole(*decided(said, first, raw), guessed)


def shared_out(found: Whole) -> Gathered:
    """The same, divided into the parts of a run."""
    config, raw, guessed = found
    if config.task == "algorithm":
        return Gathered(config, algorithms.parts(raw, config))
    tested = {}
    if config.fold is not None:
        raw, tested["test"] = folds.held_out(raw, config)
    elif config.test is not None:
        raw, tested["test"] = parted(raw, config.test, config, "--test")
    held = config.valid if config.valid is not None else HELD_OUT
    return Gathered(config, divided(raw, held, config) | tested, guessed)


def assembled(said: Mapping[str, Any], gathered: Gathered, before: Encoding | None = None) -> Parts:
    """The parts of a run as arrays, as its training part teaches to make them, or ``before``."""
    config, raw, guessed = gathered
    told = list[str]()
    if config.augment_from is not None:
        from gai.nn.net.blending import blended

        train, told = blended(raw["train"], config)
        raw = raw | {"train": train}
    if before is None:
        encoding = encodings.fit(raw["train"], config)
    else:
        encoding = refit(before, raw["train"], config)
    if config.body == "transformer" and encoding.kind == "ids" and config.task != "lm":
        config = with_places(config, encoding.inputs(raw["train"]), said)
        encoding = replace(encoding, config=config)
    made = {name: encoding.dataset(part) for name, part in raw.items()}
    if config.bootstrap:
        rows = folds.bootstrapped(len(raw["train"]), config.seed)
        raw = raw | {"train": raw["train"].take(rows)}
        made["train"] = made["train"].take(rows)
    parts = Parts(
        config,
        encoding,
        made["train"],
        made.get("valid"),
        made.get("test"),
        raw,
        digest=digest_of(raw.values()),
    )
    if guessed and config.task == "regress":
        parts.notes.append("the labels look like numbers, not names; --task classify takes names")
    parts.notes += told + notes(parts)
    require(parts)
    return parts


def digest_of(parts: Iterable[Raw]) -> str:
    """One digest for all the data of a run."""
    found = list(dict.fromkeys(raw.digest for raw in parts))
    return found[0] if len(found) == 1 else sha256("\n".join(found).encode()).hexdigest()


def settled(said: Mapping[str, Any]) -> Config:
    """The choices before the data is looked at."""
    if not said.get("data"):
        raise UsageError("no DATA to train on", "gai nn train MODEL DATA -o RUN; see --help")
    model = said.get("model", "mlp")
    task = said.get("task") or task_of(model, said["data"])
    require_doing(model, task)
    return resolved({**said, "task": task, **language_choices(said, task)})


def require_doing(model: str, task: str) -> None:
    """Raises UsageError for a task that the model does not do, and for one without labels that is
    for other models."""
    if task != names.TASK_OF.get(model, task):
        raise UsageError(f"--task {task}: {model} has another", f"--task {names.TASK_OF[model]}")
    doing = [name for name, one in names.TASK_OF.items() if one == task]
    if task in names.UNLABELLED and model not in doing:
        raise UsageError(f"--task {task} is not for {model}", f"{', '.join(doing)} are for it")


def task_of(model: str, paths: Sequence[str]) -> str:
    """The task of a model that has only one; of others what the kind of file says about it, or
    later the labels."""
    if model in names.TASK_OF:
        return names.TASK_OF[model]
    if paths[0] in names.GENERATED:
        return "algorithm"
    bare = [path.removesuffix(".gz") for path in paths]
    if all(path.endswith(".conllu") for path in bare):
        return "tag"
    if model in (*RECURRENT, "transformer") and all(path.endswith(".txt") for path in bare):
        return "lm"
    return "classify"


def language_choices(said: Mapping[str, Any], task: str) -> dict[str, Any]:
    """What a language model has by default: letters with their case, or words and signs."""
    if task not in ("lm", "seq2seq"):
        return {}
    unit = said.get("unit", "characters")
    if unit == "characters":
        require_plain(said)
    if unit == "characters" or "tokenizer" in said:
        return {"lowercase": said.get("lowercase", False)}
    if unit == "subwords":
        hint = "--tokenizer bpe --model FILE; gai subword train makes one"
        raise UsageError("--unit subwords needs a tokenizer of word pieces", hint)
    return {
        "tokenizer": "regex",
        "token_pattern": WORDS,
        "lowercase": said.get("lowercase", False),
    }


def require_plain(said: Mapping[str, Any]) -> None:
    """Raises UsageError for steps between a text and its terms where there are none."""
    for step in fields(Config):
        if step.metadata["section"] == "text" and step.name != "lowercase":
            value, name = said.get(step.name, step.default), step.name.replace("_", " ")
            if value != step.default:
                message = f"{name} {value}: a model of characters takes text as it is"
                raise UsageError(message, "--unit words, or subwords")


def decided(said: Mapping[str, Any], first: Config, raw: Raw) -> tuple[Config, Raw]:
    """The choices that the data decides: the task, what is read of an example, the loss."""
    task = first.task
    if task == "classify" and "task" not in said and measures(raw.labels):
        task = "regress"
    told = match_choices(said, raw) if task == "match" else {}
    input = said.get("input") or input_of(told.get("encoder", first.model), task, raw)
    listed = raw.labels if isinstance(raw.labels, list) else []
    several = task == "classify" and bool(listed) and isinstance(listed[0], tuple)
    choices = {**told, **said, **language_choices(said, task), "task": task, "input": input}
    choices.setdefault("loss", names.default_loss(task, several, first.model, input))
    if first.model == "autoencoder" and input in ("tfidf", "bow"):
        choices = {**OF_ROWS, **choices}
    if task == "tag":
        choices.setdefault("min_count", 2)
        if said.get("max_length") is not None:
            raise UsageError("--task tag has no --max-length: every token has a tag")
    config = resolved(choices)
    return config, numbered(raw, config)


FEW = 6
"""Classes below which none are held out whole: each of three parts needs two."""


def match_choices(said: Mapping[str, Any], raw: Raw) -> dict[str, Any]:
    """What a siamese network has by default: filters for pixels, units for all else; and whole
    classes that validate and test, where there are enough."""
    flat = raw.array is None or raw.array.ndim == 2 or said.get("input") == "numbers"
    labels = raw.labels if isinstance(raw.labels, list) else []
    many = len(set(map(str, labels))) >= FEW
    return {
        "encoder": said.get("encoder") or ("mlp" if flat else "cnn"),
        "split_by": "classes" if many else "examples",
    }


OF_ROWS = {"epochs": 20, "batch_size": 128, "lr": 0.006, "min_count": 2, "max_vocab": 10_000}
"""What an autoencoder has by default for rows of text, which come out dense: a step costs what the
vocabulary does, so steps are fewer and larger, and what a single text has is left out."""

MANY = 20
"""Whole numbers as labels, up to which they are taken for names of classes."""


def measures(labels: Any) -> bool:
    """Whether labels are numbers that stand for more than names."""
    if labels is None or isinstance(labels, np.ndarray):
        return labels is not None
    try:
        values = [float(label) for label in labels]
    except (TypeError, ValueError):
        return False
    many = len(set(values)) > max(MANY, len(values) / 10)
    return many or any(not value.is_integer() for value in values)


def input_of(model: str, task: str, raw: Raw) -> str:
    """What is read of an example where ``--input`` does not say it."""
    if raw.array is None:
        told = task in ("regress", *names.OF_CLASSES)
        rows = task == "reconstruct" or (model == "mlp" and told)
        return "tfidf" if rows else "ids"
    if raw.array.ndim == 2:
        return "numbers"
    whole = task in ("reconstruct", "generate") or (model in FILTERING and task in names.OF_CLASSES)
    if raw.array.ndim == 4 or whole:
        return "images"
    return "sequences" if model in (*RECURRENT, "transformer", "cnn", "ntm") else "numbers"


def numbered(raw: Raw, config: Config) -> Raw:
    """The examples with numbers for labels where numbers are learned."""
    if config.task != "regress" or raw.labels is None:
        return raw
    try:
        values = np.asarray(raw.labels, np.float64)
    except ValueError as error:
        hint = "--task classify takes names"
        raise GaiError(f"--task regress needs numbers as labels: {error}", hint) from error
    values = values.reshape(len(raw), -1)
    if not (finite := np.isfinite(values).all(1)).all():
        place = int(np.flatnonzero(~finite)[0])
        raise GaiError(f"{raw.ids[place]}: the label is {values[place, 0]:g}, not a finite number")
    return replace(raw, labels=values)


def divided(whole: Raw, valid: str, config: Config) -> dict[str, Raw]:
    """The training and the validation part."""
    if fraction(valid, "--valid") == 0.0:
        return {"train": whole}
    return dict(zip(("train", "valid"), parted(whole, valid, config, "--valid"), strict=True))


def parted(whole: Raw, what: str, config: Config, option: str) -> tuple[Raw, Raw]:
    """All examples and those of the file that ``what`` names, or all but a share, and this."""
    share = fraction(what, option)
    if share is None:
        other = replace(config, group_field=None)
        return whole, numbered(read_without((what,), other), other)
    if share == 0.0:
        raise UsageError(f"{option} 0: a share above 0, or a file")
    if config.task == "lm":
        return split_texts(whole, share)
    seed = config.seed if config.split_seed is None else config.split_seed
    if config.split_by == "classes":
        train, held = split_classes(whole, share, seed)
        return whole.take(train), whole.take(held)
    # Texts to be written are no classes of which each part needs its share.
    drawn = replace(whole, labels=None) if config.task == "seq2seq" else whole
    train, held = split(drawn, share, seed, by_time=config.task == "forecast")
    return whole.take(train), whole.take(held)


LONGEST = 512
"""Tokens of a text that a transformer looks at, at most, where nobody says more."""


def with_places(config: Config, inputs: Inputs, said: Mapping[str, Any]) -> Config:
    """The choices of a transformer with a place for each token of the longest training text.

    Longer texts are cut, but not those of which each token has a label.
    """
    assert isinstance(inputs, Ragged)
    longest = int(inputs.lengths.max(initial=1))
    if config.task == "seq2seq":
        return replace(config, context=said.get("context", max(2 * longest, 64)))
    if config.task == "tag":
        return replace(config, context=said.get("context", max(2 * longest, 256)))
    context = said.get("context", min(longest, LONGEST))
    return replace(config, context=context, max_length=min(context, config.max_length or context))


def fraction(text: str, option: str) -> float | None:
    """The share that ``--valid`` or ``--test`` names, None where it names a file."""
    try:
        share = float(text)
    except ValueError:
        return None
    if not 0.0 <= share < 1.0:
        raise UsageError(f"{option} {text}: a share is at least 0 and below 1, or name a file")
    return share


def notes(parts: Parts) -> list[str]:
    """What a person should know about the data."""
    found = []
    labels = parts.encoding.labels
    for name in ("valid", "test"):
        data = getattr(parts, name)
        found_labels = parts.raw[name].labels if data is not None else None
        if labels is None or found_labels is None:
            continue
        told = known if parts.config.task == "match" else unseen
        found += told(labels, found_labels, f"the {name} part")
    for name in ("train", "valid", "test"):
        data = getattr(parts, name)
        lengths = None if data is None else data.lengths
        if lengths is not None and (empty := int((lengths == 0).sum())):
            some = "1 example" if empty == 1 else f"{empty:,} examples"
            found.append(f"{some} of the {name} part without a token")
    return found


def unseen(labels: Labels, found: RawLabels, where: str) -> list[str]:
    """A line about the labels in some data that training never saw, none where there are none."""
    names = labels.never_seen(found)
    shown = ", ".join(map(repr, list(names)[:3])) + (", ..." if len(names) > 3 else "")
    return [f"{where} has labels that training never saw: {shown}"] if names else []


def known(labels: Labels, found: RawLabels, where: str) -> list[str]:
    """A line about some data all of whose labels training has seen, none where there are others."""
    if labels.never_seen(found):
        return []
    return [f"{where} has no class that training never saw: how new ones fare is not known"]


def require(parts: Parts) -> None:
    """Raises GaiError where there is too little to train on."""
    if parts.config.task == "lm":
        if parts.config.bootstrap:
            raise UsageError("--bootstrap draws examples, and a language model reads one text")
        assert isinstance(parts.train.inputs, Ragged)
        size, context = len(parts.train.inputs.values), parts.config.context
        if size <= context + 1:
            hint = f"--context-size {max(size // 4, 1)}, or more text"
            raise GaiError(f"the text has {size} tokens, fewer than the context, {context}", hint)
