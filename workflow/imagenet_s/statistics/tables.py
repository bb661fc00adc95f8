"""Compute the statistics of a data set: tables from its samples and the pixel counts of its masks.

A region is a class in a mask. Numbers that are unknown, or that a split cannot have, are null.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from imagenet_s.annotations.mask_regions import regions_of
from imagenet_s.annotations.unpack import RECORDS
from imagenet_s.masks.size_buckets import SIZE_BUCKETS, size_buckets
from imagenet_s.spec.classes import IGNORE, OTHER, class_ids, class_names, merges
from imagenet_s.spec.statistics import KINDS, PUBLISHED_CLASSES

Statistics = dict[str, pd.DataFrame]

COUNT = pd.Int64Dtype()  # integers that may be null


@dataclass(frozen=True)
class SplitContent:
    """What the statistics of a split are computed from.

    Attributes:
        name: The name of the split.
        samples: Its samples, with the columns `class_id`, `wnid`, `imagenet_wnid`, `width`, `height` and
            `also_in` of `dataset.typed_manifests.TYPED`.
        masks: The records of its masks, with the columns `ids` and `id_pixels` of
            `annotations.unpack.RECORDS`; None for a split without masks.
        suspects: The number of images that are probably incomplete; None if it is unknown.
        published: Whether its masks are those of the official archive.
    """

    name: str
    samples: pa.Table
    masks: pa.Table | None
    suspects: int | None
    published: bool = False


def statistics_tables(subset: int, splits: Sequence[SplitContent]) -> Statistics:
    """Return a table for each of `KINDS`; each has the column `split`."""
    parts = [_split_tables(subset, split) for split in splits]
    return {kind: _joined([part[kind] for part in parts]) for kind in KINDS}


def _split_tables(subset: int, split: SplitContent) -> Statistics:
    samples, regions = split.samples, _regions(subset, split.masks)
    tables = {
        "splits": _split(split, regions),
        "classes": _classes(subset, split, regions),
        "size_buckets": _size_buckets(subset, split, regions),
        "classes_per_mask": _classes_per_mask(split, regions),
        "image_sizes": _images_by(samples, ["width", "height"]),
        "co_occurrence": _co_occurrence(subset, regions),
        "leaks": _leaks(samples),
        "merged_classes": _images_by(_merged(samples), ["imagenet_wnid", "wnid"]),
    }
    for table in tables.values():
        table.insert(0, "split", split.name)
    return tables


def _joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return tables one after the other. Empty ones do not decide about the types of the columns."""
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def _regions(subset: int, masks: pa.Table | None) -> pd.DataFrame:
    """Return a row for each id of each mask.

    Returns:
        `mask` (its number), `id`, `pixels`; `is_class`; `bucket`, an index into SIZE_BUCKETS, or -1 if the
        id is no class.
    """
    masks = RECORDS.empty_table() if masks is None else masks
    found = regions_of(masks)
    counted = np.bincount(found.mask, np.where(found.id == IGNORE, 0, found.pixels), len(masks))
    is_class = (found.id != OTHER) & (found.id <= len(class_ids(subset)))
    buckets = size_buckets(found.pixels, counted.astype(np.int64)[found.mask])
    bucket = np.where(is_class, buckets, -1)
    return pd.DataFrame({**found._asdict(), "is_class": is_class, "bucket": bucket})


def _split(split: SplitContent, regions: pd.DataFrame) -> pd.DataFrame:
    """Return the row of a split: numbers of images, masks and pixels."""
    row: dict[str, int | None] = {
        "images": len(split.samples),
        "suspect_images": split.suspects,
        "images_also_in": len(split.samples) - split.samples["also_in"].null_count,
        "images_of_merged_classes": len(_merged(split.samples)),
        "masks": 0 if split.masks is None else len(split.masks),
    }
    ids, pixels = regions["id"], regions["pixels"]
    kinds = {"class": regions["is_class"], "other": ids == OTHER, "ignored": ids == IGNORE}
    counts = {f"{kind}_pixels": int(pixels[chosen].sum()) for kind, chosen in kinds.items()}
    row |= {**counts, "unknown_pixels": int(pixels.sum()) - sum(counts.values())}
    if split.masks is None:
        row |= dict.fromkeys(["masks", "unknown_pixels", *counts])
    return pd.DataFrame([row]).astype(COUNT)


def _classes(subset: int, split: SplitContent, regions: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each class: images, masks in which it has a pixel, pixels, masks by size bucket."""
    names, ids = class_names(), class_ids(subset)
    own = regions[regions["is_class"]]

    def per_class(values: Any, weights: Any = None) -> Any:
        return np.bincount(values, weights, len(ids) + 1)[1:].astype(np.int64)

    counts = {"masks": per_class(own["id"]), "pixels": per_class(own["id"], own["pixels"])}
    for number, bucket in enumerate(SIZE_BUCKETS):
        counts[bucket] = per_class(own["id"][own["bucket"] == number])
    nulls = [None] * len(ids)
    columns = {
        "images": per_class(split.samples["class_id"].to_numpy()),
        **{name: nulls if split.masks is None else count for name, count in counts.items()},
    }
    named = {"class_id": list(ids.values()), "wnid": list(ids), "name": [names[wnid] for wnid in ids]}
    return pd.DataFrame(named | {name: pd.array(count, COUNT) for name, count in columns.items()})


def _size_buckets(subset: int, split: SplitContent, regions: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each size bucket: its regions, the masks that have one, and its classes.

    As in the benchmark, other is a class of a bucket if one of these masks has a pixel of it.
    """
    rows = []
    published: Sequence[int | None] = [None] * len(SIZE_BUCKETS)
    if split.published and split.name == "validation":
        published = PUBLISHED_CLASSES[subset]
    others = regions["mask"][regions["id"] == OTHER]
    for number, bucket in enumerate(SIZE_BUCKETS if split.masks is not None else ()):
        inside = regions[regions["bucket"] == number]
        classes = inside["id"].nunique() + int(others.isin(inside["mask"]).any())
        rows.append((bucket, len(inside), inside["mask"].nunique(), classes, published[number]))
    columns = ["size_bucket", "regions", "masks", "classes_and_other", "published_classes_and_other"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[1:], COUNT))


def _classes_per_mask(split: SplitContent, regions: pd.DataFrame) -> pd.DataFrame:
    """Return how many masks have each number of classes."""
    length = 0 if split.masks is None else len(split.masks)
    classes = np.bincount(regions["mask"][regions["is_class"]], minlength=length)
    masks = np.bincount(classes)
    return pd.DataFrame({"classes": np.arange(len(masks)), "masks": masks}).astype(COUNT)


def _co_occurrence(subset: int, regions: pd.DataFrame) -> pd.DataFrame:
    """Return in how many masks each pair of classes occurs together, for the pairs that do."""
    wnids, names = np.array(["", *class_ids(subset)]), class_names()
    own = regions.loc[regions["is_class"], ["mask", "id"]]
    pairs = own.merge(own, on="mask")
    pairs = pairs[pairs["id_x"] < pairs["id_y"]]
    found = pairs.groupby(["id_x", "id_y"]).size().reset_index(name="masks")
    table = pd.DataFrame()
    for prefix, ids in (("", found["id_x"]), ("other_", found["id_y"])):
        wnid = wnids[ids]
        table[f"{prefix}class_id"], table[f"{prefix}wnid"] = ids, wnid
        table[f"{prefix}name"] = [names[one] for one in wnid]
    return table.assign(masks=found["masks"].astype(COUNT))


def _leaks(samples: pa.Table) -> pd.DataFrame:
    """Return how many images are in each split of another subset that has another name."""
    others = pa.table({"also_in": pc.list_flatten(samples["also_in"])})
    return _images_by(others, ["also_in"])


def _merged(samples: pa.Table) -> pa.Table:
    """Return the samples whose class in ImageNet is merged into their class."""
    merged = merges()
    into = pa.array(list(merged.values())).take(
        pc.index_in(samples["imagenet_wnid"], value_set=pa.array(list(merged)))
    )
    return samples.filter(pc.equal(into, samples["wnid"]))


def _images_by(samples: pa.Table, columns: list[str]) -> pd.DataFrame:
    """Return how many images have each combination of values in some columns, sorted by them."""
    counted = samples.group_by(columns).aggregate([([], "count_all")])
    counted = counted.sort_by([(column, "ascending") for column in columns])
    names = [*columns, "images"]
    return counted.rename_columns(names).to_pandas(
        types_mapper=lambda kind: COUNT if pa.types.is_integer(kind) else None
    )
