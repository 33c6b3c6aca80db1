"""What the commands compute: worked examples, scikit-learn as oracle, the same numbers twice."""

from __future__ import annotations

import json
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from gai.output import load

TRAIN = "A red fox.\nThe red, red dog and the fox!\n\nFoxes don't bark: dogs do\n"
TEST = "the dog saw a red cat\nunseen words only\n\nfox fox FOX dog\n"
SENTENCES = "The cat sat on the mat.\nThe dog barked at the cat.\n"


def lines(output: bytes) -> list[list[str]]:
    return [line.split("\t") for line in output.decode().splitlines()]


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def train(tmp_path: Path) -> Path:
    return written(tmp_path / "train.txt", TRAIN)


@pytest.fixture
def test(tmp_path: Path) -> Path:
    return written(tmp_path / "test.txt", TEST)


def test_counts_of_two_sentences_in_the_order_of_appearance(gai: Any, tmp_path: Path) -> None:
    done = gai("bow", "--order", "first", "-o", tmp_path / "x.npz", stdin=SENTENCES.encode())
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    stored = load(tmp_path / "x.npz")
    assert list(stored.terms) == ["the", "cat", "sat", "on", "mat", "dog", "barked", "at"]
    rows = [[2, 1, 1, 1, 1, 0, 0, 0], [2, 1, 0, 0, 0, 1, 1, 1]]
    assert stored.matrix.toarray().tolist() == rows
    assert list(stored.documents) == ["-:1", "-:2"]


def test_weights_of_two_sentences(gai: Any) -> None:
    done = gai("tfidf", stdin=SENTENCES.encode())
    found = {(document, term): float(value) for document, term, value in lines(done.stdout)}
    assert found["-:1", "cat"] == found["-:2", "cat"] == 0.0
    assert found["-:1", "sat"] == pytest.approx(log(2) / 6, rel=1e-15)
    assert len(found) == 10


def test_counts_are_integers_in_a_pipe(quick: Any) -> None:
    done = quick("bow", stdin=b"b a b\n")
    assert done.stdout == b"-:1\ta\t1\n-:1\tb\t2\n"


def test_explain_shows_how_a_weight_comes_about(quick: Any) -> None:
    done = quick("tfidf", "--explain", "-:1", "cat", stdin=SENTENCES.encode())
    assert dict(lines(done.stdout)) == {
        "document": "-:1",
        "term": "cat",
        "count": "1",
        "length": "6",
        "tf": repr(1 / 6),
        "df": "2",
        "documents": "2",
        "idf": "0.0",
        "weight": "0.0",
    }


@pytest.mark.parametrize("more", [[], ["--like", "sklearn"], ["--bm25"], ["--smart", "anc"]])
def test_the_explained_weight_is_the_weight(more: list[str], quick: Any, train: Path) -> None:
    flags = ["tfidf", "--per", "line", *more, train]
    weights = {(row[0], row[1]): row[2] for row in lines(quick(*flags).stdout)}
    done = quick(*flags, "--explain", f"{train}:2", "red")
    assert dict(lines(done.stdout))["weight"] == weights[f"{train}:2", "red"]


@pytest.mark.parametrize(
    ("document", "term", "reason"),
    [("-:9", "cat", "no document"), ("-:1", "dig", "dog"), ("-:1", "CAT", "there is cat")],
)
def test_what_cannot_be_explained(document: str, term: str, reason: str, quick: Any) -> None:
    done = quick("tfidf", "--explain", document, term, stdin=SENTENCES.encode())
    assert (done.returncode, done.stdout) == (1, b"")
    assert reason in done.stderr.decode()


@pytest.mark.parametrize(
    ("command", "vectorizer"), [("bow", CountVectorizer), ("tfidf", TfidfVectorizer)]
)
def test_like_sklearn_and_apply(
    command: str, vectorizer: Any, quick: Any, train: Path, test: Path, tmp_path: Path
) -> None:
    oracle = vectorizer()
    expected = oracle.fit_transform(TRAIN.split("\n")[:-1]).toarray()
    trained, applied = tmp_path / "train.npz", tmp_path / "test.npz"
    quick(command, "--like", "sklearn", "--per", "line", train, "-o", trained)
    assert list(load(trained).terms) == oracle.get_feature_names_out().tolist()
    np.testing.assert_allclose(load(trained).matrix.toarray(), expected, rtol=1e-12)
    done = quick(command, "--apply", trained, "--per", "line", test, "-o", applied)
    assert done.returncode == 0, done.stderr
    expected = oracle.transform(TEST.split("\n")[:-1]).toarray()
    np.testing.assert_allclose(load(applied).matrix.toarray(), expected, rtol=1e-12)
    assert list(load(applied).terms) == list(load(trained).terms)


def test_an_applied_matrix_applies_what_its_own_training_was(
    quick: Any, train: Path, test: Path, tmp_path: Path
) -> None:
    one, two, three = (tmp_path / name for name in ("1.npz", "2.npz", "3.npz"))
    quick("tfidf", "--bm25", "--per", "line", train, "-o", one)
    quick("tfidf", "--apply", one, "--per", "line", test, "-o", two)
    quick("tfidf", "--apply", two, "--per", "line", train, "-o", three)
    np.testing.assert_array_equal(load(three).matrix.toarray(), load(one).matrix.toarray())


@pytest.mark.parametrize(
    "flags",
    [
        ["--keep-case"],
        ["--tokenizer", "word"],
        ["--min-df", "2"],
        ["--order", "freq"],
        ["--binary"],
        ["--norm", "l2"],
        ["--smart", "ltc"],
        ["--bm25"],
        ["--stop-words", "english"],
        ["--ngrams", "1,2"],
        ["--like", "sklearn"],
        ["--pretokenized"],
    ],
)
def test_a_flag_that_contradicts_the_stored_choice(
    flags: list[str], quick: Any, stored: Path, test: Path
) -> None:
    done = quick("tfidf", "--apply", stored, *flags, test)
    assert (done.returncode, done.stdout) == (2, b"")
    assert f"--apply {stored}" in done.stderr.decode()
    assert " ".join(flags) in done.stderr.decode()


@pytest.fixture
def stored(quick: Any, tmp_path: Path) -> Path:
    path = tmp_path / "train.npz"
    quick("tfidf", "-o", path, stdin=TRAIN.encode())
    return path


@pytest.mark.parametrize(
    "flags",
    [["--tokenizer", "unicode"], ["--norm", "none"], ["--tf", "relative"], ["--per", "line"]],
)
def test_a_flag_that_agrees_with_the_stored_choice(
    flags: list[str], quick: Any, stored: Path, test: Path
) -> None:
    assert quick("tfidf", "--apply", stored, *flags, test).returncode == 0


def test_counts_are_no_model_for_weights(quick: Any, train: Path, tmp_path: Path) -> None:
    quick("bow", train, "-o", tmp_path / "counts.npz")
    done = quick("tfidf", "--apply", tmp_path / "counts.npz", train)
    assert done.returncode == 2
    assert b"holds counts, not weights" in done.stderr


def test_frequencies_are_sorted_by_frequency_and_then_by_term(quick: Any, train: Path) -> None:
    done = quick("freq", "--tokenizer", "word", "--per", "line", train)
    assert lines(done.stdout)[:5] == [
        ["red", "3", "2"],
        ["fox", "2", "2"],
        ["the", "2", "1"],
        ["a", "1", "1"],
        ["and", "1", "1"],
    ]
    most = quick("freq", "--tokenizer", "word", "--per", "line", train, "-k", "2")
    assert most.stdout == b"red\t3\t2\nfox\t2\t2\n"
    common = quick("freq", "--tokenizer", "word", "--per", "line", train, "--min-df", "0.5")
    assert common.stdout == b"red\t3\t2\nfox\t2\t2\n"


def test_frequencies_in_other_formats(quick: Any, tmp_path: Path) -> None:
    done = quick("freq", "--format", "jsonl", stdin=b"b a b")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows == [{"term": "b", "tf": 2, "df": 1}, {"term": "a", "tf": 1, "df": 1}]
    quick("freq", "-o", tmp_path / "x.csv", stdin=b"b a b")
    assert (tmp_path / "x.csv").read_bytes() == b"term,tf,df\nb,2,1\na,1,1\n"


@pytest.mark.parametrize("command", ["bow", "tfidf"])
def test_top_is_the_beginning_of_each_row_sorted(command: str, quick: Any, corpora: Path) -> None:
    files = sorted((corpora / "inaugural").glob("179*.txt"))
    rows: dict[str, list[tuple[float, str]]] = {}
    for document, term, value in lines(quick(command, *files).stdout):
        rows.setdefault(document, []).append((-float(value), term))
    expected = [
        (document, term, -weight)
        for document in rows
        for weight, term in sorted(rows[document])[:3]
    ]
    found = lines(quick(command, *files, "--top", "3").stdout)
    assert [(document, term, float(value)) for document, term, value in found] == expected


def test_top_of_a_stored_matrix_is_top_of_the_run(quick: Any, train: Path, tmp_path: Path) -> None:
    flags = ["tfidf", "--per", "line", train]
    quick(*flags, "-o", tmp_path / "x.npz")
    for more in ([], ["--format", "jsonl"], ["--format", "csv"]):
        done = quick("top", tmp_path / "x.npz", "-k", "2", *more)
        assert done.returncode == 0
        assert done.stdout == quick(*flags, "--top", "2", *more).stdout != b""


def test_top_as_jsonl_starts_with_the_heaviest(quick: Any) -> None:
    done = quick("bow", "--top", "2", "--format", "jsonl", stdin=b"c b c a c b\n\n")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows == [{"id": "-:1", "terms": {"c": 3, "b": 2}}, {"id": "-:2", "terms": {}}]
    assert list(rows[0]["terms"]) == ["c", "b"]


def test_a_vocabulary_fixes_the_columns(quick: Any, train: Path, tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text("red\nunicorn\t9\n\nfox\n", encoding="utf-8")
    out = tmp_path / "x.npz"
    quick("bow", "--per", "line", "--vocabulary", tmp_path / "v.txt", train, "-o", out)
    assert list(load(out).terms) == ["red", "unicorn", "fox"]
    assert load(out).matrix.toarray().tolist() == [[1, 0, 1], [2, 0, 1], [0, 0, 0], [0, 0, 0]]
    again = tmp_path / "y.npz"
    quick("bow", "--per", "line", "--vocabulary", out, train, "-o", again)
    assert list(load(again).terms) == ["red", "unicorn", "fox"]


def test_ids_survive_a_pipe_of_two(quick: Any, two: Path) -> None:
    first = quick("bow", "--per", "line", two, "--format", "jsonl")
    ids = [json.loads(line)["id"] for line in first.stdout.splitlines()]
    records = "".join(json.dumps({"id": name, "text": "cat"}) + "\n" for name in ids)
    done = quick("bow", "--input-format", "jsonl", stdin=records.encode())
    assert [row[0] for row in lines(done.stdout)] == ids == [f"{two}:1", f"{two}:2"]


def test_info_on_a_file_shows_size_signature_and_terms(
    quick: Any, two: Path, tmp_path: Path
) -> None:
    quick("tfidf", "--smart", "ltc", "--per", "line", two, "-o", tmp_path / "x.npz")
    done = quick("info", tmp_path / "x.npz", "--format", "json")
    facts = json.loads(done.stdout)
    assert (facts["documents"], facts["terms"], facts["non-zeros"]) == (2, 8, 10)
    assert facts["signature"]["weighting"] == {"tf": "log", "idf": "plain", "norm": "l2"}
    assert facts["first terms"][:3] == ["at", "barked", "cat"]
    table = dict(lines(quick("info", tmp_path / "x.npz").stdout))
    assert table["signature.weighting.norm"] == "l2"
    assert table["first documents"] == f"{two}:1 {two}:2"


def test_info_without_a_file_shows_the_installation(gai: Any, tmp_path: Path) -> None:
    done = gai("info", "--format", "json", env={"GAI_CACHE": str(tmp_path / "cache")})
    facts = json.loads(done.stdout)
    assert facts["packages"]["numpy"] == np.__version__
    assert facts["cache"] == str(tmp_path / "cache")
    assert facts["kernels"].startswith("0 of ")
    assert set(facts["tokenizers"]) >= {"unicode", "word", "regex"}


def test_kernels_are_compiled_on_demand(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def compile_all(notify: Any) -> Path:
        notify("count_word")
        return Path()

    monkeypatch.setattr("gai.kernels.compile_all", compile_all)
    assert call("info", "--compile").err == "gai: compiling count_word\n"
    assert call("info", "--compile", "-q").err == ""
    assert call("info").err == ""
    monkeypatch.setattr("gai.kernels.compile_all", lambda notify: None)
    ended = call("info", "--compile")
    assert (ended.code, ended.out) == (1, "")
    assert "GAI_CACHE" in ended.err


def test_the_rule_for_make_names_every_file(quick: Any, two: Path, tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text("cat\n", encoding="utf-8")
    flags = ["--vocabulary", "v.txt", "-o", "x.tsv", "--deps", "x.d"]
    done = quick("bow", "two.txt", *flags, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rule = (tmp_path / "x.d").read_text(encoding="utf-8").partition("\n\n")[0]
    assert rule.replace("\\\n", "").split() == ["x.tsv:", "two.txt", "v.txt"]


@pytest.mark.parametrize("command", ["bow", "freq"])
@pytest.mark.parametrize(("name", "deps"), [("a;b.txt", "x.d"), ("a.txt", "nowhere/x.d")])
def test_no_output_stands_without_its_rule(
    command: str, name: str, deps: str, quick: Any, tmp_path: Path
) -> None:
    (tmp_path / name).write_text("cat")
    done = quick(command, name, "-o", "x.tsv", "--deps", deps, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert not (tmp_path / "x.tsv").exists()


@pytest.mark.parametrize(("seed", "locale"), [("0", "C"), ("1", "tr_TR.UTF-8")])
def test_the_same_bytes_everywhere(seed: str, locale: str, gai: Any, corpora: Path) -> None:
    files = sorted((corpora / "udhr").glob("t*.txt"))
    plain = gai("tfidf", *files, "-j1")
    done = gai("tfidf", *files, "-j2", env={"PYTHONHASHSEED": seed, "LC_ALL": locale})
    assert plain.returncode == done.returncode == 0
    assert done.stdout == plain.stdout != b""
