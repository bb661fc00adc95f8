"""Read and write one mask."""

from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from imagenet_s.benchmark.scoring.predictions import file_bytes
from imagenet_s.io.atomic import atomic_write
from imagenet_s.masks.codec import BadMask, checked_ids, ids_of_png, pixels, rgb_png
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.incomplete_image import PNG_SIGNATURE

GREY_16_BITS = b"\x10\x00"  # bit depth and colour type in the header of a PNG


def read_mask(mask: str | PathLike[str] | Image.Image) -> NDArray[np.uint16]:
    """Return the ids of a mask, (height, width): 0 is other, 1000 ignore, the rest are class ids.

    Args:
        mask: The path of a mask or a prediction, or the image that another program has read from it. Its
            encoding is the official one, 8-bit RGB with id = R + 256·G, or `id16`: no other encoding is
            16-bit grey.

    Raises:
        UserError: It is no mask in one of these encodings.
    """
    name = "The image" if isinstance(mask, Image.Image) else str(mask)
    try:
        return _ids_of_image(mask) if isinstance(mask, Image.Image) else _ids_of_file(Path(mask))
    except BadMask as error:
        raise UserError(
            f"{name} {error}. A mask is an 8-bit RGB PNG with id = R + 256·G and B = 0, or a 16-bit grey one."
        ) from error


def _ids_of_file(path: Path) -> NDArray[np.uint16]:
    png = file_bytes(path)
    if png.startswith(PNG_SIGNATURE) and png[24:26] == GREY_16_BITS:
        return pixels(png)[1].astype(np.uint16)
    return ids_of_png(png)


def _ids_of_image(image: Image.Image) -> NDArray[np.uint16]:
    if image.mode == "I;16":
        return np.asarray(image).astype(np.uint16)
    return checked_ids(np.asarray(image.convert("RGB")), image.mode)


def write_mask(path: str | PathLike[str], ids: ArrayLike) -> None:
    """Write ids as a PNG in the official encoding, in which predictions are scored and submitted, too.

    Missing folders are made. The file has its name only when it is complete.

    Args:
        path: The PNG to write.
        ids: (height, width), integers from 0 to 65535.

    Raises:
        ValueError: The ids have another shape, type or range.

    Example:
        >>> imagenet_s.write_mask("mine/n01443537/ILSVRC2012_val_00004677.png", [[0, 1], [1, 1000]])
        >>> imagenet_s.read_mask("mine/n01443537/ILSVRC2012_val_00004677.png")
        array([[   0,    1],
               [   1, 1000]], dtype=uint16)
    """
    png = rgb_png(ids_of_array(ids))
    with atomic_write(Path(path)) as partial:
        partial.write_bytes(png)


def ids_of_array(ids: ArrayLike) -> NDArray[np.uint16]:
    """Return ids as uint16, which no other number may become.

    Raises:
        ValueError: The ids have another shape than (height, width), or another type or range.
    """
    array = np.asarray(ids)
    if array.ndim != 2 or not array.size:
        raise ValueError(f"Expected ids of shape (height, width); found {array.shape}.")
    if not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"Expected ids as integers; found {array.dtype}.")
    low, high = int(array.min()), int(array.max())
    if low < 0 or high > 65535:
        raise ValueError(f"Expected ids from 0 to 65535; found {low} to {high}.")
    return array.astype(np.uint16)
