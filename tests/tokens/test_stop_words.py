"""Stop lists against the packages that they come from, and files of one's own."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from gai.errors import GaiError
from gai.forms.stop_words import language_modules, stop_words
from gai.tokens.normalise import normaliser


def as_is(text: str) -> str:
    return text


def test_english_is_the_list_of_scikit_learn() -> None:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    assert stop_words("english", as_is) == (tuple(sorted(ENGLISH_STOP_WORDS)), "english")


@pytest.mark.parametrize("code", ["de", "en", "lt"])
def test_a_language_is_the_list_of_spacy(code: str) -> None:
    oracle = importlib.import_module(f"spacy.lang.{code}.stop_words").STOP_WORDS
    assert stop_words(code, as_is) == (tuple(sorted(oracle)), code)


def test_every_language_has_words() -> None:
    codes = language_modules()
    assert len(codes) >= 70
    assert [code for code in codes if not stop_words(code, as_is)[0]] == []


def test_a_list_that_needs_the_rest_of_spacy_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As spaCy's modules may be written one day."""
    from gai.forms import stop_words as room

    file = tmp_path / "stop_words.py"
    file.write_text("from . import STOP_WORDS")
    monkeypatch.setattr(room, "language_modules", lambda: {"de": file})
    oracle = importlib.import_module("spacy.lang.de.stop_words").STOP_WORDS
    assert stop_words("de", as_is)[0] == tuple(sorted(oracle))


def test_no_list_needs_the_package_around_it() -> None:
    code = (
        "import sys; from gai.forms.stop_words import stop_words;"
        "stop_words('english', str), stop_words('fr', str);"
        "print({'spacy', 'sklearn', 'numpy'} & set(sys.modules))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert printed.stdout == "set()\n"


def test_a_file_has_one_word_a_line(tmp_path: Path) -> None:
    file = tmp_path / "stop.txt"
    file.write_bytes("\ufeff# mine\r\nund\r\n\r\n  Über \nund\n#oder\nnicht wahr".encode())
    assert stop_words(str(file), as_is) == (("nicht wahr", "und", "Über"), "stop.txt")


def test_words_are_normalised_as_the_text_is(tmp_path: Path) -> None:
    file = tmp_path / "stop.txt"
    file.write_text("Über\nuber\n中\nZoë\n", encoding="utf-8")
    assert stop_words(str(file), normaliser(True, "ascii", None))[0] == ("uber", "zoe")


def test_a_file_named_like_a_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("de").write_text("mine\n")
    Path("words").write_text("mine\n")
    assert stop_words("./de", as_is) == (("mine",), "de")
    assert stop_words("words", as_is) == (("mine",), "words")
    assert len(stop_words("de", as_is)[0]) > 100


@pytest.mark.parametrize(
    ("name", "hint"),
    [("german", "de (German)"), ("Portugese", "pt (Portuguese)"), ("xx", " de "), ("", " de ")],
)
def test_an_unknown_list_suggests_languages(name: str, hint: str) -> None:
    with pytest.raises(GaiError, match="no stop words") as raised:
        stop_words(name, as_is)
    assert hint in raised.value.hint


def test_unreadable_files_say_why(tmp_path: Path) -> None:
    latin = tmp_path / "latin.txt"
    latin.write_bytes("und\nfür\n".encode("latin-1"))
    with pytest.raises(GaiError, match=r"latin\.txt: .* not UTF-8 at byte 5"):
        stop_words(str(latin), as_is)
    with pytest.raises(GaiError, match=r"none\.txt: .*No such file"):
        stop_words(str(tmp_path / "none.txt"), as_is)
    with pytest.raises(GaiError, match=r": .*Is a directory"):
        stop_words(str(tmp_path), as_is)
