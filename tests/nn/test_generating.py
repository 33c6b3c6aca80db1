"""Text from language models: which token comes next, how it is spelt, and that memory is exact."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from gai.errors import GaiError
from gai.nn.config import Config, resolved
from gai.nn.data.encoding import Encoding, fit
from gai.nn.data.preparing import WORDS, language_choices
from gai.nn.data.raw import Raw
from gai.nn.data.text import terms_in
from gai.nn.net.generating import (
    Sampling,
    beginning,
    bytes_of_letters,
    drawn,
    generated,
    kept,
    spelling,
)
from gai.nn.net.inputs import Inputs, Shape
from gai.nn.net.models import build
from gai.tokens.analysis import Analysis

TEXT = "ROMEO:\nIs the day so young?\n\nBENVOLIO:\nBut new struck nine.\n"

logits = st.lists(st.floats(-9, 9, width=16), min_size=3, max_size=12)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def raw(*texts: str) -> Raw:
    return Raw([str(n) for n in range(len(texts))], texts=list(texts))


def shares(values: list[float]) -> list[float]:
    largest = max(values)
    powers = [math.exp(value - largest) for value in values]
    return [power / sum(powers) for power in powers]


def allowed(found: Tensor) -> set[int]:
    return set(torch.isfinite(found).nonzero().flatten().tolist())


@given(logits, st.integers(1, 12))
def test_top_k_keeps_the_k_likeliest(values: list[float], k: int) -> None:
    found = allowed(kept(torch.tensor(values), Sampling(top_k=k)))
    least = sorted(values, reverse=True)[min(k, len(values)) - 1]
    assert found == {place for place, value in enumerate(values) if value >= least}


@given(logits, st.sampled_from([0.01, 0.25, 0.5, 0.9, 0.999]))
def test_top_p_keeps_as_few_of_the_likeliest_as_have_that_share(
    values: list[float], p: float
) -> None:
    found = allowed(kept(torch.tensor(values), Sampling(top_p=p)))
    share = shares(values)
    assert sum(share[place] for place in found) >= p - 1e-5
    least = min(found, key=lambda place: share[place])
    assert sum(share[place] for place in found) - share[least] < p + 1e-5
    assert all(share[place] <= share[least] + 1e-6 for place in set(range(len(values))) - found)


def test_top_p_is_of_what_top_k_leaves() -> None:
    values = torch.tensor([0.4, 0.3, 0.2, 0.1]).log()
    assert allowed(kept(values, Sampling(top_k=2, top_p=0.55))) == {0}  # 0.4 / 0.7 is 0.57
    assert allowed(kept(values, Sampling(top_p=0.55))) == {0, 1}
    assert allowed(kept(values, Sampling(top_k=2))) == {0, 1}
    assert torch.equal(kept(values, Sampling()), values)


def test_temperature_0_takes_the_likeliest_token_and_never_padding_or_the_unknown() -> None:
    generator = torch.Generator().manual_seed(1)
    said = torch.tensor([[9.0, 8.0, 1.0, 3.0, 2.0]])
    assert drawn(said.clone(), Sampling(temperature=0), generator).tolist() == [[3]]
    found = {int(drawn(said.clone(), Sampling(), generator)) for _ in range(200)}
    assert found == {2, 3, 4}


def test_tokens_are_drawn_as_often_as_their_shares_at_that_temperature_say() -> None:
    generator = torch.Generator().manual_seed(1)
    said = torch.tensor([[0.0, 0.0, 1.0, 2.0, 0.0]])
    for temperature in (0.5, 1.0, 2.0):
        sampling = Sampling(temperature=temperature)
        found = Counter(int(drawn(said.clone(), sampling, generator)) for _ in range(4000))
        expected = shares([1 / temperature, 2 / temperature, 0.0])
        for place, share in enumerate(expected, start=2):
            assert abs(found[place] / 4000 - share) < 0.03


def model(name: str, **more: Any) -> tuple[nn.Module, Encoding]:
    """A language model of characters with its first weights, and larger ones for clear answers."""
    said = {"model": name, "task": "lm", "input": "ids", "width": 8, "embedding": 8, "heads": 2}
    said |= {"context": 12, "filters": 4, "kernels": (2, 3), "layers": 2, "epochs": 1}
    config = resolved({**said, **language_choices(more, "lm"), **more})
    encoding = fit(raw(TEXT), config)
    torch.manual_seed(1)
    size = encoding.size[0]
    network = build(config, Shape("ids", (size,), size, per_token=True, causal=True)).eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.mul_(2)
    return network, encoding


CAUSAL = ["rnn", "lstm", "gru", "cnn", "transformer"]


@pytest.mark.parametrize("name", CAUSAL)
def test_tokens_one_by_one_give_what_all_at_once_give(name: str) -> None:
    """Beyond the context of a transformer too, which then sees the last tokens alone."""
    network, _ = model(name)
    ids = torch.randint(2, 15, (1, 30), generator=torch.Generator().manual_seed(2))
    state, ends = None, [0, 5, 6, 7, 10, *range(11, 31)]
    for begin, end in pairwise(ends):
        said, state = network.step(ids[:, begin:end], state)  # type: ignore[operator]
        whole = ids[:, max(end - 12, 0) : end] if name == "transformer" else ids[:, :end]
        with torch.no_grad():
            expected = network(Inputs(whole, torch.tensor([whole.shape[1]])))[:, -1]
        assert torch.allclose(said, expected, atol=1e-4), end


@pytest.mark.parametrize("name", CAUSAL)
def test_the_likeliest_text_is_that_of_one_forward_pass_after_the_other(name: str) -> None:
    network, encoding = model(name)
    assert encoding.vocabulary is not None
    text = "".join(generated(network, encoding, "ROMEO:", Sampling(temperature=0), 20))
    ids = beginning(encoding, "ROMEO:")
    expected = ""
    for _ in range(20):
        window = ids[:, -12:] if name == "transformer" else ids
        with torch.no_grad():
            said = network(Inputs(window, torch.tensor([window.shape[1]])))[0, -1]
        said[:2] = -torch.inf
        ids = torch.cat([ids, said.argmax().view(1, 1)], 1)
        expected += encoding.vocabulary.terms[int(ids[0, -1])]
    assert text == expected


def test_the_same_seed_writes_the_same_text() -> None:
    network, encoding = model("gru")

    def text(seed: int) -> str:
        return "".join(generated(network, encoding, "Is", Sampling(seed=seed), 40))

    assert text(1) == text(1) != text(2)
    assert len(text(3)) == 40


def test_an_empty_or_unknown_prompt_begins_a_line() -> None:
    _, encoding = model("gru")
    assert encoding.vocabulary is not None
    newline = encoding.vocabulary.ids["\n"]
    assert beginning(encoding, "").tolist() == [[newline]]
    assert beginning(encoding, "ß😀").tolist() == [[newline]]
    known = beginning(encoding, "R😀O")
    assert [encoding.vocabulary.terms[int(id)] for id in known[0]] == ["R", "O"]


def test_only_language_models_generate_and_say_so_before_the_prompt_is_shown() -> None:
    config = resolved({"model": "gru", "width": 4})
    encoding = fit(Raw(["a", "b"], texts=["x", "y"], labels=["1", "2"]), config)
    network = build(config, Shape("ids", encoding.size, 2))
    with pytest.raises(GaiError, match="trained to classify: only language models generate"):
        generated(network, encoding, "x", Sampling(), 3)  # without asking for the first piece


def spelt(config: Config, texts: list[str]) -> list[str]:
    """Each text as tokens, and these as text again."""
    found = terms_in(Analysis(**config.analysis()), plain=True)(texts)
    terms = list(found.terms)
    made = []
    for begin, end in pairwise(found.rows.offsets):
        spell = spelling(config)
        made.append("".join(spell(terms[id]) for id in found.rows.values[begin:end]))
    return made


LM_OF_WORDS = Config(
    task="lm", unit="words", tokenizer="regex", token_pattern=WORDS, lowercase=False
)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "It's John's; isn't it? \"No\" he said",
        "a (b) [c] {d}, e: 50% of $3.",
        "Zwei\n\nZeilen",
    ],
)
def test_words_are_spelt_as_they_were_but_for_quotation_marks(text: str) -> None:
    def without(text: str) -> str:
        return text.replace('" ', '"').replace(' "', '"')

    assert without(spelt(LM_OF_WORDS, [text])[0]) == without(text)


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory, corpora: Path) -> dict[str, Config]:
    """Models of word pieces."""
    from gai.tokens.subword import train

    folder = tmp_path_factory.mktemp("pieces")
    lines = (corpora / "shakespeare" / "tinyshakespeare.txt").read_text()[:40_000].splitlines()
    made = {}
    for name in ("bpe", "unigram"):
        path = folder / f"{name}.json"
        path.write_text(train(lines, algorithm=name, vocab_size=500))
        made[name] = Config(
            task="lm", unit="subwords", tokenizer=name, tokenizer_model=str(path), lowercase=False
        )
    return made


ODD = ["First Citizen: Speak, speak.", "naïve café 😀 日本", "a  b", "x" * 30, "it’s", "<0xC3>"]


@pytest.mark.parametrize("name", ["bpe", "unigram"])
def test_word_pieces_are_spelt_as_the_text_was(name: str, pieces: dict[str, Config]) -> None:
    made = spelt(pieces[name], ODD)
    assert [text.removeprefix(" ") for text in made] == ODD


def test_the_letters_of_bytes_are_those_of_the_package_tokenizers() -> None:
    from tokenizers import pre_tokenizers

    alphabet = set(pre_tokenizers.ByteLevel.alphabet())
    table = bytes_of_letters()
    assert set(table) == alphabet
    assert sorted(table.values()) == list(range(256))
    assert (table["Ġ"], table["Ċ"], table["é"], table["Ã"]) == (32, 10, 0xE9, 0xC3)


def test_a_character_appears_when_its_last_byte_is_there() -> None:
    spell = spelling(Config(task="lm", unit="subwords", tokenizer="bpe"))
    assert [spell(token) for token in ("a", "Ã", "©", "ĠðŁ", "ĺĢ")] == ["a", "", "é", " ", "😀"]


def test_a_word_after_the_prompt_has_a_space_before_it_where_it_needs_one() -> None:
    network, encoding = model("gru", unit="words")
    assert encoding.vocabulary is not None
    terms = encoding.vocabulary.terms
    bias = network.head.bias  # type: ignore[union-attr]

    def following(prompt: str, word: str) -> str:
        with torch.no_grad():
            bias[:] = 0  # type: ignore[index]
            bias[terms.index(word)] = 99  # type: ignore[index]
        return next(iter(generated(network, encoding, prompt, Sampling(temperature=0), 1)))

    assert following("Is the", "day") == " day"
    assert following("Is the ", "day") == "day"
    assert following("Is the\n", "day") == "day"
    assert following("Is the day", "?") == "?"
    assert following("", "Is") == "Is"
