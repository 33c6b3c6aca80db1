"""Stems: those of the libraries, word for word, and what happens where a library fails."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from time import perf_counter
from typing import Any

import nltk
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.stem.arlstem import ARLSTem
from nltk.stem.arlstem2 import ARLSTem2
from nltk.stem.cistem import Cistem
from nltk.stem.isri import ISRIStemmer
from nltk.stem.lancaster import LancasterStemmer
from nltk.stem.porter import PorterStemmer
from nltk.stem.regexp import RegexpStemmer
from nltk.stem.rslp import RSLPStemmer
from Stemmer import Stemmer

from gai.counts import count
from gai.documents import Reading, read
from gai.errors import GaiError, UsageError
from gai.forms.stems import LONGEST, MODES, NAMES, algorithms, languages, stemmer
from gai.tokens.analysis import Analysis

LIBRARY: dict[str, Callable[[], Any]] = {
    "porter": PorterStemmer,
    "lancaster": LancasterStemmer,
    "isri": ISRIStemmer,
    "cistem": Cistem,
    "arlstem": ARLSTem,
    "arlstem2": ARLSTem2,
}
LANG = {"porter": "en", "lancaster": "en", "cistem": "de"} | dict.fromkeys(
    ["isri", "arlstem", "arlstem2"], "ar"
)


def words(*paths: Path, lowercase: bool = True) -> list[str]:
    """Each distinct word of the files."""
    batches = read(Reading(tuple(str(path) for path in paths)))
    return list(count(batches, Analysis(lowercase=lowercase), rows=False).terms)


def differing(given: Iterable[str], ours: list[str], theirs: list[str]) -> list[tuple[str, ...]]:
    """The first words on which two stemmers disagree, so that a failure is readable."""
    triples = zip(given, ours, theirs, strict=True)
    return [triple for triple in triples if triple[1] != triple[2]][:5]


@pytest.mark.parametrize("lang", languages("snowball"))
def test_snowball_is_the_librarys_on_the_declaration_in_every_language(
    corpora: Path, lang: str
) -> None:
    if not (path := corpora / "udhr" / f"{NAMES[lang]}.txt").exists():
        path = corpora / "udhr" / "english.txt"  # catalan, say: any words will do
    found = words(path)
    theirs = [Stemmer(NAMES[lang]).stemWord(word) for word in found]
    assert differing(found, stemmer("snowball", lang=lang).forms(found), theirs) == []
    assert len(found) > 100


ENGLISH = ["inaugural", "gutenberg", "shakespeare", "banking77"]


@pytest.mark.parametrize("corpus", ENGLISH)
def test_snowball_is_the_librarys_on_every_english_corpus(corpora: Path, corpus: str) -> None:
    found = words(corpora / corpus)
    theirs = [Stemmer("english").stemWord(word) for word in found]
    assert differing(found, stemmer("snowball").forms(found), theirs) == []
    assert len(found) > 2000


@pytest.mark.parametrize("algorithm", LIBRARY)
def test_the_stemmers_of_nltk_are_the_librarys_in_their_language(
    corpora: Path, algorithm: str
) -> None:
    named = {"en": "english", "de": "german", "ar": "arabic"}[LANG[algorithm]]
    former = stemmer(algorithm)
    found = words(corpora / "udhr" / f"{named}.txt", lowercase=not former.cased)
    library = LIBRARY[algorithm]()
    assert differing(found, former.forms(found), [library.stem(word) for word in found]) == []
    assert former.forms(found) != found
    assert former.lang == LANG[algorithm]


@pytest.mark.parametrize("mode", MODES)
def test_porter_is_the_librarys_on_the_inaugural_addresses(corpora: Path, mode: str) -> None:
    found = words(corpora / "inaugural")
    theirs = [PorterStemmer(MODES[mode]).stem(word) for word in found]
    assert differing(found, stemmer("porter", mode=mode).forms(found), theirs) == []


@pytest.mark.slow  # a minute: NLTK's loop over every distinct word
@pytest.mark.parametrize("algorithm", LIBRARY)
def test_the_stemmers_of_nltk_are_the_librarys_on_every_corpus(
    corpora: Path, algorithm: str
) -> None:
    former, library = stemmer(algorithm), LIBRARY[algorithm]()
    for corpus in [*ENGLISH, "udhr"]:
        found = words(corpora / corpus, lowercase=not former.cased)
        theirs = [library.stem(word) for word in found]
        assert differing(found, former.forms(found), theirs) == []


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_porter_passes_nltks_own_test_data(data: Path, mode: str) -> None:
    with zipfile.ZipFile(data / "nltk_data" / "stemmers" / "porter_test.zip") as archive:
        texts = [
            archive.read(f"porter_test/porter_{name}.txt").decode().splitlines()
            for name in ("vocabulary", f"{mode}_output")
        ]
    assert differing(texts[0], stemmer("porter", mode=mode).forms(texts[0]), texts[1]) == []
    assert len(texts[0]) > 20_000


def stem(algorithm: str, word: str, **options: Any) -> str:
    return stemmer(algorithm, **options).forms([word])[0]


@pytest.mark.parametrize(
    ("algorithm", "options", "word", "expected"),
    [
        ("snowball", {}, "running", "run"),
        ("snowball", {}, "better", "better"),
        ("snowball", {"lang": "de"}, "häuser", "haus"),
        ("snowball", {"lang": "German"}, "häuser", "haus"),
        ("snowball", {"lang": "porter"}, "generously", "gener"),
        ("porter", {}, "running", "run"),
        ("porter", {}, "better", "better"),
        ("porter", {}, "dying", "die"),
        ("porter", {"mode": "martin"}, "dying", "dy"),
        ("porter", {"mode": "martin"}, "happily", "happili"),
        ("porter", {"mode": "ORIGINAL_ALGORITHM"}, "is", "i"),
        ("porter", {"lang": "english"}, "running", "run"),
        ("lancaster", {}, "better", "bet"),
        ("cistem", {}, "Gutes", "gut"),
        ("cistem", {}, "Rast", "rast"),  # a capital keeps its t
        ("cistem", {}, "rast", "ras"),
        ("isri", {}, "يكتبون", "كتب"),
        ("regexp", {"strip": "er$"}, "better", "bett"),
        ("regexp", {"strip": "er$|ing$"}, "running", "runn"),
        ("regexp", {"strip_prefix": "un|re"}, "unrest", "rest"),
        ("regexp", {"strip_prefix": "^un"}, "fun", "fun"),
        ("regexp", {"strip_prefix": "un", "strip": "ing$"}, "undoing", "do"),
        ("regexp", {"strip": "ing$", "min_length": 5}, "sing", "sing"),
        ("regexp", {"strip": "ing$"}, "ing", ""),
    ],
)
def test_worked_examples(algorithm: str, options: dict[str, Any], word: str, expected: str) -> None:
    assert stem(algorithm, word, **options) == expected


@pytest.mark.parametrize("pattern", ["er$|ing$", "e", "(a|s)+$", "ß$|en$", ".$"])
def test_regexp_is_nltks(corpora: Path, pattern: str) -> None:
    found = words(corpora / "udhr" / "german.txt")
    theirs = RegexpStemmer(pattern, min=3)
    ours = stemmer("regexp", strip=pattern, min_length=3).forms(found)
    assert differing(found, ours, [theirs.stem(word) for word in found]) == []


# What is known to have upset one stemmer or another, in one version or another.
ODD = [
    "",
    "1",
    "ed",
    "oed",
    "ion",
    "'s",
    "😀",
    "👨‍👩‍👧",
    "\0",
    "e\u0301",
    "İ",
    "ً",
    "ااا",
    "تي",
    "\n",
]


@given(
    st.sampled_from(sorted({*algorithms()} - {"rslp"})),
    st.text() | st.text("aeiouygsltdn$%&*") | st.text("اوينتكمهلبفسة") | st.sampled_from(ODD),
)
@settings(max_examples=500)
def test_a_stem_is_the_librarys_or_where_it_fails_the_word(algorithm: str, word: str) -> None:
    def theirs() -> str | None:
        try:
            found: str | None = library().stem(word)
        except IndexError:
            return None
        return found

    library: Callable[[], Any] = LIBRARY.get(algorithm, lambda: RegexpStemmer("er$|ing$"))
    options = {"strip": "er$|ing$"} if algorithm == "regexp" else {}
    found = stem(algorithm, word, **options)
    if algorithm == "snowball":
        assert found == Stemmer("english").stemWord(word)
    else:
        expected = theirs()
        assert found == (word if expected is None else expected)


@pytest.mark.parametrize("algorithm", sorted({*algorithms()} - {"rslp"}))
@pytest.mark.parametrize("letter", ["a", "s", "y", "ing", "ness", "ن"])
def test_a_megabyte_without_a_space_takes_no_time(algorithm: str, letter: str) -> None:
    word = letter * 1_000_000
    former = stemmer(algorithm, **({"strip": "(ing)+$"} if algorithm == "regexp" else {}))
    started = perf_counter()
    (found,) = former.forms([word])
    assert perf_counter() - started < 1
    assert algorithm == "snowball" or found == word


def test_the_longest_word_that_is_looked_at() -> None:
    assert stem("porter", "a" * (LONGEST - 3) + "ing") == "a" * (LONGEST - 3)
    assert stem("porter", "a" * (LONGEST - 2) + "ing") == "a" * (LONGEST - 2) + "ing"


class Failing:
    """A library that fails on every second word."""

    def stem(self, word: str) -> str | None:
        return {"x": None, "y": "z"}[word] if word in "xy" else word[99]


def test_where_the_library_fails_the_word_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    from gai.forms import stems

    monkeypatch.setattr(stems, "alone", lambda _: type("M", (), {"LancasterStemmer": Failing}))
    assert stemmer("lancaster").forms(["x", "y", "word"]) == ["x", "z", "word"]


def test_forms_keep_the_order_and_need_not_be_distinct() -> None:
    assert stemmer("porter").forms(("cats", "dogs", "cats")) == ["cat", "dog", "cat"]
    assert stemmer("snowball").forms(("cats", "dogs", "cats")) == ["cat", "dog", "cat"]
    assert stemmer("lancaster").forms([]) == []


def test_a_former_says_what_it_is() -> None:
    former = stemmer("snowball", lang="french")
    assert (former.name, former.lang, former.cased) == ("snowball", "fr", False)
    assert former.package.startswith("PyStemmer 3.")
    assert stemmer("snowball", lang="dutch_porter").lang == "dutch_porter"
    assert stemmer("porter").package == f"nltk {nltk.__version__}"
    assert stemmer("cistem").cased
    assert stemmer("regexp", strip="s$").lang == ""


@pytest.mark.parametrize(
    ("algorithm", "options", "message", "hint"),
    [
        ("portr", {}, "no such stemmer: portr", "did you mean porter?"),
        ("xyz", {}, "no such stemmer: xyz", "choose from snowball, porter"),
        ("porter", {"lang": "de"}, "porter is made for en, not for de", "snowball --lang de"),
        ("cistem", {"lang": "en"}, "cistem is made for de, not for en", ""),
        ("porter", {"mode": "new"}, "porter has no mode new", "nltk, martin, original"),
        ("snowball", {"mode": "nltk"}, "--mode is for porter, not for snowball", ""),
        ("porter", {"strip": "er$"}, "--strip is for regexp, not for porter", ""),
        ("isri", {"strip_prefix": "a"}, "--strip-prefix is for regexp", ""),
        ("isri", {"min_length": 3}, "--min-length is for regexp", ""),
        ("regexp", {}, "regexp needs a pattern", "--strip 'er$|ing$'"),
        ("regexp", {"strip": "(er$"}, "--strip '(er$': missing )", ""),
        ("regexp", {"strip_prefix": "*"}, "--strip-prefix '*': nothing to repeat", ""),
    ],
)
def test_contradictions_are_refused(
    algorithm: str, options: dict[str, Any], message: str, hint: str
) -> None:
    with pytest.raises(UsageError) as error:
        stemmer(algorithm, **options)
    assert message in error.value.message
    assert hint in error.value.hint


@pytest.mark.parametrize(
    ("lang", "hint"),
    [
        ("germn", "did you mean de (German)?\nit has ar ca"),
        ("en-US", "did you mean en (English)?"),
        ("zh", "it has ar ca"),
        ("de,en", "it has ar ca"),
    ],
)
def test_an_unknown_language_is_an_error_that_lists_the_known_ones(lang: str, hint: str) -> None:
    with pytest.raises(GaiError, match=f"no stemmer for the language {lang}") as error:
        stemmer(lang=lang)
    assert not isinstance(error.value, UsageError)
    assert hint in error.value.hint


def test_every_algorithm_says_in_a_line_what_it_is_and_which_languages_it_knows() -> None:
    assert [name for name, line in algorithms().items() if not line or len(line) > 60] == []
    assert languages("porter") == ("en",)
    assert languages("regexp") == ()
    assert {"de", "en", "fr", "ru"} <= {*languages("snowball")}
    for lang in languages("snowball"):
        assert stemmer(lang=lang).lang in (lang, "no")


# A few rules in the format of NLTK's data, made up for this test.
RULES = {
    0: '"s",1,""',
    1: '"ona",3,"ão","abandona"',
    2: '"mente",4,"","experimente"',
    3: '"inho",3,"","caminho"',
    4: '"ação",3,""',
    5: '"ando",2,""',
    6: '"o",3,""',
}


def test_rslp_says_how_to_get_its_rules_and_uses_them_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    with pytest.raises(GaiError, match="rslp needs its rules") as error:
        stemmer("rslp")
    assert error.value.hint == "gai download nltk rslp"
    folder = tmp_path / "stemmers" / "rslp"
    folder.mkdir(parents=True)
    for step, rule in RULES.items():
        cells = [*rule.split(",", 3), '""'][:4]
        (folder / f"step{step}.pt").write_text("\t".join(cells) + "\n", encoding="utf-8")
    given = ["gatos", "felizmente", "livrinho", "falando", "gato", "s", "1"]
    assert stemmer("rslp").forms(given) == [RSLPStemmer().stem(word) for word in given]
    assert stemmer("rslp", lang="pt").forms(["", "gatos"]) == ["", "gat"]  # NLTK: IndexError


def test_porter_does_not_load_the_rest_of_nltk_which_stays_usable() -> None:
    program = """
import sys
from gai.forms.stems import stemmer
for name in ("porter", "lancaster", "isri", "cistem", "arlstem", "arlstem2"):
    stemmer(name).forms(["running"])
assert not {"nltk", "scipy", "sklearn", "numba"} & {*sys.modules}
import nltk
assert nltk.stem.PorterStemmer().stem("running") == "run"
assert stemmer("porter").forms(["running"]) == ["run"]
assert nltk.word_tokenize and nltk.__file__.endswith("__init__.py")
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert ended.stderr.decode() == ""
    assert ended.returncode == 0
