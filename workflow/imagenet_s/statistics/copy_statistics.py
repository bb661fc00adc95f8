"""The statistics of a copy: read its samples and the pixel counts of its masks, and compute the tables."""

import pyarrow as pa
import pyarrow.compute as pc

from imagenet_s.copies.copy import Copy
from imagenet_s.copies.samples import samples
from imagenet_s.dataset.dataset_file import read_dataset
from imagenet_s.dataset.dataset_json import Dataset
from imagenet_s.io.columns import texts
from imagenet_s.spec.splits import listed
from imagenet_s.spec.subsets import MASKED, subset_of
from imagenet_s.statistics.masks import mask_records
from imagenet_s.statistics.tables import SplitContent, Statistics, statistics_tables

COLUMNS = ("image", "class_id", "wnid", "imagenet_wnid", "width", "height", "also_in", "mask", "mask_sha256")


def statistics_of(copy: Copy, workers: int) -> Statistics:
    """Return the statistics of a copy: a table for each of `spec.statistics.KINDS`.

    Masks are read only if no build has recorded their pixel counts beside the copy.

    Args:
        copy: The copy.
        workers: The number of processes that read masks.

    Raises:
        UserError: A manifest is damaged, or masks are missing or damaged.
    """
    dataset = read_dataset(copy.root)
    suspects = _suspects(dataset)
    tables = {split: samples(copy, split).select(COLUMNS) for split in copy.splits}
    masked = [tables[split].filter(tables[split]["mask"].is_valid()) for split in tables if split in MASKED]
    records = mask_records(copy, pa.concat_tables(masked), workers) if masked else None
    contents = []
    for split, table in tables.items():
        masks = None
        if records is not None and split in MASKED:
            masks = records.filter(pc.is_in(records["mask"], table["mask"].combine_chunks()))
        count = None if suspects is None else _count(table, suspects)
        published = masks is not None and len(masks) == len(listed(copy.subset, split))
        published = published and _has_official_masks(copy.subset, dataset)
        contents.append(SplitContent(split, table, masks, count, published))
    return statistics_tables(copy.subset, contents)


def _suspects(dataset: Dataset | None) -> frozenset[str] | None:
    """Return the file names of images that are probably incomplete; None if not all of them are known."""
    try:
        found = dataset["content"]["suspect_images"] if dataset else None
        names = frozenset(str(one["image"]).rpartition("/")[2] for one in found["images"]) if found else None
        return names if found and found["count"] == len(found["images"]) else None
    except (LookupError, TypeError):  # a dataset.json of an earlier version, or of another shape
        return None


def _count(table: pa.Table, suspects: frozenset[str]) -> int:
    """Return how many images of a split are suspect. Train-semi is part of train: file names tell."""
    return sum(image.rpartition("/")[2] in suspects for image in texts(table["image"])) if suspects else 0


def _has_official_masks(subset: int, dataset: Dataset | None) -> bool:
    """Return whether a `dataset.json` states the MD5 of the official archive of masks."""
    try:
        return bool(dataset and dataset["content"]["annotations"]["md5"] == subset_of(subset).archive_md5)
    except (LookupError, TypeError):
        return False
