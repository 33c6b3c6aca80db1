"""gai nn activations, losses, report and diagnose: as they are typed, and in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from gai.cli.main import main
from gai.nn import names, svg

Run = Callable[..., Any]

TINY = ("--threads", "1", "--seed", "1", "-q")
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr"),
)
"""A browser that reaches nobody, and says what it misses."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs: flowers; digits, of which few are known; one that learns by heart; a slow one; tags."""
    path = tmp_path_factory.mktemp("runs")
    rows = [
        ("a fee", "money"),
        ("lost <b>card</b>", "card|loss"),
        ("card\x1b[31m fee", "card|money"),
    ]
    lines = "".join(f"{text},{label}\n" for text, label in rows * 12)
    (path / "topics.csv").write_text("text,label\n" + lines)
    (path / "tags.tsv").write_text("the\tD\ncat\tN\nsat\tV\n\na\tD\ndog\tN\n\n" * 20)
    words = ["ab", "cd", "ef", "gh", "ij", "kl", "mn", "op", "qr", "st"]
    texts = [f"{words[k % 10]} {words[k * k % 9]} {words[k * 3 % 7]}" for k in range(60)]
    lines = "".join(f"{text},{'xy'[k * 7 % 11 % 2]}\n" for k, text in enumerate(texts))
    (path / "noise.csv").write_text("text,label\n" + lines)
    mlp = ("nn", "train", "mlp")
    for words_ in (
        (*mlp, "@iris", "--epochs", "12", "--lr", "0.01", "-o", "iris"),
        ("nn", "train", "cnn", "@digits", "--steps", "12", "--filters", "4", "--width", "16",
         "--test", "0.2", "-o", "digits"),
        (*mlp, "noise.csv", "--valid", "0.4", "--epochs", "40", "--lr", "0.01", "--dropout", "0",
         "-o", "heart"),
        (*mlp, "@iris", "--epochs", "8", "--lr", "1e-6", "-o", "slow"),
        ("nn", "train", "gru", "tags.tsv", "--task", "tag", "--epochs", "2", "--width", "8",
         "-o", "tags"),
        (*mlp, "topics.csv", "--label-sep", "|", "--input", "ids", "--epochs", "1", "-o", "topics"),
        (*mlp, "@diabetes", "--epochs", "2", "-o", "sugar"),
    ):  # fmt: skip
        inside = [str(path / w) if w in HERE else w for w in words_]
        assert main([*inside, *TINY]) == 0, words_
    return path


HERE = {"iris", "digits", "heart", "slow", "tags", "topics", "sugar", "tags.tsv", "topics.csv"}
HERE |= {"noise.csv"}


@pytest.fixture
def ask(quick: Run, folder: Path) -> Run:
    """A command of gai nn within the folder of the runs."""
    return lambda *words: quick("nn", *words, cwd=folder)


def rows(done: Any) -> list[list[str]]:
    assert (done.returncode, done.stderr) == (0, b"")
    return [line.split("\t") for line in done.stdout.decode().splitlines()]


def refused(done: Any, code: int = 2) -> str:
    assert (done.returncode, done.stdout) == (code, b"")
    said = str(done.stderr.decode())
    assert "Traceback" not in said
    return said


def test_a_pipe_gets_a_line_a_point_with_value_and_derivative(ask: Run) -> None:
    found = rows(ask("activations", "relu", "tanh"))
    assert {len(row) for row in found} == {4}
    assert [row[0] for row in found] == ["relu"] * 201 + ["tanh"] * 201
    assert found[0] == ["relu", "-5", "0", "0"]
    assert found[200] == ["relu", "5", "5", "1"]
    assert [row[0] for row in rows(ask("losses"))[::161]] == list(names.SUPERVISED)
    done = ask("losses", "mse", "--format", "jsonl")
    first = json.loads(done.stdout.splitlines()[0])
    assert first == {"name": "mse", "x": -4.0, "value": 16.0, "derivative": -8.0}


def test_options_of_functions_change_their_curves(ask: Run) -> None:
    assert rows(ask("activations", "leaky-relu", "--negative-slope", "0.2"))[0][2:] == ["-1", "0.2"]
    assert rows(ask("losses", "huber", "--huber-delta", "2"))[-1][2:] == ["6", "2"]


def test_all_curves_as_a_picture_the_same_each_time(ask: Run, tmp_path: Path) -> None:
    for command, known in (("activations", names.ACTIVATIONS), ("losses", names.SUPERVISED)):
        pictures = [tmp_path / f"{command}{k}.svg" for k in (1, 2)]
        for picture in pictures:
            assert rows(ask(command, "-o", picture)) == []
        assert pictures[0].read_bytes() == pictures[1].read_bytes()
        root = ElementTree.fromstring(pictures[0].read_bytes())
        said = {text.text for text in root.iter("{http://www.w3.org/2000/svg}text")}
        assert set(known) <= said
        assert b"prefers-color-scheme" in pictures[0].read_bytes()
    assert rows(ask("activations", "elu", "-o", tmp_path / "elu.tsv")) == []
    assert len((tmp_path / "elu.tsv").read_text().splitlines()) == 201


def test_a_person_gets_plots_and_a_table(on_terminal: Run) -> None:
    ended = on_terminal("nn", "activations", "sigmoid", "relu", env={"NO_COLOR": "1"})
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[0].split() == ["sigmoid", "relu"]
    assert any("⠉" in line or "⠒" in line for line in lines)
    assert any(line.rstrip().endswith("value") for line in lines)
    row = next(line.split() for line in lines if line.startswith("sigmoid  "))
    table = [line.split() for line in lines if line.startswith("sigmoid ")][-1]
    assert row[0] == "sigmoid"
    assert table == ["sigmoid", "0.119", "0.5", "0.881", "0.105", "0.25", "0.105", "-2.9", "2.9"]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["activations", "rlu"], "did you mean relu?"),
        (["losses", "cross"], "no loss is called 'cross'"),
        (["activations", "relu", "--negative-slope", "1"], "without leaky-relu"),
        (["losses", "mse", "--focal-gamma", "1"], "--focal-gamma 1 without focal"),
        (["losses", "--huber-delta", "0"], "--huber-delta must be above 0"),
        (["activations", "-o", "x.png"], "curves cannot be written to x.png"),
        (["report"], "-o report.html"),
        (["report", "iris", "-o", "x.html", "--wrong", "3"], "--wrong 3 without DATA"),
        (["diagnose"], "gai nn diagnose RUN"),
        (["diagnose", "nothing"], "no such run, model or file"),
        (["diagnose", "mlp"], "no DATA"),
        (["diagnose", "iris", "--layers", "2"], "iris has choices of its own"),
        (["diagnose", "iris", "--config", "x.toml"], "iris has choices of its own"),
        (["diagnose", "mlp", "@iris", "--data", "x"], "--data x without a RUN"),
        (["diagnose", "iris", "-o", "x.png"], "-o FILE.svg"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_line(ask: Run, words: list[str], part: str) -> None:
    assert part in refused(ask(*words))


def test_no_page_is_made_of_what_is_no_run(ask: Run, tmp_path: Path) -> None:
    out = tmp_path / "x.html"
    assert "is no run" in refused(ask("report", tmp_path, "-o", out), 1)
    assert "no such file" in refused(ask("report", "iris", "none.csv", "-o", out), 1)
    assert "trained on examples of" in refused(ask("report", "iris", "@digits", "-o", out), 1)
    assert not out.exists()


def titles(page: Path) -> list[str]:
    return re.findall(r"<h2>([^<]*)</h2>", page.read_text())


@pytest.mark.parametrize(
    ("run", "data", "expected"),
    [
        ("iris", None, "Scores Curves Classes Confusions Network Configuration"),
        ("sugar", "@diabetes", "Scores Curves Predictions Most_wrong Network Configuration"),
        ("tags", "tags.tsv", "Scores Curves Classes Confusions Most_wrong Calibration Network "
         "Configuration"),
        ("topics", "topics.csv", "Scores Curves Classes Most_wrong Calibration Network "
         "Configuration"),
    ],
)  # fmt: skip
def test_a_page_for_each_kind_of_run(
    ask: Run, tmp_path: Path, run: str, data: str | None, expected: str
) -> None:
    pages = [tmp_path / "1.html", tmp_path / "2.html"]
    for page in pages:
        assert rows(ask("report", run, *([data] if data else []), "-o", page)) == []
    assert pages[0].read_bytes() == pages[1].read_bytes()
    found = [title.replace(" ", "_") for title in titles(pages[0])]
    assert [title for title in expected.split() if title not in found] == []
    assert "<script" not in pages[0].read_text()


@pytest.fixture(scope="module")
def page(folder: Path) -> Path:
    """The page of the digits, with all that there is."""
    out = folder / "digits.html"
    assert main(["nn", "report", str(folder / "digits"), "@digits", "-o", str(out)]) == 0
    return out


def test_the_page_shows_the_worst_images(page: Path) -> None:
    text = page.read_text()
    pictures = re.findall(r'<img src="data:image/png;base64,[^"]+" alt="(\d), said (\d)">', text)
    assert len(pictures) == 24
    assert all(true != said for true, said in pictures)
    assert "Most wrong" in titles(page)


def browsed(page: Path, tmp_path: Path, *flags: str) -> tuple[str, list[str], str]:
    """The page as a real browser has read it, what the browser asked for, what it complained of."""
    log = tmp_path / "net.json"
    where = (f"--user-data-dir={tmp_path / 'profile'}", f"--log-net-log={log}")
    words = [str(BROWSER), *QUIET, *where, *flags, f"file://{page}"]
    done = subprocess.run(words, capture_output=True, timeout=120, check=False)
    asked = [url for url, by in requests(log.read_text()) if by != "not an origin"]
    complaints = [line for line in done.stderr.decode().splitlines() if "CONSOLE" in line]
    return done.stdout.decode(), asked, "\n".join(complaints)


def requests(log: str) -> Iterator[tuple[str, str]]:
    """What was asked for and by whom, by a log of the network; "not an origin" is the browser
    itself, which asks for updates."""
    try:
        events = json.loads(log)["events"]
    except ValueError:  # it was cut off when the browser ended
        events = json.loads(log.rstrip().rstrip(",") + "]}")["events"]
    for event in events:
        about = event.get("params") or {}
        if "url" in about and "initiator" in about:
            yield about["url"], about["initiator"]


@pytest.mark.skipif(not BROWSER, reason="needs chromium")
def test_a_browser_reads_the_page_and_asks_for_nothing_else(page: Path, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    look = (f"--screenshot={picture}", "--window-size=1200,3000", "--hide-scrollbars")
    dom, asked, complaints = browsed(page, tmp_path, "--dump-dom", *look)
    assert complaints == ""
    assert asked == []
    for title in titles(page):
        assert f"<h2>{title}</h2>" in dom
    assert dom.count("<article") + dom.count("<figure") == 24
    with Image.open(picture) as image:
        pixels = np.asarray(image.convert("RGB"))
    assert tuple(pixels[2, 2]) == rgb(svg.DAY["paper"])
    blue = (pixels == rgb(svg.COLOURS[0])).all(-1)
    assert blue.sum() > 100  # lines, bars, cells


@pytest.mark.slow
@pytest.mark.skipif(not BROWSER, reason="needs chromium")
def test_a_browser_at_night_gets_a_dark_page(page: Path, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    night = "--blink-settings=preferredColorScheme=0"
    browsed(page, tmp_path, f"--screenshot={picture}", "--window-size=900,900", night)
    with Image.open(picture) as image:
        assert image.convert("RGB").getpixel((2, 2)) == rgb(svg.DARK["paper"])


@pytest.mark.slow
@pytest.mark.skipif(not BROWSER, reason="needs chromium")
def test_a_page_that_asks_for_something_would_be_caught(page: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.html"
    policy = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
    asking = '<img src="http://a.example/x.png">'
    other.write_text(policy.sub("", page.read_text()).replace("<main>", f"<main>{asking}"))
    _, asked, _ = browsed(other, tmp_path, "--dump-dom", "--virtual-time-budget=2000")
    assert any(url.startswith("http://a.example/") for url in asked)
    forbidden = tmp_path / "forbidden.html"
    forbidden.write_text(page.read_text().replace("<main>", f"<main>{asking}<script>1</script>"))
    _, _, complaints = browsed(forbidden, tmp_path, "--dump-dom")
    assert "Content Security Policy" in complaints


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[k : k + 2], 16) for k in (1, 3, 5))


def diagnosed(done: Any) -> dict[str, Any]:
    assert (done.returncode, done.stderr) == (0, b"")
    return dict(json.loads(done.stdout))


def test_a_run_that_learns_by_heart_and_one_that_hardly_learns(ask: Run) -> None:
    heart, slow = diagnosed(ask("diagnose", "heart")), diagnosed(ask("diagnose", "slow"))
    assert heart["fit"]["kind"] == "overfitting"
    (finding,) = [one for one in heart["findings"] if one["kind"] == "overfitting"]
    assert "--early-stopping 3" in finding["hint"]
    assert slow["fit"]["kind"] == "underfitting"
    assert slow["findings"][0]["hint"].startswith("--lr 1e-05")
    assert "that of logistic regression" in slow["findings"][0]["message"]


def test_a_training_that_is_looked_at_for_a_moment(ask: Run, tmp_path: Path) -> None:
    picture = tmp_path / "why.svg"
    deep = ("--layers", "10", "--width", "24", "--activation", "sigmoid", "--dropout", "0")
    words = ("diagnose", "mlp", "@iris", *deep, "--steps", "12", "-o", picture, *TINY)
    found = diagnosed(ask(*words))
    assert [one["kind"] for one in found["findings"] if one["kind"] == "vanish"] == ["vanish"]
    assert [look["step"] for look in found["looks"]][-1] == 12
    said = ElementTree.fromstring(picture.read_bytes())
    texts = {text.text for text in said.iter("{http://www.w3.org/2000/svg}text")}
    assert {"Gradients by layer", "Step, as a share of the weights"} <= texts
    assert diagnosed(ask("diagnose", "@iris", "--steps", "3", *TINY))["flow"] is None


def test_a_person_reads_findings_first_and_then_the_layers(ask: Run) -> None:
    done = ask("diagnose", "slow", "--no-json")
    lines = done.stdout.decode().splitlines()
    assert lines[0].startswith("underfitting  validation loss")
    assert any(line.strip().startswith("try --lr 1e-05") for line in lines[:5])
    assert any(line.startswith("body.layers.0.linear") for line in lines)
    assert any("⠒" in line for line in lines)


def test_a_network_is_looked_at_on_other_examples_too(ask: Run, folder: Path) -> None:
    other = folder / "other.tsv"
    other.write_text("the\tD\nsat\tV\n")
    found = diagnosed(ask("diagnose", "tags", "--data", other))
    assert found["flow"]["examples"] == 1
    done = ask("diagnose", "tags", "--data", "none.tsv")
    assert "no such file" in refused(done, 1)


def test_a_run_whose_data_is_gone_is_judged_by_its_records(ask: Run, folder: Path) -> None:
    shutil.copytree(folder / "topics", folder / "moved", dirs_exist_ok=True)
    config = (folder / "moved" / "config.toml").read_text()
    (folder / "moved" / "config.toml").write_text(config.replace("topics.csv", "gone.csv"))
    done = ask("diagnose", "moved")
    assert done.returncode == 0
    assert b"only the records of the run are looked at" in done.stderr
    assert json.loads(done.stdout)["flow"] is None


def test_growing_parts_of_the_data_say_whether_more_would_help(ask: Run) -> None:
    words = ("diagnose", "mlp", "@iris", "--data-curve", "--epochs", "1", "--width", "8", *TINY)
    found = diagnosed(ask(*words))
    assert [point["share"] for point in found["growth"]["points"]] == [0.1, 0.25, 0.5, 1.0]
    assert found["growth"]["score"] == "accuracy"
    assert isinstance(found["growth"]["why"], str)
