"""Searches: spaces that are read and refused, trials that are pruned, interrupted and resumed."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gai.errors import GaiError, UsageError
from gai.nn import advice, names, spaces, studies
from gai.nn.config import resolved
from gai.nn.data.preparing import Parts, prepare
from gai.nn.net import searching
from gai.nn.plots import Plot
from gai.nn.runs import MODEL, Run
from gai.nn.spaces import Choices, Span
from gai.nn.studies import About, Study, Trial

pytest.importorskip("optuna")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def flowers() -> Parts:
    """Iris, for a linear model that takes a few milliseconds."""
    said = {"layers": 0, "epochs": 3, "batch_size": 64, "dropout": 0.0, "threads": 1}
    return prepare({"model": "mlp", "data": ("@iris",), **said})


class Watcher:
    """Hears all; stops a search as Ctrl-C would, at a step of the training of a trial."""

    def __init__(self, stop_in: int = 0) -> None:
        self.stop_in, self.begun = stop_in, 0
        self.trials: list[Trial] = []

    def begin(self, total_steps: int, done: int) -> None:
        self.begun += 1

    def advance(self, position: Any) -> None:
        if self.begun == self.stop_in:
            raise KeyboardInterrupt

    def record(self, record: Any) -> None: ...

    def warn(self, message: str) -> None: ...

    def ended(self, trial: Trial, best: bool) -> None:
        self.trials.append(trial)


RATES: spaces.Space = {"lr": Span(1e-6, 0.3, log=True), "optimizer": Choices(("adam", "sgd"))}


def searched(
    parts: Parts,
    path: Path,
    space: spaces.Space = RATES,
    how: str = "tpe",
    trials: int = 6,
    watcher: Watcher | None = None,
    pruner: str = "median",
    finish: bool = False,
) -> list[Trial]:
    """The trials of a study after a search, those before it among them."""
    about = searching.about(parts, space)
    if how == "grid":
        propose = searching.in_grid(spaces.finite(space), 1)
    else:
        propose = searching.sampled(space, how, 1)
    with studies.opened(str(path), about, pruner, force=False) as study:
        searching.search(parts, study, propose, watcher or Watcher(), trials=trials)
        if finish:
            searching.finished(parts, study, Watcher())
        return study.trials()


def what(trials: list[Trial]) -> list[Any]:
    """What a trial is without its number and the time that it took."""
    counted = [trial for trial in trials if trial.state != "interrupted"]
    return [(trial.state, trial.value, trial.choices, trial.loss) for trial in counted]


def test_a_grid_is_gone_through_and_its_best_point_found(flowers: Parts, tmp_path: Path) -> None:
    space = {"lr": Choices((0.1, 1e-6)), "batch_size": Choices((0, 16))}
    trials = searched(flowers, tmp_path / "study", space, "grid", 99, finish=True)
    points = [(trial.choices["lr"], trial.choices["batch_size"]) for trial in trials]
    assert sorted(points) == [(1e-6, 0), (1e-6, 16), (0.1, 0), (0.1, 16)]
    best = studies.best_of(trials, higher=True)
    assert best is not None
    assert best.choices == {"lr": 0.1, "batch_size": 16}
    config = Run(str(tmp_path / "study" / "best")).config()
    assert (config.lr, config.batch_size) == (0.1, 16)
    report = json.loads((tmp_path / "study" / "best" / "report.json").read_text())
    assert report["scores"]["valid"]["network"]["accuracy"] == best.value


@pytest.mark.parametrize("how", ["tpe", pytest.param("random", marks=pytest.mark.slow), "grid"])
def test_an_interrupted_search_ends_as_one_that_was_not(
    flowers: Parts, tmp_path: Path, how: str
) -> None:
    space = RATES if how != "grid" else {"lr": Choices((0.001, 0.01, 0.1, 1.0))}
    whole = searched(flowers, tmp_path / "whole", space, how, 4)
    with pytest.raises(KeyboardInterrupt):
        searched(flowers, tmp_path / "cut", space, how, 4, Watcher(stop_in=3))
    assert (tmp_path / "cut" / "trials.tsv").read_text().count("interrupted") == 1
    assert not (tmp_path / "cut" / studies.RUNNING).exists()
    cut = searched(flowers, tmp_path / "cut", space, how, 4)
    assert [trial.state for trial in cut].count("interrupted") == 1
    assert what(cut) == what(whole)
    one, other = ((tmp_path / name / "best" / MODEL).read_bytes() for name in ("whole", "cut"))
    assert one == other


def test_a_trial_that_a_killed_process_has_left_is_interrupted(
    flowers: Parts, tmp_path: Path
) -> None:
    about = searching.about(flowers, RATES)
    with studies.opened(str(tmp_path), about, force=False) as study:
        study.ask(studies.sampler_of("random", 1, 0))  # and never heard of again
    with studies.opened(str(tmp_path), about, force=False) as study:
        assert [trial.state for trial in study.trials()] == ["interrupted"]
        assert study.counted() == []


def test_hopeless_trials_are_pruned(flowers: Parts, tmp_path: Path) -> None:
    rates = (0.3, 0.2, 0.1, 0.25, 1e-6, 1e-7)
    about = searching.about(flowers, {"lr": Choices(rates)})

    def propose(study: Study) -> searching.Proposal:
        choices = {"lr": rates[len(study.counted())]}
        trial = study.ask_for(choices)
        return searching.Proposal(trial, spaces.suggest(trial, {"lr": Choices(rates)}))

    with studies.opened(str(tmp_path), about, force=False) as study:
        searching.search(flowers, study, propose, Watcher(), trials=len(rates))
        states = [trial.state for trial in study.trials()]
    assert states[:4] == ["complete"] * 4
    assert set(states[4:]) == {"pruned"}


def test_a_trial_that_diverges_or_cannot_be_ends_alone(flowers: Parts, tmp_path: Path) -> None:
    space = {"lr": Choices((0.1, 1e38)), "optimizer": Choices(("sgd",))}
    trials = searched(flowers, tmp_path / "a", space, "grid")
    assert sorted(trial.state for trial in trials) == ["complete", "diverged"]
    diverged = next(trial for trial in trials if trial.state == "diverged")
    assert "training has diverged" in diverged.why
    assert diverged.verdict.kind == "diverging"
    space = {"augment": Choices((("rotate",), ())), "lr": Choices((0.1,))}
    trials = searched(flowers, tmp_path / "b", space, "grid")
    failed = next(trial for trial in trials if trial.state == "failed")
    assert failed.why == "--augment rotate does not fit input numbers"
    assert failed.choices["augment"] == ["rotate"]


def test_a_search_of_which_no_trial_ends_well_says_why(flowers: Parts, tmp_path: Path) -> None:
    space = {"augment": Choices((("rotate",), ("flip",), ("crop",), ("scale",)))}
    with pytest.raises(GaiError, match="no trial ends well: --augment"):
        searched(flowers, tmp_path, space, "grid")


def test_time_that_is_over_begins_no_trial(flowers: Parts, tmp_path: Path) -> None:
    about = searching.about(flowers, RATES)
    with studies.opened(str(tmp_path), about, force=False) as study:
        propose = searching.sampled(RATES, "random", 1)
        searching.search(flowers, study, propose, Watcher(), trials=9, seconds=0.0)
        assert study.trials() == []
        with pytest.raises(GaiError, match="no trial has ended well"):
            searching.finished(flowers, study, Watcher())


def test_a_best_run_that_was_lost_is_trained_again_to_the_same_bytes(
    flowers: Parts, tmp_path: Path
) -> None:
    searched(flowers, tmp_path, trials=2, finish=True)
    before = (tmp_path / "best" / MODEL).read_bytes()
    for name in sorted(os.listdir(tmp_path / "best")):
        path = tmp_path / "best" / name
        if path.is_file():
            path.unlink()
    searched(flowers, tmp_path, trials=2, finish=True)
    assert (tmp_path / "best" / MODEL).read_bytes() == before


def test_advice_is_followed_and_resumed_to_the_same_trials(flowers: Parts, tmp_path: Path) -> None:
    def advised(path: Path, trials: int) -> list[Trial]:
        setting = advice.Setting(flowers.config, "numbers", frozenset({"epochs"}))
        propose = searching.advised(setting, lambda why: None)
        about = searching.about(flowers, None)
        with studies.opened(str(path), about, "none", force=False) as study:
            searching.search(flowers, study, propose, Watcher(), trials=trials)
            return study.trials()

    whole = advised(tmp_path / "whole", 4)
    assert [trial.why.split(":")[0] for trial in whole[:1]] == ["it begins small"]
    assert all("->" in trial.why for trial in whole[1:])
    advised(tmp_path / "cut", 2)
    assert what(advised(tmp_path / "cut", 4)) == what(whole)


def test_one_search_at_a_time_is_at_work_in_a_study(flowers: Parts, tmp_path: Path) -> None:
    about = searching.about(flowers, RATES)
    with (
        studies.opened(str(tmp_path), about, force=False),
        pytest.raises(GaiError, match="another search is at work in it"),
        studies.opened(str(tmp_path), about, force=False),
    ):
        raise AssertionError


def test_a_folder_of_any_name_holds_a_study(flowers: Parts, tmp_path: Path) -> None:
    place = tmp_path / "a {b}?c=d#e%20é"
    trials = searched(flowers, place, trials=1)
    assert len(trials) == 1
    assert (place / "study.db").stat().st_size > 0


ABOUT = About("d1", "accuracy", True, {"lr": [0.1]}, {"model": "mlp", "epochs": 3})


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study without a trial of its own making, which says what it is about."""
    path = tmp_path_factory.mktemp("kept")
    with studies.opened(str(path), ABOUT, force=False) as study:
        study.end(study.ask(studies.sampler_of("random", 1, 0)), "failed")
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"digest": "d2"}, "it was made with other data"),
        (
            {"space": {"lr": [0.1, 0.2]}},
            r"its space had lr \[0.1\], and now it has lr \[0.1, 0.2\]",
        ),
        ({"space": {}}, r"its space had lr \[0.1\], and now it has no lr"),
        ({"space": {"auto": True}}, "it was made without --auto"),
        ({"choices": {"model": "cnn", "epochs": 3}}, "it searched a mlp, not a cnn"),
        ({"choices": {"model": "mlp", "epochs": 4}}, "its trials had epochs 3, and now it has epo"),
        ({"score": "loss", "higher": True}, "its score was accuracy, not loss"),
    ],
)
def test_a_study_about_something_else_does_not_go_on(
    kept: Path, changes: dict[str, Any], message: str
) -> None:
    about = About(**{**vars(ABOUT), **changes})
    with (
        pytest.raises(GaiError, match=message) as caught,
        studies.opened(str(kept), about, force=False),
    ):
        raise AssertionError
    assert "\n" not in caught.value.message


@pytest.fixture
def copied(kept: Path, tmp_path: Path) -> Path:
    (tmp_path / "study.db").write_bytes((kept / "study.db").read_bytes())
    return tmp_path


def refused(path: Path) -> str:
    with (
        pytest.raises(GaiError) as caught,
        studies.opened(str(path), ABOUT, force=False),
    ):
        raise AssertionError
    assert "\n" not in caught.value.message
    assert "--force" in caught.value.hint
    return caught.value.message


def test_a_study_of_another_version_of_gai_is_refused(copied: Path) -> None:
    with sqlite3.connect(copied / "study.db") as base:
        made = json.dumps({**ABOUT.as_dict(), "format": 0, "gai": "0.0.1"})
        base.execute("UPDATE study_user_attributes SET value_json = ?", (made,))
    assert "was made by gai 0.0.1, in format 0" in refused(copied)


def test_a_study_that_gai_did_not_make_is_refused(copied: Path) -> None:
    with sqlite3.connect(copied / "study.db") as base:
        base.execute("DELETE FROM study_user_attributes")
    assert "was made by gai ?, in format None" in refused(copied)


def test_a_study_of_another_version_of_optuna_is_refused(copied: Path) -> None:
    with sqlite3.connect(copied / "study.db") as base:
        base.execute("UPDATE alembic_version SET version_num = 'v99.0.0.a'")
    assert "no longer compatible" in refused(copied)


def test_a_broken_file_is_refused(copied: Path) -> None:
    (copied / "study.db").write_bytes(b"no database at all, and long enough to look like one" * 99)
    assert "file is not a database" in refused(copied)


def test_other_folders_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for force in (False, True):
        with pytest.raises(UsageError, match="holds no study"):
            studies.require_free(str(tmp_path), force=force)
    with pytest.raises(UsageError, match="is a file"):
        studies.require_free(str(tmp_path / "notes.txt"))
    (tmp_path / "config.toml").write_text("")
    with pytest.raises(UsageError, match="holds a run"):
        studies.require_free(str(tmp_path))


def test_force_begins_anew(kept: Path, copied: Path) -> None:
    with studies.opened(str(copied), ABOUT, force=True) as study:
        assert study.trials() == []


def test_what_does_not_compare_is_refused(flowers: Parts) -> None:
    nothing = prepare({"model": "mlp", "data": ("@iris",), "valid": "0"})
    with pytest.raises(UsageError, match="a search needs a part that validates"):
        searching.about(nothing, RATES)
    numbers = prepare({"model": "mlp", "data": ("@diabetes",)})
    assert searching.about(numbers, {"loss": Choices(("mse", "mae"))}).score == "r2"
    assert searching.about(numbers, RATES).higher
    with pytest.raises(UsageError, match="context cannot be searched"):
        searching.about(flowers, {"context": Choices((8, 16))})


# Spaces


def test_a_space_is_read(tmp_path: Path) -> None:
    path = tmp_path / "space.toml"
    path.write_text(
        "layers = [1, 2, 2]\nkernels = [[3, 4], [5]]\nclip_norm = ['none', 1]\naugment = [[]]\n"
        "width = {low = 16, high = 64, log = true}\n"
        "[training]\nlr = {low = 1e-4, high = 1, log = true}\ndropout = {low = 0, high = 0.55, "
        "step = 0.1}\n[model]\nresidual = [true, false]\n"
    )
    assert spaces.read(path) == {
        "layers": Choices((1, 2)),
        "kernels": Choices(((3, 4), (5,))),
        "clip_norm": Choices((None, 1.0)),
        "augment": Choices(((),)),
        "width": Span(16, 64, log=True, whole=True),
        "lr": Span(1e-4, 1.0, log=True),
        "dropout": Span(0.0, 0.5, step=0.1),
        "residual": Choices((True, False)),
    }


BAD = [
    ("", "no choice to search"),
    ("layers = []", "layers has no values"),
    ("layers = 2", "layers is one value"),
    ("layers = [", "not TOML"),
    ("lairs = [1]", "no choice is called 'lairs'"),
    ("layers = [1, 'two']", "layers is 'two', not a whole number"),
    ("layers = [1.5]", "layers is 1.5, not a whole number"),
    ("activation = ['relu', 'reluu']", "unknown activation 'reluu'"),
    ("dropout = [0.5, 1.5]", "--dropout must be at least 0 and below 1"),
    ("dropout = {low = 0.5, high = 1.5}", "--dropout must be at least 0 and below 1"),
    ("activation = {low = 1, high = 2}", "activation is 1, not a string"),
    ("activation = {low = 'a', high = 'b'}", "'a' is no number"),
    ("lr = {low = 0.1}", "lr needs low and high"),
    ("lr = {low = 0.1, high = 0.01}", "lr goes from 0.1 to 0.01"),
    ("lr = {low = 0.1, high = nan}", "lr goes from 0.1 to nan"),
    ("lr = {low = 0.1, high = 1, hi = 2}", "lr has 'hi'"),
    ("lr = {low = 0.1, high = 1, log = 1}", "log is 1"),
    ("dropout = {low = 0, high = 0.5, log = true}", "logarithmic span goes from above 0"),
    ("lr = {low = 0.1, high = 1, log = true, step = 0.1}", "goes without a step"),
    ("lr = {low = 0.1, high = 1, step = 2.0}", "a step of 2 leads from 0.1 nowhere"),
    ("layers = {low = 1, high = 4, step = 0.5}", "layers is 0.5, not a whole number"),
    ("max_vocab = [100, 200]", "max_vocab cannot be searched: the data is read once"),
    ("ngrams = [[1, 1], [1, 2]]", "ngrams cannot be searched: the data is read once"),
    ("seed = [1, 2]", "seed cannot be searched: all trials share it"),
    ("model = ['mlp', 'cnn']", "model cannot be searched"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_a_bad_space_is_refused_in_a_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "space.toml"
    path.write_text(text)
    with pytest.raises(GaiError) as caught:
        spaces.read(path)
    assert message in caught.value.message
    assert "space.toml" in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("layers=1,2,3", Choices((1, 2, 3))),
        ("activation=relu, gelu", Choices(("relu", "gelu"))),
        ("residual=true,false", Choices((True, False))),
        ("weight-decay=0,0.1", Choices((0.0, 0.1))),
        ("kernels=3+4+5,2", Choices(((3, 4, 5), (2,)))),
        ("augment=shift+rotate,none", Choices((("shift", "rotate"), ()))),
        ("clip_norm=none,1", Choices((None, 1.0))),
        ("lr=1e-4..1e-1", Span(1e-4, 1e-1, log=True)),
        ("width=32..64", Span(32.0, 64.0, whole=True)),
        ("dropout=0..0.5", Span(0.0, 0.5)),
    ],
)
def test_a_choice_is_typed(text: str, found: Choices | Span) -> None:
    name, made = spaces.typed(text)
    assert name == text.partition("=")[0].replace("-", "_")
    assert made == found


@pytest.mark.parametrize("text", ["layers", "layers=", "=1,2", "layers=1..", "lr=..1", "lr=a..b"])
def test_what_is_typed_wrong_is_refused(text: str) -> None:
    with pytest.raises(GaiError):
        spaces.typed(text)


def test_a_grid_needs_values_that_can_be_counted() -> None:
    assert Span(0.0, 0.5, step=0.1).finite("dropout").values == (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
    assert Span(1, 3, whole=True).finite("layers").values == (1, 2, 3)
    with pytest.raises(UsageError, match=r"lr goes from .* without a step"):
        Span(1e-4, 0.1, log=True).finite("lr")


@given(st.integers(1, 4), st.integers(1, 3), st.integers(0, 99))
def test_a_grid_has_each_point_once_whatever_its_order(a: int, b: int, seed: int) -> None:
    space = {"layers": Choices(tuple(range(a))), "width": Choices(tuple(range(1, b + 1)))}
    points = [tuple(point.values()) for point in spaces.points(space, seed)]
    assert sorted(points) == [(x, y) for x in range(a) for y in range(1, b + 1)]


@pytest.mark.parametrize("model", names.MODELS)
def test_the_default_space_of_a_model_can_be_drawn_from(model: str) -> None:
    import optuna

    for space in (spaces.default(model), spaces.coarse(model)):
        trial = optuna.trial.FixedTrial(
            {
                name: found.values[-1] if isinstance(found, Choices) else found.high
                for name, found in space.items()
            }
        )
        resolved({"model": model, **spaces.suggest(trial, space)})
    assert {"lr", "optimizer", "batch_size"} <= spaces.default(model).keys()


# Tables and plots


TRIALS = [
    Trial(1, "complete", 0.5, {"lr": 0.1, "activation": "relu"}, 1.25, loss=0.7),
    Trial(2, "pruned", 0.2, {"lr": 0.01, "activation": "tanh"}),
    Trial(3, "diverged", None, {"lr": 1.0, "activation": "relu"}, why="a\tb"),
    Trial(4, "complete", 0.5, {"lr": 0.03, "activation": "tanh"}, loss=0.6),
    Trial(5, "complete", 0.4, {"lr": 0.002, "activation": "tanh"}, loss=0.1),
]


def test_of_equal_scores_the_lower_loss_is_the_best() -> None:
    assert studies.best_of(TRIALS, higher=True) is TRIALS[3]
    assert studies.best_of(TRIALS, higher=False) is TRIALS[4]
    assert studies.best_of(TRIALS[1:3], higher=True) is None


def test_the_table_has_a_line_a_trial_and_a_column_a_choice() -> None:
    lines = [line.split("\t") for line in studies.tsv(TRIALS).splitlines()]
    assert lines[0][:6] == ["trial", "state", "value", "loss", "seconds", "fit"]
    assert lines[0][6:] == ["lr", "activation", "why"]
    assert {len(line) for line in lines} == {9}
    assert lines[1][:5] == ["1", "complete", "0.5", "0.7", "1.2"]
    assert lines[3][-1] == "a\\tb"


def test_the_plots_show_the_best_so_far_and_each_choice() -> None:
    about = About("", "accuracy", True, {}, {})
    first, *others = studies.plots(TRIALS, about)
    assert [series.name for series in first.series] == ["best", "trial", "pruned"]
    assert max(first.series[0].y) == 0.5
    assert list(first.series[2].x) == [2]
    assert [plot.title for plot in others] == ["accuracy by lr", "accuracy by activation"]
    by_lr, by_name = others
    assert isinstance(by_lr, Plot)
    assert by_lr.x_log
    assert [mark.name for mark in by_name.marks] == ["relu", "tanh"]
    assert list(by_name.series[0].x) == [0.0, 1.0, 1.0]
    assert studies.drawn(TRIALS, about) == studies.drawn(TRIALS, about)
    assert studies.drawn([], about).startswith(b"<svg")


@settings(max_examples=20)
@given(st.lists(st.integers(-(10**7), 10**7), min_size=1, max_size=5))
def test_any_values_can_be_drawn(values: list[int]) -> None:
    about = About("", "loss", False, {}, {})
    trials = [Trial(k, "complete", v / 1e3, {"lr": abs(v) / 7}) for k, v in enumerate(values, 1)]
    assert studies.drawn(trials, about).endswith(b"</svg>\n")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Fails where Optuna warns of what a user could do nothing about."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
