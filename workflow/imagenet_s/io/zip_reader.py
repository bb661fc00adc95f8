"""Zips from untrusted sources: which members are safe to unpack, and under which names."""

import os
import re
import stat
import struct
import zipfile
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from zlib_ng import zlib_ng

from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.system_files import is_system_file

MAX_FILE_BYTES = 64_000_000  # of one unpacked file; a mask has about 10,000
MAX_TOTAL_BYTES = 16_000_000_000
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
OTHER_METHODS = {9: "deflate64", zipfile.ZIP_BZIP2: "bzip2", zipfile.ZIP_LZMA: "lzma", 93: "zstd", 98: "ppmd"}

MASK = re.compile(r"(?:.*/)?((?:train-semi|validation)-segmentation/n\d{8}/[^/]+\.png)", re.DOTALL)

# What zipfile raises for a file that is not a zip; the last two come from impossible numbers.
ZIP_ERRORS = (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, struct.error)

# A local header: signature, flags, method, and the lengths of the name and the extra field after it.
LOCAL = struct.Struct("<4s2xHH16xHH")
UTF8_NAME = 0x800


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


class BadZip(Exception):
    """A file that is not a zip, or only part of one. The text says why."""


class BadMember(Exception):
    """A member that differs from its entry in the central directory. The text says how."""


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
    infos, directory = _listed(path)
    if not all(info.filename for info in infos):
        raise BadZip("a member has no name")
    files = [info for info in infos if not info.is_dir()]
    starts = sorted(info.header_offset for info in infos)
    if not 0 <= min(starts, default=0) <= max(starts, default=0) <= directory:
        raise BadZip("members lie outside of it")
    ends = dict(pairwise([*starts, directory]))
    # Folders are checked too: unpacking makes them wherever their names lead.
    unsafe = [UnsafeMember(info.orig_filename, reason) for info in infos if (reason := _why_unsafe(info))]
    if sum(info.file_size for info in files) > MAX_TOTAL_BYTES:
        unsafe.append(UnsafeMember("", f"would unpack to more than {MAX_TOTAL_BYTES / 1e9:.0f} GB"))
    return [_member(info, ends[info.header_offset]) for info in files], unsafe


def _listed(path: Path) -> tuple[list[zipfile.ZipInfo], int]:
    """Return the entries of a zip's central directory, and its offset. Raise BadZip or OSError."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.infolist(), archive.start_dir
    except ZIP_ERRORS as error:
        raise BadZip(str(error)) from error


def duplicates(names: Iterable[str]) -> list[UnsafeMember]:
    """Return the names of members that occur more than once."""
    return [UnsafeMember(name, "is there twice") for name, n in Counter(names).items() if n > 1]


def read_member(file: int, member: Member) -> bytes:
    """Return the uncompressed bytes of a member of the zip that is open as `file`.

    zipfile is not used, because it would read the whole central directory again in every process and chunk.

    Raises:
        BadMember: The member differs from its entry in the central directory.
        OSError: The file cannot be read.
    """
    longest = LOCAL.size + 2 * 65_535 + member.packed  # with the longest name and extra field
    span = os.pread(file, min(member.end - member.offset, longest), member.offset)
    if len(span) < LOCAL.size or not span.startswith(b"PK\3\4"):
        raise BadMember("its header is missing")
    _, flags, method, name_length, extra_length = LOCAL.unpack_from(span)
    start = LOCAL.size + name_length
    name = span[LOCAL.size : start].decode("utf-8" if flags & UTF8_NAME else "cp437", "replace")
    if (name, method) != (member.name, member.method):
        raise BadMember(f"its own header says {name!r}, compression method {method}")
    packed = span[start + extra_length :][: member.packed]
    if len(packed) < member.packed:
        raise BadMember("it overlaps what follows it")
    data = _unpacked(packed, member)
    if len(data) != member.size:
        raise BadMember(f"it does not unpack to {member.size:,} bytes")
    if zlib_ng.crc32(data) != member.crc:
        raise BadMember("its CRC-32 is wrong")
    return data


def _unpacked(packed: bytes, member: Member) -> bytes:
    """Return the uncompressed bytes, at most one more than the member should have."""
    if member.method == zipfile.ZIP_STORED:
        return packed
    stream = zlib_ng.decompressobj(-zlib_ng.MAX_WBITS)
    try:
        data = stream.decompress(packed, member.size + 1)
    except zlib_ng.error as error:  # type: ignore[misc]  # its stub does not say that it is an exception
        raise BadMember(str(error)) from error
    if not stream.eof and len(data) <= member.size:
        raise BadMember("its compressed bytes end early")
    return data


def _member(info: zipfile.ZipInfo, end: int) -> Member:
    sizes = (info.compress_size, info.file_size)
    return Member(info.orig_filename, info.compress_type, *sizes, info.CRC, info.header_offset, end)


def _match(name: str) -> re.Match[str] | None:
    """Return the match of a mask's name, which may have backslashes from Windows."""
    name = _with_slashes(name)
    return None if is_system_file(name) else MASK.fullmatch(name)


def _with_slashes(name: str) -> str:
    return name.replace("\\", "/")


def _why_unsafe(info: zipfile.ZipInfo) -> str:
    """Return why a member must not be unpacked; empty if it is safe."""
    name = _with_slashes(info.orig_filename)
    if name.startswith("/") or ".." in name.split("/") or re.match(r"[A-Za-z]:", name) or "\0" in name:
        return "leads outside the folder"
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR if name.endswith("/") else 0):
        return "is a link or a device, not a file"
    if info.flag_bits & 1:
        return "is encrypted"
    if info.compress_type not in METHODS:
        method = OTHER_METHODS.get(info.compress_type, "an unknown method")
        return f"is compressed with {method} (method {info.compress_type}); use deflate or store"
    if info.file_size > MAX_FILE_BYTES:
        return f"would unpack to {info.file_size:,} bytes"
    if info.compress_size > MAX_FILE_BYTES:
        return f"has {info.compress_size:,} compressed bytes"
    return ""
