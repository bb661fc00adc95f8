"""The one exception that a user is meant to read."""

from collections.abc import Iterable


class UserError(Exception):
    """Something the user can mend. The text says what was expected, what was found, and what to do.

    `details` is the full account (one line each) for the log; the text itself stays short.
    """

    code = 1  # with which the command ends

    def __init__(self, text: str, details: Iterable[str] = ()):
        super().__init__(text)
        self.details = tuple(details)


class CannotCheck(UserError):
    """There is nothing that could be checked, or no permission to."""

    code = 2


class WrongUsage(UserError):
    """Arguments that do not go together."""

    code = 2


def first_few(names: Iterable[object], most: int = 5) -> str:
    """`a, b, c, … (12 in all)`: the beginning of a list, and how long it is."""
    names = [str(name) for name in names]
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown}, … ({len(names):,} in all)"
