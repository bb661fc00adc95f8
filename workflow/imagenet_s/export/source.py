"""What exports read: the samples of a split with the sizes of their files, and their bytes."""

import hashlib
import os
import shlex
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from imagenet_s.copies.copy import Copy
from imagenet_s.copies.samples import samples
from imagenet_s.io.columns import texts
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.file_kind import HEAD, IMAGES, kind_of
from imagenet_s.runtime.progress import LoggedBar
from imagenet_s.runtime.read_ahead import map_ahead
from imagenet_s.spec.subsets import MASKED

COLUMNS = ("image", "wnid", "class_id", "imagenet_wnid", "bytes", "sha256", "width", "height")
MASK_COLUMNS = ("mask", "mask_bytes", "mask_sha256")
AHEAD = 32 << 20  # bytes of files that may be read ahead of their use
AT_ONCE = 1 << 20  # bytes that a thread checks at once
MAX_CHECKS = 16  # checks that may be under way or wait


class Sample(NamedTuple):
    """A sample with the bytes of its files."""

    row: dict[str, Any]  # of the split's table
    image: bytes  # empty if the split is read without images
    mask: bytes | None


@dataclass(frozen=True)
class Split:
    """A split of a copy.

    Attributes:
        copy: The copy.
        name: The name of the split.
        samples: Its samples, sorted by image: `COLUMNS`, `MASK_COLUMNS`, and `modified`, the times of files
            of which no digest is known, in ns, else null.
        images: Whether images are read; else only masks are, and `bytes` and `sha256` are null.
    """

    copy: Copy
    name: str
    samples: pa.Table
    images: bool = True

    def sizes(self) -> NDArray[np.int64]:
        """Return the bytes of each sample: of its image and its mask, as far as they are read."""
        columns: Any = (self.samples["bytes"], self.samples["mask_bytes"])  # the stubs lack chunked columns
        images, masks = (column.fill_null(0).to_numpy() for column in columns)
        total: NDArray[np.int64] = images + masks
        return total

    def take(self, rows: NDArray[np.int64]) -> pa.Table:
        """Return some samples, in the order of `rows`."""
        return self.samples.take(rows)


def read_split(copy: Copy, name: str, images: bool = True) -> Split:
    """Return a split of a copy. Files of which the manifest does not state a size are asked for it.

    Args:
        copy: The copy.
        name: The name of the split.
        images: Whether images are read, or only masks.

    Raises:
        UserError: The samples are not known, or files are missing.
    """
    table = samples(copy, name).select([*COLUMNS, *MASK_COLUMNS])
    if not len(table):
        raise UserError(f"{copy.root} has no images in {name}, so there is nothing to export of it.")
    _require_masks(table, copy, name, images)
    table = table.append_column("modified", pa.nulls(len(table), pa.int64()))
    if not images:
        for column in ("bytes", "sha256"):
            nulls = pa.nulls(len(table), table.schema.field(column).type)
            table = table.set_column(table.schema.get_field_index(column), column, nulls)
    elif table["bytes"].null_count:
        table = _measured(table, "image", "bytes", copy)
    if table["mask_bytes"].null_count > table["mask"].null_count:
        table = _measured(table, "mask", "mask_bytes", copy)
    return Split(copy, name, table, images)


def read_samples(split: Split, rows: NDArray[np.int64], workers: int, bar: LoggedBar) -> Iterator[Sample]:
    """Yield samples with their bytes, in the order of `rows`. After the last one, all bytes are checked.

    Args:
        split: The split.
        rows: The rows of its table.
        workers: How many threads compare digests with those of the manifest, besides this one.
        bar: Counts the bytes read.

    Raises:
        UserError: A file is missing, or is not the one that the manifest states.
    """
    read, check = (
        partial(_read, split.copy.root, split.images),
        partial(_check, split.copy.root, split.images),
    )
    checks: deque[Future[None]] = deque()
    unchecked: list[Sample] = []
    size = 0
    with ThreadPoolExecutor(workers) as pool:
        for chunk in _chunks(split, rows):
            with closing(map_ahead(read, chunk.to_pylist())) as found:
                for sample in found:
                    unchecked.append(sample)
                    length = len(sample.image) + len(sample.mask or b"")
                    size += length
                    bar.update(length)
                    if size > AT_ONCE:
                        checks.append(pool.submit(check, unchecked))
                        unchecked, size = [], 0
                    while len(checks) > MAX_CHECKS:
                        checks.popleft().result()
                    yield sample
        check(unchecked)
        for under_way in checks:
            under_way.result()


def _require_masks(table: pa.Table, copy: Copy, name: str, images: bool) -> None:
    """Raise UserError if a copy without manifests lacks masks that the official lists name.

    One that has no masks at all is exported without them, if the format holds images.
    """
    lacking = table["image"].filter(table["mask"].is_null())
    without = copy.own_manifests or name not in MASKED or (images and len(lacking) == len(table))
    if len(lacking) and not without:
        text = f"{copy.root} lacks the masks of {len(lacking):,} images: {first_few(texts(lacking))}."
        raise UserError(f"{text}\n{_advice(copy.root)}", details=texts(lacking))


def _measured(table: pa.Table, path: str, size: str, copy: Copy) -> pa.Table:
    """Return a table with the sizes of files in a column, and the latest times in `modified`."""
    paths = table[path].to_pylist()
    there = [name for name in paths if name is not None]
    with closing(map_ahead(partial(_stat, copy.root), there)) as stats:
        found = dict(zip(there, stats, strict=True))
    sizes = [found[name].st_size if name is not None else None for name in paths]
    times = [found[name].st_mtime_ns if name is not None else None for name in paths]
    latest = pc.max_element_wise(table["modified"], pa.array(times, pa.int64()))
    for name, column in ((size, pa.array(sizes, pa.int64())), ("modified", latest)):
        table = table.set_column(table.schema.get_field_index(name), name, column)
    return table


def _stat(root: Path, name: str) -> os.stat_result:
    try:
        return os.stat(f"{root}/{name}")
    except FileNotFoundError as error:
        raise unusable(root, name, "is missing") from error


def _chunks(split: Split, rows: NDArray[np.int64]) -> Iterator[pa.Table]:
    """Yield the rows in groups of about `AHEAD` bytes."""
    ends = np.cumsum(split.sizes()[rows])
    starts = np.searchsorted(ends, np.arange(AHEAD, int(ends[-1]), AHEAD))
    for part in np.split(rows, np.unique(starts)):
        if len(part):
            yield split.take(part)


def _read(root: Path, images: bool, row: dict[str, Any]) -> Sample:
    return Sample(
        row,
        _bytes(root, row["image"]) if images else b"",
        _bytes(root, row["mask"]) if row["mask"] is not None else None,
    )


def _bytes(root: Path, name: str) -> bytes:
    try:
        with open(f"{root}/{name}", "rb", buffering=0, opener=_open) as file:
            return file.read() or b""  # an open pipe without data gives None
    except FileNotFoundError as error:
        raise unusable(root, name, "is missing") from error
    except OSError as error:
        raise unusable(root, name, f"cannot be read: {error.strerror}") from error


def _open(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # opening a pipe would block otherwise


def _check(root: Path, images: bool, read: Sequence[Sample]) -> None:
    """Raise UserError if files are not those that the manifest states, or without manifests are no images."""
    for sample in read:
        row = sample.row
        if images:
            _compare(root, row["image"], sample.image, row["bytes"], row["sha256"])
        if sample.mask is not None:
            _compare(root, row["mask"], sample.mask, row["mask_bytes"], row["mask_sha256"])


def _compare(root: Path, name: str, data: bytes, size: int, digest: bytes | None) -> None:
    if len(data) != size:
        found = f"it has {len(data):,} bytes instead of {size:,}"
    elif digest is None and kind_of(data[:HEAD]) not in IMAGES:
        raise unusable(root, name, "is no image")
    elif digest is not None and hashlib.sha256(data).digest() != digest:
        found = "its sha256 is another"
    else:
        return
    raise unusable(root, name, f"is not the file that its manifest states: {found}")


def unusable(root: Path, name: str, problem: str) -> UserError:
    """Return the error of a file that cannot be exported: `problem` continues a sentence."""
    return UserError(f"{root}/{name} {problem}.\n{_advice(root)}")


def _advice(root: Path) -> str:
    return (
        f"`imagenet-s verify {shlex.quote(str(root))}` lists all damage and says how to repair it. Then run "
        "the same command again."
    )
