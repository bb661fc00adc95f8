"""The kind of a file is recognized by its first bytes."""

import io
import tarfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from helpers.raw_imagenet import gzipped, tar_of
from imagenet_s.runtime.file_kind import Kind, is_tar_header, kind_of, kind_of_file


def picture(form: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (3, 2)).save(buffer, form)
    return buffer.getvalue()


def parquet() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"x": [1]}), buffer)
    return buffer.getvalue()


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (picture("JPEG"), Kind.JPEG),
        (picture("PNG"), Kind.PNG),
        *((picture(form), Kind.OTHER_IMAGE) for form in ("GIF", "BMP", "TIFF", "WEBP")),
        *((tar_of([("a", b"1")], form), Kind.TAR) for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)),
        (gzipped(b"x"), Kind.GZIP),
        (bytes(pa.compress(b"x", codec="zstd", asbytes=True)), Kind.ZSTANDARD),
        (parquet(), Kind.PARQUET),
        (b"\x50\x2a\x4d\x18\x04\0\0\0", Kind.ZSTANDARD),
        (b"PK\x03\x04", Kind.ZIP),
        *((data, Kind.OTHER_ARCHIVE) for data in (b"\xfd7zXZ\0", b"BZh91AY", b"7z\xbc\xaf\x27\x1c")),
        (LFS, Kind.LFS_POINTER),
        (b"\xef\xbb\xbf\r\n <!DOCTYPE HTML><title>Sign in</title>", Kind.HTML),
        (b"<html lang=en>", Kind.HTML),
        (bytes(5000), Kind.ZEROS),
        (b"\0", Kind.ZEROS),
        (b"", Kind.EMPTY),
        (b"plain text", Kind.UNKNOWN),
        (tar_of([("a", b"1")])[1:] + b"\0", Kind.UNKNOWN),
    ],
    ids=lambda value: value.name if isinstance(value, Kind) else "data",
)
def test_the_kind_follows_from_the_first_bytes(data, kind, tmp_path):
    (tmp_path / "file").write_bytes(data)
    assert kind_of(data[:1024]) is kind
    assert kind_of_file(tmp_path / "file") is kind


def test_a_tar_header_contains_its_own_checksum():
    header = tar_of([("a", b"1")])[:512]
    assert is_tar_header(header)
    assert not is_tar_header(b"b" + header[1:])
    assert not is_tar_header(header[:511])
    assert not is_tar_header(bytes(512))
