"""Reading images into memory, one at a time: files, and members of archives."""

import os

from imagenet_s.io.split_file import SplitFile
from imagenet_s.io.tar_headers import MAX_IMAGE_BYTES
from imagenet_s.io.zip_reader import BadMember, read_local_header, unpack
from imagenet_s.runtime.errors import UserError
from imagenet_s.source.listing import Compression, Row

# Bytes that hold nearly all local headers of a zip, so that one call reads header and image.
SHORT_HEADER = 512


class Reader:
    """Reads images into one buffer, because new memory for each image is five times slower.

    Use it with `with`: the archive that was read last stays open.
    """

    def __init__(self, size: int = 1 << 22):
        self.buffer = bytearray(size)
        self.path = ""  # of the archive that is open
        self.archive: SplitFile | None = None

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        if self.archive:
            self.archive.close()

    def read(self, row: Row) -> memoryview:
        """Return the bytes of an image, valid until the next call.

        Raises:
            OSError: The file cannot be read; the error names it.
            UserError: The file is larger than any image, is damaged, or changed while it was read.
        """
        if row.offset is None or row.size is None:
            return self._file(row.path)
        if compression := row.compression:
            return self._zip_member(row, row.offset, row.size, compression)
        data = self._span(row, row.offset, row.size)
        if len(data) < row.size:
            raise UserError(f"{row.path} became shorter while it was read. Run the same command again.")
        return data

    def _zip_member(self, row: Row, offset: int, size: int, compression: Compression) -> memoryview:
        packed, method, crc = compression
        _checked_size(size, row.where)
        try:
            span = self._span(row, offset, SHORT_HEADER + packed)
            local = read_local_header(span)
            if local.length > SHORT_HEADER:
                span = self._span(row, offset, local.length + packed)
            if local.method != method or row.image.lower() not in local.name.lower():
                raise BadMember(local.differs)
            return memoryview(unpack(span[local.length :][:packed], method, size, crc))
        except BadMember as error:
            raise UserError(f"{row.path} is damaged at {row.image}: {error}. Get it again.") from error

    def _span(self, row: Row, offset: int, size: int) -> memoryview:
        """Return up to `size` bytes of an archive."""
        if self.archive is None or row.path != self.path:
            self.__exit__()
            self.path, self.archive = row.path, SplitFile(row.path)
        if size > len(self.buffer):
            self.buffer = bytearray(_checked_size(size, row.where))
        data = memoryview(self.buffer)[:size]
        return data[: self.archive.fill(data, offset)]

    def _file(self, path: str) -> memoryview:
        file = os.open(path, os.O_RDONLY)
        try:
            before = os.fstat(file)
            size = before.st_size
            if size >= len(self.buffer):
                self.buffer = bytearray(2 * _checked_size(size, path))
            filled = 0
            while count := os.readv(file, [memoryview(self.buffer)[filled:]]):
                filled += count
                if filled == len(self.buffer):  # the file grew while it was read
                    self.buffer = self.buffer + bytes(filled)
            if _identity(before) != _identity(os.stat(path)):
                raise UserError(f"{path} changed while it was read. Run the same command again.")
        except OSError as error:
            error.filename = path  # a failed read does not name the file
            raise
        finally:
            os.close(file)
        return memoryview(self.buffer)[:filled]


def _identity(file: os.stat_result) -> tuple[int, ...]:
    """Return facts that change when the file changes."""
    return file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns


def _checked_size(size: int, where: str) -> int:
    """Return `size`, in bytes. Raise UserError if it is larger than any image, to protect the memory."""
    if size > MAX_IMAGE_BYTES:
        raise UserError(f"{where} has {size:,} bytes, more than any image has. Get it again.")
    return size
