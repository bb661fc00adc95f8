"""The further encodings of a mask: `id16`, `id8`, `color`, `binary`.

An encoder takes ids, (height, width) uint16, their subset, and the wnid of the class folder.
"""

import numpy as np

from imagenet_s.masks.codec import BadMask, encode_png, ids_in
from imagenet_s.masks.palette import colors
from imagenet_s.spec.classes import IGNORE, class_ids


def id16(ids: np.ndarray, subset: int, wnid: str) -> bytes:
    """A PNG of one 16-bit channel: the ids as they are."""
    return encode_png(ids)


def id8(ids: np.ndarray, subset: int, wnid: str) -> bytes:
    """A PNG of one 8-bit channel: the ids, ignore as 255. For up to 254 classes, so for 50 only.

    Raises BadMask for other ids above 254.
    """
    if ((ids > 254) & (ids != IGNORE)).any():
        raise BadMask("has ids above 254")
    values = ids.astype(np.uint8)
    values[ids == IGNORE] = 255
    return encode_png(values)


def binary(ids: np.ndarray, subset: int, wnid: str) -> bytes:
    """A PNG of one 8-bit channel: 255 where the class `wnid` is, 128 for ignore, 0 elsewhere."""
    values = np.zeros(ids.shape, np.uint8)
    values[ids == IGNORE] = 128
    values[ids == class_ids(subset)[wnid]] = 255
    return encode_png(values)


def color(ids: np.ndarray, subset: int, wnid: str) -> bytes:
    """A palette PNG to look at: each class in its fixed colour, ignore white, other black.

    Raises BadMask where more than 256 ids would need one palette, and for ids above 1000.
    """
    present = ids_in(ids)
    if present[-1] > IGNORE:
        raise BadMask(f"has ids above {IGNORE}")
    if len(present) > 256:
        raise BadMask(f"has {len(present)} ids; a palette holds 256")
    index = np.zeros(IGNORE + 1, np.uint8)
    index[present] = np.arange(len(present))
    return encode_png(index[ids], colors(subset)[present])


ENCODERS = {"id16": id16, "id8": id8, "color": color, "binary": binary}
