"""Images in compressed tars, which can only be read from front to back."""

import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Literal, NamedTuple, Self, cast

import pyarrow as pa

from imagenet_s.io.split_file import FIRST_PIECE, PiecesStream, SplitFile, require_file
from imagenet_s.io.tar_headers import (
    BLOCK,
    MAX_HEADER_BYTES,
    MAX_IMAGE_BYTES,
    MAX_PADDING,
    hole,
    only_zeros,
    refuse_unsafe_member,
)
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.file_kind import Kind, kind_of, kind_of_file, wrong_kind
from imagenet_s.runtime.system_files import is_system_file
from imagenet_s.source.readers.base import IMAGE, StreamedImage, base_name, image_name

BUFFER = 1 << 20  # bytes read at a time
# Arrow's name of each compression.
COMPRESSIONS: dict[Kind, Literal["gzip", "zstd"]] = {Kind.GZIP: "gzip", Kind.ZSTANDARD: "zstd"}
MAX_MEMBER_BYTES = 1 << 40  # to skip a larger one, tarfile would read nothing for hours

# These classes exist in tarfile, but typeshed does not declare them.
EOFHeaderError: type[tarfile.HeaderError] = tarfile.EOFHeaderError  # type: ignore[attr-defined]
InvalidHeaderError: type[tarfile.HeaderError] = tarfile.InvalidHeaderError  # type: ignore[attr-defined]
SubsequentHeaderError: type[tarfile.HeaderError] = tarfile.SubsequentHeaderError  # type: ignore[attr-defined]
TruncatedHeaderError: type[tarfile.HeaderError] = tarfile.TruncatedHeaderError  # type: ignore[attr-defined]


class _StreamedMember(NamedTuple):
    """A member of a tar by its name there, and the image that it is, if it is a wanted one."""

    name: str
    image: StreamedImage | None


class CompressedTar:
    """A tar of images, or of tars of images, compressed as a whole by gzip or zstandard."""

    def __init__(self, path: Path):
        self.path = path
        self.position = 0

    def stream(self, wanted: Callable[[str], bool]) -> Iterator[StreamedImage]:
        """Yield the images for whose name (without ending) `wanted` is true, in the archive's order.

        One image is in memory at a time.

        Raises:
            UserError: The archive is damaged or truncated (the message names the last good member), is of
                another kind, or has members that no copy of ImageNet has.
        """
        require_file(self.path)
        kind = kind_of_file(self.path)
        if kind not in COMPRESSIONS:
            raise UserError(wrong_kind(self.path, kind, "a tar compressed with gzip or zstandard"))
        last = skipped = "its beginning"
        compression = COMPRESSIONS[kind]
        try:
            with (
                SplitFile(self.path) as pieces,
                pa.PythonFile(PiecesStream(pieces), "r") as file,
                pa.CompressedInputStream(file, compression) as stream,
            ):
                for name, image in _members(stream, str(self.path), wanted):
                    self.position = file.tell()
                    # A member that is not wanted is read later, on the way to the next header.
                    last, skipped = skipped, repr(name)
                    if image is not None:
                        last = skipped
                        yield image
                last = skipped
                while stream.read(BUFFER):  # up to the checksum, at the end
                    pass
        except OSError as error:
            if error.errno:  # from the operating system, not from a decoder
                raise OSError(
                    error.errno, os.strerror(error.errno), error.filename or str(self.path)
                ) from error
            raise self._damaged(last, error) from error
        except RecursionError:  # tarfile calls itself for each
            raise self._damaged(last, "too many headers of names follow each other") from None
        except (EOFError, ValueError, OverflowError, tarfile.TarError, pa.ArrowException) as error:
            raise self._damaged(last, error) from error

    def names(self) -> None:
        """Return None: the names are known only after the whole file is read."""

    def _damaged(self, last: str, error: Exception | str) -> UserError:
        if "too much memory" in str(error):  # what Arrow says of a long window
            return UserError(
                f"{self.path} was compressed with a window that is too long to read (zstd --long). Compress "
                "it again without `--long`, or unpack it with `zstd -d --long=31`."
            )
        advice = "Get it again."
        if FIRST_PIECE.fullmatch(self.path.name):
            advice = "Is the last piece missing? Add it, or get the archive again."
        return UserError(
            f"{self.path} is damaged or ends early: the last good member is {last} ({error}). {advice}"
        )

    def first_bytes(self, count: int) -> bytes:
        """Return up to `count` bytes of the tar, decompressed; fewer if it is damaged or ends early."""
        compression = COMPRESSIONS[kind_of_file(self.path)]
        found = bytearray()
        with (
            suppress(OSError, ValueError, pa.ArrowException),
            SplitFile(self.path) as pieces,
            pa.PythonFile(PiecesStream(pieces), "r") as file,
            pa.CompressedInputStream(file, compression) as stream,
        ):
            while len(found) < count and (data := stream.read(min(BLOCK, count - len(found)))):
                found += data
        return bytes(found)


def _members(
    stream: pa.NativeFile | IO[bytes], where: str, wanted: Callable[[str], bool], wnid: str = ""
) -> Iterator[_StreamedMember]:
    """Yield each member, including those of tars in the tar.

    Args:
        stream: The tar, decompressed.
        where: The name of the tar in messages.
        wanted: Takes the name of an image, without ending. Only images for which it is true are read.
        wnid: The class of a tar that holds one class, in lower case. Images of other classes are then not
            read, as in `tar.py`.
    """
    last = "its beginning"
    with tarfile.open(fileobj=stream, mode="r|", bufsize=BUFFER, tarinfo=_Header) as archive:
        for member in archive:
            last = repr(member.name)
            archive.members.clear()  # type: ignore[attr-defined]  # not in typeshed; would keep each member
            if member.isdir():
                continue
            refuse_unsafe_member(member.name, member.type, where, member.issparse())
            base = base_name(member.name)
            if base.lower().endswith(".tar") and not is_system_file(base):
                yield from _members(
                    _open(archive, member), f"{where}: {member.name}", wanted, base[:-4].lower()
                )
            match = IMAGE.fullmatch(base)
            if not match or wnid not in ("", (match[2] or "").lower()) or not wanted(image_name(match)):
                yield _StreamedMember(member.name, None)
                continue
            if member.size > MAX_IMAGE_BYTES:
                raise UserError(
                    f"{where}: its member {member.name!r} has {member.size:,} bytes, more than any "
                    "image has. Get the archive again."
                )
            image = StreamedImage(image_name(match), _open(archive, member).read())
            yield _StreamedMember(member.name, image)
        _require_padding(cast("IO[bytes]", archive.fileobj), where, last)


def _open(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(member)
    assert file is not None  # as for files; other members are skipped or refused before
    return file


def _require_padding(stream: IO[bytes], where: str, last: str) -> None:
    """Raise UserError unless only some zeros follow, as `tar_headers` does. `stream` is behind the end."""
    end, read = stream.tell() - BLOCK, BLOCK  # the empty block that ended the tar
    while rest := stream.read(BUFFER):
        zeros = len(rest) - len(rest.lstrip(b"\0"))
        if zeros < len(rest):
            raise UserError(hole(f"{where} (unpacked)", end, end + read + zeros, last))
        read += zeros
        if read > MAX_PADDING:
            raise UserError(only_zeros(f"{where} (unpacked)", end, last))


class _Header(tarfile.TarInfo):
    """A header as tarfile reads it, except that only an empty block ends a tar.

    For tarfile, a damaged or missing header ends the tar as well, and the rest is lost without an error. It
    also accepts names of any length.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            return super().frombuf(buf, encoding, errors)
        except (InvalidHeaderError, TruncatedHeaderError) as error:
            kind = kind_of(bytes(buf))
            if kind in (Kind.UNKNOWN, Kind.EMPTY):
                raise
            raise tarfile.ReadError(f"expected a header, found data of another kind: {kind}") from error

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> Self:
        try:
            header = super().fromtarfile(tarfile_)
        except EOFHeaderError:
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from error
        if not 0 <= header.size <= MAX_MEMBER_BYTES:
            raise tarfile.ReadError(f"{header.name!r} has {header.size:,} bytes")
        return header

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in b"LKxgX" and self.size > MAX_HEADER_BYTES:
            raise tarfile.ReadError(f"it has a name of {self.size:,} bytes")
        try:
            # Private, so typeshed does not declare it.
            member: tarfile.TarInfo = super()._proc_member(archive)  # type: ignore[misc]
            return member
        except SubsequentHeaderError as error:
            # A global pax header belongs to no single member, so the tar may end after it.
            if self.type == tarfile.XGLTYPE and isinstance(error.__context__, EOFHeaderError):
                raise error.__context__ from None
            raise
