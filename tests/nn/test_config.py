"""The choices of a run: flag over file over default, and their file, written and read."""

from __future__ import annotations

import math
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gai.errors import GaiError, UsageError
from gai.nn import names
from gai.nn.config import OWN, Config, check, read, resolved, write

# Letters of names of files that are no UTF-8 come as lone surrogates from U+DC80 on.
odd = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.just("\udcff")), max_size=8)
numbers = st.floats(width=64)
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "str": odd,
    "str | None": st.none() | odd,
    "int": st.integers(-(2**70), 2**70),
    "int | None": st.none() | st.integers(0, 2**40),
    "float": numbers,
    "float | None": st.none() | numbers,
    "bool": st.booleans(),
    "tuple[str, ...]": st.lists(odd, max_size=3).map(tuple),
    "tuple[str, ...] | None": st.none() | st.lists(odd, max_size=3).map(tuple),
    "tuple[int, ...]": st.lists(st.integers(1, 9), max_size=3).map(tuple),
    "tuple[int, int]": st.tuples(st.integers(1, 9), st.integers(1, 9)),
}
NAMED = (
    "model task input activation optimizer schedule weights_init pool unit class_weights precision "
    "errors loss"
)
OUTSIDE: dict[str, tuple[float, ...]] = {
    **dict.fromkeys(("dropout", "input_dropout", "label_smoothing"), (1.0, -0.1, math.nan)),
    **dict.fromkeys(("epochs", "steps", "eval_every", "min_count", "max_length"), (0, -1)),
    **dict.fromkeys(("l1", "l2", "weight_decay"), (-1.0, math.nan)),
    "batch_size": (-1,),
    "lr": (0.0, -1.0, math.nan, math.inf),
}
configs = st.builds(Config, **{f.name: KINDS[str(f.type)] for f in fields(Config)})


def written(path: Path, text: str) -> Path:
    """A file ``config.toml`` with this text."""
    path = path / "config.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return path


def same(a: Any, b: Any) -> bool:
    return repr(a) == repr(b)  # NaN is what it is, and -0.0 is not 0.0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(config=configs)
def test_every_choice_is_read_as_it_was_written(config: Config, tmp_path: Path) -> None:
    found = read(written(tmp_path, write(config)))
    # Choices of other models are not written.
    others = {name: None for name, model in OWN.items() if model != config.model}
    assert not others.keys() & found.keys()
    expected = config.with_(**others)
    assert same(Config(**{**dict.fromkeys(found_not_in(found)), **found}), expected)


def found_not_in(found: dict[str, Any]) -> list[str]:
    """The choices that the file leaves out: those that are None."""
    return [f.name for f in fields(Config) if f.name not in found]


def test_the_file_is_toml_with_a_section_for_each_kind_of_choice() -> None:
    config = Config(data=('a "b"\n.csv',), ngrams=(1, 2), valid=None, max_norm=3.0, compile=True)
    found = tomllib.loads(write(config))
    assert list(found) == ["gai", "model", "data", "text", "training"]
    assert found["data"]["data"] == ['a "b"\n.csv']
    assert found["text"]["ngrams"] == [1, 2]
    assert "valid" not in found["data"]
    assert (found["training"]["max_norm"], found["training"]["compile"]) == (3.0, True)


def test_a_flag_wins_over_the_file_and_the_file_over_the_default() -> None:
    file = {"model": "lstm", "width": 7, "lr": 0.5}
    config = resolved({"width": 9}, file)
    assert (config.model, config.width, config.lr) == ("lstm", 9, 0.5)
    assert (config.clip_norm, config.activation) == (1.0, "tanh")  # lstm's own defaults
    assert resolved({"clip_norm": 5.0}, file).clip_norm == 5.0
    assert config.epochs == Config.epochs


def test_the_model_that_a_flag_names_brings_its_own_defaults() -> None:
    config = resolved({"model": "transformer"}, {"model": "lstm", "dropout": 0.25})
    assert (config.optimizer, config.activation, config.dropout) == ("adamw", "gelu", 0.25)


@pytest.mark.parametrize(
    ("task", "loss"), [("regress", "mse"), ("forecast", "mse"), ("classify", "cross-entropy")]
)
def test_tasks_have_defaults_too(task: str, loss: str) -> None:
    assert resolved({"task": task}).loss == loss
    assert resolved({"task": task, "loss": "huber"}).loss == "huber"


@pytest.mark.parametrize("name", NAMED.split())
def test_a_name_that_nothing_has_is_an_error_that_lists_the_names(name: str) -> None:
    with pytest.raises(UsageError, match=r"unknown .* 'foo'") as found:
        check(Config().with_(**{name: "foo"}))
    assert getattr(Config, name) in found.value.hint


def test_an_unknown_augmentation_is_an_error() -> None:
    with pytest.raises(UsageError, match="unknown augmentation 'blur'") as found:
        check(Config(augment=("drop", "blur")))
    assert all(name in found.value.hint for name in names.AUGMENTATIONS)


def test_a_loss_may_be_a_function_of_the_users() -> None:
    check(Config(loss="my.losses:smooth"))


@pytest.mark.parametrize(("name", "value"), [(n, x) for n, bad in OUTSIDE.items() for x in bad])
def test_numbers_out_of_their_range_are_errors_that_name_the_flag(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')} "):
        check(Config().with_(**{name: value}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[training]\nepoch = 3\n", "no choice is called 'epoch'"),
        ("epochs = 'many'\n", "epochs is 'many', not a whole number"),
        ("epochs = true\n", "epochs is True, not a whole number"),
        ("epochs = 1.5\n", "epochs is 1.5, not a whole number"),
        ("lr = '1'\n", "lr is '1', not a number"),
        ("max_norm = []\n", r"max_norm is \[\], not a number"),
        ("compile = 1\n", "compile is 1, not true or false"),
        ("model = 1\n", "model is 1, not a string"),
        ("data = 'a.csv'\n", "data is 'a.csv', not a list, each of it a string"),
        ("data = [1]\n", r"data is \[1\], not a list, each of it a string"),
        ("ngrams = [1]\n", r"ngrams is \[1\], not a list"),
        ("ngrams = [1, 2, 3]\n", r"ngrams is \[1, 2, 3\], not a list"),
        ("epochs = \n", "not TOML: .*line 1"),
        ("a = 1\na = 2\n", "not TOML: .*line 2"),
        ("\x00", "not TOML: "),
        ("\udcff\udcfe", "not TOML: "),
    ],
)
def test_a_file_with_something_wrong_says_what_and_where(
    text: str, message: str, tmp_path: Path
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(GaiError, match=f"^{path}: {message}"):
        read(path)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(GaiError, match=r"nothing\.toml: no such file"):
        read(tmp_path / "nothing.toml")
    with pytest.raises(GaiError, match=r"is a directory"):
        read(tmp_path)


def test_whole_numbers_will_do_for_numbers_and_choices_need_no_section(tmp_path: Path) -> None:
    found = read(written(tmp_path, "\ufeffgai = '9.9'\r\nlr = 1\r\nkernels = [2]\r\n"))
    assert found == {"lr": 1.0, "kernels": (2,)}
    assert type(found["lr"]) is float


def test_the_analysis_of_text_gets_all_of_its_choices() -> None:
    from gai.tokens.analysis import Analysis

    config = Config(language="de", lowercase=False, ngrams=(1, 2), stop_words=("a",), min_length=2)
    analysis = Analysis(**config.analysis())
    assert (analysis.lang, analysis.lowercase, analysis.ngrams) == ("de", False, (1, 2))
    assert (analysis.stop_words, analysis.min_length) == (("a",), 2)
    assert Analysis(**Config().analysis()) == Analysis()
