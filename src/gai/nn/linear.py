"""Linear models: logistic regression for labels, ridge regression for numbers.

Each is the same in every run: linear algebra runs on one thread, which is also much faster here,
where products are small and many.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai.nn.scores.labels import SMALLEST, log_loss

Floats = NDArray[np.float64]

Predict = Callable[[Any], Floats]
"""Rows in, answers out: probabilities [n, K] of labels, or numbers [n, k]."""

CHOOSING = 4_000_000
"""Cells that a penalty is chosen on, at most, for up to ten classes."""

SMALL = 200_000
"""Cells up to which a penalty is chosen by five folds, not by one."""


class Method(NamedTuple):
    """A kind of linear model.

    ``fit`` takes rows, targets and a penalty on squared weights, of which ``penalties`` are worth
    trying; ``loss`` is a mean over the examples.
    """

    name: str
    fit: Callable[[Any, NDArray[Any], float], Predict]
    loss: Callable[[NDArray[Any], Floats], float]
    penalties: tuple[float, ...]


def method(labels: Sequence[str] | None, several: bool) -> Method:
    """The linear model for one label, for several labels, or, without labels, for numbers."""
    if labels is None:
        return Method("ridge regression", ridge, squared_error, (0.01, 0.1, 1, 10, 100, 1e3, 1e4))
    penalties = (0.01, 0.1, 1.0, 10.0, 100.0)
    if several:
        return Method("logistic regressions", logistic_for_each, log_loss_of_each, penalties)

    def fit(x: Any, targets: NDArray[Any], penalty: float) -> Predict:
        return logistic(x, targets, penalty, len(labels))

    return Method("logistic regression", fit, log_loss, penalties)


def logistic(x: Any, targets: NDArray[Any], penalty: float, classes: int) -> Predict:
    """Probabilities of classes [n, K]; 0 for those that no example has."""
    from sklearn.linear_model import LogisticRegression

    present = np.unique(targets)
    if len(present) < 2:
        return always(np.bincount(targets, minlength=classes) / max(len(targets), 1))
    with on_one_thread():
        model = LogisticRegression(C=1 / penalty, max_iter=200).fit(x, targets)

    def predict(rows: Any) -> Floats:
        answers = np.zeros((rows.shape[0], classes))
        answers[:, present] = model.predict_proba(rows)
        return answers

    return predict


def logistic_for_each(x: Any, targets: NDArray[Any], penalty: float) -> Predict:
    """Probabilities of several labels [n, K], each by a regression of its own."""
    columns = [logistic(x, column, penalty, 2) for column in targets.astype(np.int64).T]
    return lambda rows: np.stack([predict(rows)[:, 1] for predict in columns], axis=1)


def ridge(x: Any, targets: NDArray[Any], penalty: float) -> Predict:
    """Numbers [n, k]."""
    from sklearn.linear_model import Ridge

    with on_one_thread():
        model = Ridge(alpha=penalty).fit(x, wide(targets))
    return lambda rows: wide(model.predict(rows))


def standardised(method: Method) -> Method:
    """The same on rows whose columns were brought to mean 0 and variance 1."""
    from sklearn.preprocessing import StandardScaler

    def fit(x: Any, targets: NDArray[Any], penalty: float) -> Predict:
        scaler = StandardScaler().fit(x)
        predict = method.fit(scaler.transform(x), targets, penalty)
        return lambda rows: predict(scaler.transform(rows))

    return method._replace(fit=fit)


def always(answer: Floats) -> Predict:
    """The same answer for all rows."""
    return lambda rows: np.tile(answer, (rows.shape[0], 1))


def constant(targets: NDArray[Any], labels: Sequence[str] | None) -> Predict:
    """What can be said without looking: the share of each label, or the mean of the numbers."""
    if labels is not None and targets.ndim == 1:
        return always(np.bincount(targets, minlength=len(labels)) / max(len(targets), 1))
    return always(wide(targets).sum(0, dtype=np.float64) / max(len(targets), 1))


def best_penalty(method: Method, x: NDArray[Any], targets: NDArray[Any], classes: int) -> float:
    """The penalty with the least loss on a fifth of the rows that was held out, of much data in a
    random part of the rows, of little data on each fifth in turn."""
    most = int(CHOOSING / max(classes / 10, 1) / max(x.shape[1], 1))
    rows = np.random.default_rng(0).permutation(len(x))[: max(most, 100)]
    folds = np.arange(len(rows)) % 5
    used = [0] if x.size > SMALL else [fold for fold in range(5) if fold < len(rows) - 1]

    def loss(penalty: float) -> float:
        total = 0.0
        for fold in used:
            fitted, held = rows[folds != fold], rows[folds == fold]
            answers = method.fit(x[fitted], targets[fitted], penalty)(x[held])
            total += method.loss(targets[held], answers)
        return total

    return min(method.penalties, key=loss)


def squared_error(targets: NDArray[Any], answers: Floats) -> float:
    """The mean squared error."""
    return float(((wide(targets) - answers) ** 2).mean())


def log_loss_of_each(targets: NDArray[Any], answers: Floats) -> float:
    """The mean, over examples and labels, of -log(probability of what is right)."""
    right = np.where(np.asarray(targets) > 0.5, answers, 1 - answers)
    return float(-np.log(np.maximum(right, SMALLEST)).mean())


def wide(array: NDArray[Any]) -> NDArray[Any]:
    """The array as [n, k]."""
    return array[:, None] if array.ndim == 1 else array


@contextmanager
def on_one_thread() -> Iterator[None]:
    """Linear algebra on one thread, and no word about what has not converged."""
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(1, user_api="blas"), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
