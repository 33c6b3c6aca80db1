"""What a name on the command line stands for, and which packages gai can use where they are there.

A backend is named by a string ``"module:attribute"`` and resolved when it is used, so that a name
costs nothing until somebody asks for it. Packages that only some features need are *extras*; one
that is missing is an error that names the pip line.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
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
    "dask": Extra("dask", "clusters"),
    "search": Extra("optuna", "searches for the best options"),
    "plot": Extra("matplotlib", "plots"),
    "subword": Extra("tokenizers", "BPE tokens"),
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
