"""What a linear model, a table or an n-gram model gets on the split of a run."""

from __future__ import annotations

import warnings
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gai.nn import baselines
from gai.nn.baselines import Baseline
from gai.nn.data.arrays import Ragged, Sparse
from gai.nn.data.encoding import answers_in, texts_of
from gai.nn.data.raw import Raw
from gai.nn.scores.matching import chosen, numbered

if TYPE_CHECKING:
    from gai.nn.data.preparing import Parts


def baseline(parts: Parts, name: str) -> Baseline:
    """The scores of the baseline on one part, after training on the training part."""
    with warnings.catch_warnings():
        # What scikit-learn has to say of its fit is nothing that a user of the network can change.
        warnings.simplefilter("ignore")
        return _baseline(parts, name)


def _baseline(parts: Parts, name: str) -> Baseline:
    task = parts.config.task
    if task == "lm":
        return _language(parts, name)
    if task == "tag":
        return _tags(parts, name)
    if task == "reconstruct":
        return _narrowed(parts, name)
    if task == "generate":
        return _drawn(parts, name)
    if task == "match":
        return _compared(parts, name)
    if task == "seq2seq":
        return baselines.copied(parts.raw[name].texts or [], answers_in(parts.raw[name]))
    if task == "algorithm":
        return baselines.guessed(getattr(parts, name).targets)
    train, held = parts.raw["train"], parts.raw[name]
    right, wanted = _targets(parts, "train"), _targets(parts, name)
    labels = None if parts.encoding.labels is None else parts.encoding.labels.names
    if task == "forecast":
        assert train.array is not None
        assert held.array is not None
        return baselines.naive_forecast(train.array, right, held.array, wanted)
    if train.array is not None:
        assert held.array is not None
        return baselines.linear_numbers(
            _flat(train.array), right, _flat(held.array), wanted, labels
        )
    return baselines.linear_text(texts_of(train), right, texts_of(held), wanted, labels)


def _narrowed(parts: Parts, name: str) -> Baseline:
    train, held = parts.train.inputs, getattr(parts, name).inputs
    width = parts.config.code
    if isinstance(train, Sparse):
        cosine = parts.config.loss == "cosine"
        return baselines.truncated_svd(csr(train), csr(held), width, cosine=cosine)
    assert isinstance(train, np.ndarray)
    return baselines.principal_components(_flat(train), _flat(held), width)


def _compared(parts: Parts, name: str) -> Baseline:
    """What the inputs of the network say by themselves, of the examples that it is scored on."""
    held, labels = getattr(parts, name).inputs, parts.raw[name].labels
    assert isinstance(labels, list)
    rows = chosen(len(labels))
    classes = numbered([str(label) for label in labels])[rows]
    if isinstance(held, np.ndarray):
        return baselines.by_cosine(_flat(held)[rows], classes, f"the {parts.config.input}")
    if isinstance(held, Sparse):
        return baselines.by_cosine(csr(held)[rows], classes, f"{parts.config.input} rows")
    made = _tfidf(parts, name)
    return baselines.by_cosine(csr(made)[rows], classes, "TF-IDF rows")


def _tfidf(parts: Parts, name: str) -> Sparse:
    """The texts of a part as rows, with the terms and the weights that the training part has."""
    from gai.nn.data.rows import columns_of, weighted_rows

    known, config = texts_of(parts.raw["train"]), parts.config.with_(input="tfidf")
    return weighted_rows(texts_of(parts.raw[name]), columns_of(known, config), len(known), config)


def _drawn(parts: Parts, name: str) -> Baseline:
    train, held = parts.train, getattr(parts, name)
    assert isinstance(train.inputs, np.ndarray)
    assert isinstance(held.inputs, np.ndarray)
    return baselines.normal_samples(
        _flat(train.inputs), train.targets, _flat(held.inputs), held.targets
    )


def csr(rows: Sparse) -> Any:
    """Sparse rows as SciPy has them."""
    from scipy.sparse import csr_matrix

    parts = (rows.data, rows.indices, rows.indptr)
    return csr_matrix(parts, shape=(rows.rows, rows.width))


def _targets(parts: Parts, name: str) -> NDArray[Any]:
    """What is to be predicted, numbers in their own units."""
    targets: NDArray[Any] = getattr(parts, name).targets
    scale = parts.encoding.targets
    return targets if scale is None else scale.undo(targets)


def _flat(array: NDArray[np.float32]) -> NDArray[np.float32]:
    return array.reshape(len(array), -1)


def _tags(parts: Parts, name: str) -> Baseline:
    labels = parts.encoding.labels
    assert labels is not None
    train, held = words_of(parts.raw["train"]), words_of(parts.raw[name])
    right, wanted = _targets(parts, "train"), _targets(parts, name)
    return baselines.most_frequent_tag(train, right, held, wanted, labels.names)


def words_of(raw: Raw) -> list[str]:
    """All tokens, one example after the other."""
    return list(chain.from_iterable(raw.tokens or []))


def _language(parts: Parts, name: str) -> Baseline:
    train, held = parts.train.inputs, getattr(parts, name).inputs
    assert isinstance(train, Ragged)
    text = "".join(parts.raw[name].texts or [])
    return baselines.ngram(
        train.values,
        held.values,
        parts.encoding.size[0],
        characters=len(text),
        bytes=len(text.encode("utf-8", "surrogatepass")),
    )
