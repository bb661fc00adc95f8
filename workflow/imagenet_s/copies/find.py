"""Find the copies of ImageNet-S at a path."""

import os
from collections.abc import Iterable
from pathlib import Path

from imagenet_s.dataset.which_subset import NAMES, stated_subset
from imagenet_s.runtime.errors import CannotCheck, first_few
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.system_files import is_system_file
from imagenet_s.source.readers.base import WNID
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.subsets import DATASET, SPLITS, SUBSETS, subset_of

LISTED = SPLITS[1:]  # the splits whose class folders show the subset; raw ImageNet has a train folder, too
MIN_SPLITS = 2  # that must have class folders: raw ImageNet may have one of them


def copies_at(path: Path) -> dict[int, Path]:
    """Return subset → folder of the copies at a path: the path itself, or folders directly below it.

    If folders below it have official names, such as `ImageNetS50`, only these count.

    Raises:
        CannotCheck: There is no copy, or there are two copies of one subset.
    """
    path = Path(os.path.abspath(path))
    own = subset_at(path)
    if own:
        return {own: path}
    children = _folders(path)
    named = [child for child in children if child.name in NAMES]
    found: dict[int, Path] = {}
    for child in named or children:
        subset = subset_at(child)
        if subset in found and os.path.samefile(found[subset], child):  # a link to the same copy
            continue
        if subset in found:
            raise CannotCheck(
                f"{path} holds two copies of {subset_of(subset).name}: {found[subset]} and {child}. "
                "Name one of them."
            )
        if subset:
            found[subset] = child
    if not found:
        raise CannotCheck(_none_at(path, children))
    return {subset: found[subset] for subset in SUBSETS if subset in found}


def subset_at(folder: Path) -> int | None:
    """Return the subset that a folder is a copy of, by its `dataset.json`, its name, or its classes."""
    stated, named = stated_subset(folder), NAMES.get(folder.name)
    if stated and named and stated != named:
        log.warning(
            "%s is a copy of %s: its dataset.json says so, and takes precedence over the folder's name",
            *(folder, subset_of(stated).name),
        )
    return stated or named or _by_classes(folder)


def _by_classes(folder: Path) -> int | None:
    """Return the smallest subset that has all the classes for which there are folders."""
    classes = [set(filter(WNID.fullmatch, _names(folder / split))) for split in LISTED]
    if sum(map(bool, classes)) < MIN_SPLITS:
        return None
    return next((subset for subset in SUBSETS if set().union(*classes) <= class_ids(subset).keys()), None)


def _names(folder: Path) -> list[str]:
    """Return the names in a folder; none if it cannot be listed."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _folders(path: Path) -> list[Path]:
    """Return the folders directly below a path, also links to folders, sorted."""
    names = (name for name in _names(path) if not is_system_file(name))
    return [path / name for name in sorted(names) if (path / name).is_dir()]


def _none_at(path: Path, children: Iterable[Path]) -> str:
    """Return the message for a path without copies."""
    if not path.is_dir():
        why = "it is not a folder" if path.exists() else "there is no such folder"
        return f"{path} holds no copy of ImageNet-S: {why}."
    if not os.access(path, os.R_OK | os.X_OK):
        return f"Permission denied: {path}. Whether it holds a copy of ImageNet-S is not known."
    names = [f"{child.name}/" for child in children]
    names += sorted(name for name in _names(path) if not (path / name).is_dir())
    return (
        f"{path} holds no copy of ImageNet-S.\n"
        f"Searched this folder and those directly below it for {DATASET}, for the names {', '.join(NAMES)}, "
        f"and for class folders in {', '.join(LISTED)}.\n"
        f"It holds: {first_few(names, 12) or 'nothing'}\n"
        "Name the folder of a copy, which has train, validation and test in it, or the folder above it."
    )
