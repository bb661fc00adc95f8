"""Files that are there, but elsewhere: in another class folder, or behind links whose source has moved."""

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from imagenet_s.spec.splits import listed
from imagenet_s.spec.subsets import SPLITS

TRIED = 2000  # folders that are looked at, at most, for a moved source


class Misplaced(NamedTuple):
    """A file that lies in another class folder of its split. `of_imagenet`: in that of its ImageNet class."""

    path: str  # where it belongs
    actual: str
    of_imagenet: bool


def misplaced(subset: int, missing: Collection[str], extra: Collection[str]) -> list[Misplaced]:
    """Pairs what is missing with what is extra: files of the same name in the same folder of a split."""
    actual = {(path.partition("/")[0], path.rpartition("/")[2]): path for path in extra}
    pairs = [
        (path, actual.get((path.partition("/")[0], path.rpartition("/")[2]))) for path in sorted(missing)
    ]
    imagenet_wnid = {row.image: row.imagenet_wnid for split in SPLITS[1:] for row in listed(subset, split)}
    return [
        Misplaced(path, there, there.split("/")[1] == imagenet_wnid.get(Path(path).stem))
        for path, there in pairs
        if there and there.count("/") == 2
    ]


def old_root(dangling: Mapping[str, str]) -> str:
    """The folder that the targets of dangling links have in common."""
    return os.path.commonpath([os.path.dirname(target) for target in dangling.values()])


def new_root(dangling: Mapping[str, str], near: Path) -> str | None:
    """Where the source may be by now: a folder in which a link's target would be found.

    Looks in what is left of the old path, and around `near`, two folders deep.
    """
    old, target = old_root(dangling), next(iter(dangling.values()))
    parts = Path(target).parts
    # The longer the common end of the old and the new path, the surer.
    for folder in _around(Path(old), near):
        for k in range(1, len(parts)):
            if os.path.exists(folder.joinpath(*parts[k:])):
                within = os.path.relpath(old, Path(*parts[:k])) if len(Path(old).parts) > k else "."
                return os.path.normpath(folder / within)
    return None


def _around(old: Path, near: Path) -> Iterator[Path]:
    """Folders in which a moved source may lie, the nearest first."""
    left = next(parent for parent in old.parents if parent.is_dir())
    tried = 0
    for start in dict.fromkeys([left, *near.absolute().parents]):
        yield start
        level = [start]
        for _ in range(2):
            level = [child for folder in level for child in _folders(folder)]
            for folder in level:
                yield folder
                tried += 1
                if tried == TRIED:
                    return


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(Path(entry.path) for entry in os.scandir(folder) if entry.is_dir())
    except OSError:
        return []
