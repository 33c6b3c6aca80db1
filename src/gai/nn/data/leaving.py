"""Examples without those of some labels, which a model is not to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gai.errors import GaiError, UsageError
from gai.nn.config import Config
from gai.nn.data.raw import Raw, read
from gai.nn.names import UNLABELLED


def read_without(paths: Sequence[str], config: Config) -> Raw:
    """The examples in ``paths`` but those with a label of ``config.without``.

    Labels are looked for even where the task needs none, and then forgotten. Raises GaiError where
    no example is left, UsageError where the data has no labels that are names.
    """
    if not config.without:
        return read(paths, config)
    unlabelled = config.task in UNLABELLED
    labelled = replace(config, task="classify") if unlabelled else config
    raw = read(paths, labelled, labelled=True)
    if not isinstance(raw.labels, list):
        raise UsageError(f"--without {','.join(config.without)}: the data has no labels to name")
    names = [{one} if isinstance(one, str) else set(one) for one in raw.labels]
    rows = [row for row, found in enumerate(names) if not found & set(config.without)]
    if not rows:
        raise GaiError(f"--without {','.join(config.without)} leaves no example")
    kept = raw.take(np.array(rows))
    return replace(kept, labels=None) if unlabelled else kept
