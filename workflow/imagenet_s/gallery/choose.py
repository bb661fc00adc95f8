"""Choose the samples of each class that a gallery shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from imagenet_s.copies.copy import Copy
from imagenet_s.copies.samples import samples
from imagenet_s.spec.classes import class_ids


class Sample(NamedTuple):
    """A sample that is shown: its split, and its row of `dataset.typed_manifests.TYPED`."""

    split: str
    row: dict[str, Any]


@dataclass(frozen=True)
class Choice:
    """What a gallery shows.

    Attributes:
        splits: The splits.
        per_class: The most samples of a class, over all these splits; 0 for all.
    """

    splits: Sequence[str]
    per_class: int


def choose(copy: Copy, choice: Choice, wnids: Sequence[str]) -> dict[str, list[Sample]]:
    """Return the samples to show of some classes, split by split, sorted by image.

    The splits get equal shares, and the samples of a split are taken at equal distances.

    Raises:
        UserError: The samples of a split are not known.
    """
    tables = [samples(copy, split) for split in choice.splits]
    ids = class_ids(copy.subset)
    chosen: dict[str, list[Sample]] = {wnid: [] for wnid in wnids}
    rows = [_rows_of(table, [ids[wnid] for wnid in wnids]) for table in tables]
    for number, wnid in enumerate(wnids):
        of_class = [found[number] for found in rows]
        counts = shares([len(found) for found in of_class], choice.per_class)
        for split, table, found, count in zip(choice.splits, tables, of_class, counts, strict=True):
            taken = table.take(found[np.arange(count) * len(found) // max(count, 1)])
            chosen[wnid] += [Sample(split, row) for row in taken.to_pylist()]
    return chosen


def shares(available: Sequence[int], most: int) -> list[int]:
    """Return how many to take of each group: all if `most` is 0 or enough, else nearly equal numbers."""
    if not most or most >= sum(available):
        return list(available)
    taken = [0] * len(available)
    for _ in range(most):
        fewest = min((count, k) for k, count in enumerate(taken) if count < available[k])
        taken[fewest[1]] += 1
    return taken


def _rows_of(table: pa.Table, ids: Sequence[int]) -> list[NDArray[np.int64]]:
    """Return the rows of each class id, in the order of the table."""
    column: Any = table["class_id"]  # the stubs lack chunked columns
    of_row = column.fill_null(0).to_numpy()
    order = np.argsort(of_row, kind="stable")
    starts, ends = (np.searchsorted(of_row[order], ids, side) for side in ("left", "right"))
    return [order[start:end] for start, end in zip(starts, ends, strict=True)]
