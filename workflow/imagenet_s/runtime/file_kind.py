"""The kind of a file by its first bytes, which its name may contradict."""

from enum import StrEnum
from pathlib import Path

HEAD = 1024  # bytes that are enough to recognize a file


class Kind(StrEnum):
    """The kind of a file, as messages call it."""

    TAR = "a tar"
    GZIP = "compressed with gzip"
    ZSTANDARD = "compressed with zstandard"
    PARQUET = "a parquet file"
    ZIP = "a zip"
    OTHER_ARCHIVE = "compressed with xz, bzip2 or 7-Zip"
    JPEG = "a JPEG"
    PNG = "a PNG"
    OTHER_IMAGE = "an image of another format"
    HTML = "an HTML page"
    LFS_POINTER = "a git-lfs pointer"
    ZEROS = "zeros"
    EMPTY = "empty"
    UNKNOWN = "of an unknown kind"


IMAGES = frozenset({Kind.JPEG, Kind.PNG, Kind.OTHER_IMAGE})

SIGNATURES = (
    (b"\xff\xd8\xff", Kind.JPEG),
    (b"\x89PNG\r\n\x1a\n", Kind.PNG),
    (b"GIF8", Kind.OTHER_IMAGE),
    (b"BM", Kind.OTHER_IMAGE),
    (b"II*\0", Kind.OTHER_IMAGE),
    (b"MM\0*", Kind.OTHER_IMAGE),
    (b"\x1f\x8b", Kind.GZIP),
    (b"\x28\xb5\x2f\xfd", Kind.ZSTANDARD),
    (b"PAR1", Kind.PARQUET),
    (b"PK\3\4", Kind.ZIP),
    (b"\xfd7zXZ\0", Kind.OTHER_ARCHIVE),
    (b"BZh", Kind.OTHER_ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", Kind.OTHER_ARCHIVE),
    (b"version https://git-lfs", Kind.LFS_POINTER),
)
HTML_STARTS = (b"<!doctype html", b"<html", b"<?xml", b"<head", b"<body")

# What to do about a file that is not what its name says.
ADVICE = {
    Kind.GZIP: "Unpack it with `gunzip`.",
    Kind.ZSTANDARD: "Unpack it with `unzstd`.",
    Kind.ZIP: "Unpack it with `unzip`.",
    Kind.OTHER_ARCHIVE: "Unpack it.",
    Kind.HTML: "The server sent a web page, such as a login page, instead of the file. Download it again.",
    Kind.LFS_POINTER: "It was cloned without git-lfs. Run `git lfs pull` there, or download the file itself.",
    Kind.EMPTY: "Get it again.",
    Kind.ZEROS: "Unfinished downloads look like this. Let the download finish, or start it again.",
}


def kind_of(head: bytes) -> Kind:
    """Return the kind of a file from `head`, its first `HEAD` bytes (all of a shorter file)."""
    if not head:
        return Kind.EMPTY
    for signature, kind in SIGNATURES:
        if head.startswith(signature):
            return kind
    if head[1:4] == b"\x2a\x4d\x18" and head[0] >> 4 == 5:  # a skippable frame: pzstd writes one first
        return Kind.ZSTANDARD
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Kind.OTHER_IMAGE
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:20].lower().startswith(HTML_STARTS):
        return Kind.HTML
    if not head.strip(b"\0"):
        return Kind.ZEROS
    return Kind.TAR if is_tar_header(head[:512]) else Kind.UNKNOWN


def kind_of_file(path: Path) -> Kind:
    """Return the kind of a file.

    Raises:
        OSError: The file cannot be read; the error names it.
    """
    try:
        with path.open("rb", buffering=0) as file:
            return kind_of(file.read(HEAD))
    except OSError as error:
        error.filename = str(path)  # a failed read does not name the file
        raise


def wrong_kind(where: object, kind: Kind, expected: str) -> str:
    """Return the message for a file of another kind than `expected`, such as "a tar"."""
    advice = ADVICE.get(kind, "Replace it with the right file, or remove it.")
    return f"{where} is {kind}, not {expected}. {advice}"


def is_tar_header(header: bytes) -> bool:
    """Return whether a block of 512 bytes is a tar header, by the checksum that it contains."""
    try:
        stated = int(header[148:156].strip(b" \0"), 8)
    except ValueError:
        return False
    return len(header) == 512 and sum(header[:148]) + sum(header[156:]) + 8 * ord(" ") == stated
