"""What a build needs is told before it is made, and is what it then takes."""

import os
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest
import yaml

from helpers.builds import build
from helpers.raw_imagenet import hugging_face_tars, official
from imagenet_s.cli.main import main
from imagenet_s.config.build_request import BuildRequest
from imagenet_s.config.settings import read_config
from imagenet_s.preflight import disk_space as needs_module
from imagenet_s.preflight.check import find_problems, scan_source
from imagenet_s.preflight.disk_space import BLOCK, Space, needs, size_text, space_at
from imagenet_s.preflight.plan import plan
from imagenet_s.runtime.errors import UserError
from imagenet_s.source.listing import all_files
from imagenet_s.source.tar_index import Index

LABELS = ("id16", "color")


def needed(source: Path, link: str, output: Path) -> dict[str, tuple[int, int]]:
    """What is needed → files, bytes."""
    listings, findings = scan_source(source, [50], Index())
    found = needs(all_files(listings), findings, BuildRequest(source, output, [50], False, link, LABELS))
    return {need.what: (need.files, need.bytes) for need in found}


def inodes(folder: Path) -> set[int]:
    """The inodes of a folder and all below it."""
    return {
        os.lstat(f"{parent}/{name}").st_ino
        for parent, folders, names in os.walk(folder)
        for name in [".", *folders, *names]
    }


@pytest.mark.parametrize(
    ("layout", "link"),
    [(None, "symlink"), (None, "auto"), (None, "hardlink"), (None, "copy"), (official, "auto")],
)
def test_a_build_makes_as_many_files_as_was_said(layout, link, imagenet50, annotations50, tmp_path):
    source = layout(imagenet50, tmp_path / "source") if layout else imagenet50
    output = tmp_path / "results"
    said = needed(source, link, output)
    tree = build(source, annotations50, output, link, labels=LABELS)
    before = inodes(imagenet50)
    made = (inodes(tree) | inodes(output / "work" / "pool")) - before
    assert len(made) <= sum(files for files, _ in said.values()) <= 1.1 * len(made)
    assert needed(source, link, output) == {}, "what is there is not needed again"


def test_images_of_an_archive_take_their_very_bytes_in_blocks(imagenet50, tmp_path):
    source = official(imagenet50, tmp_path / "source")
    sizes = [path.stat().st_size for path in imagenet50.rglob("*.JPEG")]
    blocks = sum(-(-size // BLOCK) * BLOCK for size in sizes)
    assert needed(source, "auto", tmp_path)["images, copied once for all subsets"][1] == blocks
    assert "images, copied once for all subsets" not in needed(imagenet50, "auto", tmp_path)


def test_of_a_one_pass_source_the_official_number_of_images_is_assumed(imagenet50, tmp_path):
    source = hugging_face_tars(imagenet50, tmp_path / "source")
    assert needed(source, "auto", tmp_path)["images, copied once for all subsets"][0] == 64_431 + 752 + 1_682


@pytest.mark.parametrize(
    ("space", "text"),
    [
        (Space(Path("/disk"), 10**9, 10**6), "`output`: /disk has 1.0 MB free, and the build needs about "),
        (
            Space(Path("/disk"), 1000, 10**12),
            "the file system of /disk takes 1,000 further files (inodes), and the build makes about ",
        ),
    ],
)
def test_too_little_room_is_told_with_what_needs_it(space, text, imagenet50, tmp_path, monkeypatch):
    monkeypatch.setattr("imagenet_s.preflight.check.space_at", lambda output: space)
    listings, findings = scan_source(imagenet50, [50], Index())
    request = BuildRequest(imagenet50, tmp_path / "results", [50], False, "copy", ["id16"])
    found = find_problems(listings, findings, request)
    (told,) = [problem.text for problem in found]
    assert text in told
    assert "(ImageNetS50: masks (estimated): 45.8 MB, 2,505 files, " in told
    assert "set `output` in config.yaml to another disk" in told


def test_a_file_system_that_counts_no_inodes_takes_any_number(imagenet50, tmp_path, monkeypatch):
    answer = namedtuple("Answer", "f_files f_favail f_bavail f_frsize")
    monkeypatch.setattr(needs_module.os, "statvfs", lambda folder: answer(0, 0, 10**6, 4096))
    assert space_at(tmp_path / "not" / "there") == Space(tmp_path, None, 4096 * 10**6)
    listings, findings = scan_source(imagenet50, [50], Index())
    request = BuildRequest(imagenet50, tmp_path / "results", [50], False, "auto", [])
    assert find_problems(listings, findings, request) == []


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (147_897_477_120, "148 GB"),
        (2.5e15, "2,500 TB"),
    ],
)
def test_sizes_are_told_in_units_of_a_thousand(count, text):
    assert size_text(count) == text


# The report


def report(**values) -> list[str]:
    return list(plan(read_config(values)))


def test_a_plan_tells_source_work_needs_and_room_and_leaves_nothing(imagenet50, tmp_path):
    source = official(imagenet50, tmp_path / "source")
    output = tmp_path / "results"
    lines = report(imagenet=str(source), output=str(output), train_images="any")
    assert lines[:3] == [
        f"source   {source} (official archives)",
        "         train ILSVRC2012_img_train.tar",
        "         val   ILSVRC2012_img_val.tar",
    ]
    assert lines[3].startswith("reads    ")
    assert " of images, once, in 3 jobs: " in lines[3]
    assert lines[4] == f"adds     to {output}, for ImageNetS50 with link: auto"
    assert [line[38:] for line in lines[5:8]] == [
        "images, copied once for all subsets",
        "ImageNetS50: folders, links, manifests",
        "ImageNetS50: masks (estimated)",
    ]
    assert lines[8].startswith("free     ")
    assert lines[8].endswith(f" in {tmp_path}")
    assert lines[9:] == ["All that is needed is there. Nothing was written."]
    assert os.listdir(tmp_path) == ["source"]


def test_everything_that_stands_in_the_way_is_told_at_once(imagenet50, tmp_path):
    source = official(imagenet50, tmp_path / "source")
    values = {"imagenet": str(source), "output": str(tmp_path / "results"), "train_images": "any"}
    with pytest.raises(UserError, match="`link: symlink` cannot be had from archives: "):
        report(**values, link="symlink")
    with pytest.raises(UserError, match=r"(?s)ImageNetS50/train: 650 images.*ImageNetS300/test: 7,407 of"):
        report(**values | {"subsets": [50, 300], "train_images": "complete"})
    assert os.listdir(tmp_path) == ["source"]


def test_a_plan_of_the_demo_says_what_it_is(tmp_path):
    (line,) = report(output=str(tmp_path))
    assert line.startswith("source   the embedded demo")


def test_the_command_reads_the_config_of_its_folder(imagenet50, tmp_path):
    settings = {"imagenet": str(imagenet50), "train_images": "any", "output": "results"}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-m", "imagenet_s.cli.main", "plan"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"source   {imagenet50} (plain folders)\n")
    assert os.listdir(tmp_path) == ["config.yaml"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "There is no "),
        ("a: [", " is no YAML file: "),
        ("imagnet: x", "imagnet: no such key"),
        ("imagenet: /nowhere", "`imagenet`: there is no folder /nowhere"),
    ],
)
def test_a_config_that_cannot_be_used_is_told_without_a_traceback(text, message, tmp_path, capsys):
    file = tmp_path / "config.yaml"
    if text:
        file.write_text(f"{text}\noutput: {tmp_path}/results\n")
    assert main(["plan", "--configfile", str(file)]) == 1
    told = capsys.readouterr().err
    assert message in told
    assert "Traceback" not in told
