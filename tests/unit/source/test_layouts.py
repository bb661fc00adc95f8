"""Finding raw ImageNet in every layout that people keep it in, and the reader of each place."""

import os

import pytest

from helpers.raw_imagenet import TRAIN, gzipped, tar_of, zip_of, zstandard
from helpers.raw_imagenet import VAL as VAL_TAR
from helpers.scans import FISH, FISH_1, VAL, touch
from imagenet_s.runtime.file_kind import Kind
from imagenet_s.source import layouts
from imagenet_s.source.layouts import Places, find_places, indexed_reader, is_streamed, streaming_reader
from imagenet_s.source.readers.base import ScanNotes
from imagenet_s.source.readers.compressed_tar import CompressedTar
from imagenet_s.source.readers.tar import Tar
from imagenet_s.source.readers.tfrecord import TFRecord
from imagenet_s.source.readers.webdataset import WebDataset
from imagenet_s.source.readers.zip import Zip
from imagenet_s.source.tar_index import Index
from imagenet_s.spec.classes import tier_classes


@pytest.mark.parametrize(
    ("train", "val", "name"),
    [
        ("train", "val", "plain folders"),
        ("train", "validation", "plain folders"),
        ("ILSVRC2012_img_train", "ILSVRC2012_img_val", "renamed folders"),
        ("ILSVRC/Data/CLS-LOC/train", "ILSVRC/Data/CLS-LOC/val", "Kaggle"),
        ("Data/CLS-LOC/train", "Data/CLS-LOC/val", "Kaggle"),
        ("CLS-LOC/train", "CLS-LOC/val", "Kaggle"),
        ("Train", "VAL", "plain folders"),
        ("ilsvrc2012_IMG_train", "ilsvrc2012_img_VAL", "renamed folders"),
        ("ilsvrc/data/Cls-Loc/TRAIN", "ilsvrc/data/Cls-Loc/Val", "Kaggle"),
        ("train", "ILSVRC2012_img_val", "plain folders + renamed folders"),
    ],
)
def test_every_layout_gives_the_same_images(root, scan_root, train, val, name):
    touch(root, f"{train}/{FISH}/{FISH_1}.JPEG", f"{val}/{VAL}.JPEG")
    rows, scan = scan_root()
    assert [row[:2] for row in rows] == [(VAL, FISH), (FISH_1, FISH)]
    assert os.path.samefile(rows[0][2], root / val / f"{VAL}.JPEG")
    assert os.path.samefile(rows[1][2], root / train / FISH / f"{FISH_1}.JPEG")
    assert (scan.layout, scan.root) == (name, str(root))
    assert len(scan.train) == len(scan.val) == 1
    assert os.path.samefile(scan.train[0], root / train)
    assert os.path.samefile(scan.val[0], root / val)
    assert scan.sources == {scan.train[0]: 1, scan.val[0]: 1}
    assert scan.fingerprints == {}
    assert scan.unrecognized == scan.duplicates == []


@pytest.mark.parametrize(
    ("names", "read"),
    [
        ({f"{TRAIN}": gzipped, f"{VAL_TAR}": zstandard}, CompressedTar),
        ({f"{TRAIN}.gz": zstandard, f"{VAL_TAR}.zst": gzipped}, CompressedTar),
        (
            {f"{TRAIN}.tgz".replace(".tar", ""): gzipped, f"{VAL_TAR}.tgz".replace(".tar", ""): zstandard},
            CompressedTar,
        ),
        ({f"{TRAIN}.gz": bytes, f"{VAL_TAR}.zst": bytes}, Tar),
        ({"train_images_0.tar.gz": bytes, "data/val_images.tar.gz": bytes}, Tar),
        ({"train_images_0.tar": bytes, "val_images.tar": bytes}, Tar),
        ({"train_images_0.tar": gzipped, "val_images.tar": gzipped}, CompressedTar),
    ],
)
def test_the_first_bytes_of_an_archive_choose_its_reader_not_its_name(root, names, read):
    (root / "data").mkdir()
    for name, compress in names.items():
        (root / name).write_bytes(compress(tar_of([(f"{FISH_1}.JPEG", b"1"), (f"{VAL}.JPEG", b"2")])))
    places = find_places(root)
    assert [str(path.relative_to(root)) for path in (*places.train, *places.val)] == list(names)
    assert places.one_pass == (("train", "val") if read is CompressedTar else ())
    for path in (*places.train, *places.val):
        assert is_streamed(path) == (read is CompressedTar)
        reader = streaming_reader(path) if is_streamed(path) else indexed_reader(path, ScanNotes(), Index())
        assert type(reader) is read


def test_a_zip_may_be_the_root_itself_and_another_file_may_not(root):
    for name in ("x.zip", "x.ZIP", "x.tar"):
        zip_of(root / name, [(f"{FISH_1}.JPEG", b"1"), (f"{VAL}.JPEG", b"2")])
    for name in ("x.zip", "x.ZIP"):
        path = root / name
        assert find_places(path) == Places(path, "Kaggle's zip", (path,), (path,), (), ())
        assert type(indexed_reader(path, ScanNotes(), Index())) is Zip
    assert find_places(root / "x.tar") == Places(root / "x.tar", "not recognised", (), (), (), ())


def test_folders_and_tars_are_preferred_to_zips_and_zips_to_streams(root):
    touch(root, f"train/{FISH}/{FISH_1}.JPEG", VAL_TAR)
    zip_of(root / "imagenet-object-localization-challenge (1).zip", [])
    places = find_places(root)
    assert [path.name for path in places.train] == ["train", "imagenet-object-localization-challenge (1).zip"]
    assert [path.name for path in places.val] == [VAL_TAR, "imagenet-object-localization-challenge (1).zip"]
    (root / VAL_TAR).rename(root / "val_images.tar.gz")
    assert [path.name for path in find_places(root).val] == ["imagenet-object-localization-challenge (1).zip"]


def test_finding_places_opens_only_whole_archives(root, monkeypatch):
    for wnid in tier_classes(50):
        touch(root, f"train/{wnid}.tar")
    touch(root, *(f"data/train-{k:05}-of-00294.parquet" for k in range(294)), "data/val_images.tar.gz")
    opened = []
    monkeypatch.setattr(layouts, "kind_of_file", lambda path: opened.append(path.name) or Kind.UNKNOWN)
    places = find_places(root)
    assert len(places.train) == 1
    assert set(opened) == {"val_images.tar.gz"}
    (root / "train").rename(root / "elsewhere")
    assert len(find_places(root).train) == 294
    assert set(opened) == {"val_images.tar.gz"}


@pytest.mark.parametrize(
    ("train", "val"),
    [
        ("imagenet1k-train-0000.tar", "imagenet1k-validation-00.tar"),
        ("imagenet1k-train-0000.tar", "imagenet1k-validation-0000.tar"),
        ("ImageNet1k-Train-0000.TAR", "imagenet1k-val-0000.tar"),
        ("imagenet-train-000000.tar", "imagenet-val-000000.tar"),
        ("train/imagenet1k-train-0000.tar", "validation/imagenet1k-validation-00.tar"),
        ("train/imagenet1k-train-0000.tar", "val/imagenet1k-validation-00.tar"),
        ("data/imagenet1k-train-0000.tar", "data/imagenet1k-validation-00.tar"),
    ],
)
def test_shards_are_found_unopened_and_a_folder_of_shards_is_no_plain_folder(root, monkeypatch, train, val):
    touch(root, train, val)
    for path in (root / train, root / val):
        touch(path.parent, "_info.json", ".DS_Store", ".cache/x")
    monkeypatch.setattr(layouts, "kind_of_file", lambda path: pytest.fail(f"opened {path}"))
    places = find_places(root)
    assert (places.train, places.val) == ((root / train,), (root / val,))
    assert (places.name, places.one_pass) == ("WebDataset", ())
    assert type(indexed_reader(root / train, ScanNotes(), Index())) is WebDataset


def test_class_folders_beside_shards_come_before_them(root):
    touch(root, f"train/{FISH}/{FISH_1}.JPEG", "train/imagenet1k-train-0000.tar", f"val/{VAL}.JPEG")
    assert find_places(root).train == (root / "train", root / "train" / "imagenet1k-train-0000.tar")


def test_shards_are_looked_for_among_the_first_names_of_a_folder(root, monkeypatch):
    touch(root, f"train/{FISH}/{FISH_1}.JPEG", *(f"val/ILSVRC2012_val_{k:08}.JPEG" for k in range(500)))
    listed = []
    children = layouts.children_of
    monkeypatch.setattr(layouts, "children_of", lambda folder: listed.append(folder.name) or children(folder))
    places = find_places(root)
    assert (places.train, places.val) == ((root / "train",), (root / "val",))
    assert "val" not in listed


def shards(split: str, count: int = 2) -> list[str]:
    return [f"imagenet2012-{split}.tfrecord-{k:05}-of-{count:05}" for k in range(count)]


@pytest.mark.parametrize("folder", ["imagenet2012/5.1.0/", "5.0.0/", ""])
def test_tfds_is_found_from_each_of_its_folders(root, folder):
    names = [*shards("train"), *shards("validation"), *shards("test")]
    others = ["dataset_info.json", "imagenet2012-train.tfrecord-00002-of-00002.part"]
    touch(root, *(f"{folder}{name}" for name in (*names, *others)))
    places = find_places(root)
    assert [str(path.relative_to(root)) for path in places.train] == [f"{folder}{n}" for n in names[:2]]
    assert [str(path.relative_to(root)) for path in places.val] == [f"{folder}{n}" for n in names[2:4]]
    assert (places.name, places.one_pass, places.unused) == ("TFDS", ("train", "val"), ())
    assert {type(streaming_reader(path)) for path in places.train} == {TFRecord}


@pytest.mark.parametrize("folder", ["imagenet2012/", ""])
def test_of_several_versions_of_tfds_the_newest_is_used(root, folder):
    versions = ["5.0.0", "5.1.0", "5.2.0.incompleteX1", "3.0.0"]
    touch(
        root, *(f"{folder}{v}/{name}" for v in versions for name in (*shards("train"), *shards("validation")))
    )
    touch(root, f"{folder}5.2.0/dataset_info.json")
    places = find_places(root)
    assert {path.parent for path in (*places.train, *places.val)} == {root / folder / "5.1.0"}
    assert {path.parent for path in places.unused} == {root / folder / "5.0.0"}
    assert (len(places.train), len(places.val), len(places.unused)) == (2, 2, 4)


def test_tfds_gives_way_to_original_archives(root):
    touch(root, *shards("train"), *shards("validation"), "train_images_0.tar.gz", "val_images.tar.gz")
    places = find_places(root)
    assert [path.name for path in (*places.train, *places.val)] == [
        "train_images_0.tar.gz",
        "val_images.tar.gz",
    ]
    assert len(places.unused) == 4


def test_an_unknown_layout_is_not_recognised(root, scan_root):
    touch(root, "photos/a.jpg", "notes.txt", "Data/train/x", "train.tar", "val")
    rows, scan = scan_root()
    assert rows == []
    assert (scan.train, scan.val, scan.layout) == ([], [], "not recognised")
    assert scan.entries == ["Data", "notes.txt", "photos", "train.tar", "val"]


def test_one_of_the_two_folders_alone_is_listed(root, scan_root):
    touch(root, f"val/{VAL}.JPEG")
    rows, scan = scan_root()
    assert [row[0] for row in rows] == [VAL]
    assert (scan.train, scan.val) == ([], [f"{root}/val"])


def test_a_missing_root_lists_nothing(root, scan_root):
    root.rmdir()
    rows, scan = scan_root()
    assert rows == []
    assert (scan.train, scan.val, scan.entries) == ([], [], [])


def test_an_empty_folder_is_not_used(root, scan_root):
    (root / "train").mkdir()
    (root / "val").mkdir()
    touch(root, f"ILSVRC2012_img_train/{FISH}/{FISH_1}.JPEG", f"ILSVRC2012_img_val/{VAL}.JPEG")
    rows, scan = scan_root()
    assert [row.image for row in rows] == [VAL, FISH_1]
    assert (scan.train, scan.val) == ([f"{root}/ILSVRC2012_img_train"], [f"{root}/ILSVRC2012_img_val"])
    assert (scan.layout, scan.unused) == ("renamed folders", [])
