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
    "offset": pa.int64(),  # of its first byte in the archive; null for a file
    "size": pa.int64(),  # in bytes; null for a file
}
LISTING = pa.schema(COLUMNS)


class Row(NamedTuple):
    """A row of `LISTING`."""

    image: str
    imagenet_wnid: str
    path: str
    offset: int | None = None
    size: int | None = None

    @property
    def in_archive(self) -> bool:
        """Whether the image is in an archive, not a file of its own."""
        return self.offset is not None

    @property
    def where(self) -> str:
        """The image for a message: its file, or its archive and its name there."""
        return f"{self.path}: {self.image}" if self.in_archive else self.path


def listing_of(rows: Sequence[Row], fingerprints: Fingerprints) -> pa.Table:
    """Return a listing of rows, in their order, with the fingerprints of the archives among the paths."""
    return table_of(rows, LISTING.with_metadata({"stamps": json.dumps(fingerprints)}))


def write_listing(listing: pa.Table, path: Path) -> None:
    """Write a listing as a Parquet file."""
    pq.write_table(listing, path, compression="zstd")


def read_listing(path: Path) -> pa.Table:
    """Return the listing that `write_listing` wrote."""
    return pq.read_table(path)


def all_files(listings: Iterable[pa.Table]) -> pa.Table:
    """Return the rows of several listings, one after the other."""
    return pa.concat_tables(listing.replace_schema_metadata() for listing in listings)


def require_same_archives(listing: pa.Table) -> None:
    """Raise UserError if an archive of the listing has changed since it was listed."""
    for path, listed in json.loads((listing.schema.metadata or {})[b"stamps"]).items():
        if fingerprint(Path(path)) != listed:
            raise UserError(
                f"{path} has changed since its members were listed (another size or time). If it is meant "
                "to be another file now, run snakemake again with `--forcerun source`."
            )
