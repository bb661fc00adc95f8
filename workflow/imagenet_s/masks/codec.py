"""One mask: PNG pixels to class ids, id = R + 256·G with B = 0, and back.

Ids are arrays (height, width) of uint16: 0 is other, 1000 is ignore, the rest are class ids of one
subset. Source of the encoding: the official data set's documentation.
"""

import hashlib
import struct
from dataclasses import dataclass

import kornia_rs
import numpy as np
from zlib_ng import zlib_ng

from imagenet_s.runtime.errors import first_few
from imagenet_s.runtime.image_file import PNG_SIGNATURE, BadImage, TooLarge, refuse_huge
from imagenet_s.runtime.image_file import decode as decode_image
from imagenet_s.spec.classes import IGNORE

# Looked up here, so that a version without it shows at once, and not as a fault of somebody's masks.
decode_png = kornia_rs.io.decode_image_png_u8

LEVEL = 6  # of zlib-ng


class BadMask(Exception):
    """A mask that cannot be read, or not be encoded as asked; the text says why."""


@dataclass(frozen=True)
class Decoded:
    """A mask file's ids, None where nothing could be read, those present, ascending, and what is odd."""

    ids: np.ndarray | None
    problems: tuple[str, ...]
    present: tuple[int, ...] = ()


def decode(png: bytes, classes: int) -> Decoded:
    """Reads a mask of a subset with `classes` classes and says everything that is odd about it.

    An odd mask is decoded as far as it goes: without its blue, and converted to RGB.
    """
    try:
        rgb, mode = pixels_of(png)
    except BadMask as error:
        return Decoded(None, (str(error),))
    ids = ids_of(rgb)
    present = ids_in(ids)
    unknown = present[(present > classes) & (present != IGNORE)]
    problems = []
    if mode != "RGB":
        problems.append(f"is not 8-bit RGB but of mode {mode}")
    if rgb[..., 2].any():
        problems.append("has blue pixels")
    if len(unknown):
        problems.append(f"has ids other than 0..{classes} and {IGNORE}: {first_few(unknown)}")
    return Decoded(ids, tuple(problems), tuple(present.tolist()))


def pixels_of(png: bytes) -> tuple[np.ndarray, str]:
    """RGB pixels, (height, width, 3) uint8, contiguous, and the mode of the file, RGB if all is well.

    Raises BadMask for what is no readable PNG, and for what claims to be larger than any mask.
    """
    if not png:
        raise BadMask("is empty")
    if png[:16] == PNG_SIGNATURE + b"\0\0\0\rIHDR" and png[24:26] == b"\x08\x02":
        width, height = struct.unpack_from(">II", png, 16)
        try:
            refuse_huge(width, height)
        except TooLarge as error:
            raise BadMask(str(error)) from error
        # Almost four times as fast as Pillow, and stricter: Pillow takes a chunk with a wrong CRC, and fills
        # up with 0 where rows are missing. (The checksum inside the packed pixels is not looked at.)
        try:
            return decode_png(png, (height, width), "rgb"), "RGB"
        except Exception as error:
            if type(error) is not Exception:  # the library raises the base class itself; others are faults
                raise
            reason = str(error).removeprefix("Failed to decode the png image. ")
            raise BadMask(f"is no readable PNG ({reason})") from error
    mode, rgb = pixels(png, "RGB")
    # Pillow says RGB of 16-bit RGB, too, and keeps the high bytes only.
    return rgb, "RGB;16" if mode == "RGB" and png[24] == 16 else mode


def pixels(png: bytes | memoryview, mode: str | None = None) -> tuple[str, np.ndarray]:
    """The mode of a PNG, and its pixels as Pillow has them, converted to another `mode` if one is given.

    Raises BadMask for what is none, and for one that claims more pixels than any mask has.
    """
    try:
        own_mode, image = decode_image(png, mode, formats=("PNG",))
    except TooLarge as error:
        raise BadMask(str(error)) from error
    except BadImage as error:
        raise BadMask(f"is no readable PNG ({error})") from error
    return own_mode, np.asarray(image)


def ids_of(rgb: np.ndarray) -> np.ndarray:
    """RGB pixels, (height, width, 3) uint8, contiguous → ids. Blue is not looked at."""
    # Red and the green behind it are a little-endian number already, every third byte.
    return np.ndarray(rgb.shape[:2], "<u2", rgb, strides=rgb.strides[:2]).astype(np.uint16)


def ids_in(ids: np.ndarray) -> np.ndarray:
    """The ids that are present, ascending."""
    flat = ids.ravel()
    # The last pixel of each run will do: to sort them all takes ten times as long.
    ends = np.flatnonzero(flat[1:] != flat[:-1])
    return np.unique(np.append(flat[ends], flat[-1]))


def pixels_digest(ids: np.ndarray) -> bytes:
    """The sha256 of the ids as little-endian uint16, row by row: the same however the PNG is packed."""
    return hashlib.sha256(np.ascontiguousarray(ids, "<u2")).digest()


def rgb_of(ids: np.ndarray) -> np.ndarray:
    """Ids → RGB pixels, (height, width, 3) uint8."""
    return np.stack([ids & 255, ids >> 8, np.zeros_like(ids)], axis=-1).astype(np.uint8)


def rgb_png(ids: np.ndarray) -> bytes:
    """A PNG as masks and predictions are: 8-bit RGB, id = R + 256·G."""
    return encode_png(rgb_of(ids))


def encode_png(pixels: np.ndarray, palette: np.ndarray | None = None) -> bytes:
    """A PNG of pixels: (height, width) uint8 or uint16, or indices into a palette, (n, 3) uint8, or
    (height, width, 3) uint8 for RGB.

    Not by Pillow, which tries five filters on each row: masks are smaller without, in a fifth of the time.
    """
    height, width, *channels = pixels.shape
    data = np.ascontiguousarray(pixels, pixels.dtype.newbyteorder(">")).view(np.uint8).reshape(height, -1)
    rows = np.zeros((height, 1 + data.shape[1]), np.uint8)  # a row's first byte: no filter
    rows[:, 1:] = data
    kind = 2 if channels else 0 if palette is None else 3
    header = struct.pack(">IIBBBBB", width, height, 8 * pixels.itemsize, kind, 0, 0, 0)
    table = b"" if palette is None else _chunk(b"PLTE", palette.tobytes())
    body = _chunk(b"IDAT", zlib_ng.compress(rows, LEVEL))
    return b"".join((PNG_SIGNATURE, _chunk(b"IHDR", header), table, body, _chunk(b"IEND", b"")))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib_ng.crc32(name + data))
