"""A listing: which images of the source a build may use, and where each of them is stored."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from imagenet_s.io.split_file import fingerprint
from imagenet_s.io.tables import table_of
from imagenet_s.runtime.errors import UserError

Fingerprints = dict[str, list[list[int]]]  # path of an archive → its `fingerprint`

COLUMNS: dict[str, pa.DataType] = {
    "image": pa.string(),  # without ending
    "imagenet_wnid": pa.string(),
    "path": pa.string(),  # absolute: the image's own file, or the archive that holds it
    "offset": pa.int64(),  # of its first byte in the archive, in a zip of its header; null for a file
    "size": pa.int64(),  # in bytes; null for a file
}
# Only listings of sources with zips have these columns. They are null for images that are not in zips.
ZIP_COLUMNS: dict[str, pa.DataType] = {
    "packed": pa.int64(),  # compressed size in bytes
    "method": pa.int64(),  # number of the compression method
    "crc": pa.int64(),  # CRC-32 of the image
}
LISTING = pa.schema(COLUMNS)
LISTING_WITH_ZIPS = pa.schema(COLUMNS | ZIP_COLUMNS)


class Compression(NamedTuple):
    """How an image is stored in a zip.

    Attributes:
        packed: Its compressed size in bytes.
        method: The number of the compression method.
        crc: The CRC-32 of the image.
    """

    packed: int
    method: int
    crc: int


class Row(NamedTuple):
    """A row of `LISTING_WITH_ZIPS`."""

    image: str
    imagenet_wnid: str
    path: str
    offset: int | None = None
    size: int | None = None
    packed: int | None = None
    method: int | None = None
    crc: int | None = None

    @property
    def in_archive(self) -> bool:
        """Whether the image is in an archive, not a file of its own."""
        return self.offset is not None

    @property
    def compression(self) -> Compression | None:
        """How the image is stored in a zip; None if it is not in one."""
        if self.packed is None or self.method is None or self.crc is None:
            return None
        return Compression(self.packed, self.method, self.crc)

    @property
    def where(self) -> str:
        """The image for a message: its file, or its archive and its name there."""
        return f"{self.path}: {self.image}" if self.in_archive else self.path


def listing_of(rows: Sequence[Row], fingerprints: Fingerprints) -> pa.Table:
    """Return a listing of rows, in their order, with the fingerprints of the archives among the paths."""
    schema = LISTING_WITH_ZIPS.with_metadata({"stamps": json.dumps(fingerprints)})
    listing = table_of(rows, schema)
    return listing if listing["crc"].null_count < len(listing) else listing.select(LISTING.names)


def write_listing(listing: pa.Table, path: Path) -> None:
    """Write a listing as a Parquet file."""
    pq.write_table(listing, path, compression="zstd")


def read_listing(path: Path) -> pa.Table:
    """Return the listing that `write_listing` wrote."""
    return pq.read_table(path)


def all_files(listings: Iterable[pa.Table]) -> pa.Table:
    """Return the rows of several listings, one after the other."""
    tables = [listing.replace_schema_metadata() for listing in listings]
    return pa.concat_tables(tables, promote_options="default")  # only some may have the columns of zips


def require_same_archives(listing: pa.Table) -> None:
    """Raise UserError if an archive of the listing has changed since it was listed."""
    for path, listed in json.loads((listing.schema.metadata or {})[b"stamps"]).items():
        if fingerprint(Path(path)) != listed:
            raise UserError(
                f"{path} has changed since its members were listed (another size or time). If it is meant "
                "to be another file now, run snakemake again with `--forcerun source`."
            )
