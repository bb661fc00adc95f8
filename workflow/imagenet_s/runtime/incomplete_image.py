"""Signs that an image file is incomplete: no end mark, no pixels, zeros, or not an image at all."""

import struct

from imagenet_s.runtime.file_kind import HEAD, IMAGES, Kind, kind_of

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


def why_suspect(data: bytes | memoryview, readable: bool) -> str | None:
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
