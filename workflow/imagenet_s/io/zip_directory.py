"""The central directory of a zip, read in pieces: what a zip holds, and where.

zipfile keeps an object for each of Kaggle's 1.4 million members (1.4 GB of memory), accepts a directory of
another length than the zip states, and cannot say that a download is unfinished.
Format: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.12 to 4.3.16 and 4.5.3.
"""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from imagenet_s.io.split_file import SplitFile

PIECE = 1 << 20  # bytes of the directory in memory at a time
MAX_DIRECTORY_BYTES = 1 << 30  # that of Kaggle's zip of ImageNet has about 200,000,000
MAX_VERSION = 63  # of the format, times ten
MAX_COMMENT = 65_535  # bytes after the end record
MAX_16, MAX_32 = 0xFFFF, 0xFFFFFFFF  # in place of a number that a field of 64 bits holds
ZIP64 = 1  # the number of the extra field with sizes of 64 bits
UTF8_NAME = 0x800
ENCRYPTED = 1

# Signature, number of this disk and of the one with the directory, entries on this disk and in all, size and
# offset of the directory, length of the comment.
END = struct.Struct("<4sHHHHIIH")
# The same in 64 bits, with its own size and two versions, and without a comment.
END_64 = struct.Struct("<4sQHHIIQQQQ")
LOCATOR = struct.Struct("<4sIQI")  # signature, and where `END_64` is; it follows `END_64`
# Signature, version that is needed, flags, method, CRC-32, compressed size, size, lengths of name, of extra
# field and of comment, external attributes, offset of the local header.
ENTRY = struct.Struct("<4s2xBxHH4xIIIHHH4xII")
MAX_ENTRY = ENTRY.size + 3 * 65_535
EXTRA = struct.Struct("<HH")  # number and length of an extra field


class BadZip(Exception):
    """A file that is not a zip, or only part of one. The text says why."""


class Entry(NamedTuple):
    """An entry of the central directory.

    Attributes:
        name: The name of the member; a folder's ends with a slash.
        flags: The general purpose flags.
        method: The number of the compression method.
        crc: The CRC-32 of the uncompressed bytes.
        packed: The compressed size in bytes.
        size: The uncompressed size in bytes.
        mode: The Unix mode of the file; 0 if it is not known.
        offset: The offset of the local header in the file.
    """

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    mode: int
    offset: int


class Directory(NamedTuple):
    """Where the central directory is.

    Attributes:
        start: The offset of its first byte in the file.
        stop: The offset after its last byte.
        entries: How many entries it should have, modulo `modulus`.
        modulus: 65,536 if the number has only 16 bits, else 2^64.
        prefix: The number of bytes before the zip, which its offsets do not count: a self-extracting zip
            begins with a program.
    """

    start: int
    stop: int
    entries: int
    modulus: int
    prefix: int


def find_directory(file: SplitFile) -> Directory:
    """Return where the central directory of a zip is.

    Raises:
        BadZip: The file has no end record, or it describes an impossible directory.
        OSError: The file cannot be read.
    """
    stop = _end_record(file)
    _, disk, disk_of_directory, _, entries, size, offset, _ = END.unpack(file.read(END.size, stop))
    modulus, disks = MAX_16 + 1, {disk, disk_of_directory} - {MAX_16}
    locator = file.read(LOCATOR.size, stop - LOCATOR.size) if stop >= LOCATOR.size else b""
    if locator.startswith(b"PK\6\7"):
        stop -= LOCATOR.size + END_64.size
        record = file.read(END_64.size, stop) if stop >= 0 else b""
        if not record.startswith(b"PK\6\6"):
            raise BadZip("its end record of 64 bits is missing")
        _, _, _, _, disk, disk_of_directory, _, entries, size, offset = END_64.unpack(record)
        modulus, disks = 1 << 64, {disk, disk_of_directory}
    if disks - {0}:
        raise BadZip("it is one part of several; join them with `zip -s 0 PARTS --out WHOLE`")
    start = stop - size
    if start < 0 or start < offset:
        raise BadZip(
            f"its directory should have {size:,} bytes from byte {offset:,} on, but the directory ends at "
            f"byte {stop:,}"
        )
    if size > MAX_DIRECTORY_BYTES:
        raise BadZip(f"its directory has {size:,} bytes; the limit is {MAX_DIRECTORY_BYTES:,}")
    return Directory(start, stop, entries, modulus, start - offset)


def _end_record(file: SplitFile) -> int:
    """Return the offset of the last end record whose comment ends the file, or else of the last one."""
    length = min(file.size, END.size + MAX_COMMENT)
    tail = file.read(length, file.size - length)
    found = [match.start() for match in re.finditer(b"PK\5\6", tail[: -END.size + 4])]
    if found:
        exact = [at for at in found if at + END.size + END.unpack_from(tail, at)[-1] == len(tail)]
        return file.size - length + (exact or found)[-1]
    if file.read(4, 0) == b"PK\3\4":
        raise BadZip(
            f"it has no end record after {file.size:,} bytes, so it is an unfinished download or cut short"
        )
    raise BadZip("it does not begin and end like one")


def read_entries(file: SplitFile, directory: Directory) -> Iterator[Entry]:
    """Yield the entries of a central directory, of which `PIECE` bytes are in memory at a time.

    Raises:
        BadZip: The directory is damaged, or states impossible numbers.
        OSError: The file cannot be read.
    """
    data, at, position, count = b"", 0, directory.start, 0
    while True:
        if len(data) - at < MAX_ENTRY and position < directory.stop:
            piece = file.read(min(PIECE, directory.stop - position), position)
            if not piece:
                raise BadZip("it became shorter while it was read")
            data, at, position = data[at:] + piece, 0, position + len(piece)
        if at == len(data):
            break
        where = position - len(data) + at
        if len(data) - at < ENTRY.size or not data.startswith(b"PK\1\2", at):
            raise BadZip(f"its directory is damaged at byte {where:,}")
        _, version, flags, method, crc, packed, size, n, extra, comment, mode, offset = ENTRY.unpack_from(
            data, at
        )
        at += ENTRY.size
        if at + n + extra + comment > len(data):
            raise BadZip(f"its directory is damaged at byte {where:,}: an entry is longer than the rest")
        if version > MAX_VERSION:
            raise BadZip(f"it needs version {version / 10:.1f} of the format")
        name = data[at : at + n]
        if packed == MAX_32 or size == MAX_32 or offset == MAX_32:
            wide = data[at + n : at + n + extra]
            size, packed, offset = _with_64_bits(wide, [size, packed, offset], where)
        at += n + extra + comment
        count += 1
        yield Entry(
            _text(name, flags), flags, method, crc, packed, size, mode >> 16, offset + directory.prefix
        )
    if count % directory.modulus != directory.entries:
        raise BadZip(f"its directory has {count:,} entries, not {directory.entries:,} as its end record says")


def _text(name: bytes, flags: int) -> str:
    if name.isascii():
        return name.decode("ascii")
    try:
        return name.decode("utf-8" if flags & UTF8_NAME else "cp437")
    except UnicodeDecodeError as error:
        raise BadZip(f"the name {name!r} is not UTF-8") from error


def _with_64_bits(extra: bytes, numbers: list[int], where: int) -> list[int]:
    """Return the numbers, with those that do not fit into 32 bits taken from the extra field."""
    wide = [k for k, number in enumerate(numbers) if number == MAX_32]
    at = 0
    while at + EXTRA.size <= len(extra):
        kind, length = EXTRA.unpack_from(extra, at)
        at += EXTRA.size
        if kind == ZIP64 and min(length, len(extra) - at) >= 8 * len(wide):
            for k, number in zip(wide, struct.unpack_from(f"<{len(wide)}Q", extra, at), strict=True):
                numbers[k] = number
            return numbers
        at += length
    raise BadZip(f"its directory is damaged at byte {where:,}: an entry lacks its numbers of 64 bits")
