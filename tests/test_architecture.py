"""The rules of docs/architecture.md: who may import whom, and what a module loads at once."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "gai"
LINE = [
    "documents",
    "tokens",
    "forms",
    "terms",
    "matrix",
    "counts",
    "phrases",
    "weights",
    "output",
]
WINGS = ["texts", "vectors", "nn"]
SHARED = ["errors", "backends", "cache", "threads", "signature", "kernels"]
NET = "nn/net/"  # the part of nn that needs torch
FRONT = ["", "sklearn"]  # the front door and the drop-in classes may use everything but cli


@dataclass(frozen=True)
class Import:
    """One import statement: where it stands, what it names, whether it runs on loading."""

    file: str  # below src/gai
    line: int
    module: str  # absolute: gai.tokens.tables
    at_top: bool

    @property
    def importer(self) -> str:
        return room(self.file.removesuffix(".py").replace("/", "."))

    @property
    def imported(self) -> str:
        return room(self.module.removeprefix("gai").removeprefix("."))


def room(module: str) -> str:
    """The first part of a name below gai: "tokens" of "tokens.tables", "" of the front door."""
    first = module.partition(".")[0]
    return "" if first == "__init__" else first


def imports_of(text: str, file: str) -> list[Import]:
    """Every import in a module, ``from . import x`` made absolute."""
    tree = ast.parse(text)
    top = set(statements_on_loading(tree))
    return [
        Import(file, node.lineno, module, node in top)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for module in names(node, file)
    ]


def names(node: ast.Import | ast.ImportFrom, file: str) -> list[str]:
    """The absolute names of what one import statement loads."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    package = ["gai", *Path(file).parent.parts]
    base = package[: len(package) + 1 - node.level] if node.level else []
    path = ".".join([*base, *filter(None, [node.module])])
    # `from gai import counts` names a room, `from gai.counts import count` need not look further.
    return [f"gai.{alias.name}" for alias in node.names] if path == "gai" else [path]


def statements_on_loading(node: ast.AST) -> Iterator[ast.AST]:
    """The statements that run when the module is loaded: outside functions and TYPE_CHECKING."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from statements_on_loading(child)


def all_imports() -> list[Import]:
    files = sorted(SOURCE.rglob("*.py"))
    return [
        found
        for path in files
        for found in imports_of(path.read_text("utf-8"), path.relative_to(SOURCE).as_posix())
    ]


def allowed(importer: str) -> set[str]:
    """The rooms that a room may import."""
    if importer in LINE:
        return {importer, *SHARED, *LINE[: LINE.index(importer)]}
    if importer in WINGS:
        return {importer, *SHARED, *LINE}
    if importer in SHARED:
        return {*SHARED}
    everything = {"", "sklearn", *SHARED, *LINE, *WINGS}
    return everything if importer in FRONT else {*everything, "cli"}


def wrong_ways(imports: list[Import]) -> list[str]:
    """A line for each import that goes against the line of rooms."""
    return [
        f"src/gai/{found.file}:{found.line}: {found.importer or 'gai'} must not import "
        f"{found.module} (docs/architecture.md: a room imports rooms to its left)"
        for found in imports
        if found.module.partition(".")[0] == "gai"
        and is_room(found.imported)
        and found.imported not in allowed(found.importer)
    ]


def is_room(name: str) -> bool:
    """False for what the front door itself holds: `from gai import __version__`."""
    return name in {*LINE, *WINGS, *SHARED, "sklearn", "cli", "__main__"}


def heavy(imports: list[Import]) -> list[str]:
    """A line for each import of a slow package that runs when gai starts."""
    return [
        f"src/gai/{found.file}:{found.line}: import {found.module} inside the function that needs "
        "it; on loading a module takes the standard library and numpy only"
        for found in imports
        if found.at_top and top_level(found.module) not in light(found)
    ]


def brings_torch(imports: list[Import]) -> list[str]:
    """A line for each import by which a room that needs no torch would load it."""
    return [
        f"src/gai/{found.file}:{found.line}: import {found.module} inside the function that needs "
        "it; only nn/net loads torch"
        for found in imports
        if found.at_top and found.module.startswith("gai.nn.net") and not found.file.startswith(NET)
    ]


def top_level(module: str) -> str:
    return module.partition(".")[0]


def light(found: Import) -> set[str]:
    """What the module of an import may load at once, beside other modules of gai."""
    importer = found.importer
    if found.file.startswith(NET):
        return {"gai", "numpy", "torch", *sys.stdlib_module_names}
    extra = {"cli": {"typer", "click", "rich"}, "sklearn": {"numpy", "scipy", "sklearn"}}
    kernels = {"numpy", "numba", "llvmlite"} if importer == "kernels" else {"numpy"}
    return {"gai", *sys.stdlib_module_names, *extra.get(importer, kernels)}


def test_every_module_belongs_to_a_room_that_the_architecture_names() -> None:
    known = {*LINE, *WINGS, *SHARED, *FRONT, "cli", "__main__"}
    strangers = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if room(path.relative_to(SOURCE).with_suffix("").as_posix().replace("/", ".")) not in known
    }
    assert not strangers, f"name these in docs/architecture.md and here: {sorted(strangers)}"


def test_rooms_import_only_what_stands_to_their_left() -> None:
    problems = wrong_ways(all_imports())
    assert not problems, "\n" + "\n".join(problems)


def test_loading_a_module_loads_no_slow_package() -> None:
    problems = heavy(all_imports())
    assert not problems, "\n" + "\n".join(problems)


def test_only_what_needs_torch_loads_it() -> None:
    problems = brings_torch(all_imports())
    assert not problems, "\n" + "\n".join(problems)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("tokens/tables.py", "from gai.counts import count"),
        ("tokens/tables.py", "from ..counts import count"),
        ("tokens/deep/tables.py", "from ...counts import count"),
        ("documents/__init__.py", "from gai import weights"),
        ("documents/read.py", "def f():\n    import gai.output"),
        ("kernels/text.py", "from gai.tokens import tables"),
        ("errors.py", "import gai.documents"),
        ("output/__init__.py", "from gai.cli import main"),
        ("__init__.py", "from gai.cli.main import main"),
        ("sklearn.py", "from gai.cli.main import main"),
        ("nn/train.py", "from gai.vectors import load"),
        ("output/npz.py", "from gai.vectors import load"),
    ],
)
def test_an_import_to_the_right_is_found(file: str, text: str) -> None:
    assert len(wrong_ways(imports_of(text, file))) == 1


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("counts/count.py", "from gai.terms import Terms\nfrom .merge import merge\nimport os"),
        ("counts/count.py", "from gai import errors, kernels"),
        ("kernels/native.py", "from gai import cache\nfrom gai.kernels import text"),
        ("cli/main.py", "from gai.output import write\nfrom gai import __version__"),
        ("__main__.py", "from gai.cli.main import main"),
        ("sklearn.py", "from gai.counts import count"),
        ("nn/train.py", "from gai.output import load"),
    ],
)
def test_an_import_to_the_left_is_fine(file: str, text: str) -> None:
    assert wrong_ways(imports_of(text, file)) == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("output/mtx.py", "import scipy.sparse"),
        ("output/mtx.py", "try:\n    from scipy import sparse\nexcept ImportError:\n    pass"),
        ("cli/main.py", "import numpy as np"),
        ("nn/config.py", "import torch"),
        ("nn/net/loop.py", "import sklearn"),
        ("counts/count.py", "from numba import njit"),
    ],
)
def test_a_slow_import_on_loading_is_found(file: str, text: str) -> None:
    assert len(heavy(imports_of(text, file))) == 1


@pytest.mark.parametrize("file", ["cli/nn_train.py", "nn/runs.py"])
def test_a_way_to_torch_on_loading_is_found(file: str) -> None:
    text = "from gai.nn.net import loop\nfrom gai.nn.net.loop import Training"
    assert len(brings_torch(imports_of(text, file))) == 2
    assert brings_torch(imports_of("def f():\n    from gai.nn.net import loop", file)) == []
    assert brings_torch(imports_of(text, "nn/net/finishing.py")) == []


def test_a_slow_import_inside_a_function_or_for_types_is_fine() -> None:
    text = "def f():\n    import scipy\nif TYPE_CHECKING:\n    import scipy\nimport json, numpy"
    assert heavy(imports_of(text, "output/mtx.py")) == []
