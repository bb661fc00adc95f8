"""Hugging Face's parquet files: their images are read, other columns ignored, other files refused."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.scans import FISH, SHARK, VAL
from imagenet_s.runtime.errors import UserError
from imagenet_s.source.readers.parquet import ROWS, Parquet

NOISE = random.Random(0).randbytes(1 << 20)
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "train-00000-of-00001.parquet"


def write(path: Path, images: list, kind: pa.DataType = IMAGE, column: str = "image", **options) -> None:
    """Write images given as (path, bytes), or as they are for another kind of column."""
    if pa.types.is_struct(kind):
        images = [{"path": x[0], "bytes": x[1]} if isinstance(x, tuple) else x for x in images]
    table = pa.table({"label": pa.array([0] * len(images), pa.int64()), column: pa.array(images, kind)})
    pq.write_table(table, path, **options)


def images_of(path: Path) -> list[tuple[str, bytes]]:
    return list(Parquet(path).stream(lambda image: True))


def refusal(path: Path) -> str:
    """Return the message for a file that cannot be read, the same for its images and for its names."""
    texts = []
    for read in (images_of, lambda path: list(Parquet(path).names())):
        with pytest.raises(UserError) as error:
            read(path)
        texts.append(str(error.value))
    assert texts[0] == texts[1]
    assert texts[0].startswith(
        f"{path} cannot be read as parquet with a column `image` of `bytes` and `path`"
    )
    return texts[0]


# Images that are read


@pytest.mark.parametrize("rows", [7, ROWS, 1000])
@pytest.mark.parametrize("compression", ["none", "snappy", "zstd"])
def test_images_are_given_in_the_files_order(path, compression, rows):
    images = [(f"{FISH}_{k}", NOISE[k : k + 900 * (k % 3 + 1)]) for k in range(100)]
    write(
        path,
        [(f"{image}_{FISH}.JPEG", data) for image, data in images],
        row_group_size=rows,
        compression=compression,
    )
    assert images_of(path) == images
    assert list(Parquet(path).names()) == [image for image, _ in images]


def test_only_wanted_images_are_given(path):
    write(path, [(f"{FISH}_{k}.JPEG", b"%d" % k) for k in range(99)])
    wanted = {f"{FISH}_3", f"{FISH}_80"}
    assert list(Parquet(path).stream(wanted.__contains__)) == [(f"{FISH}_3", b"3"), (f"{FISH}_80", b"80")]
    assert list(Parquet(path).stream(lambda image: False)) == []


def test_names_are_given_in_the_official_spelling_without_folders_and_suffixes(path):
    names = [f"train/{FISH}/{FISH}_1.jpeg", f"{SHARK.upper()}_2_{SHARK}.JPG", f"./{VAL.lower()}_{FISH}.JPEG"]
    write(path, [(name, name.encode()) for name in names])
    official = [f"{FISH}_1", f"{SHARK}_2", VAL]
    assert images_of(path) == [(image, name.encode()) for image, name in zip(official, names, strict=True)]
    assert list(Parquet(path).names()) == official


def test_files_that_are_not_images_are_skipped(path):
    others = [(None, b"1"), ("", b"2"), (f"._{FISH}_1.JPEG", b"3"), (f"{FISH}_1.png", b"4"), None]
    write(path, [*others, (f"{FISH}_1.JPEG", b"5")])
    assert images_of(path) == [(f"{FISH}_1", b"5")]
    assert list(Parquet(path).names()) == [f"{FISH}_1"]


def test_images_without_a_name_are_counted_if_others_have_one(path, caplog):
    write(path, [(None, b"1"), (f"{FISH}_1.JPEG", b"5"), ("", b"2")])
    assert list(Parquet(path).names()) == [f"{FISH}_1"]
    assert caplog.messages == [f"{path}: 2 of 3 images have no name (`path` is null)"]


@pytest.mark.parametrize(
    ("names", "what"),
    [([None, "", None], "no name (`path` is null)"), ([None, "x/0.jpg", "x/1.jpg"], "names such as '0.jpg'")],
)
def test_a_file_in_which_no_image_has_a_name_of_imagenet_is_refused(path, names, what):
    write(path, [(name, b"1") for name in names])
    with pytest.raises(UserError) as error:
        list(Parquet(path).names())
    assert str(error.value) == (
        f"{path}: its 3 images have {what}, so which images of ImageNet-1k they are is not known. Expected: "
        "paths such as n01440764_10026_n01440764.JPEG, as in the original files of ILSVRC/imagenet-1k. Get "
        "these."
    )


def test_an_image_without_bytes_is_given_as_empty(path):
    write(path, [(f"{FISH}_1.JPEG", None), (f"{FISH}_2.JPEG", b"")])
    assert images_of(path) == [(f"{FISH}_1", b""), (f"{FISH}_2", b"")]


def test_bytes_of_any_kind_are_kept(path):
    data = [b"\x89PNG\r\n\x1a\n", bytes(1024), bytes(range(256)) * 9, NOISE]
    write(path, [(f"{FISH}_{k}.JPEG", x) for k, x in enumerate(data)])
    assert images_of(path) == [(f"{FISH}_{k}", x) for k, x in enumerate(data)]


@pytest.mark.parametrize(
    "kind",
    [
        pa.struct([("path", pa.string()), ("width", pa.int32()), ("bytes", pa.binary())]),
        pa.struct([("bytes", pa.large_binary()), ("path", pa.large_string())]),
    ],
)
def test_other_orders_fields_and_large_types_make_no_difference(path, kind):
    write(path, [(f"{FISH}_1.JPEG", b"1")], kind)
    assert images_of(path) == [(f"{FISH}_1", b"1")]
    assert list(Parquet(path).names()) == [f"{FISH}_1"]


def test_a_file_without_rows_has_no_images(path):
    write(path, [])
    assert images_of(path) == list(Parquet(path).names()) == []


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="no count of what was read")
def test_names_are_read_without_reading_the_images(path):
    write(path, [(f"{FISH}_{k}.JPEG", NOISE[k:]) for k in range(20)], row_group_size=5, compression="none")
    before = bytes_read()
    assert len(list(Parquet(path).names())) == 20
    assert bytes_read() - before < path.stat().st_size / 4


def bytes_read() -> int:
    """Return how many bytes this process has read so far."""
    return int(Path("/proc/self/io").read_text().split()[1])


# Damage, and files of another kind


@pytest.mark.parametrize("share", [0, 0.0001, 0.5, 0.9999])
def test_a_file_that_ends_early_is_refused(path, share):
    write(path, [(f"{FISH}_{k}.JPEG", NOISE[k:9000]) for k in range(20)])
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    refusal(path)


@pytest.mark.parametrize(
    "data", [b"", b"PAR1", b"<html>" * 1000, NOISE[:5000], b"PAR1" + bytes(99) + b"PAR1"]
)
def test_files_that_are_not_parquet_are_refused(path, data):
    path.write_bytes(data)
    refusal(path)


def test_a_wrong_byte_is_found_where_the_file_has_checksums(path):
    images = [(f"{FISH}_{k}.JPEG", NOISE[k * 9000 : (k + 1) * 9000]) for k in range(100)]
    write(path, images, row_group_size=50, write_page_checksum=True, compression="none", use_dictionary=False)
    data = bytearray(path.read_bytes())
    data[data.index(images[70][1]) + 5000] ^= 1
    path.write_bytes(data)
    given = []
    with pytest.raises(UserError, match="CRC checksum verification failed"):
        given.extend(Parquet(path).stream(lambda image: True))
    assert given == [(name.removesuffix(".JPEG"), data) for name, data in images[: len(given)]]
    assert 30 < len(given) <= 70


SWEEP = """
import sys
from pathlib import Path
from imagenet_s.runtime.errors import UserError
from imagenet_s.source.readers.parquet import Parquet
path, refused = Path(sys.argv[1]), 0
whole = path.read_bytes()
for at in range(len(whole) - 8 - int.from_bytes(whole[-8:-4], "little"), len(whole)):
    for change in (1, 2, 0x80):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :])
        for read in (Parquet(path).names, lambda: Parquet(path).stream(lambda image: True)):
            try:
                list(read())
            except UserError as error:
                assert str(path) in str(error)
                refused += 1
print(refused)
"""


def test_a_wrong_byte_in_the_metadata_is_refused_or_does_no_harm(path):
    # In a process of its own: some damaged metadata of a column makes Arrow end the process.
    write(path, [(f"{FISH}_1.JPEG", b"1")], row_group_size=1)
    done = subprocess.run([sys.executable, "-c", SWEEP, path], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 500


def test_a_name_that_is_not_utf_8_is_refused(path):
    plain = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    write(path, [(f"{FISH}_1.JPEG", b"1"), (f"{SHARK}_1.JPEG", b"2")], **plain)
    data = bytearray(path.read_bytes())
    data[data.index(SHARK.encode())] ^= 0x80
    path.write_bytes(data)
    assert "Invalid UTF8" in refusal(path)


def test_a_file_without_the_column_is_refused(path):
    write(path, [(f"{FISH}_1.JPEG", b"1")], column="img")
    assert "Column image does not exist" in refusal(path)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.string(), f"{FISH}_1.JPEG"),
        (pa.binary(), b"1"),
        (pa.int64(), 1),
        (pa.list_(pa.uint8()), [1, 2]),
        (pa.list_(IMAGE), [{"path": f"{FISH}_1.JPEG", "bytes": b"1"}]),
        (pa.struct([("bytes", pa.binary())]), {"bytes": b"1"}),
        (pa.struct([("path", pa.string())]), {"path": f"{FISH}_1.JPEG"}),
        (pa.struct([("bytes", pa.string()), ("path", pa.string())]), (f"{FISH}_1.JPEG", "1")),
        (pa.struct([("bytes", pa.binary()), ("path", pa.int64())]), (1, b"1")),
        (pa.struct([("bytes", pa.binary()), ("path", pa.binary())]), (b"1", b"1")),
    ],
)
def test_a_column_of_another_type_is_refused_and_named(path, kind, value):
    write(path, [value], kind)
    assert f"its column is {pq.read_schema(path).field('image').type}" in refusal(path)


def test_a_file_that_is_gone_is_not_called_damaged(path):
    for read in (images_of, lambda path: list(Parquet(path).names())):
        with pytest.raises(FileNotFoundError) as error:
            read(path)
        assert (error.value.filename, error.value.strerror) == (str(path), "No such file or directory")


# Files that would fill the memory


@pytest.fixture
def limit(monkeypatch) -> int:
    """The largest size of an image in bytes, lowered so that a test need not write 256 MiB."""
    limit = 1 << 20
    monkeypatch.setattr("imagenet_s.source.readers.parquet.MAX_IMAGE_BYTES", limit)
    return limit


def test_rows_that_are_larger_than_any_images_are_refused_before_they_are_read(path, limit):
    write(path, [(f"{FISH}_1.JPEG", bytes(limit + 1))], compression="zstd")
    for read in (images_of, lambda path: list(Parquet(path).names())):
        with pytest.raises(UserError, match=r"row group 0 with 1 images has 1,048,.* more than"):
            read(path)


def test_an_image_that_is_larger_than_any_is_refused_among_others(path, limit):
    write(path, [(f"{FISH}_1.JPEG", b"1"), (f"{FISH}_2.JPEG", bytes(limit + 1))], compression="zstd")
    with pytest.raises(UserError, match=f"{FISH}_2.JPEG has {limit + 1:,} bytes, more than any"):
        images_of(path)
    assert list(Parquet(path).stream(lambda image: image == f"{FISH}_1")) == [(f"{FISH}_1", b"1")]


def test_of_a_large_row_group_little_more_than_a_page_is_in_memory(path):
    # 200 MB in one row group, of which about a page is in memory; a page has up to 1,024 rows.
    images = [(f"{FISH}_{k}.JPEG", NOISE[k : k + 100_000]) for k in range(2000)]
    write(path, images, row_group_size=2000, compression="none")
    del images
    before = pa.total_allocated_bytes()
    most = max(pa.total_allocated_bytes() for _ in Parquet(path).stream(lambda image: True))
    assert most - before < 320 << 20


def test_a_pipe_is_refused_at_once(path):
    os.mkfifo(path)
    with pytest.raises(UserError, match="is not a regular file"):
        images_of(path)
