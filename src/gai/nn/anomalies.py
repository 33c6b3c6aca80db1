"""Examples ranked by their errors: the strangest first, and how well that finds the anomalous."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gai.errors import GaiError
from gai.nn.rendering import short
from gai.nn.scores.ranking import auroc, average_precision
from gai.output.tsv import escape

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Known:
    """The quantiles, 0 to 1 in equal steps, of the errors of ordinary examples."""

    quantiles: Floats

    @classmethod
    def of(cls, report: Any) -> Known | None:
        """Those of the part that validated a run, or else tested it; None where it has neither."""
        for part in ("valid", "test"):
            found = report.get("scores", {}).get(part, {}).get("details", {}).get("quantiles")
            if found:
                return cls(np.array(found, float))
        return None

    def shares(self, errors: Floats) -> Floats:
        """Which share of ordinary examples has a smaller error."""
        return np.asarray(np.interp(errors, self.quantiles, self._steps()), float)

    def error(self, share: float) -> float:
        """The error that this share of ordinary examples stays below."""
        return float(np.interp(share, self._steps(), self.quantiles))

    def _steps(self) -> Floats:
        return np.linspace(0.0, 1.0, len(self.quantiles))


@dataclass(frozen=True, eq=False)
class Ranking:
    """Examples with their errors; ``shares`` are None where no ordinary errors are known, and
    ``labels`` where nobody asked for them."""

    ids: Sequence[str]
    errors: Floats
    shares: Floats | None = None
    labels: Sequence[str] | None = None

    def take(self, rows: NDArray[np.int64]) -> Ranking:
        """These examples, in this order."""
        numbers = rows.tolist()
        return Ranking(
            [self.ids[row] for row in numbers],
            self.errors[rows],
            None if self.shares is None else self.shares[rows],
            None if self.labels is None else [self.labels[row] for row in numbers],
        )

    def strangest(self, above: float | None, top: int | None) -> Ranking:
        """The highest errors first, of those ``above`` one; of equal ones the earlier example."""
        rows = np.argsort(-self.errors, kind="stable")
        if above is not None:
            rows = rows[self.errors[rows] > above]
        return self.take(rows[:top])

    def rows(self) -> Iterator[dict[str, Any]]:
        """An example each: id, error, quantile, and the label where there are labels."""
        for row, id in enumerate(self.ids):
            share = None if self.shares is None else float(f"{self.shares[row]:.4g}")
            found = {"id": id, "error": short(float(self.errors[row])), "quantile": share}
            yield found if self.labels is None else {**found, "label": self.labels[row]}

    def tsv(self) -> Iterator[str]:
        """Lines ``id<TAB>error<TAB>quantile``, and the label behind them; an unknown quantile is
        empty."""
        for row in self.rows():
            cells = ("" if value is None else escape(str(value)) for value in row.values())
            yield "\t".join(cells) + "\n"


Labels = Sequence[str] | Sequence[tuple[str, ...]]
"""One label an example, or several."""


def detection(errors: Floats, labels: Labels, anomalous: Sequence[str]) -> dict[str, Any]:
    """How well the errors find the examples that have one of the ``anomalous`` labels: the area
    under the ROC curve, the average precision, and how many there are.

    Raises GaiError where all or none are anomalous.
    """
    names = [(one,) if isinstance(one, str) else one for one in labels]
    wanted = np.array([any(name in anomalous for name in one) for one in names])
    if wanted.all() or not wanted.any():
        few = "all" if len(wanted) and wanted.all() else "none"
        there = sorted({name for one in names for name in one})
        shown = ", ".join(map(repr, there[:5])) + (", ..." if len(there) > 5 else "")
        message = f"--anomalous {','.join(anomalous)}: {few} of the examples are labelled so"
        raise GaiError(message, f"the data has the labels {shown}")
    return {
        "auroc": auroc(errors, wanted),
        "average_precision": average_precision(errors, wanted),
        "anomalous": int(wanted.sum()),
    }


def spelt(labels: Labels) -> list[str]:
    """The label of each example, or all of its labels."""
    return [one if isinstance(one, str) else ", ".join(one) for one in labels]
