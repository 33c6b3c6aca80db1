"""Pictures of words: where they stand, labels that can be read, pages that are safe."""

from __future__ import annotations

import json
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score

from gai.errors import GaiError
from gai.output.vectors import Vectors
from gai.terms import Terms
from gai.vectors import labels, plotting
from gai.vectors.drawing import draw, fonts
from gai.vectors.page import page
from gai.vectors.plotting import Choice, Picture, picture

EVIL = ["</script><img src=x onerror=alert(1)>", "<!--", "$x^{$", "@@DATA@@", "a\u2028b", "&lt;"]
KINDS = ["red", "blue", "green", "one", "two", "three", "cat", "dog", "cow", "sheep"]
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


def made(words: list[str], dim: int = 8, seed: int = 1) -> Vectors:
    """Random vectors."""
    rows = np.random.default_rng(seed).normal(size=(len(words), dim)).astype(np.float32)
    return Vectors(Terms.of(words), rows)


@pytest.fixture
def kinds() -> Vectors:
    """Colours, numbers and animals, each kind in a direction of its own."""
    vectors = made(KINDS)
    vectors.matrix[:] *= 0.1
    for kind, members in enumerate([slice(0, 3), slice(3, 6), slice(6, 10)]):
        vectors.matrix[members, kind] += 1
    return vectors


def with_words(words: list[str], title: str = "") -> Picture:
    """A picture of these words, each told that the next one is near."""
    shown = picture(made(words), Choice(top=len(words)), title=title)
    return replace(shown, near=[[(word, 0.5)] for word in [*words[1:], words[0]]])


def test_positions_are_the_principal_components_of_directions() -> None:
    vectors = made(KINDS * 3, dim=5)
    rows = vectors.matrix * np.linspace(1, 9, len(vectors), dtype=np.float32)[:, None]
    unit = rows / np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    expected = PCA(2).fit_transform(unit)
    found = plotting.positions(rows)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-6)
    np.testing.assert_allclose(found[:, 0] @ expected[:, 1], 0, atol=1e-6)


def test_signs_of_components_are_fixed() -> None:
    rows = made(KINDS).matrix
    mirrored = rows[:, ::-1]
    np.testing.assert_allclose(plotting.positions(mirrored), plotting.positions(rows), atol=1e-6)
    np.testing.assert_allclose(plotting.positions(-rows), -plotting.positions(rows), atol=1e-6)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("dim", [1, 2, 8])
def test_few_words_have_places_too(count: int, dim: int) -> None:
    found = plotting.positions(made(KINDS[:count], dim).matrix)
    assert found.shape == (count, 2)
    assert np.isfinite(found).all()
    if count == 2 and dim == 8:
        assert np.ptp(found[:, 0]) > 0


def test_tsne_keeps_kinds_together_and_is_the_same_again(kinds: Vectors) -> None:
    first, second = (plotting.positions(kinds.matrix, "tsne", 3) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    apart = np.linalg.norm(first[:, None] - first[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    kind = np.array([0] * 3 + [1] * 3 + [2] * 4)
    assert (kind[apart.argmin(1)] == kind).all()


@pytest.mark.parametrize("dim", [1, 4])
def test_tsne_stands_the_smallest_input(dim: int) -> None:
    rows = made(KINDS[: plotting.FEWEST], dim).matrix
    assert np.isfinite(plotting.positions(rows, "tsne")).all()
    assert np.isfinite(plotting.positions(np.ones_like(rows), "tsne")).all()


def test_too_few_words_for_tsne() -> None:
    with pytest.raises(GaiError, match="4 words are too few for t-SNE") as caught:
        plotting.positions(made(KINDS[:4]).matrix, "tsne")
    assert "--method pca" in caught.value.hint


def test_clusters_find_kinds() -> None:
    rng = np.random.default_rng(5)
    truth = np.arange(120) % 7
    rows = np.eye(7, 20)[truth] + 0.05 * rng.normal(size=(120, 20))
    found = plotting.clusters(rows.astype(np.float32))
    assert adjusted_rand_score(truth, found) == 1
    assert found[:7].tolist() == list(range(7))


def test_clusters_of_equal_words_are_one() -> None:
    assert set(plotting.clusters(np.ones((50, 3), np.float32))) == {0}


def test_neighbours_have_the_colour_of_their_word(kinds: Vectors) -> None:
    shown = picture(kinds, Choice(["dog", "two"], neighbours=2))
    assert shown.words[:2] == ["dog", "two"]
    assert {w for w, g in zip(shown.words, shown.groups, strict=True) if g == 1} == {
        *("one", "two", "three")
    }
    assert all(w in KINDS[6:] for w, g in zip(shown.words, shown.groups, strict=True) if g == 0)
    assert (shown.names, shown.named) == (["dog", "two"], 2)


def test_a_word_near_two_belongs_to_the_nearer() -> None:
    rows = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
    shown = picture(Vectors(Terms.of(["a", "b", "c"]), rows), Choice(["a", "b"], neighbours=2))
    assert list(shown.words) == ["a", "b", "c"]
    assert shown.groups.tolist() == [0, 1, 1]


def test_frequent_words_come_by_their_counts(kinds: Vectors) -> None:
    kinds.counts = np.arange(len(KINDS))
    assert list(picture(kinds, Choice(top=3)).words) == ["sheep", "cow", "dog"]
    kinds.counts = None
    both = picture(kinds, Choice(["dog", "red"], neighbours=1, top=3))
    assert both.words[:2] == ["dog", "red"]
    assert {"blue", "green"} <= set(both.words)
    assert len(set(both.words)) == len(both.words)


def test_nothing_to_draw() -> None:
    with pytest.raises(GaiError, match="no words to draw"):
        picture(made([]), Choice(top=10))


boxes = st.integers(2, 60).flatmap(
    lambda n: st.tuples(
        st.lists(st.tuples(st.floats(0, 400), st.floats(0, 300)), min_size=n, max_size=n),
        st.lists(st.floats(5, 120), min_size=n, max_size=n),
    )
)


@given(boxes)
def test_labels_never_touch_nor_leave_the_frame(case: Any) -> None:
    points, widths = np.array(case[0]), np.array(case[1])
    frame = (0.0, 0.0, 400.0, 300.0)
    found = labels.place(points, np.column_stack([widths, np.full(len(widths), 12.0)]), frame, 3)
    kept = found.boxes[found.kept]
    np.testing.assert_array_equal(labels.overlaps(kept, kept), np.ones(len(kept)))
    assert (kept[:, :2] >= 0).all()
    assert (kept[:, 2:] <= frame[2:]).all()
    np.testing.assert_allclose((kept[:, 2] - kept[:, 0]), widths[found.kept])


def test_a_label_with_room_stands_beside_its_point() -> None:
    points = np.array([[50.0, 50.0], [200.0, 50.0], [52.0, 50.0]])
    found = labels.place(points, np.full((3, 2), (40.0, 10.0)), (0, 0, 300, 100), 3)
    assert found.kept.all()
    assert (np.abs(found.boxes[1] - (207, 45, 247, 55)) < 1).all()
    assert not found.linked[:2].any()


def test_words_that_mean_something_to_the_drawer_are_drawn() -> None:
    drawn = draw(with_words([*EVIL, "\x1b[31m", "a\nb", "_x", "%"], title="$\\frac"), "svg")
    assert ElementTree.fromstring(drawn.data).tag.endswith("svg")
    assert drawn.hidden == 0


def test_a_picture_has_the_size_that_was_asked_for() -> None:
    head = draw(with_words(KINDS), "png", (640, 400)).data[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert [int.from_bytes(head[at : at + 4], "big") for at in (16, 20)] == [640, 400]


def test_characters_without_a_font_are_told_and_do_no_harm() -> None:
    drawn = draw(with_words(["a", "日本", "👍", "x\U0010fffd"]), "png")
    assert drawn.data.startswith(b"\x89PNG")
    assert set(drawn.lacking) <= {*"日本👍"}
    assert fonts("plain é ж λ")[1] == []


class Elements(HTMLParser):
    """The elements of a page, and what is in its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "script":
            self.scripts.append(data)


def test_a_page_holds_words_as_data_only() -> None:
    shown = with_words(EVIL, title="</title><script>alert(1)</script>")
    text = page(shown).decode()
    found = Elements(text)
    assert [tag for tag, _ in found.tags].count("script") == 2
    assert not any(tag == "img" or "onerror" in attrs for tag, attrs in found.tags)
    held = json.loads(found.scripts[0])
    assert held["words"] == EVIL
    assert held["title"] == shown.title
    assert held["near"][0] == [[EVIL[1], 0.5]]
    points = np.array(held["points"])
    scale = 1000 / np.ptp(shown.points, axis=0).max()
    np.testing.assert_allclose(np.ptp(points, axis=0), np.ptp(shown.points, axis=0) * scale, 1e-4)


def test_a_page_asks_for_nothing_and_runs_only_its_own_script() -> None:
    text = page(with_words(KINDS)).decode()
    found = Elements(text)
    assert not any({"src", "href"} & set(attrs) for _, attrs in found.tags)
    assert not any(word in text for word in ("http://", "https://", "@import", "url(", "fetch("))
    script = text.rpartition("<script>")[2].partition("</script>")[0]
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'" in text


DRIVE = """
<script>
const key = (to, name) => to.dispatchEvent(new KeyboardEvent("keydown", { key: name }));
const box = find("search"), said = [];
[width, height] = [800, 600]; whole(); paint();
box.value = "RE"; box.dispatchEvent(new Event("input")); said.push(find("count").value);
key(box, "Enter"); paint(); said.push(card.querySelector("b").textContent, card.textContent);
const before = view.scale;
canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: -200 })); said.push(view.scale > before);
key(canvas, "0"); said.push(Math.abs(view.scale / before - 1) < 1e-9);
const [x, y] = at(6);
said.push(nearest(x + 3, y - 3));
const left = view.x; move(50, 0); said.push(view.x < left);
document.body.textContent = JSON.stringify(said);
</script>
"""


@pytest.mark.slow
@pytest.mark.skipif(not BROWSER, reason="needs chromium")
def test_a_browser_runs_the_page(tmp_path: Path) -> None:
    text = page(with_words(KINDS)).decode()
    policy = text[text.index("<meta http-equiv") : text.index('<meta name="viewport"')]
    driven = text.replace(policy, "").replace("</body>", f"{DRIVE}</body>")
    (tmp_path / "page.html").write_text(driven)
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    where = [f"--user-data-dir={tmp_path}", f"file://{tmp_path}/page.html"]
    done = subprocess.run([str(BROWSER), *flags, *where], capture_output=True, timeout=60)
    body = done.stdout.decode().partition("<body>")[2].partition("</body>")[0]
    assert json.loads(body) == ["3 of 10", "red", "redblue0.50", True, True, 6, True]
