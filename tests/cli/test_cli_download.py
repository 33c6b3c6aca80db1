"""gai download: with an index of our own in the place of the network, and without a network."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import urllib.error
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PACKAGES = {
    "tiny_tab": {"tiny_tab/english/words.txt": b"the\n"},
    "sneaky": {"sneaky/model.pickle": b"cos\nsystem\n"},
}


class Answer(io.BytesIO):
    """What ``urlopen`` gives back."""

    headers: dict[str, str] = {}  # noqa: RUF012
    status = 200

    def info(self) -> dict[str, str]:
        return self.headers


def archive(files: dict[str, bytes]) -> bytes:
    """A zip file of these files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, text in files.items():
            file.writestr(name, text)
    return content.getvalue()


def index() -> bytes:
    """The index of NLTK's server, with our packages and one collection of them."""
    lines = []
    for name, files in PACKAGES.items():
        packed = archive(files)
        size = sum(map(len, files.values()))
        lines.append(
            f'<package id="{name}" name="{name}" subdir="tokenizers" unzip="1" '
            f'url="https://example.org/{name}.zip" size="{len(packed)}" unzipped_size="{size}" '
            f'checksum="{hashlib.md5(packed).hexdigest()}" '
            f'sha256_checksum="{hashlib.sha256(packed).hexdigest()}"/>'
        )
    everything = '<collection id="ours" name="all"><item ref="tiny_tab"/></collection>'
    return (
        f"<nltk_data><packages>{''.join(lines)}</packages>"
        f"<collections>{everything}</collections></nltk_data>"
    ).encode()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network with one server."""
    from nltk import downloader

    def urlopen(url: str, *args: Any, **options: Any) -> Answer:
        name = str(url).rpartition("/")[2].removesuffix(".zip")
        return Answer(archive(PACKAGES[name]) if name in PACKAGES else index())

    monkeypatch.setattr(downloader, "urlopen", urlopen)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    from nltk import downloader

    def urlopen(url: str, *args: Any, **options: Any) -> Answer:
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(downloader, "urlopen", urlopen)


@pytest.mark.usefixtures("server")
def test_a_package_of_nltk(call: Callable[..., Any], tmp_path: Path) -> None:
    ended = call("download", "nltk", "tiny_tab", "--to", tmp_path / "data")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == (
        f"gai: tiny_tab is in {tmp_path}/data; NLTK looks there where "
        f"NLTK_DATA={tmp_path}/data is set\n"
    )
    assert (tmp_path / "data/tokenizers/tiny_tab/english/words.txt").read_bytes() == b"the\n"
    again = call("download", "nltk", "tiny_tab", "--to", tmp_path / "data", "--quiet")
    assert (again.code, again.out, again.err) == (0, "", "")


@pytest.mark.usefixtures("server")
def test_the_folder_where_nltk_looks(
    call: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nltk

    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    ended = call("download", "nltk", "tiny_tab")
    assert (ended.code, ended.err) == (0, f"gai: tiny_tab is in {tmp_path}\n")
    assert (tmp_path / "tokenizers/tiny_tab").is_dir()


@pytest.mark.usefixtures("server")
def test_a_package_that_nobody_knows(call: Callable[..., Any], tmp_path: Path) -> None:
    ended = call("download", "nltk", "tinytab", "--to", tmp_path)
    assert ended.code == 1
    assert ended.err == ("gai: error: NLTK has no package tinytab\n  did you mean tiny_tab?\n")


@pytest.mark.usefixtures("server")
def test_pickles_that_nobody_expected_are_removed_again(
    call: Callable[..., Any], tmp_path: Path
) -> None:
    ended = call("download", "nltk", "sneaky", "--to", tmp_path)
    assert ended.code == 1
    assert "holds pickles" in ended.err
    assert "model.pickle" in ended.err
    assert not list(tmp_path.rglob("*.pickle"))
    assert not list(tmp_path.rglob("*.zip"))


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("name", ["ours", "popular"])
def test_collections_are_refused(name: str, call: Callable[..., Any], tmp_path: Path) -> None:
    ended = call("download", "nltk", name, "--to", tmp_path / "data")
    assert ended.code == 1
    assert ended.err.startswith(f"gai: error: {name} is a collection")
    assert not (tmp_path / "data").exists()


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    ("name", "instead"),
    [("punkt", "punkt_tab"), ("averaged_perceptron_tagger", "averaged_perceptron_tagger_eng")],
)
def test_packages_of_pickles_are_refused_before_anything_is_fetched(
    name: str, instead: str, call: Callable[..., Any]
) -> None:
    ended = call("download", "nltk", "punkt_tab", name)
    assert ended.code == 1
    assert f"NLTK's package {name} holds pickles" in ended.err
    assert ended.err.endswith(f"\n  gai download nltk {instead}\n")


@pytest.mark.usefixtures("no_network")
def test_without_a_network(call: Callable[..., Any], tmp_path: Path) -> None:
    ended = call("download", "nltk", "punkt_tab", "--to", tmp_path)
    assert (ended.code, ended.out) == (1, "")
    cause, remedy = ended.err.splitlines()
    assert cause == "gai: error: cannot fetch punkt_tab: no connection to NLTK's server"
    assert "Name or service not known" in remedy


def test_a_folder_that_cannot_be_made(
    call: Callable[..., Any], tmp_path: Path, server: None
) -> None:
    (tmp_path / "file").write_text("")
    ended = call("download", "nltk", "tiny_tab", "--to", tmp_path / "file")
    assert ended.code == 1
    assert ended.err.startswith("gai: error: ")
    assert len(ended.err.splitlines()) <= 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "which data?"),
        (["nltk"], "which data?"),
        (["spacy"], "which model?"),
        (["nlkt", "x"], "did you mean nltk?"),
        (["nltk", "../x"], "no name of a package"),
        (["spacy", "-r"], "no such option"),
        (["spacy", "--", "-r"], "no name of a package"),
        (["spacy", "https://example.org/x.tar.gz"], "no name of a package"),
        (["spacy", "en_core_web_sm", "--to", "x"], "--to works with nltk"),
    ],
)
def test_wrong_use(words: list[str], said: str, call: Callable[..., Any]) -> None:
    ended = call("download", *words)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


SPACY = """
import sys
said = {
    "en_good": (0, "✔ Download and installation successful\\nYou can now load it"),
    "en_bad": (1, "✘ No compatible package found for 'en_bad' (spaCy v0.0)"),
    "en_far": (1, "  File x\\nrequests.exceptions.ConnectionError: no route\\n"),
    "en_none": (3, ""),
}
command, name = sys.argv[1:]
assert command == "download"
code, text = said[name]
print(text, file=sys.stderr if code else sys.stdout)
sys.exit(code)
"""


@pytest.fixture
def other_spacy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of the name of spaCy in processes that are started from here."""
    (tmp_path / "spacy").mkdir()
    (tmp_path / "spacy/__init__.py").write_text("")
    (tmp_path / "spacy/__main__.py").write_text(SPACY, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


@pytest.mark.usefixtures("other_spacy")
@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("en_good", 0, "gai: installed the spaCy model en_good\n"),
        ("en_bad", 1, "found for 'en_bad' (spaCy v0.0)\n  pip install en_bad"),
        ("en_far", 1, "cannot fetch en_far: no connection to spaCy's server\n"),
        ("en_none", 1, "spaCy cannot install en_none: it does not say why\n"),
    ],
)  # fmt: skip
def test_a_model_of_spacy(name: str, code: int, said: str, call: Callable[..., Any]) -> None:
    ended = call("download", "spacy", name)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err
    assert len(ended.err.splitlines()) <= 2


def test_spacy_has_the_command_that_is_used() -> None:
    words = [sys.executable, "-m", "spacy", "download", "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "MODEL" in done.stdout.upper()
