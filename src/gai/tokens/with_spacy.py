"""spaCy's tokenizers, and how its installed models are found, checked and loaded."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import mmap
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from gai.errors import GaiError
from gai.tokens.tokenizers import Spans, Tokenizer, first_line, portions

MOST_SIGNS = 10_000
SIGNS = re.compile(rf"[^\w\s]{{{MOST_SIGNS}}}")
"""spaCy takes such signs off a word one by one, and looks at the whole rest each time."""

OWN_PACKAGES = {"vi": "pip install pyvi"}
"""The pip line for languages whose packages are no extra of spaCy."""


def tokenizer(lang: str = "en", model: str | None = None) -> Tokenizer:
    """The tokenizer of an installed model, or of spaCy's blank pipeline for a language.

    Tokens of white space are left out. Raises GaiError as :func:`blank` and :func:`load` do.

    spaCy keeps the words that it has seen, for ever outside a memory zone.
    """
    nlp = blank(lang) if model is None else load(model, only_tokenizer=True)

    def tokenize(texts: Sequence[str]) -> Iterator[Spans]:
        for portion in portions(texts):
            with nlp.memory_zone():
                found = [spans(nlp.tokenizer(bearable(text))) for text in portion]
            yield from found

    return tokenize


def bearable(text: str) -> str:
    """The text. Raises GaiError where spaCy would take hours over it, deaf to Ctrl-C."""
    if found := SIGNS.search(text):
        raise GaiError(
            f"{MOST_SIGNS:,} signs without a space, from character {found.start():,} of a document "
            "on: spaCy's time grows with their square",
            "--tokenizer unicode takes them",
        )
    return text


def spans(doc: Any) -> Spans:
    """The tokens of one of spaCy's documents, without white space."""
    kept = [token for token in doc if not token.is_space]
    tokens = [token.text for token in kept]
    starts = [token.idx for token in kept]
    ends = [start + len(token) for start, token in zip(starts, tokens, strict=True)]
    return Spans(tokens, starts, ends)


def blank(lang: str) -> Any:
    """spaCy's blank pipeline for a language, which has a tokenizer and needs no model.

    Raises GaiError for a language that spaCy does not know, and for one whose tokenizer needs a
    package that is not installed.
    """
    import spacy

    try:
        return spacy.blank(lang)
    except ImportError as error:
        raise unavailable(lang) from error


def unavailable(lang: str) -> GaiError:
    """The error for a language without a tokenizer: unknown, or in need of a package."""
    names = languages()
    if lang in names.values():
        return GaiError(
            f"spaCy's tokenizer for {lang} needs a package that is not installed",
            OWN_PACKAGES.get(lang, f"pip install 'spacy[{lang}]'"),
        )
    near = get_close_matches(lang.lower(), names, n=3, cutoff=0.75)
    near += [name for name, code in names.items() if code == re.split("[-_]", lang.lower())[0]]
    meant = " or ".join(f"{names[name]} ({name.title()})" for name in near)
    codes = " ".join(sorted(set(names.values())))
    return GaiError(
        f"spaCy has no language {lang!r}",
        f"did you mean {meant}?" if near else f"language codes: {codes}",
    )


def languages() -> dict[str, str]:
    """The code of each of spaCy's languages by its English name in lower case."""
    found = importlib.util.find_spec("spacy")
    folders = (found and found.submodule_search_locations) or []
    files = [file for folder in folders for file in Path(folder, "lang").glob("*/__init__.py")]
    names = {}
    for file in sorted(files):
        named = re.search(r"^class (\w+)\(Language\)", file.read_text("utf-8"), re.MULTILINE)
        names[named[1].lower() if named else file.parent.name] = file.parent.name
    return names


def load(model: str, exclude: Iterable[str] = (), only_tokenizer: bool = False) -> Any:
    """The pipeline of an installed model, or of a model in a folder.

    Components in ``exclude`` are not loaded, none at all with ``only_tokenizer``. Raises GaiError
    where there is no such model, where it was made for another version of spaCy, where its folder
    holds pickles, and where it cannot be read.
    """
    meta = checked(model)
    import spacy

    left_out = [*meta.get("components", []), *meta.get("pipeline", []), *meta.get("disabled", [])]
    place = package_folder(model) and model
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about versions, which were checked
            return spacy.load(
                place or folder_of(model), exclude=left_out if only_tokenizer else list(exclude)
            )
    except (AttributeError, ImportError, KeyError, OSError, TypeError, ValueError) as error:
        raise GaiError(
            f"spaCy cannot load the model {model}: {first_line(error)}",
            "install it again, or what it says is missing",
        ) from error


def checked(model: str) -> dict[str, Any]:
    """What the meta.json of a model says. Raises GaiError where the model cannot be used."""
    folder = folder_of(model)
    try:
        meta: dict[str, Any] = json.loads((folder / "meta.json").read_text("utf-8"))
        made_for = str(meta["spacy_version"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GaiError(
            f"{model} is no spaCy model: its meta.json is missing or broken", "--model NAME|FOLDER"
        ) from error
    if not package_folder(model):  # who installs a package has agreed to run its code
        refuse_pickles(model, folder)
    check_version(model, made_for)
    return meta


def check_version(model: str, made_for: str) -> None:
    """Raises GaiError where a model was made for versions of spaCy that exclude the installed one.

    ``made_for`` is a range such as ``>=3.8.0,<3.9.0``. A model that a later patch release saved is
    fine, as it is for spaCy.
    """
    from spacy.util import (
        get_model_lower_version,
        is_compatible_version,
        is_minor_version_match,
    )

    installed = importlib.metadata.version("spacy")
    if is_compatible_version(installed, made_for) is not False:
        return
    lowest = get_model_lower_version(made_for)
    if not (lowest and is_minor_version_match(installed, lowest)):
        raise GaiError(
            f"the spaCy model {model} was made for spaCy {made_for}, and {installed} is installed",
            f"gai download spacy {model} gets the model for this version",
        )


def folder_of(model: str) -> Path:
    """The folder of a model: of an installed package, else the folder of that name, or the one
    inside it where it is a package that is not installed.

    Raises GaiError where there is neither.
    """
    if package := package_folder(model):
        return package
    folder = Path(model)
    if folder.is_dir():
        inside = [path.parent for path in folder.glob("*/config.cfg")]
        return folder if (folder / "config.cfg").exists() or len(inside) != 1 else inside[0]
    raise GaiError(
        f"there is no spaCy model {model}",
        f"python -m spacy download {model}\npip install {model}, where it is a package of its own",
    )


def package_folder(model: str) -> Path | None:
    """The folder of an installed package, found without importing it; None where there is none."""
    try:
        importlib.metadata.distribution(model)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return None
    found = importlib.util.find_spec(model.replace("-", "_"))
    folders = (found and found.submodule_search_locations) or []
    return next(map(Path, folders), None)


PICKLED = (".pkl", ".pickle", ".joblib", ".dill", ".pt", ".pth")
PICKLE = re.compile(rb"\x80[\x02-\x05]")
"""How a pickle begins, of any protocol but the two oldest; no other file of a model does."""
TORCH = (b"data.pkl", b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19")
"""What PyTorch's files, which hold pickles, have in them, also inside another file."""


def refuse_pickles(model: str, folder: Path) -> None:
    """Raises GaiError where a folder holds a pickle, which can run any code when it is read."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and is_pickle(path):
            raise GaiError(
                f"the spaCy model {model} holds a pickle ({path.name})",
                "pickles are refused because they can run any code",
            )


def is_pickle(path: Path) -> bool:
    """Whether a file is a pickle by its name or its first bytes, or holds PyTorch's."""
    if path.suffix.lower() in PICKLED:
        return True
    with path.open("rb") as file:
        if PICKLE.match(file.read(2)):
            return True
        if not os.fstat(file.fileno()).st_size:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return any(data.find(mark) >= 0 for mark in TORCH)
