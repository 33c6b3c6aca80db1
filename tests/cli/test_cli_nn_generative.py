"""gai nn anomalies, denoise and sample, and autoencoders in the other commands of gai nn."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from gai.cli.main import main

TINY = ("--width", "16", "--seed", "1", "--threads", "1", "-q")

WORDS = [("red", "green", "blue"), ("cat", "dog", "fox"), ("one", "two", "six")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data, and runs that were trained on it: images, numbers, texts, pixels that are drawn."""
    path = tmp_path_factory.mktemp("generative")
    digits = load_digits()
    images = (digits.images[:400] / 16).astype(np.float32)
    np.savez(path / "digits.npz", x=images, y=digits.target[:400])
    np.savez(path / "large.npz", x=np.zeros((2, 9, 9), np.float32))
    rng = np.random.default_rng(0)
    plane = rng.standard_normal((120, 2)) @ rng.standard_normal((2, 4))
    rows = [",".join(map(str, row)) for row in plane.round(4)]
    (path / "plane.csv").write_text("a,b,c,d\n" + "".join(f"{row}\n" for row in rows))
    wrong = ",".join(map(str, (-3 * plane[0][::-1]).round(4)))
    (path / "new.csv").write_text("a,b,c,d\n" + "".join(f"{r}\n" for r in [*rows[:9], wrong]))
    with (path / "texts.jsonl").open("w") as file:
        for number in range(90):
            kind = number % 3
            said = " ".join(rng.choice(WORDS[kind], 4))
            file.write(json.dumps({"text": said, "kind": "abc"[kind]}) + "\n")
    columns = ("--columns", "a,b,c,d")
    train(path, "images", "autoencoder", "digits.npz", "--code", "6", "--epochs", "4")
    train(path, "rows", "autoencoder", "plane.csv", *columns, "--code", "2", "--epochs", "60",
          "--lr", "0.01")  # fmt: skip
    train(path, "texts", "autoencoder", "texts.jsonl", "--label-field", "kind", "--without", "c",
          "--code", "2", "--epochs", "12")  # fmt: skip
    train(path, "drawn", "vae", "digits.npz", "--code", "4", "--epochs", "2", "--test", "0.2")
    train(path, "normal", "vae", "plane.csv", *columns, "--code", "2", "--epochs", "2")
    train(path, "classes", "mlp", "digits.npz", "--input", "images", "--epochs", "1")
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


def test_the_report_has_the_error_beside_that_of_principal_components(folder: Path) -> None:
    for run, name in (("images", "PCA, 6 components"), ("texts", "truncated SVD, 2 components")):
        report = json.loads((folder / run / "report.json").read_text())
        assert report["data"]["labels"] is None
        scores = report["scores"]["valid"]
        assert list(scores["baselines"]) == [name]
        assert scores["baselines"][name]["error"] > 0
        assert list(scores["network"]) == ["loss", "error"]
    assert "autoencoder, the example itself" in (folder / "images" / "card.md").read_text()


def test_images_stay_images_and_the_loss_goes_by_the_data(folder: Path) -> None:
    found = {
        run: (folder / run / "config.toml").read_text() for run in ("images", "texts", "drawn")
    }
    assert 'input = "images"' in found["images"]
    assert 'loss = "mse"' in found["images"]
    assert 'input = "tfidf"' in found["texts"]
    assert 'loss = "cosine"' in found["texts"]
    assert 'loss = "bce"' in found["drawn"]


def test_the_log_of_a_vae_has_the_parts_of_the_bound(folder: Path) -> None:
    lines = (folder / "drawn" / "metrics.jsonl").read_text().splitlines()
    for record in map(json.loads, lines):
        assert list(record["parts"]) == ["reconstruction", "kl"]
        assert sum(record["parts"].values()) == pytest.approx(record["train_loss"])
        scores = record["scores"]
        assert scores["reconstruction"] + scores["kl"] == pytest.approx(-scores["elbo"])


def test_encode_gives_the_code(ask: Any) -> None:
    assert {len(row) for row in rows(ask("encode", "images", "digits.npz"))} == {7}
    assert {len(row) for row in rows(ask("encode", "drawn", "digits.npz"))} == {5}
    found = rows(ask("encode", "texts", "-", "--input-format", "text", stdin=b"red dog\n"))
    assert len(found[0]) == 3


def test_evaluate_gives_the_error(ask: Any, folder: Path) -> None:
    done = ask("evaluate", "images", "digits.npz")
    found = json.loads(done.stdout)
    assert found["summary"]["error"] == pytest.approx(found["summary"]["loss"])
    assert len(found["details"]["quantiles"]) == 101
    found = json.loads(ask("evaluate", "drawn", "digits.npz").stdout)
    assert found["summary"]["elbo"] == pytest.approx(-found["summary"]["loss"])


def test_what_a_network_cannot_make_again_comes_first(ask: Any) -> None:
    found = rows(ask("anomalies", "rows", "new.csv"))
    assert found[0][0] == "new.csv:10"
    assert found[0][2] == "1.0"
    errors = [float(row[1]) for row in found]
    assert errors == sorted(errors, reverse=True)
    assert len(found) == 10
    above = (errors[2] + errors[3]) / 2
    assert len(rows(ask("anomalies", "rows", "new.csv", "--threshold", f"{above}"))) == 3
    assert rows(ask("anomalies", "rows", "new.csv", "--top", "2")) == found[:2]
    assert rows(ask("anomalies", "rows", "new.csv", "--quantile", "1"))[0] == found[0]


def test_labels_say_how_well_anomalies_are_found(ask: Any) -> None:
    labelled = ("--label-field", "kind", "--anomalous", "c")
    done = ask("anomalies", "texts", "texts.jsonl", *labelled, "--top", "30")
    assert (
        done.stderr
        == b"gai: AUROC 1.0000, average precision 1.0000: 30 of 90 examples are anomalous\n"
    )
    assert {line.split("\t")[3] for line in done.stdout.decode().splitlines()} == {"c"}
    done = ask("anomalies", "texts", "texts.jsonl", *labelled, "--json", "--top", "1")
    said = json.loads(done.stdout)
    assert (said["auroc"], said["average_precision"], said["anomalous"]) == (1.0, 1.0, 30)
    assert list(said["examples"][0]) == ["id", "error", "quantile", "label"]
    images = ask("anomalies", "images", "digits.npz", "--anomalous", "3", "--json", "--top", "1")
    assert 0 < json.loads(images.stdout)["auroc"] < 1


def test_a_run_without_held_out_errors_has_no_quantiles(ask: Any, folder: Path) -> None:
    words = ("--valid", "0", "--epochs", "1", "--columns", "a,b,c,d", "--code", "1")
    train(folder, "alone", "autoencoder", "plane.csv", *words)
    assert rows(ask("anomalies", "alone", "new.csv"))[0][2] == ""
    done = ask("anomalies", "alone", "new.csv", "--quantile", "0.9")
    assert "--quantile 0.9: alone has no held-out errors" in error(done)


def test_denoised_examples_are_written_as_arrays_lines_and_a_picture(
    ask: Any, folder: Path
) -> None:
    assert ask("denoise", "images", "digits.npz", "-o", "out.npz").returncode == 0
    with np.load(folder / "out.npz") as found:
        assert found["x"].shape == (400, 1, 8, 8)
        made = found["x"]
    lines = rows(ask("denoise", "images", "digits.npz", "-n", "2"))
    assert [line[0] for line in lines] == ["digits.npz:1", "digits.npz:2"]
    assert np.allclose(np.array(lines[1][1:], float), made[1].ravel(), atol=1e-5)
    assert ask("denoise", "images", "digits.npz", "-n", "3", "-o", "pairs.png").returncode == 0
    with Image.open(folder / "pairs.png") as image:
        pixels = np.asarray(image)
    assert pixels.shape == (2 * 33 + 1, 3 * 33 + 1)
    given = np.load(folder / "digits.npz")["x"][1]
    assert np.array_equal(pixels[1:33:4, 34:66:4], np.rint(given * 255))
    below = np.rint(np.clip(made[1, 0], 0, 1) * 255)
    assert np.abs(pixels[34:66:4, 34:66:4] - below).max() <= 1


def test_numbers_are_denoised_in_their_own_units(ask: Any, folder: Path) -> None:
    found = np.array([line[1:] for line in rows(ask("denoise", "rows", "plane.csv"))], float)
    given = np.loadtxt(folder / "plane.csv", delimiter=",", skiprows=1)
    assert found.shape == given.shape
    assert ((found - given) ** 2).mean() < 0.5 * given.var()


def test_samples_are_the_same_for_the_same_seed(ask: Any, folder: Path) -> None:
    for name, seed in (("a", "7"), ("b", "7"), ("c", "8")):
        done = ask("sample", "drawn", "-n", "5", "--seed", seed, "-o", f"{name}.png")
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    first, second, third = ((folder / f"{name}.png").read_bytes() for name in "abc")
    assert first == second != third
    with Image.open(io.BytesIO(first)) as image:
        assert image.size == (3 * 33 + 1, 2 * 33 + 1)


def test_samples_can_be_trained_on(ask: Any, folder: Path) -> None:
    assert ask("sample", "drawn", "-n", "20", "-o", "more.npz").returncode == 0
    with np.load(folder / "more.npz") as found:
        assert list(found) == ["x"]
        assert found["x"].shape == (20, 1, 8, 8)
    train(folder, "again", "autoencoder", "more.npz", "--epochs", "1", "--code", "2")
    found = rows(ask("sample", "normal", "-n", "3"))
    assert [line[0] for line in found] == ["sample:1", "sample:2", "sample:3"]
    assert {len(line) for line in found} == {5}


def test_the_way_between_two_examples(ask: Any, folder: Path) -> None:
    words = ("--data", "digits.npz", "--between", "1,2", "--steps", "3")
    assert ask("sample", "drawn", *words, "-o", "way.npz").returncode == 0
    assert ask("denoise", "drawn", "digits.npz", "-n", "2", "-o", "ends.npz").returncode == 0
    way, ends = (np.load(folder / f"{name}.npz")["x"] for name in ("way", "ends"))
    assert len(way) == 3
    assert np.allclose(way[[0, 2]], ends, atol=1e-6)


def test_a_terminal_sees_shaded_images_and_a_table(on_terminal: Any, folder: Path) -> None:
    done = on_terminal("nn", "sample", folder / "drawn", "-n", "3", "--threads", "1")
    lines = done.out.splitlines()
    assert done.code == 0
    assert len(lines) == 8
    assert {len(line) for line in lines} == {3 * 16 + 2 * 2}
    assert set("".join(lines)) <= set(" ░▒▓█")
    asked = ("nn", "anomalies", folder / "rows", folder / "plane.csv", "--threads", "1")
    done = on_terminal(*asked, env={"NO_COLOR": "1"})
    lines = done.out.splitlines()
    assert lines[0].split() == ["example", "error", "quantile"]
    assert len(lines) == 22
    assert lines[-1] == "... and 100 more: -o FILE keeps all, --top N shows some"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("sample classes", "mlp draws no new examples"),
        ("sample images", "autoencoder draws no new examples"),
        ("sample classes --data digits.npz --between 1,2", "mlp has no code to go through"),
        ("sample drawn --between 1,2", "--between without --data"),
        ("sample drawn --data digits.npz", "--data without --between"),
        ("sample drawn --data digits.npz --between 1,2,3", "--between names 3 examples, not two"),
        ("sample drawn --data digits.npz --between 1,401", "digits.npz has 400 examples"),
        (
            "sample drawn --data large.npz --between 1,2",
            "of 1 x 8 x 8 numbers, the data has 1 x 9 x 9",
        ),
        ("sample drawn --label 3", "--label 3: this model was trained without labels"),
        ("sample drawn -o x.gif", "no format is called 'gif'"),
        ("sample normal -o x.png", "a picture is of images, and these are rows of numbers"),
        ("sample drawn -n 0", "--number 0: expected a whole number, 1 or more"),
        ("denoise classes digits.npz", "gai nn denoise needs a model that reconstructs"),
        ("denoise texts texts.jsonl", "this model reads text"),
        ("denoise images large.npz", "of 1 x 8 x 8 numbers, the data has 1 x 9 x 9"),
        ("denoise images texts.jsonl", "this model reads images, and the data is text"),
        ("anomalies classes digits.npz", "gai nn anomalies needs a model that reconstructs"),
        ("anomalies images large.npz", "of 1 x 8 x 8 numbers, the data has 1 x 9 x 9"),
        ("anomalies images digits.npz --anomalous 11", "--anomalous 11: none of the examples"),
        ("anomalies images digits.npz --label-field y", "--label-field without --anomalous"),
        ("anomalies rows new.csv --threshold 1 --quantile 0.5", "--threshold and --quantile"),
        ("anomalies texts - --input-format text", "no examples in the data"),
        ("predict images digits.npz", "a model that reconstructs has no labels to predict"),
        ("inspect images --data digits.npz", "this model learns without labels"),
        ("trace images 1", "this model learns without labels"),
        ("train autoencoder digits.npz -o no --code 0", "--code 0"),
        ("train autoencoder digits.npz -o no --task classify", "autoencoder has another"),
        ("train autoencoder digits.npz -o no --input ids", "--input ids: the data is arrays 8 x 8"),
        ("train vae texts.jsonl -o no", "vae does not take rows of tfidf or bow"),
        ("train vae plane.csv --columns a,b -o no --loss bce", "bce needs numbers from 0 to 1"),
        ("train mlp digits.npz -o no --denoise 0.1", "--denoise is for autoencoder"),
        ("train autoencoder digits.npz -o no --without 9,8,7,6,5,4,3,2,1,0", "leaves no example"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(
    words: str, message: str, quick: Any, folder: Path
) -> None:
    command, *rest = words.split()
    threads = () if command in ("inspect", "trace") else ("--threads", "1")
    done = quick("nn", command, *rest, *threads, cwd=folder)
    assert done.returncode in (1, 2)
    assert message in error(done)
    assert len(done.stderr.splitlines()) <= 3
    assert not (folder / "no").exists()


@pytest.mark.parametrize(
    "words",
    [("autoencoder", "--denoise", "0.3", "--sparsity", "0.01"), ("vae", "--beta", "2")],
    ids=["autoencoder", "vae"],
)
def test_a_run_that_goes_on_ends_as_one_that_was_not_interrupted(
    words: tuple[str, ...], folder: Path
) -> None:
    model, *said = words
    said += ["--code", "2"]
    train(folder, f"{model}-whole", model, "digits.npz", *said, "--epochs", "2")
    train(folder, f"{model}-parts", model, "digits.npz", *said, "--epochs", "1")
    going_on = ["--resume", "-o", str(folder / f"{model}-parts"), "--epochs", "2", "-q"]
    assert main(["nn", "train", *going_on]) == 0
    whole, parts = (
        (folder / f"{model}-{end}" / "last" / "state.safetensors").read_bytes()
        for end in ("whole", "parts")
    )
    assert weights_in(whole) == weights_in(parts)


def weights_in(content: bytes) -> dict[str, list[float]]:
    """The weights of a state, by name."""
    from safetensors.numpy import load

    found = load(content)
    return {name: found[name].tolist() for name in found if name.startswith("model.")}
