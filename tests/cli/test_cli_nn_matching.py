"""gai nn similar and match, and siamese networks in the other commands of gai nn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from gai.cli.main import main

TINY = ("--seed", "1", "--threads", "1", "-q")
WORDS = [f"{first}{last}" for first in "abcdefgh" for last in ("ox", "im", "ub")]
KINDS = [WORDS[3 * k : 3 * k + 3] for k in range(8)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data, and runs that were trained on it: digits, texts of eight topics, a classifier."""
    path = tmp_path_factory.mktemp("matching")
    digits = load_digits()
    images = (digits.images[:600] / 16).astype(np.float32)
    known, new = digits.target[:600] < 7, digits.target[:600] >= 7
    for name, rows in (("known", known), ("new", new)):
        np.savez(path / f"{name}.npz", x=images[rows], y=digits.target[:600][rows])
    np.savez(path / "large.npz", x=np.zeros((2, 9, 9), np.float32))
    for number in range(3):
        Image.fromarray((images[number] * 255).astype(np.uint8)).save(path / f"{number}.png")
    Image.fromarray(np.zeros((8, 9), np.uint8)).save(path / "wide.png")
    rng = np.random.default_rng(0)
    with (path / "topics.jsonl").open("w") as file:
        for number in range(96):
            said = " ".join([*rng.choice(KINDS[number % 8], 3), rng.choice(["the", "one", "of"])])
            file.write(json.dumps({"text": said, "topic": f"t{number % 8}"}) + "\n")
    (path / "lines.txt").write_text("aox aim\nbox bim\naub aox\n\x1b[31mcub\n")
    small = ("--filters", "8", "--width", "32", "--code", "16", "--lr", "0.003")
    train(path, "images", "siamese", "known.npz", *small, "--valid", str(path / "new.npz"),
          "--epochs", "2", "--augment", "shift", "--turned-classes")  # fmt: skip
    train(path, "texts", "siamese", "topics.jsonl", "--label-field", "topic", "--width", "16",
          "--code", "8", "--epochs", "12", "--lr", "0.01", "--split-by", "examples")  # fmt: skip
    train(path, "classes", "mlp", "known.npz", "--width", "8", "--epochs", "1")
    return path


def train(path: Path, run: str, model: str, data: str, *words: str) -> None:
    code = main(["nn", "train", model, str(path / data), *words, *TINY, "-o", str(path / run)])
    assert code == 0


def rows(done: Any) -> list[list[str]]:
    assert (done.returncode, done.stderr) == (0, b"")
    return [line.split("\t") for line in done.stdout.decode().splitlines()]


def error(done: Any) -> str:
    assert done.stdout == b""
    assert b"Traceback" not in done.stderr
    found: str = done.stderr.decode()
    return found


def test_a_report_has_the_network_beside_the_cosine_of_what_it_sees(folder: Path) -> None:
    report = json.loads((folder / "images" / "report.json").read_text())
    valid = report["scores"]["valid"]
    assert list(valid["network"]) == ["loss", "eer", "threshold", "one_shot", "chance"]
    assert list(valid["baselines"]) == ["cosine of the images"]
    assert set(valid["intervals"]) == {"eer", "one_shot"}
    low, high = valid["intervals"]["eer"]
    assert low <= valid["network"]["eer"] <= high
    assert (valid["details"]["classes"], valid["details"]["ways"]) == (3, 3)
    assert report["task"] == "match"
    assert not report["notes"]


def test_a_text_is_as_like_itself_as_can_be(ask: Any) -> None:
    ((one, other, similarity, distance),) = rows(ask("similar", "texts", "aox aim", "aox aim"))
    assert (one, other) == ("aox aim", "aox aim")
    assert (float(similarity), float(distance)) == (1.0, 0.0)


def test_texts_of_one_topic_are_more_alike_than_others(ask: Any) -> None:
    eer = ("--threshold", "eer")
    same = rows(ask("similar", "texts", "aox aim the", "aub aox one", *eer))[0]
    apart = rows(ask("similar", "texts", "aox aim the", "box bim of", *eer))[0]
    assert float(same[2]) > float(apart[2])
    assert (same[4], apart[4]) == ("yes", "no")
    # Of unit vectors the squared distance is 2 - 2 cos.
    assert float(apart[3]) ** 2 == pytest.approx(2 - 2 * float(apart[2]), abs=1e-5)


def test_pairs_come_from_standard_input(ask: Any) -> None:
    said = b"aox\taub aim\nbox\tcox\n"
    found = rows(ask("similar", "texts", stdin=said))
    assert [row[:2] for row in found] == [["aox", "aub aim"], ["box", "cox"]]
    assert found[0] == rows(ask("similar", "texts", "aox", "aub aim"))[0]


def test_images_and_rows_of_files_are_named(ask: Any) -> None:
    ((_, _, one, _),) = rows(ask("similar", "images", "0.png", "@digits:1"))
    assert float(one) > 0.999  # the same digit; its pixels were rounded to 8 bits
    ((_, _, other, _),) = rows(ask("similar", "images", "0.png", "1.png"))
    assert float(other) < float(one)
    ((*_, third, _),) = rows(ask("similar", "texts", "--files", "lines.txt:1", "lines.txt:3"))
    assert third == rows(ask("similar", "texts", "aox aim", "aub aox"))[0][2]


def test_what_is_found_is_ranked_by_the_cosine_of_embeddings(ask: Any, folder: Path) -> None:
    from gai.output.dense import load_dense

    ask("encode", "images", "new.npz", "-o", "codes.npz")
    codes = load_dense(str(folder / "codes.npz")).vectors
    found = rows(ask("match", "images", "new.npz:5", "new.npz", "--top", "400"))
    expected = codes @ codes[4]
    assert [int(row[0]) for row in found] == list(range(1, len(codes) + 1))
    assert found[0] == ["1", "1.000000", "new.npz:5"]
    similar = [float(row[1]) for row in found]
    assert similar == sorted(similar, reverse=True)
    for _, value, id in found:
        assert float(value) == pytest.approx(expected[int(id.split(":")[1]) - 1], abs=1e-5)


def test_verification_says_yes_from_the_threshold_on(ask: Any) -> None:
    found = rows(ask("match", "texts", "aox", "topics.jsonl", "--threshold", "0.5", "--top", "96"))
    assert len(found) == 96
    assert {row[2] for row in found} == {"yes", "no"}
    assert all((float(row[1]) >= 0.5) == (row[2] == "yes") for row in found)


def test_the_threshold_of_the_run_is_the_one_of_its_report(ask: Any, folder: Path) -> None:
    report = json.loads((folder / "texts" / "report.json").read_text())
    least = report["scores"]["valid"]["network"]["threshold"]
    eer = ask("match", "texts", "aox", "topics.jsonl", "--threshold", "eer", "--top", "96")
    said = ask("match", "texts", "aox", "topics.jsonl", "--threshold", str(least), "--top", "96")
    assert rows(eer) == rows(said)


def test_labels_make_a_classifier_of_one_example_of_each(ask: Any) -> None:
    found = ask("match", "texts", "cim cub", "topics.jsonl", "--label-field", "topic", "--top", "3")
    assert [row[3] for row in rows(found)] == ["t2"] * 3
    as_json = ask("match", "texts", "cim cub", "topics.jsonl", "--label-field", "topic", "--top",
                  "1", "--threshold", "-1", "--format", "jsonl")  # fmt: skip
    (one,) = (json.loads(line) for line in as_json.stdout.splitlines())
    assert list(one) == ["rank", "similarity", "id", "alike", "label"]
    assert (one["rank"], one["alike"], one["label"]) == (1, True, "t2")


def test_a_file_of_answers_appears_by_its_extension(ask: Any, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "found.jsonl"
    done = ask("match", "texts", "aox", "lines.txt", "-o", out)
    assert (done.returncode, done.stdout) == (0, b"")
    ids = [json.loads(line)["id"] for line in out.read_text().splitlines()]
    assert sorted(ids) == [f"lines.txt:{n}" for n in range(1, 5)]
    assert set(ids[:2]) == {"lines.txt:1", "lines.txt:3"}


def test_control_characters_reach_no_terminal(on_terminal: Any, folder: Path) -> None:
    run, lines = folder / "texts", folder / "lines.txt"
    done = on_terminal("nn", "match", run, "aox", lines, "--threshold", "eer", "--threads", "1")
    assert done.code == 0
    assert all(head in done.out for head in ("rank", "similarity", "alike", "example", "text"))
    assert "\x1b[31m" not in done.out
    assert "aox aim" in done.out


def test_evaluate_compares_classes_that_training_never_saw(ask: Any) -> None:
    done = ask("evaluate", "images", "new.npz")
    assert (done.returncode, done.stderr) == (0, b"")
    found = json.loads(done.stdout)
    assert set(found["intervals"]) == {"eer", "one_shot"}
    assert found["details"]["classes"] == 3
    assert 0 < found["summary"]["eer"] < 0.5
    assert found["summary"]["one_shot"] > found["summary"]["chance"]
    known = ask("evaluate", "images", "known.npz")
    assert b"no class that training never saw" in known.stderr


def test_a_run_goes_on_bit_for_bit(quick: Any, folder: Path, tmp_path: Path) -> None:
    words = (folder / "topics.jsonl", "--label-field", "topic", "--width", "16", "--code", "8",
             "--negatives", "random", "--dropout", "0.2", *TINY)  # fmt: skip
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert quick("nn", "train", "siamese", *words, "--epochs", "4", "-o", whole).returncode == 0
    assert quick("nn", "train", "siamese", *words, "--epochs", "2", "-o", parts).returncode == 0
    resumed = quick("nn", "train", "--resume", "-o", parts, "--epochs", "4", "-q")
    assert resumed.returncode == 0
    assert weights(whole) == weights(parts)
    assert scored(whole) == scored(parts)


def weights(run: Path) -> dict[str, bytes]:
    """All bits of the last weights and of what goes on from them."""
    from gai.nn.net import checkpoints
    from gai.nn.runs import LAST

    return {k: t.numpy().tobytes() for k, t in checkpoints.read(str(run / LAST)).tensors.items()}


def scored(run: Path) -> list[dict[str, float]]:
    """The scores of each evaluation."""
    return [json.loads(line)["scores"] for line in (run / "metrics.jsonl").open()]


def test_a_siamese_network_is_no_classifier_and_says_what_it_is(ask: Any) -> None:
    said = error(ask("predict", "images", "new.npz"))
    assert "a siamese network has no labels to predict" in said
    assert "gai nn match" in said
    for words in (
        ("similar", "classes", "0.png", "1.png"),
        ("match", "classes", "0.png", "new.npz"),
    ):
        said = error(ask(*words))
        assert "classes is a model mlp for --task classify, no siamese network" in said
        assert "gai nn train siamese" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("match", "texts"), "no QUERY"),
        (("match",), "no QUERY"),
        (("match", "gone", "a", "lines.txt"), "gone is no run"),
        (("match", "images", "0.png", "large.npz"), "1 x 8 x 8 numbers, the data has 1 x 9 x 9"),
        (("match", "images", "wide.png", "new.npz"), "1 x 8 x 8 numbers, the data has 1 x 8 x 9"),
        (("match", "images", "gone.png", "new.npz"), "gone.png: no such file"),
        (("match", "images", "new.npz", "new.npz"), "new.npz has 176 examples: which one?"),
        (("match", "images", "0.png", "lines.txt"), "the data is text"),
        (("match", "texts", "a", "new.npz"), "this model reads text"),
        (("match", "texts", "a", "lines.txt", "--threshold", "1.5"), "--threshold 1.5"),
        (("match", "texts", "a", "lines.txt", "--threshold", "high"), "--threshold high"),
        (("match", "texts", "a", "lines.txt", "--top", "0"), "--top 0"),
        (("similar", "texts", "a"), "two examples are compared, not 1"),
        (("similar", "texts", "a", "b", "c"), "two examples are compared, not 3"),
        (("similar", "images", "@digits:1", "@digits:1798"), "@digits has 1,797 examples"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(ask: Any, words: tuple[str, ...], said: str) -> None:
    done = ask(*words)
    assert done.returncode in (1, 2)
    assert said in error(done)


def test_a_line_of_standard_input_that_is_no_pair_is_named(ask: Any) -> None:
    said = error(ask("similar", "texts", stdin=b"a\tb\nalone\n"))
    assert "-:2: not two fields" in said


def test_nothing_to_look_through_is_an_error(ask: Any, folder: Path) -> None:
    (folder / "empty.txt").write_text("")
    assert "no examples in the data" in error(ask("match", "texts", "a", "empty.txt"))


def test_a_run_without_a_validation_part_has_no_threshold_of_its_own(
    quick: Any, folder: Path, tmp_path: Path
) -> None:
    words = (folder / "topics.jsonl", "--label-field", "topic", "--valid", "0", "--epochs", "1")
    assert quick("nn", "train", "siamese", *words, *TINY, "-o", tmp_path / "blind").returncode == 0
    said = error(quick("nn", "similar", tmp_path / "blind", "a", "b", "--threshold", "eer"))
    assert "has no equal error rate" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("known.npz", "--encoder", "vae"), "--encoder vae"),
        (("known.npz", "--encoder", "lstm", "--input", "images"), "lstm does not take images"),
        (("known.npz", "--loss", "mse"), "--loss mse does not fit --task match"),
        (("known.npz", "--per-class", "1"), "--per-class 1"),
        (("known.npz", "--task", "classify"), "--task classify: siamese has another"),
        (("known.npz", "--split-by", "classes", "--valid", "0.9"), "7 classes cannot be split"),
        (("lines.txt",), "__label__"),
    ],
)
def test_training_says_what_does_not_fit(
    ask: Any, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    assert said in error(ask("train", "siamese", *words, "-q", "-o", tmp_path / "run"))
