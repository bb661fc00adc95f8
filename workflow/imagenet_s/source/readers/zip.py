"""Images in zips: Kaggle's whole ImageNet, or a zip of train and one of val, as people pack them.

Only the central directory is read. An image is known by its file name alone, so it does not matter in which
folders of the zip train and val are. Other members, such as annotations and test images, are skipped.
"""

from array import array
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from imagenet_s.io.split_file import SplitFile, fingerprint
from imagenet_s.io.tables import table_of
from imagenet_s.io.tar_headers import MAX_IMAGE_BYTES
from imagenet_s.io.zip_directory import BadZip, Directory, Entry, find_directory, read_entries
from imagenet_s.io.zip_reader import LOCAL, why_unsafe
from imagenet_s.runtime.errors import UserError
from imagenet_s.source.readers.base import IMAGE, ImageLocation, ScanNotes, base_name, image_name
from imagenet_s.source.tar_index import Index

BATCH = 1 << 16  # images that are kept as Python objects at a time
VAL = ""  # stands for the class of val images, which their names do not tell
COLUMNS: dict[str, pa.DataType] = {
    "image": pa.string(),  # official name
    "offset": pa.int64(),  # of the member's header in the zip, in bytes
    "size": pa.int64(),  # in bytes
    "packed": pa.int64(),  # compressed size in bytes
    "method": pa.int8(),  # number of the compression method
    "crc": pa.uint32(),  # CRC-32 of the image
}
IMAGES = pa.schema(COLUMNS)


class Zip:
    """A zip with train images, val images or both."""

    def __init__(self, path: Path, notes: ScanNotes, index: Index):
        self.archive, self.index = path, index
        notes.fingerprints[str(path)] = fingerprint(path)

    def classes(self) -> list[str]:
        """Return the wnids of the classes that have train images, sorted."""
        return sorted(self._by_class().keys() - {VAL})

    def train_images(self, wnids: Sequence[str]) -> Iterator[tuple[str, list[ImageLocation]]]:
        """Yield each wnid with the images of its class."""
        by_class = self._by_class()
        for wnid in wnids:
            yield wnid, self._images(by_class.get(wnid))

    def val_images(self) -> list[ImageLocation]:
        """Return the val images."""
        return self._images(self._by_class().get(VAL))

    def _by_class(self) -> dict[str, pa.Table]:
        return self.index.zip_images(str(self.archive), lambda: _read(self.archive))

    def _images(self, table: pa.Table | None) -> list[ImageLocation]:
        """Return the images of a class.

        Raises:
            UserError: An image is there twice, with different bytes.
        """
        if table is None:
            return []
        images: dict[str, ImageLocation] = {}
        path = str(self.archive)
        for image, *where in zip(*table.to_pydict().values(), strict=True):
            location = ImageLocation(image, path, *where)
            first = images.setdefault(image, location)
            if (first.size, first.crc) != (location.size, location.crc):
                raise UserError(
                    f"{path} holds {image}.JPEG twice, with different bytes: at byte {first.offset:,} "
                    f"({first.size:,} bytes) and at byte {location.offset:,} ({location.size:,} bytes). "
                    "Which one is right cannot be known; get the zip again."
                )
        return list(images.values())


def _read(path: Path) -> dict[str, pa.Table]:
    """Return wnid, or `VAL` → its images in a zip, as a table of `IMAGES`.

    Raises:
        UserError: The zip is not complete, is damaged, or has an image that cannot be read.
    """
    try:
        with SplitFile(path) as file:
            directory = find_directory(file)
            images = _Images(path, directory)
            for entry in read_entries(file, directory):
                images.add(entry)
            return images.by_class()
    except BadZip as error:
        raise UserError(
            f"{path} cannot be read as a zip: {error}. Let the download finish, or get it again."
        ) from error


class _Images:
    """The images among the entries of a central directory, in arrays: an object for each takes too much."""

    def __init__(self, path: Path, directory: Directory):
        self.path, self.directory = path, directory
        self.starts, self.stops = array("q"), array("q")  # the bytes of each member, at least
        self.rows: list[tuple[str, int, int, int, int, int]] = []  # the last `BATCH` images at most
        self.batches: list[pa.Table] = []  # the images before
        self.numbers: dict[str, int] = {}  # class → its number
        self.classes = array("i")  # the number of each image's class

    def add(self, entry: Entry) -> None:
        """Add a member, if it is an image.

        Raises:
            BadZip: The member lies outside of the zip.
            UserError: The member is an image that cannot be read.
        """
        stop = entry.offset + LOCAL.size + entry.packed
        if stop > self.directory.start:
            raise BadZip(f"its member {entry.name!r} lies outside of it")
        self.starts.append(entry.offset)
        self.stops.append(stop)
        match = IMAGE.fullmatch(base_name(entry.name.replace("\\", "/")))
        if not match:
            return
        if why := why_unsafe(entry, MAX_IMAGE_BYTES):
            raise UserError(
                f"{self.path}: its member {entry.name!r} {why}. Get another zip, or unpack this one and set "
                "`imagenet` to the folder."
            )
        wnid = (match[2] or VAL).lower()
        self.classes.append(self.numbers.setdefault(wnid, len(self.numbers)))
        self.rows.append((image_name(match), entry.offset, entry.size, entry.packed, entry.method, entry.crc))
        if len(self.rows) == BATCH:
            self._end_batch()

    def by_class(self) -> dict[str, pa.Table]:
        """Return class → its images, in the order of the zip. Raise BadZip if members overlap."""
        self._require_apart()
        self._end_batch()
        classes = np.frombuffer(self.classes, np.intc)
        order = np.argsort(classes, kind="stable")
        images = pa.concat_tables(self.batches).take(order)
        bounds = np.searchsorted(classes[order], range(len(self.numbers) + 1)).tolist()
        slices = (images.slice(start, stop - start) for start, stop in pairwise(bounds))
        return dict(zip(self.numbers, slices, strict=True))

    def _end_batch(self) -> None:
        self.batches.append(table_of(self.rows, IMAGES))
        self.rows = []

    def _require_apart(self) -> None:
        starts, stops = (np.frombuffer(offsets, np.int64) for offsets in (self.starts, self.stops))
        order = np.argsort(starts)
        overlaps = np.flatnonzero(stops[order[:-1]] > starts[order[1:]])
        if overlaps.size:
            one, other = starts[order[overlaps[0] :][:2]].tolist()
            raise BadZip(f"its members at byte {one:,} and at byte {other:,} overlap")
