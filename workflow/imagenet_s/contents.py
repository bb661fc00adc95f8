"""What a folder holds: the names below a subset's folder, through links to class folders."""

import os
from dataclasses import dataclass, field
from pathlib import Path

LINKED_WHOLE = "train-full"  # 919's link to the source's train folder: not looked into
DEEPEST = 2  # a class folder is that deep; links to folders further down are not followed


@dataclass
class Contents:
    """Paths relative to the folder. `dangling` are links to nothing, path → target."""

    files: list[str] = field(default_factory=list)
    dangling: dict[str, str] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)  # folders that cannot be listed


def contents(root: Path) -> Contents:
    """All files below `root`, also those behind links to class folders. No file is opened or measured."""
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
            link = entry.is_symlink()
            if link and not os.path.exists(entry.path):
                found.dangling[path] = os.readlink(entry.path)
            elif path == LINKED_WHOLE and link:
                continue
            elif entry.is_dir() and not (link and path.count("/") >= DEEPEST):
                folders.append(f"{path}/")
            else:
                found.files.append(path)
    return found
