"""Networks as ONNX files: onnxruntime answers as torch, for any number and length of examples."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from gai.errors import GaiError
from gai.nn.config import Config, resolved
from gai.nn.data.arrays import Dataset
from gai.nn.data.encoding import Encoding, Scale
from gai.nn.data.labels import Labels
from gai.nn.data.raw import Raw
from gai.nn.data.text import SPECIAL, Vocabulary
from gai.nn.net import experiment, exporting
from gai.nn.net.batches import taker
from gai.nn.net.inputs import Inputs
from gai.nn.runs import Run

SMALL = {"width": 8, "embedding": 6, "filters": 4, "heads": 2, "context": 32}
ABC = Labels(("a", "b", "c"))


def encoded(source: str, size: tuple[int, ...], **choices: Any) -> Encoding:
    """How examples become arrays for a small network; labels or targets as the task has them."""
    config: Config = resolved({**SMALL, **choices})
    made: dict[str, Any] = {"config": config, "documents": 40}
    if source in ("terms", "features", "rows", "characters"):
        counts = np.arange(size[0]) % 30
        names = [*SPECIAL, *(f"w{n}" for n in range(2, size[0]))]
        made["vocabulary"] = Vocabulary(names, counts)
    elif source != "images":
        made["scale"] = Scale(np.full(size[-1], 1e4), np.full(size[-1], 0.5))
    if config.task in ("regress", "forecast"):
        made["targets"] = Scale(np.array([300.0, -2.0]), np.array([50.0, 3.0]))
    elif config.task in ("classify", "tag"):
        made["labels"] = ABC
    return Encoding(source, size, **made)


def drawn(encoding: Encoding) -> nn.Module:
    """A network whose answers to different inputs differ much."""
    torch.manual_seed(3)
    torch.set_num_threads(1)
    network = experiment.network_of(encoding).eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(torch.randn_like(weight) * 0.5)
        for name, buffer in network.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                buffer.copy_(torch.rand_like(buffer) + 0.5)
        for module in network.modules():
            if isinstance(module, nn.Embedding) and module.padding_idx is not None:
                module.weight[module.padding_idx] = 0.0
    return network


def export(encoding: Encoding, folder: Path) -> Any:
    """The model of the file."""
    run = Run(str(folder))
    run.write_encoding(encoding, "0" * 64)
    return onnx.load_from_string(exporting.exported(drawn(encoding), encoding, run))


TEXT = ("terms", (50,))
CASES: dict[str, tuple[tuple[str, tuple[int, ...]], dict[str, Any]]] = {
    "mlp, numbers": (("numbers", (4,)), {"model": "mlp", "task": "regress"}),
    "lstm, tags": (("features", (50,)), {"model": "lstm", "task": "tag", "bidirectional": True}),
}
MORE: dict[str, tuple[tuple[str, tuple[int, ...]], dict[str, Any]]] = {
    "mlp, tfidf": (("rows", (50,)), {"model": "mlp", "input": "tfidf"}),
    "gru, two ways": (TEXT, {"model": "gru", "bidirectional": True, "attention": True}),
    "transformer, text": (TEXT, {"model": "transformer"}),
    "mlp, ids": (TEXT, {"model": "mlp", "layers": 0}),
    "mlp, bow": (("rows", (50,)), {"model": "mlp", "input": "bow", "batch_norm": True}),
    "mlp, images": (("images", (1, 4, 4)), {"model": "mlp", "input": "images"}),
    "mlp, series": (("sequences", (5, 2)), {"model": "mlp", "task": "forecast"}),
    "cnn, text": (TEXT, {"model": "cnn", "layers": 2, "batch_norm": True, "residual": True}),
    "cnn, images": (("images", (3, 9, 8)), {"model": "cnn", "layers": 2, "pool": "avg"}),
    "cnn, deep images": (
        ("images", (1, 8, 8)),
        {"model": "cnn", "layers": 2, "residual": True, "layer_norm": True},
    ),
    "cnn, tags": (("features", (50,)), {"model": "cnn", "task": "tag"}),
    "cnn, lm": (("characters", (50,)), {"model": "cnn", "task": "lm"}),
    "cnn, series": (("sequences", (9, 2)), {"model": "cnn", "task": "forecast"}),
    "rnn, two ways": (TEXT, {"model": "rnn", "bidirectional": True}),
    "rnn, relu": (TEXT, {"model": "rnn", "activation": "relu", "layers": 2}),
    "lstm, deep": (TEXT, {"model": "lstm", "layers": 3, "residual": True, "layer_norm": True}),
    "lstm, lm": (("terms", (50,)), {"model": "lstm", "task": "lm", "unit": "words"}),
    "lstm, series": (("sequences", (9, 2)), {"model": "lstm", "task": "forecast"}),
    "gru, attention": (TEXT, {"model": "gru", "attention": True}),
    "transformer, tags": (("features", (50,)), {"model": "transformer", "task": "tag"}),
    "autoencoder, numbers": (("numbers", (6,)), {"model": "autoencoder", "task": "reconstruct"}),
    "autoencoder, rows": (
        ("rows", (50,)),
        {"model": "autoencoder", "task": "reconstruct", "input": "tfidf"},
    ),
    "vae": (("images", (1, 4, 4)), {"model": "vae", "task": "reconstruct", "loss": "bce"}),
    "capsnet": (("images", (1, 8, 8)), {"model": "capsnet", "capsules": 2}),
    "shared": (("images", (1, 8, 8)), {"model": "capsnet", "capsules": 2, "shared_matrices": True}),
    "transformer, lm": (("characters", (50,)), {"model": "transformer", "task": "lm"}),
    "transformer, series": (("sequences", (9, 2)), {"model": "transformer", "task": "forecast"}),
}
ALL = [*CASES, *(pytest.param(name, marks=pytest.mark.slow) for name in MORE)]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], File]:
    """A function from the name of a case to its file, which is made once."""

    @cache
    def made(name: str) -> File:
        (source, size), choices = {**CASES, **MORE}[name]
        encoding, folder = encoded(source, size, **choices), tmp_path_factory.mktemp("run")
        return File(export(encoding, folder), encoding, folder)

    return made


class File(NamedTuple):
    """The model of a file, how it reads, and its run."""

    model: Any
    encoding: Encoding
    folder: Path


@pytest.mark.parametrize("name", ALL)
def test_onnxruntime_answers_as_torch_for_any_number_and_length_of_examples(
    name: str, files: Any
) -> None:
    model, encoding, _ = files(name)
    onnx.checker.check_model(model, full_check=True)
    ask = exporting.runner(model.SerializeToString())
    asked = exporting.Asked(exporting.ready(drawn(encoding)), encoding).eval()
    for seed, (examples, length) in enumerate(((1, 1), (4, 3), (2, 31), (7, 12)), 11):
        batch = exporting.random_inputs(encoding, examples, length, seed)
        with torch.inference_mode():
            wanted = asked(torch.from_numpy(batch)).numpy()
        found = ask(batch)
        assert found.shape == wanted.shape
        np.testing.assert_allclose(found, wanted, rtol=2e-4, atol=2e-5 * np.abs(wanted).max())
        assert len(found) < 2 or np.abs(found[0] - found[1]).max() > 0


ORDINARY = {
    **{name: case for name, case in {**CASES, **MORE}.items() if "series" not in name},
    "cnn, first layer as wide as its inputs": (
        TEXT,
        {"model": "cnn", "residual": True, "embedding": 12},
    ),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_the_copy_that_is_exported_answers_as_the_network(name: str) -> None:
    (source, size), choices = ORDINARY[name]
    encoding = encoded(source, size, **choices)
    network = drawn(encoding)
    batch = torch.from_numpy(exporting.random_inputs(encoding, 4, 9, 2))
    asked = exporting.Asked(exporting.ready(network), encoding).eval()
    with torch.inference_mode():
        said = network(inputs(encoding, batch))
        said = network.seen(said) if encoding.config.task == "reconstruct" else said
        wanted = exporting.leaving(encoding)(said)
        found = asked(batch)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


def inputs(encoding: Encoding, batch: torch.Tensor) -> Inputs:
    """What the network is given of a batch in training."""
    if encoding.kind == "rows":
        made = Raw([""] * len(batch), texts=[" ".join(words(encoding, row)) for row in batch])
        rows = encoding.inputs(made)
        return taker(Dataset(rows, None, made.ids), torch.device("cpu"))(np.arange(4)).inputs
    if encoding.kind == "ids":
        lengths = (batch.flatten(2).amax(2) if batch.dim() == 3 else batch).ne(0).sum(1)
        return Inputs(batch, lengths)
    values = batch.numpy().astype(np.float64)
    scaled = values if encoding.scale is None else encoding.scale.apply(values)
    return Inputs(torch.from_numpy(np.asarray(scaled, np.float32)))


def words(encoding: Encoding, row: torch.Tensor) -> list[str]:
    """A text with these counts of terms."""
    assert encoding.vocabulary is not None
    terms = encoding.vocabulary.terms
    return [terms[column] for column, count in enumerate(row.long()) for _ in range(count)]


def test_the_axes_of_examples_and_tokens_have_names_and_no_size(files: Any) -> None:
    model = files("lstm, tags").model
    (given,), (answer,) = model.graph.input, model.graph.output
    axes = [axis.dim_param or axis.dim_value for axis in given.type.tensor_type.shape.dim]
    assert (given.name, axes[:2]) == ("ids", ["batch", "length"])
    axes = [axis.dim_param or axis.dim_value for axis in answer.type.tensor_type.shape.dim]
    assert (answer.name, axes) == ("probabilities", ["batch", "length", 3])


def test_the_metadata_has_labels_task_and_where_the_vocabulary_is(files: Any) -> None:
    model, encoding, folder = files("lstm, tags")
    found = {entry.key: entry.value for entry in model.metadata_props}
    assert json.loads(found["labels"]) == ["a", "b", "c"]
    assert (found["task"], found["model"], found["input"]) == ("tag", "lstm", "features")
    lines = Path(found["vocabulary"]).read_text().splitlines()
    assert Path(found["vocabulary"]) == folder / "vocab.tsv"
    assert [line.split("\t")[0] for line in lines] == list(encoding.vocabulary.terms)
    assert found["digest"] == "0" * 64


def test_a_file_is_the_same_again_and_says_nothing_of_the_machine(files: Any) -> None:
    model, encoding, folder = files("mlp, numbers")
    again = exporting.exported(drawn(encoding), encoding, Run(str(folder)))
    assert again == model.SerializeToString(deterministic=True)
    for name in ("mlp, numbers", "lstm, tags"):
        content = files(name).model.SerializeToString()
        assert str(Path(exporting.__file__).parent).encode() not in content
        assert b"exporting" not in content


def test_a_file_that_answers_otherwise_than_torch_is_an_error(
    files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, encoding, _ = files("lstm, tags")
    asked = exporting.Asked(exporting.ready(drawn(encoding)), encoding).eval()
    exporting.check(model.SerializeToString(), asked, encoding)
    with torch.no_grad():
        asked.network.head.bias[0] += 0.01
    with pytest.raises(GaiError, match=r"answers differ from torch's by 0\.\d+, more than 0.0001"):
        exporting.check(model.SerializeToString(), asked, encoding)
    monkeypatch.setattr(exporting, "runner", lambda content: lambda batch: np.zeros((1, 2)))
    with pytest.raises(GaiError, match="differ from torch's in shape"):
        exporting.check(b"", asked, encoding)


class Stubborn(nn.Module):
    """A network that does another thing for each input, which no graph can say."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 2)

    def forward(self, inputs: Any) -> torch.Tensor:
        return self.layer(inputs.values) * (2 if float(inputs.values.sum()) > 0 else 1)


def test_what_torch_cannot_follow_is_refused_in_one_line(tmp_path: Path) -> None:
    encoding = encoded("numbers", (4,), model="mlp", task="regress")
    with pytest.raises(GaiError) as told:
        exporting.exported(Stubborn(), encoding, Run(str(tmp_path)))
    assert told.value.message.startswith("this mlp cannot be exported: ")
    assert "\n" not in told.value.message


def test_tasks_of_more_than_one_tensor_are_refused(tmp_path: Path) -> None:
    encoding = encoded("numbers", (4,), model="mlp", task="regress")
    other = Encoding("numbers", (4,), encoding.config.with_(task="seq2seq"))
    with pytest.raises(GaiError, match="a model of --task seq2seq cannot be exported"):
        exporting.exported(nn.Linear(4, 2), other, Run(str(tmp_path)))
