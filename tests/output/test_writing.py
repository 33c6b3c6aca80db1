"""Which format goes where."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gai.errors import UsageError
from gai.output import FORMATS, write
from gai.output.writing import Destination, resolve


@pytest.mark.parametrize(
    ("path", "format", "expected"),
    [
        ("x.npz", None, Destination("x.npz", "npz")),
        ("x.tsv.gz", None, Destination("x.tsv.gz", "tsv", True)),
        ("x.ndjson", None, Destination("x.ndjson", "jsonl")),
        ("x.svmlight.gz", None, Destination("x.svmlight.gz", "svm", True)),
        ("X.MTX", None, Destination("X.MTX", "mtx")),
        ("-", None, Destination("-", "tsv")),
        ("-", "npz", Destination("-", "npz")),
        ("x.txt", "csv", Destination("x.txt", "csv")),
        ("x.gz", "jsonl", Destination("x.gz", "jsonl", True)),
        ("x.tsv", "libsvm", Destination("x.tsv", "svm")),
        (Path("a") / "x.parquet", None, Destination("a/x.parquet", "parquet")),
    ],
)
def test_the_format_comes_from_the_flag_or_the_name(
    path: str, format: str | None, expected: Destination
) -> None:
    assert resolve(path, format) == expected


@pytest.mark.parametrize(
    ("path", "format"), [("x.txt", None), ("x", None), ("x.tsv", "xml"), ("x.gz", None)]
)
def test_an_unknown_format_is_a_usage_error_that_lists_the_formats(
    path: str, format: str | None
) -> None:
    with pytest.raises(UsageError, match="format") as caught:
        resolve(path, format)
    assert all(name in caught.value.hint for name in FORMATS)


@pytest.mark.parametrize("path", ["x.npz.gz", "x.parquet.gz"])
def test_binary_formats_are_not_compressed_again(path: str) -> None:
    with pytest.raises(UsageError, match="not compressed with gzip") as caught:
        resolve(path)
    assert path[:-3] in caught.value.hint


def test_no_binary_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with pytest.raises(UsageError, match="no text for a terminal"):
        write(None, "-", "npz")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "format", "beside"),
    [
        ("a/x.mtx", None, ("a/x.terms", "a/x.docs")),
        ("x.svm.gz", None, ("x.terms", "x.docs")),
        ("x.1.mtx", None, ("x.1.terms", "x.1.docs")),
        ("x.1", "mtx", ("x.1.terms", "x.1.docs")),
        ("-", "mtx", ()),
        ("/dev/null", "svm", ()),
        ("x.tsv", None, ()),
    ],
)
def test_where_the_names_go(path: str, format: str | None, beside: tuple[str, ...]) -> None:
    assert resolve(path, format).beside == beside
