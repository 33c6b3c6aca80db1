"""A training run from its choices to its folder: built, trained, judged, written down."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gai.errors import GaiError, UsageError
from gai.nn import config as configs
from gai.nn import runs
from gai.nn.config import Config
from gai.nn.data.encoding import Encoding
from gai.nn.data.foundation import Foundation
from gai.nn.data.preparing import Parts
from gai.nn.data.raw import Raw
from gai.nn.net import checkpoints, devices, pruning, quantizing, team
from gai.nn.net.augmenting import augmenter
from gai.nn.net.inputs import Shape
from gai.nn.net.keeping import Folder, Nowhere
from gai.nn.net.learning import GOALS, Judge, Watch, learning
from gai.nn.net.loop import Keeper, Listener, Training
from gai.nn.net.models import Model, build
from gai.nn.net.optimizers import optimizer
from gai.nn.net.schedules import schedule
from gai.nn.net.stages import Freezing
from gai.nn.net.transplanting import noted, transplant
from gai.nn.runs import Run

ALONE = ("gan", "siamese", "capsnet")
"""Models whose loss is not a mean over examples, which several processes could share."""


def shape_of(encoding: Encoding) -> Shape:
    """What a network is built for."""
    task = encoding.config.task
    return Shape(
        encoding.kind,
        encoding.size,
        encoding.outputs,
        per_token=task in ("lm", "tag", "algorithm"),
        causal=task == "lm" or encoding.config.causal,
        writes=task == "seq2seq",
    )


def network_of(encoding: Encoding, vectors: Tensor | None = None) -> Model:
    """The network that the choices describe, with its first weights."""
    return build(encoding.config, shape_of(encoding), vectors)


def fresh(parts: Parts, listener: Listener, keeper: Keeper, *, probe: bool = False) -> Training:
    """A training at its beginning. ``probe`` tries how many threads are fastest."""
    vectors = vectors_of(parts)  # first, for they say how wide the embedding is
    device = devices.device(parts.config)
    config = devices.settled(parts.config, device)
    devices.prepare(config.threads)
    torch.manual_seed(config.seed)
    network = network_of(parts.encoding, vectors)
    if config.parent is not None:
        inherit(network, parts, Run(config.parent))
    elif config.model == "pretrained":
        load_foundation(network, parts)
    network = network.to(device)
    made = training(parts, config, network, keeper, listener)
    if probe and device.type == "cpu" and made.team.size == 1:
        first = [made.take(rows) for rows in made.order.epoch(0)[: devices.PROBED]]
        threads = devices.fastest(network, first, made.objective, torch.get_num_threads())
        config = replace(config, threads=threads)
    config = replace(config, threads=config.threads or torch.get_num_threads())
    devices.prepare(config.threads)
    made.config = config
    if (seed := made.team.seed(config.seed)) is not None:
        torch.manual_seed(seed)  # its own dropout, now that the weights are those of all
    return made


def load_foundation(network: Model, parts: Parts) -> None:
    """Gives a network the weights of the folder that it comes from."""
    from gai.nn.net.models.pretrained import fill

    assert parts.config.pretrained is not None
    body: Any = network.body
    parts.notes.append(fill(body, Foundation(parts.config.pretrained)))


def inherit(network: Model, parts: Parts, run: Run) -> None:
    """Gives a network the weights of an earlier run, and the user a note of what is new."""
    before = run.encoding(run.config())
    fresh = transplant(network, before, parts.encoding, run)
    parts.notes += noted(fresh, before, parts.encoding)


def begin(parts: Parts, run: Run, listener: Listener, *, probe: bool, force: bool) -> Training:
    """A run at its beginning, in a new folder. ``probe`` tries how many threads are fastest."""
    made = fresh(parts, listener, keeper_in(run), probe=probe)
    if not made.team.first:
        return made
    run.begin(force=force)
    if made.config.pretrained is not None:
        Foundation(made.config.pretrained).copy(run.file(runs.FOUNDATION))
    run.write(runs.CONFIG, configs.write(made.config))
    run.write_encoding(replace(parts.encoding, config=made.config), parts.digest)
    return made


def keeper_in(run: Run) -> Keeper:
    """What keeps a run in its folder: the first process of a team alone."""
    return Folder(run) if team.here().first else Nowhere()


def resume(parts: Parts, run: Run, listener: Listener) -> Training:
    """A run where an earlier one was; raises GaiError where that had other data or choices."""
    config, path = parts.config, run.file(runs.LAST)
    if run.input()["digest"] != parts.digest:
        raise GaiError(
            f"{run.path} was trained on other data than is in {', '.join(config.data)} now",
            "--resume needs the same files; -o OTHER begins anew",
        )
    stored = state_of(run)
    devices.prepare(stored.facts["threads"])
    device = devices.device(config)
    torch.manual_seed(config.seed)
    network = network_of(run.encoding(config), None).to(device)
    made = training(parts, config, network, keeper_in(run), listener)
    made.restore(stored, path)
    if run.input().get("pruned"):
        pruning.hold(network)
    done = made.position.step
    # Without a report it was cut off behind its last step.
    if done >= made.total_steps and os.path.exists(run.file(runs.REPORT)):
        more = f"--epochs {config.epochs * 2}" if config.steps is None else f"--steps {done * 2}"
        raise UsageError(f"{run.path} is done: it has made all its {done:,} steps", more)
    if not made.team.first:
        return made
    run.tidy()
    run.write(runs.CONFIG, configs.write(config))
    run.write_records([record for record in run.records() if record["step"] <= done])
    return made


def state_of(run: Run) -> checkpoints.Stored:
    """What the run needs to go on; raises GaiError where it has not come so far."""
    path = run.file(runs.LAST)
    if not os.path.exists(path):
        raise GaiError(
            f"{run.path} has nothing to go on from: it ended before its first evaluation",
            "--force begins anew",
        )
    stored = checkpoints.read(path)
    if not {"position", "threads"} <= stored.facts.keys():
        raise GaiError(f"{path}: not the state of a training", "--force begins anew")
    return stored


def training(
    parts: Parts, config: Config, network: nn.Module, keeper: Keeper, listener: Listener
) -> Training:
    """What is needed to train: batches, loss, optimiser, schedule, scores."""
    quantizing.require_trainable(network)
    device = next(network.parameters()).device
    encoding, how, me = parts.encoding, learning(config), team.here()
    if me.size > 1 and config.model in ALONE:
        raise UsageError(f"{config.model} trains in one process", "without torchrun")
    if me.size > 1 and config.class_weights != "none":
        # Each would weigh its share of a batch by the number of targets, not by what these weigh.
        raise UsageError("--class-weights is for one process", "without torchrun")
    if me.size > 1 and config.unfreeze_every:
        raise UsageError("--unfreeze-every is for one process", "without torchrun")
    order, take = how.batches(parts, config, device)
    objective = how.objective(encoding, class_weights(parts, device))
    made = optimizer(config, network)
    total = config.steps or config.epochs * order.batches
    evaluate = None
    if parts.valid is not None:
        judge = how.judge(encoding, parts.valid, parts.raw["valid"], objective)
        evaluate = partial(evaluated, judge, network, how.watch(), listener)
    terms = encoding.vocabulary.terms if encoding.vocabulary else None
    return Training(
        config=config,
        network=network,
        objective=objective,
        optimizer=made,
        schedule=schedule(config, made, steps_per_epoch=order.batches, total_steps=total),
        order=order,
        take=take,
        evaluate=evaluate,
        goal=GOALS[encoding.main_score],
        keeper=keeper,
        listener=listener,
        generator=np.random.default_rng((config.seed, 1, *([me.rank] if me.rank else []))),
        team=me,
        thaw=Freezing.of(network, config.freeze, config.unfreeze_every),
        augment=augmenter(config, encoding.kind, terms),
    )


def evaluated(
    judge: Judge, network: nn.Module, watch: Watch, listener: Listener
) -> dict[str, float]:
    """The scores of a network; the listener hears what a person should know of them."""
    found = judge.scores(network)
    for message in watch(found):
        listener.warn(message)
    return found


def judge_of(encoding: Encoding, raw: Raw) -> Judge:
    """What scores a network on some examples."""
    how = learning(encoding.config)
    return how.judge(encoding, encoding.dataset(raw), raw, how.objective(encoding, None))


def class_weights(parts: Parts, device: torch.device) -> Tensor | None:
    """The weight of each class: all 1 for none; ``balanced`` n / (K * count), as scikit-learn."""
    if parts.config.class_weights == "none" or parts.encoding.labels is None:
        return None
    targets = parts.train.targets
    assert targets is not None
    size = len(parts.encoding.labels.names)
    counts = targets.sum(0) if targets.ndim == 2 else np.bincount(targets[targets >= 0], None, size)
    weights = counts.sum() / (size * np.maximum(counts, 1))
    return torch.from_numpy(weights.astype(np.float32)).to(device)


def vectors_of(parts: Parts) -> Tensor | None:
    """The pre-trained vectors of the terms, float32 [V, dim]; None where none are asked for."""
    path, vocabulary = parts.config.vectors, parts.encoding.vocabulary
    if path is None:
        return None
    from gai.nn.data.pretrained import matrix

    if vocabulary is None or parts.encoding.kind != "ids":
        raise UsageError(f"--vectors {path} needs text as ids", "--input ids")
    found = matrix(path, vocabulary.terms, seed=parts.config.seed)
    parts.notes.append(found.note)
    parts.config = replace(parts.config, embedding=found.values.shape[1])
    parts.encoding = replace(parts.encoding, config=parts.config)
    return torch.from_numpy(found.values)


def load(run: Run, device: str = "auto", threads: int | None = None) -> tuple[Model, Encoding]:
    """The best network of a run, and how examples become arrays for it."""
    devices.prepare(threads or 0)
    config = replace(run.config(), device=device)
    encoding = run.encoding(config)
    network = network_of(encoding)
    path = run.file(runs.MODEL)
    if not os.path.exists(path):
        raise GaiError(f"{run.path} has no {runs.MODEL}", "no evaluation had ended: --resume")
    quantizing.restore(network, checkpoints.read(path).tensors, path)
    return network.to(devices.device(config)).eval(), encoding
