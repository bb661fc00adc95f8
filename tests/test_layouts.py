"""The promise: the same images give the same manifests, whatever the layout and the link mode."""

import os
from pathlib import Path

import pytest

import archives
from building import build, check_sums, digest
from conftest import linked_copy
from imagenet_s.listing import read_listing
from imagenet_s.pool import pool_path
from imagenet_s.splits import tier_val_images
from imagenet_s.subsets import SPLITS, sample_manifests


def flat(source: Path, target: Path) -> Path:
    return linked_copy(source, target)


def val_in_class_folders(source: Path, target: Path) -> Path:
    linked_copy(source, target)
    for row in tier_val_images(50):
        folder = target / "val" / row.imagenet_wnid
        folder.mkdir(exist_ok=True)
        (target / "val" / f"{row.image}.JPEG").rename(folder / f"{row.image}.JPEG")
    return target


def kaggle(source: Path, target: Path) -> Path:
    linked_copy(source, target / "ILSVRC" / "Data" / "CLS-LOC")
    return target


def renamed(source: Path, target: Path) -> Path:
    linked_copy(source, target)
    (target / "train").rename(target / "ILSVRC2012_img_train")
    (target / "val").rename(target / "ILSVRC2012_img_val")
    return target


def other_endings(source: Path, target: Path) -> Path:
    linked_copy(source, target)
    for k, path in enumerate(sorted(target.rglob("*.JPEG"))):
        path.rename(path.with_suffix((".jpeg", ".jpg", ".JPG", ".JPEG")[k % 4]))
    return target


def linked_folders(source: Path, target: Path) -> Path:
    target.mkdir()
    (target / "train").mkdir()
    for folder in (source / "train").iterdir():
        (target / "train" / folder.name).symlink_to(folder)
    (target / "validation").symlink_to(source / "val")
    return target


@pytest.fixture(scope="module")
def plain(imagenet50, annotations50, tmp_path_factory) -> Path:
    return build(imagenet50, annotations50, tmp_path_factory.mktemp("plain"), "symlink")


def two_places(source: Path, target: Path) -> Path:
    """Half of the classes, and half of val, under one name, the others under another."""
    linked_copy(source, target)
    for plain, renamed in (("train", "ILSVRC2012_img_train"), ("val", "ILSVRC2012_img_val")):
        (target / renamed).mkdir()
        for path in sorted((target / plain).iterdir())[::2]:
            path.rename(target / renamed / path.name)
    return target


ARCHIVES = (
    archives.official,
    archives.official_in_pieces,
    archives.official_in_lettered_pieces,
    archives.class_tars,
    archives.half_class_tars,
    archives.train_folder_and_val_tar,
    archives.train_tar_and_val_folder,
    archives.few_classes_beside_the_tar,
)


@pytest.mark.parametrize(
    ("layout", "link"),
    [
        (flat, "auto"),
        (flat, "hardlink"),
        (flat, "copy"),
        (val_in_class_folders, "symlink"),
        (val_in_class_folders, "copy"),
        (kaggle, "symlink"),
        (kaggle, "hardlink"),
        (renamed, "symlink"),
        (other_endings, "symlink"),
        (other_endings, "hardlink"),
        (linked_folders, "hardlink"),
        (linked_folders, "symlink"),
        (two_places, "auto"),
        (archives.hugging_face_unpacked, "auto"),
        *((layout, "auto") for layout in ARCHIVES),
        *((layout, "copy") for layout in (archives.official, archives.few_classes_beside_the_tar)),
    ],
)
def test_layout_and_link_mode_change_no_byte(layout, link, plain, imagenet50, annotations50, tmp_path):
    tree = build(layout(imagenet50, tmp_path / "source"), annotations50, tmp_path / "output", link)
    for name in sample_manifests():
        assert (tree / "manifests" / name).read_bytes() == (plain / "manifests" / name).read_bytes(), name
    assert digest(tree) == digest(plain)
    check_sums(tree)
    check_links(tree, link)


def check_links(tree: Path, link: str) -> None:
    """Images from archives, and copies, are the pool's own files; others are links to the user's files."""
    work = tree.parent / "work"
    umask = os.umask(0)
    os.umask(umask)
    rows = {row["image"]: row for row in read_listing(work / "source" / "50.parquet").to_pylist()}
    placed = [path for split in SPLITS for path in tree.glob(f"{split}/*/*")]
    assert {path.stem for path in placed} == set(rows)
    for path in placed:
        row = rows[path.stem]
        pooled = work / "pool" / pool_path(row["image"], row["imagenet_wnid"])
        if link == "copy" or row["offset"] is not None:
            stat = path.lstat()
            assert (stat.st_ino, stat.st_mode) == (pooled.stat().st_ino, 0o100666 & ~umask), path
        else:
            assert not pooled.exists()
            assert path.samefile(row["path"])
            assert (path.is_symlink() or path.parent.is_symlink()) == (link in ("auto", "symlink")), path


def test_names_in_the_tree_are_the_official_ones(imagenet50, annotations50, tmp_path):
    source = other_endings(imagenet50, tmp_path / "source")
    tree = build(source, annotations50, tmp_path / "output", "symlink")
    names = [n for split in ("train", "test") for _, _, ns in os.walk(tree / split) for n in ns]
    assert len(names) == 650 + 1682
    assert {Path(name).suffix for name in names} == {".JPEG"}
