"""Each image is read once, recorded, and copied if the build needs a copy."""

import hashlib
import io
import os
import signal
import struct
import threading
import zlib
from array import array
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from imagenet_s.images import read as images
from imagenet_s.images.pool import pool_path
from imagenet_s.images.read import read_part
from imagenet_s.io.atomic import read_json
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.image_file import pixel_size
from imagenet_s.runtime.read_ahead import set_readers
from imagenet_s.source.listing import Row, listing_of, write_listing
from imagenet_s.source.scan import list_tier
from imagenet_s.source.tar_index import Index
from imagenet_s.spec.shards import part_classes, part_val_images, subset_parts
from imagenet_s.spec.splits import listed

FISH = "n01443537"  # the first class of part train-50-0
PIXELS = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)


def encoded(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


JPEG = encoded(Image.fromarray(PIXELS), "JPEG")
PNG = encoded(Image.fromarray(PIXELS[:20]), "PNG")
CMYK = encoded(Image.fromarray(PIXELS[:10]).convert("CMYK"), "JPEG")
NOISE = np.random.default_rng(1).bytes(500)


@pytest.fixture(scope="module")
def listing50(imagenet50, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("listing")
    rows, seen = list_tier(imagenet50, 50, Index())
    write_listing(listing_of(rows, seen.fingerprints), folder / "listing.parquet")
    return folder / "listing.parquet"


@pytest.fixture
def read(tmp_path):
    """Return a function that writes files `<FISH>_<k>.JPEG`, reads them as one part, and returns records."""

    def read(*files: bytes, copied: Path | None = None) -> list[dict]:
        rows = []
        for k, data in enumerate(files):
            path = tmp_path / "source" / f"{FISH}_{k}.JPEG"
            path.parent.mkdir(exist_ok=True)
            path.unlink(missing_ok=True)
            path.write_bytes(data)
            rows.append(Row(path.stem, FISH, str(path)))
        write_listing(listing_of(rows, {}), tmp_path / "listing.parquet")
        return read_listed(tmp_path, copied)

    return read


def name_in_pool(k: int, data: bytes) -> str:
    """Return the path in the pool of the k-th file that `read` wrote."""
    return pool_path(f"{FISH}_{k}", FISH, hashlib.sha256(data).digest())


def read_listed(folder: Path, copied: Path | None = None) -> list[dict]:
    records = folder / "records.parquet"
    read_part("train-50-0", folder / "listing.parquet", records, folder / "pool", copied, folder / "scratch")
    return pq.read_table(records).to_pylist()


@pytest.mark.parametrize("part", subset_parts(50))
def test_the_records_of_a_part_describe_its_files(listing50, imagenet50, tmp_path, part):
    read_part(part, listing50, tmp_path / "records.parquet", tmp_path / "pool", None, tmp_path / "scratch")
    names = {f"{name}.JPEG" for name in part_val_images(part)}
    files = [path for path in (imagenet50 / "val").iterdir() if path.name in names]
    files += [path for wnid in part_classes(part) for path in (imagenet50 / "train" / wnid).iterdir()]
    wnid_of = {row.image: row.imagenet_wnid for split in ("validation", "test") for row in listed(50, split)}
    expected = []
    for path in sorted(files, key=lambda path: path.stem):
        with Image.open(path) as image:
            width, height = image.size
            table = array("H", image.quantization[0])
        expected.append(
            {
                "image": path.stem,
                "imagenet_wnid": wnid_of.get(path.stem) or path.parent.name,
                "bytes": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).digest(),
                "width": width,
                "height": height,
                "suspect": None,
                "mode": "RGB",
                "quantization": zlib.crc32(table.tobytes()),
            }
        )
    table = pq.read_table(tmp_path / "records.parquet")
    assert table.schema.equals(images.RECORDS)
    assert table.schema.metadata[b"archives"] == b"[]"
    assert table.to_pylist() == expected
    assert os.listdir(tmp_path) == ["records.parquet"]


def test_the_parts_of_a_subset_read_every_image_once(listing50, imagenet50, tmp_path):
    for part in subset_parts(50):
        read_part(part, listing50, tmp_path / part, tmp_path / "pool", None, tmp_path / "scratch")
    names = pa.concat_tables(pq.read_table(tmp_path / part) for part in subset_parts(50))["image"]
    assert sorted(names.to_pylist()) == sorted(path.stem for path in imagenet50.rglob("*.JPEG"))


def test_images_of_other_formats_are_measured_by_their_content(read):
    assert Image.open(io.BytesIO(CMYK)).mode == "CMYK"
    sizes = [(row["width"], row["height"], row["bytes"]) for row in read(JPEG, PNG, CMYK)]
    assert sizes == [(40, 30, len(JPEG)), (40, 20, len(PNG)), (40, 10, len(CMYK))]


@pytest.mark.parametrize("data", [NOISE, b"\xff\xd8\xff", JPEG[:30], PNG[:20], b"<html>404</html>", b"\0"])
def test_an_image_that_pillow_cannot_read_is_recorded_without_a_size(read, data):
    (row,) = read(data)
    assert (row["width"], row["height"]) == (None, None)
    assert (row["bytes"], row["sha256"]) == (len(data), hashlib.sha256(data).digest())


def test_a_huge_image_is_measured_by_its_header_alone():
    # 10,000 million pixels: a decompression bomb for Pillow by default.
    chunk = b"IHDR" + struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    header = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    assert pixel_size(header + b"\0\0\0\0IDAT") == (100_000, 100_000)


def test_all_empty_files_are_named(read, tmp_path):
    with pytest.raises(UserError, match="2 image files are empty: ") as error:
        read(b"", JPEG, b"")
    paths = [f"{tmp_path}/source/{FISH}_{k}.JPEG" for k in (0, 2)]
    assert all(path in str(error.value) for path in paths)
    assert error.value.details == tuple(f"empty {path}" for path in paths)
    assert not (tmp_path / "records.parquet").exists()
    assert not (tmp_path / "scratch").exists()


def test_records_without_images_are_an_empty_table(tmp_path):
    write_listing(listing_of([], {}), tmp_path / "listing.parquet")
    assert read_listed(tmp_path) == []
    assert pq.read_schema(tmp_path / "records.parquet").equals(images.RECORDS)


def test_an_image_in_two_parts_is_one_even_if_another_version_worded_the_suspicion_differently(tmp_path):
    record = images.record_of(f"{FISH}_1", FISH, JPEG[:200])
    for name, reason in (("a", record.suspect), ("b", "worded differently")):
        images.write_records([record._replace(suspect=reason)], [], tmp_path / name, [name])
    table = images.read_records([tmp_path / "a", tmp_path / "b"])
    assert table.schema.equals(images.RECORDS)
    assert table.to_pylist() == [dict(zip(images.RECORDS.names, record, strict=True))]


# Copies


def test_a_copy_has_the_same_bytes_and_is_writable(read, tmp_path):
    pool = tmp_path / "pool"
    rows = read(JPEG, PNG, NOISE, copied=pool / "train-50-0.json")
    copies = {str(path.relative_to(pool)): path.read_bytes() for path in (pool / "train" / FISH).iterdir()}
    assert copies == {name_in_pool(k, data): data for k, data in enumerate((JPEG, PNG, NOISE))}
    assert name_in_pool(0, JPEG) == f"train/{FISH}/{FISH}_0-{hashlib.sha256(JPEG).hexdigest()[:16]}.JPEG"
    assert [row["bytes"] for row in rows] == [len(JPEG), len(PNG), len(NOISE)]
    total = len(JPEG) + len(PNG) + len(NOISE)
    assert read_json(pool / "train-50-0.json") == {"images": 3, "bytes": total}
    assert sorted(os.listdir(pool)) == ["train", "train-50-0.json"]
    assert not (tmp_path / "scratch").exists()


def test_a_copy_of_a_read_only_file_can_be_written(read, tmp_path):
    read(JPEG)
    source = tmp_path / "source" / f"{FISH}_0.JPEG"
    source.chmod(0o400)
    read_listed(tmp_path, tmp_path / "pool" / "receipt.json")
    assert (tmp_path / "pool" / name_in_pool(0, JPEG)).stat().st_mode & 0o600 == 0o600
    assert source.stat().st_mode & 0o777 == 0o400


def test_a_copy_that_a_tree_links_to_is_never_overwritten(read, tmp_path):
    read(JPEG, copied=tmp_path / "pool" / "receipt.json")
    first, second = (tmp_path / "pool" / name_in_pool(0, data) for data in (JPEG, PNG))
    placed = tmp_path / "placed.JPEG"
    placed.hardlink_to(first)
    read(PNG, copied=tmp_path / "pool" / "receipt.json")
    assert (first.read_bytes(), second.read_bytes()) == (JPEG, PNG), "other bytes are another file"
    first.write_bytes(b"damaged")
    read(JPEG, copied=tmp_path / "pool" / "receipt.json")
    assert (first.read_bytes(), placed.read_bytes()) == (JPEG, b"damaged"), "replaced, as one step"


def test_a_copy_is_never_written_or_removed_through_a_link_to_a_folder(read, tmp_path):
    linked = {FISH: tmp_path / "theirs", part_classes("train-50-0")[1]: tmp_path / "also theirs"}
    for wnid, folder in linked.items():
        folder.mkdir()
        (folder / Path(name_in_pool(0, JPEG)).name).write_text("theirs")
        (folder / f"{wnid}_9.JPEG").write_text("theirs, too")
        (tmp_path / "pool" / "train").mkdir(parents=True, exist_ok=True)
        (tmp_path / "pool" / "train" / wnid).symlink_to(folder)
    read(JPEG, copied=tmp_path / "pool" / "receipt.json")
    for wnid, folder in linked.items():
        assert (folder / Path(name_in_pool(0, JPEG)).name).read_text() == "theirs"
        assert (folder / f"{wnid}_9.JPEG").read_text() == "theirs, too"


def test_reading_does_not_change_the_source(imagenet50, listing50, tmp_path):
    def state():
        stats = ((path, path.stat()) for path in sorted(imagenet50.rglob("*")))
        return [(path, stat.st_mtime_ns, stat.st_mode, stat.st_ino, stat.st_size) for path, stat in stats]

    before = state()
    for copied in (None, tmp_path / "pool" / "receipt.json"):
        records, pool = tmp_path / "records.parquet", tmp_path / "pool"
        read_part("val-50-0", listing50, records, pool, copied, tmp_path / "scratch")
    assert state() == before


@pytest.mark.parametrize("now", ["nothing", "a folder"])
def test_a_file_that_cannot_be_read_is_named(read, tmp_path, now):
    read(JPEG)
    path = tmp_path / "source" / f"{FISH}_0.JPEG"
    path.unlink()
    if now == "a folder":  # it can be opened but not read, like a file on a broken disk
        path.mkdir()
    with pytest.raises(OSError, match=r"No such file|Is a directory") as error:
        read_listed(tmp_path)
    assert error.value.filename == str(path)


# Threads that read ahead


def test_threads_make_the_same_records_and_copies(listing50, imagenet50, tmp_path, threads_ahead):
    made = []
    for folder in (tmp_path / "ahead", tmp_path / "alone"):
        if folder.name == "alone":
            set_readers(1)
        for part in subset_parts(50):
            pool, records = folder / "pool", folder / f"{part}.parquet"
            read_part(part, listing50, records, pool, pool / f"{part}.json", folder / "scratch")
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        made.append({path.relative_to(folder): path.read_bytes() for path in files})
    assert made[0] == made[1]
    assert len(made[0]) == len(list(imagenet50.rglob("*.JPEG"))) + 2 * len(subset_parts(50))


def test_all_empty_files_are_named_in_order_by_threads_too(read, tmp_path, threads_ahead):
    files = [b"" if k % 3 == 0 else JPEG for k in range(30)]
    with pytest.raises(UserError, match="10 image files are empty: ") as error:
        read(*files)
    names = sorted(f"{FISH}_{k}" for k in range(0, 30, 3))
    assert error.value.details == tuple(f"empty {tmp_path}/source/{name}.JPEG" for name in names)


def test_the_first_file_that_cannot_be_read_is_named_whichever_thread_fails_first(
    read, tmp_path, threads_ahead, monkeypatch
):
    read(*[JPEG] * 9)
    gone = [tmp_path / "source" / f"{FISH}_{k}.JPEG" for k in (4, 7)]
    for path in gone:
        path.unlink()
    failed, real_open = threading.Event(), os.open

    def open_the_first_last(path, *rest, **named):
        if path == str(gone[0]):
            assert failed.wait(60)
        if path == str(gone[1]):
            failed.set()
        return real_open(path, *rest, **named)

    monkeypatch.setattr(os, "open", open_the_first_last)
    with pytest.raises(FileNotFoundError) as error:
        read_listed(tmp_path)
    assert error.value.filename == str(gone[0])
    assert failed.is_set()


def test_a_file_that_changes_while_threads_read_is_noticed(read, tmp_path, threads_ahead, monkeypatch):
    read(*[JPEG] * 9)
    changed, real_fstat = tmp_path / "source" / f"{FISH}_5.JPEG", os.fstat

    def fstat_then_write(file):
        stat = real_fstat(file)
        if os.path.samestat(stat, os.stat(changed)):
            changed.write_bytes(JPEG + b"more")
        return stat

    monkeypatch.setattr(os, "fstat", fstat_then_write)
    with pytest.raises(UserError, match=f"{changed} changed while it was read"):
        read_listed(tmp_path)


def test_ctrl_c_while_threads_read_leaves_only_whole_copies(read, tmp_path, threads_ahead, monkeypatch):
    files = [JPEG, PNG, NOISE] * 10
    read(*files)
    pool, real_replace, pressed = tmp_path / "pool", os.replace, threading.Lock()

    def replace_and_press(source, target):
        real_replace(source, target)
        if pressed.acquire(blocking=False):  # once
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(os, "replace", replace_and_press)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            read_listed(tmp_path, pool / "receipt.json")
    finally:
        signal.signal(signal.SIGINT, before)
    whole = {name_in_pool(k, data): data for k, data in enumerate(files)}
    copies = {str(path.relative_to(pool)): path.read_bytes() for path in pool.rglob("*") if path.is_file()}
    assert copies
    assert copies.items() <= whole.items()
    assert not (tmp_path / "scratch").exists()
