"""`classes.csv`: the classes of a subset with their names, and with numbers of images, masks and pixels."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from imagenet_s.annotations.mask_regions import regions_of
from imagenet_s.dataset.samples import sample_batches
from imagenet_s.spec.classes import IGNORE, class_ids, class_names, merges
from imagenet_s.spec.subsets import MASKED, SPLITS, mask_folder

COLUMNS: list[tuple[str, pa.DataType]] = [
    ("class_id", pa.int32()),
    ("wnid", pa.string()),
    ("name", pa.string()),
    *((split.replace("-", "_"), pa.int64()) for split in SPLITS),  # images
    *((f"{split.replace('-', '_')}_masks", pa.int64()) for split in MASKED),  # in which the class has a pixel
    *((f"{split.replace('-', '_')}_pixels", pa.int64()) for split in MASKED),
    ("merged_wnids", pa.string()),  # the ImageNet classes whose images it also holds, separated by spaces
]
CLASSES = pa.schema(COLUMNS)


def class_table(subset: int, samples: Path, mask_records: Path) -> pa.Table:
    """Return one row per class, in the order of the class ids.

    Args:
        subset: 50, 300 or 919.
        samples: The Parquet file of `dataset.samples.SAMPLES`.
        mask_records: The Parquet file of `annotations.unpack.RECORDS`.

    Returns:
        A table of `CLASSES`.
    """
    columns: dict[str, Any] = named_classes(subset)
    own = np.array(columns["class_id"])
    for split, images in _images(samples).items():
        columns[split.replace("-", "_")] = images[own]
    for split in MASKED:
        masks, pixels = _masks_and_pixels(split, mask_records)
        columns[f"{split.replace('-', '_')}_masks"] = masks[own]
        columns[f"{split.replace('-', '_')}_pixels"] = pixels[own]
    return pa.table({name: columns[name] for name in CLASSES.names}, CLASSES)


def named_classes(subset: int) -> dict[str, list[Any]]:
    """Return the columns of `CLASSES` that are the same for every copy of a subset."""
    ids, names = class_ids(subset), class_names()
    merged: dict[str, list[str]] = {}
    for source, wnid in sorted(merges().items()):
        merged.setdefault(wnid, []).append(source)
    return {
        "class_id": list(ids.values()),
        "wnid": list(ids),
        "name": [names[wnid] for wnid in ids],
        "merged_wnids": [" ".join(merged.get(wnid, ())) for wnid in ids],
    }


def write_class_table(table: pa.Table, path: Path) -> None:
    """Write a table of `CLASSES` as CSV: UTF-8, LF, quotes where a value needs them."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.column_names)
        writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _images(samples: Path) -> dict[str, NDArray[np.int64]]:
    """Return the number of images of each class id, for each split."""
    images = {split: np.zeros(IGNORE, np.int64) for split in SPLITS}
    for split, rows in sample_batches(samples, ["class_id"]):
        images[split] += np.bincount(rows["class_id"].to_numpy(), minlength=IGNORE)
    return images


def _masks_and_pixels(split: str, mask_records: Path) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the number of masks that have each id, from 0, and that of its pixels in all masks."""
    rows = pq.read_table(mask_records, columns=["mask", "ids", "id_pixels"])
    rows = rows.filter(pc.starts_with(rows["mask"], f"{mask_folder(split)}/"))
    found = regions_of(rows)
    masks, pixels = (np.bincount(found.id, weights, IGNORE + 1) for weights in (None, found.pixels))
    return masks, pixels.astype(np.int64)
