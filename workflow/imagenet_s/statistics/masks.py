"""The pixel counts of a copy's masks: as its build recorded them, else by one pass over the masks."""

import shlex
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from imagenet_s.annotations.unpack import RECORDS, MaskRecord, record_of
from imagenet_s.benchmark.scoring.predictions import file_bytes
from imagenet_s.copies.copy import Copy
from imagenet_s.io.columns import texts
from imagenet_s.io.tables import table_of
from imagenet_s.runtime.parallel import map_chunks
from imagenet_s.runtime.problems import FileProblem, require_no_file
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.read_ahead import COMPUTING, map_ahead
from imagenet_s.spec.classes import class_ids
from imagenet_s.workspace.paths import Workspace


def mask_records(copy: Copy, masks: pa.Table, workers: int) -> pa.Table:
    """Return the records of a copy's masks, in their order.

    Args:
        copy: The copy.
        masks: The columns `mask` and `mask_sha256` of its samples that have a mask. The digests are null in a
            copy without manifests.
        workers: The number of processes that read masks, if they must be read.

    Returns:
        A table of `RECORDS`.

    Raises:
        UserError: Masks are missing, damaged, or not those that the manifests state.
    """
    recorded = _recorded(copy, masks)
    return _counted(copy, masks, workers) if recorded is None else recorded


def _recorded(copy: Copy, masks: pa.Table) -> pa.Table | None:
    """Return what the build recorded of the masks; None if it recorded nothing, or other masks."""
    try:
        records = pq.read_table(Workspace(copy.root.parent).mask_records(copy.subset)).select(RECORDS.names)
    except (OSError, KeyError, pa.ArrowException):  # there are none, or those of an earlier version
        return None
    rows = records.take(pc.index_in(masks["mask"], value_set=records["mask"].combine_chunks()))
    return rows if rows["sha256"].equals(masks["mask_sha256"]) else None


def _counted(copy: Copy, masks: pa.Table, workers: int) -> pa.Table:
    task = partial(_count_chunk, len(class_ids(copy.subset)), copy.root)
    rows = map_chunks(task, texts(masks["mask"]), workers, f"Reading the masks of {copy.name}", "masks")
    problems: list[FileProblem] = []
    for row, stated in zip(rows, masks["mask_sha256"].to_pylist(), strict=True):
        problems += _problems(row, stated)
    require_no_file(
        problems,
        f"The masks of {copy.root} cannot be counted:",
        f"`imagenet-s verify {shlex.quote(str(copy.root))}` lists all damage. Repair it, and run the same "
        "command again.",
    )
    for row in rows:
        if row.problems:
            log.warning("%s/%s %s", copy.root, row.mask, row.problems)
    return table_of(rows, RECORDS)


def _problems(row: MaskRecord, stated: bytes | None) -> Iterator[FileProblem]:
    """Yield what prevents the use of a mask; `stated` is its digest by the manifest, None if it is unknown.

    A mask that is as the manifest states may be unreadable: some may be so in the official archive.
    """
    if not row.sha256 or (stated is None and row.width is None):
        yield FileProblem("missing or unreadable masks", f"{row.mask} {row.problems}")
    elif stated not in (None, row.sha256):
        yield FileProblem("masks that are not those of the manifests", row.mask)


def _count_chunk(classes: int, root: Path, masks: Sequence[str]) -> list[MaskRecord]:
    with closing(map_ahead(partial(_count, classes, root), masks)) as records:
        return list(records)


def _count(classes: int, root: Path, mask: str) -> MaskRecord:
    """Return the record of a mask; with an empty digest if the file cannot be read."""
    try:
        data = file_bytes(root / mask)
    except OSError as error:
        reason = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        return MaskRecord(mask, 0, b"", None, "", (), None, None, reason)
    with COMPUTING:
        return record_of(mask, data, classes)
