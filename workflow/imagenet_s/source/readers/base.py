"""The two kinds of readers of ImageNet's images, and what they have in common.

An `IndexedReader` lists the images of a folder or a tar without reading them. A `StreamingReader` reads a
file that has no index from front to back, such as a compressed tar. `layouts.py` decides which reader fits
a place.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from imagenet_s.source.listing import Fingerprints

# Files from Hugging Face have the class as a suffix: n01440764_10026_n01440764.JPEG.
IMAGE = re.compile(r"((n\d{8})_\d+|ILSVRC2012_val_\d{8})(?:_n\d{8})?\.jpe?g", re.IGNORECASE | re.ASCII)
WNID = re.compile(r"n\d{8}", re.ASCII)


class ImageLocation(NamedTuple):
    """Where an image is stored: a file of its own, or `size` bytes from `offset` on in an archive.

    Of an image in a zip, `offset` is that of the member's header, which `packed` compressed bytes follow.
    """

    image: str  # official name, without the file's ending
    path: str
    offset: int | None = None
    size: int | None = None
    packed: int | None = None
    method: int | None = None
    crc: int | None = None

    @property
    def where(self) -> str:
        """The image for a message: its file, or its archive and its name there."""
        return self.path if self.offset is None else f"{self.path}: {self.image}"

    def stored_bytes(self) -> int:
        """Return the size of the image in bytes. A file is asked for it."""
        return os.path.getsize(self.path) if self.size is None else self.size


class StreamedImage(NamedTuple):
    """An image read from a stream: its official name, without the file's ending, and the file's bytes."""

    image: str
    data: bytes


class IndexedReader(Protocol):
    """A reader that lists the images of a place, and where each one is stored, without reading them.

    In an archive, an image is at the offset of its first byte: `images.read.Reader` reads there and knows
    nothing of the archive.
    """

    def classes(self) -> list[str]:
        """Return the wnids of the classes that have train images, sorted."""
        ...

    def train_images(self, wnids: Sequence[str]) -> Iterator[tuple[str, list[ImageLocation]]]:
        """Yield each wnid, in the order given, with the images of its class."""
        ...

    def val_images(self) -> list[ImageLocation]:
        """Return the val images."""
        ...


class StreamingReader(Protocol):
    """A reader of a file that has no index: images are found only while it is read from front to back.

    Attributes:
        position: About how many bytes of the file `stream` has read, compressed as they are.
    """

    position: int

    def stream(self, wanted: Callable[[str], bool]) -> Iterator[StreamedImage]:
        """Yield the images for whose name (without ending) `wanted` is true, in the file's order."""
        ...

    def names(self) -> Iterator[str] | None:
        """Return the names of all images, without ending; None if only reading the whole file tells them."""
        ...


@dataclass
class ScanNotes:
    """What a scan finds beside the images, and the fingerprints of the archives that hold them."""

    whole_folders: dict[str, str] = field(default_factory=dict)  # wnid → folder with just the class's images
    unrecognized: list[str] = field(default_factory=list)  # files and folders that are no image of the class
    duplicates: list[str] = field(default_factory=list)  # further files of an image; not used
    differing: list[str] = field(default_factory=list)  # those of another size, with the file that is used
    dangling: list[str] = field(default_factory=list)  # links to nothing, as `path → target`
    fingerprints: Fingerprints = field(default_factory=dict)


def merge_images(
    first: list[ImageLocation], second: list[ImageLocation], notes: ScanNotes
) -> list[ImageLocation]:
    """Return the images of two places. Where both have an image, that of `first` is used, with one exception.

    A file in `first` gives way to an image in an archive of another size: the file was cut short while the
    archive was unpacked. What is not used is added to `notes.duplicates`.
    """
    if not first:
        return second
    images = {location.image: location for location in first}
    add_images(images, second, notes)
    return list(images.values())


def add_images(images: dict[str, ImageLocation], further: Iterable[ImageLocation], notes: ScanNotes) -> None:
    """Add the images of a further place to `images`, by name, as `merge_images` does."""
    for other in further:
        used = images.setdefault(other.image, other)
        if used == other:
            continue
        differ = used.stored_bytes() != other.stored_bytes()
        if differ and used.offset is None and other.offset is not None:
            used, other = other, used
            images[used.image] = used
        note_duplicate(used, other, differ, notes)


def note_duplicate(used: ImageLocation, other: ImageLocation, differ: bool, notes: ScanNotes) -> None:
    """Add a further file of an image to the notes, with both sizes if they `differ`."""
    notes.duplicates.append(other.where)
    if differ:
        sizes = [f"{one.where} ({one.stored_bytes():,} bytes)" for one in (used, other)]
        notes.differing.append(" and ".join(sizes))


def image_name(match: re.Match[str]) -> str:
    """Return the official name, without ending, of a file name that `IMAGE` matches.

    `n01440764_10026.jpg` and `N01440764_10026_n01440764.JPEG` give `n01440764_10026`.
    """
    return match[1].lower().replace("ilsvrc2012", "ILSVRC2012")


def base_name(name: str) -> str:
    """Return what follows the last slash of a name in an archive."""
    return name.rpartition("/")[2]
