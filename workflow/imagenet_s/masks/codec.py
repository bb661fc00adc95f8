"""Convert a mask between PNG and class ids: id = R + 256·G, and B = 0.

Ids are arrays of shape (height, width), uint16: 0 is other, 1000 is ignore, the rest are the class ids of
one subset. Source of the encoding: the documentation of the official data set.
"""

import hashlib
import struct
from dataclasses import dataclass
from typing import Any

import kornia_rs
import numpy as np
from numpy.typing import NDArray
from zlib_ng import zlib_ng

from imagenet_s.runtime.errors import first_few
from imagenet_s.runtime.image_file import BadImage, TooLarge, refuse_huge
from imagenet_s.runtime.image_file import decode as decode_image
from imagenet_s.runtime.incomplete_image import PNG_SIGNATURE
from imagenet_s.spec.classes import IGNORE

# Looked up on import, so that a version without it fails at once and is not reported as damaged masks.
decode_png = kornia_rs.io.decode_image_png_u8

LEVEL = 6  # of zlib-ng


class BadMask(Exception):
    """A mask that cannot be read or cannot have the requested encoding. The text says why."""


@dataclass(frozen=True)
class Decoded:
    """The content of a mask file.

    Attributes:
        ids: (height, width), uint16; None if the file cannot be read.
        problems: What is wrong with the file, in the words of a message.
        present: The ids that occur, ascending.
        pixels: The number of pixels of each of them.
    """

    ids: NDArray[np.uint16] | None
    problems: tuple[str, ...]
    present: tuple[int, ...] = ()
    pixels: tuple[int, ...] = ()


def decode(png: bytes, classes: int) -> Decoded:
    """Return the ids of a mask of a subset with `classes` classes, and everything that is wrong with it.

    A mask with problems is decoded as far as possible: converted to RGB, and without its blue channel.
    """
    try:
        rgb, mode = pixels_of(png)
    except BadMask as error:
        return Decoded(None, (str(error),))
    ids = ids_of(rgb)
    present, pixels = id_pixels(ids)
    unknown = present[(present > classes) & (present != IGNORE)]
    problems = []
    if mode != "RGB":
        problems.append(f"is not 8-bit RGB but has mode {mode}")
    if rgb[..., 2].any():
        problems.append("has blue pixels")
    if len(unknown):
        problems.append(f"has ids other than 0..{classes} and {IGNORE}: {first_few(unknown)}")
    return Decoded(ids, tuple(problems), tuple(present.tolist()), tuple(pixels.tolist()))


def ids_of_png(png: bytes) -> NDArray[np.uint16]:
    """Return the ids in a PNG in the encoding of masks and predictions, (height, width).

    Raises:
        BadMask: The bytes are not in that encoding.
    """
    return checked_ids(*pixels_of(png))


def checked_ids(rgb: NDArray[np.uint8], mode: str) -> NDArray[np.uint16]:
    """Return the ids of an image, (height, width).

    Args:
        rgb: Its pixels as RGB, (height, width, 3) and contiguous.
        mode: The mode of its file; see `pixels_of`.

    Raises:
        BadMask: The image is not in the encoding of masks and predictions.
    """
    if mode != "RGB":
        raise BadMask(f"is not 8-bit RGB but has mode {mode}")
    if rgb[..., 2].any():
        blue_only = not rgb[..., 0].any()
        raise BadMask("has blue pixels" + (" but no red ones: was it written as BGR?" if blue_only else ""))
    return ids_of(rgb)


def pixels_of(png: bytes) -> tuple[NDArray[np.uint8], str]:
    """Return a PNG's pixels as RGB, and its mode.

    Returns:
        Pixels of shape (height, width, 3), uint8, contiguous; and the file's own mode, which is "RGB" for a
        correct mask.

    Raises:
        BadMask: The file is not a readable PNG or claims to be larger than any mask.
    """
    if not png:
        raise BadMask("is empty")
    if png[:16] == PNG_SIGNATURE + b"\0\0\0\rIHDR" and png[24:26] == b"\x08\x02":
        width, height = struct.unpack_from(">II", png, 16)
        try:
            refuse_huge(width, height)
        except TooLarge as error:
            raise BadMask(str(error)) from error
        # Almost four times as fast as Pillow, and stricter: Pillow accepts a chunk with a wrong CRC and
        # fills missing rows with 0. (The checksum inside the compressed pixels is not checked.)
        try:
            return decode_png(png, (height, width), "rgb"), "RGB"
        except Exception as error:
            if type(error) is not Exception:  # the library raises Exception itself; anything else is a bug
                raise
            reason = str(error).removeprefix("Failed to decode the png image. ")
            raise BadMask(f"is not a readable PNG ({reason})") from error
    mode, rgb = pixels(png, "RGB")
    # Pillow opens 16-bit RGB as RGB too, and keeps only the high bytes.
    return rgb, "RGB;16" if mode == "RGB" and png[24] == 16 else mode


def pixels(png: bytes | memoryview, mode: str | None = None) -> tuple[str, NDArray[Any]]:
    """Return a PNG's own mode, and its pixels as Pillow decodes them, converted to `mode` if one is given.

    Raises:
        BadMask: The file is not a readable PNG or claims to be larger than any mask.
    """
    try:
        own_mode, image = decode_image(png, mode, formats=("PNG",))
    except TooLarge as error:
        raise BadMask(str(error)) from error
    except BadImage as error:
        raise BadMask(f"is not a readable PNG ({error})") from error
    return own_mode, np.asarray(image)


def ids_of(rgb: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Return the ids of RGB pixels, (height, width, 3) and contiguous. Blue is ignored."""
    # A red byte and the green byte after it already form a little-endian number.
    return np.ndarray(rgb.shape[:2], "<u2", rgb, strides=rgb.strides[:2]).astype(np.uint16)


def ids_in(ids: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Return the ids that occur, ascending."""
    return id_pixels(ids)[0]


def id_pixels(ids: NDArray[np.uint16]) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """Return the ids that occur, ascending, and the number of pixels of each."""
    flat = ids.ravel()
    # Runs of equal pixels are few. Sorting all pixels takes ten times as long.
    ends = np.append(np.flatnonzero(flat[1:] != flat[:-1]), flat.size - 1)
    present, of_run = np.unique(flat[ends], return_inverse=True)
    lengths = np.diff(ends, prepend=-1)
    return present, np.bincount(of_run, lengths).astype(np.int64)


def pixels_digest(ids: NDArray[np.uint16]) -> bytes:
    """Return the sha256 of the ids as little-endian uint16, row by row.

    It does not depend on how the PNG is compressed.
    """
    return hashlib.sha256(np.ascontiguousarray(ids, "<u2").data).digest()


def rgb_of(ids: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Return ids as RGB pixels, (height, width, 3)."""
    return np.stack([ids & 255, ids >> 8, np.zeros_like(ids)], axis=-1).astype(np.uint8)


def rgb_png(ids: NDArray[np.uint16]) -> bytes:
    """Return a PNG in the encoding of masks and predictions: 8-bit RGB, id = R + 256·G."""
    return encode_png(rgb_of(ids))


def encode_png(
    pixels: NDArray[np.uint8] | NDArray[np.uint16], palette: NDArray[np.uint8] | None = None
) -> bytes:
    """Return pixels as a PNG.

    Pillow is not used, because it tries five filters on each row. Without filters, masks are smaller and
    take a fifth of the time.

    Args:
        pixels: (height, width), grey levels or indices into the palette; or (height, width, 3), uint8, RGB.
        palette: (n, 3), RGB.
    """
    height, width, *channels = pixels.shape
    data = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder(">")).view(np.uint8).reshape(height, -1)
    rows = np.zeros((height, 1 + data.shape[1]), np.uint8)  # the first byte of a row: no filter
    rows[:, 1:] = data
    kind = 2 if channels else 0 if palette is None else 3
    header = struct.pack(">IIBBBBB", width, height, 8 * pixels.itemsize, kind, 0, 0, 0)
    table = b"" if palette is None else _chunk(b"PLTE", palette.tobytes())
    body = _chunk(b"IDAT", zlib_ng.compress(rows, LEVEL))
    return b"".join((PNG_SIGNATURE, _chunk(b"IHDR", header), table, body, _chunk(b"IEND", b"")))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib_ng.crc32(name + data))
