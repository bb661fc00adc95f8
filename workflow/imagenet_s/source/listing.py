"""A listing: which images of the source a build may use, and where each of them lies."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from imagenet_s.io.split_file import fingerprint
from imagenet_s.runtime.errors import UserError

LISTING = pa.schema(
    [
        ("image", pa.string()),  # without ending
        ("imagenet_wnid", pa.string()),
        ("path", pa.string()),  # absolute: the image's own file, or the archive it stands in
        ("offset", pa.int64()),  # where its bytes begin in the archive; null for a file
        ("size", pa.int64()),  # how many they are; null for a file
    ]
)


class Row(NamedTuple):
    """A row of `LISTING`."""

    image: str
    imagenet_wnid: str
    path: str
    offset: int | None = None
    size: int | None = None

    @property
    def in_archive(self) -> bool:
        return self.offset is not None

    @property
    def where(self) -> str:
        """The image for a message: its file, or its archive and its name there."""
        return f"{self.path}: {self.image}" if self.in_archive else self.path


def listing_of(rows: Sequence[Row], fingerprints: dict[str, list]) -> pa.Table:
    """A listing of some rows, in their order; `stamps` are those of the archives among the paths."""
    columns = zip(*rows, strict=True) if rows else [()] * len(LISTING)
    arrays = [pa.array(column, f.type) for column, f in zip(columns, LISTING, strict=True)]
    return pa.table(arrays, LISTING.with_metadata({"stamps": json.dumps(fingerprints)}))


def write_listing(listing: pa.Table, path: Path) -> None:
    """Writes a listing as a Parquet file."""
    pq.write_table(listing, path, compression="zstd")


def read_listing(path: Path) -> pa.Table:
    """A listing, as `write_listing` wrote it."""
    return pq.read_table(path)


def all_files(listings: Iterable[pa.Table]) -> pa.Table:
    """The rows of several listings, one after the other."""
    return pa.concat_tables(listing.replace_schema_metadata() for listing in listings)


def require_same_archives(listing: pa.Table) -> None:
    """Raises UserError if an archive of the listing is not the one that was listed."""
    for path, listed in json.loads(listing.schema.metadata[b"stamps"]).items():
        if fingerprint(Path(path)) != listed:
            raise UserError(
                f"{path} has changed since its members were listed (another size or time). If it is meant "
                "to be another file now, run snakemake again with `--forcerun source`."
            )
