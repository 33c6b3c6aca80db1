"""What can go wrong, said so that a person knows what to do next."""

from __future__ import annotations


class GaiError(Exception):
    """An error with its cause in one line and, where there is one, its remedy.

    The command line prints ``message`` and ``hint`` and exits with ``code``.
    """

    code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class UsageError(GaiError):
    """The options contradict each other or cannot be understood (exit code 2)."""

    code = 2


class MissingExtraError(GaiError):
    """A feature needs a package that is not installed; the hint is the pip line that adds it."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs an extra package", f"pip install 'gai[{extra}]'")
