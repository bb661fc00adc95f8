"""Images found in folders: of classes, flat, in subfolders, behind links and beside other files."""

import os
from pathlib import Path

import pytest

from helpers.raw_imagenet import (
    official,
    official_in_pieces,
    tar_of,
)
from helpers.scans import FISH, FISH_1, FISH_2, MOVED, SHARK, UNLISTED, VAL, touch
from imagenet_s.source.listing import Row
from imagenet_s.source.readers.base import ScanNotes
from imagenet_s.source.readers.folder import Folder
from imagenet_s.source.tar_index import Index


@pytest.mark.parametrize("ending", ["JPEG", "jpeg", "JPG", "jpg", "Jpeg"])
def test_every_ending_is_an_image_of_the_official_name(root, scan_root, ending):
    touch(root, f"train/{FISH}/{FISH_1}.{ending}", f"val/{VAL}.{ending}")
    rows, scan = scan_root()
    assert [row[:3] for row in rows] == [
        (VAL, FISH, f"{root}/val/{VAL}.{ending}"),
        (FISH_1, FISH, f"{root}/train/{FISH}/{FISH_1}.{ending}"),
    ]
    # A tree made of one link to the folder would show the unofficial name.
    assert scan.whole_folders == ({FISH: f"{root}/train/{FISH}"} if ending == "JPEG" else {})


def test_file_names_in_another_case_are_listed_under_the_official_name(root, scan_root):
    touch(root, f"train/{FISH}/{FISH_1.upper()}.JPG", f"val/{VAL.lower()}.jpeg", f"val/{MOVED.upper()}.JPEG")
    rows, scan = scan_root()
    assert [row[0] for row in rows] == [VAL, MOVED, FISH_1]
    assert scan.whole_folders == {}


@pytest.mark.parametrize("folder", [FISH, SHARK, "n01440764"])
def test_val_images_are_found_by_their_file_name_not_by_their_folder(root, scan_root, folder):
    touch(root, f"val/{folder}/{VAL}.JPEG")
    rows, _ = scan_root()
    assert rows == [Row(VAL, FISH, f"{root}/val/{folder}/{VAL}.JPEG")]


@pytest.mark.parametrize(
    "folder", ["0", "999", "goldfish", "a", "val", "val/0", "val/goldfish", f"val/{FISH}"]
)
def test_val_images_may_be_in_folders_of_any_name(root, scan_root, folder):
    touch(root, f"val/{folder}/{VAL}.JPEG", f"val/b/{MOVED}_{FISH}.jpg", f"val/{UNLISTED}.JPEG")
    rows, scan = scan_root()
    assert [row.path for row in rows] == [
        f"{root}/val/{folder}/{VAL}.JPEG",
        f"{root}/val/b/{MOVED}_{FISH}.jpg",
    ]
    assert scan.unrecognized == scan.duplicates == scan.dangling == []


def test_val_is_searched_neither_deeper_nor_in_folders_that_systems_leave(root, scan_root):
    touch(root, f"val/a/b/c/{VAL}.JPEG", f"val/@eaDir/{MOVED}.JPEG", f"val/a/.ipynb_checkpoints/{VAL}.JPEG")
    assert scan_root()[0] == []


@pytest.mark.parametrize(
    "paths",
    [
        (f"train/{FISH_1}.JPEG", f"train/{SHARK}_3.jpg"),
        (f"train/{FISH_1}_{FISH}.JPEG", f"train/{SHARK}_3_{SHARK}.JPEG"),
        (f"train/train/{FISH}/{FISH_1}.JPEG", f"train/train/{SHARK}/{SHARK}_3.JPEG"),
        (f"train/part 1/{FISH}/{FISH_1}.JPEG", f"train/part 2/{SHARK}/{SHARK}_3.JPEG"),
        (f"train/part 1/{FISH_1}.JPEG", f"train/{SHARK}_3.JPEG"),
        (f"train/{FISH}/{FISH}/{FISH_1}.JPEG", f"train/{SHARK}/images/{SHARK}_3.JPEG"),
        (f"train/0/{FISH_1}.JPEG", f"train/1/{SHARK}_3.JPEG"),
        (
            f"ILSVRC2012_img_train/ILSVRC2012_img_train/{wnid}/{name}.JPEG"
            for wnid, name in ((FISH, FISH_1), (SHARK, f"{SHARK}_3"))
        ),
    ],
)
def test_train_images_may_be_one_level_higher_or_deeper(root, scan_root, paths):
    paths = tuple(paths)
    touch(root, *paths)
    rows, scan = scan_root()
    assert rows == [
        Row(FISH_1, FISH, f"{root}/{paths[0]}"),
        Row(f"{SHARK}_3", SHARK, f"{root}/{paths[1]}"),
    ]
    assert scan.unrecognized == scan.duplicates == scan.dangling == []
    # Only a folder that holds the class as the tree does can be linked to.
    whole = {f"{FISH}/{FISH_1}.JPEG": FISH, f"{SHARK}/{SHARK}_3.JPEG": SHARK}
    apart = {FISH, SHARK} if "images" not in paths[1] else set()
    expected = {
        wnid: os.path.dirname(f"{root}/{path}")
        for path in paths
        for end, wnid in whole.items()
        if path.endswith(end)
    }
    assert scan.whole_folders == {wnid: path for wnid, path in expected.items() if wnid in apart}


def test_a_class_in_two_sub_folders_is_joined_and_never_linked_as_one(root, scan_root):
    touch(
        root,
        f"train/a/{FISH}/{FISH_1}.JPEG",
        f"train/b/{FISH}/{FISH_2}.JPEG",
        f"train/b/{FISH}/{FISH_1}.JPEG",
    )
    rows, scan = scan_root()
    assert [row.path for row in rows] == [
        f"{root}/train/a/{FISH}/{FISH_1}.JPEG",
        f"{root}/train/b/{FISH}/{FISH_2}.JPEG",
    ]
    assert scan.whole_folders == {}
    assert scan.duplicates == [f"{root}/train/b/{FISH}/{FISH_1}.JPEG"]


def test_train_is_not_searched_deeper(root, scan_root):
    touch(
        root,
        f"train/a/b/{FISH}/{FISH_1}.JPEG",
        f"train/{FISH}/a/b/{FISH_2}.JPEG",
        f"train/@eaDir/{FISH}_3.JPEG",
    )
    rows, scan = scan_root()
    assert rows == []
    assert scan.unrecognized == [f"{root}/train/{FISH}/a/b"]


@pytest.mark.parametrize("inside", ["", "old/"])
@pytest.mark.parametrize("pieces", [False, True])
def test_official_archives_inside_train_and_val_are_read(
    root, scan_root, imagenet50, tmp_path, inside, pieces
):
    made = (official_in_pieces if pieces else official)(imagenet50, tmp_path / "made")
    for kind in ("train", "val"):
        (root / kind / inside).mkdir(parents=True)
        for path in made.glob(f"ILSVRC2012_img_{kind}.tar*"):
            path.rename(root / kind / inside / path.name)
    rows, scan = scan_root()
    assert len(rows) == 650 + 752 + 1682
    assert {Path(row.path).name for row in rows} == {
        f"ILSVRC2012_img_{k}.tar{'.001' if pieces else ''}" for k in ("train", "val")
    }
    assert scan.pooled == ["train", "val"]
    assert sorted(scan.fingerprints) == sorted({row.path for row in rows})
    assert Folder(root / "train", ScanNotes(), Index()).classes() == sorted(
        {row.imagenet_wnid for row in rows if row.image[0] == "n"}
    )


@pytest.mark.parametrize("folder", [".old", ".Trash-1000/files", "$RECYCLE.BIN", "lost+found"])
def test_hidden_folders_and_those_of_a_disk_are_skipped(root, scan_root, folder):
    touch(root, f"val/n00000000/{VAL}.JPEG", f"val/{folder}/{VAL}.JPEG", f"val/{folder}/{MOVED}.JPEG")
    touch(
        root,
        f"train/{folder}/{FISH_1}.JPEG",
        f"train/{folder}/{FISH}/{FISH_2}.JPEG",
        f"train/{SHARK}/{SHARK}_1.JPEG",
    )
    rows, scan = scan_root()
    assert [row.path for row in rows] == [
        f"{root}/val/n00000000/{VAL}.JPEG",
        f"{root}/train/{SHARK}/{SHARK}_1.JPEG",
    ]
    assert scan.duplicates == []


def test_flat_train_images_are_files(root, scan_root):
    touch(root, f"train/{FISH}_3.JPEG")
    os.mkfifo(root / "train" / f"{FISH_1}.JPEG")
    (root / "train" / f"{FISH_2}.JPEG").mkdir()
    (root / "train" / f"{SHARK}_1.JPEG").symlink_to("/gone/shark")
    rows, scan = scan_root()
    assert [row.image for row in rows] == [f"{FISH}_3"]
    assert scan.dangling == [f"{root}/train/{SHARK}_1.JPEG → /gone/shark"]


def test_folders_named_like_archives_are_not_read_as_archives(root, scan_root):
    touch(root, "train/ILSVRC2012_img_train.tar/x", "val/ILSVRC2012_img_val.tar/y", f"val/{VAL}.JPEG")
    assert [row.image for row in scan_root()[0]] == [VAL]


def test_links_to_nothing_are_noted_with_their_target(root, scan_root):
    touch(root, f"train/{FISH}/{FISH_1}.JPEG", "val/x")
    for link in (f"train/{SHARK}", "train/more", f"train/{FISH}/{FISH_2}.JPEG", f"val/{VAL}.JPEG", "val/0"):
        (root / link).symlink_to(f"/gone/{link}")
    assert sorted(scan_root()[1].dangling) == sorted(
        f"{root}/{link} → /gone/{link}"
        for link in (
            f"train/{SHARK}",
            "train/more",
            f"train/{FISH}/{FISH_2}.JPEG",
            f"val/{VAL}.JPEG",
            "val/0",
        )
    )


def test_symlinked_folders_and_files_are_listed_by_the_users_path(tmp_path, root, scan_root):
    touch(tmp_path, f"disk/T/{SHARK}/{SHARK}_3.JPEG", f"disk/fish/{FISH_1}.JPEG", f"disk/{VAL}.JPEG")
    (tmp_path / "disk" / "T" / FISH).symlink_to(tmp_path / "disk" / "fish")
    (root / "train").symlink_to(tmp_path / "disk" / "T")
    (root / "val").mkdir()
    (root / "val" / f"{VAL}.JPEG").symlink_to(tmp_path / "disk" / f"{VAL}.JPEG")
    rows, scan = scan_root()
    assert [row[2] for row in rows] == [
        f"{root}/val/{VAL}.JPEG",
        f"{root}/train/{FISH}/{FISH_1}.JPEG",
        f"{root}/train/{SHARK}/{SHARK}_3.JPEG",
    ]
    assert scan.train == [f"{root}/train"]
    assert scan.whole_folders == {FISH: f"{root}/train/{FISH}", SHARK: f"{root}/train/{SHARK}"}


def test_a_symlinked_val_folder_with_symlinked_class_folders_is_read(tmp_path, root, scan_root):
    touch(tmp_path, f"disk/{VAL}.JPEG")
    (tmp_path / "V").mkdir()
    (tmp_path / "V" / FISH).symlink_to(tmp_path / "disk")
    (root / "val").symlink_to(tmp_path / "V")
    assert scan_root()[0] == [Row(VAL, FISH, f"{root}/val/{FISH}/{VAL}.JPEG")]


@pytest.mark.parametrize(
    "stray",
    [
        ".DS_Store",
        f"._{FISH_2}.JPEG",
        f"{SHARK}_2.JPEG",
        f"{FISH_2}.png",
        f"{FISH_2}.JPEG.part",
        f"{FISH}.JPEG",
        f"{VAL}.JPEG",
    ],
)
def test_a_stray_file_is_not_listed_but_reported(root, scan_root, stray):
    touch(root, f"train/{FISH}/{FISH_1}.JPEG", f"train/{FISH}/{stray}")
    rows, scan = scan_root()
    assert [row[0] for row in rows] == [FISH_1]
    assert scan.unrecognized == [f"{root}/train/{FISH}/{stray}"]
    # A link to the whole folder would bring the stray file into the tree.
    assert scan.whole_folders == {}


def test_a_folder_named_like_an_image_is_not_listed(root, scan_root):
    (root / "train" / FISH / f"{FISH_2}.JPEG").mkdir(parents=True)
    (root / "val" / f"{VAL}.JPEG").mkdir(parents=True)
    rows, scan = scan_root()
    assert rows == []
    assert scan.unrecognized == [f"{root}/train/{FISH}/{FISH_2}.JPEG"]


def test_a_dangling_link_is_not_listed(root, scan_root):
    touch(root, f"train/{FISH}/{FISH_1}.JPEG", "val/x")
    (root / "train" / FISH / f"{FISH_2}.JPEG").symlink_to(root / "nowhere")
    (root / "val" / f"{VAL}.JPEG").symlink_to(root / "nowhere")
    rows, scan = scan_root()
    assert [row[0] for row in rows] == [FISH_1]
    assert scan.unrecognized == [f"{root}/train/{FISH}/{FISH_2}.JPEG"]
    assert scan.whole_folders == {}


def test_of_two_files_of_one_train_image_that_with_the_official_name_is_used(root, scan_root):
    touch(root, *(f"train/{FISH}/{FISH_1}.{ending}" for ending in ("JPG", "JPEG")))
    rows, scan = scan_root()
    assert rows == [Row(FISH_1, FISH, f"{root}/train/{FISH}/{FISH_1}.JPEG")]
    assert scan.duplicates == [f"{root}/train/{FISH}/{FISH_1}.JPG"]
    assert scan.differing == []
    assert scan.whole_folders == {}


def test_of_two_files_of_one_val_image_the_flat_one_is_used(root, scan_root):
    touch(root, f"val/{SHARK}/{VAL}.JPEG", f"val/{FISH}/{VAL}.JPEG", f"val/{VAL}.jpg")
    rows, scan = scan_root()
    assert rows == [Row(VAL, FISH, f"{root}/val/{VAL}.jpg")]
    assert scan.duplicates == [f"{root}/val/{FISH}/{VAL}.JPEG", f"{root}/val/{SHARK}/{VAL}.JPEG"]
    (root / "val" / SHARK / f"{VAL}.JPEG").write_bytes(b"1234")
    assert scan_root()[1].differing == [f"{root}/val/{VAL}.jpg (0 bytes) and {scan.duplicates[1]} (4 bytes)"]


def test_a_class_folder_is_whole_if_it_exists_and_is_not_empty(root, scan_root):
    touch(root, f"train/{FISH}/{FISH_1}.JPEG")
    (root / "train" / SHARK).mkdir()
    rows, scan = scan_root()
    assert scan.whole_folders == {FISH: f"{root}/train/{FISH}"}
    assert [row[:2] for row in rows] == [(FISH_1, FISH)]
    assert scan.unrecognized == scan.duplicates == []


@pytest.mark.parametrize("name", [f"{FISH_1}_{FISH}.JPEG", f"{FISH_1}_{SHARK}.jpeg"])
def test_the_suffix_of_hugging_face_names_is_dropped_even_if_wrong(root, scan_root, name):
    touch(root, f"train/{FISH}/{name}", f"val/{VAL}_{SHARK}.JPEG")
    rows, scan = scan_root()
    assert rows == [
        Row(VAL, FISH, f"{root}/val/{VAL}_{SHARK}.JPEG"),
        Row(FISH_1, FISH, f"{root}/train/{FISH}/{name}"),
    ]
    # A link to the folder would show the suffix.
    assert (scan.unrecognized, scan.whole_folders) == ([], {})


def test_a_name_with_the_suffix_is_a_second_file_of_the_same_image(root, scan_root):
    touch(root, f"train/{FISH}/{FISH_1}_{FISH}.JPEG", f"train/{FISH}/{FISH_1}.JPEG")
    rows, scan = scan_root()
    assert [row.image for row in rows] == [FISH_1]
    assert scan.whole_folders == {}
    assert len(scan.duplicates) == 1


def test_class_folders_and_tars_in_upper_case_are_found(root, scan_root):
    touch(root, f"train/{FISH.upper()}/{FISH_1}.JPEG", f"val/{FISH.upper()}/{VAL}.JPEG")
    (root / "train" / f"{SHARK.upper()}.TAR").write_bytes(tar_of([(f"{SHARK}_3.JPEG", b"3")]))
    rows, scan = scan_root()
    assert [(row.image, row.path) for row in rows] == [
        (VAL, f"{root}/val/{FISH.upper()}/{VAL}.JPEG"),
        (FISH_1, f"{root}/train/{FISH.upper()}/{FISH_1}.JPEG"),
        (f"{SHARK}_3", f"{root}/train/{SHARK.upper()}.TAR"),
    ]
    assert scan.whole_folders == {FISH: f"{root}/train/{FISH.upper()}"}
    assert Folder(root / "train", ScanNotes(), Index()).classes() == [FISH, SHARK]
