"""Examples in records: jsonl, csv, tsv, parquet, lines of text, and files that are one text."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import chain, islice

import numpy as np

from gai.documents.jsonl import id_of
from gai.documents.jsonl import objects as json_objects
from gai.documents.opening import Stream, opened
from gai.documents.records import without_surrogates
from gai.documents.sources import Source
from gai.documents.table import rows
from gai.errors import GaiError
from gai.nn.data import lines, tagged
from gai.nn.data.columns import Classes, Example, Groups, Numbers, Texts, Tokens, number
from gai.nn.data.raw import Raw
from gai.nn.data.wanted import Input, Wanted
from gai.nn.names import OF_CLASSES, UNLABELLED


def records(input: Input, wanted: Wanted, size: int | None) -> Iterator[Raw]:
    """The examples of an input, at most ``size`` at a time."""
    found = examples(input, wanted)
    while len(piece := assembled(islice(found, size), wanted)):
        yield piece


def examples(input: Input, wanted: Wanted) -> Iterator[Example]:
    """The records of all files of an input."""
    task = wanted.config.task
    texts = all(source.format == "text" for source in input.sources)
    folder = os.path.isdir(input.path) and texts and task in ("regress", *OF_CLASSES, *UNLABELLED)
    labels = [input.label(source) if folder else "" for source in input.sources]
    if wanted.labelled and any(labels):
        pairs = zip(input.sources, labels, strict=True)
        return (_whole(source, wanted, label) for source, label in pairs)
    if (task == "lm" and texts) or (folder and not wanted.labelled):
        return (_whole(source, wanted) for source in input.sources)
    return chain.from_iterable(_examples(source, wanted) for source in input.sources)


def _whole(source: Source, wanted: Wanted, label: str | None = None) -> Example:
    """A file as one text."""
    with opened(source, wanted.tally) as stream:
        fields = {wanted.config.text_field: lines.whole(stream, wanted)}
    if label is not None:
        fields[wanted.label_field] = label
    return Example(source.path, source.name, fields)


def _examples(source: Source, wanted: Wanted) -> Iterator[Example]:
    """The records of one file."""
    with opened(source, wanted.tally) as stream:
        if source.format in ("jsonl", "parquet"):
            yield from _objects(stream, wanted)
        elif wanted.config.task == "tag":
            yield from tagged.sentences(stream, wanted)
        elif source.format != "text":
            yield from _table(stream, wanted)
        elif wanted.config.task == "forecast":
            yield from lines.values(stream, wanted)
        else:
            yield from (lines.labelled if wanted.labelled else lines.texts)(stream, wanted)


def _objects(stream: Stream, wanted: Wanted) -> Iterator[Example]:
    source, errors = stream.source, wanted.reading.errors
    if source.format == "parquet":
        from gai.documents.parquet import objects

        found = objects(stream)
    else:
        found = json_objects(stream, wanted.reading)
    for line, fields in found:
        place = f"{source.name}:{line}"
        id = id_of(fields, None, place) or f"{source.path}:{line}"
        yield Example(without_surrogates(id, place, errors), place, fields)


def _table(stream: Stream, wanted: Wanted) -> Iterator[Example]:
    """The rows below the header; the cells that a short row lacks are fields that are not there."""
    source = stream.source
    found = rows(stream, wanted.reading)
    names = list(wanted.config.header or ())
    if not names:
        line, names = next(found, (0, []))
        if wanted.config.task == "forecast" and all(number(name) is not None for name in names):
            found = chain([(line, names)], found)
            names = [str(column) for column in range(1, len(names) + 1)]
    # Of two columns with one name the first counts, as everywhere in gai.
    names = [f"{name} ({n})" if name in names[:n] else name for n, name in enumerate(names)]
    path, name = source.path, source.name
    for count, (line, row) in enumerate(found, start=1):
        fields = dict(zip(names, row, strict=False))
        yield Example(fields.get("id") or f"{path}:{count}", f"{name}:{line}", fields)


def assembled(examples: Iterable[Example], wanted: Wanted) -> Raw:
    """What is wanted out of each record."""
    ids: list[str] = []
    inputs, labels, groups = _inputs(wanted), _labels(wanted), _groups(wanted)
    for example in examples:
        ids.append(example.id)
        inputs.add(example)
        if groups is not None:
            groups.add(example)
        if labels is not None:
            labels.add(example)
            if isinstance(inputs, Tokens) and isinstance(labels, Tokens):
                _require_as_many(inputs.values[-1], labels.values[-1], example.place)
    targets = None if labels is None else labels.values
    together = None if groups is None else groups.values
    if isinstance(inputs, Texts):
        return Raw(ids, texts=inputs.values, labels=targets, groups=together)
    if isinstance(inputs, Tokens):
        return Raw(ids, tokens=inputs.values, labels=targets, groups=together)
    array, columns = inputs.values.astype(np.float32), wanted.config.columns or ()
    return Raw(ids, array=array, labels=targets, columns=columns, groups=together)


def _inputs(wanted: Wanted) -> Texts | Tokens | Numbers:
    errors = wanted.reading.errors
    if wanted.config.columns:
        return Numbers(wanted.config.columns, "--columns names the numbers")
    if wanted.config.task == "tag":
        return Tokens(wanted.token_field, "--text-field names the tokens", errors)
    return Texts(wanted.config.text_field, errors)


def _labels(wanted: Wanted) -> Classes | Tokens | Numbers | None:
    config, errors = wanted.config, wanted.reading.errors
    if not wanted.labelled or config.task == "lm":
        return None
    if config.task == "tag":
        return Tokens(wanted.label_field, "--label-field names the tags", errors)
    if config.task == "regress" or len(config.label_field) > 1:
        return Numbers(config.label_field, "--label-field names the targets")
    return Classes(wanted.label_field, config.label_sep, errors)


def _groups(wanted: Wanted) -> Groups | None:
    """What keeps examples together where the data is divided, and so not where it is only asked."""
    name = wanted.config.group_field
    return Groups(name) if wanted.labelled and name is not None else None


def _require_as_many(tokens: list[str], tags: list[str], place: str) -> None:
    if len(tokens) != len(tags):
        raise GaiError(f"{place}: {len(tokens)} tokens, but {len(tags)} tags")
