"""--like sklearn against scikit-learn itself, through the real command and on real text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

import gai as package

VECTORIZERS = {"bow": CountVectorizer, "tfidf": TfidfVectorizer}


def lines_of(path: Path) -> list[str]:
    """The lines of a file as gai cuts them."""
    lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode().split("\n")
    return [line.removesuffix("\r") for line in (lines if lines[-1] else lines[:-1])]


def assert_same(stored: package.Stored, vectorizer, documents: list[str]) -> None:
    expected = vectorizer.fit_transform(documents)
    expected.sort_indices()
    assert list(stored.terms) == vectorizer.get_feature_names_out().tolist()
    assert np.array_equal(stored.indptr, expected.indptr)
    assert np.array_equal(stored.indices, expected.indices)
    np.testing.assert_allclose(stored.data, expected.data, rtol=1e-12, atol=0)


@pytest.mark.parametrize("command", VECTORIZERS)
@pytest.mark.parametrize("name", ["udhr", "inaugural", "gutenberg"])
def test_on_the_corpora(gai, corpora: Path, tmp_path: Path, command: str, name: str) -> None:
    files = sorted((corpora / name).glob("*.txt"))
    output = tmp_path / "x.npz"
    assert gai(command, "--like", "sklearn", *files, "-o", output).returncode == 0
    documents = [path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode() for path in files]
    assert_same(package.load(output), VECTORIZERS[command](), documents)


@pytest.mark.slow
@pytest.mark.parametrize("command", VECTORIZERS)
@pytest.mark.parametrize("name", ["lingua_sentences_all.txt", "udhr2_all.txt"])
def test_on_the_multilingual_lines(
    gai, data: Path, tmp_path: Path, command: str, name: str
) -> None:
    path, output = data / "multilingual" / name, tmp_path / "x.npz"
    done = gai(command, "--like", "sklearn", "--per", "line", path, "-o", output)
    assert done.returncode == 0, done.stderr
    assert_same(package.load(output), VECTORIZERS[command](), lines_of(path))


@pytest.mark.slow
@pytest.mark.parametrize("command", VECTORIZERS)
@pytest.mark.parametrize("per", ["file", "line"])
def test_on_the_novels(gai, data: Path, tmp_path: Path, command: str, per: str) -> None:
    folder, output = data / "english" / "novels", tmp_path / "x.npz"
    done = gai(command, "--like", "sklearn", "--per", per, folder, "-o", output, timeout=300)
    assert done.returncode == 0, done.stderr
    files = sorted(folder.iterdir())
    if per == "line":
        documents = [line for path in files for line in lines_of(path)]
    else:
        documents = [path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode() for path in files]
    assert_same(package.load(output), VECTORIZERS[command](), documents)
