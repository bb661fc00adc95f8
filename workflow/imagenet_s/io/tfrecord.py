"""The records of a TFRecord file, from front to back, each checked by its checksums.

A record is the length of its data (8 bytes), the checksum of these 8 bytes (4 bytes), the data, and the
checksum of the data (4 bytes). Numbers are little-endian. A checksum is a masked CRC-32C. Source:
https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
"""

import os
import struct
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

from google_crc32c import value as crc32c

from imagenet_s.io.split_file import require_file
from imagenet_s.runtime.errors import UserError

BUFFER = 1 << 20  # bytes read at a time
HEADER = struct.Struct("<QI")  # length, its checksum
LENGTH_BYTES = 8
FOOTER = struct.Struct("<I")  # checksum of the data


class Record(NamedTuple):
    """A record's data, its number and position in the file for messages, and the byte after it."""

    where: str
    data: bytes
    end: int


def masked_crc32c(data: bytes) -> int:
    """Return the CRC-32C of `data`, rotated right by 15 bits, plus a constant, modulo 2**32."""
    crc: int = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def begins_with_record(path: Path) -> bool:
    """Return whether the first bytes of a file are a length and its checksum."""
    with path.open("rb", buffering=0) as file:
        return _is_header(file.read(HEADER.size))


def records(path: Path, max_bytes: int) -> Iterator[Record]:
    """Yield the records of a file. One is in memory at a time.

    Args:
        path: The file.
        max_bytes: The largest possible size of a record's data in bytes.

    Raises:
        UserError: A checksum is wrong, the file ends within a record, or a record is larger than `max_bytes`.
            The text has the number of the record and its position.
    """
    require_file(path)
    try:
        with path.open("rb", buffering=BUFFER) as file:
            left = size = os.fstat(file.fileno()).st_size
            for number in count(1):
                if not left:
                    return
                where = f"record {number:,} (at byte {size - left:,})"
                header = file.read(HEADER.size)
                left -= HEADER.size
                if len(header) < HEADER.size:
                    raise _ends_early(path, f"{where} consists of {len(header)} bytes")
                if not _is_header(header):
                    other = " or not a TFRecord file" if number == 1 else ""
                    raise UserError(
                        f"{path} is damaged{other}: the checksum of the length of {where} is wrong. Get it "
                        "again."
                    )
                length, _ = HEADER.unpack(header)
                if length > max_bytes:
                    raise UserError(
                        f"{path}: {where} has {length:,} bytes, more than any image has. Get it again."
                    )
                # Before reading: what a record claims to have would be allocated.
                if length + FOOTER.size > left:
                    raise _ends_early(path, f"{where} should have {length:,} bytes, but {left:,} follow")
                data, footer = file.read(length), file.read(FOOTER.size)
                left -= length + FOOTER.size
                if len(footer) < FOOTER.size:
                    raise _ends_early(path, f"{where} was cut while it was read")
                if FOOTER.unpack(footer) != (masked_crc32c(data),):
                    raise UserError(f"{path} is damaged: the checksum of {where} is wrong. Get it again.")
                yield Record(where, data, size - left)
    except OSError as error:
        error.filename = str(path)  # a failed read does not name the file
        raise


def _is_header(header: bytes) -> bool:
    if len(header) < HEADER.size:
        return False
    _, stated = HEADER.unpack(header)
    return masked_crc32c(header[:LENGTH_BYTES]) == int(stated)


def _ends_early(path: Path, what: str) -> UserError:
    return UserError(f"{path} ends early: {what}. Get it again.")
