"""What a file is by its first bytes: its name may say something else."""

from enum import StrEnum
from pathlib import Path

HEAD = 1024  # bytes that are enough to tell


class Kind(StrEnum):
    """What a file is, in the words of a message."""

    TAR = "a tar"
    GZIP = "compressed by gzip"
    ZSTANDARD = "compressed by zstandard"
    PARQUET = "a parquet file"
    ZIP = "a zip"
    OTHER_ARCHIVE = "packed by xz, bzip2 or 7-Zip"
    JPEG = "a JPEG"
    PNG = "a PNG"
    OTHER_PICTURE = "a picture of another format"
    HTML = "an HTML page"
    LFS_POINTER = "a git-lfs pointer"
    ZEROS = "zeros"
    EMPTY = "empty"
    UNKNOWN = "of an unknown kind"


PICTURES = frozenset({Kind.JPEG, Kind.PNG, Kind.OTHER_PICTURE})

SIGNATURES = (
    (b"\xff\xd8\xff", Kind.JPEG),
    (b"\x89PNG\r\n\x1a\n", Kind.PNG),
    (b"GIF8", Kind.OTHER_PICTURE),
    (b"BM", Kind.OTHER_PICTURE),
    (b"II*\0", Kind.OTHER_PICTURE),
    (b"MM\0*", Kind.OTHER_PICTURE),
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
    Kind.HTML: "A server answered a download with a page, to log in for example. Download the file again.",
    Kind.LFS_POINTER: "It was cloned without git-lfs. Run `git lfs pull` there, or download the file itself.",
    Kind.EMPTY: "Get it again.",
    Kind.ZEROS: "Unfinished and preallocated downloads look like that. Let it finish, or get it again.",
}


def kind_of(head: bytes) -> Kind:
    """Return what a file is that begins with `head`, its first `HEAD` bytes or all that it has."""
    if not head:
        return Kind.EMPTY
    for signature, kind in SIGNATURES:
        if head.startswith(signature):
            return kind
    if head[1:4] == b"\x2a\x4d\x18" and head[0] >> 4 == 5:  # a frame to skip, as pzstd begins with
        return Kind.ZSTANDARD
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Kind.OTHER_PICTURE
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:20].lower().startswith(HTML_STARTS):
        return Kind.HTML
    if not head.strip(b"\0"):
        return Kind.ZEROS
    return Kind.TAR if is_tar_header(head[:512]) else Kind.UNKNOWN


def kind_of_file(path: Path) -> Kind:
    """Return what a file is. Raises OSError, with the file's name, where it cannot be read."""
    try:
        with path.open("rb", buffering=0) as file:
            return kind_of(file.read(HEAD))
    except OSError as error:
        error.filename = str(path)  # a failed read does not name it
        raise


def wrong_kind(where: object, kind: Kind, expected: str) -> str:
    """Return what to say of a file that is not what is `expected`, such as "a tar"."""
    return f"{where} is {kind}, not {expected}. {ADVICE.get(kind, 'Get the right file, or remove it.')}"


def is_tar_header(header: bytes) -> bool:
    """Whether a block of 512 bytes is a tar header: it states the sum of its own bytes."""
    try:
        stated = int(header[148:156].strip(b" \0"), 8)
    except ValueError:
        return False
    return len(header) == 512 and sum(header[:148]) + sum(header[156:]) + 8 * ord(" ") == stated
