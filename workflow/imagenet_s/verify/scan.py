"""What a folder holds: the names below a subset's folder, through links to class folders."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from imagenet_s.runtime.system_files import BEGINNINGS, is_system_file

LINKED_WHOLE = "train-full"  # 919's link to the source's train folder: not looked into
MAX_DEPTH = 2  # a class folder is that deep; links to folders further down are not followed


@dataclass
class Contents:
    """Paths relative to the folder. `dangling` are links to nothing, path → target."""

    files: list[str] = field(default_factory=list)
    dangling: dict[str, str] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)  # folders that cannot be listed
    system: list[str] = field(default_factory=list)  # what systems leave, and nothing else has


def contents(root: Path) -> Contents:
    """All files below `root`, also those behind links to class folders. No file is opened or measured.

    What systems leave is in `system` alone, a folder as one.
    """
    found = Contents()
    folders = [""]
    while folders:
        folder = folders.pop()
        try:
            entries = list(os.scandir(f"{root}/{folder}"))
        except OSError:
            found.closed.append(folder.rstrip("/"))
            continue
        for entry in entries:
            path = f"{folder}{entry.name}"
            # The beginning first: there are a million names.
            if entry.name[0] in BEGINNINGS and is_system_file(entry.name):
                found.system.append(path)
                continue
            link = entry.is_symlink()
            if link and not os.path.exists(entry.path):
                found.dangling[path] = os.readlink(entry.path)
            elif path == LINKED_WHOLE and link:
                continue
            elif entry.is_dir() and not (link and path.count("/") >= MAX_DEPTH):
                folders.append(f"{path}/")
            else:
                found.files.append(path)
    return found
