"""Image files: size from the header, pixels within limits, and signs that a file is incomplete.

No other module lets Pillow open a file.
"""

import io
import struct
import threading
import zlib
from pathlib import Path
from typing import BinaryIO, NamedTuple

from PIL import Image, ImageFile, UnidentifiedImageError

from imagenet_s.runtime.file_kind import HEAD, IMAGES, Kind, kind_of

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

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
END_MARKS = {Kind.JPEG: b"\xff\xd9", Kind.PNG: b"\0\0\0\0IEND\xaeB`\x82"}  # the last bytes of a complete file
START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
WITHOUT_LENGTH = frozenset((0x00, 0x01, *range(0xD0, 0xD9)))  # JPEG markers without a segment
TAIL = 64  # if so many bytes at the end are zeros, more of the file is missing

NO_PIXELS = "has no pixel data"
NO_END = "has no end marker"
ZEROS = "ends in zeros"
NO_HEADER = "has an unreadable header"
NOT_AN_IMAGE = {
    Kind.ZEROS: "begins with zeros",
    Kind.UNKNOWN: "does not begin like an image",
}

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
    """

    width: int | None
    height: int | None
    suspect: str | None


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
    """Return the size of an image and why it is probably incomplete, without decoding it."""
    width, height = pixel_size(data)
    return Examined(width, height, _suspicion(data, width is not None))


def _suspicion(data: bytes | memoryview, readable: bool) -> str | None:
    """Return why an image is probably incomplete; None if it seems complete.

    `readable` says whether Pillow can read its header.
    """
    kind = kind_of(bytes(data[:HEAD]))
    if kind not in IMAGES:
        return NOT_AN_IMAGE.get(kind, f"is {kind}")
    # Pillow has read the header up to the first scan, so a marker at the very end is not that of a
    # thumbnail. Nearly all files are complete and need no further check.
    if readable and kind == Kind.JPEG and data[-2:] == END_MARKS[kind]:
        return None
    return _incomplete(kind, data) or (None if readable else NO_HEADER)


def is_cut(data: bytes | memoryview) -> bool:
    """Return whether data begins like a JPEG or a PNG but has no end marker."""
    head = bytes(data[:HEAD])
    if any(len(head) <= len(start) and start.startswith(head) for start in (b"\xff\xd8\xff", PNG_SIGNATURE)):
        return True
    kind = kind_of(head)
    if kind not in END_MARKS:
        return False
    reason = _incomplete(kind, data)
    # If the pixels cannot be found because of damage, only the very end is reliable.
    return reason == NO_END or (reason is not None and not bytes(data[-TAIL:]).endswith(END_MARKS[kind]))


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
    try:
        with _pixel_limit:
            limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            try:
                with Image.open(file, formats=formats) as image:
                    return image.size
            finally:
                Image.MAX_IMAGE_PIXELS = limit
    except DECODE_ERRORS:
        return None, None
    except AttributeError as error:
        # Pillow's reader for SPIDER accepts many other files, and then an attribute of its own is missing.
        if isinstance(error.obj, ImageFile.ImageFile):
            return None, None
        raise


def _incomplete(kind: Kind, data: bytes | memoryview) -> str | None:
    """Return what an image lacks; None if it seems complete."""
    if kind not in END_MARKS:
        zeros = data[-1] == 0 and not bytes(data[len(data) // 2 :]).strip(b"\0")
        return ZEROS if zeros else None
    start = _first_scan(data) if kind == Kind.JPEG else _first_pixel_chunk(data)
    # A thumbnail before the pixels may have its own end marker. Bytes after the marker are legal.
    if start is not None and END_MARKS[kind] in bytes(data[start:]):
        return None
    if not any(data[-TAIL:]):
        return ZEROS
    return NO_PIXELS if start is None else NO_END


def _first_scan(data: bytes | memoryview) -> int | None:
    """Return the offset of the first scan of a JPEG; None if there is none."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:  # readers skip such bytes
            data = bytes(data)
            at = data.find(b"\xff", at)
            if at < 0:
                return None
            continue
        marker = data[at + 1]
        if marker == START_OF_SCAN:
            return at
        if marker == END_OF_IMAGE:
            return None
        if marker == 0xFF:  # padding
            at += 1
        elif marker in WITHOUT_LENGTH:
            at += 2
        else:
            at += 2 + (data[at + 2] << 8 | data[at + 3])
    return None


def _first_pixel_chunk(data: bytes | memoryview) -> int | None:
    """Return the offset of the first chunk of pixels of a PNG; None if there is none."""
    at = len(PNG_SIGNATURE)
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        if name == b"IDAT":
            return at
        if name == b"IEND":
            return None
        at += 12 + size
    return None
