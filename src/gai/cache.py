"""Where gai keeps what it can make again: compiled kernels and Unicode tables."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def folder() -> Path | None:
    """The cache folder, made where it is missing; None where none can be written.

    ``GAI_CACHE`` comes first, then ``NUMBA_CACHE_DIR/gai``, then ``XDG_CACHE_HOME/gai``, which is
    ``~/.cache/gai`` where unset.
    """
    path = location()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return path if os.access(path, os.W_OK) else None


def location() -> Path:
    """The path of the cache folder, whether it exists or not."""
    if named := os.environ.get("GAI_CACHE"):
        return Path(named)
    if named := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(named) / "gai"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path(os.path.expanduser("~/.cache"))) / "gai"


def write(path: Path, content: bytes) -> bool:
    """Whether ``content`` now stands at ``path``; other processes see all of it or nothing."""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError:
        return False
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # mkstemp lets nobody else read it; a cache filled for an image is for all its users.
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        return False
    return True
