"""How good answers are: scores of labels, tags, numbers and language models, with intervals."""

from gai.nn.scores.intervals import Interval, interval
from gai.nn.scores.labels import Answers, Classification, Tagging, classification, tagging
from gai.nn.scores.numbers import Regression, regression
from gai.nn.scores.samples import Likeness, likeness
from gai.nn.scores.several import Multilabel, multilabel
from gai.nn.scores.texts import TextScores, texts
from gai.nn.scores.tokens import Language, language

__all__ = [
    "Answers",
    "Classification",
    "Interval",
    "Language",
    "Likeness",
    "Multilabel",
    "Regression",
    "Tagging",
    "TextScores",
    "classification",
    "interval",
    "language",
    "likeness",
    "multilabel",
    "regression",
    "tagging",
    "texts",
]
