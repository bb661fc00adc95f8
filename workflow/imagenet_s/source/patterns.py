"""Patterns of paths: the files and folders below a folder that match them.

Case does not matter; `*` stands for any characters, `#` for a number, `?` for a digit. A pattern with an
ending matches files, any other matches folders that are not empty.
"""

import re
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from imagenet_s.io.split_file import FIRST_PIECE
from imagenet_s.runtime.system_files import is_system_file
from imagenet_s.source.readers.webdataset import SHARD

PEEKED = 100  # names in a folder that tell whether it holds shards


def find_matches(root: Path, patterns: list[str], children: Callable[[Path], list[Path]]) -> dict[Path, int]:
    """Return what matches each pattern below `root`: path → number of the first pattern that it matches."""
    found: dict[Path, int] = {}
    for number, pattern in enumerate(patterns):
        for path in _matches(root, pattern, children):
            found.setdefault(path, number)
    return found


def children_of(folder: Path) -> list[Path]:
    """Return the entries of a folder, sorted; none for anything else."""
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _matches(root: Path, pattern: str, children: Callable[[Path], list[Path]]) -> list[Path]:
    """Return what matches a pattern below `root`, sorted.

    A pattern with an ending matches files, any other matches folders that are not empty. Of the pieces of an
    archive, only the first is returned.
    """
    paths = [root]
    for part in pattern.split("/"):
        expression = re.escape(part).replace(r"\*", ".*").replace(r"\#", "[0-9]{1,6}").replace(r"\?", "[0-9]")
        name = re.compile(expression, re.IGNORECASE)
        folders = [path for path in paths if path == root or "#" not in part or _holds_shards(path)]
        paths = [child for path in folders for child in children(path) if name.fullmatch(child.name)]
    if ".tar." in pattern and pattern.endswith("*"):
        firsts = [(FIRST_PIECE.fullmatch(path.name), path) for path in paths]
        paths = list({match[1]: path for match, path in reversed(firsts) if match}.values())[::-1]
    if "." in pattern:
        return [path for path in paths if not path.is_dir()]
    return [path for path in paths if path.is_dir() and _holds_something(path)]


def _holds_something(folder: Path) -> bool:
    """Return whether a folder holds anything to read in it. Shards in it are places of their own."""
    paths = (path for path in folder.iterdir() if not is_system_file(path.name))
    if _holds_shards(folder):
        return any(path.is_dir() and not path.name.startswith(".") for path in paths)
    return any(True for _ in paths)


def _holds_shards(folder: Path) -> bool:
    """Return whether there is a shard among the first names in a folder; a val folder can have 50,000."""
    return folder.is_dir() and any(SHARD.fullmatch(path.name) for path in islice(folder.iterdir(), PEEKED))
