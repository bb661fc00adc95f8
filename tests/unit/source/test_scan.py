"""Finding raw ImageNet in every layout that people keep it in, and listing it by its file names."""

import os
from pathlib import Path

import pytest

from helpers.raw_imagenet import (
    TRAIN,
    gzipped,
    half_class_tars,
    hugging_face_tars,
    official,
    official_in_pieces,
    tar_of,
    train_folder_and_val_parquet,
    train_folder_and_val_tar,
    zstandard,
)
from helpers.raw_imagenet import VAL as VAL_TAR
from helpers.trees import linked_copy
from imagenet_s.io.atomic import read_json, write_json
from imagenet_s.runtime.file_kind import Kind
from imagenet_s.source import layouts
from imagenet_s.source.layouts import find_places, indexed_reader, is_streamed, streaming_reader
from imagenet_s.source.listing import Row
from imagenet_s.source.readers.base import ScanNotes
from imagenet_s.source.readers.compressed_tar import CompressedTar
from imagenet_s.source.readers.folder import Folder
from imagenet_s.source.readers.tar import Tar
from imagenet_s.source.scan import SourceScan, list_tier, read_scan, scan_json
from imagenet_s.source.tar_index import Index
from imagenet_s.spec.classes import CLASS_SIZES, tier_classes
from imagenet_s.spec.subsets import SUBSETS, subset_of, tier_train_images

FISH, SHARK = "n01443537", "n01491361"  # two classes of tier 50
FISH_1, FISH_2 = f"{FISH}_1", f"{FISH}_2"
VAL = "ILSVRC2012_val_00004677"  # a listed image of FISH
MOVED = "ILSVRC2012_val_00026064"  # ImageNet says n01440764, ImageNet-S says FISH
UNLISTED = "ILSVRC2012_val_00000001"  # used by no subset


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "imagenet"
    folder.mkdir()
    return folder


@pytest.fixture
def scan_root(root):
    """Return a function that scans one tier of `root`, and returns the rows and the scan."""

    def scan_root(tier: int = 50) -> tuple[list[Row], SourceScan]:
        return list_tier(root, tier, Index())

    return scan_root


def add(root: Path, *paths: str) -> None:
    """Empty files: a listing opens none."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


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
    add(root, f"{train}/{FISH}/{FISH_1}.JPEG", f"{val}/{VAL}.JPEG")
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


def test_a_listing_is_sorted_by_image_and_has_absolute_paths(root, scan_root):
    add(root, f"train/{SHARK}/{SHARK}_3.JPEG", f"train/{FISH}/{FISH}_10.JPEG", f"train/{FISH}/{FISH_2}.JPEG")
    add(root, f"val/{MOVED}.JPEG", f"val/{VAL}.JPEG")
    rows, _ = scan_root()
    assert [row[:3] for row in rows] == [
        (VAL, FISH, f"{root}/val/{VAL}.JPEG"),
        (MOVED, "n01440764", f"{root}/val/{MOVED}.JPEG"),
        (f"{FISH}_10", FISH, f"{root}/train/{FISH}/{FISH}_10.JPEG"),
        (FISH_2, FISH, f"{root}/train/{FISH}/{FISH_2}.JPEG"),
        (f"{SHARK}_3", SHARK, f"{root}/train/{SHARK}/{SHARK}_3.JPEG"),
    ]
    assert [row[3:] for row in rows] == [(None, None)] * 5
    assert not any(row.in_archive for row in rows)


def test_a_listing_has_only_what_its_tier_needs(root, scan_root):
    # n01440764 is a class of 300; both val images are of ImageNet classes, but only one is used.
    add(root, "train/n01440764/n01440764_1.JPEG", f"train/{FISH}/{FISH_1}.JPEG")
    add(root, f"val/{UNLISTED}.JPEG", f"val/{VAL}.JPEG")
    assert [row[0] for row in scan_root(50)[0]] == [VAL, FISH_1]
    assert [row[0] for row in scan_root(300)[0]] == ["n01440764_1"]
    assert scan_root(919)[0] == []


@pytest.mark.parametrize("ending", ["JPEG", "jpeg", "JPG", "jpg", "Jpeg"])
def test_every_ending_is_an_image_of_the_official_name(root, scan_root, ending):
    add(root, f"train/{FISH}/{FISH_1}.{ending}", f"val/{VAL}.{ending}")
    rows, scan = scan_root()
    assert [row[:3] for row in rows] == [
        (VAL, FISH, f"{root}/val/{VAL}.{ending}"),
        (FISH_1, FISH, f"{root}/train/{FISH}/{FISH_1}.{ending}"),
    ]
    # A tree made of one link to the folder would show the unofficial name.
    assert scan.whole_folders == ({FISH: f"{root}/train/{FISH}"} if ending == "JPEG" else {})


def test_file_names_in_another_case_are_listed_under_the_official_name(root, scan_root):
    add(root, f"train/{FISH}/{FISH_1.upper()}.JPG", f"val/{VAL.lower()}.jpeg", f"val/{MOVED.upper()}.JPEG")
    rows, scan = scan_root()
    assert [row[0] for row in rows] == [VAL, MOVED, FISH_1]
    assert scan.whole_folders == {}


@pytest.mark.parametrize("folder", [FISH, SHARK, "n01440764"])
def test_val_images_are_trusted_by_their_file_name_not_by_their_folder(root, scan_root, folder):
    add(root, f"val/{folder}/{VAL}.JPEG")
    rows, _ = scan_root()
    assert rows == [Row(VAL, FISH, f"{root}/val/{folder}/{VAL}.JPEG")]


@pytest.mark.parametrize(
    "folder", ["0", "999", "goldfish", "a", "val", "val/0", "val/goldfish", f"val/{FISH}"]
)
def test_val_images_lie_in_folders_of_any_name(root, scan_root, folder):
    add(root, f"val/{folder}/{VAL}.JPEG", f"val/b/{MOVED}_{FISH}.jpg", f"val/{UNLISTED}.JPEG")
    rows, scan = scan_root()
    assert [row.path for row in rows] == [
        f"{root}/val/{folder}/{VAL}.JPEG",
        f"{root}/val/b/{MOVED}_{FISH}.jpg",
    ]
    assert scan.unrecognized == scan.duplicates == scan.dangling == []


def test_val_is_not_searched_deeper_nor_in_folders_that_systems_leave(root, scan_root):
    add(root, f"val/a/b/c/{VAL}.JPEG", f"val/@eaDir/{MOVED}.JPEG", f"val/a/.ipynb_checkpoints/{VAL}.JPEG")
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
def test_train_images_are_read_one_folder_off(root, scan_root, paths):
    paths = tuple(paths)
    add(root, *paths)
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
    add(
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
    add(
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
    add(root, f"val/n00000000/{VAL}.JPEG", f"val/{folder}/{VAL}.JPEG", f"val/{folder}/{MOVED}.JPEG")
    add(
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
    add(root, f"train/{FISH}_3.JPEG")
    os.mkfifo(root / "train" / f"{FISH_1}.JPEG")
    (root / "train" / f"{FISH_2}.JPEG").mkdir()
    (root / "train" / f"{SHARK}_1.JPEG").symlink_to("/gone/shark")
    rows, scan = scan_root()
    assert [row.image for row in rows] == [f"{FISH}_3"]
    assert scan.dangling == [f"{root}/train/{SHARK}_1.JPEG → /gone/shark"]


def test_folders_called_as_archives_are_none(root, scan_root):
    add(root, "train/ILSVRC2012_img_train.tar/x", "val/ILSVRC2012_img_val.tar/y", f"val/{VAL}.JPEG")
    assert [row.image for row in scan_root()[0]] == [VAL]


def test_links_to_nothing_are_noted_with_their_target(root, scan_root):
    add(root, f"train/{FISH}/{FISH_1}.JPEG", "val/x")
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


# What a file is, its first bytes tell


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
def test_an_archive_is_read_as_what_it_is_whatever_its_name_says(root, names, read):
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


def test_to_find_the_places_opens_whole_archives_only(root, monkeypatch):
    for wnid in tier_classes(50):
        add(root, f"train/{wnid}.tar")
    add(root, *(f"data/train-{k:05}-of-00294.parquet" for k in range(294)), "data/val_images.tar.gz")
    opened = []
    monkeypatch.setattr(layouts, "kind_of_file", lambda path: opened.append(path.name) or Kind.UNKNOWN)
    places = find_places(root)
    assert len(places.train) == 1
    assert set(opened) == {"val_images.tar.gz"}
    (root / "train").rename(root / "elsewhere")
    assert len(find_places(root).train) == 294
    assert set(opened) == {"val_images.tar.gz"}


def test_symlinked_folders_and_files_are_listed_by_the_users_path(tmp_path, root, scan_root):
    add(tmp_path, f"disk/T/{SHARK}/{SHARK}_3.JPEG", f"disk/fish/{FISH_1}.JPEG", f"disk/{VAL}.JPEG")
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
    add(tmp_path, f"disk/{VAL}.JPEG")
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
def test_a_stray_file_is_not_listed_but_told(root, scan_root, stray):
    add(root, f"train/{FISH}/{FISH_1}.JPEG", f"train/{FISH}/{stray}")
    rows, scan = scan_root()
    assert [row[0] for row in rows] == [FISH_1]
    assert scan.unrecognized == [f"{root}/train/{FISH}/{stray}"]
    # A link to the whole folder would bring the stray file into the tree.
    assert scan.whole_folders == {}


def test_a_folder_with_the_name_of_an_image_is_no_image(root, scan_root):
    (root / "train" / FISH / f"{FISH_2}.JPEG").mkdir(parents=True)
    (root / "val" / f"{VAL}.JPEG").mkdir(parents=True)
    rows, scan = scan_root()
    assert rows == []
    assert scan.unrecognized == [f"{root}/train/{FISH}/{FISH_2}.JPEG"]


def test_a_dangling_link_is_no_image(root, scan_root):
    add(root, f"train/{FISH}/{FISH_1}.JPEG", "val/x")
    (root / "train" / FISH / f"{FISH_2}.JPEG").symlink_to(root / "nowhere")
    (root / "val" / f"{VAL}.JPEG").symlink_to(root / "nowhere")
    rows, scan = scan_root()
    assert [row[0] for row in rows] == [FISH_1]
    assert scan.unrecognized == [f"{root}/train/{FISH}/{FISH_2}.JPEG"]
    assert scan.whole_folders == {}


def test_of_two_files_of_one_train_image_the_official_name_counts(root, scan_root):
    add(root, *(f"train/{FISH}/{FISH_1}.{ending}" for ending in ("JPG", "JPEG")))
    rows, scan = scan_root()
    assert rows == [Row(FISH_1, FISH, f"{root}/train/{FISH}/{FISH_1}.JPEG")]
    assert scan.duplicates == [f"{root}/train/{FISH}/{FISH_1}.JPG"]
    assert scan.whole_folders == {}


def test_of_two_files_of_one_val_image_the_flat_one_counts(root, scan_root):
    add(root, f"val/{SHARK}/{VAL}.JPEG", f"val/{FISH}/{VAL}.JPEG", f"val/{VAL}.jpg")
    rows, scan = scan_root()
    assert rows == [Row(VAL, FISH, f"{root}/val/{VAL}.jpg")]
    assert scan.duplicates == [f"{root}/val/{FISH}/{VAL}.JPEG", f"{root}/val/{SHARK}/{VAL}.JPEG"]


def test_a_class_folder_is_whole_if_it_is_there_and_not_empty(root, scan_root):
    add(root, f"train/{FISH}/{FISH_1}.JPEG")
    (root / "train" / SHARK).mkdir()
    rows, scan = scan_root()
    assert scan.whole_folders == {FISH: f"{root}/train/{FISH}"}
    assert [row[:2] for row in rows] == [(FISH_1, FISH)]
    assert scan.unrecognized == scan.duplicates == []


def test_only_the_notice_makes_a_source_synthetic(root, scan_root):
    add(root, f"train/{FISH}/{FISH_1}.JPEG")
    assert scan_root()[1].synthetic is False
    add(root, "SYNTHETIC.txt")
    assert scan_root()[1].synthetic is True


def test_a_layout_that_is_not_known_is_found_as_such(root, scan_root):
    add(root, "photos/a.jpg", "notes.txt", "Data/train/x", "train.tar", "val")
    rows, scan = scan_root()
    assert rows == []
    assert (scan.train, scan.val, scan.layout) == ([], [], "not recognised")
    assert scan.entries == ["Data", "notes.txt", "photos", "train.tar", "val"]


def test_one_of_the_two_folders_alone_is_listed(root, scan_root):
    add(root, f"val/{VAL}.JPEG")
    rows, scan = scan_root()
    assert [row[0] for row in rows] == [VAL]
    assert (scan.train, scan.val) == ([], [f"{root}/val"])


def test_a_root_that_is_not_there_lists_nothing(root, scan_root):
    root.rmdir()
    rows, scan = scan_root()
    assert rows == []
    assert (scan.train, scan.val, scan.entries) == ([], [], [])


def test_empty_images_are_told_where_they_are_listed(root, scan_root):
    listed_train = f"train/{FISH}/n01443537_23292.JPEG"
    add(root, f"val/{VAL}.JPEG", listed_train, f"train/{FISH}/{FISH_1}.JPEG")
    for path in root.rglob("*.JPEG"):
        path.write_bytes(b"")
    assert scan_root()[1].empty == [f"{root}/val/{VAL}.JPEG", f"{root}/{listed_train}"]


# Names with the class as a suffix, and several places


@pytest.mark.parametrize("name", [f"{FISH_1}_{FISH}.JPEG", f"{FISH_1}_{SHARK}.jpeg"])
def test_the_suffix_of_hugging_face_names_is_dropped_whatever_it_says(root, scan_root, name):
    add(root, f"train/{FISH}/{name}", f"val/{VAL}_{SHARK}.JPEG")
    rows, scan = scan_root()
    assert rows == [
        Row(VAL, FISH, f"{root}/val/{VAL}_{SHARK}.JPEG"),
        Row(FISH_1, FISH, f"{root}/train/{FISH}/{name}"),
    ]
    # A link to the folder would show the suffix.
    assert (scan.unrecognized, scan.whole_folders) == ([], {})


def test_a_name_with_the_suffix_is_a_second_file_of_the_same_image(root, scan_root):
    add(root, f"train/{FISH}/{FISH_1}_{FISH}.JPEG", f"train/{FISH}/{FISH_1}.JPEG")
    rows, scan = scan_root()
    assert [row.image for row in rows] == [FISH_1]
    assert scan.whole_folders == {}
    assert len(scan.duplicates) == 1


def test_several_places_complete_each_other_and_the_first_comes_first(root, scan_root):
    add(root, f"train/{FISH}/{FISH_1}.JPEG", f"val/{VAL}.JPEG")
    add(root, *(f"ILSVRC2012_img_train/{FISH}/{name}.JPEG" for name in (FISH_1, FISH_2)))
    add(root, f"ILSVRC2012_img_train/{SHARK}/{SHARK}_3.JPEG")
    add(root, *(f"ILSVRC2012_img_val/{name}.JPEG" for name in (VAL, MOVED, UNLISTED)))
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
    # Of the fish, no single folder has it all.
    assert scan.whole_folders == {SHARK: f"{root}/ILSVRC2012_img_train/{SHARK}"}


@pytest.mark.parametrize("stray", [False, True])
def test_a_second_folder_that_adds_nothing_is_never_linked_in_place_of_the_first(root, scan_root, stray):
    add(root, *(f"train/{FISH}/{name}.JPEG" for name in (FISH_1, FISH_2)))
    add(root, f"ILSVRC2012_img_train/{FISH}/{FISH_1}.JPEG")  # a link to this folder would lack an image
    if stray:
        add(root, f"train/{FISH}/.DS_Store")
    rows, scan = scan_root()
    assert [row.path for row in rows] == [f"{root}/train/{FISH}/{name}.JPEG" for name in (FISH_1, FISH_2)]
    assert scan.whole_folders == ({} if stray else {FISH: f"{root}/train/{FISH}"})


def test_a_tier_that_has_its_official_number_is_not_looked_for_in_later_places(root, scan_root, monkeypatch):
    monkeypatch.setattr("imagenet_s.source.scan.tier_train_images", lambda tier: {50: 3}[tier])
    add(root, *(f"train/{FISH}/{name}.JPEG" for name in (FISH_1, FISH_2)), f"train/{SHARK}/{SHARK}_3.JPEG")
    add(root, f"ILSVRC2012_img_train/{FISH}/{FISH}_5000.JPEG")
    (root / "ILSVRC2012_img_train.tar").write_bytes(b"no tar, and never opened")
    rows, scan = scan_root()
    assert [row.image for row in rows] == [FISH_1, FISH_2, f"{SHARK}_3"]
    assert scan.sources == {f"{root}/train": 3}
    assert scan.fingerprints == {}
    # With one image too few, every class is completed, also those that lack nothing.
    (root / "train" / SHARK / f"{SHARK}_3.JPEG").unlink()
    rows, scan = scan_root()
    assert [row.image for row in rows] == [FISH_1, FISH_2, f"{FISH}_5000"]
    assert scan.sources == {f"{root}/train": 2, f"{root}/ILSVRC2012_img_train": 1}
    assert scan.whole_folders == {}


def test_a_class_with_as_many_images_as_any_may_have_is_completed_all_the_same(root, scan_root):
    (root / "train" / FISH).mkdir(parents=True)
    for k in range(CLASS_SIZES[0]):
        (root / "train" / FISH / f"{FISH}_{k}.JPEG").touch()
    (root / "train" / f"{FISH}.tar").write_bytes(tar_of([(f"{FISH}_5000.JPEG", b"of the class's tar")]))
    add(root, f"ILSVRC2012_img_train/{FISH}/{FISH}_5001.JPEG")
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
    add(root, f"train/{FISH}/{FISH_1}.JPEG", f"train/{FISH}/{FISH_2}.JPEG", f"val/{VAL}.JPEG")
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
    assert scan.whole_folders == {}, "a link to the folder would bring the cut file into the tree"
    assert scan.empty == []
    assert scan.pooled == ["train", "val"]


def test_of_two_folders_the_first_counts_whatever_the_sizes(root, scan_root):
    add(root, f"train/{FISH}/{FISH_1}.JPEG", f"ILSVRC2012_img_train/{FISH}/{FISH_1}.JPEG")
    (root / "train" / FISH / f"{FISH_1}.JPEG").write_bytes(b"1")
    rows, scan = scan_root()
    assert [row.path for row in rows] == [f"{root}/train/{FISH}/{FISH_1}.JPEG"]
    assert scan.duplicates == [f"{root}/ILSVRC2012_img_train/{FISH}/{FISH_1}.JPEG"]


def test_class_folders_and_tars_in_upper_case_are_found(root, scan_root):
    add(root, f"train/{FISH.upper()}/{FISH_1}.JPEG", f"val/{FISH.upper()}/{VAL}.JPEG")
    (root / "train" / f"{SHARK.upper()}.TAR").write_bytes(tar_of([(f"{SHARK}_3.JPEG", b"3")]))
    rows, scan = scan_root()
    assert [(row.image, row.path) for row in rows] == [
        (VAL, f"{root}/val/{FISH.upper()}/{VAL}.JPEG"),
        (FISH_1, f"{root}/train/{FISH.upper()}/{FISH_1}.JPEG"),
        (f"{SHARK}_3", f"{root}/train/{SHARK.upper()}.TAR"),
    ]
    assert scan.whole_folders == {FISH: f"{root}/train/{FISH.upper()}"}
    assert Folder(root / "train", ScanNotes(), Index()).classes() == [FISH, SHARK]


def test_an_empty_folder_is_no_place(root, scan_root):
    (root / "train").mkdir()
    (root / "val").mkdir()
    add(root, f"ILSVRC2012_img_train/{FISH}/{FISH_1}.JPEG", f"ILSVRC2012_img_val/{VAL}.JPEG")
    rows, scan = scan_root()
    assert [row.image for row in rows] == [VAL, FISH_1]
    assert (scan.train, scan.val) == ([f"{root}/ILSVRC2012_img_train"], [f"{root}/ILSVRC2012_img_val"])
    assert (scan.layout, scan.unused) == ("renamed folders", [])


@pytest.mark.parametrize(
    ("layout", "pooled"),
    [
        (linked_copy, []),
        (train_folder_and_val_tar, ["val"]),
        (half_class_tars, ["train"]),
        (train_folder_and_val_parquet, ["val"]),
        (official, ["train", "val"]),
        (hugging_face_tars, ["train", "val"]),
    ],
)
def test_the_sets_that_are_copied_are_told(imagenet50, tmp_path, layout, pooled):
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
        "aside", "one_pass", "synthetic", "entries", "pooled", "sources", "empty",
    }  # fmt: skip
    assert (values["strangers"], values["doubles"]) == (["notes.txt"], ["a.JPEG"])
    assert (values["aside"], values["stamps"]) == (scan.unused, scan.fingerprints)
