"""gai nn on bad input: one line with the cause, one with the remedy, and nothing half done."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gai.nn.runs import LAST, MODEL

Variables = Callable[..., dict[str, str]]
SMALL = ("--epochs", "2", "--width", "8", "--embedding", "8", "--threads", "1", "-q")
TEXTS = ["a good film", "a bad film", "good", "bad", "quite good", "quite bad"] * 4


def table(path: Path, rows: list[tuple[str, str]], names: str = "text,label") -> Path:
    path.write_text(f"{names}\n" + "".join(f"{a},{b}\n" for a, b in rows))
    return path


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A file of 24 short texts of two kinds."""
    rows = [(text, "yes" if "good" in text else "no") for text in TEXTS]
    return table(tmp_path / "good.csv", rows)


def failed(done: Any, message: str, hint: str = "", code: int = 1) -> None:
    """Asserts that a command ended with this error, and no other noise."""
    err = done.stderr.decode()
    assert done.returncode == code, err
    assert done.stdout == b""
    assert err.startswith("gai: error: ")
    first, *rest = err.splitlines()
    assert message in first
    assert hint in "\n".join(rest)
    assert "bug in gai" not in err
    assert "Traceback" not in err


def files(run: Path) -> dict[str, bytes]:
    return {str(p.relative_to(run)): p.read_bytes() for p in run.rglob("*") if p.is_file()}


@pytest.fixture
def trained(good: Path, tmp_path: Path, quick: Any) -> Path:
    """A small run."""
    run = tmp_path / "run"
    assert quick("nn", "train", "cnn", good, *SMALL, "--filters", "4", "-o", run).returncode == 0
    return run


def test_one_class_only(quick: Any, tmp_path: Path) -> None:
    path = table(tmp_path / "d.csv", [(text, "yes") for text in TEXTS])
    done = quick("nn", "train", "mlp", path, *SMALL, "-o", tmp_path / "run")
    failed(done, "at least two classes, the data has only 'yes'", "--label-field")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("model", ["mlp", "cnn"])
@pytest.mark.parametrize("part", ["--valid", "--test"])
def test_a_class_that_the_training_part_lacks(
    model: str, part: str, good: Path, quick: Any, tmp_path: Path
) -> None:
    held = table(tmp_path / "held.csv", [("good", "yes"), ("so so", "maybe"), ("hm", "unsure")])
    words = (part, held, "-o", tmp_path / "run")
    done = quick("nn", "train", model, good, *SMALL[:-1], *words)
    assert done.returncode == 0
    name = part.removeprefix("--")
    told = f"gai: the {name} part has labels that training never saw: 'maybe', 'unsure'\n"
    assert done.stderr.decode() == told
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["scores"][name]["network"]["accuracy"] <= 1 / 3 + 1e-9
    assert report["data"]["labels"] == ["no", "yes"]
    assert any("maybe" in note for note in report["notes"])


def test_a_validation_part_of_unknown_classes_alone(good: Path, quick: Any, tmp_path: Path) -> None:
    held = table(tmp_path / "held.csv", [("good", "maybe"), ("so so", "maybe")])
    words = ("--valid", held, "-o", tmp_path / "run")
    done = quick("nn", "train", "cnn", good, *SMALL[:-1], *words)
    assert done.returncode == 0, done.stderr
    for name in ("report.json", "metrics.jsonl"):
        assert "NaN" not in (tmp_path / "run" / name).read_text()


@pytest.mark.parametrize("model", ["mlp", "cnn", "rnn", "lstm", "gru", "transformer"])
def test_empty_texts(model: str, quick: Any, tmp_path: Path) -> None:
    rows = [(text, "yes" if "good" in text else "no") for text in TEXTS]
    path = table(tmp_path / "d.csv", [*rows, ("", "yes"), ("", "no"), ("?!", "no")] * 2)
    words = ("--batch-size", "1", "--batch-norm", "-o", tmp_path / "run")
    words = words if model != "transformer" else words[:2] + words[3:]
    done = quick("nn", "train", model, path, *SMALL, "--epochs", "1", *words)
    assert done.returncode == 0, done.stderr
    done = quick("nn", "predict", tmp_path / "run", "-", "--threads", "1", stdin=b"\n\n?\n")
    assert done.returncode == 0, done.stderr
    first, *others = [line.split(b"\t")[1:] for line in done.stdout.splitlines()]
    assert first[0] in (b"yes", b"no")
    assert 0 < float(first[1]) <= 1
    assert others == [first] * 2


@pytest.mark.parametrize("model", ["mlp", "cnn", "transformer"])
def test_nothing_but_empty_texts(model: str, quick: Any, tmp_path: Path) -> None:
    path = table(tmp_path / "d.csv", [("", "yes"), ("", "no")] * 9)
    done = quick("nn", "train", model, path, *SMALL, "-o", tmp_path / "run")
    failed(done, "the training texts have no terms")


@pytest.mark.parametrize("content", ["", "text,label\n"])
def test_nothing_at_all(content: str, quick: Any, tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(content)
    done = quick("nn", "train", "mlp", tmp_path / "d.csv", *SMALL, "-o", tmp_path / "run")
    failed(done, "no examples")


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["--text-field", "body"], "good.csv:2: no field 'body' (fields: text, label)", "--text"),
        (["--label-field", "kind"], "good.csv:2: no field 'kind' (fields: text, label)", "--label"),
        (["--columns", "a,b"], "good.csv:2: no field 'a' (fields: text, label)", "--columns"),
    ],
)
def test_a_field_that_is_not_there(
    words: list[str], message: str, hint: str, good: Path, quick: Any, tmp_path: Path
) -> None:
    done = quick("nn", "train", "mlp", good, *SMALL, *words, "-o", tmp_path / "run")
    failed(done, message, hint)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("nan", "d.csv:6: column 'b' is 'nan', not a finite number"),
        ("inf", "d.csv:6: column 'b' is 'inf', not a finite number"),
        ("tall", "d.csv:6: column 'b' is 'tall', not a number"),
        ("", "d.csv:6: column 'b' is empty, not a number"),
        ("1e39", "d.csv:6: column 'b' is '1e39', not a finite number"),
    ],
)
def test_cells_that_are_no_numbers(cell: str, message: str, quick: Any, tmp_path: Path) -> None:
    rows = [f"{n},{n % 3},{'xy'[n % 2]}" for n in range(20)]
    rows[4] = f"4,{cell},x"
    (tmp_path / "d.csv").write_text("a,b,label\n" + "\n".join(rows) + "\n")
    words = ("--columns", "a,b", "-o", tmp_path / "run")
    done = quick("nn", "train", "mlp", tmp_path / "d.csv", *SMALL, *words)
    failed(done, message, "fill it in, or leave the row out")
    rows[4] = "4,4,x"
    (tmp_path / "d.csv").write_text("a,b,label\n" + "\n".join(rows) + "\n")
    assert quick("nn", "train", "mlp", tmp_path / "d.csv", *SMALL, *words).returncode == 0
    asked = ("--columns", "a,b", "--input-format", "csv", "--threads", "1")
    done = quick("nn", "predict", tmp_path / "run", *asked, stdin=f"a,b\n1,{cell}\n".encode())
    failed(done, "column 'b' is ")


def test_targets_that_are_no_numbers(quick: Any, tmp_path: Path) -> None:
    path = table(tmp_path / "d.csv", [(text, "0.5") for text in TEXTS] + [("a", "nan")])
    done = quick("nn", "train", "mlp", path, *SMALL, "-o", tmp_path / "run")
    failed(done, "d.csv:25: the label is nan, not a finite number")
    path = table(tmp_path / "d.csv", [(text, "0.5") for text in TEXTS] + [("a", "much")])
    words = ("--task", "regress", "-o", tmp_path / "run")
    failed(quick("nn", "train", "mlp", path, *SMALL, *words), "'much', not a number")


def test_a_run_that_is_there_is_not_lost(trained: Path, good: Path, quick: Any) -> None:
    before = files(trained)
    again = ("nn", "train", "mlp", good, *SMALL, "-o", trained)
    failed(quick(*again), "holds a run already", "--resume goes on with it, --force", code=2)
    # It is said before anything is read.
    missing = ("nn", "train", "mlp", good.parent / "nothing.csv", *SMALL, "-o", trained)
    failed(quick(*missing), "holds a run already", code=2)
    failed(quick(*missing, "--force"), "nothing.csv: no such file")
    assert files(trained) == before
    assert quick(*again, "--force").returncode == 0
    assert 'model = "mlp"' in (trained / "config.toml").read_text()


def test_a_folder_or_a_file_that_is_no_run_is_left_alone(
    good: Path, quick: Any, tmp_path: Path
) -> None:
    for option in ((), ("--force",)):
        done = quick("nn", "train", "mlp", good, *SMALL, *option, "-o", tmp_path)
        failed(done, "is a folder, and holds no run", code=2)
        done = quick("nn", "train", "mlp", good, *SMALL, *option, "-o", good)
        failed(done, "good.csv is a file", "a run is a folder", code=2)
    done = quick("nn", "train", "mlp", good, *SMALL, "-o", good / "run")
    failed(done, "cannot write")
    (tmp_path / "empty" / "last").mkdir(parents=True)  # as a run leaves it that was killed at once
    assert quick("nn", "train", "mlp", good, *SMALL, "-o", tmp_path / "empty").returncode == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--resume"], "is done: it has made all its"),
        (["--resume", "--epochs", "9", "--lr", "0.5"], "--lr 0.5: the run in "),
        (["--resume", "--epochs", "9", "--context-size", "7"], "--context-size 7: the run in "),
        (["lstm", "--resume", "--epochs", "9"], "--model lstm: the run in "),
        (["--resume", "--force"], "--resume and --force"),
        (["--resume", "--config", "x.toml"], "--resume and --config x.toml"),
    ],
)
def test_what_cannot_go_on(words: list[str], message: str, trained: Path, quick: Any) -> None:
    before = files(trained)
    failed(quick("nn", "train", *words, "-o", trained), message, code=2)
    assert files(trained) == before


@pytest.mark.parametrize("schedule", ["cosine", "one-cycle"])
def test_a_schedule_that_ends_with_the_run_cannot_be_made_longer(
    schedule: str, good: Path, quick: Any, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    quick("nn", "train", "mlp", good, *SMALL, "--schedule", schedule, "-o", run)
    done = quick("nn", "train", "--resume", "--epochs", "4", "-o", run)
    failed(done, f"--epochs 4: --schedule {schedule} ends with the run", "-o OTHER", code=2)


@pytest.mark.parametrize(
    ("words", "message", "hint", "code"),
    [
        (["mpl"], "no model is called 'mpl'", "did you mean mlp?", 2),
        ([], "no MODEL", "one of mlp, cnn", 2),
        (["mlp"], "no DATA to train on", "gai nn train MODEL DATA -o RUN", 2),
        (["mlp", "@iris", "--device", "gpu"], "--device gpu: ", "--device auto, cpu or cuda", 1),
        (["mlp", "@irs"], "nothing built in is called @irs", "@iris", 2),
        (["cnn", "@iris"], "cnn does not take rows of numbers", "mlp", 2),
        (["mlp", "@iris", "--input", "tfidf"], "--input tfidf: the data is rows of 4", "", 2),
        (["mlp", "@iris", "--task", "lm"], "@iris is not for --task lm", "--task classify", 2),
        (["mlp", "@iris", "--loss", "mse2"], "unknown loss 'mse2'", "cross-entropy", 2),
        (["mlp", "@iris", "--lr", "0"], "--lr 0 must be above 0", "", 2),
        (["mlp", "@iris", "--valid", "1.5"], "--valid 1.5: a share is at least 0", "", 2),
        (["mlp", "@iris", "--vectors", "x.vec"], "--vectors x.vec needs text", "--input ids", 2),
        (["mlp", "@iris", "--augment", "flip"], "--augment flip does not fit", "noise", 2),
        (["mlp", "@iris", "--schedule", "warm-up"], "--schedule warm-up needs", "--warmup", 2),
        (["lstm", "x", "--task", "tag", "--max-length", "3"], "x: no such file", "", 1),
        (["--config", "nothing.toml"], "nothing.toml: no such file", "", 1),
    ],
)
def test_wrong_uses(
    words: list[str], message: str, hint: str, code: int, quick: Any, tmp_path: Path
) -> None:
    failed(quick("nn", "train", *words, "-o", tmp_path / "run"), message, hint, code)
    assert not (tmp_path / "run").exists()


def test_a_training_without_a_folder(quick: Any) -> None:
    failed(quick("nn", "train", "mlp", "@iris"), "needs a folder to write: -o RUN", code=2)


def test_a_file_of_choices_with_a_wrong_name(quick: Any, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text('model = "mlp"\ndata = ["@iris"]\n[training]\nepoch = 3\n')
    done = quick("nn", "train", "--config", "c.toml", "-o", "run")
    failed(done, "c.toml: no choice is called 'epoch'", "gai nn train's options")


def test_weights_that_are_not_those_of_the_configuration(
    trained: Path, quick: Any, good: Path
) -> None:
    config = trained / "config.toml"
    config.write_text(config.read_text().replace("filters = 4", "filters = 5"))
    before = files(trained)
    for words in (
        ("predict", trained, good),
        ("evaluate", trained, good),
        ("encode", trained, good),
    ):
        done = quick("nn", *words, "--threads", "1")
        failed(done, "but config.toml describes", "must be those that were written with")
    done = quick("nn", "train", "--resume", "--epochs", "4", "-o", trained)
    failed(done, "but config.toml describes")
    assert files(trained) == before


def test_a_vocabulary_that_is_not_that_of_the_run(trained: Path, quick: Any, good: Path) -> None:
    lines = (trained / "vocab.tsv").read_text().splitlines(keepends=True)
    (trained / "vocab.tsv").write_text("".join(lines[:-1]))
    done = quick("nn", "predict", trained, good)
    failed(done, f"vocab.tsv has {len(lines) - 1} terms, input.json says {len(lines)}")


@pytest.mark.parametrize("command", ["predict", "evaluate", "encode", "train"])
def test_a_run_that_another_version_wrote(
    command: str, trained: Path, quick: Any, good: Path
) -> None:
    found = json.loads((trained / "input.json").read_text())
    (trained / "input.json").write_text(json.dumps({**found, "format": 9, "gai": "7.0"}))
    with open(trained / "config.toml", "a") as file:
        file.write("a_choice_of_tomorrow = 1\n")
    words = ["--resume", "-o", trained] if command == "train" else [trained, good]
    done = quick("nn", command, *words)
    failed(done, "was written by gai 7.0, in format 9", "train it again")


@pytest.mark.parametrize("name", [MODEL, LAST])
@pytest.mark.parametrize("keep", [0, 50, -3])
def test_a_save_that_was_cut(name: str, keep: int, trained: Path, quick: Any, good: Path) -> None:
    path = trained / name
    path.write_bytes(path.read_bytes()[:keep])
    message = f"{path.name}: not a safetensors file, or cut short"
    if name == MODEL:
        failed(quick("nn", "predict", trained, good), message)
    else:
        assert quick("nn", "predict", trained, good, "--threads", "1").returncode == 0
        failed(quick("nn", "train", "--resume", "--epochs", "4", "-o", trained), message)


@pytest.mark.parametrize(
    ("name", "predicting", "resuming"),
    [
        ("config.toml", "is no run: it has no config.toml", "is no run: it has no config.toml"),
        ("input.json", "has no input.json", "has no input.json"),
        ("vocab.tsv", "vocab.tsv: no such file", "vocab.tsv: no such file"),
        (MODEL, "has no model.safetensors", ""),
        (LAST, "", "has nothing to go on from"),
        ("metrics.jsonl", "", ""),
        ("report.json", "", ""),
        ("card.md", "", ""),
    ],
)
def test_a_run_that_lacks_a_file(
    name: str, predicting: str, resuming: str, trained: Path, quick: Any, good: Path
) -> None:
    (trained / name).unlink()
    done = quick("nn", "predict", trained, good, "--threads", "1")
    if predicting:
        failed(done, predicting)
    else:
        assert done.returncode == 0, done.stderr
    done = quick("nn", "train", "--resume", "--epochs", "3", "-q", "-o", trained)
    if resuming:
        failed(done, resuming)
    else:
        assert done.returncode == 0, done.stderr
        assert (trained / name).exists()


def test_a_log_that_is_broken(trained: Path, quick: Any) -> None:
    (trained / "metrics.jsonl").write_text("{]\n")
    done = quick("nn", "train", "--resume", "--epochs", "3", "-q", "-o", trained)
    failed(done, "metrics.jsonl: broken")


def test_a_network_that_no_memory_can_hold(quick: Any, tmp_path: Path) -> None:
    for width in (10**10, 10**17):
        words = ("--width", str(width), "--threads", "1", "-o", tmp_path / "run")
        done = quick("nn", "train", "mlp", "@iris", *words)
        failed(done, "not enough memory to train this network", "--batch-size 16 and --max-length")
        assert "--width" in done.stderr.decode()
    assert not (tmp_path / "run").exists()


SHORT_OF = """
import resource, sys
import torch  # needs more addresses than memory
from gai.cli.main import main
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (600 << 20), resource.RLIM_INFINITY))
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_step_that_no_memory_can_hold(tmp_path: Path, variables: Variables) -> None:
    words = ["cnn", "@digits", "--filters", "400", "--batch-size", "full", "--threads", "1"]
    done = subprocess.run(
        [sys.executable, "-c", SHORT_OF, "nn", "train", *words, "-o", str(tmp_path / "run")],
        capture_output=True,
        env=variables(),
        check=False,
    )
    failed(done, "not enough memory to train this network", "--batch-size 32 and --max-length")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one")
def test_a_cuda_device_where_there_is_none(trained: Path, good: Path, quick: Any) -> None:
    words = ("--device", "cuda")
    done = quick("nn", "train", "mlp", good, *SMALL, *words, "-o", trained.parent / "other")
    failed(done, "--device cuda: there is no CUDA device", "--device auto or cpu")
    assert not (trained.parent / "other").exists()
    failed(quick("nn", "predict", trained, good, *words), "--device cuda: there is no CUDA device")


def test_training_that_diverges(quick: Any, tmp_path: Path) -> None:
    words = ("--optimizer", "sgd", "--lr", "1e30", "-o", tmp_path / "run")
    done = quick("nn", "train", "mlp", "@diabetes", *SMALL, *words)
    failed(done, "training has diverged", "--lr 1e+29, --clip-norm 1, or look for NaN")


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ("nothing:loss", "--loss nothing:loss: ModuleNotFoundError"),
        ("own.py:other", "--loss own.py:other: own.py has no other"),
        ("own.py:number", "--loss own.py:number: not a function"),
        ("own.py:failing", "--loss own.py:failing failed: ZeroDivisionError"),
        ("own.py:each", "--loss own.py:each gave float32 [24, 2], not one float"),
        ("own.py:constant", "--loss own.py:constant gave a float, no tensor"),
        ("missing.py:loss", "--loss missing.py:loss: FileNotFoundError"),
    ],
)
def test_a_loss_of_the_users_that_is_none(
    loss: str, message: str, good: Path, quick: Any, tmp_path: Path
) -> None:
    (tmp_path / "own.py").write_text(
        "import torch\n"
        "number = 1\n"
        "def failing(outputs, targets): return 1 / 0\n"
        "def each(outputs, targets): return outputs\n"
        "def constant(outputs, targets): return 1.0\n"
        "def fine(outputs, targets):\n"
        "    return torch.nn.functional.cross_entropy(outputs, targets)\n"
    )
    train = ("nn", "train", "mlp", good, *SMALL, "--valid", "0", "-o", tmp_path / "run")
    failed(quick(*train, "--loss", loss), message)
    if loss == "own.py:other":
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        assert quick(*train, "--loss", "own.py:fine").returncode == 0


def test_vectors_that_know_none_of_the_words(good: Path, quick: Any, tmp_path: Path) -> None:
    (tmp_path / "v.vec").write_text("1 3\nZebra 1 2 3\n")
    words = ("--vectors", tmp_path / "v.vec", "-o", tmp_path / "run")
    done = quick("nn", "train", "cnn", good, *SMALL, *words)
    failed(done, "v.vec has a vector for none of the 5 terms", "--keep-case")
    done = quick("nn", "train", "mlp", good, *SMALL, *words)
    failed(done, "needs text as ids", "--input ids", code=2)


COMMANDS: Mapping[str, tuple[str, ...]] = {
    "": (),
    "train": ("mlp", "@iris", "-o", "run"),
    "predict": ("run", "x"),
    "evaluate": ("run", "x"),
    "encode": ("run", "x"),
    "generate": ("run",),
}


@pytest.mark.parametrize(
    ("package", "command"),
    [*(("torch", name) for name in COMMANDS), ("safetensors", "train"), ("safetensors", "predict")],
)
def test_without_torch_each_command_says_the_pip_line(
    command: str, package: str, quick: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    done = quick("nn", *filter(None, [command]), *COMMANDS[command])
    feature = f"gai nn {command}".strip()
    failed(done, f"{feature} needs an extra package", "pip install 'gai[nn]'")


def test_without_torch_help_and_list_work(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert "Usage: gai nn train" in call("nn", "train", "--help").out
    assert call("nn", "list", "models").out.startswith("models\tmlp\t")


def test_a_process_without_torch(tmp_path: Path, variables: Variables) -> None:
    script = "import sys; sys.modules['torch'] = None; from gai.cli.main import main; "
    done = subprocess.run(
        [sys.executable, "-c", f"{script}sys.exit(main(['nn']))"],
        capture_output=True,
        env=variables(),
        check=False,
    )
    failed(done, "gai nn needs an extra package", "pip install 'gai[nn]'")


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file grows beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_takes_no_more(good: Path, tmp_path: Path, quick: Any) -> None:
    """A limit to the size of files stands for it: what is written beside its place goes again."""
    run = tmp_path / "run"
    words = ("--width", "4000", "--threads", "1", "-o", run)
    with largest_file(1 << 16):
        done = quick("nn", "train", "mlp", good, *words)
    failed(done, f"cannot write {run / MODEL}: File too large")
    left = files(run)
    assert left.keys() == {"config.toml", "input.json", "vocab.tsv"}
    done = quick("nn", "train", "--resume", "-o", run)
    failed(done, "nothing to go on from: it ended before its first evaluation", "--force")
    assert quick("nn", "train", "mlp", good, *SMALL, "--force", "-o", run).returncode == 0


def test_images_and_numbers_of_another_size(quick: Any, tmp_path: Path) -> None:
    """The hint is about the kind; the length of sequences is not what is wrong."""
    chance = np.random.default_rng(1)
    shapes = {"small": (6, 6), "large": (7, 7), "few": (4,), "many": (5,), "thin": (9, 2)}
    shapes |= {"thick": (4, 3)}
    for name, shape in shapes.items():
        np.savez(tmp_path / f"{name}.npz", x=chance.random((12, *shape), "f4"), y=np.arange(12) % 2)
    pairs = (("mlp", "small", "large", "bring them to that size"), ("mlp", "few", "many", "--col"))
    for model, one, other, hint in (*pairs, ("lstm", "thin", "thick", "name data whose steps")):
        kind = ("--input", "images") if one == "small" else ()
        words = (model, f"{one}.npz", *kind, *SMALL, "--valid", "0", "-o", one)
        assert quick("nn", "train", *words).returncode == 0
        for command in (("predict", one), ("finetune", "-o", "new", one)):
            done = quick("nn", *command, f"{other}.npz")
            failed(done, "this model was trained on", hint)
        if one == "thin":
            assert b"steps of 2 numbers, the data has 3\n" in done.stderr
    assert not (tmp_path / "new").exists()


def test_a_network_that_writes_becomes_no_classifier(
    trained: Path, good: Path, quick: Any, tmp_path: Path
) -> None:
    pairs = table(tmp_path / "pairs.csv", [("walk", "walked"), ("talk", "talked")] * 4, "a,b")
    fields = ("--task", "seq2seq", "--text-field", "a", "--label-field", "b")
    words = (pairs, *fields, "--valid", "0", "--width", "8", "--heads", "2", *SMALL[4:])
    assert quick("nn", "train", "transformer", *words, "--steps", "1", "-o", "w").returncode == 0
    done = quick("nn", "finetune", "w", good, "-o", "new")
    said = "--task classify: the model was trained for --task seq2seq"
    failed(done, said, "a network that writes goes on as one", code=2)
    done = quick("nn", "finetune", trained, pairs, *fields, "-o", "new")
    failed(done, "--task seq2seq: the model was trained for --task classify", code=2)
    assert not (tmp_path / "new").exists()


def test_folders_that_hold_runs_name_one(quick: Any, tmp_path: Path) -> None:
    for folder, inner in (("study", "best"), ("folds", "fold-1")):
        (tmp_path / folder / inner).mkdir(parents=True)
        (tmp_path / folder / inner / "config.toml").touch()
        done = quick("nn", "predict", folder, "@iris")
        failed(done, f"{folder} is no run: it has no config.toml", f"{folder}/{inner} is one")


def test_folds_that_are_not_kept_are_printed_however_quiet(quick: Any) -> None:
    words = ("mlp", "@iris", "-k", "2", "--steps", "1", "--threads", "1", "-q")
    shown = quick("nn", "cv", *words)
    assert len(json.loads(shown.stdout)["folds"]) == 2
    assert quick("nn", "cv", *words, "-o", "folds").stdout == b""


def test_a_bag_of_networks_that_do_not_answer_is_refused_before_the_work(
    quick: Any, tmp_path: Path
) -> None:
    done = quick("nn", "ensemble", "bag", "gan", "@digits", "--threads", "1", "-o", "bag")
    failed(done, "members are to be trained for --task generate", "ensembles are for classify")
    assert not (tmp_path / "bag").exists()


def test_a_study_without_its_database_keeps_its_best_run(quick: Any, tmp_path: Path) -> None:
    best = tmp_path / "study" / "best"
    best.mkdir(parents=True)
    words = ("nn", "search", "mlp", "@iris", "--trials", "1", *SMALL[-3:], "-o", "study")
    failed(quick(*words), "a study that has lost its study.db", "--force", code=2)
    assert best.exists()


def test_a_disk_that_takes_no_member_of_an_ensemble(
    trained: Path, quick: Any, tmp_path: Path
) -> None:
    shutil.copytree(trained, tmp_path / "other")
    words = ("nn", "ensemble", "average", trained, "other", "-q", "-o", "both")
    with largest_file(1000):
        done = quick(*words)
    failed(done, "cannot write both/member-1/")
    assert len(done.stderr.splitlines()) == 1
    whole = files(trained)
    assert all(whole[name] == kept for name, kept in files(tmp_path / "both/member-1").items())
    assert quick("nn", "predict", "both", "@iris").returncode == 1
    assert quick(*words, "--force").returncode == 0


def test_a_disk_that_is_full_does_not_use_up_the_trials(quick: Any, tmp_path: Path) -> None:
    """The weights are larger than the limit, the database is not."""
    words = ("mlp", "@digits", "--trials", "2", "--steps", "2", "--width", "2000", "--over")
    words += ("lr=0.01,0.001", "--threads", "1", "-q", "-o", "study")
    with largest_file(400_000):
        done = quick("nn", "search", *words)
    failed(done, "cannot write study/.trial/model.safetensors")
    assert not (tmp_path / "study" / ".trial").exists()
    assert quick("nn", "search", *words).returncode == 0
    states = [line.split("\t")[1] for line in (tmp_path / "study/trials.tsv").open()]
    assert states[1:] == ["interrupted", "complete", "complete"]


def test_examples_of_an_algorithm_are_fresh_and_no_warning_says_so(quick: Any) -> None:
    small = ("--lengths", "1-2", "--bits", "2", "--memory", "4x4", "--width", "8", "--threads", "1")
    words = ("ntm", "@copy", *small, "--steps", "1", "-q", "-o", "copier")
    assert quick("nn", "train", *words).returncode == 0
    assert quick("nn", "diagnose", "copier").stderr == b""
