"""What the data decides: task, input, loss, parts, and what a person is told about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from gai.errors import GaiError, UsageError
from gai.nn.data.arrays import IGNORED
from gai.nn.data.preparing import WORDS, Parts, fraction, prepare
from gai.nn.data.pretrained import matrix
from gai.nn.net.experiment import class_weights

TEXT = "It was the best of times, it was the worst of times.\n" * 8


def table(path: Path, labels: list[str], texts: list[str] | None = None, name: str = "d") -> str:
    """A csv file of texts with these labels."""
    texts = texts or [f"word{n % 3} other" for n, _ in enumerate(labels)]
    rows = "".join(f'"{text}",{label}\n' for text, label in zip(texts, labels, strict=True))
    (path / f"{name}.csv").write_text(f"text,label\n{rows}")
    return str(path / f"{name}.csv")


def lines(path: Path, records: list[dict[str, Any]], name: str = "d") -> str:
    (path / f"{name}.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in records))
    return str(path / f"{name}.jsonl")


def conllu(path: Path, *sentences: str) -> str:
    """A file of sentences such as ``the/DET cat/NOUN``."""
    made = []
    for sentence in sentences:
        for number, pair in enumerate(sentence.split(), 1):
            word, tag = pair.split("/")
            made.append(f"{number}\t{word}\t_\t{tag}\t_\t_\t0\t_\t_\t_\n")
        made.append("\n")
    (path / "d.conllu").write_text("".join(made))
    return str(path / "d.conllu")


def prepared(path: str, model: str = "mlp", **said: Any) -> Parts:
    return prepare({"model": model, "data": (path,), **said})


@pytest.mark.parametrize(
    ("labels", "task", "loss"),
    [
        (["a", "b"] * 5, "classify", "cross-entropy"),
        (["0", "1"] * 5, "classify", "cross-entropy"),
        (["1.0", "2.0"] * 5, "classify", "cross-entropy"),
        (["0.5", "1"] * 5, "regress", "mse"),
        (["0.5", "one"] * 5, "classify", "cross-entropy"),
        ([str(n % 20) for n in range(60)], "classify", "cross-entropy"),
        ([str(n) for n in range(60)], "regress", "mse"),
    ],
)
def test_labels_with_fractions_or_many_values_are_numbers_to_be_predicted(
    labels: list[str], task: str, loss: str, tmp_path: Path
) -> None:
    parts = prepared(table(tmp_path, labels))
    assert (parts.config.task, parts.config.loss) == (task, loss)
    assert (parts.encoding.labels is None) == (task == "regress")


def test_a_task_that_is_said_is_the_task(tmp_path: Path) -> None:
    path = table(tmp_path, ["0.5", "1"] * 5)
    parts = prepared(path, task="classify")
    assert parts.encoding.labels is not None
    assert parts.encoding.labels.names == ("0.5", "1")
    whole = prepared(table(tmp_path, ["0", "1"] * 5), task="regress", valid="0")
    assert whole.train.targets is not None
    assert whole.train.targets.tolist() == [[-1.0], [1.0]] * 5
    assert prepared(path, loss="huber").config.loss == "huber"


@pytest.mark.parametrize(
    ("labels", "said", "message"),
    [
        (["a", "b"] * 5, {"task": "regress"}, "column 'label' is 'a', not a number"),
        (["0.5", "nan"] * 5, {}, r"d\.csv:2: the label is nan, not a finite number"),
        (["0.5", "inf"] * 5, {}, r"d\.csv:2: the label is inf, not a finite number"),
        (["0.5", "nan"] * 5, {"task": "regress"}, "column 'label' is 'nan', not a finite number"),
        (["a"] * 5, {}, "at least two classes, the data has only 'a'"),
        (["a", "b"], {}, "cannot be split into a training and a validation part"),
    ],
)
def test_labels_that_nothing_can_be_learned_from(
    labels: list[str], said: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(GaiError, match=message):
        prepared(table(tmp_path, labels), **said)


def test_numbers_for_a_task_that_had_names_in_training(tmp_path: Path) -> None:
    path = table(tmp_path, ["0.5", "1"] * 5)
    names = table(tmp_path, ["a"], name="names")
    with pytest.raises(GaiError, match="column 'label' is 'a', not a number"):
        prepared(path, valid=names)


@pytest.mark.parametrize(
    ("data", "model", "input", "kind"),
    [
        ("@iris", "mlp", "numbers", "numbers"),
        ("@digits", "cnn", "images", "images"),
        ("@digits", "mlp", "images", "images"),
        ("@diabetes", "mlp", "numbers", "numbers"),
        ("text", "mlp", "tfidf", "rows"),
        ("text", "cnn", "ids", "ids"),
        ("text", "gru", "ids", "ids"),
        ("text", "transformer", "ids", "ids"),
    ],
)
def test_what_is_read_of_an_example_is_decided_by_model_and_data(
    data: str, model: str, input: str, kind: str, tmp_path: Path
) -> None:
    path = table(tmp_path, ["a", "b"] * 5) if data == "text" else data
    parts = prepared(path, model)
    assert (parts.config.input, parts.encoding.kind) == (input, kind)


def test_kinds_of_files_decide_the_task(tmp_path: Path) -> None:
    (tmp_path / "d.txt").write_text(TEXT)
    path = str(tmp_path / "d.txt")
    assert prepared(path, "lstm").config.task == "lm"
    assert prepared(path, "transformer").config.task == "lm"
    with pytest.raises(GaiError, match="a line without a label"):
        prepared(path, "mlp")
    assert prepared(conllu(tmp_path, *["a/D b/N"] * 9), "gru").config.task == "tag"


def test_several_labels_have_binary_cross_entropy(tmp_path: Path) -> None:
    records = [{"text": f"a b{n}", "label": ["x", "y"][: n % 3]} for n in range(12)]
    parts = prepared(lines(tmp_path, records), valid="0")
    assert parts.config.loss == "bce"
    assert parts.train.targets is not None
    assert parts.train.targets.tolist() == [[0, 0], [1, 0], [1, 1]] * 4
    said = {"label_sep": "|", "valid": "0"}
    again = prepared(table(tmp_path, ["x|y", "y", "x"] * 4), **said)
    assert again.encoding.labels is not None
    assert again.encoding.labels.several
    assert again.config.loss == "bce"


def test_a_balanced_class_counts_as_much_as_any_other(tmp_path: Path) -> None:
    labels = ["a"] * 6 + ["b"] * 3 + ["c"]
    parts = prepared(table(tmp_path, labels), valid="0", class_weights="balanced")
    found = class_weights(parts, torch.device("cpu"))
    assert found is not None
    expected = compute_class_weight("balanced", classes=np.array(["a", "b", "c"]), y=labels)
    assert torch.allclose(found.double(), torch.from_numpy(expected), rtol=1e-6)
    assert class_weights(prepared(table(tmp_path, labels), valid="0"), found.device) is None


def test_tokens_without_a_tag_have_no_weight(tmp_path: Path) -> None:
    path = conllu(tmp_path, "a/D b/N", "c/_ d/N")
    parts = prepared(path, "gru", valid="0", class_weights="balanced")
    assert parts.train.targets is not None
    assert parts.train.targets.tolist() == [0, 1, IGNORED, 1]
    found = class_weights(parts, torch.device("cpu"))
    assert found is not None
    assert found.tolist() == pytest.approx([1.5, 0.75])


def test_a_share_is_drawn_by_label_and_a_file_is_taken_as_it_is(tmp_path: Path) -> None:
    path = table(tmp_path, ["a", "b", "b", "b"] * 10)
    parts = prepared(path, valid="0.2")
    assert parts.valid is not None
    assert (len(parts.train), len(parts.valid)) == (32, 8)
    assert np.bincount(parts.valid.targets).tolist() == [2, 6]  # type: ignore[arg-type]
    assert not set(parts.train.ids) & set(parts.valid.ids)
    other = table(tmp_path, ["a", "b"], name="other")
    parts = prepared(path, valid=other, test=other)
    assert parts.valid is not None
    assert parts.test is not None
    assert (len(parts.train), len(parts.valid), len(parts.test)) == (40, 2, 2)
    assert prepared(path, valid="0").valid is None
    assert prepared(path, seed=2).train.ids != prepared(path, seed=1).train.ids
    assert prepared(path, seed=1).train.ids == prepared(path, seed=1).train.ids


def test_a_share_of_the_data_is_for_the_test_and_no_other_part_sees_it(tmp_path: Path) -> None:
    path = table(tmp_path, ["a", "b"] * 20)
    parts = prepared(path, test="0.25", valid="0.1")
    assert parts.test is not None
    assert parts.valid is not None
    found = [set(part.ids) for part in (parts.train, parts.valid, parts.test)]
    assert [len(one) for one in found] == [27, 3, 10]
    assert len(set.union(*found)) == 40
    with pytest.raises(UsageError, match="--test 0: a share above 0, or a file"):
        prepared(path, test="0")


@pytest.mark.parametrize(("text", "expected"), [("0.1", 0.1), ("0", 0.0), ("a.csv", None)])
def test_a_share_or_a_file(text: str, expected: float | None) -> None:
    assert fraction(text, "--valid") == expected


@pytest.mark.parametrize("text", ["1", "-0.1", "nan", "5", "inf"])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(UsageError, match=f"--valid {text}: a share is at least 0 and below 1"):
        fraction(text, "--valid")


def test_labels_that_training_never_saw_are_told(tmp_path: Path) -> None:
    path = table(tmp_path, ["a", "b"] * 5)
    new = table(tmp_path, ["a", "z", "y", "x", "w"], name="new")
    parts = prepared(path, test=new)
    assert parts.notes == ["the test part has labels that training never saw: 'w', 'x', 'y', ..."]
    assert parts.test is not None
    assert parts.test.targets is not None
    assert parts.test.targets.tolist() == [0, -1, -1, -1, -1]


def test_texts_without_a_token_are_told(tmp_path: Path) -> None:
    texts = ["a b", "", "a", "!", "b", "a b"] * 2
    parts = prepared(table(tmp_path, ["a", "b"] * 6, texts), "cnn", valid="0")
    assert parts.notes == ["4 examples of the train part without a token"]
    parts = prepared(table(tmp_path, ["a", "b"], ["a b", ""]), "cnn", valid="0")
    assert parts.notes == ["1 example of the train part without a token"]


def test_the_vocabulary_is_that_of_the_training_part_alone(tmp_path: Path) -> None:
    path = table(tmp_path, ["a", "b"] * 5)
    held = table(tmp_path, ["a"], ["unheard of"], name="held")
    parts = prepared(path, "cnn", valid=held)
    assert parts.encoding.vocabulary is not None
    assert "unheard" not in parts.encoding.vocabulary.ids
    assert parts.valid is not None
    assert parts.valid.inputs.values.tolist() == [1, 1]  # type: ignore[union-attr]


def test_a_language_model_keeps_case_and_signs(tmp_path: Path) -> None:
    (tmp_path / "d.txt").write_text(TEXT)
    path = str(tmp_path / "d.txt")
    letters = prepared(path, "gru", context=8)
    assert letters.config.lowercase is False
    assert letters.encoding.vocabulary is not None
    assert {"I", "i", "\n", ",", " "} <= letters.encoding.vocabulary.ids.keys()
    words = prepared(path, "gru", unit="words", context=8)
    assert words.config.token_pattern == WORDS
    assert words.encoding.vocabulary is not None
    assert {"It", "it", ",", "\n", "worst"} <= words.encoding.vocabulary.ids.keys()
    lower = prepared(path, "gru", unit="words", context=8, lowercase=True)
    assert lower.encoding.vocabulary is not None
    assert "It" not in lower.encoding.vocabulary.ids


def test_the_last_part_of_a_text_validates(tmp_path: Path) -> None:
    (tmp_path / "d.txt").write_text("ab" * 450 + "ba" * 50)
    parts = prepared(str(tmp_path / "d.txt"), "gru")
    assert parts.raw["train"].texts == ["ab" * 450]
    assert parts.raw["valid"].texts == ["ba" * 50]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"unit": "subwords"}, "--unit subwords needs a tokenizer of word pieces"),
        ({"form": "stem:porter"}, "form stem:porter: a model of characters takes text as it is"),
        ({"strip_accents": "unicode"}, "strip accents unicode: a model of characters"),
    ],
)
def test_what_does_not_go_with_a_language_model(
    said: dict[str, Any], message: str, tmp_path: Path
) -> None:
    (tmp_path / "d.txt").write_text(TEXT)
    with pytest.raises(UsageError, match=message):
        prepared(str(tmp_path / "d.txt"), "gru", **said)


def test_a_text_that_is_shorter_than_the_context(tmp_path: Path) -> None:
    (tmp_path / "d.txt").write_text("0123456789" * 4)
    with pytest.raises(GaiError, match="the text has 36 tokens, fewer than the context") as found:
        prepared(str(tmp_path / "d.txt"), "gru")
    assert found.value.hint == "--context-size 9, or more text"
    assert prepared(str(tmp_path / "d.txt"), "gru", context=9).config.context == 9


def test_a_transformer_has_a_place_for_each_token_of_its_texts(tmp_path: Path) -> None:
    texts = ["a b c", "a", "b c d e f"] * 4
    path = table(tmp_path, ["x", "y"] * 6, texts)
    parts = prepared(path, "transformer", valid="0")
    assert (parts.config.context, parts.config.max_length) == (5, 5)
    parts = prepared(path, "transformer", valid="0", context=2)
    assert (parts.config.context, parts.config.max_length) == (2, 2)
    assert parts.train.lengths is not None
    assert parts.train.lengths.tolist() == [2, 1, 2] * 4
    assert parts.encoding.config == parts.config
    assert prepared(path, "transformer", max_length=3, valid="0").config.context == 3


def test_tags_are_of_words_that_come_twice_and_no_sentence_is_cut(tmp_path: Path) -> None:
    path = conllu(tmp_path, *["the/D cat/N", "the/D dog/N"] * 5)
    parts = prepared(path, "gru", valid="0")
    assert parts.config.min_count == 2
    with pytest.raises(UsageError, match="--task tag has no --max-length"):
        prepared(path, "gru", max_length=1)


@pytest.mark.parametrize("said", [{}, {"data": ()}])
def test_no_data_is_an_error(said: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="no DATA to train on"):
        prepare({"model": "mlp", **said})


VECTORS = "4 3\nthe 1 2 3\ncat 0 0 0\nodd 9 9 9\nThe 5 5 5\n"
TERMS = ["<pad>", "<unk>", "cat", "zebra", "the"]


def test_vectors_of_terms_are_those_of_the_file_and_others_vary_as_they_do(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text(VECTORS)
    found = matrix(str(tmp_path / "v.txt"), TERMS, seed=1)
    assert found.values.shape == (5, 3)
    assert found.values.dtype == np.float32
    assert found.values[[0, 2, 4]].tolist() == [[0, 0, 0], [0, 0, 0], [1, 2, 3]]
    assert found.values[[1, 3]].all()
    assert "2 of 3 terms have vectors in " in found.note
    again = matrix(str(tmp_path / "v.txt"), TERMS, seed=1)
    assert again.values.tolist() == found.values.tolist()
    many = matrix(str(tmp_path / "v.txt"), [*TERMS, *map(str, range(3000))], seed=1).values[5:]
    assert many.std() == pytest.approx(np.std([0, 0, 0, 1, 2, 3]), rel=0.05)


def test_vectors_of_no_term_at_all_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "v.txt").write_text(VECTORS)
    with pytest.raises(GaiError, match="has a vector for none of the 1 terms"):
        matrix(str(tmp_path / "v.txt"), ["<pad>", "<unk>", "zebra"], seed=1)


def test_numbers_among_labels_are_told_of_where_they_could_be_names(tmp_path: Path) -> None:
    path = tmp_path / "years.csv"
    rows = [f"text {year},{year}\n" for year in range(1900, 1960)]
    path.write_text("text,label\n" + "".join(rows))
    parts = prepare({"model": "mlp", "data": (str(path),)})
    assert parts.config.task == "regress"
    assert any("--task classify" in note for note in parts.notes)
    chosen = prepare({"model": "mlp", "data": (str(path),), "task": "regress"})
    assert not any("--task classify" in note for note in chosen.notes)
    assert not any("--task classify" in note for note in prepare({"data": ("@diabetes",)}).notes)


def test_a_digest_is_of_all_parts(tmp_path: Path) -> None:
    train, test = tmp_path / "train.csv", tmp_path / "test.csv"
    train.write_text("text,label\n" + "good,yes\nbad,no\n" * 10)
    digests = []
    for text in ("good,yes\n", "bad,no\n"):
        test.write_text("text,label\n" + text)
        said = {"model": "mlp", "data": (str(train),), "test": str(test)}
        digests.append(prepare(said).digest)
    alone = prepare({"model": "mlp", "data": (str(train),)}).digest
    assert len({*digests, alone}) == 3
