"""Reading images: each one once, for its size, digest and pixel size, and its copy where one is due."""

import hashlib
import io
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from PIL import Image

from imagenet_s.errors import UserError, first_few
from imagenet_s.files import put, scratch_folder, write_json, written
from imagenet_s.listing import read_listing
from imagenet_s.parts import part_classes, part_val_images
from imagenet_s.pool import pool_path, prepare_pool
from imagenet_s.progress import progress

RECORDS = pa.schema(
    [
        ("image", pa.string()),  # without ending
        ("imagenet_wnid", pa.string()),
        ("bytes", pa.int64()),
        ("sha256", pa.binary(32)),
        ("width", pa.int32()),  # pixels; width and height are null where Pillow cannot tell
        ("height", pa.int32()),
    ]
)

# Only headers are opened here, and nothing is decoded: a huge image is no danger.
Image.MAX_IMAGE_PIXELS = None


def read_part(part: str, listing: Path, records: Path, copied: Path | None, scratch: Path) -> None:
    """Reads every image of a part once and writes `records`, a Parquet table of `RECORDS`, by image.

    With `copied`, a receipt to write into the pool, each image is also copied there, byte for byte, in
    the same pass; temporary files go to `scratch`. Raises UserError that names all empty files, once
    everything else was read.
    """
    pool = copied.parent if copied else None
    images = _of_part(part, read_listing(listing))
    columns = [images[name].to_pylist() for name in ("image", "imagenet_wnid", "path")]
    targets = [pool_path(*row) for row in zip(*columns[:2], strict=True)]
    reader = Reader()
    rows, empty = [], []
    with progress(f"Reading {part}", len(images), "images") as bar, scratch_folder(scratch):
        if pool:
            prepare_pool(pool, targets, part_classes(part))
        for image, wnid, path, target in zip(*columns, targets, strict=True):
            data = reader.read(path)
            if not data:
                empty.append(path)
                continue
            rows.append((image, wnid, len(data), hashlib.sha256(data).digest(), *pixel_size(data)))
            if pool:
                put(data, pool / target, scratch)
            bar.update()
    if empty:
        raise UserError(
            f"{len(empty):,} image files are empty: {first_few(empty)}.\n"
            "An image has at least a header. Get these files again and run the same command.",
            details=(f"empty {path}" for path in empty),
        )
    columns = zip(*rows, strict=True) if rows else [()] * len(RECORDS)
    table = pa.table([pa.array(c, f.type) for c, f in zip(columns, RECORDS, strict=True)], RECORDS)
    with written(records) as partial:
        pq.write_table(table, partial, compression="zstd")
    if copied:
        write_json(copied, {"images": len(rows), "bytes": sum(row[2] for row in rows)})


def read_records(paths: list[Path]) -> pa.Table:
    """The records of several parts, one after the other."""
    return pa.concat_tables(pq.read_table(path, schema=RECORDS) for path in paths)


def pixel_size(data: bytes | memoryview) -> tuple[int | None, int | None]:
    """(width, height) in pixels from an image's header; (None, None) where Pillow cannot tell."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.size
    except Exception:  # Pillow's readers raise all sorts of things on odd bytes
        return None, None


class Reader:
    """Reads whole files into one buffer that it keeps: fresh memory for each file is five times slower."""

    def __init__(self, size: int = 1 << 22):
        self.buffer = bytearray(size)

    def read(self, path: str) -> memoryview:
        """The bytes of a file, valid until the next call. Raises OSError."""
        file = os.open(path, os.O_RDONLY)
        try:
            size = os.fstat(file).st_size
            if size >= len(self.buffer):
                self.buffer = bytearray(2 * size)
            filled = 0
            while count := os.readv(file, [memoryview(self.buffer)[filled:]]):
                filled += count
                if filled == len(self.buffer):  # the file grew while it was read
                    self.buffer = self.buffer + bytes(filled)
        except OSError as error:
            error.filename = path  # a failed read does not say of what
            raise
        finally:
            os.close(file)
        return memoryview(self.buffer)[:filled]


def _of_part(part: str, listing: pa.Table) -> pa.Table:
    """The rows of a tier's listing that belong to the part."""
    if part.startswith("train"):
        train = listing.filter(pc.starts_with(listing["image"], "n"))
        return train.filter(pc.is_in(train["imagenet_wnid"], pa.array(part_classes(part))))
    return listing.filter(pc.is_in(listing["image"], pa.array(part_val_images(part))))
