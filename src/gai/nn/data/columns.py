"""What is taken out of records, one after the other: texts, tokens, numbers, labels."""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gai.documents.jsonl import kind_of
from gai.documents.reading import Errors
from gai.documents.records import listing, without_surrogates
from gai.errors import GaiError

LIMIT = float(np.finfo(np.float32).max)
FINITE = "fill it in, or leave the row out"


class Example(NamedTuple):
    """A record: its name, its place for messages, and what it holds."""

    id: str
    place: str
    fields: Mapping[str, Any]


def value_of(example: Example, name: str, hint: str) -> Any:
    """The value of a field; raises GaiError, which lists the fields, where it is not there."""
    try:
        return example.fields[name]
    except KeyError:
        found = listing(example.fields)
        raise GaiError(f"{example.place}: no field {name!r} (fields: {found})", hint) from None


class Texts:
    """One text a record: a field, or several joined by a space (``title+text``)."""

    def __init__(self, field: str, errors: Errors) -> None:
        self.values: list[str] = []
        self._field = field
        self._parts = field.split("+")
        self._errors = errors

    def add(self, example: Example) -> None:
        if len(self._parts) == 1 or self._field in example.fields:
            self.values.append(self._text(example, self._field))
        else:
            self.values.append(" ".join([self._text(example, part) for part in self._parts]))

    def _text(self, example: Example, name: str) -> str:
        text = value_of(example, name, "--text-field names the text, --columns numbers")
        if not isinstance(text, str):
            message = f"{example.place}: field {name!r} is {kind_of(text)}, not a string"
            raise GaiError(message, "--columns names fields of numbers")
        return without_surrogates(text, example.place, self._errors)


class Tokens:
    """One list of strings a record: tokens, or the tags of tokens."""

    def __init__(self, field: str, hint: str, errors: Errors) -> None:
        self.values: list[list[str]] = []
        self._field = field
        self._hint = hint
        self._errors = errors

    def add(self, example: Example) -> None:
        found = value_of(example, self._field, self._hint)
        if not isinstance(found, list) or not all(isinstance(token, str) for token in found):
            kind = "a list of other things" if isinstance(found, list) else kind_of(found)
            raise GaiError(f"{example.place}: field {self._field!r} is {kind}, not of strings")
        place, errors = example.place, self._errors
        self.values.append([without_surrogates(token, place, errors) for token in found])


class Numbers:
    """One row of numbers a record; what is no finite number is an error."""

    def __init__(self, names: tuple[str, ...], hint: str) -> None:
        self._cells = array("d")
        self._names = names
        self._hint = hint

    def add(self, example: Example) -> None:
        try:
            row = [float(example.fields[name]) for name in self._names]
        except (KeyError, TypeError, ValueError, OverflowError):
            raise self._problem(example) from None
        if not (min(row) >= -LIMIT and max(row) <= LIMIT and math.isfinite(sum(row))):
            raise self._problem(example)
        self._cells.extend(row)

    def _problem(self, example: Example) -> GaiError:
        """The error for a record with a cell that is no number, or is not there."""
        for name in self._names:
            cell = value_of(example, name, self._hint)
            value = number(cell)
            if value is None or not -LIMIT <= value <= LIMIT:
                break
        kind = "a number" if value is None else "a finite number of 32 bits"
        shown = f"{shown_cell(cell)}, not {kind}"
        return GaiError(f"{example.place}: column {name!r} is {shown}", FINITE)

    @property
    def values(self) -> NDArray[np.float64]:
        """All rows: [records, names]."""
        return np.array(self._cells, np.float64).reshape(-1, len(self._names))


def number(cell: Any) -> float | None:
    """The number in a cell, None where there is none; NaN and infinity are numbers here."""
    try:
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        return None


def shown_cell(cell: object) -> str:
    """A cell for a message."""
    if isinstance(cell, str):
        return repr(cell[:40]) if cell.strip() else "empty"
    return repr(cell) if isinstance(cell, int | float) else kind_of(cell)


class Classes:
    """One label a record, or several: then all are tuples."""

    def __init__(self, field: str, separator: str | None, errors: Errors) -> None:
        self._values: list[Any] = []
        self._several = separator is not None
        self._field = field
        self._separator = separator
        self._errors = errors

    def add(self, example: Example) -> None:
        found = value_of(example, self._field, "--label-field names it")
        if isinstance(found, str) and self._separator is not None:
            parts = [part.strip() for part in found.split(self._separator)]
            found = [part for part in parts if part]
        if isinstance(found, list):
            self._several = True
            labels = (self._label(label, example.place) for label in found)
            self._values.append(tuple(dict.fromkeys(labels)))
        else:
            self._values.append(self._label(found, example.place))

    def _label(self, found: object, place: str) -> str:
        """A label as a string: numbers, true and false as JSON spells them."""
        if isinstance(found, str):
            if not found:
                raise GaiError(f"{place}: the label is empty (field {self._field!r})")
            return without_surrogates(found, place, self._errors)
        if not isinstance(found, int | float) or found != found:
            shown = "NaN" if isinstance(found, float) else kind_of(found)
            raise GaiError(f"{place}: field {self._field!r} is {shown}, not a label")
        return json.dumps(found)

    @property
    def values(self) -> list[str] | list[tuple[str, ...]]:
        """All labels; where one record has several, each has a tuple."""
        if not self._several:
            return self._values
        return [(label,) if isinstance(label, str) else label for label in self._values]


class Groups:
    """One value a record: records with the same value belong together."""

    def __init__(self, field: str) -> None:
        self.values: list[str] = []
        self._field = field

    def add(self, example: Example) -> None:
        found = value_of(example, self._field, "--group-field names what belongs together")
        if found is None or found == "":
            raise GaiError(f"{example.place}: the group is empty (field {self._field!r})")
        text = json.dumps(found, sort_keys=True, default=str)
        self.values.append(found if isinstance(found, str) else text)
