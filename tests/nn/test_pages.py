"""The page of a run: what is in it, that it asks for nothing, and that text in it stays text."""

from __future__ import annotations

import io
import re
import tomllib
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gai.nn import grids
from gai.nn.config import resolved
from gai.nn.markup import Html
from gai.nn.pages import seen, tables
from gai.nn.pages.facts import Examined, Facts, Layer, Pairs, Token, Wrong
from gai.nn.pages.report import choices, page
from gai.nn.scores import classification
from gai.nn.scores.calibration import bins_of

EVIL = '<script>alert("x")</script><img src=http://a.example/x.png>\x1b[31m\u202e'


def record(step: int, train: float, valid: float, **more: Any) -> dict[str, Any]:
    return {
        "epoch": step / 10,
        "step": step,
        "train_loss": train,
        "scores": {"loss": valid, "accuracy": 1 - valid / 2},
        "lr": 0.01,
        "gradient_norm": 1.0,
        "seconds": 1.5,
        "best": step == 20,
        "gradients": {"body.layers.0.linear": 0.1, "head": 1.0},
        **more,
    }


def scores(labels: tuple[str, ...] = ("a", "b"), n: int = 40) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    targets = rng.integers(len(labels), size=n)
    found = classification(targets, rng.dirichlet(np.ones(len(labels)), size=n), labels)
    return {
        "network": {"loss": 0.5, **found.summary()},
        "intervals": found.intervals(draws=20),
        "details": found.as_dict(),
        "baselines": {"logistic regression": {"accuracy": 0.7}},
    }


def facts(**changes: Any) -> Facts:
    report = {
        "data": {"examples": {"train": 90, "valid": 10}, "digest": "abc", "labels": ["a", "b"]},
        "network": {"parameters": 1234},
        "scores": {"valid": scores()},
        "notes": ["1 example of the train part without a token"],
        "versions": {"torch": "2"},
    }
    whole: dict[str, Any] = {
        "run": "runs/one",
        "config": resolved({"model": "mlp", "data": ("x.csv",), "lr": 0.01}),
        "report": report,
        "records": [record(10 * k, 1 / k, 1 / k + 0.1) for k in range(1, 5)],
        "main_score": "accuracy",
        "layers": [Layer("head", "Linear 4 -> 2", "2", 10, 8)],
    }
    return Facts(**{**whole, **changes})


class Reader(HTMLParser):
    """Elements, what they refer to, headings, and all text."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.titles: list[str] = []
        self.text = self.policy = ""
        self.feed(content.decode())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "link", "br", "img"):
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "srcset", "poster", "data", "action"):
                self.links.append(value or "")
            if (name, tag) == ("content", "meta") and "src" in (value or ""):
                self.policy = value or ""
            if name == "id":
                self.ids.append(value or "")
            assert not name.startswith("on")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "h2":
            self.titles.append(data)
        if "style" not in self.open:
            self.text += data


def read(found: Facts) -> Reader:
    content = page(found)
    assert content == page(found)
    reader = Reader(content)
    assert "script" not in reader.tags
    for link in reader.links:
        assert link.startswith(("data:", "#"))
        assert not link.startswith("#") or link[1:] in reader.ids
    styles = re.findall(rb"<style>(.*?)</style>", content, re.DOTALL)
    assert not any(b"url(" in style or b"@import" in style for style in styles)
    assert reader.policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    return reader


def test_a_page_has_a_part_for_all_that_is_known() -> None:
    reader = read(facts())
    assert reader.titles == [
        "Scores", "Curves", "Classes", "Confusions", "Network", "Configuration"
    ]  # fmt: skip
    for text in ("runs/one", "logistic regression", "0.7000", "1,234", "Linear 4 -> 2"):
        assert text in reader.text
    assert "1 example of the train part without a token." in reader.text
    assert "\nlr = 0.01\n" in reader.text
    assert reader.tags.count("svg") == 5  # intervals, loss, accuracy, rate, gradients


def test_choices_are_spelt_as_in_the_file_below() -> None:
    said = {"model": "cnn", "kernels": (2, 3), "context": 8, "residual": True}
    config = resolved({**said, "text_field": "a b"}).with_(clip_norm=None)
    chosen = dict(choices(config))
    assert tomllib.loads("\n".join(f"{n} = {v}" for n, v in chosen.items())) == {
        **{"kernels": [2, 3], "context": 8, "residual": True, "text_field": "a b"},
    }
    recurrent = resolved({"model": "gru"}).with_(clip_norm=None)
    assert dict(choices(recurrent)) == {"clip_norm": "off"}


def test_a_run_that_has_not_ended_has_its_curves() -> None:
    assert read(facts(report={}, layers=[])).titles == ["Curves", "Configuration"]
    assert read(facts(report={}, layers=[], records=[])).titles == ["Configuration"]


def test_scores_on_the_training_data_are_said_to_be_too_good() -> None:
    for digest, warned in (("abc", True), ("def", False)):
        looked = Examined(["all.csv"], 40, scores(n=30), digest=digest)
        said = read(facts(examined=looked)).text
        assert ("all.csv is what the network was trained on" in said) == warned


def test_a_task_that_nobody_has_heard_of_shows_what_is_there() -> None:
    said = {"loss": 3.0, "elbo": -3.0, "kl": 1.0}
    records = [
        {**record(k, 1, 1), "scores": {**said, "elbo": -3.0 / k}, "parts": {"kl": 1.0 / k}}
        for k in (1, 2, 3)
    ]
    report = {"scores": {"valid": {"network": said, "intervals": {}, "details": {}}}}
    reader = read(facts(records=records, report=report, main_score="fid"))
    assert reader.titles == ["Scores", "Curves", "Network", "Configuration"]
    for title in ("Elbo", "Kl", "Parts of the loss", "Learning rate"):
        assert title in reader.text
    assert "bootstrap intervals" not in reader.text
    assert "The baseline" not in reader.text


def test_scores_on_the_same_examples_are_told_once() -> None:
    part = scores()
    whole = facts().report | {"scores": {"valid": part, "test": part}}
    looked = Examined(["data/test.csv"], 40, {k: v for k, v in part.items() if k != "baselines"})
    text = read(facts(report=whole, examined=looked)).text
    assert "test.csv, the test part" in text
    assert text.count("0.7000") >= 2  # the baseline, in the table and above it


def test_text_from_data_is_text_whatever_is_in_it() -> None:
    part = scores((EVIL, "b"))
    worst = [
        Wrong(EVIL, 1.5, EVIL, EVIL, 0.9, text=EVIL),
        Wrong("x", 1.0, tokens=[Token(EVIL, EVIL, 0.5), Token(EVIL)]),
        Wrong("y", 1.0, tokens=[Token(EVIL, "", 0.5)]),
        Wrong("z", 1.0, "a", "b", array=np.arange(3.0)),
    ]
    looked = Examined([EVIL], 40, part, 4, worst, columns=(EVIL, "q", "r"))
    whole = facts().report | {"notes": [EVIL], "scores": {"valid": part}}
    layer = Layer(EVIL, EVIL, EVIL, 1, 1)
    config = resolved({"model": "mlp", "text_field": EVIL})
    reader = read(facts(run=EVIL, report=whole, examined=looked, layers=[layer], config=config))
    assert "img" not in reader.tags
    assert "\x1b" not in reader.text
    assert "\u202e" not in reader.text
    spelt = EVIL.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e")
    assert reader.text.count(spelt) > 12
    assert "Most wrong" in reader.titles


def test_a_long_text_is_cut_where_it_is_shown() -> None:
    worst = [Wrong("a", 1.0, "x", "y", text="word " * 1000)]
    reader = read(facts(examined=Examined(["d"], 1, scores(), 1, worst)))
    assert "word " * 79 in reader.text
    assert "word " * 81 not in reader.text


@pytest.mark.parametrize("shape", [(3, 5), (4, 2, 3)])
def test_pictures_in_a_page_are_files_that_others_can_read(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, size=shape).astype(np.uint8)
    with Image.open(io.BytesIO(grids.png(pixels))) as image:
        assert np.array_equal(np.asarray(image), pixels)
    wrong = Wrong("a", 1.0, "x", "y", 0.5, array=pixels)
    reader = read(facts(examined=Examined(["d"], 1, scores(), 1, [wrong])))
    assert sum(link.startswith("data:image/png;base64,") for link in reader.links) == 1


def test_a_confusion_matrix_has_a_cell_for_each_pair() -> None:
    (made,) = tables.confusions([[8, 2], [0, 5]], ["cat", "dog"])
    assert re.findall(r'<td class="(\w+)[^>]*?(?:--a:([\d.]+))?">([^<]*)<', made) == [
        ("o", "0.82", "8"),
        ("x", "0.30", "2"),
        ("z", "", "·"),
        ("o", "1.00", "5"),
    ]


def test_of_many_classes_the_pairs_that_are_confused_most_are_listed() -> None:
    labels = [f"c{k}" for k in range(30)]
    matrix = np.diag(np.full(30, 9))
    matrix[3, 4], matrix[7, 1] = 5, 6
    picture, _, pairs = tables.confusions(matrix.tolist(), labels)
    assert "<svg" in picture
    assert picture.count("<title>") == 32
    assert pairs.index("c7") < pairs.index("c3")
    assert ">6<" in pairs


def test_calibration_says_whether_a_network_is_too_sure() -> None:
    sure = bins_of(np.full(100, 0.9), np.arange(100) < 60)
    unsure = bins_of(np.full(100, 0.5), np.arange(100) < 90)
    right = bins_of(np.full(100, 0.9), np.arange(100) < 90)
    said = ["".join(seen.calibration(bins)) for bins in (sure, unsure, right)]
    assert "0.3000" in said[0]
    assert "too sure of itself" in said[0]
    assert "knows more than it says" in said[1]
    assert "sure of itself" not in said[2]


def test_predictions_are_drawn_for_each_output() -> None:
    true = np.random.default_rng(0).normal(size=(3000, 2))
    made = "".join(seen.predictions(Pairs(true, true + 0.1, ["height", "width"])))
    assert made.count("<svg") == 4
    assert "height: predicted against true" in made
    assert made.count("<circle") <= 2 * 1500


def test_a_series_and_numbers_are_shown_as_they_are() -> None:
    series = seen.look(Wrong("a", 1, array=np.arange(12.0).reshape(6, 2)), ())
    assert series.count("<path") == 2
    many = seen.look(Wrong("a", 1, array=np.arange(20.0)), ("first",))
    assert "first" in many
    assert "and 8 more" in many
    assert isinstance(many, Html)
