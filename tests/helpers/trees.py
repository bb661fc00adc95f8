"""Copies of folder trees that a test may change."""

import os
from pathlib import Path


def linked_copy(source: Path, target: Path) -> Path:
    """A copy of a tree whose files are hard links: quick, and free to lose, gain and rename entries.

    To change a file's bytes, unlink it first.
    """
    for folder, _, names in os.walk(source):
        there = target / Path(folder).relative_to(source)
        there.mkdir(parents=True)
        for name in names:
            os.link(Path(folder) / name, there / name)
    return target
