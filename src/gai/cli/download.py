"""gai download."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Annotated, Any

import typer

from gai.cli import terminal, values
from gai.cli.options import Talk, option
from gai.errors import GaiError, UsageError

SAFER = {
    "averaged_perceptron_tagger": "averaged_perceptron_tagger_eng",
    "averaged_perceptron_tagger_ru": "averaged_perceptron_tagger_rus",
    "hmm_treebank_pos_tagger": "averaged_perceptron_tagger_eng",
    "maxent_ne_chunker": "maxent_ne_chunker_tab",
    "maxent_treebank_pos_tagger": "maxent_treebank_pos_tagger_tab",
    "punkt": "punkt_tab",
    "tagsets": "tagsets_json",
}
"""NLTK's packages of pickles, and what has taken the place of each."""

COLLECTIONS = ("all", "all-corpora", "all-nltk", "book", "popular", "tests", "third-party")
PICKLES = (".pickle", ".pkl")

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
LONGEST = 200
"""Characters of a foreign message that are shown."""


def download(
    *,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="nltk|spacy", parser=values.choice("nltk", "spacy"), help="Where it comes from."
        ),
    ] = None,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAMES", help="Data packages, or models.")
    ] = None,
    to: Annotated[
        str | None,
        option("--to", metavar="DIR", help="Put NLTK's data here.", default="where NLTK looks"),
    ] = None,
    talk: Talk,
) -> None:
    """Data of NLTK and models of spaCy.

    Only this command goes online, apart from addresses among the inputs. Packages of NLTK that
    hold pickles are refused, because pickles can run any code. A model of spaCy is installed with
    pip.

      gai download nltk punkt_tab wordnet
      gai download nltk punkt_tab --to data/nltk
      gai download spacy en_core_web_sm
    """
    check(source, names or [], to)
    for name in names or []:
        done = nltk_package(name, to) if source == "nltk" else spacy_model(name)
        if not talk.quiet:
            terminal.say(f"gai: {terminal.escape(done)}")


def check(source: str | None, names: list[str], to: str | None) -> None:
    """Raises before anything is fetched, as far as can be told."""
    if source is None or not names:
        what = "model" if source == "spacy" else "data"
        raise UsageError(
            f"which {what}?", "gai download nltk punkt_tab, or gai download spacy en_core_web_sm"
        )
    for name in names:
        if not NAME.fullmatch(name):
            raise UsageError(f"{name!r} is no name of a package")
    if source == "spacy" and to is not None:
        raise UsageError("--to works with nltk", "pip installs models of spaCy where gai is")
    for name in names if source == "nltk" else []:
        check_pickles(name)


def check_pickles(name: str) -> None:
    """Raises GaiError for a package of NLTK that is known to hold pickles."""
    if name in SAFER:
        raise GaiError(
            f"NLTK's package {name} holds pickles, which are refused because they can run any code",
            f"gai download nltk {SAFER[name]}",
        )
    if name in COLLECTIONS:
        raise collection(name)


def collection(name: str) -> GaiError:
    """The error for a name that stands for many packages, with pickles among them."""
    return GaiError(f"{name} is a collection of NLTK's packages", "name those that you need")


def nltk_package(name: str, to: str | None) -> str:
    """What was done, after a package of NLTK was fetched."""
    from nltk import data
    from nltk.downloader import Downloader

    known = [os.path.abspath(str(place)) for place in data.path]
    fetcher = Downloader()
    folder = to or str(fetcher.default_download_dir())
    package = fetched(fetcher, name, folder)
    refuse_pickles(package, folder)
    found = f"{name} is in {folder}"
    hidden = os.path.abspath(folder) not in known
    return f"{found}; NLTK looks there where NLTK_DATA={folder} is set" if hidden else found


def fetched(fetcher: Any, name: str, folder: str) -> Any:
    """What NLTK's index says of a package, which is in the folder now.

    What goes wrong is a GaiError of one line.
    """
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            package = fetcher.info(name)
            if hasattr(package, "children"):
                raise collection(name)
            quietly = {"quiet": True, "raise_on_error": True, "print_error_to": io.StringIO()}
            fetcher.download(name, download_dir=folder, **quietly)
        except (OSError, ValueError) as error:
            said = [str(warning.message) for warning in warned]
            raise explained(name, str(error), " ".join(said), fetcher) from error
    return package


def explained(name: str, message: str, warned: str, fetcher: Any) -> GaiError:
    """What went wrong, in our words where it is something that happens."""
    if "not found in index" in message:
        return GaiError(f"NLTK has no package {name}", near(name, fetcher))
    if "urlopen error" in message or "URLError" in message:
        return GaiError(f"cannot fetch {name}: no connection to NLTK's server", shortened(message))
    return GaiError(f"cannot fetch {name}: {shortened(message)}", shortened(warned))


def near(name: str, fetcher: Any) -> str:
    """A hint with the packages whose names are like this one."""
    from difflib import get_close_matches

    found = get_close_matches(name, [package.id for package in fetcher.packages()])
    return f"did you mean {' or '.join(found)}?" if found else ""


def refuse_pickles(package: Any, folder: str) -> None:
    """Removes a package that turns out to hold pickles, and raises GaiError."""
    archive = Path(folder, package.filename)
    if not zipfile.is_zipfile(archive):
        return
    with zipfile.ZipFile(archive) as opened:
        pickles = [name for name in opened.namelist() if name.endswith(PICKLES)]
    if pickles:
        import shutil

        archive.unlink()
        shutil.rmtree(archive.with_suffix(""), ignore_errors=True)
        raise GaiError(
            f"NLTK's package {package.id} holds pickles, which are refused because they can run "
            f"any code: {pickles[0]}",
            "it has been removed again",
        )


def spacy_model(name: str) -> str:
    """What was done, after spaCy had pip install a model."""
    command = [sys.executable, "-m", "spacy", "download", name]
    plain = {**os.environ, "NO_COLOR": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        command, env=plain, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return f"installed the spaCy model {name}"
    said = done.stdout + done.stderr
    if "ConnectionError" in said or "NewConnectionError" in said:
        raise GaiError(f"cannot fetch {name}: no connection to spaCy's server", last_line(said))
    raise GaiError(f"spaCy cannot install {name}: {last_line(said)}", f"pip install {name}")


def last_line(said: str) -> str:
    """The last line that is a message, without the sign that spaCy puts before it."""
    lines = [
        line for line in said.splitlines() if line.strip() and not line.startswith((" ", "\t"))
    ]
    marked = [line for line in lines if line.startswith("✘")]
    return shortened((marked or lines or ["it does not say why"])[-1].lstrip("✘ "))


def shortened(message: str) -> str:
    """A message on one line, cut where it is very long."""
    line = " ".join(message.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} ..."
