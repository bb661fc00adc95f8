"""Folder trees that a test may change."""

import os
from pathlib import Path


def linked_copy(source: Path, target: Path) -> Path:
    """Copy a tree as hard links, which is quick. A test may delete, add and rename its files.

    To change a file's bytes, unlink it first.
    """
    for folder, _, names in os.walk(source):
        there = target / Path(folder).relative_to(source)
        there.mkdir(parents=True)
        for name in names:
            os.link(Path(folder) / name, there / name)
    return target


def littered(folder: Path, *names: str) -> Path:
    """Write small files with these names into a folder, and return it."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"left")
    return folder
