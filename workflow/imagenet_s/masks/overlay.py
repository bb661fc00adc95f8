"""Masks as layers to draw over their images: classes in their colours, and what a prediction got wrong.

A layer is RGBA, (height, width, 4), uint8. Regions have a black outline, which shows on all colours of
`overlay_colors`, and ignored pixels are hatched in black and white.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imagenet_s.masks.codec import id_pixels
from imagenet_s.masks.palette import overlay_colors
from imagenet_s.spec.classes import IGNORE, OTHER

OPACITY = 0.6  # of a region over its image; outlines are opaque
STRIPE = 3  # pixels in a row from one stripe of a hatched region to the next


class Outcome(NamedTuple):
    """What a prediction may come to at a pixel, and its colour in a difference."""

    name: str
    color: tuple[int, int, int]


# In the order of `difference_layer`. The colours can be told apart by people who are colour-blind; source:
# M. Okabe and K. Ito, "Color Universal Design", 2008, https://jfly.uni-koeln.de/color/.
OUTCOMES = (
    Outcome("right", (86, 180, 233)),
    Outcome("another class", (213, 94, 0)),
    Outcome("missed", (240, 228, 66)),
    Outcome("only predicted", (204, 121, 167)),
)


def class_layer(ids: NDArray[np.uint16], subset: int) -> NDArray[np.uint8]:
    """Return a mask as a layer. Background and ids without a class are transparent.

    Args:
        ids: The mask, (height, width).
        subset: The subset that the ids are of.
    """
    known = np.where((ids <= subset) | (ids == IGNORE), ids, OTHER)
    return _layer(known, overlay_colors(subset), known == IGNORE)


def difference_layer(
    truth: NDArray[np.uint16], prediction: NDArray[np.uint16], subset: int
) -> NDArray[np.uint8]:
    """Return a layer with the outcome at each pixel, hatched where the truth is ignored.

    Background that is predicted as such is transparent. Ids without a class count as background, as in the
    scores: they match nothing.

    Args:
        truth: The true mask, (height, width).
        prediction: The predicted one.
        subset: The subset that the ids are of.
    """
    true = (truth > OTHER) & (truth <= subset)
    predicted = (prediction > OTHER) & (prediction <= subset)
    right = true & (truth == prediction)
    ignored = truth == IGNORE
    cases = [ignored, right, true & predicted, true, predicted]
    codes = np.select(cases, [5, 1, 2, 3, 4], 0).astype(np.uint16)
    table = np.array([(0, 0, 0), *(outcome.color for outcome in OUTCOMES), (255, 255, 255)], np.uint8)
    return _layer(codes, table, ignored)


def over_grey(picture: NDArray[np.uint8], layer: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return an image, (height, width, 3), in grey under a layer."""
    grey = picture.mean(axis=2, keepdims=True)
    alpha = layer[..., 3:] / 255
    shown: NDArray[np.uint8] = ((1 - alpha) * grey + alpha * layer[..., :3]).astype(np.uint8)
    return shown


def overlaid(picture: NDArray[np.uint8], ids: NDArray[np.uint16], subset: int) -> NDArray[np.uint8]:
    """Return an image in grey under the colours of its classes, (height, width, 3).

    Args:
        picture: The image, (height, width, 3).
        ids: Its mask, (height, width).
        subset: The subset that the ids are of.
    """
    return over_grey(picture, class_layer(ids, subset))


def nearest(ids: NDArray[np.uint16], shape: tuple[int, int]) -> NDArray[np.uint16]:
    """Return a mask, (height, width), at another shape, each pixel with the id of the nearest one."""
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype(np.intp)
        for old, new in zip(ids.shape, shape, strict=True)
    )
    return ids[np.ix_(rows, columns)]


def largest_ids(ids: NDArray[np.uint16]) -> list[int]:
    """Return the ids that occur in a mask, (height, width), the one with the most pixels first."""
    present, pixels = id_pixels(ids)
    return [int(number) for number in present[np.argsort(-pixels, kind="stable")]]


def hatching(height: int, width: int) -> NDArray[np.uint8]:
    """Return the grey levels of diagonal stripes, (height, width): black and white."""
    stripes = np.add.outer(np.arange(height), np.arange(width)) // STRIPE
    return np.where(stripes % 2, 0, 255).astype(np.uint8)


def _layer(
    codes: NDArray[np.uint16], table: NDArray[np.uint8], hatched: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Return regions as a layer.

    Args:
        codes: The region of each pixel, (height, width); 0 is transparent.
        table: The colour of each region, (n, 3).
        hatched: The pixels with stripes instead, (height, width).
    """
    layer = np.zeros((*codes.shape, 4), np.uint8)
    layer[..., :3] = table[codes]
    layer[hatched, :3] = hatching(*codes.shape)[hatched, None]
    layer[..., 3] = np.where(codes > 0, round(OPACITY * 255), 0)
    edges = np.zeros(codes.shape, bool)
    edges[1:] |= codes[1:] != codes[:-1]
    edges[:, 1:] |= codes[:, 1:] != codes[:, :-1]
    layer[edges] = 0, 0, 0, 255
    return layer
