"""The training loop: what a step does, what is kept, when it stops, and that it can go on."""

from __future__ import annotations

import csv
import json
import math
import signal
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gai.errors import GaiError, UsageError
from gai.nn import runs
from gai.nn.config import Config, read
from gai.nn.data.arrays import Dataset
from gai.nn.data.preparing import prepare
from gai.nn.names import OPTIMIZERS
from gai.nn.net import checkpoints, experiment
from gai.nn.net.batches import Shuffled, taker
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.learning.supervised import Supervised
from gai.nn.net.loop import Goal, Position, Record, Training, lacking, out_of_memory
from gai.nn.net.models import build
from gai.nn.net.optimizers import optimizer
from gai.nn.net.schedules import schedule
from gai.nn.runs import Run


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


class Silent:
    """Hears all and says nothing."""

    def __init__(self, interrupt_at: int = -1, number: int = signal.SIGINT) -> None:
        self.interrupt_at, self.number = interrupt_at, number
        self.begun: list[tuple[int, int]] = []
        self.records: list[Record] = []
        self.warnings: list[str] = []

    def begin(self, total_steps: int, done: int) -> None:
        self.begun.append((total_steps, done))

    def advance(self, position: Position) -> None:
        if position.step == self.interrupt_at:
            signal.raise_signal(signal.Signals(self.number))

    def record(self, record: Record) -> None:
        self.records.append(record)

    def warn(self, message: str) -> None:
        self.warnings.append(message)


class Memory:
    """Keeps in memory."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.weights: dict[str, Tensor] = {}
        self.records: list[Record] = []
        self.states = 0

    def best(self, network: nn.Module, record: Record) -> None:
        self.steps.append(record.step)
        self.weights = {k: v.detach().clone() for k, v in network.state_dict().items()}

    def record(self, record: Record) -> None:
        self.records.append(record)

    def state(self, tensors: checkpoints.Tensors, facts: Mapping[str, Any]) -> None:
        json.dumps(facts, allow_nan=False)
        self.states += 1


LINE = Config(
    model="mlp", layers=0, dropout=0.0, task="regress", loss="mse", optimizer="sgd", lr=0.1,
    batch_size=4, epochs=3, input="numbers", precision="float32",
)  # fmt: skip


def line(config: Config = LINE, scores: list[dict[str, float]] | None = None) -> Training:
    """One linear layer that learns 16 numbers from 3; ``scores`` are those of its evaluations."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(16, 3)).astype(np.float32)
    targets = (inputs @ np.array([[3.0], [-2.0], [0.5]]) + 1).astype(np.float32)
    torch.manual_seed(5)
    network = build(config, Shape("numbers", (3,), 1))
    order = Shuffled(16, config.batch_size, config.seed)
    made = optimizer(config, network)
    total = config.steps or config.epochs * order.batches
    script = iter(scores or ())
    return Training(
        config=config,
        network=network,
        objective=Supervised(F.mse_loss),
        optimizer=made,
        schedule=schedule(config, made, steps_per_epoch=order.batches, total_steps=total),
        order=order,
        take=taker(Dataset(inputs, targets, [""] * 16), torch.device("cpu")),
        evaluate=None if scores is None else lambda: next(script),
        goal=Goal("accuracy", True),
        keeper=Memory(),
        listener=Silent(),
        generator=np.random.default_rng(1),
    )


def by_hand(training: Training, penalty: Callable[..., Any], after: Callable[..., Any]) -> Tensor:
    """The weights that plain torch gives, with something added to the loss and done to grads."""
    config, network = training.config, training.network
    made = torch.optim.SGD(network.parameters(), config.lr)
    for epoch in range(config.epochs):
        for rows in training.order.epoch(epoch):
            batch = training.take(rows)
            made.zero_grad()
            loss = F.mse_loss(network(batch.inputs), batch.targets) + penalty(network.head.weight)
            loss.backward()
            after(network, "gradients")
            made.step()
            after(network, "weights")
    weights: Tensor = network.head.weight
    return weights


def nothing(*_: Any) -> float:
    return 0.0


def clipped_norm(network: nn.Module, when: str) -> None:
    if when == "gradients":
        nn.utils.clip_grad_norm_(network.parameters(), 0.3)


def clipped_value(network: nn.Module, when: str) -> None:
    if when == "gradients":
        nn.utils.clip_grad_value_(network.parameters(), 0.3)


def shortened(network: nn.Module, when: str) -> None:
    if when == "weights":
        with torch.no_grad():
            weight = network.head.weight  # type: ignore[union-attr]
            weight *= (0.5 / weight.norm()).clamp(max=1)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("change", "penalty", "after"),
    [
        ({}, nothing, nothing),
        ({"l1": 0.2}, lambda w: 0.2 * w.abs().sum(), nothing),
        ({"l2": 0.2}, lambda w: 0.2 * w.square().sum(), nothing),
        ({"clip_norm": 0.3}, nothing, clipped_norm),
        ({"clip_value": 0.3}, nothing, clipped_value),
        ({"max_norm": 0.5}, nothing, shortened),
    ],
)
def test_steps_are_those_of_plain_torch(change: Any, penalty: Any, after: Any) -> None:
    config = LINE.with_(**change)
    training = line(config)
    training.run()
    expected = by_hand(line(config), penalty, after)
    found = training.network.head.weight  # type: ignore[union-attr]
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-7)  # type: ignore[arg-type]
    if change:
        plain = by_hand(line(), nothing, nothing)
        assert not torch.allclose(found, plain, rtol=1e-2)  # type: ignore[arg-type]


def test_a_full_batch_and_one_example_at_a_time() -> None:
    for size, steps in ((0, 3), (1, 48), (5, 12)):
        training = line(LINE.with_(batch_size=size))
        assert training.run().step == training.total_steps == steps
        assert [record.step for record in training.keeper.records] == [  # type: ignore[attr-defined]
            steps // 3, 2 * steps // 3, steps,
        ]  # fmt: skip


def test_the_training_loss_is_the_mean_of_its_steps_since_the_last_record() -> None:
    training, losses = line(), list[float]()

    def noted(outputs: Tensor, targets: Tensor) -> Tensor:
        losses.append(float(F.mse_loss(outputs, targets).detach()))
        return F.mse_loss(outputs, targets)

    training.objective = Supervised(noted)
    training.run()
    first, second, third = training.keeper.records  # type: ignore[attr-defined]
    assert first.train_loss == pytest.approx(np.mean(losses[:4]))
    assert third.train_loss == pytest.approx(np.mean(losses[8:]))
    assert third.train_loss < second.train_loss < first.train_loss
    assert first.scores == {"loss": first.train_loss}  # where nothing validates


def test_without_validation_the_last_weights_are_the_ones_that_are_kept() -> None:
    training = line(LINE.with_(lr=0.9))  # swings, so that later losses are not always lower
    training.run()
    keeper = training.keeper
    assert isinstance(keeper, Memory)
    assert keeper.steps == [4, 8, 12]
    assert all(torch.equal(keeper.weights[k], v) for k, v in training.network.state_dict().items())


def scored(*pairs: tuple[float, float]) -> list[dict[str, float]]:
    return [{"loss": loss, "accuracy": accuracy} for loss, accuracy in pairs]


def test_the_best_weights_are_kept_and_ties_go_to_the_lower_loss() -> None:
    scores = scored((9, 0.5), (8, 0.7), (7, 0.6), (7.5, 0.7), (8, 0.7), (7.5, 0.7))
    training = line(LINE.with_(epochs=6), scores)
    position = training.run()
    keeper = training.keeper
    assert isinstance(keeper, Memory)
    assert keeper.steps == [4, 8, 16]
    assert (position.best_step, position.best) == (16, scores[3])
    assert [record.best for record in keeper.records] == [True, True, False, True, False, False]
    assert not torch.equal(
        keeper.weights["head.weight"], training.network.state_dict()["head.weight"]
    )


@pytest.mark.parametrize(
    ("goal", "new", "old", "better"),
    [
        (Goal("loss", False), {"loss": 1.0}, {"loss": 2.0}, True),
        (Goal("loss", False), {"loss": 2.0}, {"loss": 1.0}, False),
        (Goal("loss", False), {"loss": 1.0}, {"loss": 1.0}, False),
        (Goal("loss", False), {"loss": math.nan}, {"loss": 1.0}, False),
        (Goal("loss", False), {"loss": 1.0}, {"loss": math.nan}, True),
        (Goal("loss", False), {"loss": 1.0}, {}, True),
        (Goal("f1", True), {"f1": 0.5, "loss": 1.0}, {"f1": 0.4, "loss": 0.1}, True),
        (Goal("f1", True), {"f1": math.nan, "loss": 1.0}, {"f1": 0.4, "loss": 2.0}, False),
    ],
)
def test_what_is_better(
    goal: Goal, new: dict[str, float], old: dict[str, float], better: bool
) -> None:
    assert goal.better(new, old) == better


@pytest.mark.parametrize(("patience", "evaluations"), [(1, 3), (2, 6), (3, 7), (None, 8)])
def test_too_many_evaluations_without_a_better_one_end_the_run(
    patience: int | None, evaluations: int
) -> None:
    found = [0.5, 0.6, 0.6, 0.7, 0.6, 0.5, 0.4, 0.9]
    scores = scored(*((1.0, accuracy) for accuracy in found))
    training = line(LINE.with_(epochs=8, early_stopping=patience), scores)
    position = training.run()
    assert len(training.keeper.records) == evaluations  # type: ignore[attr-defined]
    assert position.step == 4 * evaluations


def test_evaluations_come_every_so_many_steps_and_at_the_end() -> None:
    training = line(LINE.with_(eval_every=5))
    training.run()
    records = training.keeper.records  # type: ignore[attr-defined]
    assert [(record.step, record.epoch) for record in records] == [(5, 1.25), (10, 2.5), (12, 3.0)]
    assert line(LINE.with_(steps=6)).run().step == 6


def test_the_rate_falls_on_a_plateau_of_the_validation_loss() -> None:
    config = LINE.with_(epochs=4, schedule="plateau", schedule_every=1, schedule_gamma=0.5)
    training = line(config, scored((3, 0), (2, 0), (2, 0), (1, 0)))
    training.run()
    rates = [record.lr for record in training.keeper.records]  # type: ignore[attr-defined]
    assert rates == [0.1, 0.1, 0.1, 0.05]  # noted before the evaluation that lowers it
    assert training.schedule.lr == 0.05


@pytest.mark.parametrize(("lr", "clip"), [(1e30, None), (1e30, 1e30)])
def test_a_loss_that_is_no_number_any_more_ends_the_run_with_advice(
    lr: float, clip: float | None
) -> None:
    training = line(LINE.with_(lr=lr, clip_norm=clip))
    with pytest.raises(GaiError, match=r"at step \d \(epoch 1\): training has diverged") as found:
        training.run()
    assert "--lr 1e+29" in found.value.hint
    assert ("--clip-norm 1" in found.value.hint) == (clip is None)
    weights = training.network.state_dict().values()
    assert all(torch.isfinite(weight).all() for weight in weights)  # before that step


def test_a_nan_among_the_inputs_is_found_in_the_step_that_sees_it() -> None:
    training = line(LINE.with_(batch_size=1))
    rows = training.order.epoch(0)[2]
    plain = training.take

    def take(which: Any) -> Any:
        batch = plain(which)
        if np.array_equal(which, rows):
            return batch._replace(inputs=Inputs(batch.inputs.values * math.nan))
        return batch

    training.take = take
    with pytest.raises(GaiError, match=r"the loss is nan .*head.* at step 3 .*diverged"):
        training.run()


def test_gradients_that_vanish_or_explode_are_told_once_and_name_the_layer() -> None:
    training = line(LINE.with_(lr=1e-12))
    training.objective = Supervised(lambda a, b: F.mse_loss(a, b) * 1e6)
    training.run()
    warnings = training.listener.warnings  # type: ignore[attr-defined]
    assert len(warnings) == 1
    assert "explode in head" in warnings[0]
    record = training.keeper.records[0]  # type: ignore[attr-defined]
    assert record.gradients["head"] == pytest.approx(record.gradient_norm, rel=1e-5)


def test_lacking_memory_says_which_flags_lower_the_need() -> None:
    for error in (MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you")):
        assert lacking(error)
        with pytest.raises(GaiError, match="not enough memory") as found, out_of_memory(Config()):
            raise error
        assert found.value.hint.startswith("--batch-size 16 and --max-length")
    with pytest.raises(RuntimeError, match="other"), out_of_memory(Config()):
        raise RuntimeError("other")


# Runs in folders, as the command line makes them.

WORDS = ["the", "a", "cat", "dog", "sat", "on", "mat", "barks", "at", "moon", "is", "good"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A file of 60 short texts with two labels."""
    rng = np.random.default_rng(1)
    path = tmp_path / "data.csv"
    with open(path, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["text", "label"])
        for number in range(60):
            words = rng.choice(WORDS, rng.integers(1, 9)).tolist()
            table.writerow([" ".join([*words, "xy"[number % 2] * 2]), "xy"[number % 2]])
    return path


CNN: dict[str, Any] = {
    **{"model": "cnn", "filters": 4, "kernels": (2, 3), "embedding": 6, "dropout": 0.3},
    **{"input_dropout": 0.1, "batch_norm": True, "augment": ("drop", "swap", "noise")},
    **{"batch_size": 9, "epochs": 3, "valid": "0.25", "eval_every": 4, "threads": 1, "lr": 0.01},
}  # 45 examples in 5 batches an epoch, 15 steps, evaluated after 4, 8, 12, 15


def begun(said: Mapping[str, Any], path: Path, listener: Silent | None = None) -> Training:
    parts = prepare(dict(said))
    return experiment.begin(parts, Run(str(path)), listener or Silent(), probe=False, force=True)


def resumed(path: Path, listener: Silent | None = None, **changes: Any) -> Training:
    """The run with its own choices, but for ``changes``."""
    said = {**read(path / runs.CONFIG), **changes}
    return experiment.resume(prepare(said), Run(str(path)), listener or Silent())


def interrupted(said: Mapping[str, Any], path: Path, at: int) -> None:
    """A run that Ctrl-C ended during a step."""
    training = begun(said, path, Silent(at))
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        training.run()
    assert training.position.step == at
    assert signal.getsignal(signal.SIGINT) is handler


TIMES = ("seconds", "seconds_left", "samples_per_second", "busy")


def timeless(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in TIMES}


def outcome(path: Path) -> dict[str, Any]:
    """All that a run left, but for times: weights, state, metrics, choices."""
    stored = checkpoints.read(str(path / runs.LAST))
    facts = {**stored.facts, "position": timeless(stored.facts["position"])}
    return {
        "state": {name: tensor.numpy().tobytes() for name, tensor in stored.tensors.items()},
        "facts": facts,
        "best": (path / runs.MODEL).read_bytes(),
        "metrics": [timeless(record) for record in Run(str(path)).records()],
        "files": {n: (path / n).read_bytes() for n in (runs.CONFIG, runs.INPUT)},
    }


def differing(one: Any, other: Any, place: str = "") -> list[str]:
    """Where two outcomes differ."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [
            where for name in one for where in differing(one[name], other[name], f"{place}.{name}")
        ]
    return [] if one == other else [place]


def compare(said: Mapping[str, Any], tmp_path: Path, steps: list[int]) -> None:
    """Runs once in one piece, and once in two for each of ``steps``."""
    begun(said, tmp_path / "whole").run()
    whole = outcome(tmp_path / "whole")
    for at in steps:
        path = tmp_path / f"cut-{at}"
        interrupted(said, path, at)
        resumed(path).run()
        assert differing(whole, outcome(path)) == [], f"interrupted in step {at}"


def test_a_run_that_was_interrupted_in_any_step_ends_as_if_it_was_not(
    data: Path, tmp_path: Path
) -> None:
    """With dropout, batch normalisation, augmentation, and evaluations in mid-epoch."""
    compare({**CNN, "data": (str(data),)}, tmp_path, list(range(1, 16)))


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize(
    "more",
    [
        {"schedule": "one-cycle"},
        {"schedule": "plateau", "schedule_every": 1, "early_stopping": 2, "lr": 0.5},
        {"schedule": "cosine", "warmup": 3, "weight_decay": 0.1, "clip_norm": 0.5},
    ],
)
def test_each_optimiser_and_schedule_goes_on_bit_for_bit(
    name: str, more: dict[str, Any], data: Path, tmp_path: Path
) -> None:
    said = {**CNN, "data": (str(data),), "optimizer": name, "eval_every": None, **more}
    begun(said, tmp_path / "whole").run()
    whole = outcome(tmp_path / "whole")
    last = whole["facts"]["position"]["step"]
    for at in {2, 5, min(last, 9)}:
        path = tmp_path / f"cut-{at}"
        interrupted(said, path, at)
        resumed(path).run()
        assert differing(whole, outcome(path)) == [], f"interrupted in step {at}"


LM: dict[str, Any] = {
    **{"task": "lm", "width": 8, "embedding": 8, "context": 6, "steps": 7, "eval_every": 3},
    **{"batch_size": 3, "threads": 1, "heads": 2, "dropout": 0.2},
}


@pytest.mark.parametrize("model", ["lstm", "transformer"])
def test_a_language_model_goes_on_bit_for_bit(model: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("to be or not to be, that is the question.\n" * 3)
    said = {**LM, "model": model, "data": (str(tmp_path / "a.txt"),)}
    compare(said, tmp_path, [1, 3, 4, 7])


@pytest.mark.parametrize(
    ("data", "more"),
    [
        ("@iris", {"model": "mlp", "augment": ("noise",), "batch_norm": True}),
        ("@digits", {"model": "cnn", "augment": ("shift", "rotate"), "filters": 2}),
        ("@diabetes", {"model": "mlp", "loss": "huber", "max_norm": 1.0, "l1": 0.01}),
    ],
)
def test_numbers_and_images_go_on_bit_for_bit(
    data: str, more: dict[str, Any], tmp_path: Path
) -> None:
    said = {**more, "data": (data,), "width": 5, "batch_size": 97, "epochs": 2, "threads": 1}
    compare(said, tmp_path, [1, 2, 3])


def test_a_run_may_be_interrupted_again_and_again(data: Path, tmp_path: Path) -> None:
    said = {**CNN, "data": (str(data),)}
    begun(said, tmp_path / "whole").run()
    interrupted(said, tmp_path / "cut", 2)
    for at in (3, 8, 14):
        with pytest.raises(KeyboardInterrupt):
            resumed(tmp_path / "cut", Silent(at)).run()
    listener = Silent()
    resumed(tmp_path / "cut", listener).run()
    assert listener.begun == [(15, 14)]
    assert differing(outcome(tmp_path / "whole"), outcome(tmp_path / "cut")) == []


def test_a_run_that_was_killed_goes_on_from_its_last_evaluation(data: Path, tmp_path: Path) -> None:
    """Nothing was saved when it ended; and the last line of its log was cut."""

    class Killed(Exception):
        pass

    class Killing(Silent):
        def advance(self, position: Position) -> None:
            if position.step == 11:
                raise Killed

    said = {**CNN, "data": (str(data),)}
    begun(said, tmp_path / "whole").run()
    with pytest.raises(Killed):
        begun(said, tmp_path / "cut", Killing()).run()
    with open(tmp_path / "cut" / runs.METRICS, "a") as file:
        file.write('{"step": 12, "epo')
    listener = Silent()
    resumed(tmp_path / "cut", listener).run()
    assert listener.begun == [(15, 8)]
    assert differing(outcome(tmp_path / "whole"), outcome(tmp_path / "cut")) == []


def test_best_weights_that_are_newer_than_the_state_do_no_harm(data: Path, tmp_path: Path) -> None:
    """Killed between the two files of an evaluation."""
    said = {**CNN, "data": (str(data),)}
    begun(said, tmp_path / "whole").run()
    interrupted(said, tmp_path / "cut", 6)
    for name in (runs.MODEL, runs.METRICS):
        (tmp_path / "cut" / name).write_bytes((tmp_path / "whole" / name).read_bytes())
    resumed(tmp_path / "cut").run()
    assert differing(outcome(tmp_path / "whole"), outcome(tmp_path / "cut")) == []


def test_a_run_may_go_on_for_longer_than_it_was_to(data: Path, tmp_path: Path) -> None:
    said = {**CNN, "data": (str(data),), "eval_every": None}
    begun({**said, "epochs": 5}, tmp_path / "whole").run()
    begun(said, tmp_path / "more").run()
    resumed(tmp_path / "more", epochs=5).run()
    assert differing(outcome(tmp_path / "whole"), outcome(tmp_path / "more")) == []


def test_the_same_choices_give_the_same_bytes_and_another_seed_others(
    data: Path, tmp_path: Path
) -> None:
    said = {**CNN, "data": (str(data),)}
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        begun({**said, "seed": seed}, tmp_path / name).run()
    a, b, c = (outcome(tmp_path / name) for name in "abc")
    assert differing(a, b) == []
    assert a["best"] != c["best"]


def test_a_second_interrupt_ends_at_once(data: Path, tmp_path: Path) -> None:
    class Impatient(Silent):
        def advance(self, position: Position) -> None:
            if position.step == 2:
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGINT)
                raise AssertionError("the second one was only noted")

    with pytest.raises(KeyboardInterrupt):
        begun({**CNN, "data": (str(data),)}, tmp_path / "run", Impatient()).run()


def test_a_run_that_ignores_interrupts_goes_on(data: Path, tmp_path: Path) -> None:
    """As a job in the background of a shell script does."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        training = begun({**CNN, "data": (str(data),)}, tmp_path / "run", Silent(2))
        assert training.run().step == 15
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_data_cannot_go_on_with_a_run(data: Path, tmp_path: Path) -> None:
    said = {**CNN, "data": (str(data),)}
    interrupted(said, tmp_path / "run", 5)
    data.write_text(data.read_text() + "one more,x\n")
    with pytest.raises(GaiError, match="was trained on other data than is in"):
        resumed(tmp_path / "run")


def test_a_run_that_is_done_says_so_unless_its_report_is_missing(
    data: Path, tmp_path: Path
) -> None:
    said = {**CNN, "data": (str(data),)}
    begun(said, tmp_path / "run").run()
    before = outcome(tmp_path / "run")
    assert resumed(tmp_path / "run").run().step == 15  # nothing is left but the report
    assert differing(before, outcome(tmp_path / "run")) == []
    (tmp_path / "run" / runs.REPORT).write_text("{}")
    with pytest.raises(UsageError, match="is done: it has made all its 15 steps") as found:
        resumed(tmp_path / "run")
    assert found.value.hint == "--epochs 6"


def test_a_run_without_a_state_cannot_go_on(data: Path, tmp_path: Path) -> None:
    said = {**CNN, "data": (str(data),)}
    begun(said, tmp_path / "run").run()
    last = tmp_path / "run" / runs.LAST
    state = last.read_bytes()
    last.write_bytes((tmp_path / "run" / runs.MODEL).read_bytes())
    with pytest.raises(GaiError, match="not the state of a training"):
        resumed(tmp_path / "run")
    last.write_bytes(state[:-5])
    with pytest.raises(GaiError, match="not a safetensors file, or cut short"):
        resumed(tmp_path / "run")
    last.write_bytes(state)
    with pytest.raises(GaiError, match=r"another optimizer or schedule than config\.toml"):
        resumed(tmp_path / "run", optimizer="sgd")
    with pytest.raises(GaiError, match=r"but config\.toml describes"):
        resumed(tmp_path / "run", filters=5)
    last.unlink()
    with pytest.raises(GaiError, match="nothing to go on from") as found:
        resumed(tmp_path / "run")
    assert found.value.hint == "--force begins anew"


def test_position_and_records_survive_json() -> None:
    position = Position(step=3, loss=1 / 3, best={"loss": 0.1})
    assert Position(**json.loads(json.dumps(asdict(position)))) == position
