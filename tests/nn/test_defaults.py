"""Defaults of models, tasks and losses, and how help spells them."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

import pytest

from gai.cli import nn_options
from gai.nn import defaults, names
from gai.nn.config import Config, resolved

FIELDS = {field.name: field for field in fields(Config)}
OPTIONS = {"eval_every": "epochs", "clip_norm": "none"}
"""What a number is called that is None in ``Config``."""


def told() -> list[tuple[str, str]]:
    """The options whose help is made of the tables, and what it calls usual."""
    with open(nn_options.__file__, encoding="utf-8") as file:
        return re.findall(r'spelled\("(\w+)", "([^"]*)"\)', file.read())


def test_each_choice_with_another_default_somewhere_is_told_in_help() -> None:
    tables: list[dict[str, Any]] = [*defaults.BY_MODEL.values(), *defaults.BY_TASK.values()]
    differing = {name for table in [*tables, *defaults.BY_LOSS.values()] for name in table}
    assert differing - {name for name, _ in told()} == {"loss"}  # which is by task, and says so
    assert differing <= FIELDS.keys()


@pytest.mark.parametrize(("name", "usual"), told())
def test_what_help_calls_usual_is_so(name: str, usual: str) -> None:
    default = FIELDS[name].default
    wanted = "none" if default is None else defaults.text(default)
    assert OPTIONS.get(name, wanted) == usual


def test_names_in_the_tables_are_known() -> None:
    assert defaults.BY_MODEL.keys() <= names.MODELS.keys()
    assert defaults.BY_TASK.keys() <= set(names.TASKS)
    assert defaults.BY_LOSS.keys() <= names.LOSSES.keys()


def test_help_says_who_has_what() -> None:
    assert defaults.spelled("heads", "4") == "4; ntm 1"
    # A loss takes back what its model has, so that it is told although it is the usual.
    assert defaults.spelled("dropout", "0").endswith("algorithm, wasserstein 0")
    assert defaults.spelled("kernels", "3,4,5") == "3,4,5; capsnet 7"


def test_a_loss_wins_over_the_task_and_the_task_over_the_model() -> None:
    assert resolved({"model": "gan", "task": "generate"}).beta1 == 0.5
    critic = resolved({"model": "gan", "task": "generate", "loss": "wasserstein"})
    assert (critic.beta1, critic.dropout, critic.width) == (0.0, 0.0, 256)
    assert resolved({"model": "ntm", "task": "algorithm"}).batch_size == 16
    assert resolved({"model": "siamese", "encoder": "lstm", "task": "match"}).clip_norm == 1.0
