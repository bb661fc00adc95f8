"""The promise: the same images give the same manifests, whatever the layout and the link mode."""

import os
from pathlib import Path

import pytest

from building import build, check_sums, digest
from conftest import linked_copy
from imagenet_s.splits import tier_val_images
from imagenet_s.subsets import sample_manifests


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


@pytest.mark.parametrize(
    ("layout", "link"),
    [
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
    ],
)
def test_layout_and_link_mode_change_no_byte(layout, link, plain, imagenet50, annotations50, tmp_path):
    tree = build(layout(imagenet50, tmp_path / "source"), annotations50, tmp_path / "output", link)
    for name in sample_manifests():
        assert (tree / "manifests" / name).read_bytes() == (plain / "manifests" / name).read_bytes(), name
    assert digest(tree) == digest(plain)
    check_sums(tree)


def test_names_in_the_tree_are_the_official_ones(imagenet50, annotations50, tmp_path):
    source = other_endings(imagenet50, tmp_path / "source")
    tree = build(source, annotations50, tmp_path / "output", "symlink")
    names = [n for split in ("train", "test") for _, _, ns in os.walk(tree / split) for n in ns]
    assert len(names) == 650 + 1682
    assert {Path(name).suffix for name in names} == {".JPEG"}
