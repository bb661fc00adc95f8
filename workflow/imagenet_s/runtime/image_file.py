"""Image files: size and encoding from the header, and pixels within limits.

No other module lets Pillow open a file.
"""

import io
import struct
import threading
import zlib
from array import array
from pathlib import Path
from typing import BinaryIO, NamedTuple

from PIL import Image, ImageFile, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile

from imagenet_s.runtime.incomplete_image import why_suspect

# Larger images are not decoded. The largest ImageNet image has 35 million pixels and 15 MB.
MAX_PIXELS = 40_000_000
MAX_BYTES = 64_000_000

# The formats of `file_kind.IMAGES`. Other readers of Pillow do more than decode: for EPS it runs a program.
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP")

# What Pillow raises for damaged files, found by fuzzing and in its source. AttributeError, ImportError and
# NameError are left out: they are bugs, not damage.
DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    ArithmeticError,
    RuntimeError,  # from the readers for AVIF and DDS; includes RecursionError
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)

_pixel_limit = threading.Lock()  # held while Pillow's process-wide limit is disabled


PixelSize = tuple[int, int] | tuple[None, None]  # width, height


class BadImage(Exception):
    """An image that cannot be decoded. The text says why."""


class TooLarge(BadImage):
    """An image that is not decoded because it claims to be larger than the limit."""


class Examined(NamedTuple):
    """What the bytes of an image file show without decoding it.

    Attributes:
        width: In pixels; None if Pillow cannot read the header.
        height: In pixels; None if Pillow cannot read the header.
        suspect: Why the file is probably incomplete; None if it seems complete.
        mode: Pillow's mode, such as "RGB" or "CMYK"; None if Pillow cannot read the header.
        quantization: The CRC-32 of a JPEG's first quantization table, which shows the encoder's quality;
            None for other files.
    """

    width: int | None
    height: int | None
    suspect: str | None
    mode: str | None
    quantization: int | None


class Header(NamedTuple):
    """What Pillow reads of an image before it decodes pixels; all None if it cannot read the header."""

    size: PixelSize
    mode: str | None
    quantization: int | None


NO_HEADER = Header((None, None), None, None)


class Decoded(NamedTuple):
    """The mode of an image file, and its pixels, which may have been converted to another mode."""

    mode: str
    image: Image.Image


def pixel_size(data: bytes | memoryview) -> PixelSize:
    """Return (width, height) from an image's header, or (None, None) if Pillow cannot read it.

    There is no limit, since no pixel is decoded.
    """
    return _header_size(io.BytesIO(data))


def pixel_size_of_file(path: Path) -> PixelSize:
    """Return the same for a file, of which only the header is read."""
    try:
        if not path.is_file():  # opening a pipe would wait forever
            return None, None
        with path.open("rb") as file:
            return _header_size(file)
    except OSError:
        return None, None


def examine(data: bytes | memoryview) -> Examined:
    """Return what the bytes of an image file show. Nothing is decoded."""
    (width, height), mode, quantization = _header(io.BytesIO(data))
    return Examined(width, height, why_suspect(data, mode is not None), mode, quantization)


def decode(
    data: bytes | memoryview,
    mode: str | None = None,
    formats: tuple[str, ...] = FORMATS,
    draft: int | None = None,
) -> Decoded:
    """Return an image's pixels, converted to `mode` if one is given.

    Args:
        data: The image file.
        mode: A mode of Pillow, such as "RGB".
        formats: The formats that are accepted, as Pillow calls them.
        draft: A length in pixels: a JPEG is decoded at a lower resolution if its sides stay that long.

    Raises:
        TooLarge: The image is larger than the limits. Nothing was decoded.
        BadImage: The image cannot be decoded.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge(f"has {len(data):,} bytes; the limit is {MAX_BYTES:,}")
    width, height = _header_size(io.BytesIO(data), formats)
    if width is not None and height is not None:
        refuse_huge(width, height)
    try:
        # Opened a second time within Pillow's own limits, which also cover images inside the file.
        with Image.open(io.BytesIO(data), formats=formats) as image:
            own_mode = image.mode
            if draft:
                image.draft(mode, (draft, draft))
            image.load()
            return Decoded(own_mode, image.convert(mode) if mode else image)
    except UnidentifiedImageError as error:  # its text contains a memory address
        raise BadImage("unknown file format") from error
    except DECODE_ERRORS as error:
        raise BadImage(str(error) or type(error).__name__) from error


def refuse_huge(width: int, height: int) -> None:
    """Raise TooLarge if an image of this size in pixels is above the limit."""
    if width * height > MAX_PIXELS:
        raise TooLarge(f"claims to have {width} × {height} pixels; the limit is {MAX_PIXELS:,} pixels")


def _header_size(file: BinaryIO, formats: tuple[str, ...] | None = None) -> PixelSize:
    return _header(file, formats).size


def _header(file: BinaryIO, formats: tuple[str, ...] | None = None) -> Header:
    try:
        with _pixel_limit:
            limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            try:
                with Image.open(file, formats=formats) as image:
                    return Header(image.size, image.mode, _quantization(image))
            finally:
                Image.MAX_IMAGE_PIXELS = limit
    except DECODE_ERRORS:
        return NO_HEADER
    except AttributeError as error:
        # Pillow's reader for SPIDER accepts many other files, and then an attribute of its own is missing.
        if isinstance(error.obj, ImageFile.ImageFile):
            return NO_HEADER
        raise


def _quantization(image: ImageFile.ImageFile) -> int | None:
    """Return the CRC-32 of a JPEG's first quantization table; None if it has none, and for other files."""
    if not isinstance(image, JpegImageFile):
        return None
    table = next(iter(image.quantization.values()), None)
    return None if table is None else zlib.crc32(array("H", table).tobytes())
