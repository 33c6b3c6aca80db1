"""Baselines: what a linear model, or a table, reaches on the same split.

They tell whether the network was worth it, so they are as good as they can be in some seconds. The
scores have the names that those of the network have (``gai.nn.scores``), and targets mean the same:
-1 is a label that training never saw, and is wrong whatever is answered. Training examples with
such a target are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.nn import linear, ngram_lm, scores
from gai.nn.linear import Floats, Predict
from gai.nn.scores.matching import matching

UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Kana and Han, which are written without spaces between words."""

TOKENS = rf"[{UNSPACED}]|[^\W{UNSPACED}]+|[^\w\s]"
"""Words, marks, and single characters of the above, whose pairs stand for words."""

ENOUGH_TEXTS = 1000
"""From so many texts on, what only one of them has is left out."""

TEXT_PENALTY = 0.1
"""The best on TF-IDF, or nearly so: measured on banking77, TREC, AG News and SST."""

CHARACTERS = 20_000_000
CELLS = 50_000_000
"""How much a linear model is fitted to, for up to ten classes; for more, less in proportion."""

ORDERS = (2, 3, 4, 5, 6, 7, 8)
"""Orders of n-grams that are tried."""

SAMPLES = 1000
"""Samples that are drawn, at least, to be compared with data."""

NGRAM_TOKENS = 5_000_000
"""Tokens that n-grams are counted in, at most: the last ones of the text."""


@dataclass(frozen=True)
class Baseline:
    """What a simple model is called, and its scores by name."""

    name: str
    scores: dict[str, float]


def linear_text(
    train_texts: Sequence[str],
    train_targets: NDArray[Any],
    test_texts: Sequence[str],
    test_targets: NDArray[Any],
    labels: Sequence[str] | None,
) -> Baseline:
    """The scores of a linear model on the TF-IDF weights of words and pairs of words.

    Targets are classes [n], several labels [n, K], or numbers [n] or [n, k] where ``labels`` is
    None: logistic regression, one for each of several labels, or ridge regression.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    kept = _kept(train_targets, sum(map(len, train_texts)) / CHARACTERS, labels)
    texts, targets = [train_texts[row] for row in kept.tolist()], train_targets[kept]
    vectorizer = TfidfVectorizer(
        sublinear_tf=True,
        ngram_range=(1, 2),
        min_df=2 if len(texts) >= ENOUGH_TEXTS else 1,
        token_pattern=TOKENS,
    )
    try:
        x = vectorizer.fit_transform(texts)
    except ValueError:  # there is no word in any text
        return _constant(targets, test_targets, labels)
    method = linear.method(labels, targets.ndim == 2)
    predict = method.fit(x, targets, TEXT_PENALTY)
    name = f"{method.name} on TF-IDF{_part(kept, train_targets, 'texts')}"
    return _baseline(name, predict, vectorizer.transform(test_texts), test_targets, labels)


def linear_numbers(
    train_x: NDArray[Any],
    train_targets: NDArray[Any],
    test_x: NDArray[Any],
    test_targets: NDArray[Any],
    labels: Sequence[str] | None,
) -> Baseline:
    """The scores of a linear model on standardised numbers [n, D]; targets as above.

    Its penalty is the one that was best on a held-out part of the training examples.
    """
    kept = _kept(train_targets, train_x.size / CELLS, labels)
    x, targets = train_x[kept], train_targets[kept]
    if not x.size:
        return _constant(targets, test_targets, labels)
    method = linear.standardised(linear.method(labels, targets.ndim == 2))
    predict = method.fit(x, targets, linear.best_penalty(method, x, targets, len(labels or ())))
    name = method.name + _part(kept, train_targets, "examples")
    return _baseline(name, predict, test_x, test_targets, labels)


def naive_forecast(
    train_x: NDArray[Any],
    train_targets: NDArray[Any],
    test_x: NDArray[Any],
    test_targets: NDArray[Any],
    columns: Sequence[int] | None = None,
) -> Baseline:
    """The scores of repeating the last value, or of linear autoregression: ridge regression on the
    window.

    Windows are [n, T] or [n, T, F], in the order of time. Targets [n, k] are the values that follow
    in ``columns`` (all of them), one step after the other. What is better on the last fifth of the
    training windows is taken.
    """
    most = max(1, CELLS // max(1, train_x[:1].size))
    x, y = _windows(train_x)[-most:], linear.wide(train_targets)[-most:]
    last = _last_value(columns, y.shape[1])
    cut = len(x) - len(x) // 5
    regression = linear.standardised(linear.method(None, False))

    def autoregression(rows: int, penalty: float) -> Predict:
        predict = regression.fit(_flat(x[:rows]), y[:rows], penalty)
        return lambda windows: predict(_flat(windows))

    def loss(predict: Predict) -> float:
        return regression.loss(y[cut:], predict(x[cut:]))

    if cut < len(x):
        losses = [loss(autoregression(cut, penalty)) for penalty in regression.penalties]
        if min(losses) < loss(last):
            best = regression.penalties[int(np.argmin(losses))]
            predict = autoregression(len(x), best)
            return _baseline("linear autoregression", predict, _windows(test_x), test_targets, None)
    return _baseline("last value", last, _windows(test_x), test_targets, None)


def most_frequent_tag(
    train_words: Sequence[str],
    train_tags: NDArray[np.int64],
    test_words: Sequence[str],
    test_tags: NDArray[np.int64],
    labels: Sequence[str],
) -> Baseline:
    """The scores of giving each word the tag that it has most often in training.

    An unknown word gets the tag that its last three characters have most often, or else the
    commonest of all. Words and tags are those of one text after the other.
    """
    known = np.flatnonzero(train_tags >= 0)
    words, tags = [train_words[place] for place in known.tolist()], train_tags[known].tolist()
    by_word, by_end = _commonest(words, tags), _commonest(_ends(words), tags)
    other = int(np.bincount(train_tags[known], minlength=1).argmax())
    given = [
        by_word.get(word, by_end.get(end, other))
        for word, end in zip(test_words, _ends(test_words), strict=True)
    ]
    result = scores.tagging(test_tags, np.array(given, np.int64), labels)
    return Baseline("most frequent tag of each word", result.summary())


def ngram(
    train_ids: NDArray[Any],
    valid_ids: NDArray[Any],
    vocabulary_size: int,
    *,
    characters: int,
    bytes: int,
    orders: Sequence[int] = ORDERS,
) -> Baseline:
    """The scores of an n-gram model on ``valid_ids``, a text of so many characters and bytes.

    The order is the one that foresees the last tenth of the training text best.
    """
    text = train_ids[-NGRAM_TOKENS:]
    order = ngram_lm.best_order(text, vocabulary_size, orders)
    nats = ngram_lm.fit(text, vocabulary_size, order).nats(valid_ids)
    part = (
        f" (last {len(text):,} of {len(train_ids):,} tokens)" if len(text) < len(train_ids) else ""
    )
    result = scores.language(float(nats.sum()), len(valid_ids), characters, bytes)
    return Baseline(f"{order}-grams, Kneser-Ney{part}", result.summary())


def principal_components(train_x: NDArray[Any], test_x: NDArray[Any], width: int) -> Baseline:
    """The mean squared error per number [n, D] of what ``width`` principal components keep."""
    from sklearn.decomposition import PCA

    width = min(width, *train_x.shape)
    with linear.on_one_thread():
        fitted = PCA(width, random_state=0).fit(train_x)
        seen = fitted.inverse_transform(fitted.transform(test_x))
    error = float(((seen - test_x) ** 2).mean()) if len(test_x) else float("nan")
    return Baseline(f"PCA, {width} components", {"error": error})


def truncated_svd(train: Any, test: Any, width: int, *, cosine: bool) -> Baseline:
    """The mean error of what ``width`` singular vectors keep of sparse rows: 1 - the ``cosine``, or
    the squared distance."""
    from sklearn.decomposition import TruncatedSVD

    width = min(width, *train.shape)
    with linear.on_one_thread():
        fitted = TruncatedSVD(width, random_state=0).fit(train)
        kept = np.linalg.norm(fitted.transform(test), axis=1)
    whole = np.sqrt(np.asarray(test.multiply(test).sum(1)).ravel())
    # What is kept of a row is its projection.
    lost = 1 - kept / np.maximum(whole, np.finfo(float).tiny) if cosine else whole**2 - kept**2
    error = float(lost.mean()) if len(lost) else float("nan")
    return Baseline(f"truncated SVD, {width} components", {"error": error})


def normal_samples(
    train_x: NDArray[Any],
    train_labels: NDArray[Any] | None,
    test_x: NDArray[Any],
    test_labels: NDArray[Any] | None,
) -> Baseline:
    """How near to data [n, D] samples of a normal distribution are that has the mean and the
    covariance of the training examples; of each label, where there are labels."""
    rng = np.random.default_rng(0)
    if train_labels is None or test_labels is None:
        made = normally(train_x, max(len(test_x), SAMPLES), rng)
        return Baseline("a normal distribution", scores.likeness(made, test_x).summary())
    test_x, test_labels = test_x[test_labels >= 0], test_labels[test_labels >= 0]
    asked = np.resize(test_labels, max(len(test_x), SAMPLES))
    made = np.zeros((len(asked), test_x.shape[1]))
    for label in np.unique(asked).tolist():
        made[asked == label] = normally(train_x[train_labels == label], (asked == label).sum(), rng)
    found = scores.likeness(made, test_x, asked, test_labels)
    return Baseline("a normal distribution for each label", found.summary())


def normally(x: NDArray[Any], count: int, rng: np.random.Generator) -> NDArray[Any]:
    """``count`` rows of the normal distribution with mean and covariance of the rows of x: sums
    of their deviations, each times a standard normal number."""
    mean = x.mean(0)
    noise = rng.standard_normal((count, len(x)))
    made: NDArray[Any] = mean + noise @ (x - mean) / np.sqrt(max(len(x) - 1, 1))
    return made


def by_cosine(rows: Any, classes: NDArray[np.int64], what: str) -> Baseline:
    """The scores of the cosines of rows [n, D], sparse or not, as similarities of examples of these
    classes [n]."""
    from scipy.sparse import csr_array, diags_array

    found = csr_array(rows)
    lengths = np.sqrt(np.asarray(found.multiply(found).sum(1)).ravel())
    unit = diags_array(1 / np.where(lengths > 0, lengths, 1.0)) @ found
    similarities = (unit @ unit.T).toarray()
    return Baseline(f"cosine of {what}", matching(similarities, classes).summary())


def _kept(targets: NDArray[Any], size: float, labels: Sequence[str] | None) -> NDArray[np.int64]:
    """The rows that a model is fitted to: those with a target, in order, or a random part of them
    where their ``size``, as a share of what ten classes may have, is above 1."""
    known = (
        targets >= 0 if labels is not None and targets.ndim == 1 else np.ones(len(targets), bool)
    )
    rows = np.flatnonzero(known)
    share = 1 / max(1.0, size * max(len(labels or ()) / 10, 1))
    return np.sort(np.random.default_rng(0).permutation(rows)[: round(len(rows) * share)])


def _part(kept: NDArray[np.int64], targets: NDArray[Any], unit: str) -> str:
    """What to say about a model that was fitted to a part of the examples."""
    return f" ({len(kept):,} of {len(targets):,} {unit})" if len(kept) < len(targets) else ""


def _baseline(
    name: str,
    predict: Predict,
    rows: Any,
    targets: NDArray[Any],
    labels: Sequence[str] | None,
) -> Baseline:
    """The scores of the answers for these rows."""
    return Baseline(name, _summary(targets, predict(rows), labels))


def _constant(
    targets: NDArray[Any], test_targets: NDArray[Any], labels: Sequence[str] | None
) -> Baseline:
    """The scores where there is nothing to look at."""
    name = "mean" if labels is None else "commonest labels"
    predict = linear.constant(targets, labels)
    return _baseline(name, predict, test_targets, test_targets, labels)


def _summary(
    targets: NDArray[Any], answers: Floats, labels: Sequence[str] | None
) -> dict[str, float]:
    """The scores of answers by name."""
    if labels is None:
        return scores.regression(targets, answers).summary()
    if targets.ndim == 2:
        return scores.multilabel(targets, answers, labels).summary()
    return scores.classification(targets, answers, labels).summary()


def _windows(x: NDArray[Any]) -> Floats:
    """Windows as [n, T, F]."""
    return np.asarray(x, np.float64).reshape(*x.shape[:2], -1)


def _flat(windows: NDArray[Any]) -> NDArray[Any]:
    return windows.reshape(len(windows), -1)


def _last_value(columns: Sequence[int] | None, width: int) -> Predict:
    """The last values of windows, again and again."""

    def predict(windows: NDArray[Any]) -> Floats:
        last = windows[:, -1] if columns is None else windows[:, -1, list(columns)]
        return np.tile(last, width // last.shape[1])

    return predict


def _ends(words: Iterable[str]) -> list[str]:
    """The last three characters of each."""
    return [word[-3:] for word in words]


def _commonest(keys: Iterable[str], tags: Iterable[int]) -> dict[str, int]:
    """The tag that each key has most often; of several, the lowest."""
    counts = Counter(zip(keys, tags, strict=True))
    ordered = sorted(counts.items(), key=lambda item: (item[1], -item[0][1]))
    return {key: tag for (key, tag), _ in ordered}


def copied(given: Sequence[str], right: Sequence[str]) -> Baseline:
    """The scores of writing what was read."""
    return Baseline("the text as it is", scores.texts(right, given).summary())


def guessed(bits: NDArray[Any]) -> Baseline:
    """The scores of tossing a coin for each bit [n, T, K] that is due: those not NaN."""
    due = (~np.isnan(bits)).sum((1, 2))
    found = {"loss": log(2), "bits": float(due.mean()), "exact": float((0.5**due).mean())}
    return Baseline("chance", found)
