"""CoNLL-U: words with lemmas and parts of speech."""

from __future__ import annotations

from pathlib import Path

import pytest

from gai.documents import conllu
from gai.errors import GaiError

CONLLU = (
    "\ufeff# sent_id = 1\r\n"
    "1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_\r\n"
    "1\tde\tde\tADP\t_\t_\t_\t_\t_\t_\r\n"
    "2\tle\tle\tDET\t_\t_\t_\t_\t_\t_\r\n"
    "\r\n"
    "\r\n"
    "# a comment alone\n"
    "\n"
    "1\tMice\tmouse\tNOUN\t_\t_\t_\t_\t_\t_\n"
    "1.1\tgone\tgo\tVERB\t_\t_\t_\t_\t_\t_\n"
    "2\tran\trun\tVERB\t_\t_\t_\t_\t_\t_\n"
    "3\t_\t_\t_\t_\t_\t_\t_\t_\t_"
)


def test_conllu_gives_the_syntactic_words_of_each_sentence(tmp_path: Path) -> None:
    path = tmp_path / "gold.conllu"
    path.write_text(CONLLU, encoding="utf-8", newline="")
    assert conllu.read(str(path)) == [
        conllu.Annotated(["de", "le"], ["de", "le"], ["ADP", "DET"]),
        conllu.Annotated(["Mice", "ran", "_"], ["mouse", "run", "_"], ["NOUN", "VERB", ""]),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"1\tMice\tmouse\n", "line 1: 3 columns, but CoNLL-U has 10"),
        (b"# a\n\nCall me Ishmael.\n", "line 3: 1 column, but"),
        (b"", "no sentences"),
        (b"# nothing\n\n", "no sentences"),
        (b"\xff\n", "this is no UTF-8"),
        (None, "no such file"),
    ],
)
def test_what_is_no_conllu_is_an_error(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "gold.conllu"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(GaiError, match=message) as error:
        conllu.read(str(path))
    assert error.value.message.startswith(str(path))
