"""Fine-tuning: what is taken over, what begins anew, what is frozen, and how fast it learns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gai.cli.nn_display import Silent
from gai.errors import GaiError, UsageError
from gai.nn.config import Config, resolved
from gai.nn.data.inheriting import inherited, require_same
from gai.nn.data.preparing import prepare
from gai.nn.net import checkpoints, experiment
from gai.nn.net.inputs import Shape
from gai.nn.net.loop import Training
from gai.nn.net.models import build
from gai.nn.net.optimizers import optimizer
from gai.nn.net.schedules import schedule
from gai.nn.net.stages import ALL, frozen, stages
from gai.nn.runs import Run

TEXT = "the cat sat on the mat\nthe dog barked at the cat\nthe mat is old\na dog is a dog\n" * 6
LABELLED = (
    "text,label\n" + "the cat sat,cat\nthe dog barked,dog\nan old cat,cat\na new dog,dog\n" * 8
)
SMALL = {"width": 8, "embedding": 8, "threads": 1, "context": 8, "batch_size": 8, "heads": 2}


@pytest.fixture(params=["lstm", "transformer"])
def language(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    """A language model of words, hardly trained."""
    (tmp_path / "text.txt").write_text(TEXT)
    said = {**SMALL, "model": request.param, "unit": "words", "steps": 3, "layers": 2}
    return trained({**said, "data": (str(tmp_path / "text.txt"),)}, tmp_path / "lm")


def trained(said: dict[str, Any], path: Path) -> Run:
    run = Run(str(path))
    begun(said, run).run()
    return run


def begun(said: dict[str, Any], run: Run) -> Training:
    return experiment.begin(prepare(said), run, Silent(), probe=False, force=True)


def onward(run: Run, data: Path, **more: Any) -> dict[str, Any]:
    said = {**inherited(run.config()), "threads": 1, "batch_size": 8, "parent": run.path}
    return {**said, "data": (str(data),), **more}


def weights(network: torch.nn.Module) -> dict[str, Any]:
    return {name: w.detach().clone() for name, w in network.state_dict().items()}


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    path = tmp_path / "few.csv"
    path.write_text(LABELLED)
    return path


def test_a_classifier_begins_with_the_body_of_the_language_model(
    language: Run, labelled: Path, tmp_path: Path
) -> None:
    begun_ = begun(onward(language, labelled), Run(str(tmp_path / "new")))
    before = checkpoints.read(language.file("model.safetensors")).tensors
    terms = len(language.vocabulary())
    for name, tensor in weights(begun_.network).items():
        if name == "body.embedding.weight":  # "new" and "an" are new terms: rows behind the others
            assert torch.equal(tensor[:terms], before[name])
            assert len(tensor) == terms + 2
        elif not name.startswith("head"):
            assert torch.equal(tensor, before[name]), name
    assert begun_.network.head.out_features == 2  # type: ignore[union-attr]
    loaded = Run(str(tmp_path / "new")).vocabulary()
    assert loaded.terms[:terms] == language.vocabulary().terms
    assert set(loaded.terms[terms:]) == {"an", "new"}


def test_a_transformer_stays_causal(labelled: Path, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    said = {**SMALL, "model": "transformer", "unit": "words", "steps": 1}
    run = trained({**said, "data": (str(tmp_path / "text.txt"),)}, tmp_path / "lm")
    network = begun(onward(run, labelled), Run(str(tmp_path / "new"))).network
    assert all(layer.attention.causal for layer in network.body.layers)  # type: ignore[union-attr]
    network, _ = experiment.load(run)
    assert network.head.weight is network.body.embedding.weight  # type: ignore[union-attr]


def test_the_same_answers_keep_the_head(language: Run, labelled: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.txt"
    more.write_text("the sparrow sat on the mat\n" * 20)
    lm = begun(onward(language, more, task="lm", steps=1), Run(str(tmp_path / "on"))).network
    before = checkpoints.read(language.file("model.safetensors")).tensors
    key = "head.weight" if "head.weight" in before else "body.embedding.weight"
    terms = len(language.vocabulary())
    assert torch.equal(weights(lm)[key][:terms], before[key])

    first = trained(onward(language, labelled, epochs=1), tmp_path / "one")
    again = begun(onward(first, labelled), Run(str(tmp_path / "two")))
    old = checkpoints.read(first.file("model.safetensors")).tensors
    assert torch.equal(weights(again.network)["head.weight"], old["head.weight"])
    labelled.write_text(LABELLED.replace(",cat", ",feline"))
    other = begun(onward(first, labelled), Run(str(tmp_path / "three")))
    assert not torch.equal(weights(other.network)["head.weight"], old["head.weight"])


def test_stages_go_from_the_inputs_to_the_head() -> None:
    config = resolved({"model": "transformer", "layers": 2, "width": 8, "heads": 2})
    found = stages(build(config, Shape("ids", (9,), 3)))
    names = [stage.name for stage in found]
    assert names == ["embedding", "body.layers.0", "body.layers.1", "body.norm", "head"]
    config = resolved({"model": "lstm", "layers": 2, "width": 8, "bidirectional": True})
    found = stages(build(config, Shape("ids", (9,), 3)))
    assert [s.name for s in found] == ["embedding", "body.layers.0", "body.layers.1", "head"]
    assert [len(stage.weights) for stage in found] == [1, 8, 8, 2]


def test_places_are_vectors_and_a_deviation_is_of_the_output() -> None:
    config = resolved({"model": "transformer", "task": "seq2seq", "width": 8, "heads": 2})
    first, *_ = stages(build(config, Shape("ids", (9,), 9, writes=True)))
    assert (first.name, len(first.weights)) == ("embedding", 3)  # terms, places read and written
    config = resolved({"model": "vae", "task": "reconstruct", "input": "numbers", "loss": "mse"})
    found = stages(build(config, Shape("numbers", (5,), 5)))
    assert [stage.name for stage in found] == ["encoder.0", "code", "decoder.0", "output"]
    assert [len(stage.weights) for stage in found] == [2, 2, 2, 3]


def test_embeddings_are_kept_for_classes_that_are_new(tmp_path: Path) -> None:
    y = np.repeat(np.arange(4), 8)
    x = np.random.default_rng(0).normal(size=(32, 3)).astype(np.float32)
    for name, letters in (("old", "abcd"), ("new", "efgh")):
        np.savez(tmp_path / f"{name}.npz", x=x, y=np.array(list(letters))[y])
    said = {"model": "siamese", "threads": 1, "epochs": 1, "width": 4, "code": 3, "valid": "0"}
    run = trained({**said, "data": (str(tmp_path / "old.npz"),), "batch_size": 8}, tmp_path / "one")
    parts = prepare(onward(run, tmp_path / "new.npz", valid="0"))
    again = experiment.begin(parts, Run(str(tmp_path / "two")), Silent(), probe=False, force=True)
    old = checkpoints.read(run.file("model.safetensors")).tensors
    assert torch.equal(weights(again.network)["head.weight"], old["head.weight"])
    assert not parts.notes


LABELS = {
    "gan": (
        {"conditional": True, "code": 3, "layers": 2},
        {"generator.layers.0.linear.weight", "discriminator.directions.weight"},
        {"generator.layers.1.linear.weight", "discriminator.layers.0.linear.weight"},
    ),
    "capsnet": (
        {"filters": 4, "capsules": 2, "capsule_sizes": (2, 3)},
        {"routing.weight", "decoder.0.weight"},
        {"filters.weight", "primary.filters.weight"},
    ),
}


@pytest.mark.parametrize("model", LABELS)
@pytest.mark.parametrize("labels", ["ab", "cd", "cde"])
def test_what_is_made_for_labels_begins_anew_with_other_ones(
    model: str, labels: str, tmp_path: Path
) -> None:
    more, of_labels, others = LABELS[model]
    x = np.random.default_rng(0).uniform(size=(30, 1, 6, 6)).astype(np.float32)
    for name, letters in (("old", "ab"), ("new", labels)):
        np.savez(tmp_path / f"{name}.npz", x=x, y=np.resize(np.array(list(letters)), 30))
    said = {"model": model, "threads": 1, "epochs": 1, "width": 4, "batch_size": 8, **more}
    run = trained({**said, "data": (str(tmp_path / "old.npz"),), "valid": "0"}, tmp_path / "one")
    parts = prepare(onward(run, tmp_path / "new.npz", valid="0"))
    again = experiment.begin(parts, Run(str(tmp_path / "two")), Silent(), probe=False, force=True)
    old = checkpoints.read(run.file("model.safetensors")).tensors
    now = weights(again.network)
    assert all(torch.equal(now[name], old[name]) for name in others)
    same = {name for name in of_labels if now[name].equal(old[name])}
    assert same == (of_labels if labels == "ab" else set())
    assert bool(parts.notes) is (labels != "ab")
    if model == "gan":
        mean = now["mean.module.layers.0.linear.weight"]
        assert labels == "ab" or torch.equal(mean, now["generator.layers.0.linear.weight"])


@pytest.mark.parametrize(
    ("freeze", "every", "expected"),
    [
        (0, None, [0, 0, 0, 0, 0]),
        (2, None, [2, 2, 2, 2, 2]),
        (ALL, None, [3, 3, 3, 3, 3]),
        (99, None, [3, 3, 3, 3, 3]),
        (ALL, 1, [3, 2, 1, 0, 0]),
        (ALL, 2, [3, 3, 2, 2, 1]),
        (1, 3, [1, 1, 1, 0, 0]),
    ],
)
def test_how_many_of_four_stages_are_frozen(
    freeze: int, every: int | None, expected: list[int]
) -> None:
    assert [frozen(freeze, every, 4, epoch) for epoch in range(5)] == expected


@pytest.mark.parametrize("config", [{"freeze": ALL}, {"freeze": 1}, {"unfreeze_every": 1}])
def test_frozen_weights_stay_and_the_others_learn(
    language: Run, labelled: Path, tmp_path: Path, config: dict[str, Any]
) -> None:
    said = onward(language, labelled, epochs=3, lr=0.01, **{"freeze": ALL, **config})
    training = begun(said, Run(str(tmp_path / "new")))
    start, seen = weights(training.network), []
    plain = training.listener.record
    training.listener.record = lambda r: (seen.append(weights(training.network)), plain(r))  # type: ignore[method-assign,assign,func-returns-value]
    training.run()
    places = {
        id(weight): place
        for place, stage in enumerate(stages(training.network))
        for weight in stage.weights
    }
    count = max(places.values()) + 1
    last = start
    for epoch, now in enumerate(seen):
        below = frozen(said["freeze"], said.get("unfreeze_every"), count, epoch)
        for name, weight in training.network.named_parameters():
            same = torch.equal(last[name], now[name])
            assert same == (places[id(weight)] < below), (epoch, name)
        last = now


def test_lower_stages_learn_more_slowly() -> None:
    config = Config(
        model="mlp", layers=2, width=4, dropout=0.0, optimizer="sgd", lr=0.1, layer_decay=0.5
    )
    torch.manual_seed(0)
    network = build(config, Shape("numbers", (3,), 2))
    made = optimizer(config, network)
    before = {name: w.detach().clone() for name, w in network.named_parameters()}
    for weight in network.parameters():
        weight.grad = torch.ones_like(weight)
    made.step()
    rates = {"head": 0.1, "body.layers.1": 0.05, "body.layers.0": 0.025}
    for name, weight in network.named_parameters():
        rate = next(rate for stage, rate in rates.items() if name.startswith(stage))
        torch.testing.assert_close(before[name] - weight.detach(), torch.full_like(weight, rate))


@pytest.mark.parametrize("name", ["constant", "cosine", "cyclical", "one-cycle", "step"])
def test_the_rates_of_stages_keep_their_shares_on_any_schedule(name: str) -> None:
    config = Config(
        model="mlp",
        layers=1,
        optimizer="sgd",
        lr=0.1,
        layer_decay=0.5,
        schedule=name,
        weight_decay=0.01,
    )
    network = build(config, Shape("numbers", (3,), 2))
    made = optimizer(config, network)
    moving = schedule(config, made, steps_per_epoch=3, total_steps=12)
    for _ in range(12):
        by_rate = sorted({round(group["lr"], 12) for group in made.param_groups}, reverse=True)
        top, bottom = by_rate[0], by_rate[-1]
        if top > 0.001:  # cosine ends at the same lowest rate for all
            assert bottom == pytest.approx(top / 2, rel=1e-6)
        assert moving.lr == pytest.approx(top)
        made.step()
        moving.after_step()


def test_what_cannot_be_gone_on_from_is_told(language: Run, labelled: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--width 16: the weights are those of width 8"):
        require_same({"width": 16}, language.config())
    tags = tmp_path / "tags.conllu"
    tags.write_text("1\tcat\t_\tN\t_\t_\t0\t_\t_\t_\n\n" * 4)
    with pytest.raises(UsageError, match="the model reads terms"):
        prepare(onward(language, tags, task="tag"))
    np.savez(tmp_path / "eight.npz", X=np.zeros((20, 8), np.float32), y=np.arange(20) % 2)
    np.savez(tmp_path / "nine.npz", X=np.zeros((20, 9), np.float32), y=np.arange(20) % 2)
    said = {"model": "mlp", "threads": 1, "epochs": 1}
    run = trained({**said, "data": (str(tmp_path / "eight.npz"),)}, tmp_path / "eight")
    with pytest.raises(GaiError, match="trained on examples of 8 numbers, the data has 9"):
        prepare(onward(run, tmp_path / "nine.npz"))
