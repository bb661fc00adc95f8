"""A mask as a picture to lie over its image."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from imagenet_s.masks.palette import colors
from imagenet_s.spec.classes import IGNORE, OTHER

LINE = 2  # pixels: the width of each of the two lines around ignored regions
WHITE, BLACK = (255, 255, 255, 255), (0, 0, 0, 255)


def layer(ids: NDArray[np.uint16], subset: int) -> NDArray[np.uint8]:
    """Return a mask as a picture: RGBA, (height, width, 4).

    Classes have their opaque colours, and all else is transparent. Ignored regions are outlined, inside their
    border, by a white and a black line, so that one of them shows on any image.

    Args:
        ids: The mask, (height, width).
        subset: The subset that the ids are of.
    """
    tint = colors(subset)[np.where(ids >= IGNORE, OTHER, ids)]
    shown = np.dstack([tint, np.where(tint.any(axis=2), 255, 0).astype(np.uint8)])
    ignored = ids == IGNORE
    if ignored.any():
        inside = binary_erosion(ignored, iterations=LINE, border_value=1)
        shown[ignored & ~inside] = WHITE
        shown[inside & ~binary_erosion(inside, iterations=LINE, border_value=1)] = BLACK
    return shown
