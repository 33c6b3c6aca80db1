"""scikit-learn's own tests of its vectorizers, run on gai's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import gai

SOURCES = [Path(__file__).parent, Path(gai.__path__[0]).parent]

REASONS: dict[str, str] = {}
"""Why a test that has to do with a vectorizer does not pass: its name -> the reason."""


def run_suite(folder, *options, **variables):
    """The report of the plugin, and what pytest printed, for one run in a fresh process."""
    report = folder / "report.json"
    path = os.pathsep.join(filter(None, [*map(str, SOURCES), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "rebind", "-p", "no:cacheprovider"]
    command += ["-c", os.devnull, "--pyargs", "sklearn.feature_extraction.tests.test_text"]
    done = subprocess.run(
        [*command, *options],
        env={**os.environ, "PYTHONPATH": path, "REBIND_REPORT": str(report), **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    return json.loads(report.read_text("utf-8")), done.stdout


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    return run_suite(tmp_path_factory.mktemp("suite"))


def passed(tests):
    return {name for name, test in tests.items() if test["outcome"] == "passed"}


def test_the_tests_of_a_vectorizer_pass(suite):
    tests = {name: test for name, test in suite[0].items() if test["any"]}
    print(f"{len(passed(tests))} of {len(tests)} tests of a vectorizer passed")
    assert set(tests) - passed(tests) <= set(REASONS), suite[1]
    assert len(passed(tests)) >= 109


def test_the_tests_of_the_two_that_gai_replaces_pass(suite):
    tests = {name: test for name, test in suite[0].items() if test["gai"]}
    print(f"{len(passed(tests))} of {len(tests)} tests of gai's two vectorizers passed")
    assert set(tests) - passed(tests) <= set(REASONS), suite[1]
    assert len(passed(tests)) >= 85


def test_gai_has_done_the_counting(suite):
    counted = {name for name, test in suite[0].items() if test["counted"]}
    print(f"gai counted in {len(counted)} tests")
    assert len(counted) >= 40
    assert {
        "test_count_binary_occurrences",  # characters
        "test_tfidf_vectorizer_with_fixed_vocabulary",
        "test_vectorizer_stop_words_inconsistent",
        "test_vectorizer_pipeline_grid_selection",  # pairs of words
    } <= counted


def test_a_wrong_count_is_noticed(tmp_path):
    names = "max_features or inverse_transform or vectorizer_unicode or test_vectorizer_max_df"
    told, _ = run_suite(tmp_path, "-k", names, REBIND_SPOIL="1")
    assert {
        "test_vectorizer_unicode",
        "test_vectorizer_max_df",
        "test_count_vectorizer_max_features",
        "test_vectorizer_inverse_transform[CountVectorizer]",
        "test_vectorizer_inverse_transform[TfidfVectorizer]",
    } <= set(told) - passed(told)
