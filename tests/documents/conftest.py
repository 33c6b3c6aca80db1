"""What the tests of documents share: reading everything through the plain kernels."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from gai.documents import PADDING, Batch, DocumentIds, Reader, Reading, check, cut
from gai.kernels.reference import text as kernels

Documents = list[tuple[str, bytes]]


def documents_of(batches: list[Batch]) -> Documents:
    """The id and the bytes of every document, pieces put together again."""
    ids = DocumentIds()
    texts: list[bytes] = []
    for batch in batches:
        cut_batch = cut(batch, kernels)
        assert cut_batch.starts is not None
        assert cut_batch.ends is not None
        spans = zip(cut_batch.starts.tolist(), cut_batch.ends.tolist(), strict=True)
        documents = [batch.data[start:end].tobytes() for start, end in spans]
        if batch.continued:
            texts[-1] += documents.pop(0)
        texts += documents
        if isinstance(batch.ids, str):
            ids.append_lines(batch.ids, len(documents), batch.restart)
        else:
            ids.append_names(batch.ids[int(batch.continued) :])
    return list(zip(ids, texts, strict=True))


def require_padding(batch: Batch) -> None:
    """Kernels load eight bytes anywhere: zeros must follow the text."""
    padding = batch.data[batch.size : batch.size + PADDING]
    assert len(padding) == PADDING
    assert not padding.any()


def read(reading: Reading) -> Documents:
    batches = list(Reader(reading))
    for batch in batches:
        require_padding(batch)
    return documents_of(batches)


def read_checked(reading: Reading) -> Documents:
    batches = [check(batch, reading.errors, kernels.first_invalid) for batch in Reader(reading)]
    for batch in batches:
        require_padding(batch)
    return documents_of(batches)


@pytest.fixture(scope="session")
def documents() -> Callable[[Reading], Documents]:
    """A function from a reading to its documents: (id, bytes) each."""
    return read


@pytest.fixture(scope="session")
def checked() -> Callable[[Reading], Documents]:
    """The same after ``check``: UTF-8, or an error."""
    return read_checked


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the examples of a property share."""
    return tmp_path_factory.mktemp("documents")


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """A function that puts bytes on standard input."""

    def put(content: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))

    return put
