"""Commands made of plain functions whose parameters are groups of options."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from importlib import import_module
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer
from typer.core import TyperCommand

from gai.cli import pages
from gai.cli.values import Choice
from gai.errors import UsageError

PANEL = "Options"
SETTINGS = {"help_option_names": ["-h", "--help"]}


class Command(TyperCommand):
    """A command with our help page, whose values are converted by ``grouped``."""

    def get_params(self, ctx: Any) -> list[Any]:
        return [passed_through(param) for param in super().get_params(ctx)]

    def format_help(self, ctx: Any, formatter: Any) -> None:
        formatter.write(pages.command(self, ctx))


class Lazy(TyperCommand):
    """A name and a line of help; the module of the command is imported when it is needed.

    ``path`` is how the command is called, with the group before it where it is in one.
    """

    path: str

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        return load(self.path).make_context(*args, **kwargs)


def load(path: str) -> Any:
    """The command ``gai PATH``: function and module are ``path`` with ``_`` for spaces and -."""
    name = path.replace(" ", "_").replace("-", "_")
    function = getattr(import_module(f"gai.cli.{name}"), name)
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    last = path.rpartition(" ")[2]
    declare = app.command(last, cls=Command, context_settings=SETTINGS, help=function.__doc__)
    declare(grouped(function))
    return typer.main.get_command(app)


def passed_through(param: Any) -> Any:
    """``param``, which now leaves what was typed as it is.

    New versions of typer import pydantic (0.1 s) to make even a str of a str.
    """

    def process(ctx: Any, value: Any) -> Any:
        if value is None and param.nargs == -1:
            value = ()
        return param.callback(ctx, param, value) if param.callback else value

    if hasattr(param, "_runtime_param"):
        param.process_value = process
    return param


@dataclass(frozen=True)
class Leaf:
    """One option or argument as its group declares it."""

    name: str
    kind: Any
    info: Any
    default: Any
    panel: str

    def parameter(self) -> inspect.Parameter:
        """The same for typer: it only splits the command line, so values stay text here."""
        info = copy.copy(self.info)
        info.parser = None
        info.rich_help_panel = self.panel
        if isinstance(self.info.parser, Choice):
            info.autocompletion = starting(self.info.parser.names)
        return inspect.Parameter(
            self.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=self.default,
            annotation=Annotated[as_typed(self.kind), info],
        )

    def convert(self, value: Any) -> Any:
        """The value of what was typed; a UsageError names the option."""
        if self.info.parser is None or not isinstance(value, str):
            return value
        try:
            return self.info.parser(value)
        except ValueError as error:
            raise UsageError(f"{flag(self.info)} {value}: {error}") from None


def grouped(function: Callable[..., None]) -> Callable[..., None]:
    """``function`` with the fields of its dataclass parameters as parameters of its own."""
    hints = get_type_hints(function, include_extras=True)
    signature = inspect.signature(function).parameters.values()
    groups = {p.name: (hints[p.name], leaves(p.name, hints[p.name], p.default)) for p in signature}
    flat = [leaf for _, group in groups.values() for leaf in group]

    def run(**given: Any) -> None:
        values = {leaf.name: leaf.convert(given[leaf.name]) for leaf in flat}
        function(**{name: gather(kind, group, values) for name, (kind, group) in groups.items()})

    run.__signature__ = inspect.Signature([leaf.parameter() for leaf in flat])  # type: ignore[attr-defined]
    run.__annotations__ = {}
    return run


def leaves(name: str, kind: Any, default: Any) -> list[Leaf]:
    """The options behind one parameter: the fields of a group, or the one that it is itself."""
    if not is_dataclass(kind):
        shape, info = get_args(kind)
        return [Leaf(name, shape, info, default, PANEL)]
    hints = get_type_hints(kind, include_extras=True)
    panel = str(getattr(kind, "panel", PANEL))
    found = [(field, get_args(hints[field.name])) for field in fields(kind)]
    return [Leaf(field.name, kind, info, field.default, panel) for field, (kind, info) in found]


def gather(kind: Any, group: list[Leaf], values: dict[str, Any]) -> Any:
    """The argument for one parameter of a command."""
    if is_dataclass(kind) and isinstance(kind, type):
        return kind(**{leaf.name: values[leaf.name] for leaf in group})
    return values[group[0].name]


def as_typed(kind: Any) -> Any:
    """The shape in which the command line holds a value: a flag, several words, or a word."""
    shapes = [kind, *get_args(kind)]
    if bool in shapes:
        return bool
    if any(get_origin(shape) is list for shape in shapes):
        return list[str] | None
    if tuple[str, str] in shapes:
        return tuple[str, str] | None
    return str | None


def flag(info: Any) -> str:
    """The long name of an option, ``--min-df``."""
    declared = (info.default, *(info.param_decls or ()))
    names = [str(name).partition("/")[0] for name in declared if name is not ...]
    return max(names, key=len) if names else str(info.metavar)


def starting(names: tuple[str, ...]) -> Callable[[str], list[str]]:
    """A completion function for a choice."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in names if name.startswith(incomplete)]

    return complete
