"""Files that are in the wrong place: in another class folder, or behind links whose source has moved."""

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from imagenet_s.spec.splits import listed
from imagenet_s.spec.subsets import SPLITS

MAX_FOLDERS = 2000  # that are searched for a moved source


class Misplaced(NamedTuple):
    """A file that is in another class folder of its split."""

    path: str  # where it belongs
    actual: str  # where it is
    of_imagenet: bool  # whether that is the folder of its ImageNet class


def find_misplaced(subset: int, missing: Collection[str], extra: Collection[str]) -> list[Misplaced]:
    """Return the missing files for which there is an extra file of the same name in the same split."""
    actual = {_split_and_name(path): path for path in extra}
    pairs = [(path, actual.get(_split_and_name(path))) for path in sorted(missing)]
    imagenet_wnid = {row.image: row.imagenet_wnid for split in SPLITS[1:] for row in listed(subset, split)}
    return [
        Misplaced(path, found, found.split("/")[1] == imagenet_wnid.get(Path(path).stem))
        for path, found in pairs
        if found and found.count("/") == 2
    ]


def _split_and_name(path: str) -> tuple[str, str]:
    """Return the first folder and the file name of a path."""
    return path.partition("/")[0], path.rpartition("/")[2]


def old_root(dangling: Mapping[str, str]) -> str:
    """Return the folder that the targets of dangling links have in common."""
    return os.path.commonpath([os.path.dirname(target) for target in dangling.values()])


def new_root(dangling: Mapping[str, str], near: Path) -> str | None:
    """Return the folder to which the source has moved, if one has the target of the first dangling link.

    The search covers what is left of the old path and the folders above `near`, two levels deep each.

    Args:
        dangling: Links to nothing, path → target.
        near: The folder of the copy.
    """
    old, target = old_root(dangling), next(iter(dangling.values()))
    parts = Path(target).parts
    # A long common ending of the old and the new path is tried first: it is the most certain.
    for folder in _around(Path(old), near):
        for k in range(1, len(parts)):
            if os.path.exists(folder.joinpath(*parts[k:])):
                within = os.path.relpath(old, Path(*parts[:k])) if len(Path(old).parts) > k else "."
                return os.path.normpath(folder / within)
    return None


def _around(old: Path, near: Path) -> Iterator[Path]:
    """Yield folders that may contain a moved source, the nearest first."""
    left = next((parent for parent in old.parents if parent.is_dir()), Path(old.anchor))
    tried = 0
    for start in dict.fromkeys([left, *near.absolute().parents]):
        yield start
        level = [start]
        for _ in range(2):
            level = [child for folder in level for child in _folders(folder)]
            for folder in level:
                yield folder
                tried += 1
                if tried == MAX_FOLDERS:
                    return


def _folders(folder: Path) -> list[Path]:
    """Return the folders in a folder, sorted; none if it cannot be listed."""
    try:
        return sorted(Path(entry.path) for entry in os.scandir(folder) if entry.is_dir())
    except OSError:
        return []
