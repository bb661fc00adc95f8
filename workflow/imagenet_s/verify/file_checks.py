"""Checking the contents of files: their sizes, or every byte."""

import os
import tempfile
from contextlib import closing
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from imagenet_s.copies.expected import is_truncated
from imagenet_s.copies.file_tables import IMAGE, MASK
from imagenet_s.dataset.encoded_masks import encode_mask
from imagenet_s.images.reader import Readers
from imagenet_s.io.tar_headers import MAX_IMAGE_BYTES
from imagenet_s.io.zip_reader import MAX_FILE_BYTES
from imagenet_s.masks.codec import BadMask, decode, ids_of, pixels, pixels_digest, pixels_of
from imagenet_s.runtime.file_kind import HEAD, IMAGES, kind_of
from imagenet_s.runtime.image_file import examine, pixel_size
from imagenet_s.runtime.parallel import map_chunks
from imagenet_s.runtime.read_ahead import COMPUTING, map_ahead
from imagenet_s.source.listing import Row
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.subsets import mask_of, subset_of

CHUNK = 1024  # files per task


class Checked(NamedTuple):
    """What a check found about one file; with no path, the bytes that were read of other files."""

    path: str = ""
    kind: str = ""  # of damage; empty if there is none
    read: int = 0  # bytes
    suspect: str | None = None  # why an image of unknown digest is probably incomplete


class ExpectedFile(NamedTuple):
    """A row of `EXPECTED`."""

    path: str
    kind: str
    bytes: int | None
    sha256: str | None
    pixels_sha256: str | None


def check_files(root: Path, subset: int, level: str, files: pa.Table, workers: int) -> list[Checked]:
    """Check files, and return what was found about those that are damaged or suspect.

    Args:
        root: The folder of the copy.
        subset: 50, 300 or 919.
        level: `size` or `sha256`.
        files: The files, a table of `EXPECTED`.
        workers: The number of processes.

    Returns:
        The damaged and suspect files, and entries without a path for the bytes that were read.
    """
    with tempfile.TemporaryDirectory() as folder:
        # The processes read the rows from a file: sending them to each process takes longer.
        rows = f"{folder}/rows.arrow"
        with pa.OSFile(rows, "wb") as sink, pa.ipc.new_file(sink, files.schema) as writer:
            writer.write_table(files)
        numbers = range(len(files))
        del files
        task = partial(_check_rows, rows, root, subset, level)
        what = f"Checking {subset_of(subset).name}"
        return map_chunks(task, numbers, workers, what, "files", CHUNK)


@cache
def _rows(path: str) -> pa.Table:
    return pa.ipc.open_file(pa.memory_map(path)).read_all()


def _check_rows(rows: str, root: Path, subset: int, level: str, numbers: range) -> list[Checked]:
    """Check the files of some rows; the last entry of the result is the number of bytes read."""
    found, read = [], 0
    files = [ExpectedFile(**row) for row in _rows(rows).slice(numbers.start, len(numbers)).to_pylist()]
    with Readers() as readers:
        check = partial(_check, root=root, subset=subset, level=level, readers=readers)
        with closing(map_ahead(check, files)) as results:
            for file, checked in zip(files, results, strict=True):
                read += checked.read
                if checked.kind or checked.suspect:
                    found.append(checked._replace(path=file.path, read=0))
    return [*found, Checked(read=read)]


def _check(file: ExpectedFile, root: Path, subset: int, level: str, readers: Readers) -> Checked:
    """Return what a check of one file finds, without its path."""
    path = f"{root}/{file.path}"
    try:
        size = os.stat(path).st_size
        if not size:
            return Checked(kind="truncated")
        if file.bytes is not None and file.bytes != size:
            return Checked(kind=_size_damage(path, size, file))
        if level != "sha256":
            return Checked()
        if size > MAX_IMAGE_BYTES:
            return Checked(kind="unreadable")
        with readers.read(Row("", "", path)) as data, COMPUTING:
            return _check_bytes(data, path, file, subset)
    except FileNotFoundError:
        return Checked(kind="missing")
    except OSError:
        return Checked(kind="unreadable")


def _check_bytes(data: memoryview, path: str, file: ExpectedFile, subset: int) -> Checked:
    """Return what a check of the bytes of one file, which is at `path`, finds."""
    checked = Checked(read=len(data))
    if file.sha256 is None and file.kind == IMAGE:
        if kind_of(bytes(data[:HEAD])) not in IMAGES:
            return checked._replace(kind="unreadable")
        return checked._replace(suspect=examine(data).suspect)
    if file.sha256 is None:
        damage_of = _mask_damage if file.kind == MASK else _label_damage
        return checked._replace(kind=damage_of(data, path, file.path, subset))
    if sha256(data).hexdigest() == file.sha256:
        return checked
    if file.kind == MASK and _has_same_pixels(bytes(data), file):
        return checked._replace(kind="pixels_equal")
    # If the expected size is unknown, the end of the file decides.
    truncated = file.bytes is None and is_truncated(path)
    return checked._replace(kind="truncated" if truncated else "changed")


def _size_damage(path: str, size: int, file: ExpectedFile) -> str:
    """Return the kind of damage of a file whose size, in bytes, is not the expected one."""
    if file.kind == MASK and size < MAX_FILE_BYTES:
        with open(path, "rb") as png, COMPUTING:
            if _has_same_pixels(png.read(), file):
                return "pixels_equal"
    is_shorter = file.bytes is not None and size < file.bytes
    return "truncated" if is_shorter and is_truncated(path) else "changed"


def _has_same_pixels(png: bytes, file: ExpectedFile) -> bool:
    """Return whether a mask has the expected pixels, though other bytes."""
    try:
        ids = ids_of(pixels_of(png)[0])
    except BadMask:
        return False
    return pixels_digest(ids).hex() == file.pixels_sha256


def _label_damage(data: memoryview, path: str, label: str, subset: int) -> str:
    """Return the kind of damage of a label of unknown digest; empty if its pixels are those of its mask.

    Args:
        data: The bytes of the label.
        path: The path of the label.
        label: Its path in the subset's folder.
        subset: 50, 300 or 919.
    """
    mask, encoding = mask_of(label)
    try:
        found = pixels(data)[1]
    except BadMask:
        return "truncated" if is_truncated(path) else "unreadable"
    try:
        with open(_require_file(path.removesuffix(label) + mask), "rb") as file:
            png = encode_mask(file.read(MAX_FILE_BYTES), subset, mask, encoding)
    except (OSError, BadMask):
        return ""  # the mask is reported instead
    return "" if np.array_equal(found, pixels(png)[1]) else "changed"


def _require_file(path: str) -> str:
    """Return `path`; raise OSError if it is not a regular file, since opening a pipe would block."""
    if not os.path.isfile(path):
        raise FileNotFoundError(path)
    return path


def _mask_damage(data: memoryview, path: str, mask: str, subset: int) -> str:
    """Return the kind of damage of a mask of unknown digest; empty if it is valid and fits its image.

    The arguments are those of `_label_damage`, for a mask.
    """
    decoded = decode(bytes(data), len(class_ids(subset)))
    if decoded.ids is None:
        return "truncated" if is_truncated(path) else "unreadable"
    image = path.replace("-segmentation/", "/").removesuffix(".png") + ".JPEG"
    try:
        with open(_require_file(image), "rb") as file:
            width, height = pixel_size(file.read(1 << 20))
    except OSError:
        width = None  # the image is reported instead
    sizes_differ = width is not None and (height, width) != decoded.ids.shape
    return "changed" if decoded.problems or sizes_differ else ""
