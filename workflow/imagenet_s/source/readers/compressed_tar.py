"""Images in compressed tars, which can only be read from front to back."""

import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from imagenet_s.io.split_file import require_file
from imagenet_s.io.tar_headers import (
    BLOCK,
    MAX_HEADER_BYTES,
    MAX_IMAGE_BYTES,
    PADDING,
    hole,
    only_zeros,
    refuse_odd,
)
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.file_kind import Kind, kind_of, kind_of_file, wrong_kind
from imagenet_s.runtime.system_files import is_system_file
from imagenet_s.source.readers.base import IMAGE, StreamedImage, base_name, image_name

BUFFER = 1 << 20  # bytes read at a time
COMPRESSIONS = {Kind.GZIP: "gzip", Kind.ZSTANDARD: "zstd"}  # as Arrow calls them
LARGEST = 1 << 40  # bytes of a member; to pass over more, tarfile would read nothing for hours


class CompressedTar:
    """A tar of images, or of tars of images, compressed as a whole by gzip or zstandard."""

    def __init__(self, path: Path):
        self.path = path

    def stream(self, wanted: Callable[[str], bool]) -> Iterator[StreamedImage]:
        """(name without ending, bytes) of the images for whose name `wanted` holds, in the archive's order.

        One image is in memory at a time. Raises UserError for an archive that is damaged or truncated
        (naming the last good member), for a file of another kind, and for members that no copy of ImageNet
        has.
        """
        require_file(self.path)
        kind = kind_of_file(self.path)
        if kind not in COMPRESSIONS:
            raise UserError(wrong_kind(self.path, kind, "a tar compressed by gzip or zstandard"))
        last = passed = "its beginning"
        compression = COMPRESSIONS[kind]
        try:
            with pa.OSFile(str(self.path)) as file, pa.CompressedInputStream(file, compression) as stream:
                for name, data in _members(stream, str(self.path), wanted):
                    # What is not wanted is passed over later, on the way to the next header.
                    last, passed = passed, repr(name)
                    if data is not None:
                        last = passed
                        yield StreamedImage(image_name(base_name(name)), data)
                last = passed
                while stream.read(BUFFER):  # the checksum stands at the end
                    pass
        except OSError as error:
            if error.errno:  # the operating system's word, not that of a decoder
                raise OSError(error.errno, os.strerror(error.errno), str(self.path)) from error
            raise self._damaged(last, error) from error
        except RecursionError:  # tarfile calls itself for each
            raise self._damaged(last, "too many headers of names follow each other") from None
        except (EOFError, ValueError, OverflowError, tarfile.TarError, pa.ArrowException) as error:
            raise self._damaged(last, error) from error

    def names(self) -> None:
        """Return None: the names stand between the images."""

    def _damaged(self, last: str, error: Exception | str) -> UserError:
        if "too much memory" in str(error):  # Arrow's word for a long window
            return UserError(
                f"{self.path} was compressed with a window that is too long to read (zstd --long). Compress "
                "it again without `--long`, or unpack it with `zstd -d --long=31`."
            )
        return UserError(
            f"{self.path} is damaged or ends early: the last good member is {last} ({error}). Get it again."
        )


def _members(
    stream, where: str, wanted: Callable[[str], bool], wnid: str = ""
) -> Iterator[tuple[str, bytes | None]]:
    """(name, bytes) of each member, those of tars in the tar included; no bytes for what is not wanted.

    Nor for images of another class than `wnid`, the tar's own if it is that of a class: as in `tar.py`.
    """
    last = "its beginning"
    with tarfile.open(fileobj=stream, mode="r|", bufsize=BUFFER, tarinfo=_Header) as archive:
        for member in archive:
            last = repr(member.name)
            archive.members.clear()  # or it would keep a million of them
            if member.isdir():
                continue
            refuse_odd(member.name, member.type, where, member.issparse())
            base = base_name(member.name)
            if base.lower().endswith(".tar") and not is_system_file(base):
                inner = archive.extractfile(member)
                yield from _members(inner, f"{where}: {member.name}", wanted, base[:-4].lower())
            match = IMAGE.fullmatch(base)
            keep = match and wnid in ("", (match[2] or "").lower()) and wanted(image_name(base))
            if keep and member.size > MAX_IMAGE_BYTES:
                raise UserError(
                    f"{where}: its member {member.name!r} has {member.size:,} bytes, more than any "
                    "image has. Get the archive again."
                )
            yield member.name, archive.extractfile(member).read() if keep else None
        _require_padding(archive.fileobj, where, last)


def _require_padding(stream, where: str, last: str) -> None:
    """Raises UserError unless only some zeros follow, as `tar_headers` does. `stream` is behind the end."""
    end, read = stream.tell() - BLOCK, BLOCK  # the block that was taken for the end
    while rest := stream.read(BUFFER):
        zeros = len(rest) - len(rest.lstrip(b"\0"))
        if zeros < len(rest):
            raise UserError(hole(f"{where} (unpacked)", end, end + read + zeros, last))
        read += zeros
        if read > PADDING:
            raise UserError(only_zeros(f"{where} (unpacked)", end, last))


class _Header(tarfile.TarInfo):
    """A header as tarfile reads it, except that only an empty block ends a tar.

    To tarfile, a damaged header and a missing one are the end as well: it would leave out the rest
    without a word. Nor does it mind how long a name is.
    """

    @classmethod
    def frombuf(cls, header: bytes, *encoding: str) -> tarfile.TarInfo:
        try:
            return super().frombuf(header, *encoding)
        except (tarfile.InvalidHeaderError, tarfile.TruncatedHeaderError) as error:
            kind = kind_of(header)
            if kind in (Kind.UNKNOWN, Kind.EMPTY):
                raise
            raise tarfile.ReadError(f"what stands in the place of a header is {kind}") from error

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> tarfile.TarInfo:
        try:
            header = super().fromtarfile(archive)
        except tarfile.EOFHeaderError:
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from error
        if not 0 <= header.size <= LARGEST:
            raise tarfile.ReadError(f"{header.name!r} has {header.size:,} bytes")
        return header

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in b"LKxgX" and self.size > MAX_HEADER_BYTES:
            raise tarfile.ReadError(f"it has a name of {self.size:,} bytes")
        try:
            return super()._proc_member(archive)
        except tarfile.SubsequentHeaderError as error:
            # A global pax header is of no single member: the tar may end after it.
            if self.type == tarfile.XGLTYPE and isinstance(error.__context__, tarfile.EOFHeaderError):
                raise error.__context__ from None
            raise
