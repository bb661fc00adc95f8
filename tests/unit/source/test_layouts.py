"""Finding raw ImageNet in every layout that people keep it in, and the reader of each place."""

import os

import pytest

from helpers.raw_imagenet import VAL as VAL_TAR
from helpers.raw_imagenet import gzipped, tar_of, zip_of
from helpers.scans import FISH, FISH_1, VAL, touch
from imagenet_s.runtime.file_kind import Kind
from imagenet_s.source import layouts
from imagenet_s.source.layouts import Places, find_places
from imagenet_s.source.readers import choose
from imagenet_s.source.readers.base import ScanNotes
from imagenet_s.source.readers.choose import indexed_reader, streaming_reader
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
    monkeypatch.setattr(choose, "kind_of_file", lambda path: opened.append(path.name) or Kind.UNKNOWN)
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
    monkeypatch.setattr(choose, "kind_of_file", lambda path: pytest.fail(f"opened {path}"))
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


# Names that tell nothing


def train_tar(name: str = FISH_1) -> bytes:
    return tar_of([(f"{name}.JPEG", b"1")])


def names_of(places: Places) -> dict[str, list[str]]:
    return {
        kind: [str(path.relative_to(places.root)) for path in paths]
        for kind, paths in (("train", places.train), ("val", places.val), ("unused", places.unused))
    }


def test_what_names_do_not_tell_is_recognised_by_content(root):
    touch(root, f"valid/{VAL}.JPEG", f"imagenet-train/{FISH}/{FISH_1}.JPEG", "other/x")
    (root / "train.tar").write_bytes(train_tar())
    (root / "x (1).tgz").write_bytes(gzipped(tar_of([(f"{VAL}.JPEG", b"1")])))
    places = find_places(root)
    assert places.name == "recognised by content"
    assert names_of(places) == {
        "train": ["imagenet-train", "train.tar"],
        "val": ["valid"],
        "unused": ["x (1).tgz"],
    }
    assert set(places.by_content) == {*places.train, *places.val}
    assert places.one_pass == ()


def test_a_name_that_tells_keeps_precedence_and_the_other_set_is_looked_for(root):
    touch(root, f"train/{FISH}/{FISH_1}.JPEG", f"more train images/{FISH}/{FISH_1}.JPEG", f"vals/{VAL}.JPEG")
    places = find_places(root)
    assert names_of(places) == {"train": ["train"], "val": ["vals"], "unused": []}
    assert (places.name, places.by_content) == (
        "plain folders + recognised by content",
        (root / "vals",),
    )


def test_names_that_tell_both_sets_are_enough(root, monkeypatch):
    touch(root, f"train/{FISH}/{FISH_1}.JPEG", f"val/{VAL}.JPEG", f"valid/{VAL}.JPEG", "train.tar")
    monkeypatch.setattr(layouts, "candidates_in", lambda *_: pytest.fail("looked into others"))
    assert names_of(find_places(root)) == {"train": ["train"], "val": ["val"], "unused": []}


@pytest.mark.parametrize(("train", "val"), [("train.tar", "val.tar"), ("val.tar", "train.tar")])
def test_the_content_of_an_archive_decides_whatever_its_name(root, train, val):
    (root / train).write_bytes(train_tar())
    (root / val).write_bytes(train_tar(VAL))
    assert names_of(find_places(root)) == {"train": [train], "val": [val], "unused": []}


def test_copies_of_a_compressed_archive_are_not_read_and_parts_are(root):
    for name in ("t (1).tgz", "t.tgz", "t2.tgz"):
        (root / name).write_bytes(gzipped(train_tar()))
    (root / "v (1).tar").write_bytes(train_tar(VAL))
    (root / "v (2).tar").write_bytes(train_tar(VAL))
    places = find_places(root)
    assert names_of(places) == {
        "train": ["t.tgz", "t2.tgz"],
        "val": ["v (1).tar"],
        "unused": ["t (1).tgz", "v (2).tar"],
    }
    assert places.one_pass == ("train",)


def test_one_archive_or_folder_may_hold_both_sets(root):
    (root / "all.tar").write_bytes(tar_of([(f"{FISH_1}.JPEG", b"1"), (f"{VAL}.JPEG", b"2")]))
    assert names_of(find_places(root)) == {"train": ["all.tar"], "val": ["all.tar"], "unused": []}


# A path for each set


def test_each_path_may_be_in_any_layout(root):
    touch(root, f"a/train/{FISH}/{FISH_1}.JPEG", "b/data/validation-00000-of-00001.parquet", "b/data/x")
    places = find_places(root / "a", root / "b")
    assert (places.root, places.val_root) == (root / "a", root / "b")
    assert places.train == (root / "a" / "train",)
    assert places.val == (root / "b" / "data" / "validation-00000-of-00001.parquet",)
    assert (places.name, places.one_pass) == ("plain folders + Hugging Face parquet", ("val",))


@pytest.mark.parametrize(
    ("made", "named"),
    [
        (["x"], "x"),
        (["x.tar"], "x.tar"),
        (["x.zip"], "x.zip"),
        (["x.tgz.aa", "x.tgz.ab"], "x.tgz"),
        (["x.tgz.aa", "x.tgz.ab"], "x.tgz.aa"),
        (["X.TAR.001"], "x.tar"),
    ],
)
def test_a_path_may_be_an_archive_of_any_name_or_the_name_of_the_whole(root, made, named):
    touch(root, *made, f"val/{VAL}.JPEG")
    places = find_places(root / named, root / "val")
    assert places.train == (root / made[0],)
    assert (places.val, places.name) == ((root / "val",), "named paths")


@pytest.mark.parametrize("inside", [f"{FISH}/{FISH_1}.JPEG", f"{FISH}.tar", "notes.txt", f"deep/{FISH}/x"])
def test_a_folder_of_images_is_a_place_itself_though_it_holds_others(root, inside):
    touch(root, f"a/{inside}", f"b/{VAL}.JPEG", f"b/val/{VAL}.JPEG")
    places = find_places(root / "a", root / "b")
    assert (places.train, places.val) == ((root / "a",), (root / "b",))


def test_a_folder_with_an_archive_of_any_name_is_searched(root):
    touch(root, f"b/x/{VAL}.JPEG")
    (root / "a").mkdir()
    (root / "a" / "x.tgz").write_bytes(gzipped(train_tar()))
    places = find_places(root / "a", root / "b")
    assert (places.train, places.val) == ((root / "a" / "x.tgz",), (root / "b" / "x",))
    assert (places.name, places.one_pass) == ("recognised by content", ("train",))


def test_one_folder_may_be_named_twice(root):
    touch(root, f"{FISH}/{FISH_1}.JPEG", f"{VAL}.JPEG")
    places = find_places(root, root)
    assert (places.train, places.val, places.unused) == ((root,), (root,), ())


def test_paths_that_do_not_exist_have_no_places(root):
    places = find_places(root / "none" / "x.tar", root / "y.tar")
    assert (places.train, places.val, places.name) == ((), (), "not recognised")
    (root / "y.tar").symlink_to("/gone")  # a link to nothing is reported as such
    assert find_places(root / "x.tar", root / "y.tar").val == (root / "y.tar",)
