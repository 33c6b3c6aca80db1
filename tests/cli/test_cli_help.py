"""Help, version, completion, suggestions: what answers before anything is loaded."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any, get_args, get_type_hints

import pytest

from gai import __version__, output, weights
from gai.cli import commands, options
from gai.cli.app import COMMANDS, GROUPS
from gai.tokens import analysis

HEAVY = {
    *("numpy", "numba", "scipy", "spacy", "nltk", "gensim", "sklearn", "torch"),
    *("pydantic", "rich.console"),
}


def function_of(command: str) -> Callable[..., None]:
    """The function behind a command: ``gai subword train`` is ``subword_train``."""
    name = command.translate(str.maketrans(" -", "__"))
    function: Callable[..., None] = getattr(import_module(f"gai.cli.{name}"), name)
    return function


def groups_of(command: str) -> list[type]:
    """The groups of options that a command takes whole."""
    return [kind for kind in get_type_hints(function_of(command)).values() if is_dataclass(kind)]


def infos_of(group: type) -> list[Any]:
    """What typer is told about the options of a group."""
    hints = get_type_hints(group, include_extras=True)
    return [get_args(hints[field.name])[1] for field in fields(group)]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_has_every_option_of_its_groups(command: str, call: Any) -> None:
    ended = call(*command.split(), "--help")
    assert ended.code == 0
    shown = set(re.findall(r"--[a-z0-9-]+", ended.out))
    wanted = {commands.flag(info) for group in groups_of(command) for info in infos_of(group)}
    assert {name for name in wanted if name.startswith("--")} <= shown


def test_matrices_are_made_with_the_same_options() -> None:
    bow, tfidf = ({group.__name__ for group in groups_of(name)} for name in ("bow", "tfidf"))
    assert tfidf - bow == {"Weights", "Explain"}
    assert bow <= tfidf


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
    for command in COMMANDS:
        for group in groups_of(command):
            for info in infos_of(group):
                assert info.help.endswith((".", "'")), f"{command}: {commands.flag(info)}"


@pytest.mark.parametrize("command", COMMANDS)
def test_the_list_of_commands_says_what_their_pages_say_first(command: str) -> None:
    text = inspect.getdoc(function_of(command)) or ""
    assert text.splitlines()[0] == COMMANDS[command]


@pytest.mark.parametrize("command", COMMANDS)
def test_h_is_help(command: str, call: Any) -> None:
    assert call(*command.split(), "-h") == call(*command.split(), "--help")


def test_the_front_page_lists_the_commands(call: Any) -> None:
    ended = call("--help")
    assert ended.code == 0
    assert re.findall(r"^  ([a-z][a-z0-9-]*)  ", ended.out, re.MULTILINE) == [
        *dict.fromkeys(name.split()[0] for name in COMMANDS)
    ]
    assert call("-h") == ended


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_lists_its_commands(group: str, call: Any) -> None:
    ended = call(group, "--help")
    assert ended.code == 0
    inside = [name.split()[1] for name in COMMANDS if name.startswith(f"{group} ")]
    assert re.findall(r"^  ([a-z][a-z0-9-]*)  ", ended.out, re.MULTILINE) == inside
    alone = call(group)
    assert (alone.code, alone.out, alone.err) == (2, "", ended.out)


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
    [
        ["--help"],
        ["--version"],
        ["bow", "--no-such"],
        ["nn"],
        ["nn", "list"],
        *([*name.split(), "--help"] for name in COMMANDS),
    ],
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
