"""Compiled kernels without importing Numba: machine code from the cache, loaded by llvmlite.

Numba compiles each kernel once per machine to an object file below the cache folder. From then on
llvmlite alone loads it, which takes milliseconds, where importing Numba and reading its own cache
takes about a second and twice the memory. The folder's name holds a digest of every kernel source,
the versions and the processor, so that a change anywhere compiles anew.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import sys
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache as once
from pathlib import Path
from threading import RLock
from typing import Any

from gai import cache

MODULES = {
    "inspect_text": "text",
    "count_lines": "text",
    "cut_lines": "text",
    "boundaries": "word_break",
    "count_word": "count",
    "count_unicode": "count",
    "count_pretokenized": "count",
    "encode_word": "count",
    "encode_unicode": "count",
    "encode_pretokenized": "count",
    "count_whitespace": "count",
    "encode_whitespace": "count",
    "locate_word": "count",
    "locate_unicode": "count",
    "locate_pretokenized": "count",
    "locate_whitespace": "count",
    "join_terms": "joining",
    "replace_spans": "joining",
    "write_places": "joining",
    "enter": "count",
    "rehash": "count",
    "read_characters": "ngrams",
    "count_ngrams": "ngrams",
    "rehash_pairs": "ngrams",
    "spelled_lengths": "ngrams",
    "spell": "ngrams",
    "count_pairs": "phrases",
    "rehash_counts": "phrases",
    "merge_counts": "phrases",
    "join_phrases": "phrases",
    "index_words": "cooccurrence",
    "count_neighbours": "cooccurrence",
    "merge_rows": "cooccurrence",
    "count_parts": "glove",
    "deal_pairs": "glove",
    "train_pairs": "glove",
    "parse_rows": "numbers",
    "write_rows": "numbers",
    "subword_ids": "subwords",
    "mean_rows": "subwords",
    "tally": "rows",
    "kept_cells": "rows",
    "finish_rows": "rows",
}
"""Which module below ``gai.kernels`` defines which kernel: the table of contents."""

NEVER_CALLED = ("numba_", "NRT_")
"""Numba's entry points name these for exceptions and for freeing arrays; kernels do neither."""

KINDS: dict[str, Any] = {"i8": ctypes.c_int64, "f8": ctypes.c_double, "u8": ctypes.c_uint64}


class Kernel:
    """A compiled function that takes numpy arrays and numbers, and releases the GIL."""

    def __init__(self, name: str, address: int, arguments: list[str]) -> None:
        pieces: list[Any] = []
        for kind in arguments:
            pieces += [ctypes.c_void_p, ctypes.c_int64] if kind.endswith("*") else [KINDS[kind]]
        self.name = name
        self.arguments = arguments
        self.function = ctypes.CFUNCTYPE(ctypes.c_int64, *pieces)(address)

    def __call__(self, *values: Any) -> int:
        flat: list[Any] = []
        for kind, value in zip(self.arguments, values, strict=True):
            if kind.endswith("*"):
                assert value.dtype.str[1:] == kind[:-1], (self.name, kind, value.dtype)
                assert value.flags.c_contiguous, (self.name, "not contiguous")
                flat += [value.ctypes.data, value.size]
            else:
                flat.append(value)
        return int(self.function(*flat))


class Kernels:
    """Kernels as attributes; each is compiled or loaded when it is first asked for."""

    def __init__(self, notify: Callable[[], None] | None = None) -> None:
        self._notify = notify
        self._lock = RLock()

    def __getattr__(self, name: str) -> Kernel:
        if name not in MODULES:
            raise AttributeError(name)
        with self._lock:
            if name not in self.__dict__:
                setattr(self, name, _link(name, self._content(name)))
        kernel: Kernel = self.__dict__[name]
        return kernel

    def _content(self, name: str) -> bytes:
        content = _stored(name)
        if content is not None:
            return content
        if self._notify:
            self._notify()
            self._notify = None
        return _compiled(name)


_loaded = Kernels()


def load(notify: Callable[[], None] | None = None) -> Kernels:
    """The kernels of this process; ``notify`` is called once if something must be compiled."""
    if notify is not None:
        _loaded._notify = notify
    return _loaded


def ready(names: Iterable[str]) -> bool:
    """Whether these kernels are in the cache, so that using them costs milliseconds."""
    place = folder()
    return place is not None and all((place / f"{name}.o").exists() for name in names)


def compile_all(notify: Callable[[str], None] = lambda name: None) -> Path | None:
    """The cache folder, after compiling every kernel that it lacks; None where none is writable."""
    missing = [name for name in MODULES if _stored(name) is None]
    if missing and cache.folder() is None:
        return None
    for name in missing:
        notify(name)
        _compiled(name)
    return folder()


@once
def folder() -> Path | None:
    """The cache folder of exactly these kernels on exactly this machine."""
    base = cache.folder() or cache.location()
    return base / f"kernels-{digest()}"


@once
def digest() -> str:
    """A hash of all that decides what the machine code looks like."""
    import llvmlite
    import llvmlite.binding as llvm

    seen = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        seen.update(path.read_bytes())
    processor = llvm.get_host_cpu_name() + llvm.get_host_cpu_features().flatten()
    for fact in (sys.implementation.cache_tag, sys.platform, llvmlite.__version__, processor):
        seen.update(f"\0{fact}".encode())
    return seen.hexdigest()[:16]


def _stored(name: str) -> bytes | None:
    """The object file of a kernel with its header; None where it is missing or damaged."""
    place = folder()
    if place is None:
        return None
    try:
        content = (place / f"{name}.o").read_bytes()
        header, machine_code = _split(content)
    except (OSError, ValueError):
        return None
    return content if zlib.crc32(machine_code) == header.get("crc32") else None


def _compiled(name: str) -> bytes:
    from gai.kernels import build

    header, machine_code = build.compile_kernel(MODULES[name], name)
    header["crc32"] = zlib.crc32(machine_code)
    content = json.dumps(header).encode() + b"\n" + machine_code
    place = folder()
    if place is not None and cache.folder() is not None:
        with suppress(OSError):  # what cannot be kept is compiled again next time
            place.mkdir(exist_ok=True)
        cache.write(place / f"{name}.o", content)
    return content


def _split(content: bytes) -> tuple[dict[str, Any], bytes]:
    header, _, machine_code = content.partition(b"\n")
    return json.loads(header), machine_code


def _link(name: str, content: bytes) -> Kernel:
    import llvmlite.binding as llvm

    header, machine_code = _split(content)
    engine = _engine()
    process = ctypes.CDLL(None)
    for symbol in header["needs"]:
        if hasattr(process, symbol) or llvm.address_of_symbol(symbol) is not None:
            continue
        if not symbol.startswith(NEVER_CALLED):
            raise RuntimeError(f"kernel {name} needs {symbol}, which is not there")
        llvm.add_symbol(symbol, ctypes.cast(process.abort, ctypes.c_void_p).value)
    engine.add_object_file(llvm.ObjectFileRef.from_data(machine_code))
    engine.finalize_object()
    return Kernel(name, engine.get_function_address(header["symbol"]), header["arguments"])


@once
def _engine() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine()
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
