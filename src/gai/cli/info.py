"""gai info."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Annotated, Any

import typer

from gai import backends, cache
from gai.cli import terminal, values, writing
from gai.cli.options import TOKENIZERS, Talk, cores, option
from gai.errors import GaiError, UsageError

PACKAGES = (
    "numpy",
    "numba",
    "llvmlite",
    "scipy",
    "scikit-learn",
    "spacy",
    "nltk",
    "gensim",
    "simplemma",
    "PyStemmer",
    "typer",
    "rich",
)
SHOWN = 10
"""How many terms and documents of a file are shown."""

Facts = dict[str, Any]


def info(
    *,
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="What gai wrote: a matrix, vectors, phrases (.json), the folder of a model.",
        ),
    ] = None,
    compile: Annotated[
        bool, option("--compile", help="Compile now what the first large job would compile.")
    ] = False,
    format: Annotated[
        str | None,
        option(
            "--format",
            parse=values.choice("tsv", "json"),
            help="Write this format.",
            default="aligned on a terminal, tsv in a pipe",
        ),
    ] = None,
    talk: Talk,
) -> None:
    """What is installed, or what a stored file holds.

    Without FILE: versions, engines, extras, the cache folder and the number of cores. With FILE:
    its size, its signature, which is everything that changed a number in it, and its first terms.
    """
    if compile:
        compile_kernels(talk)
    facts = of_installation() if file is None else of_file(file)
    if format == "json":
        # JSON's own escapes stand for control characters and for bytes that are no UTF-8.
        print(json.dumps(facts, indent=2))
    else:
        writing.write_facts([(name, text, "") for name, text in flat(facts)], format)


def compile_kernels(talk: Talk) -> None:
    """Compiles all kernels that the cache lacks; raises GaiError where it cannot keep them."""
    from gai import kernels

    def notify(name: str) -> None:
        if not talk.quiet:
            terminal.say(f"gai: compiling {name}")

    if kernels.compile_all(notify) is None:
        raise GaiError("no cache folder can be written", "set GAI_CACHE to a folder that can")


def of_installation() -> Facts:
    """What this installation has, by topic."""
    import platform

    from gai import __version__

    return {
        "gai": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "packages": {name: version(name) for name in PACKAGES},
        "extras": extras(),
        "tokenizers": list(TOKENIZERS),
        "unicode": unicode_versions(),
        "cores": cores(),
        "cache": str(cache.folder() or f"{cache.location()} (cannot be written)"),
        "kernels": kernels_ready(),
    }


def version(package: str) -> str:
    """The version of an installed package, which is not imported for that."""
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"


def extras() -> dict[str, str]:
    """Each extra: the version of its package, or how to add it."""
    return {
        name: version(extra.module) if backends.available(name) else f"pip install 'gai[{name}]'"
        for name, extra in backends.EXTRAS.items()
    }


def unicode_versions() -> dict[str, str]:
    """The versions behind word boundaries and behind lower-casing."""
    import unicodedata

    from gai.tokens.tables import UNICODE_VERSION

    return {"word boundaries": UNICODE_VERSION, "letters": unicodedata.unidata_version}


def kernels_ready() -> str:
    """How many kernels are compiled."""
    from gai import kernels
    from gai.kernels.native import MODULES

    done = sum(kernels.ready([name]) for name in MODULES)
    hint = "" if done == len(MODULES) else "; gai info --compile does the rest"
    return f"{done} of {len(MODULES)} compiled{hint}"


def of_file(path: str) -> Facts:
    """What a stored matrix, word or document vectors, or a file of phrases hold."""
    from gai.output import atomic, dense, vectors
    from gai.output.storedzip import MappedArrays

    if path == "-" or atomic.special(path):
        raise UsageError("gai info reads a file, not a pipe", "gai vectors info - reads vectors")
    if os.path.isdir(path):
        return of_run(path)
    if path.endswith((".json", ".json.gz")):
        return of_phrases(path)
    if vectors.holds_vectors(path):
        from gai.cli.vectors_info import of_vectors

        return of_vectors(path, vectors.load(path))
    return of_documents(path) if dense.is_dense(MappedArrays(path)) else of_matrix(path)


def of_documents(path: str) -> Facts:
    """What document vectors hold."""
    from gai.output.dense import load_dense
    from gai.signature import line

    stored = load_dense(path)
    return {
        "file": path,
        "kind": stored.signature.get("kind", ""),
        "documents": stored.shape[0],
        "dim": stored.shape[1],
        "numbers": str(stored.vectors.dtype),
        "line": line(stored.signature),
        "signature": stored.signature,
        "first documents": stored.documents[:SHOWN],
    }


def of_run(path: str) -> Facts:
    """What the folder of a trained neural model holds; needs no torch."""
    from gai.nn.runs import REPORT, Run
    from gai.nn.shelves import CROSSED, ENSEMBLE, Shelf

    for head in (ENSEMBLE, CROSSED):
        if Shelf(path, head).there:
            return of_shelf(Shelf(path, head))
    run = Run(path)
    config, found = run.config(), run.input()
    report = run.json(REPORT) if os.path.exists(run.file(REPORT)) else {}
    scores = {part: one["network"] for part, one in report.get("scores", {}).items()}
    return {
        "file": path,
        "kind": "nn run",
        "network": config.model,
        "task": config.task,
        "input": found["source"],
        "size": found["size"],
        "labels": found["labels"],
        "data": list(config.data),
        "digest": found["digest"],
        "version": found["gai"],
        **{name: found[name] for name in ("pruned", "quantized") if name in found},
        "scores": scores,
        "choices": {f.name: getattr(config, f.name) for f in fields(config)},
    }


def of_shelf(shelf: Any) -> Facts:
    """What an ensemble, or a cross-validation, holds."""
    from gai.nn.runs import REPORT, Run
    from gai.nn.shelves import ENSEMBLE

    found = shelf.read_head()
    if shelf.head != ENSEMBLE:
        shown = {name: value for name, value in found.items() if name != "folds"}
        return {"file": shelf.path, "kind": "nn cross-validation", **shown}
    report = Run(shelf.path).json(REPORT)
    scores = {part: one["network"] for part, one in report["scores"].items()}
    return {"file": shelf.path, "kind": "nn ensemble", **found, "scores": scores}


def of_phrases(path: str) -> Facts:
    """What a file of phrases holds."""
    from gai.phrases.storing import load
    from gai.signature import line

    stored = load(path)
    return {
        "file": path,
        "kind": "phrases",
        "phrases": len(stored),
        "line": line(stored.signature),
        "signature": stored.signature,
        "first phrases": [name for name, _ in stored.ranked()[:SHOWN]],
    }


def of_matrix(path: str) -> Facts:
    """What a stored matrix holds."""
    from gai import output
    from gai.signature import line

    stored = output.load(path)
    cells = int(stored.indptr[-1])
    rows, columns = stored.shape
    return {
        "file": path,
        "kind": stored.signature.get("kind", ""),
        "documents": rows,
        "terms": columns,
        "non-zeros": cells,
        "density": cells / max(rows * columns, 1),
        "numbers": str(stored.data.dtype),
        "line": line(stored.signature),
        "signature": stored.signature,
        "first terms": list(stored.terms[:SHOWN]),
        "first documents": stored.documents[:SHOWN],
    }


def flat(facts: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Each fact as a name and a text; names within names are joined by dots."""
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", spelt(value)


def spelt(value: Any) -> str:
    """A fact as text; of a long list only the beginning."""
    if isinstance(value, list):
        more = [f"... {len(value):,} in all"] if len(value) > SHOWN else []
        return " ".join([*map(str, value[:SHOWN]), *more])
    return "" if value is None else str(value)
