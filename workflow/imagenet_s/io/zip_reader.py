"""Reading zips from strangers: what may be taken out of them, under which names."""

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

MAX_FILE_BYTES = 64_000_000  # of one unpacked file; a mask has some 10,000
MAX_TOTAL_BYTES = 16_000_000_000
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
OTHERS = {9: "deflate64", zipfile.ZIP_BZIP2: "bzip2", zipfile.ZIP_LZMA: "lzma", 93: "zstd", 98: "ppmd"}

MASK = re.compile(r"(?:.*/)?((?:train-semi|validation)-segmentation/n\d{8}/[^/]+\.png)", re.DOTALL)

# What zipfile raises for a file that is no zip; the last two come from numbers without sense.
ODD_ZIP = (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, struct.error)

# A local header: signature, flags, method, lengths of the name and of the extra field behind it.
LOCAL = struct.Struct("<4s2xHH16xHH")
UTF8_NAME = 0x800


class Member(NamedTuple):
    """A member as the central directory has it. `end`: where the next member begins, or the directory."""

    name: str
    method: int
    packed: int
    size: int
    crc: int
    offset: int
    end: int


class BadZip(Exception):
    """A file that is no zip, or only a part of one; the text says why."""


class BadMember(Exception):
    """A member that is not what the central directory says; the text says why."""


def zipped_masks(path: Path) -> dict[str, Member]:
    """mask path (`validation-segmentation/<wnid>/<stem>.png`) → its member in the zip.

    The two folders may lie under any root folder, and backslashes count as slashes; other members are
    left alone. Raises UserError, before anything is unpacked, for a file that is no zip and for one that is
    not safe to unpack.
    """
    try:
        members, unsafe = members_of(path)
    except BadZip as error:
        raise UserError(f"{path} cannot be read as a zip: {error}. Get it again.") from error
    masks = [(match[1], member) for member in members if (match := _match(member.name))]
    unsafe += doubled(mask for mask, _ in masks)
    if unsafe:
        reasons = [f"{name!r} {why}" if name else f"it {why}" for name, why in unsafe]
        raise UserError(
            f"{path} is not safe to unpack: {first_few(reasons)}.\nNothing was unpacked. Do not trust this "
            "file; get the archive from its official place.",
            details=reasons,
        )
    odd = [member.name for _, member in masks if "\\" in member.name]
    if odd:
        log.info("%s: names with backslashes, as Windows has them, read as slashes: %s", path, first_few(odd))
    return dict(masks)


def members_of(path: Path) -> tuple[list[Member], list[tuple[str, str]]]:
    """The files in a zip, folders left out, and what makes it unsafe to unpack: members, and why they do.

    Which is: names that lead outside, links, members that are encrypted, packed otherwise or too large, and
    all of it (of no name) if that is too large. Raises BadZip and OSError.
    """
    infos, directory = _listed(path)
    if not all(info.filename for info in infos):
        raise BadZip("a member has no name")
    files = [info for info in infos if not info.is_dir()]
    starts = sorted(info.header_offset for info in infos)
    if not 0 <= min(starts, default=0) <= max(starts, default=0) <= directory:
        raise BadZip("members lie outside of it")
    ends = dict(pairwise([*starts, directory]))
    # Of folders, too: who unpacks a zip makes them, wherever they lead.
    unsafe = [(info.orig_filename, why) for info in infos if (why := _unsafe(info))]
    if sum(info.file_size for info in files) > MAX_TOTAL_BYTES:
        unsafe.append(("", f"would unpack to more than {MAX_TOTAL_BYTES / 1e9:.0f} GB"))
    return [_member(info, ends[info.header_offset]) for info in files], unsafe


def _listed(path: Path) -> tuple[list[zipfile.ZipInfo], int]:
    """What the central directory of a zip lists, and where it begins. Raises BadZip and OSError."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.infolist(), archive.start_dir
    except ODD_ZIP as error:
        raise BadZip(str(error)) from error


def doubled(names: Iterable[str]) -> list[tuple[str, str]]:
    """Which of the names of members are there more than once."""
    return [(name, "is there twice") for name, n in Counter(names).items() if n > 1]


def read_member(file: int, member: Member) -> bytes:
    """The bytes of a member of the zip that is open as `file`. Raises BadMember and OSError.

    Not by zipfile, which reads the whole central directory again in every process and chunk.
    """
    longest = LOCAL.size + 2 * 65_535 + member.packed  # a name, an extra field
    span = os.pread(file, min(member.end - member.offset, longest), member.offset)
    if len(span) < LOCAL.size or not span.startswith(b"PK\3\4"):
        raise BadMember("there is no header where it should be")
    _, flags, method, name_length, extra_length = LOCAL.unpack_from(span)
    start = LOCAL.size + name_length
    name = span[LOCAL.size : start].decode("utf-8" if flags & UTF8_NAME else "cp437", "replace")
    if (name, method) != (member.name, member.method):
        raise BadMember(f"its own header is of {name!r}, packed by method {method}")
    packed = span[start + extra_length :][: member.packed]
    if len(packed) < member.packed:
        raise BadMember("it runs into what comes behind it")
    data = _unpacked(packed, member)
    if len(data) != member.size:
        raise BadMember(f"it does not unpack to {member.size:,} bytes")
    if zlib_ng.crc32(data) != member.crc:
        raise BadMember("its CRC-32 is wrong")
    return data


def _unpacked(packed: bytes, member: Member) -> bytes:
    """At most one byte more than the member should have."""
    if member.method == zipfile.ZIP_STORED:
        return packed
    stream = zlib_ng.decompressobj(-zlib_ng.MAX_WBITS)
    try:
        data = stream.decompress(packed, member.size + 1)
    except zlib_ng.error as error:
        raise BadMember(str(error)) from error
    if not stream.eof and len(data) <= member.size:
        raise BadMember("its packed bytes end early")
    return data


def _member(info: zipfile.ZipInfo, end: int) -> Member:
    sizes = (info.compress_size, info.file_size)
    return Member(info.orig_filename, info.compress_type, *sizes, info.CRC, info.header_offset, end)


def _match(name: str) -> re.Match | None:
    """The match of a mask's name; tools of Windows write backslashes."""
    name = _with_slashes(name)
    return None if is_system_file(name) else MASK.fullmatch(name)


def _with_slashes(name: str) -> str:
    return name.replace("\\", "/")


def _unsafe(info: zipfile.ZipInfo) -> str:
    """Why a member must not be unpacked; empty if it may."""
    name = _with_slashes(info.orig_filename)
    if name.startswith("/") or ".." in name.split("/") or re.match(r"[A-Za-z]:", name) or "\0" in name:
        return "leads outside the folder"
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR if name.endswith("/") else 0):
        return "is a link or a device, not a file"
    if info.flag_bits & 1:
        return "is encrypted"
    if info.compress_type not in METHODS:
        packer = OTHERS.get(info.compress_type, "something else")
        return f"is packed by {packer} (method {info.compress_type}); use deflate or store"
    if info.file_size > MAX_FILE_BYTES:
        return f"would unpack to {info.file_size:,} bytes"
    if info.compress_size > MAX_FILE_BYTES:
        return f"has {info.compress_size:,} packed bytes"
    return ""
