"""Which of the files that a copy has are not what they must be, by their sizes or by every byte."""

import os
import tempfile
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from imagenet_s.dataset.encoded_masks import encoded
from imagenet_s.images.read import Reader
from imagenet_s.io.zip_reader import MAX_FILE_BYTES
from imagenet_s.masks.codec import BadMask, decode, ids_of, pixels, pixels_digest, pixels_of
from imagenet_s.runtime.file_kind import HEAD, PICTURES, kind_of
from imagenet_s.runtime.image_file import examine, pixel_size
from imagenet_s.runtime.parallel import map_chunks
from imagenet_s.source.listing import Row
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.subsets import mask_of, subset_of
from imagenet_s.verify.expected import IMAGE, MASK, cut_short

AT_ONCE = 1024  # files of a task


class Checked(NamedTuple):
    """What was found of one file: the kind of its damage, if any, and the bytes that were read.

    `suspect` says why an image of which no digest is known is probably not whole.
    """

    path: str = ""
    kind: str = ""
    read: int = 0
    suspect: str | None = None


def check_files(root: Path, subset: int, level: str, files: pa.Table, workers: int) -> list[Checked]:
    """Return what was found of the files that are damaged or suspect; of all others, the bytes read."""
    with tempfile.TemporaryDirectory() as folder:
        # The processes read their rows from a file in the cache of the system: to send them takes longer.
        rows = f"{folder}/rows.arrow"
        with pa.OSFile(rows, "wb") as sink, pa.ipc.new_file(sink, files.schema) as writer:
            writer.write_table(files)
        numbers = range(len(files))
        del files
        task = partial(_check_rows, rows, root, subset, level)
        what = f"Checking {subset_of(subset).name}"
        return map_chunks(task, numbers, workers, what, "files", AT_ONCE)


@cache
def _rows(path: str) -> pa.Table:
    return pa.ipc.open_file(pa.memory_map(path)).read_all()


def _check_rows(rows: str, root: Path, subset: int, level: str, some: range) -> list[Checked]:
    found, read = [], 0
    with Reader() as reader:
        for row in _rows(rows).slice(some.start, len(some)).to_pylist():
            checked = _check(f"{root}/{row['path']}", row, subset, level, reader)
            read += checked.read
            if checked.kind or checked.suspect:
                found.append(checked._replace(path=row["path"], read=0))
    return [*found, Checked(read=read)]


def _check(path: str, row: dict, subset: int, level: str, reader: Reader) -> Checked:
    """Return what is found of one file, without its path."""
    try:
        size = os.stat(path).st_size
        if not size:
            return Checked(kind="truncated")
        if row["bytes"] not in (None, size):
            return Checked(kind=_other_size(path, size, row))
        if level != "sha256":
            return Checked()
        data = reader.read(Row("", "", path))
    except FileNotFoundError:
        return Checked(kind="missing")
    except OSError:
        return Checked(kind="unreadable")
    checked = Checked(read=len(data))
    if row["sha256"] is None and row["kind"] == IMAGE:
        if kind_of(bytes(data[:HEAD])) not in PICTURES:
            return checked._replace(kind="unreadable")
        return checked._replace(suspect=examine(data).suspect)
    if row["sha256"] is None:
        legal = _legal_mask if row["kind"] == MASK else _legal_label
        return checked._replace(kind=legal(data, path, row["path"], subset))
    if sha256(data).hexdigest() == row["sha256"]:
        return checked
    if row["kind"] == MASK and _same_pixels(bytes(data), row):
        return checked._replace(kind="pixels_equal")
    # Where the size is not known, the end must tell.
    cut = row["bytes"] is None and cut_short(path)
    return checked._replace(kind="truncated" if cut else "changed")


def _other_size(path: str, size: int, row: dict) -> str:
    """Which damage a file of another size has."""
    if row["kind"] == MASK and size < MAX_FILE_BYTES:
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
            png = encoded(file.read(MAX_FILE_BYTES), subset, mask, encoding)
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
