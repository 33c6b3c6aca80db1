"""What every command of gai nn that needs torch asks first."""

from __future__ import annotations

from importlib.util import find_spec

from gai import backends
from gai.errors import MissingExtraError


def require_torch(feature: str) -> None:
    """Raises MissingExtraError, with the pip line, where torch or safetensors is not installed."""
    if not backends.available("nn") or find_spec("safetensors") is None:
        raise MissingExtraError(feature, "nn")


def require_input(files: list[str] | None) -> tuple[str, ...]:
    """What is to be read; raises UsageError where nothing was named and a person sits there."""
    from gai.cli import counting
    from gai.cli.options import Documents

    counting.require_input(Documents(files=files))
    return tuple(files or ["-"])
