"""What a name on the command line stands for, and which packages gai can use where they are there.

A backend is named by a string ``"module:attribute"`` and resolved when it is used, so that a name
costs nothing until somebody asks for it. Packages that only some features need are *extras*; one
that is missing is an error that names the pip line.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from threading import Lock
from typing import Any

from gai.errors import MissingExtraError


@dataclass(frozen=True)
class Extra:
    """A package that one kind of work needs, and what that work is."""

    module: str
    purpose: str


EXTRAS = {
    "parquet": Extra("pyarrow", "parquet files"),
    "url": Extra("fsspec", "https://, s3:// and gs:// addresses"),
    "zst": Extra("zstandard", "zst files"),
    "nn": Extra("torch", "neural models"),
    "pretrained": Extra("transformers", "pre-trained models"),
    "images": Extra("PIL", "image folders"),
    "dask": Extra("dask", "clusters"),
    "search": Extra("optuna", "searches for the best options"),
    "plot": Extra("matplotlib", "plots"),
    "subword": Extra("tokenizers", "BPE tokens"),
    "onnx": Extra("onnxruntime", "ONNX files"),
}
"""The extras of gai by the name that pip knows: ``pip install 'gai[parquet]'``."""


def resolve(target: str, feature: str = "", extra: str = "") -> Any:
    """The object that ``"module:attribute"`` names.

    Raises MissingExtraError where the package behind ``extra`` is not installed; ``feature`` says
    in the message what needs it.

    >>> resolve("json:dumps")([1, 2])
    '[1, 2]'
    """
    if extra and not available(extra):
        raise MissingExtraError(feature or target, extra)
    module, _, attribute = target.partition(":")
    found = import_module(module)
    return getattr(found, attribute) if attribute else found


def available(extra: str) -> bool:
    """Whether the package behind an extra is installed; it is not imported."""
    return find_spec(EXTRAS[extra].module) is not None


_importing = Lock()


def alone(module: str) -> Any:
    """The module of that name without what the packages around it import: NLTK's stemmers and
    tokenizers in 0.03 s in place of 2.

    NLTK imports all of itself, and scipy and scikit-learn with it, where two of its files would do.
    So the packages around the module are found but not run while it is imported, and forgotten
    again, so that whoever imports them later gets them whole.
    """
    with _importing:
        if module.partition(".")[0] not in sys.modules:
            try:
                return _without_parents(module)
            except (ImportError, AttributeError):
                pass  # a version whose modules need more than that
        return import_module(module)


def _without_parents(module: str) -> Any:
    """The module of that name, imported while the packages around it are empty."""
    parents = module.split(".")[:-1]
    try:
        for depth in range(len(parents)):
            package = ".".join(parents[: depth + 1])
            spec = find_spec(package)
            if spec is None:
                raise ImportError(f"no package {package}")
            sys.modules[package] = module_from_spec(spec)
        return import_module(module)
    finally:
        for loaded in [name for name in sys.modules if name.partition(".")[0] == parents[0]]:
            del sys.modules[loaded]
