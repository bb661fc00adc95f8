"""The estimated space is what a build then takes, and too little space is reported."""

import os
from collections import namedtuple
from pathlib import Path

import pyarrow as pa
import pytest

from helpers.builds import build
from helpers.raw_imagenet import hugging_face_tars, official
from imagenet_s.config.build_request import BuildRequest
from imagenet_s.preflight import disk_space
from imagenet_s.preflight.check import find_problems, scan_source
from imagenet_s.preflight.disk_space import BLOCK, Space, estimate_space, space_at
from imagenet_s.source.listing import all_files
from imagenet_s.source.tar_index import Index

LABELS = ("id16", "color")


def needed(source: Path, link: str, output: Path) -> dict[str, tuple[int, int]]:
    """Return what the space is for → files, bytes."""
    listings, scans = scan_source(source, [50], Index())
    found = estimate_space(
        all_files(listings), scans, BuildRequest(source, output, [50], False, link, LABELS)
    )
    return {need.what: (need.files, need.bytes) for need in found}


def inodes(folder: Path) -> set[int]:
    """Return the inodes of a folder and of everything below it."""
    return {
        os.lstat(f"{parent}/{name}").st_ino
        for parent, folders, names in os.walk(folder)
        for name in [".", *folders, *names]
    }


@pytest.mark.parametrize(
    ("layout", "link"),
    [
        (None, "symlink"),
        (None, "symlink-files"),
        (None, "auto"),
        (None, "hardlink"),
        (None, "copy"),
        (official, "auto"),
    ],
)
def test_a_build_makes_as_many_files_as_estimated(layout, link, imagenet50, annotations50, tmp_path):
    source = layout(imagenet50, tmp_path / "source") if layout else imagenet50
    output = tmp_path / "results"
    said = needed(source, link, output)
    tree = build(source, annotations50, output, link, labels=LABELS)
    before = inodes(imagenet50)
    made = (inodes(tree) | inodes(output / "work" / "pool")) - before
    assert len(made) <= sum(files for files, _ in said.values()) <= 1.1 * len(made)
    assert needed(source, link, output) == {}, "what is there is not counted again"


def test_another_kind_of_links_is_all_that_a_rerun_with_it_makes(imagenet50, annotations50, tmp_path):
    output = tmp_path / "results"
    build(imagenet50, annotations50, output, "symlink", labels=LABELS)
    assert needed(imagenet50, "auto", output) == needed(imagenet50, "hardlink", output) == {}
    ((what, (files, size)),) = needed(imagenet50, "symlink-files", output).items()
    assert (what, files, size % BLOCK) == ("ImageNetS50: links", 650 + 500 + 752 + 1682, 0)


@pytest.mark.parametrize(("length", "blocks"), [(59, 0), (60, 650 + 500 + 752 + 1682)])
def test_a_link_takes_a_block_if_its_target_does_not_fit_into_an_inode(length, blocks, imagenet50, tmp_path):
    listings, scans = scan_source(imagenet50, [50], Index())
    files = all_files(listings)
    targets = pa.array([length * "x"] * len(files))
    files = files.set_column(files.column_names.index("path"), "path", targets)
    linked, hard = (
        estimate_space(files, scans, BuildRequest(imagenet50, tmp_path, [50], False, link, LABELS))[0]
        for link in ("symlink-files", "hardlink")
    )
    assert linked.files - hard.files == 650 + 500 + 752 + 1682
    assert linked.bytes - hard.bytes == blocks * BLOCK


def test_images_in_an_archive_take_exactly_their_blocks(imagenet50, tmp_path):
    source = official(imagenet50, tmp_path / "source")
    sizes = [path.stat().st_size for path in imagenet50.rglob("*.JPEG")]
    blocks = sum(-(-size // BLOCK) * BLOCK for size in sizes)
    assert needed(source, "auto", tmp_path)["images, copied once for all subsets"][1] == blocks
    assert "images, copied once for all subsets" not in needed(imagenet50, "auto", tmp_path)


def test_the_official_number_of_images_is_assumed_for_a_one_pass_source(imagenet50, tmp_path):
    source = hugging_face_tars(imagenet50, tmp_path / "source")
    assert needed(source, "auto", tmp_path)["images, copied once for all subsets"][0] == 64_431 + 752 + 1_682


@pytest.mark.parametrize(
    ("space", "text"),
    [
        (Space(Path("/disk"), 10**9, 10**6), "`output`: /disk has 1.0 MB free, and the build needs about "),
        (
            Space(Path("/disk"), 1000, 10**12),
            "the file system of /disk has room for 1,000 more files (inodes), and the build makes about ",
        ),
    ],
)
def test_too_little_space_is_reported_with_what_needs_it(space, text, imagenet50, tmp_path, monkeypatch):
    monkeypatch.setattr("imagenet_s.preflight.check.space_at", lambda output: space)
    listings, scans = scan_source(imagenet50, [50], Index())
    request = BuildRequest(imagenet50, tmp_path / "results", [50], False, "copy", ["id16"])
    found = find_problems(listings, scans, request)
    (problem,) = [problem.text for problem in found]
    assert text in problem
    assert "(ImageNetS50: masks (estimated): 45.8 MB, 2,505 files, " in problem
    assert "set `output` in config.yaml to another disk" in problem


def test_a_file_system_without_a_limit_on_inodes_takes_any_number(imagenet50, tmp_path, monkeypatch):
    answer = namedtuple("Answer", "f_files f_favail f_bavail f_frsize")
    monkeypatch.setattr(disk_space.os, "statvfs", lambda folder: answer(0, 0, 10**6, 4096))
    assert space_at(tmp_path / "not" / "there") == Space(tmp_path, None, 4096 * 10**6)
    listings, scans = scan_source(imagenet50, [50], Index())
    request = BuildRequest(imagenet50, tmp_path / "results", [50], False, "auto", [])
    assert find_problems(listings, scans, request) == []
