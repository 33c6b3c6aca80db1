"""Files of word vectors: word2vec, fastText, GloVe, npz and safetensors."""

from __future__ import annotations

from gai.output.vectors.files import FORMATS, check, holds_vectors, load, save
from gai.output.vectors.model import Subwords, Vectors

__all__ = ["FORMATS", "Subwords", "Vectors", "check", "holds_vectors", "load", "save"]
