"""The central directory of a zip is read whole, in pieces, or refused with the reason."""

import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.synthetic_zip import in_64_bits, zip_bytes
from imagenet_s.io import zip_directory
from imagenet_s.io.split_file import SplitFile
from imagenet_s.io.zip_directory import (
    END,
    ENTRY,
    BadZip,
    Entry,
    find_directory,
    read_entries,
)

NAMES = ["a/b.JPEG", "é.txt", "folder/"]


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "x.zip"


def entries(path: Path) -> list[Entry]:
    with SplitFile(path) as file:
        return list(read_entries(file, find_directory(file)))


def small_zip(comment: bytes = b"") -> bytes:
    return zip_bytes([(name, name.encode() * 9) for name in NAMES], comment=comment)


def with_field(data: bytes, at: int, layout: str, value: int, signature: bytes = b"PK\1\2") -> bytes:
    """The zip with another number in the first entry of its directory, or after another signature."""
    changed = bytearray(data)
    struct.pack_into(layout, changed, data.index(signature) + at, value)
    return bytes(changed)


def end_field(at: int, layout: str, value: int) -> Callable[[bytes], bytes]:
    return lambda data: with_field(data, at, layout, value, b"PK\5\6")


def after_a_program(data: bytes) -> bytes:
    return b"#!/bin/sh\n" + data


@pytest.mark.parametrize(
    ("make", "comment"),
    [
        (bytes, b""),
        (bytes, b"a comment"),
        (bytes, b"with PK\5\6 in it" + bytes(40)),  # zipfile would take this for the end record
        (in_64_bits, b""),
        (after_a_program, b""),
        (after_a_program, b"a comment"),
    ],
)
def test_entries_are_those_that_zipfile_reads(path, make, comment):
    path.write_bytes(make(small_zip()))
    with zipfile.ZipFile(path) as archive:
        expected = [
            Entry(
                i.filename,
                i.flag_bits,
                i.compress_type,
                i.CRC,
                i.compress_size,
                i.file_size,
                0o100644,
                i.header_offset,
            )
            for i in archive.infolist()
        ]
    assert [entry.name for entry in expected] == NAMES
    path.write_bytes(make(small_zip(comment)))
    assert entries(path) == expected


def test_an_empty_zip_has_no_entries(path):
    path.write_bytes(zip_bytes([]))
    assert entries(path) == []


def test_offsets_and_sizes_of_64_bits_are_read(path):
    """As in Kaggle's zip, most of which lies behind 4 GiB."""
    extra = struct.pack("<HH4sHHQQQ", 0x5455, 4, b"time", 1, 24, 1 << 33, 1 << 32, 2 << 40)
    fields = (b"PK\1\2", 45, 0, 8, 7, 0xFFFFFFFF, 0xFFFFFFFF, 1, len(extra), 0, 0o100644 << 16, 0xFFFFFFFF)
    data = ENTRY.pack(*fields) + b"x" + extra
    path.write_bytes(data + END.pack(b"PK\5\6", 0, 0, 1, 1, len(data), 0, 0))
    assert entries(path) == [Entry("x", 0, 8, 7, 1 << 32, 1 << 33, 0o100644, 2 << 40)]


def test_more_entries_than_16_bits_count_are_read_without_an_end_record_of_64_bits(path):
    """As the archiver of macOS writes them."""
    entry = ENTRY.pack(b"PK\1\2", 20, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0) + b"x"
    path.write_bytes(65_537 * entry + END.pack(b"PK\5\6", 0, 0, 1, 1, 65_537 * len(entry), 0, 0))
    assert sum(1 for _ in entries(path)) == 65_537


def test_a_large_directory_is_read_in_pieces(path):
    with zipfile.ZipFile(path, "w") as archive:
        for k in range(300):
            info = zipfile.ZipInfo(f"{k}.JPEG")
            info.comment = bytes(65_535)
            archive.writestr(info, b"")
    with SplitFile(path) as file:
        directory = find_directory(file)
        assert directory.stop - directory.start > 19_000_000
        tracemalloc.start()
        names = [entry.name for entry in read_entries(file, directory)]
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert names == [f"{k}.JPEG" for k in range(300)]
    assert most < 6_000_000


def test_a_zip_that_ends_anywhere_else_is_refused(path):
    whole = in_64_bits(small_zip())
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(BadZip) as error:
            entries(path)
        unfinished = (
            f"it has no end record after {size:,} bytes, so it is an unfinished download or cut short"
        )
        assert str(error.value) == (unfinished if size >= 4 else "it does not begin and end like one")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (end_field(4, "<H", 1), "it is one part of several; join them with `zip -s 0 PARTS --out WHOLE`"),
        (end_field(10, "<H", 2), "its directory has 3 entries, not 2 as its end record says"),
        (end_field(12, "<I", 1 << 20), "its directory should have 1,048,576 bytes from byte 277 on, but"),
        (end_field(16, "<I", 1 << 20), "its directory should have 159 bytes from byte 1,048,576 on, but"),
        (end_field(12, "<I", 158), "its directory is damaged at byte 278"),
        (end_field(16, "<I", 0xFFFFFFFF), "its directory should have 159 bytes from byte 4,294,967,295 on"),
        (lambda data: in_64_bits(data, count=4), "its directory has 3 entries, not 4 as its end record says"),
        (lambda data: in_64_bits(data, count=1 << 63), "its directory has 3 entries, not 9,223,372,036,854,"),
        (lambda data: in_64_bits(data, size=1 << 63), "its directory should have 9,223,372,036,854,775,808"),
        (
            lambda data: in_64_bits(data, offset=1 << 63),
            "its directory should have 159 bytes from byte 9,223",
        ),
        (lambda data: in_64_bits(data, disk=2), "it is one part of several; join them"),
        (
            lambda data: in_64_bits(data).replace(b"PK\6\6", b"PK\0\0"),
            "its end record of 64 bits is missing",
        ),
        (lambda data: data.replace(b"PK\1\2", b"PK\0\2", 1), "its directory is damaged at byte 277"),
        (
            lambda data: with_field(data, 28, "<H", 60_000),
            "its directory is damaged at byte 277: an entry is longer than the rest",
        ),
        (
            lambda data: with_field(data, 20, "<I", 0xFFFFFFFF),
            "its directory is damaged at byte 277: an entry lacks its numbers of 64 bits",
        ),
        (lambda data: with_field(data, 6, "<B", 64), "it needs version 6.4 of the format"),
        (lambda data: data.replace("é".encode(), b"\xc3("), "the name b'\\xc3(.txt' is not UTF-8"),
    ],
)
def test_a_directory_with_wrong_numbers_is_refused(path, change, why):
    path.write_bytes(change(small_zip()))
    with pytest.raises(BadZip) as error:
        entries(path)
    assert str(error.value).startswith(why)


def test_numbers_of_64_bits_that_are_cut_short_are_refused(path):
    extra = struct.pack("<HHQ", 1, 8, 5)
    data = ENTRY.pack(b"PK\1\2", 45, 0, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF, 1, len(extra), 0, 0, 0) + b"x" + extra
    path.write_bytes(data + END.pack(b"PK\5\6", 0, 0, 1, 1, len(data), 0, 0))
    with pytest.raises(BadZip, match="at byte 0: an entry lacks its numbers of 64 bits"):
        entries(path)


def test_a_directory_that_would_fill_the_memory_is_not_read(path, monkeypatch):
    monkeypatch.setattr(zip_directory, "MAX_DIRECTORY_BYTES", 158)
    path.write_bytes(small_zip())
    with pytest.raises(BadZip, match="its directory has 159 bytes; the limit is 158"):
        entries(path)
