"""gai glove: the real command, from text to files and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gai.output.vectors import load

SMALL = ("--dim", "6", "--epochs", "2", "--x-max", "10")


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory, corpora: Path) -> Path:
    """Ten addresses in one file."""
    path = tmp_path_factory.mktemp("text") / "addresses.txt"
    parts = sorted((corpora / "inaugural").iterdir())[:10]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def done(finished: Any) -> None:
    assert finished.returncode == 0, finished.stderr.decode()


def test_the_same_bytes_for_any_jobs_and_memory(quick: Any, text: Path, tmp_path: Path) -> None:
    variants = [(), ("-j", "1"), ("-j", "5"), ("--memory", "40M"), ("--deterministic",)]
    for number, more in enumerate(variants):
        done(quick("glove", text, *SMALL, *more, "-o", tmp_path / f"{number}.npz"))
        assert (tmp_path / f"{number}.npz").read_bytes() == (tmp_path / "0.npz").read_bytes()
    done(quick("glove", *SMALL, "-o", tmp_path / "stdin.npz", stdin=text.read_bytes()))
    assert np.array_equal(
        load(str(tmp_path / "stdin.npz")).matrix, load(str(tmp_path / "0.npz")).matrix
    )


def test_going_on_gives_the_bytes_of_one_run(quick: Any, text: Path, tmp_path: Path) -> None:
    whole, half = tmp_path / "whole.safetensors", tmp_path / "half.safetensors"
    done(quick("glove", text, *SMALL, "-o", whole))
    done(quick("glove", text, *SMALL, "--epochs", "1", "-o", half))
    done(quick("glove", text, *SMALL, "--resume", half, "-o", tmp_path / "more.safetensors"))
    assert (tmp_path / "more.safetensors").read_bytes() == whole.read_bytes()
    ended = quick("glove", text, *SMALL, "--window", "3", "--resume", half, "-o", whole)
    assert ended.returncode == 1
    assert b"the earlier run had window 10, not 3" in ended.stderr


@pytest.mark.parametrize(
    "more",
    [
        ["--window", "2"],
        ["--asymmetric"],
        ["--flat"],
        ["--x-max", "3"],
        ["--alpha", "0.5"],
        ["--learning-rate", "0.1"],
        ["--seed", "2"],
        ["--sentences"],
        ["--max-vocab", "100"],
    ],
    ids=lambda more: more[0],
)
def test_every_option_changes_a_number_and_the_signature(
    quick: Any, text: Path, tmp_path: Path, more: list[str]
) -> None:
    done(quick("glove", text, *SMALL, "-o", tmp_path / "a.npz"))
    done(quick("glove", text, *SMALL, *more, "-o", tmp_path / "b.npz"))
    plain, other = (load(str(tmp_path / name)) for name in ("a.npz", "b.npz"))
    assert not np.array_equal(plain.vector("people"), other.vector("people"))  # type: ignore[arg-type]
    assert plain.signature != other.signature


def test_text_vectors_open_in_gensim(quick: Any, text: Path, tmp_path: Path) -> None:
    from gensim.models import KeyedVectors

    done(quick("glove", text, *SMALL, "-o", tmp_path / "x.txt"))
    done(quick("glove", text, *SMALL, "-o", tmp_path / "x.npz"))
    theirs = KeyedVectors.load_word2vec_format(str(tmp_path / "x.txt"), no_header=True)
    ours = load(str(tmp_path / "x.npz"))
    assert theirs.index_to_key == list(ours.words)
    assert np.allclose(theirs.vectors, ours.matrix, atol=1e-6)


def test_vectors_to_start_from_set_the_dimension(quick: Any, text: Path, tmp_path: Path) -> None:
    first = tmp_path / "first.npz"
    done(quick("glove", text, *SMALL, "-o", first))
    done(quick("glove", text, "--epochs", "1", "--init", first, "-o", tmp_path / "next.npz"))
    assert load(str(tmp_path / "next.npz")).dim == 6
    ended = quick("glove", text, "--dim", "7", "--init", first, "-o", tmp_path / "next.npz")
    assert ended.returncode == 1
    assert b"have 6 dimensions, not 7" in ended.stderr


def test_what_cannot_be_trained_is_said(quick: Any, tmp_path: Path) -> None:
    out = tmp_path / "x.npz"
    alone = quick("glove", "--min-count", "1", "-o", out, stdin=b"one\nword\na\nline\n")
    assert alone.returncode == 1
    assert b"no two words stand near each other" in alone.stderr
    text = b"the cat and the dog and the cat\n" * 9
    wild = quick("glove", "--learning-rate", "1e18", "-o", out, stdin=text)
    assert wild.returncode == 1
    assert b"diverged" in wild.stderr
    assert not out.exists()
    assert quick("glove", "--x-max", "0", "-o", out, stdin=text).returncode == 2
