"""The pictures of a gallery: a small one of each image, and one of its mask to lie over it.

A page that is opened from a file cannot read pixels, so all pictures are made beforehand. Each image and each
mask is read and decoded once.
"""

import hashlib
import re
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from imagenet_s.benchmark.scoring.predictions import file_bytes
from imagenet_s.copies.copy import Copy, open_copy
from imagenet_s.gallery.choose import Choice, Sample, choose
from imagenet_s.io.receipts import write_receipt
from imagenet_s.masks.codec import decode as decode_mask
from imagenet_s.masks.overlay import class_layer, largest_ids
from imagenet_s.runtime.image_file import BadImage, decode, pixel_size
from imagenet_s.runtime.parallel import map_chunks
from imagenet_s.spec.gallery import job_classes

SIDE = 320  # pixels of the longer side of an image's picture
MASK_SIDE = 500  # of that of a mask: it is also shown over the image itself
QUALITY, EFFORT = 75, 2  # of WebP
PLAIN_NAME = re.compile(r"[A-Za-z0-9_]{1,80}")
CLASSES_AT_ONCE = 2

PICTURES = "pictures"  # the folder


class Picture(TypedDict):
    """What a gallery knows of a sample, besides its row in the manifest.

    Attributes:
        name: The name of its page and of its pictures, without ending, unique in its class.
        split: Its split.
        row: Its row; digests are hex.
        size: Width and height of the image in pixels; None if its header cannot be read.
        bytes: The size of the image file; None if it cannot be read.
        sha256: The digest of the image file, hex; None if it cannot be read.
        problem: Why there is no picture of the image, as the end of a sentence; None if there is one.
        mask_size: Width and height of the mask in pixels; None if there is no picture of it.
        mask_problems: What is wrong with the mask.
        ids: The ids in the mask and the number of pixels of each, the largest first.
    """

    name: str
    split: str
    row: dict[str, Any]
    size: tuple[int, int] | None
    bytes: int | None
    sha256: str | None
    problem: str | None
    mask_size: tuple[int, int] | None
    mask_problems: list[str]
    ids: list[tuple[int, int]]


class ClassPictures(TypedDict):
    """The pictures of a class."""

    wnid: str
    pictures: list[Picture]


class ClassSamples(NamedTuple):
    """A class and the samples of it that are shown."""

    wnid: str
    samples: list[Sample]


class Mask(NamedTuple):
    """What is known of a mask: the fields of `Picture`."""

    size: tuple[int, int] | None
    problems: list[str]
    ids: list[tuple[int, int]]


NO_MASK = Mask(None, [], [])


def pictures_job(tree: Path, subset: int, choice: Choice, job: int, folder: Path, receipt: Path) -> None:
    """Make the pictures of the classes of one job, and its receipt, which holds a `ClassPictures` of each."""
    made = make_pictures(open_copy(tree, subset), choice, job_classes(subset, job), folder, 1)
    write_receipt(receipt, {"classes": made}, folder)


def make_pictures(
    copy: Copy, choice: Choice, wnids: Sequence[str], folder: Path, workers: int
) -> list[ClassPictures]:
    """Replace the pictures of some classes in the folder of a gallery.

    Raises:
        UserError: The samples are not known. Images and masks that cannot be shown are no error.
    """
    chosen = choose(copy, choice, wnids)
    classes = [ClassSamples(wnid, chosen[wnid]) for wnid in wnids]
    return map_chunks(
        partial(_pictures_of, copy.root, copy.subset, folder / PICTURES),
        classes,
        workers,
        f"gallery: {copy.name}",
        "classes",
        CLASSES_AT_ONCE,
    )


def _pictures_of(
    root: Path, subset: int, folder: Path, classes: Sequence[ClassSamples]
) -> list[ClassPictures]:
    """Make the pictures of some classes, each in a folder of its own, which is emptied first."""
    made: list[ClassPictures] = []
    for wnid, samples in classes:
        shutil.rmtree(folder / wnid, ignore_errors=True)
        (folder / wnid).mkdir(parents=True)
        pictures = [_picture(root, subset, folder / wnid, sample) for sample in samples]
        made.append({"wnid": wnid, "pictures": pictures})
    return made


def _picture(root: Path, subset: int, folder: Path, sample: Sample) -> Picture:
    row = {name: value.hex() if isinstance(value, bytes) else value for name, value in sample.row.items()}
    name = f"{sample.split}-{_page_name(row['image'])}"
    data, size, problem = b"", None, None
    try:
        data = file_bytes(root / row["image"])
        width, height = pixel_size(data)
        size = (width, height) if width and height else None
        _shrunk(data).save(folder / f"{name}.webp", quality=QUALITY, method=EFFORT)
    except (BadImage, OSError) as error:
        problem = _reason(error)
    mask = _mask(root, subset, folder / f"{name}.mask.webp", row["mask"]) if row["mask"] else NO_MASK
    if size and mask.size and mask.size != size:
        sizes = (f"{width} × {height} pixels" for width, height in (mask.size, size))
        mask.problems.append(f"is not as large as its image: {' and '.join(sizes)}")
    return {
        "name": name,
        "split": sample.split,
        "row": row,
        "size": size,
        "bytes": len(data) if data else None,
        "sha256": hashlib.sha256(data).hexdigest() if data else None,
        "problem": problem,
        "mask_size": mask.size,
        "mask_problems": mask.problems,
        "ids": mask.ids,
    }


def _reason(error: BadImage | OSError) -> str:
    """Return what is wrong with a file, in words that continue a sentence about it."""
    return (
        f"cannot be read: {error.strerror}" if isinstance(error, OSError) else f"cannot be decoded: {error}"
    )


def _page_name(image: str) -> str:
    """Return the name of an image without folder and ending, or a digest of its path if that is not plain."""
    stem = image.rpartition("/")[2].rpartition(".")[0]
    if PLAIN_NAME.fullmatch(stem):
        return stem
    return hashlib.sha256(image.encode(errors="replace")).hexdigest()[:16]


def _shrunk(data: bytes) -> Image.Image:
    """Return an image that fits into a square of `SIDE` pixels."""
    image = decode(data, "RGB", draft=SIDE).image
    image.thumbnail((SIDE, SIDE), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return image


def _mask(root: Path, subset: int, path: Path, name: str) -> Mask:
    """Write the picture of a mask, and return what is known of the mask."""
    try:
        decoded = decode_mask(file_bytes(root / name), subset)
    except OSError as error:
        return Mask(None, [_reason(error)], [])
    if decoded.ids is None:
        return Mask(None, list(decoded.problems), [])
    layer = class_layer(_fewer_pixels(decoded.ids), subset)
    layer[..., 3] = np.where(layer[..., 3], 255, 0)  # pages make it transparent
    Image.fromarray(layer).save(path, lossless=True, quality=0, method=0)
    pixels = dict(zip(decoded.present, decoded.pixels, strict=True))
    height, width = decoded.ids.shape
    ids = [(number, pixels[number]) for number in largest_ids(decoded.ids)]
    return Mask((width, height), list(decoded.problems), ids)


def _fewer_pixels(ids: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Return every n-th row and column of a mask, so that its sides are at most about `MASK_SIDE` pixels."""
    longer = max(ids.shape)
    if longer <= MASK_SIDE:
        return ids
    rows, columns = (np.arange(side * MASK_SIDE // longer or 1) * longer // MASK_SIDE for side in ids.shape)
    return ids[np.ix_(rows, columns)]
