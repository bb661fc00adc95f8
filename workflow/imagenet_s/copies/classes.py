"""The classes of a copy with their numbers of images and masks: by `classes.csv`, else by the samples."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from imagenet_s.copies.copy import Copy
from imagenet_s.copies.samples import companion, samples
from imagenet_s.dataset.class_table import CLASSES, named_classes
from imagenet_s.io.columns import Column
from imagenet_s.spec.classes import IGNORE, class_ids
from imagenet_s.spec.companions import CLASSES as CLASSES_FILE
from imagenet_s.spec.subsets import MASKED


def classes(copy: Copy) -> pa.Table:
    """Return one row per class, in the order of the class ids.

    Without an undamaged `classes.csv`, images are counted by the samples, and so are masks if the manifests
    name their ids. What is unknown is null: pixels, and images of a split that the copy does not have.

    Returns:
        A table of `CLASSES`.

    Raises:
        UserError: `classes.csv` and a manifest are damaged.
    """
    path = companion(copy, CLASSES_FILE)
    return _read(path) if path else _counted(copy)


def _read(path: Path) -> pa.Table:
    types = {field.name: field.type for field in CLASSES}
    return pa.csv.read_csv(path, convert_options=pa.csv.ConvertOptions(column_types=types)).cast(CLASSES)


def _counted(copy: Copy) -> pa.Table:
    columns: dict[str, Any] = named_classes(copy.subset)
    for split in copy.splits:
        name, table = split.replace("-", "_"), samples(copy, split)
        columns[name] = _per_class(copy.subset, table["class_id"])
        if split in MASKED and table["mask_ids"].null_count < len(table):
            columns[f"{name}_masks"] = _per_class(copy.subset, pc.list_flatten(table["mask_ids"]))
    unknown = [None] * len(columns["wnid"])
    return pa.Table.from_pydict({name: columns.get(name, unknown) for name in CLASSES.names}, CLASSES)


def _per_class(subset: int, ids: Column) -> list[int]:
    """Return how often each class id occurs in a column, in the order of the ids."""
    counts = np.bincount(ids.to_numpy(), minlength=IGNORE + 1)
    return [int(counts[number]) for number in class_ids(subset).values()]
