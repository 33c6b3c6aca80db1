"""Scores of vectors: those of gensim on the same vectors, and worked examples."""

from __future__ import annotations

import logging
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gai.errors import GaiError
from gai.output.vectors import Vectors, load
from gai.terms import Terms
from gai.vectors import evaluation, questions, testsets
from gai.vectors.evaluation import AnalogyScore, Asking, Known, SimilarityScore, evaluate, evaluator
from gai.vectors.testsets import Analogies, Pairs


def vectors_of(words: list[str], matrix: Any) -> Vectors:
    return Vectors(Terms.of(words), np.asarray(matrix, np.float32))


def in_gensim(vectors: Vectors) -> Any:
    """The same vectors for gensim."""
    from gensim.models import KeyedVectors

    made = KeyedVectors(vectors.dim)
    made.add_vectors(list(vectors.words), np.array(vectors.matrix))
    return made


@pytest.fixture(scope="module")
def google() -> Analogies:
    """Google's analogies."""
    found = testsets.load("google")
    assert isinstance(found, Analogies)
    return found


@pytest.fixture(scope="module")
def sample(google: Analogies, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every fifteenth of Google's questions, as a file."""
    path = tmp_path_factory.mktemp("sets") / "sample.txt"
    lines, last = [], -1
    for number in range(0, len(google.questions), 15):
        if (place := int(google.places[number])) != last:
            lines.append(f": {google.sections[place]}")
            last = place
        lines.append(" ".join(google.questions[number]))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def solvable(google: Analogies) -> Vectors:
    """Most words of the built-in sets, so that analogies are solved now and then.

    Lower case, but for some words that are there in other cases, too, and some that are there in
    capitals only.
    """
    rng = np.random.default_rng(7)
    pairs = [testsets.load(name) for name in ("wordsim353", "simlex999")]
    words = {word: rng.standard_normal(24) for question in google.questions for word in question}
    for one in pairs:
        assert isinstance(one, Pairs)
        words |= {word: rng.standard_normal(24) for word in (*one.first, *one.second)}
    shifts = rng.standard_normal((len(google.sections), 24)) * 1.3
    for (a, b, *_), place in zip(google.questions, google.places, strict=True):
        words[b] = words[a] + shifts[place] + 0.6 * rng.standard_normal(24)
    spelled = {spelling(word, number): row for number, (word, row) in enumerate(words.items())}
    for word in list(words)[::5]:
        spelled.setdefault(word.title(), words[word] + 0.2 * rng.standard_normal(24))
        spelled.setdefault(word.upper(), words[word] + 0.2 * rng.standard_normal(24))
    order = rng.permutation(len(spelled))
    kept = [list(spelled)[number] for number in order if number % 13]
    return vectors_of(kept, [spelled[word] for word in kept])


def spelling(word: str, number: int) -> str:
    return word.upper() if number % 4 == 0 else word.lower()


def cosine(x: Any, y: Any) -> float:
    """In float64: after so little training all vectors point the same way."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    return float(x @ y / np.sqrt((x @ x) * (y @ y)))


def fasttext_of(corpora: Path) -> Any:
    """A small model that gensim has trained."""
    from gensim.models import FastText

    files = sorted((corpora / "inaugural").glob("*.txt"))
    text = [line.lower().split() for file in files for line in file.open()]
    return FastText(text, vector_size=8, epochs=1, bucket=500, workers=1, seed=1)


# similarity


@pytest.mark.parametrize("name", ["wordsim353", "simlex999"])
@pytest.mark.parametrize("top_words", [300_000, 1500])
def test_similarity_is_gensims(solvable: Vectors, name: str, top_words: int) -> None:
    pairs = testsets.load(name)
    assert isinstance(pairs, Pairs)
    score = evaluation.similarity(solvable, pairs, top_words=top_words)
    pearson, spearman, unknown = in_gensim(solvable).evaluate_word_pairs(
        str(testsets.built_in(name)), restrict_vocab=top_words
    )
    assert 0.3 * score.total < score.found < score.total
    assert score.spearman == pytest.approx(spearman[0], abs=1e-9)
    assert score.pearson == pytest.approx(pearson[0], abs=1e-6)
    assert 100 * (1 - score.found / score.total) == pytest.approx(unknown)


def test_unseen_words_are_left_out_of_fasttext_as_gensim_does_it(corpora: Path) -> None:
    trained = fasttext_of(corpora).wv
    name = "wordsim353"
    score = evaluate(vectors_of(trained.index_to_key, trained.vectors), [testsets.load(name)])[0]
    assert isinstance(score, SimilarityScore)
    _, spearman, unknown = trained.evaluate_word_pairs(str(testsets.built_in(name)))
    assert 3 < score.found < score.total
    assert score.spearman == pytest.approx(spearman[0], abs=1e-6)
    assert 100 * (1 - score.found / score.total) == pytest.approx(unknown)


def test_parts_of_words_answer_for_unseen_words_where_asked(corpora: Path, tmp_path: Path) -> None:
    from gensim.models.fasttext import save_facebook_model

    trained = fasttext_of(corpora)
    save_facebook_model(trained, str(tmp_path / "model.bin"))
    pairs = testsets.load("wordsim353")
    assert isinstance(pairs, Pairs)
    found = evaluation.similarity(load(tmp_path / "model.bin"), pairs, subwords=True)
    both = zip(pairs.first, pairs.second, strict=True)
    theirs = [cosine(trained.wv[a.lower()], trained.wv[b.lower()]) for a, b in both]
    assert (found.found, found.missing) == (353, ())
    assert found.pearson == pytest.approx(np.corrcoef(pairs.scores, theirs)[0, 1], abs=1e-5)
    assert evaluation.similarity(load(tmp_path / "model.bin"), pairs).found < 353


def test_missing_words_are_named_once_as_the_set_spells_them() -> None:
    pairs = Pairs("x", ("Cat", "Emu", "Emu"), ("dog", "cat", "Yak"), np.array([1.0, 2.0, 3.0]))
    score = evaluation.similarity(vectors_of(["dog", "CAT"], np.eye(2)), pairs)
    assert score.missing == ("Emu", "Yak")
    assert (score.found, score.total) == (1, 3)
    assert math.isnan(score.spearman)


def test_spearman_with_ties_worked_by_hand() -> None:
    # ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4: d = 0, 0.5, 0.5, 0; with means 2.5:
    # sums of squares 4.5 and 5, of products 2.25 + 0 + 0 + 2.25 = 4.5; 4.5 / sqrt(22.5)
    x, y = np.array([1.0, 2.0, 2.0, 9.0]), np.array([0.1, 0.5, 0.4, 0.6])
    assert evaluation.ranks(x).tolist() == [1, 2.5, 2.5, 4]
    assert evaluation.spearman(x, y) == pytest.approx(4.5 / math.sqrt(22.5))


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=2, max_size=40))
def test_correlations_are_scipys(pairs: list[tuple[int, int]]) -> None:
    from scipy import stats

    x, y = np.array(pairs, np.float64).T
    assert evaluation.ranks(x).tolist() == stats.rankdata(x).tolist()
    if np.ptp(x) and np.ptp(y):
        assert evaluation.spearman(x, y) == pytest.approx(stats.spearmanr(x, y)[0], abs=1e-12)
        assert evaluation.pearson(x, y) == pytest.approx(stats.pearsonr(x, y)[0], abs=1e-12)
    else:
        assert math.isnan(evaluation.spearman(x, y))


def test_the_interval_is_that_of_its_author() -> None:
    # The example of ci.spear in statpsych, by Bonett himself.
    y = np.array([21, 4, 9, 12, 35, 18, 10, 22, 24, 1, 6, 8, 13, 16, 19.0])
    x = np.array([67, 28, 30, 28, 52, 40, 25, 37, 44, 10, 14, 20, 28, 40, 51.0])
    r = evaluation.spearman(x, y)
    assert r == pytest.approx(0.8699639, abs=5e-8)
    assert evaluation.standard_error(r, 15) == pytest.approx(0.08241326, abs=5e-9)
    assert evaluation.interval(r, 15) == pytest.approx((0.5840951, 0.9638297), abs=5e-8)


def test_the_interval_worked_by_hand() -> None:
    # z = ln(3) / 2 = 0.549306, sqrt(1.125 / 100) = 0.106066, times 1.959964 = 0.207886;
    # tanh(0.341420) = 0.328745, tanh(0.757192) = 0.639420; 0.75 * 0.106066 = 0.079550
    assert evaluation.interval(0.5, 103) == pytest.approx((0.32874503, 0.63941985))
    assert evaluation.standard_error(0.5, 103) == pytest.approx(0.07954951)


def test_the_interval_of_few_or_perfect_pairs() -> None:
    assert all(map(math.isnan, evaluation.interval(0.5, 3)))
    assert math.isnan(evaluation.standard_error(0.5, 3))
    assert evaluation.interval(-1.0, 9) == (-1.0, -1.0)
    assert evaluation.standard_error(1.0, 9) == 0
    assert all(map(math.isnan, evaluation.interval(math.nan, 9)))


def test_vectors_that_are_no_numbers_are_refused() -> None:
    """A mapped file is not looked through before."""
    words = ["king", "man", "queen", "woman", "bad"]
    pairs = Pairs("x", ("king", "king"), ("man", "bad"), np.array([1.0, 2.0]))
    one = Analogies("x", (("man", "king", "woman", "queen"),), ("s",), np.zeros(1, np.int64))
    vectors = vectors_of(words, [*np.eye(4), [np.nan] * 4])
    for test in (pairs, one):
        with pytest.raises(GaiError, match="'bad' holds NaN"):
            evaluate(vectors, [test])


def test_a_correlation_with_what_is_no_number_is_none() -> None:
    x, y = np.array([1.0, 2.0, 3.0]), np.array([1.0, np.nan, 3.0])
    assert math.isnan(evaluation.spearman(x, y))
    assert math.isnan(evaluation.pearson(x, y))


# analogies


@pytest.mark.parametrize("top_words", [300_000, 1500])
def test_analogies_are_gensims(solvable: Vectors, sample: Path, top_words: int) -> None:
    one = testsets.load(str(sample))
    assert isinstance(one, Analogies)
    score = evaluation.analogies(solvable, one, top_words=top_words)
    logging.disable()
    accuracy, sections = in_gensim(solvable).evaluate_word_analogies(
        str(sample), restrict_vocab=top_words
    )
    logging.disable(logging.NOTSET)
    theirs = [
        (each["section"], len(each["correct"]), len(each["correct"]) + len(each["incorrect"]))
        for each in sections
    ]
    assert [(each.name, each.correct, each.found) for each in score.sections] == theirs[:-1]
    assert score.overall.accuracy == pytest.approx(accuracy)
    assert score.overall.found == theirs[-1][2]
    assert 0.05 < accuracy < 0.95


@pytest.mark.filterwarnings("ignore:Call to deprecated:DeprecationWarning")
def test_3cosmul_is_gensims(solvable: Vectors, sample: Path) -> None:
    lower = solvable.words
    only = [place for place, word in enumerate(lower) if word.islower()]
    vectors = vectors_of([lower[place] for place in only], solvable.matrix[only])
    one = testsets.load(str(sample))
    assert isinstance(one, Analogies)
    score = evaluation.analogies(vectors, one, "3cosmul")
    theirs, asked = in_gensim(vectors), 0
    solved = 0
    for question in one.questions:
        a, b, c, d = map(str.lower, question)
        if all(word in theirs for word in (a, b, c, d)):
            asked += 1
            best = theirs.most_similar_cosmul(positive=[b, c], negative=[a], topn=1)[0][0]
            solved += best == d
    assert (score.overall.correct, score.overall.found) == (solved, asked)
    assert score.overall.correct != evaluation.analogies(vectors, one).overall.correct


@pytest.mark.parametrize("method", ["3cosadd", "3cosmul"])
@pytest.mark.parametrize("room", [1, 1 << 23])
def test_answers_are_those_of_one_question_at_a_time(
    monkeypatch: pytest.MonkeyPatch, method: str, room: int
) -> None:
    monkeypatch.setattr(questions, "ROOM", room)
    monkeypatch.setattr(questions, "NARROW", 7)
    monkeypatch.setattr(questions, "GROUP", 3)
    rng = np.random.default_rng(3)
    vectors = vectors_of([f"w{n}" for n in range(90)], rng.standard_normal((90, 6)))
    same = np.arange(80)
    same[40:60] = np.arange(20)  # twenty words in two cases
    asked = rng.integers(0, 20, (200, 3))
    asked[:9] = [1, 2, 3], [1, 2, 3], [1, 2, 4], [1, 2, 5], [1, 2, 6], [4, 4, 4], *[[7, 7, 8]] * 3
    found = questions.answers(vectors, asked, same, method)
    assert found.tolist() == [plain_answer(vectors.matrix, row, same, method) for row in asked]
    assert found.tolist() == questions.answers(vectors, asked, same, method, jobs=3).tolist()


def plain_answer(matrix: Any, question: Any, same: Any, method: str) -> int:
    """The answer to one question, by the book."""
    units = matrix[: len(same)].astype(float)
    units /= np.linalg.norm(units, axis=1)[:, None]
    a, b, c = (units @ units[place] for place in question)
    if method == "3cosadd":
        scores = units @ (units[question[1]] - units[question[0]] + units[question[2]])
    else:
        scores = (1 + b) / 2 * (1 + c) / 2 / ((1 + a) / 2 + 1e-6)
    scores[np.isin(same, question)] = -np.inf
    return int(scores.argmax())


def test_neither_blocks_nor_jobs_change_a_score(
    solvable: Vectors, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets = [testsets.load(str(sample))]
    whole = evaluate(solvable, sets)
    monkeypatch.setattr(questions, "ROOM", 1)
    assert evaluate(solvable, sets, Asking(jobs=2)) == whole


def test_no_answer_is_left_where_all_words_are_asked() -> None:
    vectors = vectors_of(["a", "b", "c"], np.eye(3))
    one = Analogies("x", (("a", "b", "c", "a"),), ("s",), np.zeros(1, np.int64))
    for method in questions.TERMS:
        assert evaluation.analogies(vectors, one, method).overall == evaluation.Section(
            "total", 0, 1, 1
        )


def test_parts_and_total_add_the_sections_up() -> None:
    words = ["king", "man", "queen", "woman", "big", "bigger"]
    rows = [[1, 1, 0, 0], [0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 1, 1, 5]]
    asked = (
        ("man", "king", "woman", "queen"),
        ("king", "man", "queen", "big"),
        ("man", "king", "woman", "emperor"),
        ("big", "bigger", "man", "king"),
    )
    one = Analogies("x", asked, ("family", "none", "gram3"), np.array([0, 0, 0, 2]))
    score = evaluation.analogies(vectors_of(words, rows), one)
    assert [(s.name, s.correct, s.found, s.total) for s in score.sections] == [
        ("family", 1, 2, 3),
        ("none", 0, 0, 0),
        ("gram3", 1, 1, 1),
    ]
    assert [(s.name, s.correct, s.found, s.total) for s in score.parts] == [
        ("semantic", 1, 2, 3),
        ("syntactic", 1, 1, 1),
    ]
    assert score.overall.accuracy == score.value == pytest.approx(2 / 3)
    assert score.sections[0].standard_error == pytest.approx(math.sqrt(0.25 / 2))
    assert math.isnan(score.sections[1].accuracy)
    assert score.missing == ("emperor",)
    assert evaluation.analogies(vectors_of(words, rows), one, limit=1).overall.total == 1


def test_vectors_that_know_no_word_of_the_sets(google: Analogies) -> None:
    nothing = vectors_of(["xyzzy"], [[1.0]])
    pairs = testsets.load("simlex999")
    for score in evaluate(nothing, [pairs, google]):
        assert (score.found, math.isnan(score.value)) == (0, True)


def test_known_words_are_the_first_of_several_cases() -> None:
    known = Known.of(vectors_of(["us", "US", "Us", "we"], np.eye(4)), 3)
    assert known.find(["uS", "we"]).tolist() == [0, -1]
    assert known.same.tolist() == [0, 0, 0]


def test_stored_as_small_integers_the_scores_stay(solvable: Vectors, sample: Path) -> None:
    sets = [testsets.load("simlex999"), testsets.load(str(sample))]
    scales = np.abs(solvable.matrix).max(axis=1) / 127
    small = np.round(solvable.matrix / scales[:, None]).astype(np.int8)
    quantised = Vectors(solvable.words, small, scales=scales.astype(np.float32))
    for score, other in zip(evaluate(solvable, sets), evaluate(quantised, sets), strict=True):
        assert score.value == pytest.approx(other.value, abs=0.03)


# what training asks


def test_an_evaluator_gives_the_number_of_each_set(solvable: Vectors, sample: Path) -> None:
    names = ["simlex999", str(sample)]
    scores = evaluator(names, Asking(jobs=2))(solvable)
    pairs, one = (testsets.load(name) for name in names)
    assert isinstance(pairs, Pairs)
    assert isinstance(one, Analogies)
    assert scores == {
        "simlex999": evaluation.similarity(solvable, pairs).spearman,
        str(sample): evaluation.analogies(solvable, one).overall.accuracy,
    }


def test_an_evaluator_reads_its_sets_once_and_before_the_work(
    tmp_path: Path, solvable: Vectors
) -> None:
    path = tmp_path / "mine.tsv"
    path.write_text("king\tqueen\t8\nking\tcabbage\t1\nqueen\tking\t8\n")
    evaluate = evaluator([str(path)])
    path.unlink()
    assert evaluate(solvable).keys() == {str(path)}
    with pytest.raises(GaiError, match="no such test set"):
        evaluator([str(path)])


# test sets


def test_built_in_sets_are_whole(google: Analogies) -> None:
    wordsim, simlex = testsets.load("wordsim353"), testsets.load("simlex999")
    assert isinstance(wordsim, Pairs)
    assert isinstance(simlex, Pairs)
    assert (len(wordsim.scores), len(simlex.scores)) == (353, 999)
    assert (wordsim.first[0], wordsim.second[0], wordsim.scores[0]) == ("love", "sex", 6.77)
    assert (len(google.questions), len(google.sections)) == (19_544, 14)
    assert google.questions[0] == ("Athens", "Greece", "Baghdad", "Iraq")
    assert google.sections[-1] == "gram9-plural-verbs"
    assert np.bincount(google.places).tolist()[:2] == [506, 4524]


def test_built_in_sets_are_read_without_gensim() -> None:
    code = "import sys; from gai.vectors import testsets\n"
    code += "[testsets.load(name) for name in testsets.BUILT_IN]\n"
    code += "print(any(name.partition('.')[0] in ('gensim', 'scipy') for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


LINES = "cat{0}dog{0}7.5\ncat{0}stone{0}-1e1\n"


@pytest.mark.parametrize(
    "text",
    [
        LINES.format("\t"),
        LINES.format(","),
        LINES.format(" ; "),
        LINES.format("   "),
        "\ufeff# comment\r\n\r\nword1\tword2\tscore\r\n" + LINES.format("\t").replace("\n", "\r\n"),
        'Word 1,"Word 2",Human (mean)\n"cat",dog,7.5\ncat,stone,-10',
    ],
)
def test_pairs_in_all_their_spellings(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pairs.txt"
    path.write_bytes(text.encode())
    found = testsets.load(str(path))
    assert isinstance(found, Pairs)
    assert (found.first, found.second) == (("cat", "cat"), ("dog", "stone"))
    assert found.scores.tolist() == [7.5, -10]


def test_words_with_blanks_stand_between_tabs(tmp_path: Path) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_text("New York\tcity, large\t7\n")
    found = testsets.load(str(path))
    assert isinstance(found, Pairs)
    assert (found.first, found.second) == (("New York",), ("city, large",))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ": nothing in this test set"),
        (b"# only\n\n \t \n", ": nothing in this test set"),
        (b"word1\tword2\tscore\n", ": a heading, and no pairs"),
        (b"a\tb\t1\nc\td\n", ", line 2: 2 columns, not 3"),
        (b"a\tb\tN\t1.5\t3\n", ", line 1: 5 columns, not 3"),
        (b"a b\n", ", line 1: 2 columns, not 3"),
        (b"word\n", ", line 1: 1 column, not 3"),
        (b"a\t\t3\n", ", line 1: an empty word"),
        (b"a\tb\t1\n#\na\tb\thigh\n", ", line 3: the score high is no number"),
        (b"a\tb\t7,35\n", ", line 1: the score 7,35 is no number"),
        (b"a\tb\t1_0\n", ", line 1: the score 1_0 is no number"),
        (b"a\tb\tnan\n", ", line 1: the score nan is no number"),
        (b"a\tb\t1\na\tb\t\n", ", line 2: a pair without a score"),
        (b"a\tb\t1\na\tb\tinf\n", ", line 2: the score inf is no number"),
        (b"a\tb\t1\n\xe9t\xe9\tb\t1\n", ", line 2: byte 6 of the file is no UTF-8"),
        (b"king man queen woman\n", ", line 1: four words before any section"),
        (b": family\nking man queen\n", ", line 2: 3 words, not 4"),
        (b": family\nking man queen woman 5\n", ", line 2: 5 words, not 4"),
        (b": family\n: capitals\n", ": sections without a question"),
    ],
)
def test_what_is_no_test_set_says_where_and_why(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "set.tsv"
    path.write_bytes(content)
    with pytest.raises(GaiError) as caught:
        testsets.load(str(path))
    assert caught.value.message == f"{path}{message}"
    assert caught.value.hint


def test_a_set_that_does_not_exist_suggests_one(tmp_path: Path) -> None:
    for name, hint in {"simlex": "simlex999", "WordSim-353": "wordsim353", "zz": "google"}.items():
        with pytest.raises(GaiError) as caught:
            testsets.load(name)
        assert caught.value.message == f"no such test set or file: {name}"
        assert hint in caught.value.hint
    with pytest.raises(GaiError, match="is a directory"):
        testsets.load(str(tmp_path))


@pytest.mark.slow
def test_the_novels_cover_8645_questions(data: Path, google: Analogies) -> None:
    from gai.counts import count
    from gai.documents import Reader, Reading
    from gai.tokens import Analysis

    reader = Reader(Reading([str(data / "english" / "novels")]))
    counts = count(reader, Analysis())
    words = [word for word, n in zip(counts.terms, counts.tf, strict=True) if n >= 5]
    score = evaluation.analogies(vectors_of(words, np.ones((len(words), 1))), google)
    assert (score.overall.found, score.overall.total) == (8645, 19_544)


@pytest.mark.slow
def test_all_of_google_is_gensims(solvable: Vectors, google: Analogies) -> None:
    logging.disable()
    accuracy, _ = in_gensim(solvable).evaluate_word_analogies(str(testsets.built_in("google")))
    logging.disable(logging.NOTSET)
    score = evaluation.analogies(solvable, google)
    assert isinstance(score, AnalogyScore)
    assert score.overall.accuracy == pytest.approx(accuracy)
