"""Which subset a folder is of: what `dataset.json` or a folder's name says, there or above."""

import os
import re
from pathlib import Path
from typing import NamedTuple

from imagenet_s.dataset.dataset_file import dataset_text, read_dataset
from imagenet_s.spec.subsets import DATASET, SUBSETS, subset_of

NAMES = {subset_of(subset).name: subset for subset in SUBSETS}


class Statement(NamedTuple):
    """Which subset a folder says it is of: by its `dataset.json`, or only by its name."""

    subset: int
    folder: Path
    by_dataset: bool


def stated_subset(folder: Path) -> int | None:
    """Return the subset that a folder's `dataset.json` states, even if the file is damaged."""
    dataset = read_dataset(folder)
    if dataset:
        subset = dataset["content"].get("subset")
        return subset if subset in SUBSETS else None
    try:
        name = re.search(r'"dataset":\s*"(\w+)"', dataset_text(folder / DATASET))
    except OSError:
        return None
    return NAMES.get(name[1]) if name else None


def subset_around(path: Path) -> Statement | None:
    """Return what the innermost folder that says so states, of a path itself and the folders above it."""
    path = Path(os.path.abspath(path))
    for folder in (path, *path.parents):
        stated = stated_subset(folder)
        if stated:
            return Statement(stated, folder, by_dataset=True)
        if folder.name in NAMES:
            return Statement(NAMES[folder.name], folder, by_dataset=False)
    return None
