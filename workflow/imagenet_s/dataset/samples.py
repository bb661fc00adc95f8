"""A subset's samples: one row each, joined from what was recorded of images and masks."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from imagenet_s.annotations import unpack as masks
from imagenet_s.images import read as images
from imagenet_s.io.atomic import read_json
from imagenet_s.io.receipts import receipt
from imagenet_s.preflight.completeness import Inventory, missing_images
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.problems import require_none
from imagenet_s.runtime.progress import log
from imagenet_s.spec.classes import class_ids, train_classes
from imagenet_s.spec.splits import also_in, listed
from imagenet_s.spec.subsets import MASKED, SPLITS, mask_folder, subset_of

SAMPLES = pa.schema(
    [
        ("split", pa.string()),
        ("image", pa.string()),  # relative to the subset's folder
        ("wnid", pa.string()),
        ("class_id", pa.int32()),
        ("imagenet_wnid", pa.string()),
        ("bytes", pa.int64()),
        ("sha256", pa.binary(32)),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("mask", pa.string()),  # null where there is none, as are all mask columns
        ("mask_bytes", pa.int64()),
        ("mask_sha256", pa.binary(32)),
        ("mask_pixels_sha256", pa.binary(32)),
        ("mask_ids", pa.string()),
        ("also_in", pa.string()),
        ("mask_problems", pa.string()),  # what is odd about the mask; empty where nothing is
        ("suspect", pa.string()),  # why the image is probably not whole; null where it seems to be
    ]
)

CLASSES_AT_ONCE = 100  # of train, so that memory does not grow with the images


def join_samples(
    subset: int, complete: bool, parts: Sequence[Path], mask_records: Path, annotations: Path, samples: Path
) -> None:
    """The job that writes a subset's samples; see `write_samples`."""
    with receipt(samples) as partial:
        write_samples(subset, complete, parts, mask_records, annotations, partial)


def write_samples(
    subset: int, complete: bool, parts: Sequence[Path], mask_records: Path, annotations: Path, samples: Path
) -> None:
    """Writes `samples`, a Parquet table of `SAMPLES`: split after split, sorted by `image`.

    Raises UserError for what the source lacks; `complete` asks for the official train totals. Raises
    UserError that names the masks that are not as large as their image. For an archive with
    the official md5 these are only told in the log.
    """
    records = images.read_records(list(parts))
    # Of a source that is read in one pass nothing was known before.
    require_none(missing_images(Inventory(records, "what was read of it"), [subset], complete))
    mask_table = pq.read_table(mask_records, schema=masks.RECORDS)
    wrong = []
    with pq.ParquetWriter(samples, SAMPLES, compression="zstd") as writer:
        for rows, wnids in _train_blocks(subset, records):
            table = _samples_of(subset, "train", rows, wnids, mask_table)
            writer.write_table(table.select(SAMPLES.names).cast(SAMPLES))
        for split in SPLITS[1:]:
            table = _samples_of(subset, split, *_listed_records(subset, split, records), mask_table)
            wrong += _wrong_sizes(table)
            writer.write_table(table.select(SAMPLES.names).cast(SAMPLES))
        for line in wrong:
            log.warning(line)
        if wrong and not read_json(annotations)["official"]:
            raise UserError(
                f"{len(wrong):,} masks of {subset_of(subset).name} are not as large as their image: "
                f"{first_few(wrong)}.\nImages and annotations do not belong together: check `imagenet` and "
                "`annotations.from` in config.yaml.",
                details=wrong,
            )


def read_samples(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """The samples of a subset, all columns or some."""
    return pq.read_table(path, columns=columns)


def hex_of(digests: pa.ChunkedArray) -> pa.Array:
    """A column of binary digests as a column of hex text; nulls stay null."""
    if digests.null_count == len(digests):  # as those of masks are for most of a subset
        return pa.nulls(len(digests), pa.string())
    values = pa.concat_arrays(digests.chunks)
    width = values.type.byte_width
    start, stop = values.offset * width, (values.offset + len(values)) * width
    text = values.buffers()[1][start:stop]
    offsets = np.arange(len(values) + 1, dtype=np.int32) * (2 * width)
    valid = values.is_valid().buffers()[1] if values.null_count else None
    buffers = pa.py_buffer(offsets), pa.py_buffer(bytes(text).hex().encode())
    return pa.StringArray.from_buffers(len(values), *buffers, valid)


def _train_blocks(subset: int, records: pa.Table) -> Iterator[tuple[pa.Table, pa.Array]]:
    """The records of the subset's train images and their wnids, some classes at a time, in order."""
    wnids = list(class_ids(subset))
    for start in range(0, len(wnids), CLASSES_AT_ONCE):
        block = set(wnids[start : start + CLASSES_AT_ONCE])
        wnid_of = {source: wnid for source, wnid in train_classes(subset).items() if wnid in block}
        chosen = pc.is_in(records["imagenet_wnid"], pa.array(wnid_of))
        rows = records.filter(pc.and_(chosen, pc.starts_with(records["image"], "n")))
        yield rows, _mapped(rows["imagenet_wnid"], wnid_of)


def _listed_records(subset: int, split: str, records: pa.Table) -> tuple[pa.Table, pa.Array]:
    """The records of a split's listed images, and their wnids."""
    wanted = listed(subset, split)
    found = pc.index_in(pa.array([row.image for row in wanted]), value_set=records["image"])
    return records.take(found), pa.array([row.wnid for row in wanted])


def _samples_of(subset: int, split: str, rows: pa.Table, wnids: pa.Array, mask_table: pa.Table) -> pa.Table:
    """Samples by image, with `mask_width` and `mask_height` beside the columns of `SAMPLES`."""
    names = rows["image"].combine_chunks()
    masked = split in MASKED
    mask_names = _paths(mask_folder(split), wnids, names, ".png")
    where = pc.index_in(mask_names, value_set=mask_table["mask"])
    if not masked:
        where = pa.nulls(len(rows), pa.int32())
    own = mask_table.take(where)
    table = pa.table(
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
        }
    )
    if masked:
        wrong = pc.fill_null(_has_wrong_size(table), False)
        problems = pc.if_else(wrong, "is not as large as its image", own["problems"])
        problems = pc.fill_null(problems, "is missing")
    else:
        problems = pa.array([""] * len(rows), pa.string())
    return table.append_column("mask_problems", problems).sort_by("image")


def _mapped(keys: pa.Array | pa.ChunkedArray, table: dict) -> pa.Array | pa.ChunkedArray:
    """Each key's value in `table`, null where it has none."""
    values = pa.array(table.values()) if table else pa.nulls(0, pa.string())
    return values.take(pc.index_in(keys, value_set=pa.array(table, pa.string())))


def _paths(folder: str, wnids: pa.Array, names: pa.Array, ending: str) -> pa.Array:
    files = pc.binary_join_element_wise(names, ending, "")
    return pc.binary_join_element_wise(folder, wnids, files, "/")


def _has_wrong_size(table: pa.Table) -> pa.ChunkedArray:
    """Whether the mask is not as large as the image; null where one of the sizes is not known."""
    return pc.or_(
        pc.not_equal(table["width"], table["mask_width"]),
        pc.not_equal(table["height"], table["mask_height"]),
    )


def _wrong_sizes(table: pa.Table) -> list[str]:
    return [
        f"{row['mask']} is {row['mask_width']} × {row['mask_height']}, "
        f"its image {row['width']} × {row['height']}"
        for row in table.filter(_has_wrong_size(table)).to_pylist()
    ]
