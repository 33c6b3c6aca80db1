"""What every command of gai nn that needs torch asks first."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from gai import backends
from gai.cli import terminal
from gai.errors import MissingExtraError, UsageError


def require_torch(feature: str) -> None:
    """Raises MissingExtraError, with the pip line, where torch or safetensors is not installed."""
    if not backends.available("nn") or find_spec("safetensors") is None:
        raise MissingExtraError(feature, "nn")


def require_input(files: list[str] | None) -> tuple[str, ...]:
    """What is to be read; raises UsageError where nothing was named and a person sits there."""
    if files:
        return tuple(files)
    if sys.stdin is None or sys.stdin.closed or terminal.is_terminal(sys.stdin):
        raise UsageError(
            "no input: name files, or pipe text in", "- reads what you type, until Ctrl-D"
        )
    return ("-",)
