"""Reading a zip of masks from strangers: what may be taken out of it, under which names."""

import re
import stat
import zipfile
from collections import Counter
from pathlib import Path

from imagenet_s.errors import UserError, first_few

MOST_BYTES = 64_000_000  # of one unpacked file; a mask has some 10,000
MOST_BYTES_IN_ALL = 16_000_000_000
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # of others, zipfile unpacks all there is at once

MASK = re.compile(r"(?:.*/)?((?:train-semi|validation)-segmentation/n\d{8}/[^/]+\.png)", re.DOTALL)


def zipped_masks(path: Path) -> dict[str, str]:
    """mask path (`validation-segmentation/<wnid>/<stem>.png`) → name of its member in the zip.

    The two folders may lie under any root folder; other members are left alone. Raises UserError,
    before anything is unpacked, for a file that is no zip and for one that is not safe to unpack:
    names that lead outside, links, members that are encrypted, packed otherwise or too large, two of one
    name.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
    except OSError:
        raise
    except Exception as error:  # BadZipFile, NotImplementedError, UnicodeDecodeError, IndexError …
        raise UserError(f"{path} cannot be read as a zip: {error}. Download it again.") from error
    unsafe = [f"{info.orig_filename!r} {why}" for info in members if (why := _unsafe(info))]
    if sum(info.file_size for info in members) > MOST_BYTES_IN_ALL:
        unsafe.append(f"it would unpack to more than {MOST_BYTES_IN_ALL / 1e9:.0f} GB")
    masks = [(match[1], info.filename) for info in members if (match := _match(info.filename))]
    unsafe += [f"{mask!r} is there twice" for mask, n in Counter(m for m, _ in masks).items() if n > 1]
    if unsafe:
        raise UserError(
            f"{path} is not safe to unpack: {first_few(unsafe)}.\nNothing was unpacked. "
            "Do not trust this file; get the archive from its official place.",
            details=unsafe,
        )
    return dict(masks)


def unpacked(archive: zipfile.ZipFile, member: str) -> bytes:
    """The bytes of a member that `zipped_masks` found. Raises UserError for a damaged one."""
    try:
        with archive.open(member) as file:
            # Without a number, all would be unpacked before the size that the zip states is looked at.
            return file.read(archive.getinfo(member).file_size)
    except Exception as error:  # zlib.error, BadZipFile, EOFError, NotImplementedError …
        raise UserError(
            f"{archive.filename} is damaged at its member {member!r}: {error}. Download it again."
        ) from error


def _match(name: str) -> re.Match | None:
    """The match of a mask's name; none for the shadow files that macOS puts into zips."""
    shadow = name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith("._")
    return None if shadow else MASK.fullmatch(name)


def _unsafe(info: zipfile.ZipInfo) -> str:
    """Why a member must not be unpacked; empty if it may."""
    name = info.orig_filename.replace("\\", "/")
    if name.startswith("/") or ".." in name.split("/") or re.match(r"[A-Za-z]:", name) or "\0" in name:
        return "leads outside the folder"
    mode = info.external_attr >> 16
    if mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode):
        return "is a link or a device, not a file"
    if info.flag_bits & 1:
        return "is encrypted"
    if info.compress_type not in METHODS:
        return f"is packed in an unusual way (method {info.compress_type})"
    if info.file_size > MOST_BYTES:
        return f"would unpack to {info.file_size:,} bytes"
    return ""
