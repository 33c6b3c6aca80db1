"""Pictures of words as a page to zoom, search and point into: one file that asks for no other."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files

import numpy as np

from gai.vectors.plotting import Picture

SPAN = 1000.0
ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""Characters that could end the script element that the data stand in."""


def page(picture: Picture) -> bytes:
    """The page as UTF-8.

    Words stand in it as data, never as markup, and its own policy lets no script run but the one
    that ``page.html`` has, and nothing be loaded.
    """
    template = files("gai.vectors").joinpath("page.html").read_text(encoding="utf-8")
    script = template.split("<script>")[1].split("</script>")[0]
    digest = b64encode(sha256(script.encode()).digest()).decode()
    parts = template.split("@@")
    values = {"POLICY": digest, "TITLE": escape(picture.title or "words"), "DATA": data(picture)}
    return "".join(values.get(part, part) for part in parts).encode("utf-8", "replace")


def data(picture: Picture) -> str:
    """The picture as JSON that may stand in a page; points go from 0 to 1000 at most."""
    span = float(np.ptp(picture.points, axis=0).max())
    points = (picture.points - picture.points.min(0)) * (SPAN / span if span else 0.0)
    held = {
        "title": picture.title,
        "named": picture.named,
        "names": list(picture.names),
        "words": list(picture.words),
        "groups": picture.groups.tolist(),
        "points": points.round(3).tolist(),
        "near": [[(word, round(cosine, 4)) for word, cosine in row] for row in picture.near],
    }
    text = json.dumps(held, ensure_ascii=False, separators=(",", ":"))
    return "".join(ESCAPES.get(letter, letter) for letter in text)
