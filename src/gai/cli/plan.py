"""The plan of a matrix: all choices settled, from the flags, --like and --apply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gai.cli import choices
from gai.cli.options import Columns, Documents, Model, Terms, Weights
from gai.errors import GaiError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gai.cli.counting import Counted
    from gai.counts import Pruning
    from gai.output import Result, Stored
    from gai.tokens.analysis import Analysis
    from gai.weights import Statistics, Weighting

COLUMNS = ("min_df", "max_df", "max_features", "vocabulary", "order")


@dataclass(frozen=True)
class Plan:
    """How documents become a matrix. ``weighting`` is None for counts.

    ``statistics`` and ``training`` describe the training corpus, for the weights and for the
    signature; they are None where the corpus is its own.
    """

    analysis: Analysis
    pruning: Pruning
    binary: bool
    weighting: Weighting | None
    statistics: Statistics | None = None
    training: dict[str, Any] | None = None

    def counts(self, counted: Counted) -> Result:
        """The matrix of counts; raises a GaiError where pruning leaves no column."""
        counts = counted.counts
        result = counts.result(self.pruning, binary=self.binary)
        if len(counts.terms) and not len(result.terms):
            raise GaiError("pruning leaves no terms", "lower --min-df or raise --max-df")
        if self.training is not None:
            result.signature["training"] = self.training
        if self.statistics is not None:
            result.extra["df"] = self.statistics.df  # so that this matrix can be applied as well
        return result

    def weighted(self, counts: Result) -> Result:
        """The same with weights, where weights were asked for."""
        from gai.weights import weighted

        if self.weighting is None:
            return counts
        return weighted(counts, self.weighting, self.corpus(counts))

    def corpus(self, counts: Result) -> Statistics:
        """What the weights need to know of the training corpus, which may be this one."""
        from gai.weights import Statistics

        lengths = counts.extra["lengths"]
        own = Statistics(len(lengths), counts.extra["df"], mean(lengths))
        return self.statistics or own


def plan(
    documents: Documents, terms: Terms, columns: Columns, model: Model, weights: Weights | None
) -> Plan:
    """The plan for a matrix of its own, or for new rows of a stored one under --apply."""
    if model.apply is not None:
        return applied(documents, terms, columns, model, weights)
    weighting = None
    if weights is not None:
        weighting = choices.weighting(weights, choices.like_weights(model))
    return Plan(
        choices.analysis(documents, terms, choices.like_terms(model)),
        choices.pruning(columns),
        columns.binary,
        weighting,
    )


def applied(
    documents: Documents, terms: Terms, columns: Columns, model: Model, weights: Weights | None
) -> Plan:
    """The plan for new rows of a stored matrix; raises a UsageError for a flag that contradicts."""
    from gai.counts import Pruning
    from gai.output import load
    from gai.signature import analysis_options

    stored, flag = load(str(model.apply)), f"--apply {model.apply}"
    if stored.signature.get("kind") not in ("bow", "tfidf"):
        hint = "--apply takes what gai bow or gai tfidf wrote"
        raise UsageError(f"{stored.path} is no matrix of documents and terms", hint)
    fixed = choices.given(columns, *COLUMNS)
    choices.exclude(flag, fixed, f"the columns are those of {stored.path}")
    if columns.binary and not stored.signature["binary"]:
        raise UsageError(f"--binary contradicts {flag}", f"{stored.path} holds real counts")
    said = choices.claims(flag, analysis_options(stored.signature))
    return Plan(
        choices.analysis(documents, terms, [*said, *choices.like_terms(model)]),
        Pruning(vocabulary=stored.terms),
        stored.signature["binary"],
        stored_weighting(stored, flag, model, weights),
        statistics_of(stored),
        training_of(stored),
    )


def stored_weighting(
    stored: Stored, flag: str, model: Model, weights: Weights | None
) -> Weighting | None:
    """The weighting of a stored matrix, with which all flags must agree."""
    if weights is None:
        return None
    if stored.signature["weighting"] is None:
        hint = f"gai bow {flag}, or make {stored.path} with gai tfidf"
        raise UsageError(f"{stored.path} holds counts, not weights", hint)
    said = choices.claims(flag, stored.signature["weighting"])
    return choices.weighting(weights, [*said, *choices.like_weights(model)])


def statistics_of(stored: Stored) -> Statistics:
    """What the weights need to know of the corpus that a stored matrix was trained on."""
    from gai.weights import Statistics

    training = training_of(stored)
    return Statistics(training["documents"], stored.extra["df"], training["mean_length"])


def training_of(stored: Stored) -> dict[str, Any]:
    """The same for the signature, without df; a matrix made by --apply passes on what it has."""
    if "training" in stored.signature:
        return dict(stored.signature["training"])
    lengths = stored.extra["lengths"]
    return {
        "documents": len(lengths),
        "mean_length": mean(lengths),
        "input": stored.signature["input"],
    }


def mean(lengths: NDArray[Any]) -> float:
    return float(lengths.mean()) if len(lengths) else 0.0
