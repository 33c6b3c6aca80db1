"""Help, version, completion, suggestions: what answers before anything is loaded."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from importlib import import_module
from typing import Any, get_args, get_type_hints

import pytest

from gai import __version__, output, weights
from gai.cli import commands, options
from gai.cli.app import COMMANDS
from gai.tokens import analysis

HEAVY = {
    *("numpy", "numba", "scipy", "spacy", "nltk", "gensim", "sklearn", "torch"),
    *("pydantic", "rich.console"),
}
GROUPS = {
    "freq": ("Documents", "Terms", "Limits", "Most", "TextOutput", "Run"),
    "bow": ("Documents", "Terms", "Columns", "Model", "Top", "Output", "Run"),
    "tfidf": (
        *("Documents", "Terms", "Columns", "Weights", "Model", "Top", "Explain", "Output", "Run"),
    ),
    "top": ("Top", "TextOutput", "Talk"),
    "info": ("Talk",),
}


def names_of(group: str) -> set[str]:
    """The long option names of a group, as its fields say them."""
    kind = getattr(options, group)
    return {f"--{field.name.replace('_', '-')}" for field in fields(kind) if field.name != "files"}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_has_every_option_of_its_groups(command: str, call: Any) -> None:
    ended = call(command, "--help")
    assert ended.code == 0
    shown = set(re.findall(r"--[a-z0-9-]+", ended.out))
    wanted = set().union(*map(names_of, GROUPS[command]))
    assert wanted <= shown


def test_the_groups_of_this_test_are_those_of_the_commands() -> None:
    for command, groups in GROUPS.items():
        function = getattr(import_module(f"gai.cli.{command}"), command)
        taken = {
            kind.__name__ for kind in get_type_hints(function).values() if inspect.isclass(kind)
        }
        assert {name for name in taken if hasattr(options, name)} == set(groups)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_option_means_two_things(command: str) -> None:
    names = [name for param in commands.load(command).params for name in param.opts]
    assert len(names) == len(set(names))


def test_the_choices_are_those_of_the_rooms() -> None:
    assert {*options.TOKENIZERS, "pretokenized"} == set(analysis.TOKENIZERS)
    assert set(options.FORMATS) == set(output.FORMATS)
    offered = get_type_hints(options.Weights, include_extras=True)
    for name, known in (("tf", weights.TFS), ("idf", weights.IDFS), ("norm", weights.NORMS)):
        assert set(get_args(offered[name])[1].parser.names) <= set(known)


def test_every_option_says_what_it_does() -> None:
    for group in set().union(*GROUPS.values()):
        for name, hint in get_type_hints(getattr(options, group), include_extras=True).items():
            if name != "panel":
                assert get_args(hint)[1].help.endswith("."), f"{group}.{name}"


@pytest.mark.parametrize("command", COMMANDS)
def test_the_list_of_commands_says_what_their_pages_say_first(command: str) -> None:
    function = getattr(import_module(f"gai.cli.{command}"), command)
    assert inspect.getdoc(function).splitlines()[0] == COMMANDS[command]  # type: ignore[union-attr]


@pytest.mark.parametrize("command", COMMANDS)
def test_h_is_help(command: str, call: Any) -> None:
    assert call(command, "-h") == call(command, "--help")


def test_the_front_page_lists_the_commands(call: Any) -> None:
    ended = call("--help")
    assert ended.code == 0
    assert re.findall(r"^  ([a-z]+)  ", ended.out, re.MULTILINE) == list(COMMANDS)
    assert call("-h") == ended


def test_without_a_command_the_front_page_disturbs_no_pipe(call: Any) -> None:
    ended = call()
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == call("--help").out


def test_version(call: Any) -> None:
    ended = call("--version")
    assert (ended.code, ended.out, ended.err) == (0, f"gai {__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "suggestion"),
    [
        (["tfdif"], "tfidf"),
        (["tfidf", "--fromat", "tsv"], "--format"),
        (["bow", "--stopwords", "english"], "--stop-words"),
        (["bow", "--tokenizer", "unicoed"], "unicode"),
        (["--verison"], "--version"),
    ],
)
def test_a_near_name_is_suggested(words: list[str], suggestion: str, call: Any) -> None:
    ended = call(*words)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("gai: error: ")
    assert f"did you mean {suggestion}" in ended.err


def imported(*words: str, environment: dict[str, str]) -> set[str]:
    """The packages that a command imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "gai", *words],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    modules = re.findall(r"^import time:[^|]*\|[^|]*\| +(\S+)$", done.stderr, re.MULTILINE)
    assert "typer" in modules, done.stderr[-500:]
    return {
        module if module.startswith("rich.") else module.partition(".")[0] for module in modules
    }


@pytest.mark.parametrize(
    "words",
    [["--help"], ["--version"], ["bow", "--no-such"], *([name, "--help"] for name in COMMANDS)],
)
def test_what_only_answers_imports_nothing_heavy(
    words: list[str], variables: Callable[..., dict[str, str]]
) -> None:
    assert not imported(*words, environment=variables()) & HEAVY


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("gai t", "tfidf"), ("gai bow --min", "--min-df"), ("gai bow --tokenizer wo", "word")],
)
def test_completion_is_quick_and_knows_the_options(
    typed: str, offered: str, variables: Callable[..., dict[str, str]]
) -> None:
    asked = {"_GAI_COMPLETE": "complete_bash", "COMP_WORDS": typed}
    words = variables(**asked, COMP_CWORD=str(len(typed.split()) - 1))
    done = subprocess.run(
        [sys.executable, "-m", "gai"], capture_output=True, text=True, env=words, check=False
    )
    assert offered in done.stdout.split()
    assert not imported(environment=words) & HEAVY
