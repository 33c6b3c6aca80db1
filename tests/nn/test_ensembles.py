"""Ensembles: how several answers become one, and what boosting and stacking learn."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import AdaBoostClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from gai.cli.nn_display import Silent
from gai.errors import GaiError, UsageError
from gai.nn import boosting
from gai.nn import config as configs
from gai.nn.data import held, preparing
from gai.nn.data.raw import read
from gai.nn.net import answers, assembling, crossing, ensembles, experiment, finishing, stacking
from gai.nn.net.ensembles import Ensemble, median, votes
from gai.nn.runs import Run
from gai.nn.shelves import CROSSED, ENSEMBLE, Shelf


class Listening(Silent):
    """Keeps what it is warned of."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, message: str) -> None:
        self.warnings.append(message)


SMALL = {"threads": 1, "epochs": 2, "width": 6, "lr": 0.01}
QUESTIONS = ("where is my card", "the fee is wrong", "how do I pay", "card lost again", "")
KINDS = ("card", "fee", "pay", "card", "fee")


def train(path: Path, name: str, *data: str, **said: Any) -> str:
    """The folder of a tiny run."""
    words = {"model": "mlp", "data": data, "split_seed": 1, **SMALL, **said}
    run = Run(str(path / name))
    crossing.carried_out(preparing.prepare(words), Silent(), run)
    return run.path


@pytest.fixture
def no_baselines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fits no linear models beside the networks."""
    monkeypatch.setattr(finishing, "baseline", lambda parts, name: None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of each kind that ensembles know, in twos and threes."""
    path = tmp_path_factory.mktemp("runs")
    rows = "".join(f"{QUESTIONS[n % 4]} {n % 7},{KINDS[n % 4]}\n" for n in range(60))
    (path / "questions.csv").write_text(f"text,label\n{rows}")
    two = rows.replace("pay", "fee")
    (path / "two.csv").write_text(f"text,label\n{two}")
    many = "".join(f"{QUESTIONS[n % 4]},{KINDS[n % 4]}|{KINDS[n % 3]}\n" for n in range(60))
    (path / "topics.csv").write_text(f"text,label\n{many}")
    tagged = "the\tD\ncat\tN\nsat\tV\n\na\tD\ndog\tN\nran\tV\nfar\tA\n\n" * 12
    (path / "tags.conllu").write_text(conllu(tagged))
    (path / "play.txt").write_text("to be or not to be\n" * 60)
    data = str(path / "questions.csv")
    train(path, "tfidf", data)
    train(path, "ids", data, model="cnn", kernels=(2,), filters=4, embedding=4, seed=2)
    train(path, "chars", data, analyzer="char", ngrams=(1, 2), seed=3)
    train(path, "two", str(path / "two.csv"))
    train(path, "iris", "@iris", test="0.2")
    train(path, "iris2", "@iris", test="0.2", seed=2)
    train(path, "prices", "@diabetes")
    train(path, "prices2", "@diabetes", seed=2, epochs=1)
    train(path, "topics", str(path / "topics.csv"), label_sep="|")
    train(path, "topics2", str(path / "topics.csv"), label_sep="|", seed=2)
    tags = {"embedding": 4, "width": 4}
    train(path, "gru", str(path / "tags.conllu"), model="gru", **tags)
    train(path, "lstm", str(path / "tags.conllu"), model="lstm", seed=2, **tags)
    train(path, "lm", str(path / "play.txt"), model="gru", task="lm", context=8, steps=2, **tags)
    return path


def conllu(pairs: str) -> str:
    lines = []
    for number, line in enumerate(pairs.splitlines(), 1):
        word, _, tag = line.partition("\t")
        lines.append(f"{number}\t{word}\t_\t{tag}\t_\t_\t0\t_\t_\t_\n" if line else "\n")
    return "".join(lines)


def paths(folder: Path, *names: str) -> list[str]:
    return [str(folder / name) for name in names]


def made(folder: Path, how: str, *names: str, out: Path, **said: Any) -> Any:
    """An ensemble in a folder, loaded again; and its recipe."""
    recipe = assembling.of_runs(how, assembling.loaded(paths(folder, *names)), **said)
    shelf = Shelf(str(out), ENSEMBLE)
    shelf.begin(force=True)
    assembling.copied(recipe, shelf)
    report = assembling.written(recipe, shelf)
    return ensembles.asked(Run(str(out)), "cpu"), report


def said(member: Any, raw: Any) -> Any:
    """What a network says: probabilities, or numbers in their units."""
    network, encoding = member
    outputs = answers.answers(network, encoding.dataset(raw, labelled=False))
    if encoding.labels is None:
        return answers.numbers(outputs, encoding)
    return answers.probabilities(outputs, encoding.labels.several)


GROUPS = {
    "classes": ("tfidf", "ids", "chars"),
    "numbers": ("prices", "prices2"),
    "several": ("topics", "topics2"),
    "tags": ("gru", "lstm"),
}


def data_of(folder: Path, name: str) -> Any:
    config = Run(str(folder / name)).config()
    return preparing.numbered(read(config.data, config), config)


@pytest.mark.parametrize("kind", GROUPS)
def test_an_average_is_the_mean_of_the_members_answers(
    kind: str, folder: Path, tmp_path: Path
) -> None:
    names = GROUPS[kind]
    together, report = made(folder, "average", *names, out=tmp_path / "out")
    raw = data_of(folder, names[0])
    each = [said(ensembles.asked(Run(path), "cpu"), raw) for path in paths(folder, *names)]
    assert said(together, raw) == pytest.approx(
        np.mean(each, axis=0), abs=1e-6 * float(np.ptp(each))
    )
    assert list(report["scores"]) == ["valid"]
    network, encoding = together
    judged = experiment.judge_of(encoding, raw).judged(network)
    assert judged.summary.keys() == report["scores"]["valid"]["network"].keys()
    folded = said((network.folded(), encoding), raw)
    assert folded == pytest.approx(said(together, raw), abs=1e-5 * float(np.ptp(each)))


def test_weights_are_those_of_the_answers(folder: Path, tmp_path: Path) -> None:
    together, _ = made(folder, "average", "tfidf", "ids", out=tmp_path / "out", weights=[3.0, 1.0])
    raw = data_of(folder, "tfidf")
    one, other = (said(ensembles.asked(Run(p), "cpu"), raw) for p in paths(folder, "tfidf", "ids"))
    assert said(together, raw) == pytest.approx(0.75 * one + 0.25 * other, abs=1e-6)


def test_labels_in_another_order_are_told_apart_by_name(folder: Path) -> None:
    members = [ensembles.asked(Run(p), "cpu") for p in paths(folder, "tfidf", "ids")]
    raw = data_of(folder, "tfidf")
    plain = said(ensembles.together(members, "average"), raw)
    network, encoding = members[1]
    labels = encoding.labels
    turned = type(labels)(tuple(reversed(labels.names)))
    network.head.weight.data = network.head.weight.data.flip(0)
    network.head.bias.data = network.head.bias.data.flip(0)
    other = (network, replace(encoding, labels=turned))
    assert said(ensembles.together([members[0], other], "average"), raw) == pytest.approx(plain)


def test_an_ensemble_of_ensembles(folder: Path, tmp_path: Path) -> None:
    made(folder, "average", "tfidf", "chars", out=tmp_path / "inner")
    inner = str(tmp_path / "inner")
    together, report = made(tmp_path, "average", inner, str(folder / "ids"), out=tmp_path / "outer")
    raw = data_of(folder, "tfidf")
    a, b, c = (said(ensembles.asked(Run(p), "cpu"), raw) for p in paths(folder, *GROUPS["classes"]))
    assert said(together, raw) == pytest.approx((a + c) / 4 + b / 2, abs=1e-6)
    assert list(report["scores"]) == ["valid"]


def test_a_vote_is_won_by_most_and_a_tie_by_the_surer() -> None:
    said = torch.tensor([[[0.6, 0.4, 0.0]], [[0.1, 0.9, 0.0]], [[0.5, 0.4, 0.1]]])
    even = torch.full((3,), 1 / 3)
    mean = said.mean(0)
    assert votes(said, even, mean, False)[0].tolist() == pytest.approx([2 / 3, 1 / 3, 0], abs=2e-6)
    half = torch.full((2,), 0.5)
    tied = votes(said[:2], half, said[:2].mean(0), False)[0]
    assert tied.argmax() == 1  # one vote each; 0.65 on average against 0.35
    flat = torch.tensor([[[0.0, 0.5, 0.5]], [[0.0, 0.5, 0.5]]])
    assert votes(flat, half, flat.mean(0), False)[0].argmax() == 1  # the first of equals
    heavy = votes(said, torch.tensor([0.2, 0.6, 0.2]), mean, False)[0]
    assert heavy.argmax() == 1


def test_each_of_several_labels_is_voted_on() -> None:
    said = torch.tensor([[[0.9, 0.6, 0.2]], [[0.8, 0.1, 0.4]]])
    found = votes(said, torch.tensor([0.5, 0.5]), said.mean(0), True)[0]
    assert (found > 0.5).tolist() == [True, False, False]  # a tie: 0.35 on average
    assert found.tolist() == pytest.approx([1, 0.5, 0], abs=1e-6)


@given(
    values=st.lists(st.floats(-5, 5), min_size=1, max_size=7),
    weights=st.lists(st.integers(1, 5), min_size=7, max_size=7),
)
def test_a_weighted_median_is_that_of_numbers_repeated(
    values: list[float], weights: list[int]
) -> None:
    heavy = weights[: len(values)]
    shares = torch.tensor(heavy, dtype=torch.float64)
    found = median(torch.tensor(values)[:, None, None], (shares / shares.sum()).float())
    repeated = np.repeat(np.float32(values), heavy)
    assert float(found) == np.sort(repeated)[(len(repeated) - 1) // 2]


def test_a_vote_of_numbers_is_the_number_in_the_middle(folder: Path, tmp_path: Path) -> None:
    together, _ = made(folder, "vote", "prices", "prices2", "prices", out=tmp_path / "out")
    raw = data_of(folder, "prices")
    one = said(ensembles.asked(Run(str(folder / "prices")), "cpu"), raw)
    assert said(together, raw) == pytest.approx(one, rel=1e-5)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("tfidf", "two"), "labels that only one of them has: 'pay'"),
        (("tfidf", "topics"), "one label an example, the other several"),
        (("tfidf", "prices"), "--task classify and regress"),
        (("tfidf", "gru"), "--task classify and tag"),
        (("lm", "lm"), "was trained for --task lm"),
        (("tfidf", "nothing"), "no such folder"),
    ],
)
def test_runs_that_do_not_belong_together(
    names: tuple[str, ...], message: str, folder: Path
) -> None:
    with pytest.raises(GaiError, match=message):
        assembling.loaded(paths(folder, *names))


def test_a_member_that_is_gone_or_another_version_is_an_error(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made(folder, "average", "tfidf", "ids", out=out)
    head = (out / ENSEMBLE).read_text()
    (out / ENSEMBLE).write_text(head.replace('"format": 1', '"format": 9'))
    with pytest.raises(GaiError, match="in format 9"):
        ensembles.asked(Run(str(out)))
    (out / ENSEMBLE).write_text(head.replace('"fitted_on": []', '"fitted_on": null'))
    with pytest.raises(GaiError, match="broken: fitted_on is None"):
        ensembles.asked(Run(str(out)))
    (out / ENSEMBLE).write_text(head.replace('"how": "average"', '"how": "sum"'))
    with pytest.raises(GaiError, match=r"ensemble\.json: broken"):
        ensembles.asked(Run(str(out)))
    (out / ENSEMBLE).write_text(head)
    shutil.rmtree(out / "member-2")
    with pytest.raises(GaiError, match="has no member-2"):
        ensembles.asked(Run(str(out)))
    with pytest.raises(GaiError, match="is an ensemble, and this takes one network"):
        experiment.load(Run(str(out)))


def test_the_folder_stands_on_its_own(folder: Path, tmp_path: Path) -> None:
    first, _ = made(folder, "average", "tfidf", "ids", out=tmp_path / "out")
    raw = data_of(folder, "tfidf")
    shutil.copytree(tmp_path / "out", tmp_path / "elsewhere" / "moved")
    shutil.rmtree(tmp_path / "out")
    moved = ensembles.asked(Run(str(tmp_path / "elsewhere" / "moved")), "cpu")
    assert np.array_equal(said(first, raw), said(moved, raw))
    assert not (tmp_path / "elsewhere" / "moved" / "member-1" / "last").exists()


@settings(max_examples=40)
@given(
    missed=st.lists(st.booleans(), min_size=2, max_size=30),
    classes=st.integers(2, 6),
    seed=st.integers(0, 9),
)
def test_boosting_weighs_as_samme_says(missed: list[bool], classes: int, seed: int) -> None:
    before = np.random.default_rng(seed).random(len(missed))
    before /= before.sum()
    wrong = np.array(missed)
    error = before[wrong].sum()
    weight, after = boosting.samme(wrong, before, classes)
    if error >= 1 - 1 / classes:
        assert weight == 0
        return
    error = max(error, 0.5 / len(missed))
    alpha = math.log((1 - error) / error) + math.log(classes - 1)
    assert weight == pytest.approx(alpha)
    assert after.sum() == pytest.approx(1)
    ratios = (after / before) / (after / before).min()
    expected = np.where(wrong, math.exp(alpha), 1.0)
    assert ratios == pytest.approx(expected / expected.min())


def test_boosting_weighs_as_scikit_learn_does() -> None:
    """The same trees, whose weights and errors are worked out here once more."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(200, 4)), random.integers(0, 3, 200)
    peer = AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=6, random_state=1)
    peer.fit(x, y)
    examples = boosting.even(len(y))
    for tree, weight in zip(peer.estimators_, peer.estimator_weights_, strict=True):
        step = boosting.samme(tree.predict(x) != y, examples, 3)
        assert step.weight == pytest.approx(weight)
        examples = step.examples


def test_boosting_of_numbers_by_hand() -> None:
    errors = np.array([0.0, 1.0, 2.0, 1.0])
    step = boosting.adaboost_r2(errors, boosting.even(4))
    loss = (0 + 0.5 + 1 + 0.5) / 4
    assert loss == 0.5
    assert step.weight == 0  # no better than chance
    step = boosting.adaboost_r2(np.array([0.0, 0.0, 2.0, 0.5]), boosting.even(4))
    beta = 0.3125 / 0.6875
    lighter = np.array([beta, beta, 1, beta**0.75]) / 4
    assert step.weight == pytest.approx(math.log(1 / beta))
    assert step.examples == pytest.approx(lighter / lighter.sum())
    assert boosting.adaboost_r2(np.zeros(3), boosting.even(3)).weight == 1.0


def test_examples_are_drawn_by_their_weights() -> None:
    weights = np.array([0.0, 0.7, 0.3] + [0.0] * 997)
    rows = boosting.drawn(weights, seed=1)
    counts = np.bincount(rows, minlength=1000)
    assert counts[1] + counts[2] == 1000
    assert abs(counts[1] - 700) < 60
    assert np.array_equal(rows, boosting.drawn(weights, seed=1))
    assert not np.array_equal(rows, boosting.drawn(weights, seed=2))


def test_what_a_member_notes_stays_with_it() -> None:
    whole = preparing.prepare({"model": "mlp", "data": ("@iris",), **SMALL})
    before = list(whole.notes)
    for number in (1, 2):
        parts = assembling.drawn(whole, boosting.even(len(whole.train)), number)
        assert parts.notes == before
        parts.notes.append(f"of member {number}")


def trained(how: Callable[..., Any], out: Path, *data: str, count: int, **words: Any) -> Any:
    """An ensemble whose members are trained: the recipe, its report, and the warnings."""
    listener, shelf = Listening(), Shelf(str(out), ENSEMBLE)
    said = {"model": "mlp", "data": data, **SMALL, **words}
    recipe = how(said, preparing.whole(said), count, shelf, listener)
    return recipe, assembling.written(recipe, shelf), listener.warnings


def test_members_of_a_bag_are_runs_that_can_be_had_again(
    tmp_path: Path, no_baselines: None
) -> None:
    recipe, report, _ = trained(
        assembling.bagged, tmp_path / "bag", "@iris", count=3, test="0.2", seed=4
    )
    assert list(report["scores"]) == ["valid", "test"]
    assert report["weights"] == pytest.approx([1 / 3] * 3)
    chosen = [Run(str(tmp_path / "bag" / f"member-{n}")).config() for n in (1, 2, 3)]
    assert [(c.seed, c.split_seed, c.bootstrap) for c in chosen] == [
        (seed, 4, True) for seed in (4, 5, 6)
    ]
    second = Run(str(tmp_path / "bag" / "member-2"))
    said = configs.read(second.file("config.toml"))
    training, _ = crossing.carried_out(preparing.prepare(said), Silent(), None)
    stored = recipe.members[1][0].state_dict()
    for name, tensor in training.network.state_dict().items():
        assert torch.equal(tensor, stored[name])
    parts = [held.parts_of(Run(str(tmp_path / "bag" / f"member-{n}"))) for n in (1, 2)]
    assert held.shared(parts).keys() == {"valid", "test"}


def test_without_resampling_members_differ_by_their_seeds(
    tmp_path: Path, no_baselines: None
) -> None:
    recipe, _, _ = trained(assembling.bagged, tmp_path / "bag", "@iris", count=2, bootstrap=False)
    assert [encoding.config.bootstrap for _, encoding in recipe.members] == [False, False]
    one, other = (network.state_dict()["head.weight"] for network, _ in recipe.members)
    assert not torch.equal(one, other)


def test_boosted_members_weigh_what_their_errors_say(tmp_path: Path, no_baselines: None) -> None:
    """The weights are worked out once more from the members as they lie in the folder."""
    words = {"width": 2, "epochs": 4, "dropout": 0.0, "seed": 3}
    recipe, report, _ = trained(assembling.boosted, tmp_path / "b", "@iris", count=4, **words)
    whole = preparing.prepare({"model": "mlp", "data": ("@iris",), **SMALL, **words})
    targets, examples = whole.train.targets, boosting.even(len(whole.train))
    weights = []
    for network, encoding in recipe.members:
        given = answers.answers(network, encoding.dataset(whole.raw["train"])).argmax(1).numpy()
        step = boosting.samme(given != targets, examples, 3)
        weights.append(step.weight)
        examples = step.examples
    assert len(weights) > 1
    assert recipe.weights == pytest.approx(weights)
    assert report["weights"] == pytest.approx([w / sum(weights) for w in weights])
    network, encoding = recipe.network()
    raw = whole.raw["valid"]
    each = [said(member, raw).argmax(1) for member in recipe.members]
    totals = np.zeros((len(raw), 3))
    for weight, given in zip(weights, each, strict=True):
        totals[np.arange(len(raw)), given] += weight
    assert said((network, encoding), raw).argmax(1).tolist() == totals.argmax(1).tolist()


def test_numbers_can_be_boosted(tmp_path: Path, no_baselines: None) -> None:
    recipe, report, _ = trained(
        assembling.boosted, tmp_path / "b", "@diabetes", count=3, dropout=0.0, epochs=8
    )
    assert len(recipe.members) > 1
    assert report["how"] == "vote"
    raw = preparing.prepare({"model": "mlp", "data": ("@diabetes",), **SMALL}).raw["valid"]
    each = np.stack([said(member, raw) for member in recipe.members])
    found = said(recipe.network(), raw)
    assert (each.min(0) - 1e-3 <= found).all()
    assert (found <= each.max(0) + 1e-3).all()


def test_boosting_ends_where_a_member_knows_nothing(tmp_path: Path, no_baselines: None) -> None:
    recipe, _, warnings = trained(
        assembling.boosted, tmp_path / "b", "@iris", count=4, lr=1e-12, width=1, layers=3, seed=2
    )
    assert len(recipe.members) < 4
    assert any("no better than chance: boosting ends" in line for line in warnings)
    assert sorted(p.name for p in (tmp_path / "b").glob("member-*")) == [
        f"member-{n + 1}" for n in range(len(recipe.members))
    ]


def test_what_cannot_be_boosted(folder: Path, tmp_path: Path) -> None:
    words = {"label_sep": "|"}
    with pytest.raises(UsageError, match="no boosting of several labels"):
        trained(assembling.boosted, tmp_path / "b", str(folder / "topics.csv"), count=2, **words)
    with pytest.raises(UsageError, match="no boosting of --task tag"):
        trained(
            *(assembling.boosted, tmp_path / "b", str(folder / "tags.conllu")),
            **{"count": 2, "model": "gru", "embedding": 4},
        )
    assert not (tmp_path / "b").exists()


def test_a_second_level_is_a_logistic_regression_of_log_odds() -> None:
    """Of two labels, and hardly held to the mean: the same as scikit-learn's."""
    random = np.random.default_rng(0)
    targets = random.integers(0, 2, 400)
    odds = random.normal(size=(400, 2)) + (targets[:, None] * 2 - 1) * np.array([1.0, 0.3])
    shares = torch.tensor(1 / (1 + np.exp(-odds.T)))
    said = torch.stack([1 - shares, shares], -1).log()
    loss = torch.nn.CrossEntropyLoss(reduction="sum")
    level = stacking.fitted(said, torch.tensor(targets), 1e-6, loss)
    peer = LogisticRegression(C=np.inf, tol=1e-10).fit(odds, targets)
    assert level.weights.numpy() == pytest.approx(peer.coef_[0], rel=1e-3)
    assert float(level.bias[1] - level.bias[0]) == pytest.approx(peer.intercept_[0], abs=1e-3)
    held = stacking.fitted(said, torch.tensor(targets), 1e9, loss)
    assert held.weights.numpy() == pytest.approx([0.5, 0.5], abs=1e-4)


def test_a_second_level_finds_the_member_that_knows(folder: Path) -> None:
    random = np.random.default_rng(1)
    targets = torch.tensor(random.integers(0, 4, 300))
    good = torch.nn.functional.one_hot(targets, 4) * 2.0 + torch.tensor(
        random.normal(size=(300, 4))
    )
    noise = torch.tensor(random.normal(size=(300, 4)))
    said = torch.log_softmax(torch.stack([good, noise]), -1)
    level = stacking.chosen(said, targets, torch.nn.CrossEntropyLoss(reduction="sum"))
    assert level.weights[0] > 0.7
    assert abs(float(level.weights[1])) < 0.2


@pytest.fixture
def fitted_to(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What second levels were fitted to."""
    seen: list[Any] = []
    before = stacking.stacked

    def watched(network: Any, encoding: Any, raw: Any) -> Any:
        seen.append(raw)
        return before(network, encoding, raw)

    monkeypatch.setattr(assembling.stacking, "stacked", watched)
    monkeypatch.setattr(stacking, "LEAST", 3)
    return seen


def test_a_stack_never_sees_what_a_member_was_trained_on(
    folder: Path, fitted_to: list[Any]
) -> None:
    names = paths(folder, "iris", "iris2")
    recipe = assembling.of_stack(assembling.loaded(names), None)
    runs = [held.parts_of(Run(path)) for path in names]
    trained_on = {d for parts in runs for d in held.digests(parts["train"])}
    assert not trained_on & set(held.digests(fitted_to[0]))
    assert list(fitted_to[0].ids) == list(runs[0]["valid"].ids)
    assert (recipe.fitted_on, list(recipe.parts)) == (["valid"], ["test"])
    everything = read(("@iris",), Run(names[0]).config())
    recipe = assembling.of_stack(assembling.loaded(names), everything)
    assert not trained_on & set(held.digests(fitted_to[1]))
    assert 30 < len(fitted_to[1]) < 50  # the validation and the test part, but for doubles
    assert recipe.notes == [
        f"{150 - len(fitted_to[1])} of 150 examples left out: a member was trained on them"
    ]
    assert (recipe.fitted_on, list(recipe.parts)) == (["test", "valid"], [])  # nothing is left


@pytest.mark.parametrize("kind", ["numbers", "several", "tags"])
def test_a_stack_of_each_kind(kind: str, folder: Path, fitted_to: list[Any]) -> None:
    recipe = assembling.of_stack(assembling.loaded(paths(folder, *GROUPS[kind])), None)
    raw = data_of(folder, GROUPS[kind][0])
    network, encoding = recipe.network()
    assert isinstance(network, Ensemble)
    scores = experiment.judge_of(encoding, raw).scores(network)
    each = [experiment.judge_of(how, raw).scores(one) for one, how in recipe.members]
    assert scores["loss"] <= 1.2 * max(one["loss"] for one in each)


def test_stacks_that_cannot_be(folder: Path) -> None:
    with pytest.raises(GaiError, match="too few to fit a second level to"):
        assembling.of_stack(assembling.loaded(paths(folder, "tfidf", "ids")), None)
    train(folder, "other", str(folder / "questions.csv"), split_seed=2)
    with pytest.raises(GaiError, match="no validation part in common"):
        assembling.of_stack(assembling.loaded(paths(folder, "tfidf", "other")), None)
    train(folder, "whole", str(folder / "questions.csv"), valid="0")
    raw = data_of(folder, "whole")
    with pytest.raises(GaiError, match="0 examples are too few"):
        assembling.of_stack(assembling.loaded(paths(folder, "whole", "whole")), raw)


def test_weights_by_validation_score(folder: Path) -> None:
    reports = [Run(p).json("report.json") for p in paths(folder, "iris", "iris2")]
    shares = [min(max(r["scores"]["valid"]["network"]["accuracy"], 0.501), 0.999) for r in reports]
    found = assembling.scored_weights(paths(folder, "iris", "iris2"))
    assert found == pytest.approx([math.log(share / (1 - share)) for share in shares])
    mse = Run(str(folder / "prices")).json("report.json")["scores"]["valid"]["network"]["mse"]
    assert assembling.scored_weights(paths(folder, "prices")) == [1 / mse]


def test_what_was_held_out_is_known_by_its_examples(folder: Path, tmp_path: Path) -> None:
    one, other = (held.parts_of(Run(p)) for p in paths(folder, "tfidf", "chars"))
    assert held.shared([one, other]).keys() == {"valid"}
    shutil.copy(folder / "questions.csv", tmp_path / "questions.csv")
    config = Run(str(folder / "tfidf")).config()
    moved = read((str(tmp_path / "questions.csv"),), config)
    there = read((str(folder / "questions.csv"),), config)
    assert held.identity(moved) == held.identity(there)
    few = there.take(np.arange(5))
    assert held.identity(few) != held.identity(there)
    assert held.identity(replace(there, labels=["x"] * len(there))) != held.identity(there)
    run = train(tmp_path, "run", str(tmp_path / "questions.csv"))
    with open(tmp_path / "questions.csv", "a") as file:
        file.write("one more,fee\n")
    with pytest.raises(GaiError, match="was trained on other data than is in"):
        held.parts_of(Run(run))


def test_a_cross_validation_is_what_its_folds_are(tmp_path: Path) -> None:
    said = {"model": "mlp", "data": ("@iris",), **SMALL, "epochs": 6}
    shelf = Shelf(str(tmp_path / "cv"), CROSSED)
    shelf.begin(force=False)
    found = preparing.whole(said)
    made = crossing.crossed(said, found, 3, Silent(), lambda n: shelf.run(f"fold-{n}"))
    again = crossing.crossed(said, found, 3, Silent())
    names = [f"fold-{n}" for n in (1, 2, 3)]
    reports = [shelf.run(name).json("report.json") for name in names]
    values = [r["scores"]["test"]["network"]["accuracy"] for r in reports]
    mean, deviation = np.mean(values), np.std(values, ddof=1)
    spread = made["network"]["accuracy"]
    assert spread["mean"] == pytest.approx(mean)
    assert spread["deviation"] == pytest.approx(deviation)
    ratio = 150 / sum(r["data"]["examples"]["train"] for r in reports)
    reach = 4.302652729911275 * deviation * math.sqrt(1 / 3 + ratio)  # t of 2 degrees at 97.5 %
    assert (spread["low"], spread["high"]) == pytest.approx((mean - reach, mean + reach))
    simple = [next(iter(r["scores"]["test"]["baselines"].values()))["accuracy"] for r in reports]
    assert made["baseline"]["accuracy"]["mean"] == pytest.approx(np.mean(simple))
    assert made["difference"]["accuracy"]["mean"] == pytest.approx(mean - np.mean(simple))
    assert [fold["network"]["accuracy"] for fold in made["folds"]] == values
    assert again["network"] == made["network"]  # kept or not, the figures are the same
    parts = [held.parts_of(shelf.run(name)) for name in names]
    tested = [set(one["test"].ids) for one in parts]
    assert set.union(*tested) == {f"@iris:{n}" for n in range(1, 151)}
    for one, name in zip(parts, names, strict=True):
        network, encoding = experiment.load(shelf.run(name), "cpu")
        scores = experiment.judge_of(encoding, one["test"]).scores(network)
        assert scores["accuracy"] == values[names.index(name)]


def test_baselines_of_folds_may_have_other_names() -> None:
    """The best order of n-grams is chosen anew for each fold."""

    def fold(name: str, loss: float) -> dict[str, Any]:
        return {
            "network": {"loss": 1.0},
            "baseline": {"name": name, "loss": loss},
        }

    found = crossing.together([fold("4-grams", 0.5), fold("5-grams", 0.25)], 0.5)
    assert found["baseline"]["name"] == "4-grams / 5-grams"
    assert found["baseline"]["loss"]["mean"] == 0.375
    assert found["difference"]["loss"]["mean"] == 0.625


@pytest.mark.parametrize(
    ("model", "data", "words", "how"),
    [
        ("gru", "play.txt", {"context": 8, "steps": 2, "embedding": 4}, "one piece of the text"),
        ("gru", "waves.csv", {"task": "forecast", "window": 4}, "by time"),
        ("mlp", "@diabetes", {}, "at random"),
        ("gru", "tags.conllu", {"embedding": 4}, "at random"),
    ],
)
def test_whatever_is_learned_can_be_cross_validated(
    model: str, data: str, words: dict[str, Any], how: str, folder: Path
) -> None:
    waves = "".join(f"{math.sin(n / 3):.3f}\n" for n in range(60))
    (folder / "waves.csv").write_text(f"value\n{waves}")
    path = data if data.startswith("@") else str(folder / data)
    said = {"model": model, "data": (path,), **SMALL, "width": 4, "epochs": 1, **words}
    made = crossing.crossed(said, preparing.whole(said), 2, Silent())
    assert made["how"].startswith(how)
    assert len(made["folds"]) == 2
    assert made["main_score"] in made["network"]


@pytest.mark.slow
def test_ensembles_know_more_than_their_members(tmp_path: Path, no_baselines: None) -> None:
    words = {"test": "0.3", "dropout": 0.0, "seed": 1}
    _, bag, _ = trained(
        assembling.bagged, tmp_path / "bag", "@digits", count=5, epochs=12, width=64, **words
    )
    _, boost, _ = trained(
        assembling.boosted, tmp_path / "boost", "@digits", count=10, epochs=10, width=4, **words
    )
    for report, gain in ((bag, 0.002), (boost, 0.2)):
        found = report["scores"]["test"]
        members = [one["scores"]["accuracy"] for one in found["members"]]
        assert found["network"]["accuracy"] > np.mean(members) + gain
    assert boost["scores"]["test"]["network"]["accuracy"] > 0.8
