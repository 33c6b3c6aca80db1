"""What turns examples into arrays: rows as scikit-learn makes them, scales, labels, its files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from gai.errors import GaiError, UsageError
from gai.nn.config import Config
from gai.nn.data.arrays import IGNORED, Ragged, Sparse
from gai.nn.data.encoding import Encoding, Scale, fit
from gai.nn.data.raw import Raw
from gai.nn.data.text import SPECIAL, Vocabulary
from gai.nn.runs import INPUT, VOCAB, Run

TRAIN = ["the cat sat on the mat", "a dog and a cat", "", "the dog barks", "mat mat mat dog the"]
NEW = ["the unseen cat", "", "dog dog mat", "nothing known here"]
LABELS = ["x", "y", "x", "y", "x"]

Floats = NDArray[np.float32]


def texts(*lines: str, labels: Any = None) -> Raw:
    return Raw([f"t:{n}" for n, _ in enumerate(lines, 1)], texts=list(lines), labels=labels)


def numbers(array: Any, labels: Any = None) -> Raw:
    found = np.asarray(array, np.float32)
    return Raw([str(n) for n in range(len(found))], array=found, labels=labels)


def dense(found: Any) -> Floats:
    """Rows as an array, the columns of padding and the unknown left out."""
    assert isinstance(found, Sparse)
    made = np.zeros((found.rows, found.width), np.float32)
    rows = np.repeat(np.arange(found.rows), np.diff(found.indptr))
    made[rows, found.indices] = found.data
    assert not made[:, :2].any()
    return made[:, 2:]


def split_at_blanks(text: str) -> list[str]:
    return text.split()


@pytest.mark.parametrize("new", [False, True])
def test_tfidf_rows_are_those_of_scikit_learn(new: bool) -> None:
    theirs = TfidfVectorizer(tokenizer=split_at_blanks, token_pattern=None, sublinear_tf=True)
    known = theirs.fit_transform(TRAIN)
    encoding = fit(texts(*TRAIN, labels=LABELS), Config(input="tfidf"))
    assert encoding.vocabulary is not None
    assert encoding.vocabulary.terms == [*SPECIAL, *theirs.get_feature_names_out()]
    assert encoding.size == (len(encoding.vocabulary),)
    made = dense(encoding.inputs(texts(*(NEW if new else TRAIN))))
    expected = theirs.transform(NEW) if new else known
    np.testing.assert_allclose(made, expected.toarray(), rtol=1e-6)


def test_bow_rows_are_logarithms_of_counts() -> None:
    theirs = CountVectorizer(tokenizer=split_at_blanks, token_pattern=None, min_df=2)
    theirs.fit(TRAIN)
    encoding = fit(texts(*TRAIN, labels=LABELS), Config(input="bow", min_count=2))
    made = dense(encoding.inputs(texts(*NEW)))
    np.testing.assert_allclose(made, np.log1p(theirs.transform(NEW).toarray()), rtol=1e-6)


def test_rows_of_n_grams_and_of_the_most_frequent_terms() -> None:
    theirs = TfidfVectorizer(
        tokenizer=split_at_blanks,
        token_pattern=None,
        sublinear_tf=True,
        ngram_range=(1, 2),
        max_features=6,
    )
    theirs.fit(TRAIN)
    config = Config(input="tfidf", ngrams=(1, 2), max_vocab=6)
    encoding = fit(texts(*TRAIN, labels=LABELS), config)
    made = dense(encoding.inputs(texts(*NEW)))
    np.testing.assert_allclose(made, theirs.transform(NEW).toarray(), rtol=1e-6)


@pytest.mark.parametrize("input", ["ids", "tfidf", "bow"])
@pytest.mark.parametrize("lines", [["", " ", "\n"], ["a b", "c d", "e f"]])
def test_no_term_that_is_frequent_enough_is_an_error(input: str, lines: list[str]) -> None:
    with pytest.raises(GaiError, match="the training texts have no terms") as found:
        fit(texts(*lines, labels=["x", "y", "x"]), Config(input=input, min_count=5))
    assert "--min-count is 5" in found.value.hint


def test_ids_are_those_of_the_vocabulary_and_long_texts_are_cut() -> None:
    encoding = fit(texts(*TRAIN, labels=LABELS), Config(min_count=2, max_length=4))
    assert encoding.vocabulary is not None
    # the 4, dog 3, mat 4: ties by code points; a 2 and cat 2 as well.
    assert encoding.vocabulary.terms == [*SPECIAL, "mat", "the", "dog", "a", "cat"]
    made = encoding.inputs(texts(*TRAIN))
    assert isinstance(made, Ragged)
    assert made.values.tolist() == [3, 6, 1, 1, 5, 4, 1, 5, 3, 4, 1, 2, 2, 2, 4]
    assert made.offsets.tolist() == [0, 4, 8, 8, 11, 15]


def test_characters_of_a_language_model_are_taken_as_they_are() -> None:
    encoding = fit(texts("Ab\nA"), Config(task="lm", unit="characters"))
    assert encoding.source == "characters"
    made = encoding.inputs(texts("A?\nb"))
    assert isinstance(made, Ragged)
    assert made.values.tolist() == [2, 1, 3, 4]
    assert encoding.outputs == encoding.size[0] == 5


def test_letters_as_terms_of_a_classifier_go_through_the_analysis() -> None:
    config = Config(analyzer="char", ngrams=(1, 2))
    encoding = fit(texts("Ab", "bA", labels=["x", "y"]), config)
    assert encoding.vocabulary is not None
    assert encoding.vocabulary.terms == [*SPECIAL, "a", "b", "ab", "ba"]


def test_n_grams_of_words_are_no_sequence() -> None:
    with pytest.raises(UsageError, match="--ngrams 1,2: --input ids"):
        fit(texts(*TRAIN, labels=LABELS), Config(ngrams=(1, 2)))


def test_targets_of_tags_are_one_for_each_token() -> None:
    raw = Raw(["s1", "s2"], tokens=[["A", "cat"], ["sat"]], labels=[["D", "N"], [""]])
    encoding = fit(raw, Config(task="tag"))
    made = encoding.dataset(raw)
    assert encoding.source == "features"
    assert isinstance(made.inputs, Ragged)
    assert made.inputs.values.shape == (3, 7)
    assert made.targets is not None
    assert made.targets.tolist() == [0, 1, IGNORED]
    assert made.targets_of(np.array([1, 0])).tolist() == [IGNORED, 0, 1]
    assert made.take(np.array([1])).targets.tolist() == [IGNORED]  # type: ignore[union-attr]


floats = st.floats(-1e3, 1e3, width=32)
tables = arrays.arrays(np.float32, arrays.array_shapes(min_dims=2, max_dims=3), elements=floats)


@given(tables)
def test_scaled_columns_have_mean_0_and_deviation_1(table: Floats) -> None:
    scale = Scale.of(table)
    flat = scale.apply(table).reshape(-1, table.shape[-1]).astype(float)
    constant = (table == table.reshape(-1, table.shape[-1])[0]).reshape(-1, table.shape[-1]).all(0)
    assert (scale.deviation[constant] == 1).all()
    assert (abs(flat[:, constant]) < 1e-3).all()
    wide = ~constant & (scale.deviation > 1e-2)
    np.testing.assert_allclose(flat.mean(0)[wide], 0, atol=1e-3)
    np.testing.assert_allclose(flat.std(0)[wide], 1, rtol=1e-3)
    np.testing.assert_allclose(scale.undo(scale.apply(table)), table, atol=1e-2)
    again = Scale.from_dict(json.loads(json.dumps(scale.as_dict())))
    assert again.mean.tolist() == scale.mean.tolist()
    assert again.deviation.tolist() == scale.deviation.tolist()


def test_a_column_that_does_not_vary_stays_in_its_units() -> None:
    table = np.full((150, 2), 0.1, np.float32)
    table[:, 1] = np.arange(150)
    assert Scale.of(table).deviation[0] == 1  # though its computed deviation is 1e-17
    assert abs(Scale.of(table).apply(np.array([[0.2, 0]], np.float32))[0, 0] - 0.1) < 1e-6


def test_numbers_and_targets_are_scaled_and_images_are_not() -> None:
    raw = numbers([[1, 10], [3, 10]], labels=np.array([[2.0], [4.0]]))
    encoding = fit(raw, Config(task="regress", input="numbers"))
    made = encoding.dataset(raw)
    assert isinstance(made.inputs, np.ndarray)
    assert made.inputs.tolist() == [[-1, 0], [1, 0]]
    assert made.targets is not None
    assert made.targets.tolist() == [[-1], [1]]
    assert encoding.targets is not None
    assert encoding.targets.undo(made.targets).tolist() == [[2], [4]]
    images = numbers(np.ones((2, 3, 3)), labels=["a", "b"])
    encoding = fit(images, Config(input="images"))
    assert encoding.scale is None
    assert encoding.size == (1, 3, 3)
    assert encoding.inputs(images).shape == (2, 1, 3, 3)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("data", "config", "message"),
    [
        (numbers([[1, 2]], ["a"]), Config(input="ids"), "--input ids: the data is rows of 2"),
        (numbers([[1, 2]], ["a"]), Config(input="tfidf"), "--input tfidf: the data is rows"),
        (texts("a", "b", labels=["x", "y"]), Config(input="images"), "images: the data is texts"),
    ],
)
def test_an_input_of_another_kind_of_data_is_refused(
    data: Raw, config: Config, message: str
) -> None:
    with pytest.raises((UsageError, GaiError), match=message):
        fit(Raw([*data.ids, "z"], data.texts, None, grown(data.array), ["a", "b"]), config)


def grown(array: Floats | None) -> Floats | None:
    return None if array is None else np.concatenate([array, array])


OF_TEXT = fit(texts(*TRAIN, labels=LABELS), Config())
OF_ROWS = fit(texts(*TRAIN, labels=LABELS), Config(input="tfidf"))
OF_NUMBERS = fit(numbers([[1, 2, 3], [4, 5, 6]], ["a", "b"]), Config(input="numbers"))


@pytest.mark.parametrize(
    ("encoding", "data", "message"),
    [
        (OF_TEXT, numbers([[1.0]]), "reads text, and the data is numbers"),
        (OF_ROWS, numbers([[1.0]]), "reads text, and the data is numbers"),
        (OF_NUMBERS, texts("1 2 3"), "reads numbers, and the data is text"),
        (OF_NUMBERS, numbers([[1.0, 2.0]]), "on examples of 3 numbers, the data has 2"),
        (OF_NUMBERS, numbers(np.ones((1, 2, 2))), "on examples of 3 numbers, the data has 4"),
    ],
)
def test_data_of_another_kind_than_the_model_was_trained_on(
    encoding: Encoding, data: Raw, message: str
) -> None:
    with pytest.raises(GaiError, match=message):
        encoding.dataset(data, labelled=False)


def test_data_without_labels_can_be_encoded_but_not_scored() -> None:
    data = OF_TEXT.dataset(texts("the cat"), labelled=False)
    assert data.targets is None
    with pytest.raises(GaiError, match="the data has no labels") as found:
        OF_TEXT.dataset(texts("the cat"))
    assert "--label-field" in found.value.hint


def test_numbers_of_another_width_to_be_predicted() -> None:
    encoding = fit(
        numbers([[1], [2]], np.array([[1.0], [2.0]])), Config(task="regress", input="numbers")
    )
    with pytest.raises(GaiError, match="the model gives 1 numbers, the data has 2"):
        encoding.dataset(numbers([[1]], np.array([[1.0, 2.0]])))


@pytest.mark.parametrize(
    ("encoding", "score"), [(OF_TEXT, "accuracy"), (OF_ROWS, "accuracy"), (OF_NUMBERS, "accuracy")]
)
def test_the_main_score_of_classes(encoding: Encoding, score: str) -> None:
    assert encoding.main_score == score
    assert encoding.outputs == 2


def again(encoding: Encoding, path: Path) -> Encoding:
    """The encoding after it was written and read."""
    run = Run(str(path))
    run.write_encoding(encoding, "abc")
    assert run.input()["digest"] == "abc"
    return run.encoding(encoding.config)


terms = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), unique=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=terms)
def test_a_vocabulary_is_read_as_it_was_written(found: list[str], tmp_path: Path) -> None:
    odd = ["<unk>", "<pad>", "", "\t", "\n", "\r", "\\t", "\\", "\x85", "\u2028", "\x00"]
    whole = [*SPECIAL, *dict.fromkeys([*odd, *found])]
    vocabulary = Vocabulary(whole, np.arange(len(whole)))
    made = again(Encoding("terms", (len(whole),), Config(), vocabulary), tmp_path)
    assert made.vocabulary is not None
    assert made.vocabulary.terms == whole
    assert made.vocabulary.counts.tolist() == list(range(len(whole)))
    assert made.vocabulary.ids == vocabulary.ids


@pytest.mark.parametrize("source", ["ids", "tfidf", "numbers", "regress", "tags", "several"])
def test_an_encoding_that_was_read_encodes_as_it_did(source: str, tmp_path: Path) -> None:
    raw: Raw
    if source in ("ids", "tfidf"):
        raw, config = texts(*TRAIN, labels=LABELS), Config(input=source)
    elif source == "tags":
        raw = Raw(["1"], tokens=[["A\tb", "c"]], labels=[["N\n", "V"]])
        config = Config(task="tag")
    elif source == "several":
        raw = texts("a b", "b", "c", labels=[("x", "y"), (), ("y",)])
        config = Config()
    else:
        labels = ["a", "b"] if source == "numbers" else np.array([[0.1], [1 / 3]])
        raw = numbers([[0.1, 5], [0.7, 5]], labels)
        task = "classify" if source == "numbers" else "regress"
        config = Config(task=task, input="numbers")
    before = fit(raw, config)
    after = again(before, tmp_path)
    one, two = before.dataset(raw), after.dataset(raw)
    assert repr(one.inputs) == repr(two.inputs)
    assert np.array_equal(np.asarray(one.targets), np.asarray(two.targets))
    assert after.described() == before.described()
    assert (tmp_path / VOCAB).exists() == (before.vocabulary is not None)


def test_an_input_json_of_another_version_says_which(tmp_path: Path) -> None:
    again(OF_TEXT, tmp_path)
    found = json.loads((tmp_path / INPUT).read_text())
    (tmp_path / INPUT).write_text(json.dumps({**found, "format": 2, "gai": "9.9"}))
    with pytest.raises(
        GaiError, match=r"was written by gai 9\.9, in format 2; this is gai .*reads 1"
    ):
        Run(str(tmp_path)).encoding(Config())


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (INPUT, "{", "broken: "),
        (INPUT, "[]", "not a JSON object"),
        (INPUT, '{"format": 1}', "input.json: broken: KeyError"),
        (INPUT, '{"format": 1, "source": "terms"}', "input.json: broken: KeyError"),
        (VOCAB, "<pad>\t0\n", "vocab.tsv has 1 terms, input.json says 11"),
        (VOCAB, "<pad>\n", "vocab.tsv: broken: "),
        (VOCAB, "<pad>\tmany\n", "vocab.tsv: broken: "),
        (VOCAB, None, "vocab.tsv: no such file"),
        (INPUT, None, "has no input.json"),
    ],
)
def test_files_that_are_broken_missing_or_do_not_fit(
    name: str, text: str | None, message: str, tmp_path: Path
) -> None:
    again(OF_TEXT, tmp_path)
    if text is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(text)
    with pytest.raises(GaiError, match=message):
        Run(str(tmp_path)).encoding(Config())
