"""Image files: their size by the header, their pixels within limits, and signs that they are not whole.

The only place that lets Pillow open anything.
"""

import io
import struct
import threading
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

from PIL import Image, ImageFile, UnidentifiedImageError

from imagenet_s.runtime.file_kind import HEAD, PICTURES, Kind, kind_of

# Limits of what is decoded. The largest ImageNet image has 35 million pixels and 15 MB.
MAX_PIXELS = 40_000_000
MAX_BYTES = 64_000_000

# What `file_kind.PICTURES` are. Pillow has readers that do more than decode: for EPS it starts a program.
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP")

# What Pillow raises on damaged files, by fuzzing and by its source. AttributeError, ImportError and
# NameError are not among them: they are faults of a program, not of a file.
DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    ArithmeticError,
    RuntimeError,  # of the readers for AVIF and DDS; RecursionError is one, too
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
MARKS = {Kind.JPEG: b"\xff\xd9", Kind.PNG: b"\0\0\0\0IEND\xaeB`\x82"}  # with what whole files end
START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
WITHOUT_LENGTH = frozenset((0x00, 0x01, *range(0xD0, 0xD9)))  # markers of a JPEG that have no segment
TAIL = 64  # bytes of zeros at the end that tell that more of them are zeros

NO_PIXELS = "has no pixel data"
NO_END = "lacks its end mark"
ZEROS = "ends in zeros"
NO_HEADER = "has a header that cannot be read"
NOT_A_PICTURE = {
    Kind.ZEROS: "begins with zeros",
    Kind.UNKNOWN: "does not begin like a picture",
}

_pixel_limit = threading.Lock()  # held while Pillow's limit for the process is set aside


class BadImage(Exception):
    """An image that cannot be decoded; the text says why."""


class TooLarge(BadImage):
    """An image that is not decoded, because it claims to be larger than any that is wanted."""


class Examined(NamedTuple):
    """Size in pixels, None where Pillow cannot tell it, and why the file is probably not whole, or None."""

    width: int | None
    height: int | None
    suspect: str | None


class Decoded(NamedTuple):
    """The mode that an image file has, and its pixels, perhaps in another mode."""

    mode: str
    image: Image.Image


def pixel_size(data: bytes | memoryview) -> tuple[int | None, int | None]:
    """Return (width, height) by an image's header, (None, None) where Pillow cannot tell.

    There is no limit: no pixel is decoded.
    """
    return _header_size(io.BytesIO(data))


def pixel_size_of_file(path: Path) -> tuple[int | None, int | None]:
    """Return the same of a file, of which the header is read; (None, None) where it cannot be read."""
    try:
        if not path.is_file():  # to open a pipe would wait for ever
            return None, None
        with path.open("rb") as file:
            return _header_size(file)
    except OSError:
        return None, None


def examine(data: bytes | memoryview) -> Examined:
    """Return what can be told of an image without decoding it."""
    width, height = pixel_size(data)
    return Examined(width, height, suspicion(data, width is not None))


def suspicion(data: bytes | memoryview, readable: bool) -> str | None:
    """Return why an image is probably not whole, None for one that seems to be.

    `readable` says whether Pillow can read its header.
    """
    kind = kind_of(bytes(data[:HEAD]))
    if kind not in PICTURES:
        return NOT_A_PICTURE.get(kind, f"is {kind}")
    # Pillow reads the header of a JPEG up to its first scan: a mark at the very end is no thumbnail's then.
    # Nearly all files are whole, and cost no more than that.
    if readable and kind == Kind.JPEG and data[-2:] == MARKS[kind]:
        return None
    return _incomplete(kind, data) or (None if readable else NO_HEADER)


def is_cut(data: bytes | memoryview) -> bool:
    """Return whether data begin like a JPEG or a PNG and lack its end."""
    head = bytes(data[:HEAD])
    if any(len(head) <= len(start) and start.startswith(head) for start in (b"\xff\xd8\xff", PNG_SIGNATURE)):
        return True
    kind = kind_of(head)
    if kind not in MARKS:
        return False
    reason = _incomplete(kind, data)
    # Where the way to the pixels is damaged, only the very end can tell.
    return reason == NO_END or (reason is not None and not bytes(data[-TAIL:]).endswith(MARKS[kind]))


def decode(
    data: bytes | memoryview,
    mode: str | None = None,
    formats: Sequence[str] = FORMATS,
    draft: int | None = None,
) -> Decoded:
    """Return an image's pixels, converted to `mode` if one is given.

    `draft` is a length in pixels: of a JPEG no more is decoded than is needed for sides that long. Raises
    TooLarge before anything is decoded, and BadImage.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge(f"has {len(data):,} bytes, more than the {MAX_BYTES:,} that are decoded")
    width, height = _header_size(io.BytesIO(data), formats)
    if width is not None:
        refuse_huge(width, height)
    try:
        # Again, and now within Pillow's own limits, which also hold for what a file has inside.
        with Image.open(io.BytesIO(data), formats=formats) as image:
            own_mode = image.mode
            if draft:
                image.draft(mode, (draft, draft))
            image.load()
            return Decoded(own_mode, image.convert(mode) if mode else image)
    except UnidentifiedImageError as error:  # its text has the address of a buffer
        raise BadImage("it does not begin like one") from error
    except DAMAGE as error:
        raise BadImage(str(error) or type(error).__name__) from error


def refuse_huge(width: int, height: int) -> None:
    """Raise TooLarge for a size in pixels that is above the limit."""
    if width * height > MAX_PIXELS:
        raise TooLarge(
            f"claims {width} × {height} pixels, more than the {MAX_PIXELS:,} pixels that are decoded"
        )


def _header_size(file: BinaryIO, formats: Sequence[str] | None = None) -> tuple[int | None, int | None]:
    try:
        with _pixel_limit:
            limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            try:
                with Image.open(file, formats=formats) as image:
                    return image.size
            finally:
                Image.MAX_IMAGE_PIXELS = limit
    except DAMAGE:
        return None, None
    except AttributeError as error:
        # Pillow's reader for SPIDER takes many bytes for its own, and then lacks an attribute of itself.
        if isinstance(error.obj, ImageFile.ImageFile):
            return None, None
        raise


def _incomplete(kind: Kind, data: bytes | memoryview) -> str | None:
    """Return what a picture lacks, None for what seems whole."""
    if kind not in MARKS:
        zeros = data[-1] == 0 and not bytes(data[len(data) // 2 :]).strip(b"\0")
        return ZEROS if zeros else None
    start = _first_scan(data) if kind == Kind.JPEG else _first_pixel_chunk(data)
    # What lies before the pixels may be a thumbnail with an end mark of its own. Bytes behind the mark are
    # legal.
    if start is not None and MARKS[kind] in bytes(data[start:]):
        return None
    if not any(data[-TAIL:]):
        return ZEROS
    return NO_PIXELS if start is None else NO_END


def _first_scan(data: bytes | memoryview) -> int | None:
    """Return where the first scan of a JPEG begins, None where there is none."""
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
    """Return where the first chunk of pixels of a PNG begins, None where there is none."""
    at = len(PNG_SIGNATURE)
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        if name == b"IDAT":
            return at
        if name == b"IEND":
            return None
        at += 12 + size
    return None
