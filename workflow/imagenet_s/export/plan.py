"""Which samples go into which file of an export, and in what order: from the manifest alone.

Neither the machine nor the version of a library has a say, so the same data set gives the same files.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SEED = "imagenet-s"  # of the shuffled order
SORTED = "sorted by image"
SHUFFLED = f"shuffled: sorted by the sha256 of '{SEED} <image>'"


class ExportFile(NamedTuple):
    """A file to be made: its name in the folder of the format, and the rows of its samples, in order."""

    name: str
    rows: NDArray[np.int64]


def shuffled(images: Sequence[str]) -> NDArray[np.int64]:
    """Return the rows of images, by their paths, in an order that mixes the classes.

    Sorting by a digest gives the same order everywhere; that of a random generator depends on its version.
    """
    keys = [hashlib.sha256(f"{SEED} {image}".encode()).digest()[:8] for image in images]
    return np.argsort(np.frombuffer(b"".join(keys), ">u8"), kind="stable").astype(np.int64)


def in_files(
    rows: NDArray[np.int64], sizes: NDArray[np.int64], target: float, name_of: Callable[[int, int], str]
) -> list[ExportFile]:
    """Return files of nearly equal size that hold samples in their order.

    Args:
        rows: The samples in their order.
        sizes: The bytes of each sample in that order.
        target: About how many bytes a file should have.
        name_of: Returns the name of a file from its number and the number of files.
    """
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    count = max(1, round(total / target))
    # A sample belongs to the file in which it begins.
    starts = np.searchsorted(ends - sizes, [total * k // count for k in range(1, count)])
    parts = [part for part in np.split(rows, starts) if len(part)]
    return [ExportFile(name_of(k, len(parts)), part) for k, part in enumerate(parts)]


def one_file(name: str, samples: int) -> list[ExportFile]:
    """Return one file that holds all samples of a split, sorted."""
    return [ExportFile(name, np.arange(samples))]


def files_of_job(files: Sequence[ExportFile], job: int, jobs: int) -> Sequence[ExportFile]:
    """Return the files that one of `jobs` jobs makes: neighbours, which may be none."""
    return files[job * len(files) // jobs : (job + 1) * len(files) // jobs]
