"""Where the benchmark's commands may write: not over what they read, and not into a data set."""

import os
from pathlib import Path

from imagenet_s.errors import WrongUsage
from imagenet_s.subsets import DATASET


def require_own_place(out: Path, *inputs: Path | None) -> None:
    """Raises WrongUsage if `out` is one of the inputs, or lies in one or in a subset's tree."""
    target = Path(os.path.realpath(out))
    places = {Path(os.path.realpath(path)): path for path in inputs if path}
    for folder in (target, *target.parents):
        if folder in places:
            raise WrongUsage(f"--out: {out} would be written over, or into, what is read: {places[folder]}.")
        if (folder / DATASET).is_file():
            raise WrongUsage(f"--out: {out} would be written into the data set {folder}. Name another place.")
