"""The transformer that writes one text from another: its layers, its loss, what it writes."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gai.cli.nn_display import Silent
from gai.errors import GaiError
from gai.nn import scores
from gai.nn.config import resolved
from gai.nn.data.arrays import IGNORED, PAD
from gai.nn.data.preparing import Parts, prepare
from gai.nn.data.text import END
from gai.nn.net import experiment
from gai.nn.net.batches import taker
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.keeping import Memory
from gai.nn.net.models import build
from gai.nn.net.models.translator import Translator
from gai.nn.net.translating import searched, translated
from gai.nn.scores.texts import edits

CPU = torch.device("cpu")
SMALL = {"model": "transformer", "task": "seq2seq", "width": 16, "heads": 2, "layers": 1}


def network(terms: int = 7, seed: int = 4, **more: Any) -> Translator:
    torch.manual_seed(seed)
    config = resolved({**SMALL, "dropout": 0.0, "context": 12, **more})
    made = build(config, Shape("ids", (terms,), terms, writes=True)).eval()
    assert isinstance(made, Translator)
    with torch.no_grad():  # GPT-2's first weights are so small that all answers are alike
        for name, weight in made.named_parameters():
            if weight.ndim > 1:
                weight.mul_(4.0 if name == "embedding.weight" else 30.0)
    return made


def inputs(*rows: list[int], before: list[list[int]]) -> Inputs:
    width = max(map(len, rows))
    padded = torch.tensor([row + [PAD] * (width - len(row)) for row in rows])
    return Inputs(padded, torch.tensor([len(row) for row in rows]), before=torch.tensor(before))


def test_neither_padding_nor_later_tokens_change_what_is_said() -> None:
    made = network()
    with torch.no_grad():
        alone = made(inputs([2, 3], before=[[6, 2, 4]]))
        together = made(inputs([2, 3], [4, 5, 2, 2], before=[[6, 2, 4], [6, 3, 3]]))
        other = made(inputs([2, 3], before=[[6, 2, 5]]))
    torch.testing.assert_close(together[:1], alone)
    torch.testing.assert_close(other[:, :2], alone[:, :2])
    assert not torch.allclose(other[:, 2], alone[:, 2], atol=1e-3)


def test_what_was_read_matters() -> None:
    made = network()
    with torch.no_grad():
        one = made(inputs([2, 3], before=[[6, 2]]))
        two = made(inputs([3, 2], before=[[6, 2]]))
    assert not torch.allclose(one, two, atol=1e-3)


def test_written_token_by_token_as_all_at_once() -> None:
    made = network(layers=2)
    batch = inputs([2, 3, 5], [4, 5], before=[[6, 2, 4, 3], [6, 3, 3, 2]])
    with torch.no_grad():
        whole = made(batch)
        memory = made.read(batch)
        assert batch.before is not None
        for place in range(4):
            said, memory = made.write(batch.before[:, place : place + 1], memory)
            torch.testing.assert_close(said[:, 0], whole[:, place])


def log_of(made: Translator, read: list[int], ids: list[int], end: int) -> float:
    """The log-probability of these tokens, from the whole network."""
    with torch.no_grad():
        said = made(inputs(read, before=[[end, *ids[:-1]]]))[0]
    said[:, :2] = -torch.inf
    logs = said.log_softmax(1)
    return float(sum(logs[place, id] for place, id in enumerate(ids)))


@pytest.mark.parametrize(
    ("seed", "read", "length"), [(3, [2, 3, 3], 0), (4, [3, 3, 3], 2), (4, [2, 3, 3], 3)]
)
def test_a_beam_that_holds_everything_finds_the_best_text_of_all(
    seed: int, read: list[int], length: int
) -> None:
    made, end = network(5, seed, context=3), 4
    with torch.no_grad():
        memory = made.read(inputs(read, before=[[end]]))
        (found,), (log,) = searched(made, memory, 1, end, 100 // 3)
    # Two letters and the end; three places, of which a text may take all without an end.
    every = [[*ids, end] for n in range(3) for ids in product((2, 3), repeat=n)]
    every += [list(ids) for ids in product((2, 3), repeat=3)]
    logs = [log_of(made, read, ids, end) for ids in every]
    best = int(np.argmax([value / len(ids) for value, ids in zip(logs, every, strict=True)]))
    assert found == [id for id in every[best] if id != end]
    assert len(found) == length
    assert log == pytest.approx(logs[best], rel=1e-4, abs=1e-6)


def test_the_likeliest_token_each_time() -> None:
    made, end = network(), 6
    reads = [2, 3, 3], [3, 2], [3, 3, 3], [2]
    with torch.no_grad():
        batch = inputs(*reads, before=[[end]] * 4)
        found, _ = searched(made, made.read(batch), 4, end, 1)
        for read, text in zip(reads, found, strict=True):
            ids = list[int]()
            while len(ids) < 12:  # as many as there are places for
                said = made(inputs(read, before=[[end, *ids]]))[0, -1]
                said[:2] = -torch.inf
                if int(said.argmax()) == end:
                    break
                ids.append(int(said.argmax()))
            assert text == ids
    assert min(map(len, found)) > 0
    assert len(set(map(len, found))) > 1


def pairs(path: Path, *rows: tuple[str, str]) -> str:
    path.write_text("from,to\n" + "".join(f"{a},{b}\n" for a, b in rows))
    return str(path)


def prepared(data: str, **more: Any) -> Parts:
    fields = {"text_field": "from", "label_field": ("to",), "valid": "0"}
    return prepare({**SMALL, **fields, "data": (data,), "threads": 1, **more})


def test_answers_end_with_the_end_mark_and_stand_behind_it(tmp_path: Path) -> None:
    parts = prepared(pairs(tmp_path / "pairs.csv", ("ab", "ba"), ("c", "cab")))
    assert parts.encoding.vocabulary is not None
    terms = parts.encoding.vocabulary.terms
    assert terms[-1] == END
    assert set(terms[2:-1]) == set("abc")
    batch = taker(parts.train, CPU)(np.array([0, 1]))
    assert batch.targets is not None
    assert batch.inputs.before is not None

    def spelt(ids: torch.Tensor) -> str:
        return "".join("-" if id in (PAD, IGNORED) else terms[id] for id in ids.tolist())

    assert [spelt(row) for row in batch.targets] == [f"ba{END}-", f"cab{END}"]
    # A shorter answer has its own end mark among what stands before: it does not count there.
    assert [spelt(row) for row in batch.inputs.before] == [f"{END}ba{END}", f"{END}cab"]


def test_it_learns_to_turn_letters_around(tmp_path: Path) -> None:
    words = ["".join(letters) for n in (1, 2, 3) for letters in product("abc", repeat=n)]
    data = pairs(tmp_path / "pairs.csv", *((word, word[::-1]) for word in words))
    parts = prepared(
        data, width=32, epochs=120, batch_size=20, lr=1e-2, dropout=0.0, schedule="cosine"
    )
    training = experiment.fresh(parts, Silent(), Memory())
    training.run()
    said = [text for text, _ in translated(training.network, parts.encoding, parts.train)]
    found = scores.texts([word[::-1] for word in words], said).summary()
    assert found["exact"] > 0.9
    assert found["character_error_rate"] < 0.1


def test_texts_longer_than_there_are_places_for_are_told(tmp_path: Path) -> None:
    parts = prepared(pairs(tmp_path / "pairs.csv", ("ab", "ba"), ("c", "cab")), context=4)
    made = experiment.network_of(parts.encoding)
    long = prepared(pairs(tmp_path / "long.csv", ("abcab", "ba"), ("c", "cab"))).raw["train"]
    with pytest.raises(GaiError, match="5 tokens are more than the 4"):
        translated(made, parts.encoding, parts.encoding.dataset(long))


def distance(a: str, b: str) -> int:
    """Levenshtein's definition."""
    if not a or not b:
        return len(a) + len(b)
    if a[0] == b[0]:
        return distance(a[1:], b[1:])
    return 1 + min(distance(a[1:], b), distance(a, b[1:]), distance(a[1:], b[1:]))


@given(st.text("ab", max_size=5), st.text("abc", max_size=5))
def test_edits_are_as_levenshtein_defined_them(a: str, b: str) -> None:
    assert edits(a, b) == distance(a, b)


def test_scores_of_texts_by_hand() -> None:
    found = scores.texts(["abc", "de", ""], ["abc", "dx", "y"])
    assert found.summary() == {"exact": pytest.approx(1 / 3), "character_error_rate": 2 / 5}
    low, high = found.intervals()["exact"]
    assert low <= 1 / 3 <= high
