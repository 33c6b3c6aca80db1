"""Tokenizers of other packages: their tokens one for one, and where each token stands."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gai import backends
from gai.errors import GaiError, UsageError
from gai.tokens import with_nltk, with_spacy
from gai.tokens.tokenizers import TOKENIZERS, Spans, Tokenizer, library, tokenizer

Tokens = Callable[[str], list[str]]

PATTERN = re.compile(r"\b(\w)?\w\b|(?=x)")
"""With a group that may take no part, and with empty matches."""

ATOMS = [
    *("\"\"''``<>([{)]} .,:;?!-–—/&|#@$%*«»“”‘’„…،\t\n\r\xa0\u3000\x1c\u200b0123aAéSsdDn't日"),
    *("''", "``", "n't", "'s", "'ll", "://", "http://", "://x/", "...", "--", "& ", "!!!!!!"),
    *("&amp;", "&#9;", "&#124;", "&lt;", "&#x41;", "&#150;", "&#129;", "&bogus;", "&#99999999;"),
    *("cannot", "gimme", "'tis ", "d'ye", "more'n", "wanna ", "800 555 1234", "     ", "@user"),
    *("😀", "👩‍👩‍👧", "\U0001f3fb", "x.y.com/a(b)", "e\u0301", "İ", "\0", "\x1b[31m", "dr. "),
]
NASTY = st.lists(st.sampled_from(ATOMS) | st.text(max_size=3), max_size=14).map("".join)

UNCHANGING = ("spacy", "whitespace", "regex")
NAMES = ("treebank", "tweet", "toktok", "punkt", *UNCHANGING)

PUNKT = {
    "abbrev_types.txt": "dr\nu.s\n",
    "sent_starters.txt": "",
    "collocations.tab": "",
    "ortho_context.tab": "the\t46\n",
}


@pytest.fixture(scope="module")
def nltk_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The only folder where NLTK looks: with a small Punkt model for English."""
    import nltk

    folder = tmp_path_factory.mktemp("nltk_data")
    model = folder / "tokenizers" / "punkt_tab" / "english"
    model.mkdir(parents=True)
    for name, text in PUNKT.items():
        (model / name).write_text(text)
    before = list(nltk.data.path)
    nltk.data.path[:] = [str(folder)]
    yield folder
    nltk.data.path[:] = before


@pytest.fixture(scope="module")
def libraries(nltk_folder: Path) -> dict[str, Tokens]:
    """What each package itself makes of a text."""
    import nltk
    import spacy
    from nltk.tokenize import ToktokTokenizer, TreebankWordTokenizer, TweetTokenizer

    nltk.tokenize._get_punkt_tokenizer.cache_clear()
    nlp = spacy.blank("en")
    return {
        "treebank": TreebankWordTokenizer().tokenize,
        "tweet": TweetTokenizer().tokenize,
        "toktok": ToktokTokenizer().tokenize,
        "punkt": nltk.word_tokenize,
        "spacy": lambda text: [token.text for token in nlp.tokenizer(text) if not token.is_space],
        "whitespace": str.split,
        "regex": PATTERN.findall,
    }


@pytest.fixture(scope="module")
def splitters(nltk_folder: Path) -> dict[str, Tokenizer]:
    """The tokenizers under test; loading them takes its time."""
    return {name: tokenizer(name, pattern=PATTERN) for name in NAMES}


@pytest.fixture(scope="module")
def texts(corpora: Path) -> list[str]:
    """Declarations in several scripts, speeches, and questions of bank customers."""
    names = [
        "english",
        "german",
        "greek",
        "russian",
        "arabic",
        "hindi",
        "thai",
        "chinese",
        "korean",
    ]
    files = [corpora / "udhr" / f"{name}.txt" for name in names]
    files += sorted(corpora.glob("inaugural/*.txt"))[::12]
    with open(corpora / "banking77" / "test.csv", encoding="utf-8", newline="") as file:
        questions = [row["text"] for row in csv.DictReader(file)][::5]
    return [path.read_text(encoding="utf-8") for path in files] + questions


def one(split: Tokenizer, text: str) -> Spans:
    (found,) = split([text])
    return found


def pieces(text: str, found: Spans) -> list[str]:
    """What stands at the places of the tokens."""
    return [text[start:end] for start, end in zip(found.starts, found.ends, strict=True)]


def visible(text: str) -> str:
    return "".join(text.split())


def check_order(text: str, found: Spans) -> None:
    end_before = 0
    for start, end in zip(found.starts, found.ends, strict=True):
        assert end_before <= start <= end <= len(text), (text, found)
        end_before = end


@pytest.mark.parametrize("name", NAMES)
def test_real_texts(
    name: str, texts: list[str], splitters: dict[str, Tokenizer], libraries: dict[str, Tokens]
) -> None:
    for text, found in zip(texts, splitters[name](texts), strict=True):
        assert found.tokens == libraries[name](text)
        check_order(text, found)
        for token, piece in zip(found.tokens, pieces(text, found), strict=True):
            shorter = name == "tweet" and set(piece) == set(token) and len(piece) > len(token)
            assert token == piece or shorter or (token, piece) in CHANGES


CHANGES = {("``", '"'), ("''", '"'), ("&#9;", "\t"), ("&#124;", "|"), ("&amp;", "&")}
"""All that the packages change in these texts, beside runs of signs that tweet makes shorter."""


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=120)
@given(text=NASTY)
def test_nasty_texts(
    name: str, text: str, splitters: dict[str, Tokenizer], libraries: dict[str, Tokens]
) -> None:
    found = one(splitters[name], text)
    assert found.tokens == libraries[name](text)
    check_order(text, found)
    if name in UNCHANGING:
        assert found.tokens == pieces(text, found)
    if name not in ("tweet", "regex"):  # an entity without a meaning goes; a pattern takes its pick
        assert visible("".join(pieces(text, found))) == visible(text)


@pytest.mark.parametrize(
    ("name", "text", "tokens", "sources"),
    [
        ("treebank", '"Hi", he said.', "`` Hi '' , he said .", '"~Hi~"~,~he~said~.'),
        ("treebank", "''a'' \"``b", "'' a '' `` `` b", "''~a~''~\"~``~b"),
        ("treebank", "(''a\")", "( `` a '' )", "(~''~a~\"~)"),
        ("punkt", 'So "it"? "No," I said.', "So `` it '' ? `` No , '' I said .", None),
        ("toktok", "a\tb | c & d &amp; x", "a &#9; b &#124; c &amp; d &amp ; x", None),
        ("toktok", "a://x/y http://a.b/c", "a / y http://a.b/c", "a~://x/~y~http://a.b/c"),
        ("tweet", "5 &lt; 6 &amp;&amp; a&#33;", "5 < 6 & & a !", "5~&lt;~6~&amp;~&amp;~a~&#33;"),
        ("tweet", "so!!!!!!! ok", "so ! ! ! ok", "so~!~!~!!!!!~ok"),
        ("tweet", "a&bogus;b", "ab", "a&bogus;b"),
        ("tweet", "x&bogus; &bogus;y", "x y", "x~y"),
    ],
)
def test_where_changed_tokens_come_from(
    name: str, text: str, tokens: str, sources: str | None, splitters: dict[str, Tokenizer]
) -> None:
    found = one(splitters[name], text)
    assert found.tokens == tokens.split()
    if sources is None:
        assert visible("".join(pieces(text, found))) == visible(text)
    else:
        assert pieces(text, found) == sources.split("~")


def test_half_a_pair_of_surrogates_in_an_entity_is_replaced(
    splitters: dict[str, Tokenizer],
) -> None:
    assert one(splitters["tweet"], "a &#xD83D; b").tokens == ["a", "\ufffd", "b"]


@pytest.mark.parametrize("word", ["a" * 200_000, "a." * 40_000, '"' * 40_000, "'" * 40_000])
@pytest.mark.parametrize("name", ["treebank", "toktok", "punkt", "whitespace"])
def test_a_long_word_takes_no_more_than_its_time(
    name: str, word: str, splitters: dict[str, Tokenizer]
) -> None:
    """Anything quadratic would run for minutes."""
    assert "".join(pieces(word, one(splitters[name], word))) == word


def test_spacy_takes_a_long_word_but_no_long_row_of_signs(splitters: dict[str, Tokenizer]) -> None:
    assert one(splitters["spacy"], "a" * 200_000).ends == [200_000]
    assert len(one(splitters["spacy"], "-" * 100).tokens) == 1
    with pytest.raises(GaiError, match="10,000 signs without a space, from character 2 of"):
        one(splitters["spacy"], "a " + "(" * 40_000)


def test_a_text_that_nltk_gives_up_on_is_an_error(
    splitters: dict[str, Tokenizer], monkeypatch: pytest.MonkeyPatch
) -> None:
    from nltk import redos

    monkeypatch.setattr(redos, "DEFAULT_TIMEOUT", 0.01)
    with pytest.raises(GaiError, match="NLTK gave up on a document of 100,000 characters"):
        one(splitters["tweet"], "7" * 100_000)


def test_many_texts_come_back_in_order(splitters: dict[str, Tokenizer]) -> None:
    texts = [f"{'so ' * number}it goes" for number in (3, 0, 1, 2)]
    for split in splitters.values():
        assert list(split(texts)) == [one(split, text) for text in texts]
        assert list(split([])) == []
        assert one(split, "") == Spans([], [], [])


@pytest.mark.parametrize(
    ("name", "options", "error", "words"),
    [
        ("treebonk", {}, UsageError, "treebank"),
        ("regex", {}, UsageError, "--token-pattern"),
        ("regex", {"pattern": re.compile("(a)(b)")}, UsageError, "2 groups"),
        ("bpe", {}, UsageError, "--model"),
        ("punkt", {"lang": "xx"}, UsageError, "language codes: cs da de"),
        ("spacy", {"lang": "qq"}, GaiError, "language codes: af"),
        ("spacy", {"lang": "german"}, GaiError, "did you mean de (German)?"),
        ("spacy", {"lang": "en-US"}, GaiError, "did you mean en (English)?"),
        ("spacy", {"lang": "vi"}, GaiError, "pip install pyvi"),
        ("spacy", {"model": "xx_no_such_model"}, GaiError, "python -m spacy download xx_no_such"),
        ("spacy", {"model": "xx_no_such_model"}, GaiError, "pip install xx_no_such_model"),
        ("spacy", {"model": "pytest"}, GaiError, "pytest is no spaCy model"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_says_why(
    name: str, options: dict[str, Any], error: type[GaiError], words: str
) -> None:
    with pytest.raises(error) as raised:
        tokenizer(name, **options)
    assert type(raised.value) is error
    assert "\n" not in raised.value.message
    assert words in str(raised.value)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(backends, "find_spec", lambda name: None)
    with pytest.raises(GaiError, match=r"pip install 'gai\[subword\]'"):
        tokenizer("bpe", model=str(tmp_path / "model.json"))


def test_the_library_of_each_tokenizer_has_a_version() -> None:
    assert library("whitespace") == library("regex") == ""
    for name, known in TOKENIZERS.items():
        if known.package:
            assert re.fullmatch(rf"{known.package} \d+\.\d.*", library(name))


def test_missing_punkt_data_says_how_to_get_it(
    nltk_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import nltk

    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    with pytest.raises(GaiError) as raised:
        tokenizer("punkt", lang="de")
    assert raised.value.hint == "gai download nltk punkt_tab"
    assert "german" in raised.value.message


def test_the_old_pickles_of_punkt_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import nltk

    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    (tmp_path / "tokenizers" / "punkt" / "PY3").mkdir(parents=True)
    (tmp_path / "tokenizers" / "punkt" / "PY3" / "english.pickle").write_bytes(b"cos\nsystem\n")
    with pytest.raises(GaiError, match="pickles, which are refused") as raised:
        tokenizer("punkt")
    assert raised.value.hint == "gai download nltk punkt_tab"


def test_damaged_punkt_data_is_named(
    nltk_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import nltk

    shutil.copytree(nltk_folder, tmp_path / "data")
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path / "data")])
    (tmp_path / "data/tokenizers/punkt_tab/english/ortho_context.tab").write_text("no number\n")
    with pytest.raises(GaiError, match="punkt_tab"):
        tokenizer("punkt")


@pytest.mark.slow
def test_punkt_knows_the_languages_of_its_data(data: Path) -> None:
    """Each language code names a folder of the real package, and no folder is forgotten."""
    folders = {path.name for path in (data / "nltk_data/tokenizers/punkt_tab").iterdir()}
    assert {name for name in folders if name.islower()} == set(with_nltk.PUNKT_LANGUAGES.values())


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A spaCy model in a folder: the blank English pipeline, and one exception of its own."""
    import spacy

    nlp = spacy.blank("en")
    nlp.tokenizer.add_special_case("gimme", [{"ORTH": "gim"}, {"ORTH": "me"}])
    nlp.to_disk(tmp_path / "model")
    return tmp_path / "model"


def changed_meta(model: Path, **changes: str) -> None:
    path = model / "meta.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_the_tokenizer_of_a_model_in_a_folder(model: Path) -> None:
    split = tokenizer("spacy", model=str(model))
    assert one(split, "gimme  it") == Spans(["gim", "me", "it"], [0, 3, 7], [3, 5, 9])


def test_a_model_for_another_spacy_names_both_versions(model: Path) -> None:
    import spacy

    changed_meta(model, spacy_version=">=3.1.0,<3.2.0")
    with pytest.raises(GaiError) as raised:
        tokenizer("spacy", model=str(model))
    assert ">=3.1.0,<3.2.0" in raised.value.message
    assert spacy.__version__ in raised.value.message


@pytest.mark.parametrize("name", ["vocab/x.pkl", "tagger.pickle"])
def test_a_model_with_pickles_is_refused(model: Path, name: str) -> None:
    (model / name).write_bytes(b"cos\nsystem\n")
    with pytest.raises(GaiError, match=r"holds a pickle \((x.pkl|tagger.pickle)\)"):
        tokenizer("spacy", model=str(model))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("meta.json", b"{"),
        ("meta.json", b"[]"),
        ("meta.json", b"{}"),
        ("config.cfg", b"[nlp"),
        ("config.cfg", b"[nlp]\nlang = 'no such'\n"),
        ("tokenizer", b"\x93broken"),
    ],
)
def test_a_broken_model_is_one_line(model: Path, file: str, content: bytes) -> None:
    (model / file).write_bytes(content)
    with pytest.raises(GaiError) as raised:
        tokenizer("spacy", model=str(model))
    assert "\n" not in raised.value.message


def test_a_model_that_is_installed(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package that gives its folder to spaCy, as those of spaCy do."""
    package, about = tmp_path / "site" / "en_tiny", tmp_path / "site" / "en_tiny-1.0.dist-info"
    shutil.copytree(model, package / "en_tiny-1.0")
    shutil.copy(model / "meta.json", package)
    changed_meta(package, name="tiny", version="1.0")
    changed_meta(package / "en_tiny-1.0", name="tiny", version="1.0")
    (package / "__init__.py").write_text(
        "from pathlib import Path\nfrom spacy.util import load_model_from_init_py\n"
        "def load(**kw):\n    return load_model_from_init_py(__file__, **kw)\n"
    )
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: en_tiny\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert with_spacy.folder_of("en_tiny") == package
    assert one(tokenizer("spacy", model="en_tiny"), "gimme").tokens == ["gim", "me"]


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "de", "ru", "el", "tr"])
def test_real_punkt_data(
    lang: str, data: Path, corpora: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nltk

    monkeypatch.setattr(nltk.data, "path", [str(data / "nltk_data")])
    nltk.tokenize._get_punkt_tokenizer.cache_clear()
    split, language = tokenizer("punkt", lang=lang), with_nltk.PUNKT_LANGUAGES[lang]
    for path in sorted(corpora.glob("udhr/*.txt"))[::4] + sorted(corpora.glob("inaugural/*"))[::9]:
        text = path.read_text(encoding="utf-8")
        assert one(split, text).tokens == nltk.word_tokenize(text, language)
    nltk.tokenize._get_punkt_tokenizer.cache_clear()
