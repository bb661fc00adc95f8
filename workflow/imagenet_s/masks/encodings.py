"""Other encodings of a mask: `id16`, `id8`, `color`, `binary`.

An encoder takes ids, (height, width) and uint16, their subset, and the wnid of the class folder.
"""

import numpy as np
from numpy.typing import NDArray

from imagenet_s.masks.codec import BadMask, encode_png, ids_in
from imagenet_s.masks.palette import colors
from imagenet_s.spec.classes import IGNORE, class_ids


def id16(ids: NDArray[np.uint16], subset: int, wnid: str) -> bytes:
    """Return a PNG with one 16-bit channel: the ids unchanged."""
    return encode_png(ids)


def id8(ids: NDArray[np.uint16], subset: int, wnid: str) -> bytes:
    """Return a PNG with one 8-bit channel: the ids, with 255 for ignore.

    This is possible for up to 254 classes, so only for subset 50.

    Raises:
        BadMask: Another id is above 254.
    """
    if ((ids > 254) & (ids != IGNORE)).any():
        raise BadMask("has ids above 254")
    values = ids.astype(np.uint8)
    values[ids == IGNORE] = 255
    return encode_png(values)


def binary(ids: NDArray[np.uint16], subset: int, wnid: str) -> bytes:
    """Return a PNG with one 8-bit channel: 255 for the class `wnid`, 128 for ignore, 0 elsewhere."""
    values = np.zeros(ids.shape, np.uint8)
    values[ids == IGNORE] = 128
    values[ids == class_ids(subset)[wnid]] = 255
    return encode_png(values)


def color(ids: NDArray[np.uint16], subset: int, wnid: str) -> bytes:
    """Return a palette PNG for viewing: each class in its fixed colour, ignore white, other black.

    Raises:
        BadMask: There are more than 256 ids, or an id is above 1000.
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
