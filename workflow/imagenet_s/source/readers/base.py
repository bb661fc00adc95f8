"""Places that hold images of ImageNet, and what their readers have in common.

A reader that can look before it reads has `train_images(wnids)`, which gives the images of some classes,
and `val_images()`: `folder.py`, `tar.py`. One that must read from front to back (`one_pass`) has
`stream(wanted)`, and perhaps `names()`, where these can be had for little: `compressed_tar.py`, `parquet.py`.
Which reader serves what is said in `layouts.py`.
"""

import os
import re
from dataclasses import dataclass, field
from typing import NamedTuple

# Hugging Face's names have the class as a suffix: n01440764_10026_n01440764.JPEG.
IMAGE = re.compile(r"((n\d{8})_\d+|ILSVRC2012_val_\d{8})(?:_n\d{8})?\.jpe?g", re.IGNORECASE | re.ASCII)
WNID = re.compile(r"n\d{8}", re.ASCII)


class Found(NamedTuple):
    """An image in a place: its official name without ending, and its file, or its bytes in an archive."""

    image: str
    path: str
    offset: int | None = None
    size: int | None = None


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
