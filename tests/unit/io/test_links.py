"""Links: made once, replaced where they are wrong, never followed."""

import os
from pathlib import Path

import pytest

from imagenet_s.io.links import place


@pytest.fixture
def target(tmp_path) -> Path:
    path = tmp_path / "source.JPEG"
    path.write_text("bytes")
    return path


@pytest.fixture
def scratch(tmp_path) -> Path:
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


def is_link(path: Path, target: Path, kind: str) -> bool:
    if kind == "symlink":
        return path.is_symlink() and os.readlink(path) == str(target)
    return path.lstat().st_ino == target.stat().st_ino


@pytest.mark.parametrize("kind", ["symlink", "hardlink"])
def test_a_link_is_made_and_then_left_alone(tmp_path, target, scratch, kind):
    path = tmp_path / "link.JPEG"
    assert place(str(target), path, kind, scratch) is True
    assert is_link(path, target, kind)
    before = path.lstat()
    assert place(str(target), path, kind, scratch) is False
    after = path.lstat()
    assert (after.st_ino, after.st_mtime_ns, after.st_ctime_ns) == (
        before.st_ino,
        before.st_mtime_ns,
        before.st_ctime_ns,
    )
    assert os.listdir(scratch) == []


@pytest.mark.parametrize("kind", ["symlink", "hardlink"])
@pytest.mark.parametrize("there", ["file", "symlink", "hard link", "dangling", "link to a folder"])
def test_anything_but_the_right_link_is_replaced_and_never_followed(tmp_path, target, scratch, kind, there):
    other = tmp_path / "other.JPEG"
    other.write_text("other")
    (tmp_path / "folder").mkdir()
    path = tmp_path / "link.JPEG"
    match there:
        case "file":
            path.write_text("old")
        case "symlink":
            path.symlink_to(other)
        case "hard link":
            path.hardlink_to(other)
        case "dangling":
            path.symlink_to(tmp_path / "nowhere")
        case "link to a folder":
            path.symlink_to(tmp_path / "folder")
    assert place(str(target), path, kind, scratch) is True
    assert is_link(path, target, kind)
    assert (target.read_text(), other.read_text()) == ("bytes", "other")
    assert os.listdir(scratch) == os.listdir(tmp_path / "folder") == []


def test_a_symlink_and_a_hard_link_to_the_same_file_replace_each_other(tmp_path, target, scratch):
    path = tmp_path / "link.JPEG"
    for kind in ("symlink", "hardlink", "symlink"):
        assert place(str(target), path, kind, scratch) is True
        assert is_link(path, target, kind)
        assert path.is_symlink() == (kind == "symlink")


def test_a_hard_link_to_a_link_leads_to_the_file_behind_it(tmp_path, target, scratch):
    (tmp_path / "alias.JPEG").symlink_to(target)
    path = tmp_path / "link.JPEG"
    place(str(tmp_path / "alias.JPEG"), path, "hardlink", scratch)
    assert not path.is_symlink()
    assert is_link(path, target, "hardlink")
    assert place(str(tmp_path / "alias.JPEG"), path, "hardlink", scratch) is False


def test_a_reflink_is_another_file_with_the_same_bytes(tmp_path, target, scratch):
    path = tmp_path / "link.JPEG"
    path.write_text("old")
    try:
        assert place(str(target), path, "reflink", scratch) is True
    except OSError:
        # Without reflinks the old file stays, and no empty one is left.
        assert path.read_text() == "old"
        assert os.listdir(scratch) == []
    else:
        assert path.read_text() == "bytes"
        assert path.stat().st_ino != target.stat().st_ino


def test_a_folder_in_the_way_of_a_link_is_left(tmp_path, target, scratch):
    (tmp_path / "link.JPEG").mkdir()
    with pytest.raises(IsADirectoryError):
        place(str(target), tmp_path / "link.JPEG", "symlink", scratch)
    assert os.listdir(tmp_path / "link.JPEG") == []
