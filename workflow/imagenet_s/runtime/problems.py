"""All problems reported at once: a short text for the user, and every name for the log."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from imagenet_s.runtime.errors import UserError

SHOWN = 3  # names of each kind that a message shows


class Problem(NamedTuple):
    """One problem: the text for the user, and all names that it concerns."""

    text: str
    names: tuple[str, ...] = ()


class FileProblem(NamedTuple):
    """A problem with one file: its kind, by which files are counted, and the file with details."""

    kind: str
    what: str


def problem_json(problem: Problem) -> dict[str, Any]:
    """Return a problem as JSON."""
    return {"text": problem.text.removeprefix("- "), "names": list(problem.names)}


def require_none(problems: Sequence[Problem]) -> None:
    """Raise UserError with all problems, if there are any."""
    if problems:
        raise UserError(
            "\n".join(problem.text for problem in problems),
            details=[name for problem in problems for name in problem.names],
        )


def require_no_file(problems: Sequence[FileProblem], what: str, advice: str) -> None:
    """Raise UserError with `what` is wrong, a line for each kind of problem, and `advice`, if there are any.

    If a line cannot show all its files, all files become the error's details.
    """
    if not problems:
        return
    kinds: dict[str, list[str]] = {}
    for kind, file in problems:
        # A file name may contain line breaks or bytes that are not text.
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
