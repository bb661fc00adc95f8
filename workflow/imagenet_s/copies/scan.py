"""The files below a subset's folder, also those behind links to class folders."""

import os
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

from imagenet_s.runtime.read_ahead import map_ahead
from imagenet_s.runtime.system_files import BEGINNINGS, is_system_file
from imagenet_s.source.readers.base import IMAGE as IMAGE_NAME
from imagenet_s.spec.classes import train_classes

LINKED_WHOLE = "train-full"  # 919's link to the train folder of the source, which is not scanned
MAX_DEPTH = 2  # of class folders; links to deeper folders are not followed


@dataclass
class Contents:
    """What a folder holds; paths are relative to it."""

    files: list[str] = field(default_factory=list)
    dangling: dict[str, str] = field(default_factory=dict)  # links to nothing: path → absolute target
    closed: list[str] = field(default_factory=list)  # folders that cannot be listed
    system: list[str] = field(default_factory=list)  # left by operating systems; in no other field

    def add(self, other: "Contents") -> None:
        """Add what another folder holds."""
        self.files += other.files
        self.dangling |= other.dangling
        self.closed += other.closed
        self.system += other.system


def contents(root: Path, folder: str = "") -> Contents:
    """Return all files below `root`, or below a folder in it, also those behind links to class folders.

    No file is opened. A folder that a system left, such as `@eaDir`, is one entry of `system`.
    """
    found = Contents()
    folders = [f"{folder}/" if folder else ""]
    while folders:
        inner: list[str] = []
        with closing(map_ahead(partial(_listed, root), folders)) as listings:
            for listed in listings:
                found.add(listed.contents)
                inner += listed.folders
        folders = inner
    return found


def plausible_train_images(subset: int, files: Iterable[str]) -> list[str]:
    """Return those of the files whose names and class folders are those of train images."""
    wnid_of = train_classes(subset)
    images = []
    for path in files:
        folder, _, rest = path.partition("/")
        if folder == "train" and rest.count("/") == 1:
            wnid, name = rest.split("/")
            match = IMAGE_NAME.fullmatch(name)
            if match and name == f"{match[1]}.JPEG" and wnid_of.get(match[2]) == wnid:
                images.append(path)
    return images


class _Listed(NamedTuple):
    """What one folder holds, and those of its folders that are to be listed, too."""

    contents: Contents
    folders: list[str]


def _listed(root: Path, folder: str) -> _Listed:
    found = Contents()
    folders: list[str] = []
    try:
        entries = list(os.scandir(f"{root}/{folder}"))
    except OSError:
        found.closed.append(folder.rstrip("/"))
        entries = []
    for entry in entries:
        path = f"{folder}{entry.name}"
        # Test the first character first, because there are a million names.
        if entry.name[0] in BEGINNINGS and is_system_file(entry.name):
            found.system.append(path)
            continue
        link = entry.is_symlink()
        if link and not os.path.exists(entry.path):
            found.dangling[path] = _target(entry.path)
        elif path == LINKED_WHOLE and link:
            continue
        elif entry.is_dir() and not (link and path.count("/") >= MAX_DEPTH):
            folders.append(f"{path}/")
        else:
            found.files.append(path)
    return _Listed(found, folders)


def _target(link: str) -> str:
    """Return where a link leads, absolute."""
    target = os.readlink(link)
    return target if os.path.isabs(target) else os.path.abspath(os.path.join(os.path.dirname(link), target))
