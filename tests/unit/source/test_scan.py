"""Listing raw ImageNet by its file names, and what a scan says beside the images."""

import pytest

from helpers.raw_imagenet import (
    half_class_tars,
    hugging_face_tars,
    official,
    tar_of,
    tfds,
    train_folder_and_val_parquet,
    train_folder_and_val_tar,
)
from helpers.scans import FISH, FISH_1, FISH_2, MOVED, SHARK, UNLISTED, VAL, touch
from helpers.trees import linked_copy
from imagenet_s.io.atomic import read_json, write_json
from imagenet_s.source.listing import Row
from imagenet_s.source.scan import SourceScan, list_tier, read_scan, scan_json
from imagenet_s.source.tar_index import Index
from imagenet_s.spec.classes import CLASS_SIZES
from imagenet_s.spec.splits import tier_val_images
from imagenet_s.spec.subsets import SUBSETS, subset_of, tier_train_images


def test_a_listing_is_sorted_by_image_and_has_absolute_paths(root, scan_root):
    touch(
        root, f"train/{SHARK}/{SHARK}_3.JPEG", f"train/{FISH}/{FISH}_10.JPEG", f"train/{FISH}/{FISH_2}.JPEG"
    )
    touch(root, f"val/{MOVED}.JPEG", f"val/{VAL}.JPEG")
    rows, _ = scan_root()
    assert [row[:3] for row in rows] == [
        (VAL, FISH, f"{root}/val/{VAL}.JPEG"),
        (MOVED, "n01440764", f"{root}/val/{MOVED}.JPEG"),
        (f"{FISH}_10", FISH, f"{root}/train/{FISH}/{FISH}_10.JPEG"),
        (FISH_2, FISH, f"{root}/train/{FISH}/{FISH_2}.JPEG"),
        (f"{SHARK}_3", SHARK, f"{root}/train/{SHARK}/{SHARK}_3.JPEG"),
    ]
    assert [(row.offset, row.size) for row in rows] == [(None, None)] * 5
    assert not any(row.in_archive for row in rows)


def test_a_listing_has_only_what_its_tier_needs(root, scan_root):
    # n01440764 is a class of 300; both val images are of ImageNet classes, but only one is used.
    touch(root, "train/n01440764/n01440764_1.JPEG", f"train/{FISH}/{FISH_1}.JPEG")
    touch(root, f"val/{UNLISTED}.JPEG", f"val/{VAL}.JPEG")
    assert [row[0] for row in scan_root(50)[0]] == [VAL, FISH_1]
    assert [row[0] for row in scan_root(300)[0]] == ["n01440764_1"]
    assert scan_root(919)[0] == []


def test_only_the_notice_marks_a_source_as_synthetic(root, scan_root):
    touch(root, f"train/{FISH}/{FISH_1}.JPEG")
    assert scan_root()[1].synthetic is False
    touch(root, "SYNTHETIC.txt")
    assert scan_root()[1].synthetic is True


def test_empty_listed_images_are_reported(root, scan_root):
    listed_train = f"train/{FISH}/n01443537_23292.JPEG"
    touch(root, f"val/{VAL}.JPEG", listed_train, f"train/{FISH}/{FISH_1}.JPEG")
    for path in root.rglob("*.JPEG"):
        path.write_bytes(b"")
    assert scan_root()[1].empty == [f"{root}/val/{VAL}.JPEG", f"{root}/{listed_train}"]


def test_several_places_complete_each_other_and_the_first_takes_precedence(root, scan_root):
    touch(root, f"train/{FISH}/{FISH_1}.JPEG", f"val/{VAL}.JPEG")
    touch(root, *(f"ILSVRC2012_img_train/{FISH}/{name}.JPEG" for name in (FISH_1, FISH_2)))
    touch(root, f"ILSVRC2012_img_train/{SHARK}/{SHARK}_3.JPEG")
    touch(root, *(f"ILSVRC2012_img_val/{name}.JPEG" for name in (VAL, MOVED, UNLISTED)))
    rows, scan = scan_root()
    assert rows == [
        Row(VAL, FISH, f"{root}/val/{VAL}.JPEG"),
        Row(MOVED, "n01440764", f"{root}/ILSVRC2012_img_val/{MOVED}.JPEG"),
        Row(FISH_1, FISH, f"{root}/train/{FISH}/{FISH_1}.JPEG"),
        Row(FISH_2, FISH, f"{root}/ILSVRC2012_img_train/{FISH}/{FISH_2}.JPEG"),
        Row(f"{SHARK}_3", SHARK, f"{root}/ILSVRC2012_img_train/{SHARK}/{SHARK}_3.JPEG"),
    ]
    assert scan.train == [f"{root}/train", f"{root}/ILSVRC2012_img_train"]
    assert scan.val == [f"{root}/val", f"{root}/ILSVRC2012_img_val"]
    assert scan.sources == {
        f"{root}/{name}": count
        for name, count in (("train", 1), ("ILSVRC2012_img_train", 2), ("val", 1), ("ILSVRC2012_img_val", 1))
    }
    assert scan.layout == "plain folders + renamed folders"
    # No single folder has all images of FISH.
    assert scan.whole_folders == {SHARK: f"{root}/ILSVRC2012_img_train/{SHARK}"}


@pytest.mark.parametrize("stray", [False, True])
def test_a_second_folder_that_adds_nothing_is_not_linked_instead_of_the_first(root, scan_root, stray):
    touch(root, *(f"train/{FISH}/{name}.JPEG" for name in (FISH_1, FISH_2)))
    touch(root, f"ILSVRC2012_img_train/{FISH}/{FISH_1}.JPEG")  # a link to this folder would lack an image
    if stray:
        touch(root, f"train/{FISH}/.DS_Store")
    rows, scan = scan_root()
    assert [row.path for row in rows] == [f"{root}/train/{FISH}/{name}.JPEG" for name in (FISH_1, FISH_2)]
    assert scan.whole_folders == ({} if stray else {FISH: f"{root}/train/{FISH}"})


def test_later_places_are_not_read_once_a_tier_has_its_official_number(root, scan_root, monkeypatch):
    monkeypatch.setattr("imagenet_s.source.scan.tier_train_images", lambda tier: {50: 3}[tier])
    touch(root, *(f"train/{FISH}/{name}.JPEG" for name in (FISH_1, FISH_2)), f"train/{SHARK}/{SHARK}_3.JPEG")
    touch(root, f"ILSVRC2012_img_train/{FISH}/{FISH}_5000.JPEG")
    (root / "ILSVRC2012_img_train.tar").write_bytes(b"no tar, and never opened")
    rows, scan = scan_root()
    assert [row.image for row in rows] == [FISH_1, FISH_2, f"{SHARK}_3"]
    assert scan.sources == {f"{root}/train": 3}
    assert scan.fingerprints == {}
    # With one image too few, every class is completed, even those that lack nothing.
    (root / "train" / SHARK / f"{SHARK}_3.JPEG").unlink()
    rows, scan = scan_root()
    assert [row.image for row in rows] == [FISH_1, FISH_2, f"{FISH}_5000"]
    assert scan.sources == {f"{root}/train": 2, f"{root}/ILSVRC2012_img_train": 1}
    assert scan.whole_folders == {}


def test_a_class_as_large_as_the_largest_is_still_completed(root, scan_root):
    (root / "train" / FISH).mkdir(parents=True)
    for k in range(CLASS_SIZES[0]):
        (root / "train" / FISH / f"{FISH}_{k}.JPEG").touch()
    (root / "train" / f"{FISH}.tar").write_bytes(tar_of([(f"{FISH}_5000.JPEG", b"of the class's tar")]))
    touch(root, f"ILSVRC2012_img_train/{FISH}/{FISH}_5001.JPEG")
    rows, scan = scan_root()
    assert len(rows) == CLASS_SIZES[0] + 2
    assert {f"{FISH}_5000", f"{FISH}_5001"} < {row.image for row in rows}
    assert scan.whole_folders == {}


def test_the_official_numbers_of_the_tiers_add_up_to_those_of_the_subsets():
    numbers = [tier_train_images(tier) for tier in SUBSETS]
    assert [sum(numbers[: k + 1]) for k in range(3)] == [subset_of(s).train_images for s in SUBSETS]
    assert numbers[0] == 64_431


@pytest.mark.parametrize("size", [0, 7, 9])
@pytest.mark.parametrize("archive", [f"train/{FISH}.tar", "ILSVRC2012_img_train.tar"])
def test_a_file_cut_short_while_its_tar_was_unpacked_is_taken_from_the_tar(root, scan_root, archive, size):
    whole, cut = b"12345678", b"." * size
    touch(root, f"train/{FISH}/{FISH_1}.JPEG", f"train/{FISH}/{FISH_2}.JPEG", f"val/{VAL}.JPEG")
    (root / "train" / FISH / f"{FISH_1}.JPEG").write_bytes(b"right")
    (root / "train" / FISH / f"{FISH_2}.JPEG").write_bytes(cut)
    (root / "val" / f"{VAL}.JPEG").write_bytes(cut)
    (root / archive).write_bytes(tar_of([(f"{FISH}/{FISH_1}.JPEG", b"right"), (f"{FISH_2}.JPEG", whole)]))
    (root / "ILSVRC2012_img_val.tar").write_bytes(tar_of([(f"{VAL}.JPEG", whole), (f"{MOVED}.JPEG", b"4")]))
    rows, scan = scan_root()
    assert [(row.image, row.path, row.size) for row in rows] == [
        (VAL, f"{root}/ILSVRC2012_img_val.tar", 8),
        (MOVED, f"{root}/ILSVRC2012_img_val.tar", 1),
        (FISH_1, f"{root}/train/{FISH}/{FISH_1}.JPEG", None),
        (FISH_2, f"{root}/{archive}", 8),
    ]
    cuts = [f"{root}/train/{FISH}/{FISH_2}.JPEG", f"{root}/val/{VAL}.JPEG"]
    assert sorted(scan.duplicates) == sorted([f"{root}/{archive}: {FISH_1}", *cuts])
    assert sorted(scan.differing) == sorted(
        [
            f"{root}/{archive}: {FISH_2} (8 bytes) and {cuts[0]} ({size} bytes)",
            f"{root}/ILSVRC2012_img_val.tar: {VAL} (8 bytes) and {cuts[1]} ({size} bytes)",
        ]
    )
    assert scan.whole_folders == {}, "a link to the folder would bring the cut file into the tree"
    assert scan.empty == []
    assert scan.pooled == ["train", "val"]


def test_of_two_folders_the_first_is_used_for_files_of_any_size(root, scan_root):
    touch(root, f"train/{FISH}/{FISH_1}.JPEG", f"ILSVRC2012_img_train/{FISH}/{FISH_1}.JPEG")
    (root / "train" / FISH / f"{FISH_1}.JPEG").write_bytes(b"1")
    rows, scan = scan_root()
    assert [row.path for row in rows] == [f"{root}/train/{FISH}/{FISH_1}.JPEG"]
    other = f"{root}/ILSVRC2012_img_train/{FISH}/{FISH_1}.JPEG"
    assert scan.duplicates == [other]
    assert scan.differing == [f"{rows[0].path} (1 bytes) and {other} (0 bytes)"]


@pytest.mark.parametrize("inner", ["", f"{FISH}/"])
def test_a_complete_folder_of_resized_images_is_reported_if_there_is_another(
    inner, root, scan_root, monkeypatch
):
    rows = [row for row in tier_val_images(50) if row.image == VAL]
    monkeypatch.setattr("imagenet_s.source.scan.tier_val_images", lambda tier: rows)
    monkeypatch.setattr("imagenet_s.source.scan.tier_train_images", lambda tier: 1)
    names = [f"train/{FISH}/{FISH_1}.JPEG", f"val/{inner}{VAL}.JPEG"]
    pairs = [(root / f"a-{name}", root / f"b-{name}") for name in names]
    touch(root, *(str(path) for pair in pairs for path in pair))
    assert scan_root()[1].differing == []
    for used, other in pairs:
        used.write_bytes(b"resized")
        other.write_bytes(b"the original")
    listed, scan = scan_root()
    assert {row.path for row in listed} == {str(used) for used, _ in pairs}
    assert scan.differing == [f"{used} (7 bytes) and {other} (12 bytes)" for used, other in pairs]


@pytest.mark.parametrize("size", [7, 8])
def test_of_two_archives_the_first_is_used_and_another_size_is_reported(root, scan_root, size):
    touch(root, f"val/{VAL}.JPEG")
    (root / "train").mkdir()
    inner, outer = f"train/{FISH}.tar", "ILSVRC2012_img_train.tar"
    (root / inner).write_bytes(tar_of([(f"{FISH_1}.JPEG", b"12345678")]))
    (root / outer).write_bytes(tar_of([(f"{FISH}/{FISH_1}.JPEG", bytes(size))]))
    rows, scan = scan_root()
    assert rows[-1].path == f"{root}/{inner}"
    assert scan.duplicates == [f"{root}/{outer}: {FISH_1}"]
    sizes = f"{root}/{inner}: {FISH_1} (8 bytes) and {root}/{outer}: {FISH_1} (7 bytes)"
    assert scan.differing == ([sizes] if size == 7 else [])


@pytest.mark.parametrize(
    ("layout", "pooled"),
    [
        (linked_copy, []),
        (train_folder_and_val_tar, ["val"]),
        (half_class_tars, ["train"]),
        (train_folder_and_val_parquet, ["val"]),
        (official, ["train", "val"]),
        (hugging_face_tars, ["train", "val"]),
        (tfds, ["train", "val"]),
    ],
)
def test_the_sets_that_are_copied_are_reported(imagenet50, tmp_path, layout, pooled):
    assert list_tier(layout(imagenet50, tmp_path / "source"), 50, Index())[1].pooled == pooled


def test_a_scan_is_read_back_and_its_keys_are_those_of_earlier_versions(tmp_path):
    scan = SourceScan(
        layout="folders",
        root="/data/imagenet",
        unrecognized=["notes.txt"],
        duplicates=["a.JPEG"],
        unused=["/data/imagenet/train.tar"],
        fingerprints={"/data/imagenet/val.tar": [[1, 2]]},
    )
    write_json(tmp_path / "scan.json", scan_json(scan))
    assert read_scan(tmp_path / "scan.json") == scan
    values = read_json(tmp_path / "scan.json")
    assert set(values) == {
        "whole_folders", "strangers", "doubles", "dangling", "stamps", "layout", "root", "train", "val",
        "aside", "one_pass", "synthetic", "entries", "pooled", "sources", "empty", "differing", "val_root",
        "by_content", "part_bytes",
    }  # fmt: skip
    assert (values["strangers"], values["doubles"]) == (["notes.txt"], ["a.JPEG"])
    assert (values["aside"], values["stamps"]) == (scan.unused, scan.fingerprints)
