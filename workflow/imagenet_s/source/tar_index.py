"""The index of the source's tars: their members, and where these are, so that headers are read only once."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from imagenet_s.io.atomic import atomic_write
from imagenet_s.io.split_file import SplitFile, fingerprint
from imagenet_s.io.tar_headers import Member, members
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.progress import log
from imagenet_s.source.listing import Fingerprints

VERSION = "2"  # of the file's content; to be raised when tars are read in another way
COLUMNS: dict[str, pa.DataType] = {
    "archive": pa.string(),
    "inner": pa.int64(),  # where the tar begins in the archive, in bytes: 0, or the offset of a tar in it
    "name": pa.binary(),  # as in the header: not all names are UTF-8
    "offset": pa.int64(),  # in the archive, in bytes
    "size": pa.int64(),  # in bytes
}
INDEX = pa.schema(COLUMNS)

Rename: TypeAlias = Callable[[SplitFile, list[Member]], list[Member]]


class Index:
    """The members of tars, from the file at `path` or else from the tars' headers.

    What the file says of an archive counts only while the archive has the same size and time. A file that is
    damaged, or of another version, is ignored and replaced. Without a `path`, members are kept only for the
    object's lifetime. So are those of zips, whose central directory is read in seconds.
    """

    def __init__(self, path: Path | None = None):
        self.path, self.changed = path, False
        self.fingerprints: Fingerprints = {}
        self.tables: dict[tuple[str, int], pa.Table] = {}  # (archive, inner) → rows of `INDEX`
        self.zips: dict[str, dict[str, pa.Table]] = {}  # zip → what `zip_images` returns
        if path and path.exists():
            try:
                self._read(pq.read_table(path, page_checksum_verification=True))
            except (OSError, ValueError, LookupError, TypeError, pa.ArrowException) as error:
                if isinstance(error, OSError) and error.errno:  # from the operating system
                    raise OSError(error.errno, os.strerror(error.errno), str(path)) from error
                log.info("%s cannot be used and is made again: %s", path, error)
                self.fingerprints, self.tables = {}, {}

    def members(
        self, pieces: SplitFile, tar: Member | None = None, rename: Rename | None = None
    ) -> list[Member]:
        """Return the files in an archive, or in `tar`, which is a member of it, in their order.

        Args:
            pieces: The archive.
            tar: A member of the archive that is a tar itself.
            rename: Returns the members to keep, under the names to keep, when the headers are read.

        Raises:
            UserError: As `tar_headers.members` and `rename` do.
        """
        archive, start = str(pieces.paths[0]), tar.offset if tar else 0
        table = self.tables.get((archive, start))
        if table is None:
            called = pieces.description
            where, stop = (f"{called}: {tar.name}", start + tar.size) if tar else (called, None)
            found = list(members(pieces, where, start, stop))
            if rename:
                found = rename(pieces, found)
            self._add(archive, start, found)
            return found
        columns = table.select(["name", "offset", "size"]).to_pydict()
        names = (name.decode("utf-8", "surrogateescape") for name in columns["name"])
        return list(map(Member, names, columns["offset"], columns["size"]))

    def zip_images(self, path: str, read: Callable[[], dict[str, pa.Table]]) -> dict[str, pa.Table]:
        """Return the images in a zip by class, which `read` returns. It is called once for each zip."""
        if path not in self.zips:
            self.zips[path] = read()
        return self.zips[path]

    def save(self) -> None:
        """Write the members to the file, if there are new ones."""
        if self.path and self.changed:
            table = pa.concat_tables(self.tables.values())
            with atomic_write(self.path) as partial:
                metadata = {"version": VERSION, "stamps": json.dumps(self.fingerprints)}
                table = table.replace_schema_metadata(metadata)
                pq.write_table(table, partial, compression="zstd", write_page_checksum=True)
            self.changed = False

    def _add(self, archive: str, start: int, found: list[Member]) -> None:
        self.tables[archive, start] = pa.table(
            {
                "archive": [archive] * len(found),
                "inner": [start] * len(found),
                "name": [member.name.encode("utf-8", "surrogateescape") for member in found],
                "offset": [member.offset for member in found],
                "size": [member.size for member in found],
            },
            INDEX,
        )
        self.fingerprints.setdefault(archive, fingerprint(Path(archive)))
        self.changed = True

    def _read(self, table: pa.Table) -> None:
        metadata = table.schema.metadata or {}
        version = metadata.get(b"version", b"none").decode(errors="replace")
        table = table.replace_schema_metadata()
        if version != VERSION or table.schema != INDEX:
            raise ValueError(f"expected an index of version {VERSION}, found version {version}")
        table.validate(full=True)
        stored: Fingerprints = dict(json.loads(metadata[b"stamps"]))
        self.fingerprints = {path: listed for path, listed in stored.items() if _is_same(Path(path), listed)}
        # The rows of one tar follow each other, so a slice of the table needs no copy.
        keys = table.select(["archive", "inner"])
        starts = _first_rows(keys)
        for start, stop in zip(starts, [*starts[1:], len(table)], strict=True):
            (key,) = keys.slice(start, 1).to_pylist()
            if key["archive"] in self.fingerprints:
                self.tables[key["archive"], key["inner"]] = table.slice(start, stop - start)


def _first_rows(keys: pa.Table) -> list[int]:
    """Return the first row of each run of equal rows."""
    if len(keys) < 2:  # PyArrow 18 crashes on the comparison of no rows
        return list(range(len(keys)))
    before, after = keys.slice(0, len(keys) - 1), keys.slice(1)
    same = pc.and_(*(pc.equal(before[name], after[name]) for name in keys.column_names))
    return [0, *(pc.indices_nonzero(pc.invert(same)).to_numpy() + 1).tolist()]


def _is_same(path: Path, listed: list[list[int]]) -> bool:
    try:
        return fingerprint(path) == listed
    except (OSError, UserError):  # the archive is gone or lacks pieces
        return False
