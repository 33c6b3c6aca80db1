"""The tables against the running interpreter and Unicode's own files."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gai.errors import GaiError, UsageError
from gai.kernels import classes
from gai.tokens import generate, tables
from gai.tokens.tables import CODE_POINTS, Tables

CHARACTERS = [chr(code) for code in range(CODE_POINTS)]


@pytest.fixture(scope="module")
def made() -> Tables:
    return tables.make(tables.DATA.read_text(encoding="ascii"))


@pytest.fixture
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache folder, and no memory of tables made before."""
    monkeypatch.setenv("GAI_CACHE", str(tmp_path / "cache"))
    tables.tables.cache_clear()
    yield tmp_path / "cache"
    tables.tables.cache_clear()


def again() -> Tables:
    """The tables as the next process gets them."""
    tables.tables.cache_clear()
    return tables.tables()


def test_lower_is_the_lower_case_of_the_interpreter(made: Tables) -> None:
    lowered = [character.lower() for character in CHARACTERS]
    assert [code for code, text in enumerate(lowered) if len(text) > 1] == [0x130]
    lowered[0x130] = "\u0130"
    assert made.lower.tolist() == list(map(ord, lowered))


def test_lowering_twice_is_lowering_once(made: Tables) -> None:
    assert np.array_equal(made.lower[made.lower], made.lower)


def test_lowering_changes_the_class_of_one_character(made: Tables) -> None:
    """The small circled m is no pictograph: so the scanners look at characters in lower case."""
    changed = np.flatnonzero(made.props[made.lower] != made.props)
    assert [chr(code) for code in changed] == ["Ⓜ"]


def test_word_bit_is_the_word_of_the_interpreter(made: Tables) -> None:
    word = [character.isalnum() or character == "_" for character in CHARACTERS]
    assert (made.props & classes.WORD > 0).tolist() == word


def test_space_bit_is_the_white_space_of_the_interpreter(made: Tables) -> None:
    assert (made.props & classes.SPACE > 0).tolist() == [c.isspace() for c in CHARACTERS]


def test_lone_surrogates_are_plain(made: Tables) -> None:
    assert not made.props[0xD800:0xE000].any()
    assert made.lower[0xD800:0xE000].tolist() == list(range(0xD800, 0xE000))


def test_letters_and_digits_have_the_categories_of_unicode(made: Tables) -> None:
    """As far as the interpreter knows them; a newer one also knows letters that 15.0 lacks."""
    is_newer = unicodedata.unidata_version > "15.0.0"
    letters = (made.props & classes.LETTER_OR_DIGIT > 0).tolist()
    wrong = [
        character
        for character, letter in zip(CHARACTERS, letters, strict=True)
        if (category := unicodedata.category(character)) != "Cn"
        and letter != (category[0] == "L" or category in ("Nd", "Nl", "No"))
        and (letter or not is_newer)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "characters"),
    [
        ("OTHER", "\0!-中あ²\ud800\U0010ffff"),
        ("CR", "\r"),
        ("LF", "\n"),
        ("NEWLINE", "\v\f\x85\u2028\u2029"),
        ("EXTEND", "\u0301\u0e31\uff9e\U0001f3fb\U000e0100"),
        ("ZWJ", "\u200d"),
        ("FORMAT", "\u00ad\ufeff\u200e"),
        ("REGIONAL_INDICATOR", "🇦🇿"),
        ("KATAKANA", "カヶｱ〱"),
        ("HEBREW_LETTER", "את"),
        ("ALETTER", "aÀжग가ⴀ"),
        ("SINGLE_QUOTE", "'"),
        ("DOUBLE_QUOTE", '"'),
        ("MIDNUMLET", ".‘’"),
        ("MIDLETTER", ":·״"),
        ("MIDNUM", ",;"),
        ("NUMERIC", "07٣๑"),
        ("EXTENDNUMLET", "_\u202f＿"),
        ("WSEGSPACE", " \u2003\u3000"),
        ("PICTOGRAPH", "©❤😀🛑"),
        ("ALETTER_PICTOGRAPH", "Ⓜ🅰"),
        ("COMPLEX", "กເខကᥐᦀ"),
    ],
)
def test_classes_of_some_characters(made: Tables, name: str, characters: str) -> None:
    found = made.props[list(map(ord, characters))] & classes.CLASS
    assert set(found.tolist()) == {getattr(classes, name)}


def test_every_class_has_a_number_of_its_own() -> None:
    names = [name for name in vars(classes) if name.isupper()]
    numbers = sorted(getattr(classes, name) for name in names)
    bits = [classes.LETTER_OR_DIGIT, classes.WORD, classes.SPACE]
    assert numbers == [*range(22), classes.CLASS, *bits]


def test_second_process_finds_the_tables_in_the_cache(cache_folder: Path) -> None:
    first = tables.tables()
    (file,) = cache_folder.iterdir()
    written = file.stat().st_mtime_ns
    assert_equal(again(), first)
    assert file.stat().st_mtime_ns == written
    assert re.search(rf"{sys.version_info.micro}.*{unicodedata.unidata_version}", file.name)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: content + b"\0",
        lambda content: b"\0" + content[1:],
        lambda content: content[:-64] + bytes(64),
    ],
    ids=["empty", "truncated", "longer", "other start", "other end"],
)
def test_a_damaged_cache_file_is_made_anew(cache_folder: Path, damage: object) -> None:
    assert callable(damage)
    first = tables.tables()
    (file,) = cache_folder.iterdir()
    whole = file.read_bytes()
    assert_equal(first, tables.unpacked(whole))
    file.unlink()  # `first` still looks at the old file
    file.write_bytes(damage(whole))
    assert_equal(again(), first)
    assert file.read_bytes() == whole


def test_tables_without_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in the folder's place cannot be written to, whoever runs the test."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("GAI_CACHE", str(tmp_path / "file"))
    assert_equal(again(), tables.make(tables.DATA.read_text(encoding="ascii")))
    tables.tables.cache_clear()


def test_tables_of_a_cache_that_others_filled(cache_folder: Path) -> None:
    first = tables.tables()
    cache_folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert_equal(again(), first)
    cache_folder.chmod(stat.S_IRWXU)


def test_tables_are_read_only(cache_folder: Path) -> None:
    for table in (*tables.tables(), *again()):
        assert not table.flags.writeable


def assert_equal(left: Tables, right: Tables) -> None:
    assert np.array_equal(left.props, right.props)
    assert np.array_equal(left.lower, right.lower)


@pytest.mark.slow
def test_data_file_is_what_the_script_makes(data: Path) -> None:
    assert tables.DATA.read_text(encoding="ascii") == generate.data(data / "unicode")


PROPERTY_FILES = {
    "WordBreakProperty.txt": """\
# WordBreakProperty-99.1.0.txt
0027          ; Single_Quote # Po       APOSTROPHE
0061..0062    ; ALetter # L&   [2] LATIN SMALL LETTER A..LATIN SMALL LETTER B
0E31          ; Extend # Mn       THAI CHARACTER MAI HAN-AKAT
""",
    "emoji-data.txt": """\
0061          ; Emoji                # E0.0   [1] (a)      not the property that we look for
0062          ; Extended_Pictographic# E0.0   [1] (b)      a letter
00A9          ; Extended_Pictographic# E0.6   [1] (©️)       copyright
""",
    "LineBreak.txt": """\
0E01..0E30;SA     # Lo    [48] THAI CHARACTER KO KAI..THAI CHARACTER SARA A
0E31;SA           # Mn         THAI CHARACTER MAI HAN-AKAT
""",
    "Scripts.txt": """\
0030..0031    ; Common # Nd   [2] DIGIT ZERO..DIGIT ONE
0061..0062    ; Latin # L&   [2] LATIN SMALL LETTER A..LATIN SMALL LETTER B
0E01..0E30    ; Thai # Lo  [48] THAI CHARACTER KO KAI..THAI CHARACTER SARA A
0E31          ; Thai # Mn       THAI CHARACTER MAI HAN-AKAT
""",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A Unicode Character Database of a few lines."""
    for name, text in PROPERTY_FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_script_puts_the_properties_together(folder: Path) -> None:
    lines = [line for line in generate.data(folder).splitlines() if not line.startswith("#")]
    assert lines == [
        "0000 OTHER",
        "0027 SINGLE_QUOTE",
        "0028 OTHER",
        "0030 OTHER letter",
        "0032 OTHER",
        "0061 ALETTER letter",
        "0062 ALETTER_PICTOGRAPH letter",
        "0063 OTHER",
        "00A9 PICTOGRAPH",
        "00AA OTHER",
        "0E01 COMPLEX letter",
        "0E31 EXTEND",
        "0E32 OTHER",
    ]


def test_script_takes_the_version_from_the_files(folder: Path) -> None:
    assert generate.version(folder) == "99.1"
    (folder / "WordBreakProperty.txt").write_text("# something else")
    with pytest.raises(GaiError, match="WordBreakProperty"):
        generate.version(folder)


def test_script_without_a_folder_says_how_to_call_it() -> None:
    with pytest.raises(UsageError, match="UCD_FOLDER"):
        generate.main([])


def test_tables_load_none_of_the_large_packages() -> None:
    code = "import sys, gai.tokens.tables as t; t.tables(); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"numba", "scipy", "sklearn", "spacy", "nltk"} & set(loaded.stdout.split())
