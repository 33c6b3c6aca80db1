"""What turns examples into arrays: fitted on the training part, stored in RUN, used ever after.

``input.json`` and ``vocab.tsv`` hold it: the kind of input, the analysis of text, scales, labels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.errors import GaiError, UsageError
from gai.nn.config import Config
from gai.nn.data.arrays import Dataset, Inputs, Kind, Ragged, Sparse
from gai.nn.data.foundation import Foundation, PieceEncoder
from gai.nn.data.labels import Labels
from gai.nn.data.raw import Raw
from gai.nn.data.text import (
    END,
    SPECIAL,
    CharacterEncoder,
    FeatureEncoder,
    Numbered,
    TermEncoder,
    Vocabulary,
    characters_in,
    counted,
    cut,
    distinct_in,
    features,
    small,
    terms_in,
)
from gai.tokens.analysis import Analysis

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scale:
    """Mean and standard deviation of each column; a column that does not vary has deviation 1."""

    mean: Floats
    deviation: Floats

    @classmethod
    def of(cls, values: NDArray[Any]) -> Scale:
        """That of the columns of an array [..., K]."""
        flat = values.reshape(-1, values.shape[-1]).astype(np.float64)
        # The deviation of equal numbers need not be 0: their mean is rounded.
        varies = flat.min(axis=0) < flat.max(axis=0)
        return cls(flat.mean(axis=0), np.where(varies, flat.std(axis=0), 1.0))

    @classmethod
    def unchanged(cls, columns: int) -> Scale:
        """One that leaves values as they are."""
        return cls(np.zeros(columns), np.ones(columns))

    def apply(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Values in units of the deviation from the mean."""
        return np.asarray((values - self.mean) / self.deviation, np.float32)

    def undo(self, values: NDArray[Any]) -> Floats:
        """The values in their own units again."""
        return np.asarray(values * self.deviation + self.mean, np.float64)

    def as_dict(self) -> dict[str, list[float]]:
        """For JSON."""
        return {"mean": self.mean.tolist(), "deviation": self.deviation.tolist()}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Scale:
        """What ``as_dict`` gave."""
        return cls(np.array(found["mean"], float), np.array(found["deviation"], float))


@dataclass(frozen=True, eq=False)
class Encoding:
    """How examples become arrays.

    ``source`` says what is read: terms, characters or features of text, rows, numbers, sequences or
    images. ``size`` is what the network is built for; see ``Shape``.
    """

    source: str
    size: tuple[int, ...]
    config: Config
    vocabulary: Vocabulary | None = None
    scale: Scale | None = None
    labels: Labels | None = None
    targets: Scale | None = None
    columns: tuple[str, ...] = ()
    documents: int = 0
    ready: dict[str, Callable[..., Any]] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        """What the network takes."""
        return KINDS[self.source]

    @property
    def outputs(self) -> int:
        """How many numbers the network answers with."""
        if self.config.task in ("lm", "seq2seq"):
            return self.size[0]
        if self.config.task == "match":
            return self.config.code
        if self.config.task == "reconstruct":
            return math.prod(self.size)
        if self.config.task == "generate" and self.labels is None:
            return 0
        if self.labels is not None:
            return len(self.labels.names)
        assert self.targets is not None
        return len(self.targets.mean)

    @property
    def main_score(self) -> str:
        """The score that a person looks at first."""
        if self.config.task in MAIN_SCORES:
            return MAIN_SCORES[self.config.task]
        if self.labels is not None:
            return "micro_f1" if self.labels.several else "accuracy"
        return "perplexity" if self.config.task == "lm" else "r2"

    def dataset(self, raw: Raw, *, labelled: bool = True) -> Dataset:
        """The examples as arrays; raises GaiError where they are of another kind."""
        inputs = self.inputs(raw)
        targets = self._targets(raw) if labelled and self.config.labelled else None
        answers = self._answers(raw) if labelled and self.config.task == "seq2seq" else None
        per_token = self.config.task == "tag"
        return Dataset(inputs, targets, raw.ids, per_token=per_token, answers=answers)

    def inputs(self, raw: Raw) -> Inputs:
        """What the network takes of the examples."""
        if self.source in TEXT:
            return cut(self._ids(raw), self.config.max_length)
        if self.source == "rows":
            return self._rows(texts_of(raw))
        return self._array(raw)

    def _ids(self, raw: Raw) -> Ragged:
        return self._encoded(tokens_of(raw) if self.source == "features" else texts_of(raw))

    def _encoded(self, texts: Sequence[Any]) -> Ragged:
        if "encode" not in self.ready:
            assert self.vocabulary is not None
            self.ready["encode"] = encoder(self.source, self.vocabulary, self.config)
        made: Ragged = self.ready["encode"](texts)
        return made

    def _answers(self, raw: Raw) -> Ragged:
        """The ids of the texts to be written, each with the end mark behind it."""
        assert self.vocabulary is not None
        made = self._encoded(answers_in(raw))
        ends = np.full(made.rows, self.vocabulary.ids[END], np.int32)
        values = np.insert(made.values, made.offsets[1:], ends)
        return Ragged(values, made.offsets + np.arange(made.rows + 1))

    def _rows(self, texts: Sequence[str]) -> Sparse:
        from gai.nn.data.rows import weighted_rows

        assert self.vocabulary is not None
        return weighted_rows(texts, self.vocabulary, self.documents, self.config)

    def _array(self, raw: Raw) -> NDArray[np.float32]:
        if raw.array is None:
            hint = "--columns names the fields that hold numbers"
            raise GaiError(f"this model reads {self.source}, and the data is text", hint)
        array = as_kind(raw.array, self.kind)
        if self.kind == "images" and (array.shape[1], self.size[0]) == (1, 3):
            array = np.repeat(array, 3, axis=1)  # grey among images of colours
        self._require_size(array.shape[1:])
        return array if self.scale is None else self.scale.apply(array)

    def _require_size(self, size: tuple[int, ...]) -> None:
        """Raises GaiError for examples of another size; sequences may have any length."""
        then, now = self.size, size
        if self.kind == "sequences":
            then, now = then[1:], now[1:]
        if then != now:
            what = "steps" if self.kind == "sequences" else "examples"
            raise GaiError(
                f"this model was trained on {what} of {spelt(then)} numbers, the data has "
                f"{spelt(now)}",
                SIZES[self.kind],
            )

    def _targets(self, raw: Raw) -> NDArray[Any]:
        if raw.labels is None:
            raise GaiError("the data has no labels", "--label-field names the field that has them")
        if self.labels is not None:
            return self.labels.encode(raw.labels)
        assert self.targets is not None
        values = np.asarray(raw.labels, np.float64)
        if values.shape[-1:] != self.targets.mean.shape:
            raise GaiError(
                f"the model gives {len(self.targets.mean)} numbers, the data has {values.shape[-1]}"
            )
        return self.targets.apply(values)

    def described(self) -> dict[str, Any]:
        """For input.json."""
        labels = self.labels
        return {
            "source": self.source,
            "size": list(self.size),
            "labels": None if labels is None else list(labels.names),
            "several": labels is not None and labels.several,
            "scale": None if self.scale is None else self.scale.as_dict(),
            "targets": None if self.targets is None else self.targets.as_dict(),
            "columns": list(self.columns),
            "documents": self.documents,
        }

    @classmethod
    def from_described(
        cls, found: Mapping[str, Any], config: Config, vocabulary: Vocabulary | None
    ) -> Encoding:
        """What was described; raises KeyError, TypeError or ValueError where it was not."""
        labels = found["labels"]
        return cls(
            source=found["source"],
            size=tuple(found["size"]),
            config=config,
            vocabulary=vocabulary,
            scale=found["scale"] and Scale.from_dict(found["scale"]),
            labels=None if labels is None else Labels(tuple(labels), found["several"]),
            targets=found["targets"] and Scale.from_dict(found["targets"]),
            columns=tuple(found["columns"]),
            documents=found["documents"],
        )


MAIN_SCORES = {
    **{"reconstruct": "error", "seq2seq": "exact", "algorithm": "bits"},
    **{"generate": "distance", "match": "eer"},
}
"""That of tasks in which neither labels nor numbers are predicted."""

TEXT = ("terms", "characters", "features", "pieces")
SIZES = {
    "numbers": "--columns names the fields of those that it knows",
    "sequences": "name data whose steps are as wide",
    "images": "bring them to that size and as many colours, or train a new model on these",
}
"""What helps where examples have another size, by kind."""
KINDS: dict[str, Kind] = {
    **{"terms": "ids", "characters": "ids", "features": "ids", "pieces": "ids", "rows": "rows"},
    **{"numbers": "numbers", "sequences": "sequences", "images": "images"},
}
"""What the network takes of each source."""


def fit(raw: Raw, config: Config) -> Encoding:
    """What turns examples into arrays, as the training part teaches it."""
    made: dict[str, Any] = {"config": config, "columns": raw.columns, "documents": len(raw)}
    made |= answers_of(raw, config)
    if config.pretrained is not None:
        return Encoding(**made, **foundation_of(raw, config))
    source = source_of(raw, config)
    if source in (*TEXT, "rows"):
        made["vocabulary"] = vocabulary_of(source, raw, config)
        made["size"] = (len(made["vocabulary"]),)
    else:
        assert raw.array is not None
        array = as_kind(raw.array, KINDS[source])
        made["size"] = array.shape[1:]
        if source != "images" and config.task != "algorithm":
            made["scale"] = Scale.of(array)
    return Encoding(source=source, **made)


def foundation_of(raw: Raw, config: Config) -> dict[str, Any]:
    """What a pre-trained model sees of the examples: pieces of text, or images."""
    assert config.pretrained is not None
    folder = Foundation(config.pretrained)
    if folder.images:
        if raw.array is None:
            raise GaiError(f"{folder.path} sees images, and the data is {raw.described()}")
        sides = as_kind(raw.array, "images").shape[2:]
        return {"source": "images", "size": (folder.facts()["num_channels"], *sides)}
    texts_of(raw)
    vocabulary = folder.vocabulary()
    return {"source": "pieces", "vocabulary": vocabulary, "size": (len(vocabulary),)}


def answers_of(raw: Raw, config: Config) -> dict[str, Any]:
    """The labels of examples, or the scale of the numbers to be predicted: fields of Encoding."""
    labels, targets = None, None
    if config.task in ("regress", "forecast"):
        targets = Scale.of(np.asarray(raw.labels, np.float64))
    elif config.task == "algorithm":
        targets = Scale.unchanged(np.asarray(raw.labels).shape[-1])
    elif config.labelled:
        assert raw.labels is not None
        labels = Labels.of(raw.labels)
    return {"labels": labels, "targets": targets}


def source_of(raw: Raw, config: Config) -> str:
    """What is read of the examples; raises UsageError for ``--input`` of another kind of data."""
    of_numbers = config.input in ("numbers", "sequences", "images")
    if of_numbers != (raw.array is not None):
        fitting = "numbers, sequences or images" if raw.array is not None else "ids, tfidf or bow"
        hint = f"--input {fitting}, or leave it out"
        raise UsageError(f"--input {config.input}: the data is {raw.described()}", hint)
    if raw.array is not None:
        return config.input
    if config.input in ("tfidf", "bow"):
        return "rows"
    if config.task == "tag":
        return "features"
    if config.analyzer == "word" and config.ngrams != (1, 1):
        message = f"--ngrams {','.join(map(str, config.ngrams))}: --input ids reads word after word"
        raise UsageError(message, "mlp takes n-grams with --input tfidf; a cnn's filters see them")
    return "characters" if takes_characters(config) else "terms"


def takes_characters(config: Config) -> bool:
    """Whether text is read letter by letter, as it is."""
    return config.task in ("lm", "seq2seq") and config.unit == "characters"


def vocabulary_of(source: str, raw: Raw, config: Config) -> Vocabulary:
    """The terms of the training part that are frequent enough."""
    least, most = config.min_count, config.max_vocab
    if source == "rows":
        from gai.nn.data.rows import columns_of

        return require_terms(columns_of(texts_of(raw), config), config)
    if source == "features":
        words = distinct_in(tokens_of(raw))
        made = Vocabulary.of(*feature_counts(words.terms, counted(words)), least, most)
    else:
        texts = texts_of(raw) + (answers_in(raw) if config.task == "seq2seq" else [])
        found = characters_in(texts) if source == "characters" else terms_of(texts, config)
        made = Vocabulary.of(found.terms, counted(found), least, most)
    require_terms(made, config)
    return made.with_end() if config.task == "seq2seq" else made


def terms_of(texts: Sequence[str], config: Config) -> Numbered:
    """The terms of texts, numbered."""
    analysis = analysis_of(config)
    return terms_in(analysis, plain=small(sum(map(len, texts)), analysis))(texts)


def require_terms(vocabulary: Vocabulary, config: Config) -> Vocabulary:
    """The same; raises GaiError where it is empty."""
    if len(vocabulary) == len(SPECIAL):
        raise GaiError("the training texts have no terms", f"--min-count is {config.min_count}")
    return vocabulary


def feature_counts(
    words: Sequence[str], counts: NDArray[np.int64]
) -> tuple[list[str], NDArray[np.int64]]:
    """The distinct features of words, and how often each occurs."""
    found: dict[str, int] = {}
    for word, count in zip(words, counts.tolist(), strict=True):
        for name in features(word):
            found[name] = found.get(name, 0) + count
    return list(found), np.array(list(found.values()), np.int64)


def encoder(source: str, vocabulary: Vocabulary, config: Config) -> Callable[..., Ragged]:
    """A function from texts to the ids in them."""
    if source == "characters":
        return CharacterEncoder(vocabulary)
    if source == "pieces":
        assert config.pretrained is not None
        return PieceEncoder(Foundation(config.pretrained).tokenizer(config.max_length))
    if source == "features":
        return FeatureEncoder(vocabulary)
    return TermEncoder(vocabulary, analysis_of(config))


def analysis_of(config: Config) -> Analysis:
    """How text becomes terms."""
    return Analysis(**config.analysis())


def tokens_of(raw: Raw) -> list[list[str]]:
    """The tokens; those of plain text are what white space separates."""
    return raw.tokens if raw.tokens is not None else [text.split() for text in texts_of(raw)]


def answers_in(raw: Raw) -> list[str]:
    """The texts that are to be written; raises GaiError where there are none."""
    if not isinstance(raw.labels, list) or not isinstance(next(iter(raw.labels), ""), str):
        hint = "--label-field names the field of the text to be written"
        raise GaiError("the data has no text to be written", hint)
    return [str(label) for label in raw.labels]


def texts_of(raw: Raw) -> list[str]:
    """The texts; raises GaiError where there are none."""
    if raw.tokens is not None:
        return [" ".join(tokens) for tokens in raw.tokens]
    if raw.texts is None:
        hint = "--text-field names the field that holds text"
        raise GaiError("this model reads text, and the data is numbers", hint)
    return raw.texts


def as_kind(array: NDArray[np.float32], kind: Kind) -> NDArray[np.float32]:
    """The array with the dimensions that ``kind`` has: images of one channel may come without."""
    if kind == "images" and array.ndim == 3:
        return array[:, None]
    if kind == "numbers" and array.ndim > 2:
        return array.reshape(len(array), -1)
    if kind == "sequences" and array.ndim == 4 and array.shape[1] == 1:
        return array[:, 0]  # an image, row by row
    wanted = {"numbers": 2, "sequences": 3, "images": 4}[kind]
    if array.ndim != wanted:
        shape = spelt(array.shape[1:])
        raise GaiError(
            f"an example is an array of {shape}, which is no {kind}",
            "numbers: [n, D], sequences: [n, T, F], images: [n, H, W] or [n, C, H, W]",
        )
    return array


def spelt(shape: Sequence[int]) -> str:
    """A shape for a message."""
    return " x ".join(map(str, shape)) or "one number"
