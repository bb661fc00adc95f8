"""TFRecord files: every record is checked, and damage is reported with its position."""

import os
import struct
from pathlib import Path

import pytest

from helpers.tfrecord import framed, masked
from imagenet_s.io.tfrecord import begins_with_record, masked_crc32c, records
from imagenet_s.runtime.errors import UserError

MOST = 1000  # bytes of a record
DATA = [b"first", b"", bytes(range(256)) * 3]
WHOLE = b"".join(map(framed, DATA))
STARTS = [0, 21, 37]  # of the records in WHOLE


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "x.tfrecord-00000-of-00001"


def read(path: Path, data: bytes) -> list[bytes]:
    path.write_bytes(data)
    return [record.data for record in records(path, MOST)]


def refusal(path: Path, data: bytes) -> str:
    with pytest.raises(UserError) as error:
        read(path, data)
    text = str(error.value)
    assert text.startswith(str(path))
    assert text.endswith(" Get it again.")
    return text.removeprefix(str(path)).removesuffix(" Get it again.")


def test_checksums_are_the_published_ones():
    # The CRC-32C of RFC 3720, B.4, rotated right by 15 bits, plus the constant.
    for data, crc in ((bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43), (bytes(range(32)), 0x46DD794E)):
        expected = (((crc >> 15) | (crc << 17) & 0xFFFFFFFF) + 0xA282EAD8) % 2**32
        assert masked_crc32c(data) == masked(data) == expected


def test_records_are_given_in_order(path):
    path.write_bytes(WHOLE)
    places = ["record 1 (at byte 0)", "record 2 (at byte 21)", "record 3 (at byte 37)"]
    found = [(record.where, record.data) for record in records(path, MOST)]
    assert found == list(zip(places, DATA, strict=True))
    assert read(path, b"") == []


def test_a_file_that_ends_within_a_record_is_refused_wherever_it_ends(path):
    ends = {start: k for k, start in enumerate([*STARTS, len(WHOLE)])}
    for size in range(len(WHOLE)):
        if size in ends:
            assert read(path, WHOLE[:size]) == DATA[: ends[size]]
        else:
            number = sum(start < size for start in STARTS)
            start = STARTS[number - 1]
            what = (
                f"consists of {size - start} bytes"
                if size - start < 12
                else f"should have {len(DATA[number - 1])} bytes, but {size - start - 12} follow"
            )
            text = f" ends early: record {number} (at byte {start}) {what}."
            assert refusal(path, WHOLE[:size]) == text


def test_every_wrong_byte_is_found(path):
    for at in range(len(WHOLE)):
        data = bytearray(WHOLE)
        data[at] ^= 0x10
        number = sum(start <= at for start in STARTS)
        start = STARTS[number - 1]
        is_in_header = at - start < 12
        other = " or not a TFRecord file" if is_in_header and number == 1 else ""
        what = f"{'the length of ' * is_in_header}record {number} (at byte {start})"
        assert refusal(path, bytes(data)) == f" is damaged{other}: the checksum of {what} is wrong."


@pytest.mark.parametrize("size", [MOST + 1, 10**11, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
def test_a_huge_length_with_a_right_checksum_is_refused_before_it_is_read(path, size):
    length = struct.pack("<Q", size)
    data = framed(b"first") + length + struct.pack("<I", masked(length)) + bytes(99)
    assert refusal(path, data) == f": record 2 (at byte 21) has {size:,} bytes, more than any image has."


def test_a_file_that_shrinks_while_it_is_read_is_refused(path):
    data = framed(bytes(999)) * 3000  # more than the buffer
    path.write_bytes(data)
    some = records(path, MOST)
    next(some)
    os.truncate(path, len(data) // 2)
    with pytest.raises(UserError, match="ends early: record "):
        list(some)


@pytest.mark.parametrize("data", [b"PK\3\4" * 9, bytes(99), b"<html>" * 99, b"1"])
def test_only_a_file_that_begins_with_a_length_and_its_checksum_begins_with_a_record(path, data):
    path.write_bytes(data)
    assert not begins_with_record(path)
    path.write_bytes(WHOLE)
    assert begins_with_record(path)


def test_a_pipe_is_refused_at_once(path):
    os.mkfifo(path)
    with pytest.raises(UserError, match="is not a regular file"):
        list(records(path, MOST))


def test_a_file_that_cannot_be_read_is_named(path):
    with pytest.raises(FileNotFoundError) as error:
        list(records(path, MOST))
    assert error.value.filename == str(path)
