"""Zips from untrusted sources: which members are safe to unpack, and under which names."""

import os
import re
import stat
import struct
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from zlib_ng import zlib_ng

from imagenet_s.io.split_file import SplitFile
from imagenet_s.io.zip_directory import ENCRYPTED, UTF8_NAME, BadZip, Entry, find_directory, read_entries
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.system_files import is_system_file

MAX_FILE_BYTES = 64_000_000  # of one unpacked file; a mask has about 10,000
MAX_TOTAL_BYTES = 16_000_000_000
STORED, DEFLATED = 0, 8
METHODS = (STORED, DEFLATED)
OTHER_METHODS = {9: "deflate64", 12: "bzip2", 14: "lzma", 93: "zstd", 95: "xz", 98: "ppmd"}

Buffer = bytes | memoryview

MASK = re.compile(r"(?:.*/)?((?:train-semi|validation)-segmentation/n\d{8}/[^/]+\.png)", re.DOTALL)

# A local header: signature, flags, method, and the lengths of the name and the extra field after it.
LOCAL = struct.Struct("<4s2xHH16xHH")
MAX_HEADER = LOCAL.size + 2 * 65_535  # bytes of a local header with the longest name and extra field


class Member(NamedTuple):
    """A member, as the central directory describes it.

    Attributes:
        name: Its name in the zip.
        method: The number of its compression method.
        packed: Its compressed size in bytes.
        size: Its uncompressed size in bytes.
        crc: The CRC-32 of its uncompressed bytes.
        offset: The offset of its local header.
        end: The offset of the next member, or of the central directory after the last one.
    """

    name: str
    method: int
    packed: int
    size: int
    crc: int
    offset: int
    end: int


class BadMember(Exception):
    """A member that differs from its entry in the central directory. The text says how."""


class LocalHeader(NamedTuple):
    """What a member's own header says of it, and the length of that header in bytes."""

    name: str
    method: int
    length: int

    @property
    def differs(self) -> str:
        """What is wrong with a member whose entry in the central directory says something else."""
        return f"its own header says {self.name!r}, compression method {self.method}"


class UnsafeMember(NamedTuple):
    """A member that must not be unpacked, and why. The name is empty if it is the zip as a whole."""

    name: str
    reason: str


def zipped_masks(path: Path) -> dict[str, Member]:
    """Return the member of each mask in a zip.

    The two mask folders may be below any root folder, and backslashes count as slashes. Other members are
    ignored.

    Returns:
        mask path (`validation-segmentation/<wnid>/<stem>.png`) → its member.

    Raises:
        UserError: The file is not a zip or is not safe to unpack. Nothing was unpacked.
    """
    try:
        members, unsafe = members_of(path)
    except BadZip as error:
        raise UserError(f"{path} cannot be read as a zip: {error}. Get it again.") from error
    masks = [(match[1], member) for member in members if (match := _match(member.name))]
    unsafe += duplicates(mask for mask, _ in masks)
    if unsafe:
        reasons = [f"{name!r} {reason}" if name else f"it {reason}" for name, reason in unsafe]
        raise UserError(
            f"{path} is not safe to unpack: {first_few(reasons)}.\nNothing was unpacked. Do not trust this "
            "file; get the archive from its official source.",
            details=reasons,
        )
    backslashed = [member.name for _, member in masks if "\\" in member.name]
    if backslashed:
        log.info("%s: backslashes in names are read as slashes: %s", path, first_few(backslashed))
    return dict(masks)


def members_of(path: Path) -> tuple[list[Member], list[UnsafeMember]]:
    """Return the files in a zip, without folders, and the members that are not safe to unpack.

    Not safe are names that lead outside, links, members that are encrypted, too large or compressed with
    another method, and the zip as a whole if it is too large.

    Raises:
        BadZip: The file is not a complete zip.
        OSError: The file cannot be read.
    """
    with SplitFile(path) as file:
        directory = find_directory(file)
        entries = list(read_entries(file, directory))
    if any(entry.name.startswith("\0") or not entry.name for entry in entries):
        raise BadZip("a member has no name")
    files = [entry for entry in entries if not entry.name.endswith("/")]
    starts = sorted(entry.offset for entry in entries)
    if max(starts, default=0) > directory.start:
        raise BadZip("members lie outside of it")
    ends = dict(pairwise([*starts, directory.start]))
    # Folders are checked too: unpacking makes them wherever their names lead.
    unsafe = [
        UnsafeMember(entry.name, why) for entry in entries if (why := why_unsafe(entry, MAX_FILE_BYTES))
    ]
    if sum(entry.size for entry in files) > MAX_TOTAL_BYTES:
        unsafe.append(UnsafeMember("", f"would unpack to more than {MAX_TOTAL_BYTES / 1e9:.0f} GB"))
    return [_member(entry, ends[entry.offset]) for entry in files], unsafe


def duplicates(names: Iterable[str]) -> list[UnsafeMember]:
    """Return the names of members that occur more than once."""
    return [UnsafeMember(name, "is there twice") for name, n in Counter(names).items() if n > 1]


def read_member(file: int, member: Member) -> bytes:
    """Return the uncompressed bytes of a member of the zip that is open as `file`.

    Raises:
        BadMember: The member differs from its entry in the central directory.
        OSError: The file cannot be read.
    """
    span = os.pread(file, min(member.end - member.offset, MAX_HEADER + member.packed), member.offset)
    local = read_local_header(span)
    if (local.name, local.method) != (member.name, member.method):
        raise BadMember(local.differs)
    packed = span[local.length :][: member.packed]
    if len(packed) < member.packed:
        raise BadMember("it overlaps what follows it")
    return bytes(unpack(packed, member.method, member.size, member.crc))


def read_local_header(span: Buffer) -> LocalHeader:
    """Return the local header with which `span` begins. Raise BadMember if there is none."""
    if len(span) < LOCAL.size:
        raise BadMember("its header is missing")
    signature, flags, method, name_length, extra_length = LOCAL.unpack_from(span)
    if signature != b"PK\3\4":
        raise BadMember("its header is missing")
    stop = LOCAL.size + name_length
    name = bytes(span[LOCAL.size : stop]).decode("utf-8" if flags & UTF8_NAME else "cp437", "replace")
    return LocalHeader(name, method, stop + extra_length)


def unpack(packed: Buffer, method: int, size: int, crc: int) -> Buffer:
    """Return the uncompressed bytes of a member.

    Args:
        packed: All of its compressed bytes.
        method: The number of its compression method, one of `METHODS`.
        size: The bytes that it should have. No more than one byte above is unpacked.
        crc: The CRC-32 that they should have.

    Raises:
        BadMember: The compressed bytes are damaged, or the size or the CRC-32 is another.
    """
    data = packed if method == STORED else _inflated(packed, size)
    if len(data) != size:
        raise BadMember(f"it does not unpack to {size:,} bytes")
    if zlib_ng.crc32(data) != crc:
        raise BadMember("its CRC-32 is wrong")
    return data


def _inflated(packed: Buffer, size: int) -> bytes:
    """Return the uncompressed bytes, at most one more than `size`."""
    stream = zlib_ng.decompressobj(-zlib_ng.MAX_WBITS)
    try:
        data = stream.decompress(packed, size + 1)
    except zlib_ng.error as error:  # type: ignore[misc]  # its stub does not say that it is an exception
        raise BadMember(str(error)) from error
    if not stream.eof and len(data) <= size:
        raise BadMember("its compressed bytes end early")
    return data


def _member(entry: Entry, end: int) -> Member:
    return Member(entry.name, entry.method, entry.packed, entry.size, entry.crc, entry.offset, end)


def _match(name: str) -> re.Match[str] | None:
    """Return the match of a mask's name, which may have backslashes from Windows."""
    name = _with_slashes(name)
    return None if is_system_file(name) else MASK.fullmatch(name)


def _with_slashes(name: str) -> str:
    return name.replace("\\", "/")


def why_unsafe(entry: Entry, limit: int) -> str:
    """Return why a member must not be unpacked; empty if it is safe.

    Args:
        entry: Its entry in the central directory.
        limit: The bytes that it may have at most, compressed or not.
    """
    name = _with_slashes(entry.name)
    with_drive = name[1:2] == ":" and name[0].isalpha()
    if name.startswith("/") or with_drive or "\0" in name or (".." in name and ".." in name.split("/")):
        return "leads outside the folder"
    kind = stat.S_IFMT(entry.mode)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR if name.endswith("/") else 0):
        return "is a link or a device, not a file"
    if entry.flags & ENCRYPTED:
        return "is encrypted"
    if entry.method not in METHODS:
        method = OTHER_METHODS.get(entry.method, "an unknown method")
        return f"is compressed with {method} (method {entry.method}); use deflate or store"
    if entry.size > limit:
        return f"would unpack to {entry.size:,} bytes"
    if entry.packed > limit:
        return f"has {entry.packed:,} compressed bytes"
    return ""
