"""Lists of words that are left out: scikit-learn's, spaCy's, or one word a line in a file."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from gai.errors import GaiError

ENGLISH = Path(__file__).with_name("english.txt")
"""scikit-learn's list; importing it from there takes more than a second."""


def stop_words(name_or_path: str, normalise: Callable[[str], str]) -> tuple[tuple[str, ...], str]:
    """The stop words, normalised as the text is, sorted and each only once; and the list's name.

    ``english`` is scikit-learn's list, a language code ("de") spaCy's, anything else a file with
    one word a line, where blank lines and lines that begin with ``#`` do not count; a file that is
    named like a language needs its folder ("./de"). The list's name is ``english``, the code, or
    the file's name without its folder. Raises GaiError where there is no such list.
    """
    words, name = found(name_or_path)
    return tuple(sorted({normalise(word) for word in words} - {""})), name


def found(name: str) -> tuple[Iterable[str], str]:
    """The words as they stand in the list, and the list's name."""
    in_folder = os.sep in name or bool(os.altsep and os.altsep in name)
    if name == "english":
        return words_of_file(ENGLISH), name
    if not in_folder and (module := language_modules().get(name)):
        return words_of_module(name, module), name
    if in_folder or os.path.exists(name):
        return words_of_file(name), Path(name).name
    raise unknown(name)


def words_of_file(path: str | Path) -> list[str]:
    """The words of a file, one a line. Raises GaiError where it cannot be read as UTF-8."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise GaiError(f"{path}: cannot read the stop words: {error.strerror}") from error
    except UnicodeDecodeError as error:
        message = f"{path}: the stop words are not UTF-8 at byte {error.start}"
        raise GaiError(message, "convert the file to UTF-8, with iconv for example") from error
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def language_modules() -> dict[str, Path]:
    """The file of spaCy's stop words for each language code; importing spaCy takes a second."""
    spacy = importlib.util.find_spec("spacy")
    folders = (spacy and spacy.submodule_search_locations) or []
    files = [file for folder in folders for file in Path(folder, "lang").glob("*/stop_words.py")]
    return {file.parent.name: file for file in sorted(files)}


def words_of_module(code: str, path: Path) -> Iterable[str]:
    """The list in one of spaCy's modules, which is run without the package around it."""
    spec = importlib.util.spec_from_file_location(f"stop_words_{code}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ImportError:  # a list that needs the rest of spaCy
        module = importlib.import_module(f"spacy.lang.{code}.stop_words")
    words: Iterable[str] = module.STOP_WORDS
    return words


def unknown(name: str) -> GaiError:
    """The error for a name that is no list: with the languages that it may mean, or with all."""
    from difflib import get_close_matches

    names = language_names()
    near = get_close_matches(name.lower(), names, n=3, cutoff=0.75)
    suggestions = " or ".join(f"{names[word]} ({word.title()})" for word in near)
    codes = " ".join(sorted(set(names.values())))
    return GaiError(
        f"no stop words {name!r}: neither english, nor a language code, nor a file",
        f"did you mean {suggestions}?" if near else f"language codes: {codes}",
    )


def language_names() -> dict[str, str]:
    """The code of each language with a list, by the English name in lower case."""
    names = {}
    for code, path in language_modules().items():
        text = path.with_name("__init__.py").read_text(encoding="utf-8")
        named = re.search(r"^class (\w+)\(Language\)", text, re.MULTILINE)
        names[named[1].lower() if named else code] = code
    return names


def lists() -> list[str]:
    """The name of every list, and of its language: ``english``, ``de<TAB>german``."""
    named = {code: name for name, code in language_names().items()}
    return ["english", *(f"{code}\t{named.get(code, code)}" for code in sorted(named))]


def source(name: str) -> str:
    """Where the list of this name comes from."""
    from importlib.metadata import version

    if name == "english":
        return "the English list of scikit-learn, from the Glasgow Information Retrieval Group"
    if os.sep not in name and name in language_modules():
        return f"spaCy {version('spacy')}, spacy.lang.{name}.stop_words"
    return f"the file {name}"
