"""How much of the disk the output of builds takes."""

import os

from imagenet_s.dataset.dataset_file import read_dataset
from imagenet_s.spec.subsets import SPLITS, SUBSETS
from imagenet_s.workspace.paths import Workspace

BLOCK = 512  # bytes in the unit of `st_blocks`, on every system


def bytes_on_disk(workspace: Workspace) -> int:
    """Return about how many bytes the output takes on the disk.

    Images are not asked for their sizes, because there can be a million: what copies take is in
    `dataset.json`, and links in one folder are as large as the first of them.
    """
    images = tuple(f"{workspace.tree(subset) / split}/" for subset in SUBSETS for split in SPLITS)
    total, files = _size(workspace.output.stat()), {}
    folders = [str(workspace.output)]
    for folder in folders:  # grows while the first is read
        links = []
        for entry in _entries(folder):
            if entry.is_symlink():
                links.append(entry)
            elif entry.is_dir():
                total += _size(entry.stat())
                folders += [entry.path] if entry.path != str(workspace.pool) else []
            elif not entry.path.startswith(images):
                stat = entry.stat()
                files[stat.st_dev, stat.st_ino] = _size(stat)  # a file may have several names
        total += len(links) * _size(links[0].stat(follow_symlinks=False)) if links else 0
    return total + sum(files.values()) + _copied(workspace)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return list(entries)


def _size(stat: os.stat_result) -> int:
    return stat.st_blocks * BLOCK


def _copied(workspace: Workspace) -> int:
    """Return the bytes of copied images. The largest subset has those of the others, too."""
    for subset in reversed(SUBSETS):
        if dataset := read_dataset(workspace.tree(subset)):
            link, splits = dataset["build"]["link"], dataset["content"]["splits"]
            copied = {
                "copy": ("train", "validation", "test"),
                "copy (train), symlink": ("train",),
                "copy (val), symlink": ("validation", "test"),
            }
            return sum(splits[split]["bytes"] for split in copied.get(link, ()))
    return 0
