"""The two kinds of readers of ImageNet's images, and what they have in common.

An `IndexedReader` lists the images of a folder or a tar without reading them. A `StreamingReader` reads a
file that has no index from front to back, such as a compressed tar. `layouts.py` decides which reader fits
a place.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

# Hugging Face's names have the class as a suffix: n01440764_10026_n01440764.JPEG.
IMAGE = re.compile(r"((n\d{8})_\d+|ILSVRC2012_val_\d{8})(?:_n\d{8})?\.jpe?g", re.IGNORECASE | re.ASCII)
WNID = re.compile(r"n\d{8}", re.ASCII)


class Found(NamedTuple):
    """An image in a place: its official name without ending, and its file, or its bytes in an archive."""

    image: str
    path: str
    offset: int | None = None
    size: int | None = None


class StreamedImage(NamedTuple):
    """An image read from a stream: its official name without ending, and the bytes of its file."""

    image: str
    data: bytes


class IndexedReader(Protocol):
    """A reader that lists the images of a place, and where each one is stored, without reading them."""

    def classes(self) -> list[str]:
        """Return the wnids of the classes that have train images, sorted."""
        ...

    def train_images(self, wnids: Sequence[str]) -> Iterator[tuple[str, list[Found]]]:
        """Yield each wnid, in the order given, with the images of its class."""
        ...

    def val_images(self) -> list[Found]:
        """Return the val images."""
        ...


class StreamingReader(Protocol):
    """A reader of a file that has no index: images are found only while it is read from front to back."""

    def stream(self, wanted: Callable[[str], bool]) -> Iterator[StreamedImage]:
        """Yield the images for whose name (without ending) `wanted` is true, in the file's order."""
        ...

    def names(self) -> Iterator[str] | None:
        """Return the names of all images, without ending; None if only reading the whole file tells them."""
        ...


@dataclass
class ScanNotes:
    """What was seen beside the images, and which archives they stand in (path → sizes and mtimes)."""

    whole_folders: dict[str, str] = field(default_factory=dict)  # wnid → folder that is just its images
    unrecognized: list[str] = field(default_factory=list)  # entries that are no image of the class
    duplicates: list[str] = field(default_factory=list)  # second files of an image, not used
    dangling: list[str] = field(default_factory=list)  # links to nothing: path → target
    fingerprints: dict[str, list] = field(default_factory=dict)


def merged(first: list[Found], further: list[Found], seen: ScanNotes) -> list[Found]:
    """The images of two places, those of the first where both have one; what is left aside is noted.

    Except where the first has a file of another size than the second has in an archive: that was cut
    short while it was unpacked.
    """
    if not first:
        return further
    images = {found.image: found for found in first}
    for found in further:
        there = images.setdefault(found.image, found)
        if there == found:
            continue
        if there.offset is None and found.size is not None and os.path.getsize(there.path) != found.size:
            images[found.image], found = found, there
        seen.duplicates.append(found.path if found.offset is None else f"{found.path}: {found.image}")
    return list(images.values())


def image_name(file_name: str) -> str:
    """`n01440764_10026.jpg`, `n01440764_10026_n01440764.JPEG` → `n01440764_10026`, as officially spelt."""
    return matched_name(IMAGE.fullmatch(file_name))


def matched_name(match: re.Match) -> str:
    """The same of a match of `IMAGE`: to match a million names twice takes a second."""
    return match[1].lower().replace("ilsvrc2012", "ILSVRC2012")


def base_name(name: str) -> str:
    """What follows the last slash of a name in an archive."""
    return name.rpartition("/")[2]
