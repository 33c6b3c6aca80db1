"""Results become files: formats, atomic writing, signatures, and reading stored matrices back."""

from __future__ import annotations

from gai.matrix import Result, RowBlock
from gai.output.deps import write_deps
from gai.output.stored import Stored, load
from gai.output.writing import FORMATS, check, write

__all__ = ["FORMATS", "Result", "RowBlock", "Stored", "check", "load", "write", "write_deps"]
