"""Folders of predictions: which files are in them, which are missing or unexpected, whether they changed."""

import os
from pathlib import Path

import pytest

from imagenet_s.benchmark.scoring.predictions import (
    EXTRA,
    MISPLACED,
    MISSING,
    files_in,
    fingerprint,
    images_in,
    inner,
    name_problems,
)
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.problems import FileProblem


def tree(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"12345")
    return folder


def test_files_are_found_one_folder_deep(tmp_path):
    tree(tmp_path, "b/2.png", "a/1.png", "c.txt", "a/deep/3.png")
    (tmp_path / "empty").mkdir()
    found = files_in(tmp_path)
    assert list(found) == ["a/1.png", "a/deep", "b/2.png", "c.txt"]
    assert found["a/1.png"] == tmp_path / "a/1.png"


def test_images_are_named_like_their_masks(tmp_path):
    tree(tmp_path, "n1/a.b.JPEG", "n1/c.jpg", "notes.txt", "n1/.DS_Store", "n1/._c.jpg", "n1/c.npy")
    assert images_in(tmp_path) == {"n1/a.b.png": tmp_path / "n1/a.b.JPEG", "n1/c.png": tmp_path / "n1/c.jpg"}
    with pytest.raises(UserError, match=r"contains no images .* It contains: notes.txt"):
        images_in(tree(tmp_path / "other", "notes.txt"))


def test_names_are_missing_misplaced_or_unexpected(tmp_path):
    wanted = ["n1/1.png", "n1/2.png", "n2/3.png", "n2/4.png"]
    found = ["n1/1.png", "n1/3.png", "n2/2.png", "n3/2.png", "4.png", "x/n2/4.png", "notes.txt"]
    assert name_problems(iter(found), wanted) == [
        FileProblem(MISSING, "n2/4.png"),
        FileProblem(MISPLACED, "n1/3.png should be n2/3.png"),
        FileProblem(MISPLACED, "n2/2.png should be n1/2.png"),
        *(FileProblem(EXTRA, name) for name in ("n3/2.png", "4.png", "x/n2/4.png", "notes.txt")),
    ]
    assert name_problems(wanted, wanted) == []


def test_an_inner_folder_is_used_if_it_exists(tmp_path):
    assert inner(tmp_path, "test") == tmp_path
    (tmp_path / "test").mkdir()
    assert inner(tmp_path, "test") == tmp_path / "test"


def test_a_fingerprint_changes_with_the_names_sizes_and_times_of_files(tmp_path):
    tree(tmp_path, "a/1.png", "a/2.png")
    fingerprints = [fingerprint(tmp_path)]
    (tmp_path / "a/1.png").write_bytes(b"123456")
    fingerprints.append(fingerprint(tmp_path))
    os.utime(tmp_path / "a/1.png", (1, 1))
    fingerprints.append(fingerprint(tmp_path))
    (tmp_path / "a/1.png").rename(tmp_path / "a/3.png")
    fingerprints.append(fingerprint(tmp_path))
    (tmp_path / "a/nowhere").symlink_to("nothing")
    fingerprints.append(fingerprint(tmp_path))
    assert len(set(fingerprints)) == 5
    assert fingerprint(tmp_path) == fingerprints[-1]
