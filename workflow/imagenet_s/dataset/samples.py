"""The samples of a subset: one row per image, joined from the records of images and masks."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from imagenet_s.annotations import unpack as masks
from imagenet_s.images import read as images
from imagenet_s.io.atomic import read_json
from imagenet_s.io.columns import Column, texts
from imagenet_s.io.receipts import receipt
from imagenet_s.preflight.completeness import Inventory, missing_images
from imagenet_s.runtime.errors import MOST_NAMES, UserError, first_few
from imagenet_s.runtime.full_list import list_in_full
from imagenet_s.runtime.problems import require_none
from imagenet_s.runtime.progress import log
from imagenet_s.spec.classes import class_ids, train_classes
from imagenet_s.spec.splits import also_in, listed
from imagenet_s.spec.subsets import MASKED, SPLITS, mask_folder, subset_of

FIELDS: list[tuple[str, pa.DataType]] = [
    ("split", pa.string()),
    ("image", pa.string()),  # relative to the subset's folder
    ("wnid", pa.string()),
    ("class_id", pa.int32()),
    ("imagenet_wnid", pa.string()),
    ("bytes", pa.int64()),
    ("sha256", pa.binary(32)),
    ("width", pa.int32()),
    ("height", pa.int32()),
    ("mask", pa.string()),  # null, like all mask columns, for images without a mask
    ("mask_bytes", pa.int64()),
    ("mask_sha256", pa.binary(32)),
    ("mask_pixels_sha256", pa.binary(32)),
    ("mask_ids", pa.string()),
    ("also_in", pa.string()),
    ("mask_problems", pa.string()),  # what is wrong with the mask; empty if nothing is
    ("suspect", pa.string()),  # why the image is probably incomplete; null if it seems complete
    ("mode", pa.string()),  # how the image is encoded, as in the records of images
    ("quantization", pa.uint32()),
]
SAMPLES = pa.schema(FIELDS)

WRONG_SIZE = "is not as large as its image"  # a mask problem

BATCH = 65_536  # samples at a time, like the next number:
CLASSES_AT_ONCE = 100  # of train, so that memory does not grow with the number of images


def join_samples(
    subset: int, complete: bool, parts: Sequence[Path], mask_records: Path, annotations: Path, samples: Path
) -> None:
    """Write the samples of a subset as a job of the build; see `write_samples`."""
    with receipt(samples) as partial:
        write_samples(subset, complete, parts, mask_records, annotations, partial)


def write_samples(
    subset: int, complete: bool, parts: Sequence[Path], mask_records: Path, annotations: Path, samples: Path
) -> None:
    """Write the samples of a subset: split by split, each sorted by `image`.

    Args:
        subset: 50, 300 or 919.
        complete: Whether train must have the official number of images.
        parts: The Parquet files of image records.
        mask_records: The Parquet file of mask records.
        annotations: The receipt of the annotations.
        samples: The Parquet file of `SAMPLES` to write.

    Raises:
        UserError: The source lacks images, or masks differ in size from their images. For an archive with
            the official md5, such masks are only logged: the user cannot get better ones.
    """
    records = images.read_records(list(parts))
    # Sources that are read in one pass could not be checked earlier.
    require_none(missing_images(Inventory(records, "what was read of it"), [subset], complete))
    mask_table = pq.read_table(mask_records, schema=masks.RECORDS)
    wrong: list[str] = []
    with pq.ParquetWriter(samples, SAMPLES, compression="zstd") as writer:
        for rows, wnids in _train_blocks(subset, records):
            table = _samples_of(subset, "train", rows, wnids, mask_table)
            writer.write_table(table.select(SAMPLES.names).cast(SAMPLES))
        for split in SPLITS[1:]:
            table = _samples_of(subset, split, *_listed_records(subset, split, records), mask_table)
            wrong += _wrong_sizes(table)
            writer.write_table(table.select(SAMPLES.names).cast(SAMPLES))
        if not wrong:
            return
        text = (
            f"{len(wrong):,} masks of {subset_of(subset).name} are not as large as their image: "
            f"{first_few(wrong)}."
        )
        if not read_json(annotations)["official"]:
            raise UserError(
                f"{text}\nImages and annotations do not belong together, or the images were resized: check "
                "`imagenet` and `annotations.from` in config.yaml.",
                details=wrong,
            )
        log.warning("%s", text)
        list_in_full(wrong, is_shortened=len(wrong) > MOST_NAMES)


def read_samples(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read the samples of a subset, all columns or some."""
    return pq.read_table(path, columns=list(columns) if columns else None)


def sample_batches(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, pa.Table]]:
    """Yield the samples of a subset in their order, some of one split at a time: the split, the columns."""
    for batch in pq.ParquetFile(path).iter_batches(BATCH, columns=["split", *columns]):
        table = pa.table(batch)
        splits = texts(pc.unique(table["split"]))
        for split in splits:
            # Most batches hold train only; filtering would copy them.
            rows = table.filter(pc.equal(table["split"], pa.scalar(split))) if len(splits) > 1 else table
            yield split, rows.select(list(columns))


def hex_of(digests: "pa.ChunkedArray[Any]") -> "pa.Array[Any]":
    """Return a column of binary digests as hex text; nulls stay null."""
    if digests.null_count == len(digests):  # the mask columns of train and test
        return pa.nulls(len(digests), pa.string())
    values = pa.concat_arrays(digests.chunks)
    width = values.type.byte_width
    start, stop = values.offset * width, (values.offset + len(values)) * width
    data = cast("pa.Buffer", values.buffers()[1])  # binary columns always have one
    text = data[start:stop]
    offsets = np.arange(len(values) + 1, dtype=np.int32) * (2 * width)
    valid = values.is_valid().buffers()[1] if values.null_count else None
    buffers = pa.py_buffer(offsets), pa.py_buffer(bytes(text).hex().encode())
    return pa.StringArray.from_buffers(len(values), *buffers, valid)


def _train_blocks(subset: int, records: pa.Table) -> Iterator[tuple[pa.Table, Column]]:
    """Yield records of train images and their wnids, some classes at a time, in the order of classes."""
    wnids = list(class_ids(subset))
    for start in range(0, len(wnids), CLASSES_AT_ONCE):
        block = set(wnids[start : start + CLASSES_AT_ONCE])
        wnid_of = {source: wnid for source, wnid in train_classes(subset).items() if wnid in block}
        chosen = pc.is_in(records["imagenet_wnid"], pa.array(wnid_of))
        rows = records.filter(pc.and_(chosen, pc.starts_with(records["image"], "n")))
        yield rows, _mapped(rows["imagenet_wnid"], wnid_of)


def _listed_records(subset: int, split: str, records: pa.Table) -> tuple[pa.Table, Column]:
    """Return the records of the images that the list of a split names, and their wnids."""
    wanted = listed(subset, split)
    found = pc.index_in(pa.array([row.image for row in wanted]), value_set=records["image"])
    return records.take(found), pa.array([row.wnid for row in wanted])


def _samples_of(subset: int, split: str, rows: pa.Table, wnids: Column, mask_table: pa.Table) -> pa.Table:
    """Return samples by image: the columns of `SAMPLES`, and also `mask_width` and `mask_height`.

    Args:
        subset: 50, 300 or 919.
        split: The split of all rows.
        rows: The records of the images.
        wnids: The ImageNet-S class of each row.
        mask_table: The records of all masks of the subset.
    """
    names = rows["image"].combine_chunks()
    masked = split in MASKED
    mask_names = _paths(mask_folder(split), wnids, names, ".png")
    where = pc.index_in(mask_names, value_set=mask_table["mask"])
    if not masked:
        where = pa.nulls(len(rows), pa.int32())
    own = mask_table.take(where)
    table = pa.Table.from_pydict(
        {
            "split": pa.array([split] * len(rows), pa.string()),
            "image": _paths(split, wnids, names, ".JPEG"),
            "wnid": wnids,
            "class_id": _mapped(wnids, class_ids(subset)),
            "imagenet_wnid": rows["imagenet_wnid"],
            "bytes": rows["bytes"],
            "sha256": rows["sha256"],
            "width": rows["width"],
            "height": rows["height"],
            "mask": own["mask"],
            "mask_bytes": own["bytes"],
            "mask_sha256": own["sha256"],
            "mask_pixels_sha256": own["pixels_sha256"],
            "mask_ids": own["ids"],
            "also_in": _mapped(names, also_in(subset, split)),
            "mask_width": own["width"],
            "mask_height": own["height"],
            "suspect": rows["suspect"],
            "mode": rows["mode"],
            "quantization": rows["quantization"],
        }
    )
    if masked:
        wrong = pc.fill_null(_has_wrong_size(table), pa.scalar(False))
        problems: Column = pc.fill_null(
            pc.if_else(wrong, pa.scalar(WRONG_SIZE), own["problems"]), pa.scalar("is missing")
        )
    else:
        problems = pa.array([""] * len(rows), pa.string())
    return table.append_column("mask_problems", problems).sort_by("image")


def _mapped(keys: Column, table: Mapping[str, str | int]) -> Column:
    """Return the value of each key in `table`, null for keys that are not there."""
    values: pa.Array[Any] = pa.array(list(table.values())) if table else pa.nulls(0, pa.string())
    return values.take(pc.index_in(keys, value_set=pa.array(table, pa.string())))


def _paths(folder: str, wnids: Column, names: Column, ending: str) -> Column:
    """Return `<folder>/<wnid>/<name><ending>` for each row."""
    join: Any = pc.binary_join_element_wise  # the stubs lack columns mixed with texts
    return cast("Column", join(folder, wnids, join(names, ending, ""), "/"))


def _has_wrong_size(table: pa.Table) -> Column:
    """Return whether mask and image differ in size; null where one of the sizes is unknown."""
    return pc.or_(
        pc.not_equal(table["width"], table["mask_width"]),
        pc.not_equal(table["height"], table["mask_height"]),
    )


def _wrong_sizes(table: pa.Table) -> list[str]:
    """Return a line for each mask that differs in size from its image."""
    return [
        f"{row['mask']} is {row['mask_width']} × {row['mask_height']}, "
        f"its image {row['width']} × {row['height']}"
        for row in table.filter(_has_wrong_size(table)).to_pylist()
    ]
