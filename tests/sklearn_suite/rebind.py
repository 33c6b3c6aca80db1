"""A pytest plugin: scikit-learn's tests of text features run on gai's vectorizers.

``pytest -p rebind --pyargs sklearn.feature_extraction.tests.test_text`` rebinds the names before
the test module is imported, so that its parametrised tests get gai's classes too. What happened
goes to the file that REBIND_REPORT names, as JSON: for each test its ``outcome``, whether it has to
do with a vectorizer at all (``any``, HashingVectorizer among them, which is not gai's) or with one
of gai's (``gai``), and how often gai counted (``counted``) and not scikit-learn. With REBIND_SPOIL
the counting forgets the first document; a suite that passes all the same tests nothing.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sklearn.feature_extraction import text

from gai import sklearn as ours
from gai.documents.batch import Batch

GAI = (ours.CountVectorizer, ours.TfidfVectorizer)
ANY = (*GAI, text.HashingVectorizer)
COUNT = ours.counts.count
NONE = SimpleNamespace(params={})

report: dict[str, dict[str, Any]] = {}
seen: set[type] = set()
counted = 0


def count(batches: Iterator[Batch], *args: Any, **options: Any) -> Any:
    """What gai counts, noted and perhaps spoiled; by the kernels, though there is little text."""
    global counted
    counted += 1
    batches = spoil(batches) if "REBIND_SPOIL" in os.environ else batches
    return COUNT(batches, *args, **options, engine="kernels")


def spoil(batches: Iterator[Batch]) -> Iterator[Batch]:
    """The batches without the text of their first documents."""
    for batch in batches:
        batch.ends[0] = batch.starts[0]
        yield batch


def create(cls: type, *args: Any, **options: Any) -> Any:
    """A new object, whose class is noted."""
    seen.add(cls)
    return object.__new__(cls)


def rebind() -> None:
    """Put gai's classes in the place of scikit-learn's and listen to them."""
    ours.counts.count = count
    ours.SMALL = 0
    text.CountVectorizer, text.TfidfVectorizer = GAI
    for vectorizer in ANY:
        vectorizer.__new__ = create


rebind()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    global counted
    counted = 0
    seen.clear()
    seen.update(type(value) for value in getattr(item, "callspec", NONE).params.values())
    try:
        return (yield)
    finally:
        report[item.name] = {
            "any": any(issubclass(one, ANY) for one in seen),
            "gai": any(issubclass(one, GAI) for one in seen),
            "counted": counted,
        }


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" or not report.passed:
        note(report.nodeid.rpartition("::")[2], report.outcome)


def note(name: str, outcome: str) -> None:
    """A test that did not even begin counts as one that has to do with gai."""
    report.setdefault(name, {"any": True, "gai": True, "counted": 0})["outcome"] = outcome


def pytest_sessionfinish() -> None:
    if where := os.environ.get("REBIND_REPORT"):
        Path(where).write_text(json.dumps(report), encoding="utf-8")
