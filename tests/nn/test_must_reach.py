"""What the networks must reach on real data, five seeds each; slow. `python -m benchmarks.nn` makes
a page of the same trainings."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))  # benchmarks is no package that is installed

from benchmarks import nn as bench  # noqa: E402
from benchmarks.nn_data import prepare  # noqa: E402
from benchmarks.nn_experiments import EXPERIMENTS, Experiment  # noqa: E402

pytestmark = pytest.mark.slow

NAMED = {one.name: one for one in EXPERIMENTS}


@pytest.fixture(scope="module")
def folder(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data, as gai nn train reads it."""
    made = tmp_path_factory.mktemp("nn")
    prepare(data, made)
    return made


def found(experiment: Experiment, folder: Path, data: Path) -> bench.Found:
    return bench.repeated(experiment, folder, data, bench.SEEDS, jobs=1)


@pytest.mark.parametrize("name", [one.name for one in EXPERIMENTS if one.least is not None])
def test_an_experiment_reaches_what_it_must(name: str, folder: Path, data: Path) -> None:
    experiment = NAMED[name]
    results = {name: found(experiment, folder, data)}
    if isinstance(experiment.least, str) and experiment.least in NAMED:
        other = NAMED[experiment.least]
        results[other.name] = found(other, folder, data)
    shown = bench.mark(results[name], results)
    assert shown.endswith("yes"), f"{name}: {results[name].spelt()}, must reach {shown}"


def test_the_character_model_reaches_what_nanogpt_publishes(folder: Path, data: Path) -> None:
    loss, _ = bench.character_model(folder, data)
    assert loss <= 1.88
