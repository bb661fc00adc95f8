"""Checks of single values of a configuration, the types that carry them, and the error that they raise."""

import os
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator, Strict, WithJsonSchema

from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.spelling import nearest
from imagenet_s.spec.subsets import SUBSETS, SubsetNumber
from imagenet_s.workspace.paths import Workspace

MAX_DEPTH, MAX_VALUES = 20, 10_000  # a configuration has 3 levels and some 20 values
MAX_BITS = 64  # of a whole number

VARIABLE = re.compile(r"\$(?:(\w+)|\{([^}]+)\})", re.ASCII)  # as os.path.expandvars reads them
WORDS = ("demo", "official", "baseline", "auto")  # values of paths that are not paths


def require_finite(values: object) -> None:
    """Raise UserError for values that would exhaust the memory or the stack.

    YAML's aliases allow a table that contains itself, and lists that are small only until they are printed.
    """
    waiting, met = [(values, 0)], 0
    while waiting:
        value, depth = waiting.pop()
        met += 1
        large = isinstance(value, int) and value.bit_length() > MAX_BITS
        if met > MAX_VALUES or depth > MAX_DEPTH or large:
            raise UserError(
                "The configuration (config.yaml, --config) is not valid: it has "
                + ("a number of too many digits." if large else "too many values, or too deep ones.")
            )
        if isinstance(value, Mapping):
            waiting += [(child, depth + 1) for pair in value.items() for child in pair]
        elif isinstance(value, list | tuple | set):
            waiting += [(child, depth + 1) for child in value]


class Refused(ValueError):
    """A value that a check refuses: pydantic collects these errors.

    `problems` holds the keys that lead from the value to what is wrong with it, and what that is.
    """

    def __init__(self, problems: Iterable[tuple[tuple[str, ...], str]]):
        super().__init__()  # pydantic wants texts that are UTF-8, which the target of a symlink need not be
        self.problems = tuple(problems)


def refuse(*problems: str) -> None:
    """Raise Refused if there are problems with a value itself."""
    if problems:
        raise Refused(((), text) for text in problems)


def _whole_number(value: object) -> object:
    """Return the number that a numeral or a whole float stands for; anything else unchanged.

    `--config` on the command line quotes what a file does not: 50 and "50" are the same.
    """
    if isinstance(value, str) and value.isdecimal() and len(value) < 4:
        return int(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _check_list(value: object) -> object:
    """Return a list. Raise ValueError for anything else: pydantic would take sets as well."""
    if not isinstance(value, list):
        raise ValueError
    return value


Item = TypeVar("Item", bound=Hashable)


def _check_distinct(values: tuple[Item, ...]) -> tuple[Item, ...]:
    """Return `values`. Raise Refused if one of them occurs twice."""
    if len(set(values)) < len(values):
        refuse(f"{list(values)!r} names something twice")
    return values


def _check_path(path: str) -> str:
    """Return a path with its variables and home folder filled in, or an address as it is.

    Raises:
        Refused: It cannot be a path or an address.
    """
    if _is_local(path) and "\0" not in path:
        refuse(*_unknown_names(path))
        path = os.path.expanduser(os.path.expandvars(path))
    refuse(*path_problems(path))
    return path


def _is_local(path: str) -> bool:
    return path not in WORDS and "://" not in path


def _unknown_names(path: str) -> Iterator[str]:
    """Yield the variables and users in a path that do not exist."""
    for name in dict.fromkeys(match[1] or match[2] for match in VARIABLE.finditer(path)):
        if not os.environ.get(name):  # with an empty one, `$SCRATCH/imagenet` would be a folder of the root
            yield f"{path!r} has the variable {name}, which is not set; set it, or write the whole path"
    user = path.partition("/")[0]
    if user.startswith("~") and os.path.expanduser(user) == user:
        yield f"{path!r} begins with {user}, which is no home folder on this machine; write the whole path"


def path_problems(path: str) -> Iterator[str]:
    """Yield why a text cannot be a path or an address in a configuration."""
    if not path:
        yield "must not be empty"
    if "\0" in path:
        yield "has a zero byte, which no path has"
        return  # nothing else can be found out about it
    if "{" in path or "}" in path:
        yield f"{path!r} has braces, which Snakemake takes for wildcards; use another path"
    whole = os.path.abspath(path) if _is_local(path) else path
    if not _is_utf8(whole):
        yield f"{whole!r} is not UTF-8; rename the folder, or reach it by a link with another name"


def check_imagenet(path: str) -> str:
    """Return where raw ImageNet is. Raise Refused for a misspelled `demo`."""
    _refuse_misspelled(path, "demo")
    return path


def _refuse_misspelled(path: str, word: str) -> None:
    """Raise Refused if a path is nearly the word that could be in its place, and nothing exists there."""
    if path != word and nearest(path, [word]) and not os.path.lexists(path):
        refuse(f"there is no {os.path.abspath(path)}; did you mean `{word}`?")


def check_origin(origin: str) -> str:
    """Return where annotations come from. Raise Refused for an address that is not of the web."""
    _refuse_misspelled(origin, "official")
    if "://" in origin and not is_web(origin):
        refuse(f"{origin!r} is of no known kind; allowed: official, http://…, https://…, a folder")
    return origin


Text = Annotated[str, Strict()]
PathText = Annotated[Text, AfterValidator(_check_path), WithJsonSchema({"type": "string", "minLength": 1})]
Number = Annotated[SubsetNumber, BeforeValidator(_whole_number)]
DistinctList = Annotated[tuple[Item, ...], BeforeValidator(_check_list), AfterValidator(_check_distinct)]


def output_problems(output: str, sources: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with the output folder: it is a file, or it and the source overlap.

    The source is never written to. A job could not refuse this: Snakemake makes a job's folders before it.

    Args:
        output: The folder, which may be relative.
        sources: The paths of the source, which may be relative; none for the demo, which lies in the output.
    """
    if os.path.exists(output) and not os.path.isdir(output):
        yield f"{output} is a file, not a folder"
    target = os.path.realpath(output)
    workspace = Workspace(Path(target))
    written = [workspace.work, *map(workspace.tree, SUBSETS)]
    for source in dict.fromkeys(map(os.path.realpath, sources)):
        if _is_inside(target, source):
            yield (
                f"{target} lies inside the source ({source}), which is never written to; "
                "use a folder elsewhere"
            )
        if any(_is_inside(source, str(folder)) for folder in written):
            yield (
                f"the source ({source}) lies inside the folders that a build into {target} writes to; "
                "use a folder elsewhere"
            )


def is_web(origin: str) -> bool:
    """Return whether annotations come from an address of the web."""
    return bool(re.match("https?://", origin))


def _is_inside(path: str, folder: str) -> bool:
    return os.path.commonpath([path, folder]) == folder


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:  # Python keeps other bytes as lone surrogates
        return False
    return True
