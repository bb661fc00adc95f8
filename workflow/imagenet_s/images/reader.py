"""Reading images into memory: files, and members of archives."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from imagenet_s.io.split_file import SplitFile
from imagenet_s.io.tar_headers import MAX_IMAGE_BYTES
from imagenet_s.io.zip_reader import BadMember, read_local_header, unpack
from imagenet_s.runtime.errors import UserError
from imagenet_s.source.listing import Compression, Row

# Bytes that hold nearly all local headers of a zip, so that one call reads header and image.
SHORT_HEADER = 512

COMMON_SIZE = 1 << 20  # bytes: few images of ImageNet are larger


class LargeImage(Exception):
    """An image for which the buffer has no room."""


class Reader:
    """Reads images into one buffer, because new memory for each image is five times slower.

    Use it with `with`: the archive that was read last stays open.

    Args:
        size: Of the buffer, in bytes.
        grows: Whether the buffer grows for a larger image. If not, such an image raises LargeImage.
    """

    def __init__(self, size: int = 1 << 22, grows: bool = True):
        self.buffer, self.grows = bytearray(size), grows
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
            LargeImage: The buffer has no room for the image and does not grow.
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
        if _checked_size(size, row.where) > len(self.buffer) and not self.grows:
            raise LargeImage
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
            self.buffer = self._new_memory(_checked_size(size, row.where))
        data = memoryview(self.buffer)[:size]
        return data[: self.archive.fill(data, offset)]

    def _file(self, path: str) -> memoryview:
        file = os.open(path, os.O_RDONLY)
        try:
            before = os.fstat(file)
            size = before.st_size
            if size >= len(self.buffer):
                self.buffer = self._new_memory(2 * _checked_size(size, path))
            filled = 0
            while count := os.readv(file, [memoryview(self.buffer)[filled:]]):
                filled += count
                if filled == len(self.buffer):  # the file grew while it was read
                    self.buffer = self.buffer + self._new_memory(filled)
            if _identity(before) != _identity(os.stat(path)):
                raise UserError(f"{path} changed while it was read. Run the same command again.")
        except OSError as error:
            error.filename = path  # a failed read does not name the file
            raise
        finally:
            os.close(file)
        return memoryview(self.buffer)[:filled]

    def _new_memory(self, size: int) -> bytearray:
        """Return `size` bytes for a larger buffer. Raise LargeImage if it may not grow."""
        if not self.grows:
            raise LargeImage
        return bytearray(size)


class Readers:
    """Reads images in several threads. Use it with `with`, as a `Reader`.

    Each thread has a buffer of `COMMON_SIZE`. Larger images are read one at a time, into one buffer that
    grows, so that the memory does not depend on how many of them follow each other.
    """

    def __init__(self) -> None:
        self.free: list[Reader] = []
        self.for_large = Reader()
        self.large = threading.Lock()  # held while a large image is in use

    def __enter__(self) -> "Readers":
        return self

    def __exit__(self, *_: object) -> None:
        for reader in (*self.free, self.for_large):
            reader.__exit__()

    @contextmanager
    def read(self, row: Row) -> Iterator[memoryview]:
        """Yield the bytes of an image, valid until the block ends. Raises what `Reader.read` raises."""
        try:
            reader = self.free.pop()
        except IndexError:
            reader = Reader(COMMON_SIZE, grows=False)
        try:
            try:
                data = reader.read(row)
            except LargeImage:
                data = None
            if data is not None:
                yield data
                return
        finally:
            self.free.append(reader)
        with self.large:
            yield self.for_large.read(row)


def _identity(file: os.stat_result) -> tuple[int, ...]:
    """Return facts that change when the file changes."""
    return file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns


def _checked_size(size: int, where: str) -> int:
    """Return `size`, in bytes. Raise UserError if it is larger than any image, to protect the memory."""
    if size > MAX_IMAGE_BYTES:
        raise UserError(f"{where} has {size:,} bytes, more than any image has. Get it again.")
    return size
