"""Make dependency files, as gcc -MMD -MP writes them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from gai.errors import GaiError
from gai.output.atomic import staged

EQUALS = "gai_equals"
"""A make variable that holds ``=``, which has no escape."""

# What make reads as something else whatever stands before it: ends of lines, recipes, members of
# archives (a name that ends in a parenthesis), and a backslash before what has to be escaped.
_IMPOSSIBLE = re.compile(r"[\x00-\x1f\x7f;|]|\(.*\)$|\\$|\\[:%]|^$")


def write_deps(path: str, target: str, files: Iterable[str]) -> None:
    """Writes a rule that makes ``target`` depend on ``files``, and an empty rule for each file.

    The empty rules keep make going after a file was deleted. Standard input (``-``) and URLs are
    left out, for make cannot look after them. Raises GaiError for a name that make cannot read.
    """
    with staged(path) as (sink,):
        sink.write(os.fsencode(rules(target, files)))


def rules(target: str, files: Iterable[str]) -> str:
    """The text of the dependency file; every file once, in the order given."""
    local = (name for name in dict.fromkeys(files) if name != "-" and "://" not in name)
    names = [escaped(name) for name in local if name != target]
    rule = " \\\n  ".join([f"{as_target(escaped(target))}:", *names])
    text = "\n\n".join([rule, *(f"{as_target(name)}:" for name in names)]) + "\n"
    return f"{EQUALS} := =\n\n{text}" if f"$({EQUALS})" in text else text


def escaped(name: str) -> str:
    """The name as make reads it in a rule."""
    if _IMPOSSIBLE.search(name):
        raise GaiError(f"make cannot name the file {name!r}", "rename it, or leave out --deps")
    text = re.sub(r"(\\*)([ #])", lambda found: 2 * found[1] + "\\" + found[2], name)
    text = re.sub(r"[:*?[]", r"\\\g<0>", text.replace("$", "$$"))
    return text.replace("=", f"$({EQUALS})")


def as_target(name: str) -> str:
    """An escaped name where it stands before the colon: there alone ``%`` is a pattern."""
    return name.replace("%", "\\%")
