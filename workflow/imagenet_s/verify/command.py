"""Copies of ImageNet-S on a disk: which subsets a path holds, and the command that verifies them."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from imagenet_s.dataset.metadata import dataset_text, read_dataset
from imagenet_s.runtime.errors import CannotCheck, first_few
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.system_files import is_system_file
from imagenet_s.source.readers.base import WNID
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.subsets import DATASET, SPLITS, SUBSETS, subset_of
from imagenet_s.verify.adopt import adopt
from imagenet_s.verify.compare import verify
from imagenet_s.verify.report import report_lines, write_report

NAMES = {subset_of(subset).name: subset for subset in SUBSETS}

LISTED = SPLITS[1:]  # whose classes tell the subset; raw ImageNet has a train folder, too
ENOUGH = 2  # of them, with class folders: raw ImageNet may have one


def copies_at(path: Path) -> dict[int, Path]:
    """subset → its folder: `path` itself, or those directly below it, by name or else by what they are.

    Raises CannotCheck where there is none, and where there are two copies of one subset.
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
        if subset in found and os.path.samefile(found[subset], child):  # a link to it
            continue
        if subset in found:
            raise CannotCheck(
                f"{path} holds two copies of {subset_of(subset).name}: {found[subset]} and {child}. "
                "Give one of them."
            )
        if subset:
            found[subset] = child
    if not found:
        raise CannotCheck(_none_at(path, children))
    return {subset: found[subset] for subset in SUBSETS if subset in found}


def subset_at(folder: Path) -> int | None:
    """The subset that a folder is a copy of: by its `dataset.json`, its name, or the classes in it."""
    stated, named = _stated(folder), NAMES.get(folder.name)
    if stated and named and stated != named:
        log.warning(
            "%s is a copy of %s: its dataset.json says so, and counts more than the folder's name",
            *(folder, subset_of(stated).name),
        )
    return stated or named or _by_classes(folder)


def _stated(folder: Path) -> int | None:
    """The subset that `dataset.json` states; of a damaged one, what can still be read."""
    dataset = read_dataset(folder)
    if dataset:
        subset = dataset["content"].get("subset")
        return subset if subset in SUBSETS else None
    try:
        name = re.search(r'"dataset":\s*"(\w+)"', dataset_text(folder / DATASET))
    except OSError:
        return None
    return NAMES.get(name[1]) if name else None


def _by_classes(folder: Path) -> int | None:
    """The smallest subset that has all classes of which there are folders."""
    classes = [set(filter(WNID.fullmatch, _names(folder / split))) for split in LISTED]
    if sum(map(bool, classes)) < ENOUGH:
        return None
    return next((subset for subset in SUBSETS if set().union(*classes) <= class_ids(subset).keys()), None)


def _names(folder: Path) -> list[str]:
    """The names in a folder; none where it cannot be listed."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _folders(path: Path) -> list[Path]:
    """The folders directly below a path, also through links, sorted."""
    names = (name for name in _names(path) if not is_system_file(name))
    return [path / name for name in sorted(names) if (path / name).is_dir()]


def _none_at(path: Path, children: Iterable[Path]) -> str:
    """The message for a path without copies."""
    if not path.is_dir():
        return f"{path} holds no copy of ImageNet-S: there is no such folder."
    names = [f"{child.name}/" for child in children]
    names += sorted(name for name in _names(path) if not (path / name).is_dir())
    return (
        f"{path} holds no copy of ImageNet-S.\n"
        f"Looked, in it and in the folders directly below, for {DATASET}, for the names {', '.join(NAMES)}, "
        f"and for class folders in {', '.join(LISTED)}.\n"
        f"It holds: {first_few(names, 12) or 'nothing'}\n"
        "Give the folder of a copy, the one with train, validation and test in it, or the folder above."
    )


def verify_copies(
    path: Path, level: str, against: Path | None, adopting: bool, json: Path | None, workers: int
) -> int:
    """Verifies all copies at `path` and prints a report; returns the exit code: 0 whole, 1 damaged.

    `against` is another copy of the same subsets, whose manifests count; `json` is written. With `adopting`,
    copies without manifests get some, once every byte was checked, whatever the `level`.
    """
    verdicts = []
    level = "sha256" if adopting else level
    others = copies_at(against) if against else {}
    for subset, root in copies_at(path).items():
        if against and subset not in others:
            raise CannotCheck(f"{against} has no {subset_of(subset).name} to compare with.")
        verdicts.append(verify(root, subset, level, workers, others.get(subset)))
        print(*report_lines(verdicts[-1]), sep="\n", end="\n\n")
        for path, reason in verdicts[-1].suspects.items():
            log.debug("suspect: %s/%s %s", root, path, reason)
    if json:
        write_report(verdicts, json)
    for verdict in verdicts if adopting else ():
        adopt(verdict, workers)
        print(f"{verdict.root} has manifests now.")
    return 0 if adopting or all(verdict.whole for verdict in verdicts) else 1
