"""Several processes that train together: what each of them does, without starting any."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gai.cli.nn_display import Silent
from gai.errors import UsageError
from gai.nn.data.preparing import prepare
from gai.nn.net import experiment, team
from gai.nn.net.keeping import Memory


@pytest.mark.parametrize("rows", [1, 2, 5, 8])
def test_the_shares_of_a_batch_are_all_of_it_once(rows: int) -> None:
    batch = np.arange(10, 10 + rows)
    shares = [team.Team(rank, 3).share(batch) for rank in range(3)]
    counted = [row for share in shares if share.counts for row in share.rows]
    assert sorted(counted) == batch.tolist()
    assert all(len(share.rows) for share in shares)  # each goes along in every step


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"model": "gan"}, "gan trains in one process"),
        ({"model": "siamese"}, "siamese trains in one process"),
        ({"model": "capsnet"}, "capsnet trains in one process"),
        ({"model": "mlp", "unfreeze_every": 1}, "--unfreeze-every is for one process"),
        ({"model": "mlp", "class_weights": "balanced"}, "--class-weights is for one process"),
    ],
)
def test_what_several_processes_would_do_otherwise_is_refused(
    said: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = prepare({"data": ("@digits",), "threads": 1, "width": 4, **said})
    monkeypatch.setattr(team, "here", lambda: team.Team(0, 2))
    with pytest.raises(UsageError, match=message):
        experiment.fresh(parts, Silent(), Memory())


def test_chance_differs_between_processes_and_is_the_same_again() -> None:
    seeds = [team.Team(rank, 3).seed(1, 5) for rank in range(3)]
    assert seeds[0] is None  # goes on as one process alone does
    assert seeds[1] != seeds[2]
    assert seeds == [team.Team(rank, 3).seed(1, 5) for rank in range(3)]
