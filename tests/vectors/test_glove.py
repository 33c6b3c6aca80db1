"""GloVe against its formulas in plain float64, and its kernels against their twins."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gai import kernels
from gai.errors import GaiError, UsageError
from gai.kernels import reference
from gai.kernels.reference.glove import PLACE_BITS, stride
from gai.output.vectors import Vectors, load, save
from gai.terms import Terms
from gai.vectors import pairs
from gai.vectors.cooccurrence import Cooccurrence, cooccurrences
from gai.vectors.glove import FIXED, Choices, GloveTrainer
from gai.vectors.pairs import Board, Numbering, Pairs, Turn, dealt, part_count, turns
from gai.vectors.training import train

WORDS, DIM = 60, 5
CHOICES = Choices(dim=DIM, x_max=10.0)
PLACE = (1 << PLACE_BITS) - 1
NONE = np.random.RandomState


def cells_of(matrix: np.ndarray) -> Cooccurrence:
    """The cells of a dense matrix that are not 0."""
    rows, columns = np.nonzero(matrix)
    return Cooccurrence(
        words=Terms.of(f"w{word}" for word in range(len(matrix))),
        counts=np.arange(len(matrix), 0, -1),
        indptr=np.searchsorted(rows, np.arange(len(matrix) + 1)).astype(np.int64),
        indices=columns.astype(np.int32),
        data=matrix[rows, columns].astype(np.float64),
        window=10,
        symmetric=True,
        weighting="inverse",
        tokens=1000,
        signature={"cooccurrence": {"window": 10}},
    )


@pytest.fixture
def cells() -> Cooccurrence:
    """A matrix as text makes them: frequent words stand near all others."""
    random = np.random.default_rng(1)
    shares = 1 / np.arange(1, WORDS + 1)
    counts = random.poisson(40 * np.outer(shares, shares) ** 0.7) * random.uniform(0.1, 1, (60, 60))
    return cells_of(np.triu(counts) + np.triu(counts, 1).T)


@pytest.fixture
def many_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many parts as a large matrix has."""
    monkeypatch.setattr(pairs, "BLOCK", 30)


def no_advance(units: int) -> None:
    pass


def trained(cells: Cooccurrence, epochs: int = 2, **options: Any) -> tuple[list[float], bytes]:
    """The losses and all weights of a run."""
    trainer = GloveTrainer(cells, options.pop("choices", CHOICES), **options)
    losses = [trainer.epoch(number, no_advance) for number in range(epochs)]
    return losses, b"".join(array.tobytes() for array in trainer.weights().values())


class Program:
    """The authors' program as their paper and its options tell it, in float64: one pair at a time,
    sums of squares from 1 on, of gradients times the learning rate (of biases: of gradients)."""

    def __init__(self, trainer: GloveTrainer) -> None:
        state = trainer.vectors(0).state
        (self.w, self.b), (self.c, self.d) = (
            (array[:, 0, :-1].astype(np.float64), array[:, 0, -1].astype(np.float64))
            for array in (state["words"], state["contexts"])
        )
        self.sums = [np.ones_like(array) for array in (self.w, self.b, self.c, self.d)]

    def cost(self, i: int, j: int, x: float, choices: Choices) -> float:
        """A pair's share of J."""
        weight = min(1.0, (x / choices.x_max) ** choices.alpha)
        error = self.w[i] @ self.c[j] + self.b[i] + self.d[j] - math.log(x)
        return float(weight * error**2 / 2)

    def step(self, i: int, j: int, x: float, choices: Choices) -> None:
        weight = min(1.0, (x / choices.x_max) ** choices.alpha)
        pull = weight * (self.w[i] @ self.c[j] + self.b[i] + self.d[j] - math.log(x))
        rate = choices.learning_rate
        gradients = [rate * pull * self.c[j], pull, rate * pull * self.w[i], pull]
        places, arrays = [i, i, j, j], [self.w, self.b, self.c, self.d]
        for place, array, sums, gradient in zip(places, arrays, self.sums, gradients, strict=True):
            array[place] -= gradient / np.sqrt(sums[place])
            sums[place] += gradient**2


def in_order(trainer: GloveTrainer, epoch: int) -> list[tuple[int, int, float]]:
    """The pairs of an epoch as they come: word, context, log x."""
    numbering = trainer.numbering
    found = []
    for turn in turns(numbering.parts, trainer._chance(2, epoch)):
        block = turn.row * numbering.parts + turn.column
        places, numbers = trainer.pairs.block(block)
        for place, log in zip(places.tolist(), numbers[::2].tolist(), strict=True):
            row = numbering.starts[turn.row] + (place >> PLACE_BITS)
            column = numbering.starts[turn.column] + (place & PLACE)
            found.append((int(numbering.members[row]), int(numbering.members[column]), log))
    return found


@pytest.mark.parametrize("engine", ["reference", "kernels"])
def test_training_is_that_of_the_program(
    cells: Cooccurrence, many_parts: None, engine: str
) -> None:
    trainer = GloveTrainer(cells, CHOICES, engine=engine)
    program = Program(trainer)
    assert trainer.numbering.parts > 4
    for number in range(3):
        cost = 0.0
        for i, j, log in in_order(trainer, number):
            cost += program.cost(i, j, math.exp(log), CHOICES)
            program.step(i, j, math.exp(log), CHOICES)
        loss = trainer.epoch(number, no_advance)
        assert loss == pytest.approx(cost / cells.nnz, rel=1e-4)
    found = trainer.vectors(3)
    assert np.allclose(found.matrix, program.w + program.c, rtol=1e-3, atol=1e-5)
    for name, bias in (("words", program.b), ("contexts", program.d)):
        assert np.allclose(found.state[name][:, 0, -1], bias, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("ops", [reference, kernels.load()], ids=["twin", "kernel"])
@pytest.mark.parametrize("x", [0.2, 9.0, 80.0])
def test_a_step_goes_down_the_slope_of_the_cost(ops: Any, x: float) -> None:
    """Where all sums of squares are 1 a step is the gradient of J, here by finite differences."""
    random = np.random.default_rng(3)
    rows = random.normal(size=(2, 2, 8)).astype(np.float32)
    rows[:, 1], rows[0, 0, 6], rows[1, 0, 5], rows[:, 0, 7] = 1.0, 1.0, 1.0, 0.0
    rows[0, 1, 6] = rows[1, 1, 5] = FIXED
    weight = min(1.0, (x / 10) ** 0.75)
    before = rows.astype(np.float64)

    def cost(words: np.ndarray) -> float:
        return float(weight * (words[0, 0] @ words[1, 0] - math.log(x)) ** 2 / 2)

    losses = np.zeros(1)
    numbers = np.array([math.log(x), weight], np.float32)
    word, context = rows[0].reshape(-1), rows[1].reshape(-1)
    ops.train_pairs(word, context, 8, np.zeros(1, np.uint32), numbers, losses, 0)
    assert losses[0] / 2 == pytest.approx(cost(before), rel=1e-5)
    for side, own in ((0, 5), (1, 6)):
        for k in [*range(5), own]:
            moved = [before.copy() for _ in range(2)]
            moved[0][side, 0, k] += 1e-5
            moved[1][side, 0, k] -= 1e-5
            slope = (cost(moved[0]) - cost(moved[1])) / 2e-5
            assert before[side, 0, k] - rows[side, 0, k] == pytest.approx(slope, rel=1e-3, abs=1e-5)
            assert rows[side, 1, k] == pytest.approx(1 + slope**2, rel=1e-3)
    assert rows[0, 0, 6] == rows[1, 0, 5] == 1.0
    assert not rows[:, 0, 7].any()


@pytest.mark.parametrize("seed", range(4))
def test_kernels_deal_and_train_as_their_twins(seed: int) -> None:
    random = np.random.default_rng(seed)
    size = [3, 40, 90, 200][seed]
    matrix = random.exponential(20, (size, size)) * (random.random((size, size)) < 0.4)
    matrix[random.integers(size)] = 0.0
    cells = cells_of(matrix)
    numbering = Numbering.of(size, 1 << 40, NONE(seed))
    found = [dealt(cells, numbering, 10.0, 0.75, ops) for ops in (kernels.load(), reference)]
    assert np.array_equal(found[0].bounds, found[1].bounds)
    assert np.array_equal(found[0].places, found[1].places)
    assert np.allclose(found[0].numbers, found[1].numbers, rtol=1e-6, atol=1e-7)
    width = 8 * (seed + 1)
    words, contexts = random.normal(0, 0.3, (2, numbering.height * 2 * width)).astype(np.float32)
    words.reshape(-1, 2, width)[:, 1] = contexts.reshape(-1, 2, width)[:, 1] = 9.0
    results = []
    for ops in (kernels.load(), reference):
        mine, losses = (words.copy(), contexts.copy()), np.zeros(2)
        places, numbers = found[0].block(1)
        ops.train_pairs(*mine, width, places, numbers, losses, 1)
        results.append((*mine, losses))
    for one, other in zip(*results, strict=True):
        assert np.allclose(one, other, rtol=1e-4, atol=1e-5)


def test_every_cell_is_dealt_once_with_its_log_and_weight(
    cells: Cooccurrence, many_parts: None
) -> None:
    numbering = Numbering.of(WORDS, cells.nnz, NONE(2))
    found = dealt(cells, numbering, 3.0, 0.5, kernels.load(), jobs=3)
    expected = {
        (i, int(cells.indices[k])): cells.data[k]
        for i in range(WORDS)
        for k in range(cells.indptr[i], cells.indptr[i + 1])
    }
    seen: dict[tuple[int, int], tuple[float, float]] = {}
    for block in range(numbering.parts**2):
        row, column = divmod(block, numbering.parts)
        places, numbers = found.block(block)
        assert (np.diff(places >> PLACE_BITS) >= 0).all()
        for place, log, weight in zip(places, numbers[::2], numbers[1::2], strict=True):
            i = numbering.members[numbering.starts[row] + (place >> PLACE_BITS)]
            j = numbering.members[numbering.starts[column] + (place & PLACE)]
            seen[int(i), int(j)] = float(log), float(weight)
    assert len(found.places) == len(seen) == cells.nnz
    for key, x in expected.items():
        assert seen[key] == pytest.approx((math.log(x), min(1.0, (x / 3.0) ** 0.5)), rel=1e-5)


@given(st.integers(1, 5000))
def test_a_stride_visits_everything_once(size: int) -> None:
    assert 1 <= stride(size) <= size
    assert len(set((np.arange(size) * stride(size) % size).tolist())) == size


@given(st.integers(1, 5000), st.integers(0, 1 << 33), st.integers(0, 99))
def test_every_word_has_a_row_of_its_own(words: int, cells: int, seed: int) -> None:
    numbering = Numbering.of(words, cells, NONE(seed))
    assert len(set(numbering.rows.tolist())) == words
    assert numbering.rows.max() < numbering.parts * numbering.height
    assert set(np.diff(numbering.starts)) <= {numbering.height, numbering.height - 1}
    place = np.arange(words) - np.repeat(numbering.starts[:-1], np.diff(numbering.starts))
    codes = numbering.codes()[numbering.members]
    assert np.array_equal(codes & PLACE, place)
    assert (np.diff(codes >> PLACE_BITS) >= 0).all()


@pytest.mark.parametrize("words", [1, 2**16, 2**16 + 1, 3_000_000, 100_000_000])
@pytest.mark.parametrize("cells", [0, 10**6, 10**10])
def test_a_place_fits_its_bits(words: int, cells: int) -> None:
    assert 1 <= -(-words // part_count(words, cells)) <= 1 << PLACE_BITS


@given(st.integers(1, 12), st.integers(0, 99))
def test_blocks_of_a_round_share_no_word(parts: int, seed: int) -> None:
    found = list(turns(parts, NONE(seed)))
    assert len({(turn.row, turn.column) for turn in found}) == parts * parts
    for number in range(parts):
        mine = found[number * parts : (number + 1) * parts]
        assert {turn.number for turn in mine} == {number}
        assert {turn.row for turn in mine} == {turn.column for turn in mine} == set(range(parts))


def test_a_turn_waits_for_its_words_and_for_no_other() -> None:
    board, begun = Board(3), threading.Event()

    def late() -> None:
        with board.taking(Turn(1, 0, 1)):
            begun.set()

    with board.taking(Turn(0, 0, 0)):
        thread = threading.Thread(target=late)
        thread.start()
        with board.taking(Turn(0, 1, 1)):
            pass
        assert not begun.wait(0.05)
    assert begun.wait(5)
    thread.join()


@pytest.mark.parametrize("engine", ["reference", "kernels"])
def test_any_number_of_threads_gives_the_same_bits(
    cells: Cooccurrence, many_parts: None, engine: str
) -> None:
    one = trained(cells, engine=engine, jobs=1)
    for jobs in (2, 3, 8):
        assert trained(cells, engine=engine, jobs=jobs) == one
    assert trained(cells, engine=engine, memory=1) == one  # pairs in a temporary file
    other = Choices(dim=DIM, x_max=10.0, seed=2**33 + 1)
    assert trained(cells, engine=engine, choices=other)[1] != one[1]


def test_few_pairs_train_on_the_twins(cells: Cooccurrence, monkeypatch: pytest.MonkeyPatch) -> None:
    few, rest = trained(cells), trained(cells, engine="kernels")
    assert few[0] == pytest.approx(rest[0], rel=1e-4)
    assert few == trained(cells, engine="reference")
    monkeypatch.setattr("gai.vectors.glove.SMALL", cells.nnz - 1)
    assert trained(cells) == rest


def test_the_loss_is_that_of_the_formula(cells: Cooccurrence) -> None:
    """With hardly a step the loss of an epoch is J / pairs of the first weights."""
    choices = Choices(dim=DIM, x_max=10.0, alpha=0.5, learning_rate=1e-6)
    trainer = GloveTrainer(cells, choices, engine="kernels")
    for weights in trainer.weights().values():
        weights[:, :, 1] = 1e24
    program = Program(trainer)
    cost = [
        program.cost(i, int(cells.indices[k]), float(cells.data[k]), choices)
        for i in range(WORDS)
        for k in range(cells.indptr[i], cells.indptr[i + 1])
    ]
    units: list[int] = []
    assert trainer.epoch(0, units.append) == pytest.approx(np.mean(cost), rel=1e-5)
    assert sum(units) == trainer.size == cells.nnz


def test_weights_begin_as_the_program_begins_them(cells: Cooccurrence) -> None:
    state = GloveTrainer(cells, Choices(dim=50, learning_rate=0.1)).vectors(0).state
    first = np.concatenate([state["words"][:, 0], state["contexts"][:, 0]]).reshape(-1)
    assert 0.0099 < first.max() <= 0.01
    assert -0.0099 > first.min() >= -0.01
    assert first.std() == pytest.approx(0.01 / math.sqrt(3), rel=0.03)
    assert len(np.unique(first)) > 0.99 * len(first)
    assert np.allclose(state["words"][:, 1], [[100.0] * 50 + [1.0]])


@pytest.mark.parametrize("name", ["x.npz", "x.safetensors"])
@pytest.mark.parametrize("engine", ["reference", "kernels"])
def test_going_on_gives_the_same_bits(
    cells: Cooccurrence, many_parts: None, tmp_path: Path, name: str, engine: str
) -> None:
    whole = trained(cells, 5, engine=engine)
    trainer = GloveTrainer(cells, CHOICES, engine=engine)
    train(trainer, 2)
    save(trainer.vectors(2), str(tmp_path / name))
    earlier = load(str(tmp_path / name))
    assert earlier.signature["training"]["trained"] == 2
    again = GloveTrainer(cells, CHOICES, resume=earlier, engine=engine)
    losses = [again.epoch(number, no_advance) for number in range(2, 5)]
    assert (losses, b"".join(a.tobytes() for a in again.weights().values())) == (
        whole[0][2:],
        whole[1],
    )


def test_an_earlier_run_must_fit(cells: Cooccurrence) -> None:
    earlier = GloveTrainer(cells, CHOICES).vectors(1)
    with pytest.raises(GaiError, match=r"had x_max 10\.0, not 11"):
        GloveTrainer(cells, Choices(dim=DIM, x_max=11), resume=earlier)
    wider = cells_of(np.ones((WORDS, WORDS)))
    wider.signature["cooccurrence"]["window"] = 11  # type: ignore[index]
    with pytest.raises(GaiError, match="had window 10, not 11"):
        GloveTrainer(wider, CHOICES, resume=earlier)
    bare = Vectors(earlier.words, earlier.matrix, signature=earlier.signature)
    with pytest.raises(GaiError, match="no state"):
        GloveTrainer(cells, CHOICES, resume=bare)


def test_training_starts_from_vectors(cells: Cooccurrence) -> None:
    random = np.random.default_rng(4)
    words = ["w3", "other", "w59"]
    init = Vectors(Terms.of(words), random.normal(size=(3, DIM)).astype(np.float32))
    plain = GloveTrainer(cells, CHOICES).vectors(0)
    found = GloveTrainer(cells, CHOICES, init=init).vectors(0)
    assert np.allclose(found.matrix[[3, 59]], init.matrix[[0, 2]])
    rest = np.delete(np.arange(WORDS), [3, 59])
    assert np.array_equal(found.matrix[rest], plain.matrix[rest])
    assert np.array_equal(found.state["words"][:, 1], plain.state["words"][:, 1])


def test_what_was_learned_before_need_not_be_learned_again(cells: Cooccurrence) -> None:
    before = GloveTrainer(cells, CHOICES)
    train(before, 30)
    anew = GloveTrainer(cells, CHOICES)
    further = GloveTrainer(cells, CHOICES, init=before.vectors(30))
    assert train(further, 3).epochs[-1].loss < train(anew, 3).epochs[-1].loss


def test_vectors_to_start_from_must_fit(cells: Cooccurrence) -> None:
    wide = Vectors(Terms.of(["w1"]), np.ones((1, 7), np.float32))
    with pytest.raises(GaiError, match="have 7 dimensions, not 5") as caught:
        GloveTrainer(cells, CHOICES, init=wide)
    assert caught.value.hint == "--dim 7"
    strange = Vectors(Terms.of(["x"]), np.ones((1, DIM), np.float32))
    with pytest.raises(GaiError, match="no word of this text"):
        GloveTrainer(cells, CHOICES, init=strange)


@pytest.mark.parametrize("engine", ["reference", "kernels"])
def test_a_run_that_diverges_is_an_error(cells: Cooccurrence, engine: str) -> None:
    wild = GloveTrainer(cells, Choices(dim=DIM, learning_rate=1e15), engine=engine)
    with pytest.raises(GaiError, match="diverged") as caught:
        train(wild, 5)
    assert "learning rate" in caught.value.hint


@pytest.mark.parametrize("jobs", [1, 4])
def test_an_interrupt_ends_an_epoch_and_all_threads(
    cells: Cooccurrence, many_parts: None, jobs: int
) -> None:
    """What is kept is the last whole epoch."""
    trainer, before = GloveTrainer(cells, CHOICES, jobs=jobs), threading.active_count()
    seen = 0

    def interrupt(units: int) -> None:
        nonlocal seen
        seen += units
        if seen > 2.5 * trainer.size:
            raise KeyboardInterrupt

    outcome = train(trainer, 9, advance=interrupt)
    assert outcome.ended == "interrupted"
    assert outcome.kept is not None
    assert outcome.kept.number == 2
    assert b"".join(a.tobytes() for a in trainer.weights().values()) == trained(cells)[1]
    assert threading.active_count() == before


def test_counts_that_no_model_fits_are_refused() -> None:
    with pytest.raises(GaiError, match="no two words stand near"):
        GloveTrainer(cells_of(np.zeros((3, 3))), CHOICES)
    for odd in (-1.0, math.nan):
        with pytest.raises(GaiError, match="above 0"):
            GloveTrainer(cells_of(np.array([[1.0, odd], [odd, 1.0]])), CHOICES)
    with pytest.raises(UsageError, match="x-max must be more than 0"):
        Choices(x_max=0.0)


def test_one_word_is_enough() -> None:
    assert np.isfinite(trained(cells_of(np.array([[2.0]])))[0]).all()


def test_pairs_know_their_blocks() -> None:
    found = Pairs(np.array([0, 2, 2, 3]), np.arange(3, dtype=np.uint32), np.arange(6.0, dtype="f4"))
    assert [found.block(b)[0].tolist() for b in range(3)] == [[0, 1], [], [2]]
    assert [found.block(b)[1].tolist() for b in range(3)] == [[0, 1, 2, 3], [], [4, 5]]


@pytest.mark.slow
def test_the_loss_on_the_novels_is_that_of_the_program(data: Path) -> None:
    """The costs that the authors' program prints: ``-vector-size 100``, all else as it comes, after
    ``cooccur -window-size 10`` on what ``gai tokenize --per paragraph`` writes."""
    from gai.documents import Reader, Reading
    from gai.tokens.analysis import Analysis
    from gai.vectors.corpus import read_corpus

    reading = Reading(paths=(str(data / "english" / "novels"),), per="paragraph")
    corpus = read_corpus(Reader(reading), Analysis(), min_count=5, jobs=2)
    cells = cooccurrences(corpus, 10, jobs=2)
    assert cells.nnz == pytest.approx(27_625_390, rel=1e-3)
    trainer = GloveTrainer(cells, Choices(), jobs=2)
    losses = [trainer.epoch(number, no_advance) for number in range(2)]
    assert losses == pytest.approx([0.020475, 0.012914], rel=0.01)
