"""A listing: which images of the source a build may use, and where each of them lies."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from imagenet_s.files import written

LISTING = pa.schema(
    [
        ("image", pa.string()),  # without ending
        ("imagenet_wnid", pa.string()),
        ("path", pa.string()),  # absolute
    ]
)


def listing_of(rows: Sequence[tuple[str, str, str]]) -> pa.Table:
    """A listing of some rows, in their order."""
    columns = zip(*rows, strict=True) if rows else [()] * len(LISTING)
    return pa.table([pa.array(column, pa.string()) for column in columns], schema=LISTING)


def write_listing(listing: pa.Table, path: Path) -> None:
    """Writes a listing as a Parquet file."""
    with written(path) as partial:
        pq.write_table(listing, partial, compression="zstd")


def read_listing(path: Path) -> pa.Table:
    """A listing, as `write_listing` wrote it."""
    return pq.read_table(path, schema=LISTING)
