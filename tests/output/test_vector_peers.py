"""Files of vectors and other programs: what they write is read, what is written they read."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gai.errors import GaiError
from gai.output.vectors import Subwords, Vectors, load, save
from gai.terms import Terms

TEXTS = [
    line.split() for line in ["the cat sat on the mat", "naïve 日本語 cat mat", "über the"]
] * 9
UNSEEN = ["kitten", "catmat", "ü", "日本", "😀😀", "x" * 60, "a b", "THE", "cats", "é"]
ODD = ["a\u00a0b", "a\u2028b", "a\u0085b", "\ufeff", "7", "1e5", "nan", "-", "__label__x", "a\x1cb"]


def vectors(words: list[str], dim: int = 5, **more: Any) -> Vectors:
    numbers = np.random.default_rng(len(words)).normal(size=(len(words), dim))
    return Vectors(Terms.of(words), numbers.astype(np.float32), **more)


def stored(name: str) -> str:
    """A file of gensim's own tests, among them some that fastText itself wrote."""
    from gensim.test.utils import datapath

    path: str = datapath(name)
    if not Path(path).exists():
        pytest.skip(f"gensim is installed without {name}")
    return path


def as_rows(words: Any, matrix: Any) -> dict[str, list[float]]:
    return dict(zip(words, np.asarray(matrix).tolist(), strict=True))


@pytest.fixture(scope="module")
def trained() -> Any:
    """A small FastText model of gensim."""
    from gensim.models import FastText

    return FastText(TEXTS, vector_size=7, min_count=1, bucket=300, min_n=2, max_n=4, epochs=2)


# word2vec and GloVe


@pytest.mark.parametrize("binary", [True, False])
def test_gensim_reads_word2vec(tmp_path: Path, binary: bool) -> None:
    from gensim.models import KeyedVectors

    wanted = vectors(["the", "naïve", "日本語", *ODD])
    save(wanted, tmp_path / "x", "word2vec" if binary else "word2vec-text")
    found = KeyedVectors.load_word2vec_format(str(tmp_path / "x"), binary=binary)
    assert as_rows(found.index_to_key, found.vectors) == as_rows(wanted.words, wanted.matrix)


@pytest.mark.parametrize("binary", [True, False])
def test_what_gensim_writes_as_word2vec_is_read(tmp_path: Path, binary: bool) -> None:
    from gensim.models import KeyedVectors

    kept, wanted = KeyedVectors(5), vectors(["the", "naïve", "日本語", *ODD])
    kept.add_vectors(list(wanted.words), wanted.matrix)
    kept.save_word2vec_format(str(tmp_path / "x"), binary=binary)
    found = load(tmp_path / "x")
    assert found.format == ("word2vec" if binary else "word2vec-text")
    assert as_rows(found.words, found.matrix) == as_rows(wanted.words, wanted.matrix)


def test_gensim_reads_glove(tmp_path: Path) -> None:
    from gensim.models import KeyedVectors

    wanted = vectors(["the", "naïve", "日本語", *ODD])
    save(wanted, tmp_path / "x.txt")
    found = KeyedVectors.load_word2vec_format(str(tmp_path / "x.txt"), no_header=True)
    assert as_rows(found.index_to_key, found.vectors) == as_rows(wanted.words, wanted.matrix)


@pytest.mark.parametrize("name", ["x.vec", "x.txt", "x.vec.gz"])
def test_spacy_reads_text(tmp_path: Path, name: str) -> None:
    import spacy
    from spacy.training.initialize import convert_vectors

    wanted = vectors(["the", "naïve", "日本語", *ODD])
    save(wanted, tmp_path / name)
    nlp = spacy.blank("en")
    convert_vectors(nlp, tmp_path / name, truncate=0, prune=-1)
    for word, row in zip(wanted.words, wanted.matrix, strict=True):
        assert nlp.vocab.get_vector(word).tolist() == row.tolist()


@pytest.mark.parametrize("name", ["euclidean_vectors.bin", "high_precision.kv.bin"])
def test_binary_files_are_read_as_gensim_reads_them(name: str) -> None:
    from gensim.models import KeyedVectors

    wanted = KeyedVectors.load_word2vec_format(stored(name), binary=True)
    found = load(stored(name))
    assert found.format == "word2vec"
    assert as_rows(found.words, found.matrix) == as_rows(wanted.index_to_key, wanted.vectors)


@pytest.mark.parametrize(
    ("name", "header"),
    [("test_glove.txt", False), ("word2vec_pre_kv_c", True), ("lee_fasttext.vec", True)],
)
def test_text_files_are_read_as_gensim_reads_them(name: str, header: bool) -> None:
    from gensim.models import KeyedVectors

    wanted = KeyedVectors.load_word2vec_format(stored(name), no_header=not header)
    found = load(stored(name))
    assert as_rows(found.words, found.matrix) == as_rows(wanted.index_to_key, wanted.vectors)


def test_the_c_programs_line_feeds_are_passed_over(tmp_path: Path) -> None:
    rows = [struct.pack("<2f", 1, 2), struct.pack("<2f", 3, 4)]
    for gap in (b"\n", b"", b"\n\n"):
        (tmp_path / "x").write_bytes(b"2 2\na " + rows[0] + gap + b"b " + rows[1] + gap)
        assert as_rows(*(lambda v: (v.words, v.matrix))(load(tmp_path / "x"))) == {
            "a": [1, 2],
            "b": [3, 4],
        }


# npz and safetensors


def test_numpy_reads_npz(tmp_path: Path) -> None:
    wanted = vectors(["new york", "日本語", ""], counts=np.array([3, 2, 1]))
    save(wanted, tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz", allow_pickle=False) as found:
        assert np.array_equal(found["vectors"], wanted.matrix)
        assert found["counts"].tolist() == [3, 2, 1]
        assert found["words_arena"].tobytes().decode() == "new york日本語"


def test_the_package_safetensors_reads_safetensors(tmp_path: Path, trained: Any) -> None:
    package = pytest.importorskip("safetensors", reason="pip install safetensors")
    from safetensors.numpy import load_file

    wanted = of_model(trained)
    wanted.state["step"] = np.array(3, np.int32)
    wanted.state["none"] = np.zeros((0, 4))
    save(wanted, tmp_path / "x.safetensors")
    found = load_file(tmp_path / "x.safetensors")
    assert np.array_equal(found["vectors"], wanted.matrix)
    assert np.array_equal(found["state_output"], wanted.state["output"])
    assert found["state_step"] == 3
    assert found["state_none"].shape == (0, 4)
    with package.safe_open(tmp_path / "x.safetensors", "numpy") as file:
        assert '"kind":"fasttext"' in file.metadata()["signature"]


def test_what_the_package_safetensors_writes_is_read(tmp_path: Path) -> None:
    pytest.importorskip("safetensors", reason="pip install safetensors")
    from safetensors.numpy import save_file

    wanted = vectors(["b c", "日本語"], 2)
    arrays = {
        "vectors": wanted.matrix,
        "words_arena": wanted.words.arena,
        "words_offsets": wanted.words.offsets,
        "state_flag": np.array([True]),
    }
    save_file(arrays, tmp_path / "x", metadata={"format": "np"})
    found = load(tmp_path / "x")
    assert as_rows(found.words, found.matrix) == as_rows(wanted.words, wanted.matrix)
    assert found.state["flag"].tolist() == [True]
    save_file({"embedding.weight": wanted.matrix}, tmp_path / "y")
    with pytest.raises(GaiError, match="no vectors of words"):
        load(tmp_path / "y")


# fastText


def of_model(model: Any) -> Vectors:
    """The vectors of a gensim model."""
    wv = model.wv
    counts = np.array([wv.get_vecattr(word, "count") for word in wv.index_to_key])
    training = {
        "dim": wv.vector_size,
        "window": 5,
        "epochs": 2,
        "cbow": True,
        "hs": bool(model.hs),
        "negative": model.negative,
        "sample": 0.001,
        "trained": 2,
    }
    return Vectors(
        Terms.of(wv.index_to_key),
        wv.vectors,
        counts=counts,
        signature={"kind": "fasttext", "training": training, "vocabulary": {"min_count": 1}},
        state={"output": model.syn1 if model.hs else model.syn1neg},
        subwords=Subwords(wv.vectors_vocab, wv.vectors_ngrams, wv.min_n, wv.max_n),
    )


def assert_close(found: Any, wanted: Any) -> None:
    assert np.abs(np.asarray(found) - np.asarray(wanted)).max() < 1e-6


def assert_like_gensim(found: Vectors, model: Any) -> None:
    """The same vectors of words, seen and unseen."""
    assert list(found.words) == model.index_to_key
    assert_close(found.matrix, model.vectors)
    rows, there = found.lookup(UNSEEN)
    assert there.all()
    for word, row in zip(UNSEEN, rows, strict=True):
        assert_close(row, model.get_vector(word))


def test_what_gensim_writes_as_fasttext_is_read(tmp_path: Path, trained: Any) -> None:
    from gensim.models.fasttext import save_facebook_model

    save_facebook_model(trained, str(tmp_path / "x.bin"))
    found = load(tmp_path / "x.bin")
    assert_like_gensim(found, trained.wv)
    assert np.array_equal(found.state["output"], trained.syn1neg)
    assert found.counts is not None
    assert found.counts.sum() == trained.corpus_total_words
    assert found.signature["training"]["subwords"] == {"min_n": 2, "max_n": 4, "bucket": 300}


def test_gensim_reads_fasttext(tmp_path: Path, trained: Any) -> None:
    from gensim.models.fasttext import load_facebook_model, load_facebook_vectors

    wanted = of_model(trained)
    save(wanted, tmp_path / "x.bin")
    model = load_facebook_model(str(tmp_path / "x.bin"))
    assert_like_gensim(load(tmp_path / "x.bin"), model.wv)
    assert_like_gensim(wanted, load_facebook_vectors(str(tmp_path / "x.bin")))
    assert np.array_equal(model.syn1neg, trained.syn1neg)
    assert (model.sg, model.window, model.epochs, model.hs) == (0, 5, 2, 0)
    assert model.wv.get_vecattr("the", "count") == trained.wv.get_vecattr("the", "count")


def test_hierarchical_softmax_goes_to_gensim_and_back(tmp_path: Path) -> None:
    from gensim.models import FastText
    from gensim.models.fasttext import load_facebook_model, save_facebook_model

    made = FastText(TEXTS, vector_size=4, min_count=1, bucket=50, hs=1, negative=0, sg=1, epochs=1)
    save_facebook_model(made, str(tmp_path / "x.bin"))
    found = load(tmp_path / "x.bin")
    assert found.signature["training"]["hs"]
    assert not found.signature["training"]["cbow"]
    save(found, tmp_path / "y.bin")
    again = load_facebook_model(str(tmp_path / "y.bin"))
    assert again.hs
    assert np.array_equal(again.syn1, made.syn1)


def test_training_goes_on_in_gensim(tmp_path: Path, trained: Any) -> None:
    from gensim.models.fasttext import load_facebook_model

    save(of_model(trained), tmp_path / "x.bin")
    model = load_facebook_model(str(tmp_path / "x.bin"))
    before = model.wv.vectors.copy()
    model.train(TEXTS, total_examples=len(TEXTS), epochs=20)
    assert not np.array_equal(before, model.wv.vectors)


@pytest.mark.parametrize("counts", [None, np.array([1, 1, 1]), np.array([1, 5, 3])])
def test_gensim_keeps_the_rows_of_words_in_any_order(tmp_path: Path, counts: Any) -> None:
    from gensim.models.fasttext import load_facebook_vectors

    random = np.random.default_rng(0)
    own, parts = (random.normal(size=(n, 4)).astype(np.float32) for n in (3, 20))
    made = Vectors(
        Terms.of(["b", "a", "ü"]), None, counts=counts, subwords=Subwords(own, parts, 1, 3)
    )
    save(made, tmp_path / "x.bin")
    found = load_facebook_vectors(str(tmp_path / "x.bin"))
    for word in made.words:
        assert_close(found.get_vector(word), made.vector(word))


def test_vectors_without_parts_can_be_fasttexts_too(tmp_path: Path) -> None:
    from gensim.models.fasttext import load_facebook_vectors

    wanted = vectors(["a", "b c", "ü"], 4)
    save(wanted, tmp_path / "x", "fasttext")
    found = load_facebook_vectors(str(tmp_path / "x"))
    assert as_rows(found.index_to_key, found.vectors) == as_rows(wanted.words, wanted.matrix)
    again = load(tmp_path / "x")
    assert not again.knows_parts
    assert again.vector("unseen") is None


@pytest.mark.parametrize(
    "name", ["lee_fasttext", "crime-and-punishment", "toy-model", "pang_lee_polarity_fasttext"]
)
def test_vectors_are_those_that_fasttext_itself_has_printed(name: str) -> None:
    found, printed = load(stored(f"{name}.bin")), load(stored(f"{name}.vec"))
    assert found.words.arena.tobytes() == printed.words.arena.tobytes()
    assert np.allclose(found.matrix, printed.matrix, rtol=6e-5, atol=1e-6)  # five digits are there


@pytest.mark.parametrize(
    "name",
    ["lee_fasttext_new.bin", "lee_fasttext.bin", "non_ascii_fasttext.bin", "toy-model.bin"],
)
def test_files_are_read_as_gensim_reads_them(name: str) -> None:
    from gensim.models.fasttext import load_facebook_vectors

    found, wanted = load(stored(name)), load_facebook_vectors(stored(name))
    assert list(found.words) == wanted.index_to_key
    others = [n for n, word in enumerate(found.words) if word != "</s>"]  # fastText's has no parts
    assert_close(found.matrix[others], wanted.vectors[others])
    for word in UNSEEN:
        assert_close(found.vector(word), wanted.get_vector(word))


def test_words_in_another_encoding_keep_their_bytes(tmp_path: Path) -> None:
    found = load(stored("cp852_fasttext.bin"))
    assert "69 words are no UTF-8" in found.notes[0]
    word = found.words[1]
    assert word.encode("utf-8", "surrogateescape").decode("cp852") == "který"
    assert np.array_equal(found.vector(word), found.block(1, 2)[0])
    save(found, tmp_path / "x.bin")
    again = load(tmp_path / "x.bin")
    assert np.array_equal(again.words.arena, found.words.arena)
    assert np.array_equal(again.matrix, found.matrix)


def test_a_file_that_is_read_and_written_is_the_same(tmp_path: Path) -> None:
    name = stored("lee_fasttext_new.bin")
    save(load(name), tmp_path / "x.bin")
    ours, theirs = (tmp_path / "x.bin").read_bytes(), Path(name).read_bytes()
    assert ours[8:] == theirs[8:]  # behind the magic number and the version


def test_a_classifier_gives_its_words_and_says_so() -> None:
    found = load(stored("pang_lee_polarity_fasttext.bin"))
    assert len(found) == 1694
    assert "its 2 labels are left out" in found.notes[0]
    assert found.state == {}


def test_looking_at_a_word_does_not_make_all_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(stored("lee_fasttext_new.bin"))
    made: list[int] = []
    known = Subwords.known

    def counted(self: Subwords, words: Terms, places: Any) -> Any:
        made.append(len(words))
        return known(self, words, places)

    monkeypatch.setattr(Subwords, "known", counted)
    assert (len(found), found.dim) == (1763, 10)
    assert found.vector("the") is not None
    assert sum(made) == 1
    assert len(found.norms) == len(found.norms) == 1763
    assert sum(made) == 1 + 1763


def quantised(content: bytes) -> Iterator[bytes]:
    """The same file with a flag before one of its matrices."""
    shape = struct.pack("<2q", 1763 + 1000, 10)
    yield content.replace(b"\0" + shape, b"\1" + shape)


def test_a_quantised_model_is_refused(tmp_path: Path) -> None:
    for content in quantised(Path(stored("lee_fasttext_new.bin")).read_bytes()):
        (tmp_path / "x.ftz").write_bytes(content)
        with pytest.raises(GaiError, match="quantised"):
            load(tmp_path / "x.ftz")


@pytest.mark.parametrize(
    ("place", "number", "what"),
    [
        (4, 99, "version 99"),
        (8, 11, "the input matrix is 2,763 x 10, not 2,763 x 11"),
        (40, 7, "not 1,770 x 10"),
        (64, 10**9, "a dictionary"),
        (68, 5, "a dictionary"),
    ],
)
def test_numbers_that_contradict_each_other(
    tmp_path: Path, place: int, number: int, what: str
) -> None:
    content = bytearray(Path(stored("lee_fasttext_new.bin")).read_bytes())
    content[place : place + 4] = struct.pack("<i", number)
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(GaiError, match=what):
        load(tmp_path / "x")


def test_a_word_too_short_for_parts_has_no_vector(tmp_path: Path) -> None:
    own, parts = np.ones((1, 2), np.float32), np.ones((5, 2), np.float32)
    made = Vectors(Terms.of(["word"]), None, subwords=Subwords(own, parts, 4, 6))
    assert made.vector("x") is None
    assert made.vector("xy") is not None
    rows, there = made.lookup(["x", "word", "other"])
    assert there.tolist() == [False, True, True]
    assert rows.tolist() == [[0, 0], [1, 1], [1, 1]]


def test_half_precision_parts_give_nearly_the_same(trained: Any) -> None:
    wanted = of_model(trained)
    assert wanted.subwords is not None
    halves = (wanted.subwords.words, wanted.subwords.buckets)
    small = Subwords(*(rows.astype(np.float16) for rows in halves), 2, 4)
    found = Vectors(wanted.words, None, subwords=small)
    assert np.abs(found.matrix - wanted.matrix).max() < 1e-3
    assert np.abs(found.lookup(UNSEEN)[0] - wanted.lookup(UNSEEN)[0]).max() < 1e-3


def test_many_words_are_made_by_the_kernels_as_by_their_twins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from gai.output.vectors import subwords

    monkeypatch.setattr(subwords, "SMALL", 10)
    kernels = load(stored("lee_fasttext_new.bin")).matrix
    monkeypatch.setattr(subwords, "SMALL", 10**9)
    assert np.array_equal(kernels, load(stored("lee_fasttext_new.bin")).matrix)
