"""What the output takes on the disk, without asking each image for its size."""

import os
from pathlib import Path

import pytest

from helpers.damages import own_copy
from imagenet_s.dataset.dataset_file import own_digest
from imagenet_s.dataset.disk_usage import bytes_on_disk
from imagenet_s.io.atomic import read_json, write_json
from imagenet_s.workspace.paths import Workspace


def du(folder: Path) -> int:
    """The bytes that `du` counts, by inode."""
    paths = [folder, *folder.rglob("*")]
    sizes = {path.lstat().st_ino: path.lstat().st_blocks * 512 for path in paths}
    return sum(sizes.values())


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    """An output with a file of two names, links, and a folder."""
    tree = Workspace(tmp_path).tree(50)
    (tree / "train" / "n01443537").mkdir(parents=True)
    (tree / "validation-segmentation").mkdir()
    (tmp_path / "work" / "masks").mkdir(parents=True)
    (tmp_path / "work" / "masks" / "a.png").write_bytes(bytes(70_000))
    os.link(tmp_path / "work" / "masks" / "a.png", tree / "validation-segmentation" / "a.png")
    for k in range(5):
        (tree / "train" / "n01443537" / f"{k}.JPEG").symlink_to("/" + 200 * "x")
    return Workspace(tmp_path)


def test_links_and_files_of_two_names_count_as_du_counts_them(workspace):
    assert bytes_on_disk(workspace) == du(workspace.output) > 70_000


@pytest.mark.parametrize(
    ("link", "splits"),
    [
        ("symlink", []),
        ("hardlink", []),
        ("reflink", []),
        ("copy", ["train", "validation", "test"]),
        ("copy (train), symlink", ["train"]),
        ("copy (val), symlink", ["validation", "test"]),
    ],
)
def test_copied_images_count_by_dataset_json(tree, tmp_path, link, splits):
    copied = own_copy(tree, tmp_path / "ImageNetS50")
    stated = read_json(copied / "dataset.json")
    stated["build"]["link"] = link
    write_json(copied / "dataset.json", stated | {"sha256": own_digest(stated["content"], stated["build"])})
    with_images = bytes_on_disk(Workspace(tmp_path))
    (copied / "dataset.json").write_text(" " * (copied / "dataset.json").stat().st_size)
    images = sum(stated["content"]["splits"][split]["bytes"] for split in splits)
    assert with_images == bytes_on_disk(Workspace(tmp_path)) + images


def test_the_pool_and_what_is_linked_from_it_is_not_looked_at(workspace):
    before = bytes_on_disk(workspace)
    (workspace.pool / "train").mkdir(parents=True)
    (workspace.pool / "train" / "a.JPEG").write_bytes(bytes(90_000))
    os.link(workspace.pool / "train" / "a.JPEG", workspace.tree(50) / "train" / "n01443537" / "a.JPEG")
    assert bytes_on_disk(workspace) - before < 90_000
