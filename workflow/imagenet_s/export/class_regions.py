"""The class regions of the masks of a split, for the formats that describe regions."""

import hashlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imagenet_s.copies.copy import Copy
from imagenet_s.export.formats import Making
from imagenet_s.export.source import Sample, Split, read_samples, unusable
from imagenet_s.masks.codec import BadMask, ids_of, pixels_of
from imagenet_s.masks.run_lengths import Region, regions
from imagenet_s.spec.classes import IGNORE, class_ids


class ImageRegions(NamedTuple):
    """The class regions of an image.

    Attributes:
        row: The sample: a row of the split's table.
        size: Height and width of the mask in pixels, or of the image if it has no mask; 0 if unknown.
        regions: The regions of classes of the subset, by class id.
        ignored: The number of pixels that are ignore.
        unknown: The number of pixels whose id is no class of the subset, as official masks may have.
    """

    row: dict[str, Any]
    size: tuple[int, int]
    regions: tuple[Region, ...] = ()
    ignored: int = 0
    unknown: int = 0


def read_regions(split: Split, rows: NDArray[np.int64], making: Making) -> list[ImageRegions]:
    """Return the class regions of images, in the order of `rows`.

    An image whose mask is missing or damaged in the official archive, by the manifest, has no regions.

    Raises:
        UserError: A mask is missing, damaged, or not the one that the manifest states.
    """
    samples = read_samples(split, rows, making.workers, making.bar)
    return [regions_of(split.copy, sample) for sample in samples]


def regions_of(copy: Copy, sample: Sample) -> ImageRegions:
    """Return the class regions of an image; see `read_regions`."""
    row, png = sample.row, sample.mask
    none = ImageRegions(row, (row["height"] or 0, row["width"] or 0))
    if png is None:
        return none
    try:
        ids = ids_of(pixels_of(png)[0])
    except BadMask as error:
        if row["mask_sha256"] == hashlib.sha256(png).digest():
            return none
        raise unusable(copy.root, row["mask"], str(error)) from error
    found = regions(ids)
    of_classes = tuple(region for region in found if region.id <= len(class_ids(copy.subset)))
    unknown = sum(region.area for region in found[len(of_classes) :])
    height, width = ids.shape
    return ImageRegions(row, (height, width), of_classes, int(np.count_nonzero(ids == IGNORE)), unknown)
