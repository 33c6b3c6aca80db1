"""A pre-trained transformer or ResNet from a folder: tiny ones that are made here, with their head
replaced and trained on."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gai.nn.data.foundation import Foundation
from gai.nn.net import checkpoints, experiment
from gai.nn.net.stages import stages
from gai.nn.runs import Run

Quick = Callable[..., "subprocess.CompletedProcess[bytes]"]

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "cat", "sat", "dog", "barked", "##s"]
TEXTS = ["the cat sat", "the dog barked", "cats", "dogs barked"] * 8
TRAIN = ("--epochs", "2", "--threads", "1", "--seed", "1", "-q")


@pytest.fixture(scope="module")
def hf() -> Any:
    return pytest.importorskip("transformers", reason="the extra pretrained is not installed")


@pytest.fixture(scope="module")
def bert(hf: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers with a tokenizer of ten pieces."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    path = tmp_path_factory.mktemp("folders") / "bert"
    torch.manual_seed(1)
    config = hf.BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=12,
    )  # fmt: skip
    hf.AutoModel.from_config(config).save_pretrained(path)
    pieces = Tokenizer(models.WordPiece({w: k for k, w in enumerate(WORDS)}, unk_token="[UNK]"))
    pieces.normalizer = normalizers.Lowercase()
    pieces.pre_tokenizer = pre_tokenizers.Whitespace()
    marks = [("[CLS]", 2), ("[SEP]", 3)]
    pieces.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=marks)
    pieces.save(str(path / "tokenizer.json"))
    return path


@pytest.fixture(scope="module")
def resnet(hf: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ResNet of two stages."""
    path = tmp_path_factory.mktemp("folders") / "resnet"
    torch.manual_seed(1)
    config = hf.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1])
    hf.AutoModel.from_config(config).save_pretrained(path)
    scale = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25]}
    (path / "preprocessor_config.json").write_text(json.dumps(scale))
    return path


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "few.csv"
    rows = (f"{text},{'cat' if 'cat' in text else 'dog'}" for text in TEXTS)
    path.write_text("text,label\n" + "\n".join(rows) + "\n")
    return path


def test_text_goes_through_the_folder_as_transformers_takes_it(
    hf: Any, bert: Path, labelled: Path, quick: Quick, tmp_path: Path
) -> None:
    words = ["--from", bert, labelled, *TRAIN, "--freeze", "all", "-o", tmp_path / "run"]
    done = quick("nn", "finetune", *words)
    assert done.returncode == 0, done.stderr
    network, encoding = experiment.load(Run(str(tmp_path / "run")))
    expected = hf.AutoModel.from_pretrained(bert).eval()
    # Frozen: the body is the folder's, bit for bit.
    for name, weight in expected.state_dict().items():
        assert torch.equal(network.state_dict()[f"body.model.{name}"], weight), name
    assert encoding.vocabulary is not None
    assert encoding.vocabulary.terms == WORDS
    out = tmp_path / "features.jsonl"
    (tmp_path / "new.txt").write_text("Dogs sat\nthe unheard cat barked\n")
    assert quick("nn", "encode", tmp_path / "run", tmp_path / "new.txt", "-o", out).returncode == 0
    found = [json.loads(line)["vector"] for line in out.read_text().splitlines()]
    for ids, row in zip(([2, 7, 9, 6, 3], [2, 4, 1, 5, 8, 3]), found, strict=True):
        with torch.no_grad():
            said = expected(input_ids=torch.tensor([ids])).last_hidden_state.mean(1)[0]
        np.testing.assert_allclose(row, said.numpy(), rtol=1e-3, atol=1e-5)


def test_images_are_scaled_as_the_folder_says(
    hf: Any, resnet: Path, quick: Quick, tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    pixels = rng.random((20, 12, 12)).astype(np.float32)
    np.savez(tmp_path / "grey.npz", X=pixels, y=np.arange(20) % 2)
    words = ["--from", resnet, tmp_path / "grey.npz", *TRAIN, "--freeze", "all"]
    done = quick("nn", "finetune", *words, "-o", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    network, encoding = experiment.load(Run(str(tmp_path / "run")))
    assert encoding.size == (3, 12, 12)
    # Batch normalisation counts on in training: what the folder had is what is asked.
    expected = hf.AutoModel.from_pretrained(resnet).eval()
    network.body.model.load_state_dict(expected.state_dict())  # type: ignore[union-attr]
    from gai.nn.net.inputs import Inputs

    image = torch.from_numpy(pixels[:2, None]).expand(2, 3, 12, 12)
    with torch.no_grad():
        said = network.features(Inputs(image))
        wanted = expected(pixel_values=(image - 0.5) / 0.25).pooler_output.flatten(1)
    torch.testing.assert_close(said, wanted)


def test_a_run_needs_the_folder_no_more(
    bert: Path, labelled: Path, quick: Quick, tmp_path: Path
) -> None:
    folder = tmp_path / "bert"
    shutil.copytree(bert, folder)
    words = ["--from", folder, labelled, *TRAIN, "--layer-decay", "0.5", "-o", tmp_path / "run"]
    assert quick("nn", "finetune", *words).returncode == 0
    shutil.rmtree(folder)
    said = quick("nn", "predict", tmp_path / "run", "-", stdin=b"the cat sat\n")
    assert said.returncode == 0, said.stderr
    done = quick("nn", "train", "--resume", "-o", tmp_path / "run", "--epochs", "3", "-q")
    assert done.returncode == 0, done.stderr
    state = checkpoints.read(str(tmp_path / "run" / "last" / "state.safetensors"))
    assert state.facts["position"]["step"] == 3


def test_its_layers_are_stages(bert: Path, labelled: Path, resnet: Path) -> None:
    from gai.nn.config import resolved
    from gai.nn.net.inputs import Shape
    from gai.nn.net.models import build

    said = {"model": "pretrained", "pretrained": str(bert)}
    found = stages(build(resolved(said), Shape("ids", (10,), 2)))
    layers = [f"body.model.encoder.layer.{k}" for k in range(2)]
    assert [s.name for s in found] == ["embedding", *layers, "body.model.pooler", "head"]
    said["pretrained"] = str(resnet)
    found = stages(build(resolved({**said, "input": "images"}), Shape("images", (3, 8, 8), 2)))
    layers = [f"body.model.encoder.stages.{k}" for k in range(2)]
    assert [s.name for s in found] == ["embedding", *layers, "head"]


def test_texts_are_cut_where_the_model_has_no_more_places(bert: Path) -> None:
    pieces = Foundation(str(bert)).tokenizer(None).encode("the cat " * 40).ids
    assert len(pieces) == 12
    assert pieces[0] == 2
    assert pieces[-1] == 3


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (None, "no such folder"),
        ("tokenizer.json", "has no tokenizer.json"),
        ("model.safetensors", "has no model.safetensors"),
        ("config.json", "config.json: cannot be read"),
    ],
)
def test_a_folder_that_lacks_something_is_one_line(
    bert: Path, labelled: Path, quick: Quick, tmp_path: Path, broken: str | None, message: str
) -> None:
    folder = tmp_path / "bert"
    if broken is not None:
        shutil.copytree(bert, folder)
        (folder / broken).unlink()
    done = quick("nn", "finetune", "--from", folder, labelled, "-o", tmp_path / "run")
    assert done.returncode == 1
    assert message in done.stderr.decode().splitlines()[0]


def test_text_for_a_model_of_images_is_one_line(
    resnet: Path, labelled: Path, quick: Quick, tmp_path: Path
) -> None:
    done = quick("nn", "finetune", "--from", resnet, labelled, "-o", tmp_path / "run")
    assert done.returncode in (1, 2)
    assert "the data is texts" in done.stderr.decode().splitlines()[0]
