"""Missing archives, and files that are not archives, are reported before any is read."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers import raw_imagenet
from helpers.raw_imagenet import gzipped, tar_of
from helpers.tfrecord import example, tfrecord
from helpers.trees import linked_copy
from imagenet_s.preflight import check
from imagenet_s.preflight.archive_check import archive_problems
from imagenet_s.preflight.check import scan_source
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.file_kind import Kind, kind_of
from imagenet_s.source.layouts import find_places
from imagenet_s.source.tar_index import Index

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
TAR = tar_of([("n01443537_1.JPEG", b"1")])


@pytest.fixture
def root(tmp_path) -> Path:
    (tmp_path / "imagenet" / "data").mkdir(parents=True)
    return tmp_path / "imagenet"


def problems_of(root: Path) -> list[str]:
    """Return the problems of the archives, which must also stop the scan."""
    texts = [problem.text for problem in archive_problems(find_places(root))]
    if texts:
        with pytest.raises(UserError) as error:
            scan_source(root, [50], Index())
        assert str(error.value) == "\n".join(texts)
    return texts


def parquet(path: Path) -> None:
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    rows = [{"bytes": b"1", "path": "n01443537_1_n01443537.JPEG"}]
    pq.write_table(pa.table({"image": pa.array(rows, image)}), path)


def parquet_set(folder: Path, stem: str, total: int, lost: tuple[int, ...] = (), ending: str = "") -> None:
    for k in range(total):
        if k not in lost:
            parquet(folder / f"{stem}-{k:05}-of-{total:05}{ending}.parquet")


ZIP = "imagenet-object-localization-challenge.zip"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (TAR, "is a tar, not a zip. Replace it with the right file, or remove it."),
        (gzipped(TAR), "is compressed with gzip, not a zip. Unpack it with `gunzip`."),
        (b"", "is empty, not a zip. Get it again."),
        (LFS, "is a git-lfs pointer, not a zip. It was cloned without git-lfs. Run `git lfs pull` there, or"),
        (
            bytes(9999),
            "is zeros, not a zip. Unfinished downloads look like this. Let the download finish, or start it",
        ),
        (b"<!doctype html>", "is an HTML page, not a zip. The server sent a web page, such as a login page,"),
    ],
)
def test_a_zip_that_is_another_file_is_reported_once(root, data, text):
    (root / ZIP).write_bytes(data)
    [problem] = problems_of(root)
    assert problem.startswith(f"`imagenet`: {root}/{ZIP} {text}")


# Missing archives


@pytest.mark.parametrize("lost", [(0,), (2,), (4,), (0, 1, 3)])
@pytest.mark.parametrize("ending", [".tar.gz", ".tar"])
def test_a_missing_archive_of_hugging_face_is_named(root, lost, ending):
    for k in range(5):
        if k not in lost:
            (root / "data" / f"train_images_{k}{ending}").write_bytes(TAR)
    (root / "data" / "val_images.tar.gz").write_bytes(gzipped(TAR))
    names = ", ".join(f"train_images_{k}{ending}" for k in lost)
    assert problems_of(root) == [
        f"`imagenet`: {root}/data lacks {len(lost)} of the 5 files train_images_…: {names}. Get them, into "
        "the same folder. Nothing was read."
    ]


def test_a_file_with_a_number_too_high_does_not_complete_a_set(root):
    for k in (0, 1, 2, 3, 5):
        (root / "data" / f"train_images_{k}.tar.gz").write_bytes(gzipped(TAR))
    [text] = problems_of(root)
    assert "lacks 1 of the 5 files train_images_…: train_images_4.tar.gz. Get them" in text


def test_partial_downloads_do_not_count_as_packed(root):
    parquet_set(root, "train", 3, lost=(1,))
    (root / "train-00001-of-00003.parquet.part").write_bytes(b"PAR1")
    [text] = problems_of(root)
    assert text.endswith("train-00001-of-00003.parquet. Get them, into the same folder. Nothing was read.")


def link_to_nothing(path: Path) -> None:
    path.symlink_to("/gone/val.tar")


@pytest.mark.parametrize(
    ("name", "leave"),
    [
        ("ILSVRC2012_img_val.tar", lambda path: path.write_bytes(LFS)),
        ("ILSVRC2012_img_val.tar", lambda path: path.write_bytes(bytes(9999))),
        ("ILSVRC2012_img_val.tar", link_to_nothing),
        ("ILSVRC2012_img_val.tar.001", lambda path: path.write_bytes(gzipped(TAR))),
    ],
)
def test_leftovers_beside_a_whole_folder_do_no_harm(imagenet50, tmp_path, name, leave):
    root = linked_copy(imagenet50, tmp_path / "imagenet")
    leave(root / name)
    assert problems_of(root) == []
    assert sum(len(listing) for listing in scan_source(root, [50], Index())[0]) == 650 + 752 + 1682


def test_a_shard_beside_a_folder_or_a_whole_archive_does_no_harm(imagenet50, tmp_path):
    for k, layout in enumerate((linked_copy, raw_imagenet.official)):
        root = layout(imagenet50, tmp_path / str(k))
        (root / "train_images_3.tar").write_bytes(TAR)
        assert problems_of(root) == []


def test_archives_of_which_only_some_were_unpacked_are_reported(root):
    for k in range(5):
        data = TAR if k == 0 else gzipped(TAR)
        (root / "data" / f"train_images_{k}.tar{'.gz' * (k > 0)}").write_bytes(data)
    names = [f"train_images_{k}.tar" for k in range(1, 5)]
    assert problems_of(root) == [
        f"`imagenet`: {root}/data lacks 4 of the 5 files train_images_…: {', '.join(names)}. Instead "
        f"there are {', '.join(f'{name}.gz' for name in names)}: unpack these, or pack the others in the "
        "same way."
    ]


def test_archives_that_are_links_to_nothing_are_reported(root):
    for name in ("train", "val"):
        (root / f"ILSVRC2012_img_{name}.tar").symlink_to(f"/gone/{name}.tar")
    links = [f"{root}/ILSVRC2012_img_{name}.tar → /gone/{name}.tar" for name in ("train", "val")]
    assert problems_of(root) == [
        f"`imagenet`: links lead to nothing: {', '.join(links)}. Restore or mount their targets."
    ]


def test_a_missing_parquet_file_is_named_of_train_and_val_at_once(root):
    parquet_set(root / "data", "train", 12, lost=(7, 11))
    parquet_set(root / "data", "validation", 3, lost=(1,))
    assert problems_of(root) == [
        f"`imagenet`: {root}/data lacks 2 of the 12 files train-…: train-00007-of-00012.parquet, "
        "train-00011-of-00012.parquet. Get them, into the same folder. Nothing was read.",
        f"`imagenet`: {root}/data lacks 1 of the 3 files validation-…: validation-00001-of-00003.parquet. "
        "Get them, into the same folder. Nothing was read.",
    ]


def shards(folder: Path, *numbers: int, stem: str = "imagenet1k-train", digits: int = 4) -> None:
    folder.mkdir(exist_ok=True)
    for k in numbers:
        (folder / f"{stem}-{k:0{digits}}.tar").write_bytes(TAR)


@pytest.mark.parametrize("folder", ["", "train"])
def test_gaps_in_the_numbers_of_shards_are_named_of_train_and_val_at_once(root, monkeypatch, folder):
    val = folder.replace("train", "validation")
    shards(root / folder, 0, 1, 4, 6)
    shards(root / val, 1, stem="imagenet1k-validation", digits=2)
    monkeypatch.setattr(check, "list_tier", lambda *_: pytest.fail("listed"))
    assert problems_of(root) == [
        f"`imagenet`: {root / folder} lacks 3 of the 7 files imagenet1k-train-…: imagenet1k-train-0002.tar, "
        "imagenet1k-train-0003.tar, imagenet1k-train-0005.tar. Get them, into the same folder. Nothing was "
        "read.",
        f"`imagenet`: {root / val} lacks 1 of the 2 files imagenet1k-validation-…: "
        "imagenet1k-validation-00.tar. Get them, into the same folder. Nothing was read.",
    ]


def test_shards_without_a_gap_lack_nothing(root):
    shards(root, *range(12))
    shards(root, *range(3), stem="imagenet1k-validation", digits=2)
    assert archive_problems(find_places(root)) == []


def test_a_shard_with_a_huge_number_takes_little(root):
    shards(root, 0, 99_999)
    [problem] = archive_problems(find_places(root))
    assert "lacks 99,998 of the 100,000 files imagenet1k-train-…" in problem.text


def test_a_compressed_shard_is_reported(root):
    shards(root, 0)
    (root / "imagenet1k-validation-00.tar").write_bytes(gzipped(TAR))
    assert problems_of(root) == [
        f"`imagenet`: {root}/imagenet1k-validation-00.tar is compressed with gzip, not a tar. Unpack it with "
        "`gunzip`."
    ]


# In the cache of the Hugging Face hub


def test_a_revision_whose_links_lead_to_nothing_is_only_partly_downloaded(root):
    parquet_set(root / "data", "train", 3)
    parquet_set(root / "data", "validation", 1)
    cache = raw_imagenet.cached(root, root.parent / "hub", "ILSVRC--imagenet-1k")
    names = ("train-00001-of-00003.parquet", "validation-00000-of-00001.parquet")
    for name in names:
        (cache / "blobs" / f"c0ffee-{name}").unlink()
    data = cache / "snapshots" / "c0ffee" / "data"
    links = ", ".join(f"{data}/{name} → ../../../blobs/c0ffee-{name}" for name in names)
    for folder in (cache.parent, cache, data.parents[1], data.parent):
        assert problems_of(folder) == [
            f"`imagenet`: the revision {data.parent}, in the Hugging Face hub's cache, is only partly "
            f"downloaded: 2 of its links lead to nothing: {links}. Download the rest with `hf download "
            "ILSVRC/imagenet-1k --repo-type dataset --revision c0ffee`."
        ]


def test_files_that_a_revision_lacks_are_named_with_the_command_that_gets_them(root):
    shards(root, 0, 2)
    shards(root, 0, stem="imagenet1k-validation", digits=2)
    cache = raw_imagenet.cached(root, root.parent / "hub", "timm--imagenet-1k-wds")
    assert problems_of(cache.parent) == [
        f"`imagenet`: {cache}/snapshots/c0ffee lacks 1 of the 3 files imagenet1k-train-…: "
        "imagenet1k-train-0001.tar. Get them with `hf download timm/imagenet-1k-wds --repo-type dataset "
        "--revision c0ffee`. Nothing was read."
    ]


def tfrecord_set(folder: Path, split: str, total: int, lost: tuple[int, ...] = ()) -> None:
    data = tfrecord([{"file_name": b"n01443537_1.JPEG", "image": b"1"}])
    for k in set(range(total)) - set(lost):
        (folder / f"imagenet2012-{split}.tfrecord-{k:05}-of-{total:05}").write_bytes(data)


def test_missing_tfrecord_files_are_named_of_train_and_val_at_once(root):
    folder = root / "imagenet2012" / "5.1.0"
    folder.mkdir(parents=True)
    tfrecord_set(folder, "train", 1024, lost=(7, 1023))
    tfrecord_set(folder, "validation", 64, lost=(0,))
    (folder / "imagenet2012-validation.tfrecord-00000-of-00064.part").touch()
    assert problems_of(root) == [
        f"`imagenet`: {folder} lacks 2 of the 1,024 files imagenet2012-train.tfrecord-…: "
        "imagenet2012-train.tfrecord-00007-of-01024, imagenet2012-train.tfrecord-01023-of-01024. Get them, "
        "into the same folder. Nothing was read.",
        f"`imagenet`: {folder} lacks 1 of the 64 files imagenet2012-validation.tfrecord-…: "
        "imagenet2012-validation.tfrecord-00000-of-00064. Get them, into the same folder. Nothing was read.",
    ]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "empty"),
        (bytes(99), "zeros"),
        (LFS, "a git-lfs pointer"),
        (gzipped(TAR), "compressed with gzip"),
    ],
)
def test_a_file_that_is_no_tfrecord_file_is_reported_with_its_kind(root, data, kind):
    tfrecord_set(root, "train", 2)
    (root / "imagenet2012-train.tfrecord-00001-of-00002").write_bytes(data)
    [text] = problems_of(root)
    said = f"`imagenet`: {root}/imagenet2012-train.tfrecord-00001-of-00002 is {kind}, not a TFRecord file. "
    assert text.startswith(said)


def test_a_tfrecord_file_whose_first_length_looks_like_another_kind_is_none(root):
    # 0x18b1f bytes: as a little-endian number, it begins like gzip.
    overhead = len(example({"file_name": b"n01443537_1.JPEG", "image": bytes(99_999)})) - 99_999
    image = bytes(0x18B1F - overhead)
    data = tfrecord([{"file_name": b"n01443537_1.JPEG", "image": image}])
    assert kind_of(data) is Kind.GZIP
    (root / "imagenet2012-train.tfrecord-00000-of-00001").write_bytes(data)
    assert problems_of(root) == []


def test_names_with_a_digest_are_counted_too(root):
    parquet_set(root, "train", 4, lost=(2,), ending="-0123456789abcdef")
    assert "train-00002-of-00004-0123456789abcdef.parquet" in problems_of(root)[0]


def test_all_that_is_missing_is_in_the_details(root):
    parquet_set(root, "train", 294, lost=tuple(range(1, 294)))
    [problem] = archive_problems(find_places(root))
    assert "lacks 293 of the 294 files" in problem.text
    assert problem.text.count(".parquet") == 5
    assert problem.names == tuple(f"missing {root}/train-{k:05}-of-00294.parquet" for k in range(1, 294))


def test_a_complete_set_is_enough_beside_incomplete_ones(root):
    parquet_set(root, "train", 3)
    parquet_set(root, "train", 5, lost=(0, 4))
    parquet(root / "train-copy.parquet")
    assert problems_of(root) == []


def test_whole_sets_and_single_archives_lack_nothing(root, imagenet50, tmp_path):
    for k, layout in enumerate(
        (
            raw_imagenet.hugging_face_tars,
            raw_imagenet.hugging_face_parquet,
            raw_imagenet.tfds,
            raw_imagenet.official,
        )
    ):
        assert problems_of(layout(imagenet50, tmp_path / str(k))) == []


def test_a_missing_file_is_reported_before_a_byte_is_read(root, monkeypatch):
    parquet_set(root, "train", 3, lost=(1,))
    monkeypatch.setattr(check, "list_tier", lambda *_: pytest.fail("listed"))
    problems_of(root)


def test_missing_pieces_of_both_archives_are_reported_at_once(root):
    for name in ("train", "val"):
        for ending in ("001", "002", "004"):
            (root / f"ILSVRC2012_img_{name}.tar.{ending}").write_bytes(TAR)
    assert problems_of(root) == [
        f"`imagenet`: {root} lacks pieces of ILSVRC2012_img_{name}.tar: ILSVRC2012_img_{name}.tar.003. Put "
        "them into the same folder."
        for name in ("train", "val")
    ]


# Files that are not archives


@pytest.mark.parametrize("name", ["ILSVRC2012_img_val.tar", "ILSVRC2012_img_val.tar.gz", "val_images.tar.gz"])
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            LFS,
            "is a git-lfs pointer, not a tar. It was cloned without git-lfs. Run `git lfs pull` there, or "
            "download the file itself.",
        ),
        (
            b"<!DOCTYPE html><title>Log in</title>",
            "is an HTML page, not a tar. The server sent a web page, such as a login page, instead of "
            "the file. Download it again.",
        ),
        (
            bytes(1 << 20),
            "is zeros, not a tar. Unfinished downloads look like this. Let the download finish, or start it "
            "again.",
        ),
        (b"", "is empty, not a tar. Get it again."),
        (b"PK\3\4" * 9, "is a zip, not a tar. Unpack it with `unzip`."),
        (b"\xfd7zXZ\0" * 9, "is compressed with xz, bzip2 or 7-Zip, not a tar. Unpack it."),
        (b"PAR1" * 9, "is a parquet file, not a tar. Replace it with the right file, or remove it."),
    ],
)
def test_a_file_that_is_not_an_archive_is_reported_with_its_kind(root, name, data, said):
    (root / name).write_bytes(data)
    assert problems_of(root) == [f"`imagenet`: {root}/{name} {said}"]


def test_pointers_instead_of_parquet_files_are_reported_at_once(root):
    for k in range(9):
        (root / f"train-{k:05}-of-00009.parquet").write_bytes(LFS)
    assert problems_of(root) == [
        "`imagenet`: 9 files are not a parquet file: each is a git-lfs pointer: "
        + ", ".join(f"{root}/train-{k:05}-of-00009.parquet" for k in range(5))
        + ", … (9 in all). It was cloned without git-lfs. Run `git lfs pull` there, or download the file "
        "itself."
    ]


def test_a_damaged_tar_is_left_to_its_reader(root):
    (root / "ILSVRC2012_img_val.tar").write_bytes(b"?" * 2000)
    assert problems_of(root) == []
