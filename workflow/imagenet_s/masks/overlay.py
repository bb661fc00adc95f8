"""A mask drawn over its image."""

import numpy as np
from numpy.typing import NDArray

from imagenet_s.masks.codec import id_pixels
from imagenet_s.masks.palette import colors
from imagenet_s.spec.classes import IGNORE, OTHER

OPACITY = 0.6  # of the colour of a class over its image


def overlaid(picture: NDArray[np.uint8], ids: NDArray[np.uint16], subset: int) -> NDArray[np.uint8]:
    """Return an image in grey under the colours of its classes, (height, width, 3).

    Ignored pixels are white. Background and unknown ids have no colour.

    Args:
        picture: The image, (height, width, 3).
        ids: Its mask, (height, width).
        subset: The subset that the ids are of.
    """
    tint = colors(subset)[np.where(ids > IGNORE, OTHER, ids)]
    grey = picture.mean(axis=2, keepdims=True)
    mixed = (1 - OPACITY) * grey + OPACITY * tint
    shown: NDArray[np.uint8] = np.where(tint.any(axis=2, keepdims=True), mixed, grey).astype(np.uint8)
    return shown


def largest_ids(ids: NDArray[np.uint16]) -> list[int]:
    """Return the ids that occur in a mask, (height, width), the one with the most pixels first."""
    present, pixels = id_pixels(ids)
    return [int(number) for number in present[np.argsort(-pixels, kind="stable")]]
