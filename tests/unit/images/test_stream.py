"""A source that is read from front to back gives the same records and copies as plain folders."""

import hashlib
import io
import json
import os
import struct
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from helpers.raw_imagenet import (
    gzipped,
    hugging_face_parquet,
    hugging_face_tars,
    official_zstandard,
    tar_of,
    tfds,
    train_folder_and_val_parquet,
    zstandard,
)
from imagenet_s.dataset.prune import prune
from imagenet_s.dataset.samples import SAMPLES
from imagenet_s.images.pool import pool_path
from imagenet_s.images.read import RECORDS, read_part, read_records
from imagenet_s.images.stream import read_pass
from imagenet_s.io.atomic import write_json
from imagenet_s.preflight.decoding import faults_of_images
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.progress import LoggedBar
from imagenet_s.source.layouts import find_places, one_pass_sets, pass_files
from imagenet_s.source.listing import listing_of, write_listing
from imagenet_s.source.scan import list_tier, scan_json
from imagenet_s.source.tar_index import Index
from imagenet_s.spec.shards import subset_parts
from imagenet_s.workspace.paths import Workspace

FISH, SHARK = "n01443537", "n01491361"  # two classes of tier 50
TENCH = "n01440764"  # a class of tier 300
VAL = "ILSVRC2012_val_00004677"  # a listed image of FISH
MOVED = "ILSVRC2012_val_00026064"  # ImageNet says TENCH, ImageNet-S says FISH
UNLISTED = "ILSVRC2012_val_00000001"  # used by no subset
Files = list[tuple[str, bytes]]


@pytest.fixture
def root(tmp_path) -> Path:
    (tmp_path / "imagenet").mkdir()
    return tmp_path / "imagenet"


@pytest.fixture
def read(root, tmp_path):
    """Return a function that reads one pass of the source and returns its records."""

    def read(part: str) -> list[dict]:
        files = pass_files(find_places(root), part)
        records = tmp_path / "work" / "images" / f"{part}.parquet"
        read_pass(part, files, records, tmp_path / "work" / "pool", tmp_path / "work" / "scratch")
        return pq.read_table(records, schema=RECORDS).to_pylist()

    return read


@pytest.fixture
def refusal(read, tmp_path):
    """Return a function that returns the error of a pass, after checking that it leaves no files."""

    def refusal(part: str) -> str:
        with pytest.raises(UserError) as error:
            read(part)
        assert not (tmp_path / "work" / "images" / f"{part}.parquet").exists()
        assert not (tmp_path / "work" / "scratch").exists()
        return str(error.value)

    return refusal


def pooled(folder: Path) -> dict[str, bytes]:
    """Return path in the pool → bytes of the pool below `folder`."""
    files = (path for path in (folder / "pool").rglob("*") if not path.is_dir())
    return {str(path.relative_to(folder / "pool")): path.read_bytes() for path in files}


def in_pool(*images: tuple[str, str, bytes]) -> dict[str, bytes]:
    """Return path in the pool → bytes for images, each given with its wnid and bytes."""
    return {pool_path(image, wnid, hashlib.sha256(data).digest()): data for image, wnid, data in images}


def train_tars(root: Path, *archives: Files) -> None:
    for k, members in enumerate(archives):
        (root / f"train_images_{k}.tar.gz").write_bytes(gzipped(tar_of(members)))


def val_tar(root: Path, members: Files) -> None:
    (root / "val_images.tar.gz").write_bytes(gzipped(tar_of(members)))


def parquet(root: Path, name: str, members: Files) -> None:
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    images = pa.array([{"bytes": data, "path": name} for name, data in members], kind)
    pq.write_table(pa.table({"image": images}), root / name)


@pytest.mark.parametrize("layout", [hugging_face_tars, hugging_face_parquet, tfds])
def test_the_progress_is_that_of_the_bytes_of_the_files(layout, imagenet50, tmp_path, monkeypatch):
    reached = []
    monkeypatch.setattr(LoggedBar, "reach", lambda bar, count: reached.append((bar.of, count)))
    root = layout(imagenet50, tmp_path / "imagenet")
    files = find_places(root).val
    read_pass("val-pass-50-0", files, tmp_path / "images.parquet", tmp_path / "pool", tmp_path / "scratch")
    total = sum(file.stat().st_size for file in files)
    assert {of for of, _ in reached} == {total}
    counts = [count for _, count in reached]
    assert counts == sorted(counts)
    # Also while images are skipped: `reached` has an entry for each image, wanted or not.
    assert len(counts) == len(list((imagenet50 / "val").iterdir())) + len(files)
    assert (counts[0] < total / 2, counts[-1]) == (True, total)
    assert len(set(counts)) > 3


def test_all_pieces_of_an_archive_count(root, tmp_path, monkeypatch):
    reached = []
    monkeypatch.setattr(LoggedBar, "reach", lambda bar, count: reached.append((bar.of, count)))
    data = gzipped(tar_of([("ILSVRC2012_val_00004677.JPEG", b"1")]))
    (root / "val.tar.gz.aa").write_bytes(data[:20])
    (root / "val.tar.gz.ab").write_bytes(data[20:])
    files = [root / "val.tar.gz.aa"]
    read_pass("val-pass-50-0", files, tmp_path / "images.parquet", tmp_path / "pool", tmp_path / "scratch")
    assert reached[-1] == (len(data), len(data))
    assert faults_of_images([("val", files[0])], Index(), 1).images == 1
    (root / "val.tar.gz.ab").rename(root / "val.tar.gz.ac")
    assert "lacks pieces" in faults_of_images([("val", files[0])], Index(), 1).faults[0]


# The same as from folders


@pytest.mark.parametrize(
    "layout", [hugging_face_tars, hugging_face_parquet, official_zstandard, train_folder_and_val_parquet]
)
def test_records_and_the_pool_are_those_of_the_plain_folders(imagenet50, tmp_path, layout):
    tables = {}
    for name, root in (("plain", imagenet50), ("other", layout(imagenet50, tmp_path / "imagenet"))):
        work, places = tmp_path / name, find_places(root)
        rows, seen = list_tier(root, 50, Index())
        work.mkdir()
        write_listing(listing_of(rows, seen.fingerprints), work / "listing.parquet")
        parts = subset_parts(50, one_pass_sets(places), 50)
        for part in parts:
            records, rest = work / f"{part}.parquet", (work / "pool", work / "scratch")
            if "pass" in part:
                read_pass(part, pass_files(places, part), records, *rest)
            else:
                # As with `link: copy`, so that the pool has everything to compare.
                read_part(part, work / "listing.parquet", records, rest[0], work / "copied.json", rest[1])
        tables[name] = read_records([work / f"{part}.parquet" for part in parts]).sort_by("image")
    assert tables["other"].equals(tables["plain"])
    assert pooled(tmp_path / "other") == pooled(tmp_path / "plain")
    assert len(pooled(tmp_path / "other")) == len(tables["other"]) == 650 + 752 + 1682


# Which images are kept


def test_a_pass_keeps_what_its_subsets_need_and_nothing_else(root, read, tmp_path):
    names = [
        f"{FISH}_7_{FISH}.JPEG",
        f"{TENCH}_1_{TENCH}.JPEG",
        f"{VAL}_{FISH}.JPEG",
        f"{SHARK}_2_{SHARK}.JPEG",
    ]
    train_tars(root, [(name, name.encode()) for name in [*names, "n99999999_1.JPEG", f"._{FISH}_8.JPEG"]])
    rows = read("train-pass-50-0")
    assert [(row["image"], row["imagenet_wnid"]) for row in rows] == [
        (f"{FISH}_7", FISH),
        (f"{SHARK}_2", SHARK),
    ]
    kept = in_pool((f"{FISH}_7", FISH, names[0].encode()), (f"{SHARK}_2", SHARK, names[3].encode()))
    assert pooled(tmp_path / "work") == kept
    assert [row["image"] for row in read("train-pass-300-0")] == [f"{TENCH}_1", f"{FISH}_7", f"{SHARK}_2"]
    assert pooled(tmp_path / "work") == kept | in_pool((f"{TENCH}_1", TENCH, names[1].encode()))


def test_val_images_have_their_class_in_imagenet(root, read, tmp_path):
    names = [f"{MOVED}_{FISH}.JPEG", f"{UNLISTED}_{FISH}.JPEG", f"{VAL}_{FISH}.JPEG", f"{FISH}_1_{FISH}.JPEG"]
    val_tar(root, [(name, name.encode()) for name in names])
    rows = read("val-pass-50-0")
    assert [(row["image"], row["imagenet_wnid"]) for row in rows] == [(VAL, FISH), (MOVED, TENCH)]
    assert pooled(tmp_path / "work") == in_pool(
        (VAL, FISH, names[2].encode()), (MOVED, TENCH, names[0].encode())
    )


def test_records_have_size_digest_and_pixels(root, read):
    image = io.BytesIO()
    Image.new("RGB", (31, 17)).save(image, "JPEG", qtables=[[7] * 64])
    train_tars(root, [(f"{FISH}_1.JPEG", image.getvalue())])
    assert read("train-pass-50-0") == [
        {
            "image": f"{FISH}_1",
            "imagenet_wnid": FISH,
            "bytes": len(image.getvalue()),
            "sha256": hashlib.sha256(image.getvalue()).digest(),
            "width": 31,
            "height": 17,
            "suspect": None,
            "mode": "RGB",
            "quantization": zlib.crc32(struct.pack("<64H", *[7] * 64)),
        }
    ]


@pytest.mark.parametrize("form", ["CMYK", "PNG", "cut", "noise"])
@pytest.mark.parametrize("layout", ["tar", "parquet"])
def test_unusual_images_are_copied_byte_for_byte(root, read, tmp_path, form, layout):
    buffer = io.BytesIO()
    picture = Image.new("CMYK" if form == "CMYK" else "RGB", (5, 4), 7)
    picture.save(buffer, "PNG" if form == "PNG" else "JPEG")
    data = {"cut": buffer.getvalue()[:20], "noise": b"no image"}.get(form, buffer.getvalue())
    if layout == "tar":
        train_tars(root, [(f"{FISH}_1.JPEG", data)])
    else:
        parquet(root, "train-00000-of-00001.parquet", [(f"{FISH}_1.JPEG", data)])
    (row,) = read("train-pass-50-0")
    assert pooled(tmp_path / "work") == in_pool((f"{FISH}_1", FISH, data))
    assert (row["bytes"], row["sha256"]) == (len(data), hashlib.sha256(data).digest())
    assert (row["width"], row["height"]) == ((5, 4) if form in ("CMYK", "PNG") else (None, None))


def test_a_pass_keeps_copies_with_other_bytes_and_follows_no_link(root, read, tmp_path):
    first, second = (in_pool((f"{FISH}_1", FISH, data)) for data in (b"first", b"second"))
    theirs = tmp_path / "theirs" / Path(*first).name
    (tmp_path / "work" / "pool" / "train").mkdir(parents=True)
    theirs.parent.mkdir()
    theirs.write_bytes(b"theirs")
    (tmp_path / "work" / "pool" / "train" / FISH).symlink_to(theirs.parent)
    for data, kept in ((b"first", first), (b"second", first | second), (b"first", first | second)):
        train_tars(root, [(f"{FISH}_1.JPEG", data)])
        (row,) = read("train-pass-50-0")
        assert row["sha256"] == hashlib.sha256(data).digest()
        assert pooled(tmp_path / "work") == kept
    assert theirs.read_bytes() == b"theirs"
    umask = os.umask(0)
    os.umask(umask)
    for path in kept:
        assert (tmp_path / "work" / "pool" / path).stat().st_mode == 0o100666 & ~umask


def test_records_name_the_archives_that_were_read_for_them(root, read, tmp_path):
    train_tars(root, *([(f"{FISH}_{k}.JPEG", b"1")] for k in range(7)))
    read("train-pass-50-1")
    schema = pq.read_schema(tmp_path / "work" / "images" / "train-pass-50-1.parquet")
    archives = [f"{root}/train_images_{k}.tar.gz" for k in (1, 6)]
    assert json.loads(schema.metadata[b"archives"]) == archives


def test_a_source_without_any_needed_image_has_no_records(root, read, tmp_path):
    train_tars(root, [(f"{TENCH}_1.JPEG", b"1")])
    assert read("train-pass-50-0") == []
    assert pooled(tmp_path / "work") == {}


# Which pass reads which file


def test_each_file_is_read_in_one_pass_and_no_more_than_five_share_them(root):
    for k in range(12):
        (root / f"train-{k:05}-of-00012.parquet").touch()
    for k in range(2):
        (root / f"validation-{k:05}-of-00002.parquet").touch()
    places = find_places(root)
    assert one_pass_sets(places) == {"train": 5, "val": 2}
    parts = subset_parts(300, one_pass_sets(places), 919)
    assert parts == [*(f"train-pass-919-{k}" for k in range(5)), "val-pass-919-0", "val-pass-919-1"]
    files = [path.name for part in parts for path in pass_files(places, part)]
    assert sorted(files) == sorted(path.name for path in root.iterdir())


def test_indexed_sources_are_never_read_from_front_to_back(root, imagenet50):
    (root / "val").symlink_to(imagenet50 / "val")
    (root / "train").symlink_to(imagenet50 / "train")
    train_tars(root, [(f"{FISH}_1.JPEG", b"1")])
    places = find_places(root)
    assert one_pass_sets(places) == {}
    assert places.unused == (root / "train_images_0.tar.gz",)


def test_only_one_of_two_kinds_of_streams_is_read(root):
    train_tars(root, [(f"{FISH}_1.JPEG", b"1")])
    parquet(root, "train-00000-of-00001.parquet", [(f"{FISH}_1.JPEG", b"1")])
    places = find_places(root)
    assert places.train == (root / "train-00000-of-00001.parquet",)
    assert places.unused == (root / "train_images_0.tar.gz",)


def test_an_empty_folder_does_not_prevent_a_stream_from_being_read(root):
    (root / "train").mkdir()
    (root / "val").mkdir()
    train_tars(root, [(f"{FISH}_1.JPEG", b"1")])
    assert one_pass_sets(find_places(root)) == {"train": 1}
    assert find_places(root).unused == ()


def test_only_one_of_two_compressions_of_an_archive_is_read(root):
    for ending in ("gz", "zst"):
        (root / f"ILSVRC2012_img_val.tar.{ending}").touch()
    places = find_places(root)
    assert places.val == (root / "ILSVRC2012_img_val.tar.gz",)
    assert places.unused == (root / "ILSVRC2012_img_val.tar.zst",)
    train_tars(root, [(f"{FISH}_1.JPEG", b"1")])
    (root / "data").mkdir()
    train_tars(root / "data", [(f"{FISH}_1.JPEG", b"1")], [(f"{FISH}_2.JPEG", b"2")])
    places = find_places(root)
    assert places.train == tuple(root / "data" / f"train_images_{k}.tar.gz" for k in range(2))
    assert root / "train_images_0.tar.gz" in places.unused


# Images that occur twice


@pytest.mark.parametrize("second", [f"{FISH}_1.JPEG", f"again/{FISH}_1.jpg", f"{FISH}_1_{FISH}.JPEG"])
def test_an_image_twice_with_the_same_bytes_is_one_image(root, read, tmp_path, second):
    train_tars(root, [(f"{FISH}_1.JPEG", b"same"), (second, b"same")])
    assert [row["image"] for row in read("train-pass-50-0")] == [f"{FISH}_1"]
    assert pooled(tmp_path / "work") == in_pool((f"{FISH}_1", FISH, b"same"))


@pytest.mark.parametrize("data", [b"sama", b"longer than the first", b""])
def test_an_image_twice_with_other_bytes_is_an_error(root, refusal, data):
    train_tars(root, [(f"{FISH}_1.JPEG", b"same"), (f"{FISH}_2.JPEG", b"2"), (f"again/{FISH}_1.JPEG", data)])
    archive = root / "train_images_0.tar.gz"
    text = refusal("train-pass-50-0")
    assert f"The source has {FISH}_1.JPEG twice, with different bytes: in {archive}. " in text


@pytest.mark.parametrize("first", [0, 6])
def test_an_image_in_two_files_of_a_pass_with_other_bytes_is_an_error_that_names_both(root, refusal, first):
    files = [root / f"train-{k:05}-of-00020.parquet" for k in range(20)]
    for k, path in enumerate(files):
        parquet(root, path.name, [(f"{FISH}_{100 + k}.JPEG", b"other")])
    parquet(root, files[first].name, [(f"{FISH}_1.JPEG", b"first"), (f"{FISH}_2.JPEG", b"2")])
    parquet(root, files[first + 10].name, [(f"{FISH}_3.JPEG", b"3"), (f"{FISH}_1.JPEG", b"second")])
    text = refusal(f"train-pass-50-{first % 5}")
    assert f"{FISH}_1.JPEG twice, with different bytes: in {files[first]}, {files[first + 10]}. " in text


def test_an_image_in_two_passes_is_one_image_if_its_bytes_are_the_same(root, read, tmp_path):
    train_tars(root, [(f"{FISH}_1.JPEG", b"same")], [(f"{FISH}_2.JPEG", b"2"), (f"{FISH}_1.JPEG", b"same")])
    for k in range(2):
        read(f"train-pass-50-{k}")
    records = read_records(sorted((tmp_path / "work" / "images").iterdir()))
    assert sorted(records["image"].to_pylist()) == [f"{FISH}_1", f"{FISH}_2"]


def test_an_image_in_two_passes_with_other_bytes_is_an_error_that_names_both(root, read, tmp_path):
    train_tars(root, *([(f"{FISH}_{k}.JPEG", b"%d" % k), (f"{FISH}_9.JPEG", b"9")] for k in range(3)))
    train_tars(root, [(f"{FISH}_9.JPEG", b"other")])
    for k in (0, 2):
        read(f"train-pass-50-{k}")
    records = [tmp_path / "work" / "images" / f"train-pass-50-{k}.parquet" for k in (0, 2)]
    with pytest.raises(UserError) as error:
        read_records(records)
    archives = [root / f"train_images_{k}.tar.gz" for k in (0, 2)]
    text = f"{FISH}_9.JPEG twice, with different bytes: in {archives[0]}, {archives[1]}. "
    assert text in str(error.value)


# Damaged sources


def test_empty_images_are_named_with_their_archives_and_the_rest_is_read(root, refusal, tmp_path):
    train_tars(root, [(f"{FISH}_1.JPEG", b""), (f"{FISH}_2.JPEG", b"2"), (f"{SHARK}_1_{SHARK}.JPEG", b"")])
    text = refusal("train-pass-50-0")
    archive = root / "train_images_0.tar.gz"
    assert f"2 image files are empty: {archive}: {FISH}_1, {archive}: {SHARK}_1." in text
    assert pooled(tmp_path / "work") == in_pool((f"{FISH}_2", FISH, b"2"))


def test_a_parquet_image_without_bytes_is_named(root, refusal):
    parquet(root, "validation-00000-of-00001.parquet", [(f"{VAL}.JPEG", None), (f"{MOVED}.JPEG", b"1")])
    path = root / "validation-00000-of-00001.parquet"
    assert f"1 image files are empty: {path}: {VAL}." in refusal("val-pass-50-0")


def test_empty_images_that_no_subset_needs_are_ignored(root, read):
    train_tars(root, [(f"{TENCH}_1.JPEG", b""), (f"{FISH}_2.JPEG", b"2")])
    assert [row["image"] for row in read("train-pass-50-0")] == [f"{FISH}_2"]


def test_a_damaged_archive_leaves_no_records(root, refusal, read):
    val_tar(root, [(f"{VAL}.JPEG", b"1" * 9000)])
    path = root / "val_images.tar.gz"
    path.write_bytes(path.read_bytes()[:-9])
    assert refusal("val-pass-50-0").startswith(f"{path} is damaged or ends early")
    path.write_bytes(zstandard(tar_of([(f"{VAL}.JPEG", b"1")])))  # another compression than its name says
    assert [row["image"] for row in read("val-pass-50-0")] == [VAL]


# After a build


def test_pruning_removes_the_records_of_images_that_it_removes_from_the_pool(root, read, tmp_path):
    train_tars(root, [(f"{FISH}_1.JPEG", b"1"), (f"{TENCH}_1.JPEG", b"2")])
    val_tar(root, [(f"{VAL}.JPEG", b"3"), (f"{MOVED}.JPEG", b"4")])
    parts = ["train-pass-50-0", "val-pass-50-0", "train-pass-300-0", "val-pass-300-0"]
    rows = {part: read(part) for part in parts}
    # 50 was built; 300 was started, but its records were never joined. Images of both stay in the pool.
    samples = [
        {"image": f"any/{row['imagenet_wnid']}/{row['image']}.JPEG"}
        | {name: row[name] for name in ("imagenet_wnid", "sha256")}
        for part in parts[:2]
        for row in rows[part]
    ]
    Workspace(tmp_path).samples(50).parent.mkdir()
    pq.write_table(pa.Table.from_pylist(samples, SAMPLES), Workspace(tmp_path).samples(50))
    write_json(tmp_path / "work" / "source" / "50.json", scan_json(list_tier(root, 50, Index())[1]))
    prune([50], "auto", False, tmp_path, tmp_path / "work" / "tidy.json")
    assert pooled(tmp_path / "work") == in_pool(
        (f"{FISH}_1", FISH, b"1"), (MOVED, TENCH, b"4"), (VAL, FISH, b"3")
    )
    # Otherwise a later run would expect these images in the pool and not find them.
    left = sorted(path.stem for path in (tmp_path / "work" / "images").iterdir())
    assert left == sorted(["train-pass-50-0", "val-pass-50-0", "val-pass-300-0"])
