"""Each image is read once: for its size, digest and pixel size, and for its copy if the build needs one."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from imagenet_s.images.pool import Pool
from imagenet_s.images.reader import Readers
from imagenet_s.io.atomic import dump_json, scratch_folder
from imagenet_s.io.receipts import receipts
from imagenet_s.io.tables import table_of
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.image_file import examine
from imagenet_s.runtime.progress import log, progress
from imagenet_s.runtime.read_ahead import COMPUTING, map_ahead
from imagenet_s.source.listing import Row, read_listing, require_same_archives
from imagenet_s.spec.shards import part_classes, part_val_images

COLUMNS: dict[str, pa.DataType] = {
    "image": pa.string(),  # without extension
    "imagenet_wnid": pa.string(),
    "bytes": pa.int64(),
    "sha256": pa.binary(32),
    "width": pa.int32(),  # in pixels; width and height are null if Pillow cannot read the header
    "height": pa.int32(),
    "suspect": pa.string(),  # why the image is probably incomplete; null if it seems complete
    "mode": pa.string(),  # Pillow's, such as RGB or CMYK; null if it cannot read the header
    "quantization": pa.uint32(),  # CRC-32 of a JPEG's first quantization table; null for other files
}
RECORDS = pa.schema(COLUMNS)


class ImageRecord(NamedTuple):
    """A row of `RECORDS`."""

    image: str
    imagenet_wnid: str
    size: int  # in bytes
    sha256: bytes
    width: int | None
    height: int | None
    suspect: str | None
    mode: str | None
    quantization: int | None


def read_part(
    part: str, listing: Path, records: Path, pool: Path, copied: Path | None, scratch: Path
) -> None:
    """Read every image of a part once, and write their records, sorted by image.

    Images from archives are also copied to `pool`, byte for byte.

    Args:
        part: The name of the part.
        listing: The listing of the part's tier.
        records: The Parquet file to write, with the columns `RECORDS`.
        pool: The folder for copies.
        copied: If it is given, all images are copied, and this receipt is written for them.
        scratch: A folder for temporary files.

    Raises:
        UserError: A file is empty (all such files are named at the end), or an archive is not the
            one that was listed.
    """
    table = read_listing(listing)
    require_same_archives(table)
    wanted = [Row(*row.values()) for row in images_of_part(part, table).to_pylist()]
    wanted.sort(key=lambda row: (row.path, row.offset or 0))  # read archives from front to back
    rows: list[ImageRecord] = []
    empty: list[str] = []
    suspects: list[str] = []
    copies = Pool(pool, scratch)

    def read(row: Row) -> ImageRecord | None:
        """Return the record of an image, which is copied if it has to be; None if the file is empty."""
        with readers.read(row) as data:
            if not data:
                return None
            with COMPUTING:
                record = record_of(row.image, row.imagenet_wnid, data)
            if copied or row.in_archive:
                copies.add(row.image, row.imagenet_wnid, record.sha256, data)
            return record

    with (
        progress(f"Reading {part}", len(wanted), "images") as bar,
        scratch_folder(scratch),
        Readers() as readers,
        closing(map_ahead(read, wanted)) as found,
    ):
        for row, record in zip(wanted, found, strict=True):
            if record:
                rows.append(record)
                if record.suspect:
                    suspects.append(f"{row.where} {record.suspect}")
            else:
                empty.append(row.where)
            bar.update(read=record.size if record else 0)
    warn_of_suspects(suspects)
    require_same_archives(table)  # again: none has changed while it was read
    with receipts([records, *([copied] if copied else [])], pool) as (partial, *counted):
        write_records(rows, empty, partial, sorted({row.path for row in wanted if row.in_archive}))
        for path in counted:
            dump_json({"images": len(rows), "bytes": sum(row.size for row in rows)}, path)


def record_of(image: str, imagenet_wnid: str, data: bytes | memoryview) -> ImageRecord:
    """Return the record of an image."""
    sha256 = hashlib.sha256(data).digest()
    return ImageRecord(image, imagenet_wnid, len(data), sha256, *examine(data))


def warn_of_suspects(suspects: Sequence[str]) -> None:
    """Warn in one line about images that are probably incomplete, each given as its path and the reason.

    The log lists all of them. They are not refused, because official files may be unusual too.
    """
    if suspects:
        log.warning(
            "Images that are probably incomplete (%s): %s", f"{len(suspects):,}", first_few(suspects, 3)
        )
    for suspect in suspects:
        log.debug("suspect: %s", suspect)


def write_records(
    rows: Sequence[ImageRecord], empty: Sequence[str], path: Path, archives: Sequence[str]
) -> None:
    """Write records, sorted by image, with the names of the archives that were read for them.

    Raises:
        UserError: There are `empty` images. The text names them, and nothing is written.
    """
    if empty:
        raise UserError(
            f"{len(empty):,} image files are empty: {first_few(empty)}.\n"
            "Get these files again and run the same command.",
            details=(f"empty {name}" for name in empty),
        )
    schema = RECORDS.with_metadata({"archives": json.dumps(archives)})
    pq.write_table(table_of(sorted(rows), schema), path, compression="zstd")


def two_versions(image: str, files: Iterable[str]) -> UserError:
    """Return the error for an image that occurs in `files` with different bytes."""
    return UserError(
        f"The source has {image}.JPEG twice, with different bytes: in {first_few(dict.fromkeys(files))}. "
        "It is not known which one is right. Get the archives again."
    )


def read_records(paths: Sequence[Path]) -> pa.Table:
    """Return the records of several parts, with each image once.

    Raises:
        UserError: Two parts have an image with different bytes.
    """
    records = pa.concat_tables(pq.read_table(path, schema=RECORDS) for path in paths)
    if pc.count_distinct(records["image"]).as_py() == len(records):
        return records
    # Other versions may have worded the reason differently, and did not record the encoding.
    facts = RECORDS.names[: RECORDS.names.index("suspect")]
    others = RECORDS.names[len(facts) :]
    unique = records.group_by(facts, use_threads=False).aggregate([(name, "first") for name in others])
    unique = unique.select([*facts, *(f"{name}_first" for name in others)]).rename_columns(RECORDS.names)
    counts = pc.value_counts(unique["image"])
    several = counts.filter(pc.greater(counts.field("counts"), pa.scalar(1)))
    if len(several):
        image = several[0]["values"]
        holding = [path for path in paths if pc.index(pq.read_table(path)["image"], image).as_py() >= 0]
        archives = [json.loads(pq.read_schema(path).metadata[b"archives"]) for path in holding]
        raise two_versions(image.as_py(), chain.from_iterable(archives))
    return unique


def images_of_part(part: str, listing: pa.Table) -> pa.Table:
    """Return the rows of a tier's listing that belong to the part."""
    if part.startswith("train"):
        train = listing.filter(pc.starts_with(listing["image"], "n"))
        return train.filter(pc.is_in(train["imagenet_wnid"], pa.array(part_classes(part))))
    return listing.filter(pc.is_in(listing["image"], pa.array(part_val_images(part))))
