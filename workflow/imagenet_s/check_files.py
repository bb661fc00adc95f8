"""Which of the files that a copy has are not what they must be, by their sizes or by every byte."""

import os
import tempfile
from functools import cache, partial
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa

from imagenet_s.classes import class_ids
from imagenet_s.expected import IMAGE, MASK, cut_short
from imagenet_s.images import Reader, pixel_size
from imagenet_s.labels import encoded
from imagenet_s.listing import Row
from imagenet_s.mask import BadMask, decode, ids_of, pixels, pixels_digest, pixels_of
from imagenet_s.subsets import mask_of, subset_of
from imagenet_s.workers import in_chunks
from imagenet_s.zips import MOST_BYTES

AT_ONCE = 1024  # files of a task


def check_files(
    root: Path, subset: int, level: str, files: pa.Table, workers: int
) -> list[tuple[str, str, int]]:
    """(path, kind of damage or "", bytes read) of each file, those right and unread left out."""
    with tempfile.TemporaryDirectory() as folder:
        # The processes read their rows from a file in the cache of the system: to send them takes longer.
        rows = f"{folder}/rows.arrow"
        with pa.OSFile(rows, "wb") as sink, pa.ipc.new_file(sink, files.schema) as writer:
            writer.write_table(files)
        numbers = range(len(files))
        del files
        task = partial(_check_rows, rows, root, subset, level)
        what = f"Checking {subset_of(subset).name}"
        return in_chunks(task, numbers, workers, what, "files", AT_ONCE)


@cache
def _rows(path: str) -> pa.Table:
    return pa.ipc.open_file(pa.memory_map(path)).read_all()


def _check_rows(rows: str, root: Path, subset: int, level: str, some: range) -> list[tuple[str, str, int]]:
    found, read = [], 0
    with Reader() as reader:
        for row in _rows(rows).slice(some.start, len(some)).to_pylist():
            kind, count = _check(f"{root}/{row['path']}", row, subset, level, reader)
            read += count
            if kind:
                found.append((row["path"], kind, 0))
    return [*found, ("", "", read)]


def _check(path: str, row: dict, subset: int, level: str, reader: Reader) -> tuple[str, int]:
    """(kind of damage or "", bytes read) of one file."""
    try:
        size = os.stat(path).st_size
        if not size:
            return "truncated", 0
        if row["bytes"] not in (None, size):
            return _other_size(path, size, row), 0
        if level != "sha256":
            return "", 0
        if row["sha256"] is None and row["kind"] == IMAGE:
            return "", 0  # nothing is known of its bytes
        data = reader.read(Row("", "", path))
    except FileNotFoundError:
        return "missing", 0
    except OSError:
        return "unreadable", 0
    if row["sha256"] is None:
        legal = _legal_mask if row["kind"] == MASK else _legal_label
        return legal(data, path, row["path"], subset), len(data)
    if sha256(data).hexdigest() == row["sha256"]:
        return "", len(data)
    if row["kind"] == MASK and _same_pixels(bytes(data), row):
        return "pixels_equal", len(data)
    # Where the size is not known, the end must tell.
    cut = row["bytes"] is None and cut_short(path)
    return "truncated" if cut else "changed", len(data)


def _other_size(path: str, size: int, row: dict) -> str:
    """Which damage a file of another size has."""
    if row["kind"] == MASK and size < MOST_BYTES:
        with open(path, "rb") as file:
            if _same_pixels(file.read(), row):
                return "pixels_equal"
    return "truncated" if size < row["bytes"] and cut_short(path) else "changed"


def _same_pixels(png: bytes, row: dict) -> bool:
    try:
        ids = ids_of(pixels_of(png)[0])
    except BadMask:
        return False
    return pixels_digest(ids).hex() == row["pixels_sha256"]


def _legal_label(data: memoryview, path: str, label: str, subset: int) -> str:
    """Whether a label of which no digest is known is what its mask says, if that can be told."""
    mask, encoding = mask_of(label)
    try:
        found = pixels(data)[1]
    except BadMask:
        return "truncated" if cut_short(path) else "unreadable"
    try:
        with open(_plain(path.removesuffix(label) + mask), "rb") as file:
            png = encoded(file.read(MOST_BYTES), subset, mask, encoding)
    except (OSError, BadMask):
        return ""  # told of the mask
    return "" if np.array_equal(found, pixels(png)[1]) else "changed"


def _plain(path: str) -> str:
    """`path`, if a file is there. Raises OSError for a pipe, which would be waited for."""
    if not os.path.isfile(path):
        raise FileNotFoundError(path)
    return path


def _legal_mask(data: memoryview, path: str, mask: str, subset: int) -> str:
    """Whether a mask of which no digest is known is one, for its image."""
    decoded = decode(bytes(data), len(class_ids(subset)))
    if decoded.ids is None:
        return "truncated" if cut_short(path) else "unreadable"
    image = path.replace("-segmentation/", "/").removesuffix(".png") + ".JPEG"
    try:
        with open(_plain(image), "rb") as file:
            width, height = pixel_size(file.read(1 << 20))
    except OSError:
        width = None  # told elsewhere
    sizes_differ = width is not None and (height, width) != decoded.ids.shape
    return "changed" if decoded.problems or sizes_differ else ""
