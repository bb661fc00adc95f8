"""The index of the source's tars: which members they hold, and where, so that headers are read once."""

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from imagenet_s.io.atomic import atomic_write
from imagenet_s.io.split_file import SplitFile, fingerprint
from imagenet_s.io.tar_headers import Member, members
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.progress import log

VERSION = "2"  # of what is in the file; to be raised when tars are read in another way
INDEX = pa.schema(
    [
        ("archive", pa.string()),
        ("inner", pa.int64()),  # where the tar begins in the archive: 0, or the offset of a tar in it
        ("name", pa.binary()),  # as it stands in the header: not all names are UTF-8
        ("offset", pa.int64()),  # bytes, in the archive
        ("size", pa.int64()),
    ]
)


class Index:
    """The members of tars, looked up in the file at `path`, or else in the tars' headers, and kept.

    What is in the file counts only for an archive that has the same size and time as then. A file that
    is damaged, or of another version, is ignored and made again. Without a `path`, nothing is kept beyond
    the object's life.
    """

    def __init__(self, path: Path | None = None):
        self.path, self.changed = path, False
        self.fingerprints: dict[str, list] = {}
        self.tables: dict[tuple[str, int], pa.Table] = {}
        if path and path.exists():
            try:
                self._read(pq.read_table(path, page_checksum_verification=True))
            except (OSError, ValueError, LookupError, TypeError, pa.ArrowException) as error:
                if isinstance(error, OSError) and error.errno:  # the operating system's word
                    raise OSError(error.errno, os.strerror(error.errno), str(path)) from error
                log.info("%s is made again, as it cannot be used: %s", path, error)
                self.fingerprints, self.tables = {}, {}

    def members(self, pieces: SplitFile, tar: Member | None = None) -> list[Member]:
        """The files in an archive, or in the tar that is a member of it, in their order.

        Raises UserError as `headers.members` does.
        """
        archive, start = str(pieces.paths[0]), tar.offset if tar else 0
        table = self.tables.get((archive, start))
        if table is None:
            called = pieces.called
            where, stop = (f"{called}: {tar.name}", start + tar.size) if tar else (called, None)
            found = list(members(pieces, where, start, stop))
            self._add(archive, start, found)
            return found
        names = (name.decode("utf-8", "surrogateescape") for name in table["name"].to_pylist())
        return list(map(Member, names, table["offset"].to_pylist(), table["size"].to_pylist()))

    def save(self) -> None:
        """Writes what was found to the file."""
        if self.path and self.changed:
            table = pa.concat_tables(self.tables.values())
            with atomic_write(self.path) as partial:
                metadata = {"version": VERSION, "stamps": json.dumps(self.fingerprints)}
                table = table.replace_schema_metadata(metadata)
                pq.write_table(table, partial, compression="zstd", write_page_checksum=True)
            self.changed = False

    def _add(self, archive: str, start: int, found: list[Member]) -> None:
        columns = (
            [archive] * len(found),
            [start] * len(found),
            [member.name.encode("utf-8", "surrogateescape") for member in found],
            [member.offset for member in found],
            [member.size for member in found],
        )
        self.tables[archive, start] = pa.table(list(map(pa.array, columns, INDEX.types)), INDEX)
        self.fingerprints.setdefault(archive, fingerprint(Path(archive)))
        self.changed = True

    def _read(self, table: pa.Table) -> None:
        metadata = table.schema.metadata or {}
        version = metadata.get(b"version", b"none").decode(errors="replace")
        table = table.replace_schema_metadata()
        if version != VERSION or table.schema != INDEX:
            raise ValueError(f"it is no index of version {VERSION}, but of {version}")
        table.validate(full=True)
        fingerprints = dict(json.loads(metadata[b"stamps"]))
        self.fingerprints = {
            path: listed for path, listed in fingerprints.items() if _is_same(Path(path), listed)
        }
        # The rows of one tar stand together: a slice of the table is as good as a copy of it.
        keys = table.select(["archive", "inner"])
        ends = _runs(keys)
        for start, stop in zip([0, *ends], [*ends, len(table)], strict=True):
            if start < stop and keys["archive"][start].as_py() in self.fingerprints:
                key = keys["archive"][start].as_py(), keys["inner"][start].as_py()
                self.tables[key] = table.slice(start, stop - start)


def _runs(keys: pa.Table) -> list[int]:
    """The rows at which another tar begins."""
    if len(keys) < 2:
        return []
    before, after = keys.slice(0, len(keys) - 1), keys.slice(1)
    same = pc.and_(*(pc.equal(before[name], after[name]) for name in keys.column_names))
    return [k + 1 for k in pc.indices_nonzero(pc.invert(same)).to_pylist()]


def _is_same(path: Path, listed: list) -> bool:
    try:
        return fingerprint(path) == listed
    except (OSError, UserError):  # an earlier source's, gone or lacking pieces by now
        return False
