"""TFRecord files of messages `tf.train.Example`, written byte by byte after the published formats."""

import struct
from collections.abc import Iterable, Mapping

from google_crc32c import value as crc32c


def masked(data: bytes) -> int:
    """The checksum of `data` as TFRecord files have it."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) % (1 << 32) + 0xA282EAD8) % (1 << 32)


def framed(data: bytes) -> bytes:
    """A record: length, its checksum, data, its checksum."""
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", masked(length)) + data + struct.pack("<I", masked(data))


def tfrecord(examples: Iterable[Mapping[str, bytes | int]]) -> bytes:
    """A TFRecord file of examples, given as name of a feature → its value."""
    return b"".join(framed(example(features)) for features in examples)


def example(features: Mapping[str, bytes | int]) -> bytes:
    """A message `Example`, its features in the order given."""
    return field(
        1,
        b"".join(
            field(1, field(1, name.encode()) + field(2, feature(value))) for name, value in features.items()
        ),
    )


def feature(value: bytes | int) -> bytes:
    """A message `Feature` of one value: a `BytesList`, or an `Int64List`."""
    if isinstance(value, bytes):
        return field(1, field(1, value))
    return field(3, field(1, varint(value % (1 << 64))))  # packed


def field(number: int, data: bytes) -> bytes:
    """A field of bytes, a string or a message."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(number: int) -> bytes:
    """A number in groups of 7 bits, the lowest first."""
    groups = [number >> shift & 0x7F for shift in range(0, max(number.bit_length(), 1), 7)]
    return bytes([group | 0x80 for group in groups[:-1]] + groups[-1:])
