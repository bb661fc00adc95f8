"""The exception whose text is shown to the user as it is."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

MOST_NAMES = 5  # of a list that a message shows


class UserError(Exception):
    """A problem that the user can fix.

    The text says what was expected, what was found, and what to do next. It stays short; `details` is
    the full list, one line each, for the log.
    """

    code = 1  # the command's exit code

    def __init__(self, text: str, details: Iterable[str] = ()):
        super().__init__(text)
        self.details = tuple(details)


class CannotCheck(UserError):
    """There is nothing to check, or it cannot be read."""

    code = 2


class WrongUsage(UserError):
    """Arguments that cannot be combined."""

    code = 2


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Give the errors of reads and writes in the block the name of a file: only those of `open` have one."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def first_few(items: Iterable[object], most: int = MOST_NAMES) -> str:
    """Return the first items and the length of the list, such as `a, b, c, … (12 in all)`."""
    names = [str(item) for item in items]
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown}, … ({len(names):,} in all)"


def listed_paths(what: str, paths: Collection[str]) -> str:
    """Return `what` and the first paths: `what: a` for one; for several, their number and a line for each."""
    if len(paths) == 1:
        return f"{what}: {next(iter(paths))}"
    shown = "".join(f"\n  {path}" for path in islice(paths, MOST_NAMES))
    return f"{what} ({len(paths):,}):{shown}" + ("\n  …" if len(paths) > MOST_NAMES else "")
