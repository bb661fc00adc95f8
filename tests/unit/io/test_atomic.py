"""Files appear complete or not at all, and nothing is written through a link."""

import os

import pytest

from helpers.trees import littered
from imagenet_s.io.atomic import (
    atomic_write,
    ensure_real_dir,
    read_json,
    remove_folder,
    remove_if_empty,
    scratch_folder,
    sha256_of,
    write_atomically,
    write_json,
)


@pytest.fixture
def source(tmp_path):
    """Return a folder in the role of the user's: links point to it, and it must not change."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "image.JPEG").write_text("theirs")
    return folder


def test_a_file_has_its_name_only_after_the_block(tmp_path):
    path = tmp_path / "new" / "deep" / "a.txt"
    with atomic_write(path) as partial:
        partial.write_text("whole")
        # In the same folder, so that the rename is atomic.
        assert partial.parent == path.parent
        assert os.listdir(path.parent) == [partial.name] != [path.name]
    assert os.listdir(path.parent) == ["a.txt"]
    assert path.read_text() == "whole"


def test_an_exception_leaves_only_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write_half():
        with atomic_write(path) as partial:
            partial.write_text("ha")
            raise InterruptedError

    with pytest.raises(InterruptedError):
        write_half()
    assert os.listdir(tmp_path) == ["a.txt"]
    assert path.read_text() == "old"


def test_a_write_replaces_the_name_but_not_other_hard_links(tmp_path):
    path, other_name = tmp_path / "a.txt", tmp_path / "b.txt"
    path.write_text("old")
    os.link(path, other_name)
    with atomic_write(path) as partial:
        partial.write_text("new")
    assert path.read_text() == "new"
    assert other_name.read_text() == "old"


def test_a_temporary_file_of_a_killed_run_is_not_reused(tmp_path):
    path = tmp_path / "a.txt"
    with atomic_write(path) as partial:
        partial.write_text("first")
    partial.write_text("left by a killed run")
    with atomic_write(path) as partial, partial.open("a") as file:
        file.write("second")
    assert path.read_text() == "second"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_write_atomically_leaves_nothing_in_scratch(tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    write_atomically(b"\x00\xff bytes", tmp_path / "a.JPEG", scratch)
    assert (tmp_path / "a.JPEG").read_bytes() == b"\x00\xff bytes"
    assert (tmp_path / "a.JPEG").stat().st_mode & 0o600 == 0o600
    assert os.listdir(scratch) == []


@pytest.mark.parametrize("make", [os.symlink, os.link])
def test_write_atomically_replaces_a_link_and_keeps_its_target(tmp_path, source, make):
    make(source / "image.JPEG", tmp_path / "a.JPEG")
    write_atomically(b"ours", tmp_path / "a.JPEG", tmp_path)
    assert (tmp_path / "a.JPEG").read_bytes() == b"ours"
    assert not (tmp_path / "a.JPEG").is_symlink()
    assert (source / "image.JPEG").read_text() == "theirs"


def test_a_real_folder_is_made_with_its_parents_and_keeps_its_files(tmp_path):
    folder = ensure_real_dir(tmp_path / "root", "train/n01443537")
    assert folder == tmp_path / "root" / "train" / "n01443537"
    (folder / "kept.txt").write_text("kept")
    assert ensure_real_dir(tmp_path / "root", "train/n01443537") == folder
    assert (folder / "kept.txt").read_text() == "kept"


@pytest.mark.parametrize("linked", ["train", "train/n01443537"])
def test_a_link_to_a_folder_is_replaced_by_a_folder_and_its_target_is_kept(tmp_path, source, linked):
    (source / "n01443537").mkdir()
    root = tmp_path / "root"
    (root / linked).parent.mkdir(parents=True)
    (root / linked).symlink_to(source)
    folder = ensure_real_dir(root, "train/n01443537")
    (folder / "ours.JPEG").write_text("ours")
    assert not (root / linked).is_symlink()
    assert os.listdir(folder) == ["ours.JPEG"]
    assert sorted(os.listdir(source)) == ["image.JPEG", "n01443537"]
    assert os.listdir(source / "n01443537") == []


def test_a_dangling_link_is_replaced_by_a_folder(tmp_path):
    (tmp_path / "train").symlink_to(tmp_path / "nowhere")
    assert os.listdir(ensure_real_dir(tmp_path, "train")) == []
    assert not (tmp_path / "train").is_symlink()
    assert not (tmp_path / "nowhere").exists()


def test_the_root_of_a_real_folder_may_be_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "results").symlink_to(tmp_path / "disk")
    ensure_real_dir(tmp_path / "results", "train")
    assert (tmp_path / "results").is_symlink()
    assert (tmp_path / "disk" / "train").is_dir()


def test_a_file_with_the_name_of_a_real_folder_is_reported_and_kept(tmp_path):
    (tmp_path / "train").write_text("a file of the user's")
    with pytest.raises(FileExistsError) as error:
        ensure_real_dir(tmp_path, "train/n01443537")
    assert error.value.filename == str(tmp_path / "train")
    assert (tmp_path / "train").read_text() == "a file of the user's"


def test_a_scratch_folder_is_empty_at_the_start_and_deleted_at_the_end(tmp_path):
    folder = tmp_path / "tmp" / "job"
    (folder / "left").mkdir(parents=True)
    (folder / "left" / "by a killed run").touch()
    with scratch_folder(folder) as scratch:
        assert os.listdir(scratch) == []
        (scratch / "work").touch()
    assert not folder.exists()


def test_a_scratch_folder_is_deleted_after_an_exception(tmp_path):
    def work():
        with scratch_folder(tmp_path / "job") as scratch:
            (scratch / "work").touch()
            raise InterruptedError

    with pytest.raises(InterruptedError):
        work()
    assert os.listdir(tmp_path) == []


def test_json_is_written_readably(tmp_path):
    write_json(tmp_path / "a.json", {"b": "Größe", "a": [1]})
    text = '{\n  "b": "Größe",\n  "a": [\n    1\n  ]\n}\n'
    assert (tmp_path / "a.json").read_bytes() == text.encode("utf-8")
    assert read_json(tmp_path / "a.json") == {"b": "Größe", "a": [1]}


def test_sha256_of_a_file_is_that_of_its_bytes(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    # The example of FIPS 180-2.
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of(tmp_path / "abc") == expected


def test_a_name_that_is_not_utf_8_survives_json(tmp_path):
    name = os.fsdecode(b"r\xe9sum\xe9.txt")
    value = {"names": [name, f"back\\slash\\{name}", "Größe"], name: 1}
    write_json(tmp_path / "a.json", value)
    assert "r\\udce9sum\\udce9.txt" in (tmp_path / "a.json").read_text(encoding="utf-8")
    assert read_json(tmp_path / "a.json") == value


def test_a_folder_is_deleted_with_its_system_files_only_if_it_has_no_others(tmp_path):
    folder = littered(tmp_path / "folder", ".DS_Store", "@eaDir/x", "notes.txt")
    assert not remove_if_empty(folder)
    with pytest.raises(OSError, match="not empty"):
        remove_folder(folder)
    assert sorted(os.listdir(folder)) == [".DS_Store", "@eaDir", "notes.txt"]
    (folder / "notes.txt").unlink()
    (tmp_path / "elsewhere").mkdir()
    (folder / "._link").symlink_to(tmp_path / "elsewhere")
    assert remove_if_empty(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["elsewhere"]
