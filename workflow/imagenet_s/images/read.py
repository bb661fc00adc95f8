"""Reading images: each one once, for its size, digest and pixel size, and its copy where one is due."""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from imagenet_s.images.pool import Pool
from imagenet_s.io.atomic import dump_json, scratch_folder
from imagenet_s.io.receipts import receipts
from imagenet_s.io.split_file import SplitFile
from imagenet_s.io.tar_headers import MAX_IMAGE_BYTES
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.image_file import examine
from imagenet_s.runtime.progress import log, progress
from imagenet_s.source.listing import Row, read_listing, require_same_archives
from imagenet_s.spec.shards import part_classes, part_val_images

RECORDS = pa.schema(
    [
        ("image", pa.string()),  # without ending
        ("imagenet_wnid", pa.string()),
        ("bytes", pa.int64()),
        ("sha256", pa.binary(32)),
        ("width", pa.int32()),  # pixels; width and height are null where Pillow cannot tell
        ("height", pa.int32()),
        ("suspect", pa.string()),  # why it is probably not whole; null where it seems to be
    ]
)


def read_part(
    part: str, listing: Path, records: Path, pool: Path, copied: Path | None, scratch: Path
) -> None:
    """Reads every image of a part once and writes `records`, a Parquet table of `RECORDS`, by image.

    What stands in an archive is also copied to `pool`, byte for byte, in the same pass; with `copied`, a
    receipt to write, all images are. Temporary files go to `scratch`. Raises UserError that names all
    empty files, once everything else was read, and for an archive that is not the one that was listed.
    """
    table = read_listing(listing)
    require_same_archives(table)
    wanted = [Row(*row.values()) for row in _of_part(part, table).to_pylist()]
    wanted.sort(key=lambda row: (row.path, row.offset or 0))  # so that archives are read from front to back
    rows, empty, suspects = [], [], []
    with (
        progress(f"Reading {part}", len(wanted), "images") as bar,
        scratch_folder(scratch),
        Reader() as reader,
    ):
        copies = Pool(pool, scratch)
        for row in wanted:
            data = reader.read(row)
            if data:
                rows.append(record_of(row.image, row.imagenet_wnid, data))
                if copied or row.in_archive:
                    copies.add(row.image, row.imagenet_wnid, rows[-1][3], data)
                if rows[-1][-1]:
                    suspects.append(f"{row.where} {rows[-1][-1]}")
            else:
                empty.append(row.where)
            bar.update()
    warn_of_suspects(suspects)
    require_same_archives(table)  # none changed meanwhile
    with receipts([records, *([copied] if copied else [])], pool) as (partial, *counted):
        write_records(rows, empty, partial, sorted({row.path for row in wanted if row.in_archive}))
        for path in counted:
            dump_json({"images": len(rows), "bytes": sum(row[2] for row in rows)}, path)


def record_of(image: str, imagenet_wnid: str, data: bytes | memoryview) -> tuple:
    """A row of `RECORDS`."""
    return image, imagenet_wnid, len(data), hashlib.sha256(data).digest(), *examine(data)


def warn_of_suspects(suspects: Sequence[str]) -> None:
    """Warn in one line of images that are probably not whole, each given as where it is and why.

    The log gets them all. They are not refused: a few official files may be odd.
    """
    if suspects:
        log.warning(
            "Images that are probably not whole (%s): %s", f"{len(suspects):,}", first_few(suspects, 3)
        )
    for suspect in suspects:
        log.debug("suspect: %s", suspect)


def write_records(rows: list[tuple], empty: list[str], path: Path, archives: Sequence[str]) -> None:
    """Writes records, sorted by image; `archives` are those that were read for them.

    Raises UserError that names the empty images instead.
    """
    if empty:
        raise UserError(
            f"{len(empty):,} image files are empty: {first_few(empty)}.\n"
            "An image has at least a header. Get these files again and run the same command.",
            details=(f"empty {name}" for name in empty),
        )
    columns = zip(*sorted(rows), strict=True) if rows else [()] * len(RECORDS)
    schema = RECORDS.with_metadata({"archives": json.dumps(archives)})
    table = pa.table([pa.array(c, f.type) for c, f in zip(columns, RECORDS, strict=True)], schema)
    pq.write_table(table, path, compression="zstd")


def differing(image: str, files: Iterable[str]) -> UserError:
    """The error for an image that a source has twice, with different bytes, in `files`."""
    return UserError(
        f"The source holds {image}.JPEG twice, with different bytes: in {first_few(dict.fromkeys(files))}. "
        "Nobody can tell which is right: get the archives again."
    )


def read_records(paths: list[Path]) -> pa.Table:
    """The records of several parts, one after the other, each image once.

    Raises UserError where two parts have an image with different bytes.
    """
    records = pa.concat_tables(pq.read_table(path, schema=RECORDS) for path in paths)
    if pc.count_distinct(records["image"]).as_py() == len(records):
        return records
    unique = records.group_by(RECORDS.names).aggregate([]).select(RECORDS.names)
    counts = pc.value_counts(unique["image"])
    several = counts.filter(pc.greater(counts.field("counts"), 1))
    if len(several):
        image = several[0]["values"]
        holding = [path for path in paths if pc.index(pq.read_table(path)["image"], image).as_py() >= 0]
        archives = [json.loads(pq.read_schema(path).metadata[b"archives"]) for path in holding]
        raise differing(image.as_py(), chain.from_iterable(archives))
    return unique


class Reader:
    """Reads images into one buffer that it keeps: fresh memory for each image is five times slower.

    Use it with `with`: it keeps the archive it read last open.
    """

    def __init__(self, size: int = 1 << 22):
        self.buffer = bytearray(size)
        self.archive, self.pieces = "", None

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_) -> None:
        if self.pieces:
            self.pieces.close()

    def read(self, row: Row) -> memoryview:
        """The bytes of an image, valid until the next call.

        Raises OSError, with the file's name, and UserError for a file larger than any image.
        """
        return self._file(row.path) if row.offset is None else self._member(row)

    def _member(self, row: Row) -> memoryview:
        if row.path != self.archive:
            self.__exit__()
            self.archive, self.pieces = row.path, SplitFile(row.path)
        if row.size > len(self.buffer):
            self.buffer = bytearray(_possible(row.size, f"{row.path}: {row.image}"))
        data = memoryview(self.buffer)[: row.size]
        if self.pieces.fill(data, row.offset) < row.size:
            raise UserError(f"{row.path} became shorter while it was read. Run the same command again.")
        return data

    def _file(self, path: str) -> memoryview:
        file = os.open(path, os.O_RDONLY)
        try:
            before = os.fstat(file)
            size = before.st_size
            if size >= len(self.buffer):
                self.buffer = bytearray(2 * _possible(size, path))
            filled = 0
            while count := os.readv(file, [memoryview(self.buffer)[filled:]]):
                filled += count
                if filled == len(self.buffer):  # the file grew while it was read
                    self.buffer = self.buffer + bytes(filled)
            if _identity(before) != _identity(os.stat(path)):
                raise UserError(f"{path} changed while it was read. Run the same command again.")
        except OSError as error:
            error.filename = path  # a failed read does not say of what
            raise
        finally:
            os.close(file)
        return memoryview(self.buffer)[:filled]


def _identity(file: os.stat_result) -> tuple[int, ...]:
    """What tells that a file is still the same."""
    return file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns


def _possible(size: int, where: str) -> int:
    """`size`, if an image may have so many bytes; what claims more would only fill the memory."""
    if size > MAX_IMAGE_BYTES:
        raise UserError(f"{where} has {size:,} bytes, more than any image has. Get it again.")
    return size


def _of_part(part: str, listing: pa.Table) -> pa.Table:
    """The rows of a tier's listing that belong to the part."""
    if part.startswith("train"):
        train = listing.filter(pc.starts_with(listing["image"], "n"))
        return train.filter(pc.is_in(train["imagenet_wnid"], pa.array(part_classes(part))))
    return listing.filter(pc.is_in(listing["image"], pa.array(part_val_images(part))))
