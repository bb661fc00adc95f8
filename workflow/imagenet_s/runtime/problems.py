"""Everything that is wrong, reported at once: what a person reads, and every name of it for the log."""

from collections.abc import Sequence
from typing import NamedTuple

from imagenet_s.runtime.errors import UserError

SHOWN = 3  # names of each kind that a message shows


class Problem(NamedTuple):
    """One thing that is wrong: the text that a person reads, and all names that it is about."""

    text: str
    names: tuple[str, ...] = ()


class FileProblem(NamedTuple):
    """What is wrong with one file: the kind, by which files are counted, and the file with details."""

    kind: str
    what: str


def require_none(problems: Sequence[Problem]) -> None:
    """Raise UserError with all problems, if there are any."""
    if problems:
        raise UserError(
            "\n".join(problem.text for problem in problems),
            details=[name for problem in problems for name in problem.names],
        )


def require_no_file(problems: Sequence[FileProblem], what: str, advice: str) -> None:
    """Raise UserError where there are problems: `what` is wrong, a line for each kind, and `advice`.

    The names of files become details where a line cannot show all of them.
    """
    if not problems:
        return
    kinds: dict[str, list[str]] = {}
    for kind, file in problems:
        # A name may have line breaks, or bytes that are not text.
        kinds.setdefault(kind, []).append(file if file.isprintable() else repr(file))
    is_long = any(len(files) > SHOWN for files in kinds.values())
    lines = [
        Problem(
            f"- {kind} ({len(files):,}): {'; '.join(files[:SHOWN])}{'; …' if len(files) > SHOWN else ''}",
            tuple(f"{kind}: {file}" for file in files) if is_long else (),
        )
        for kind, files in kinds.items()
    ]
    require_none([Problem(what), *lines, Problem(advice)])
