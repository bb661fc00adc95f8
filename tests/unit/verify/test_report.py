"""The report of a check, as text and as JSON."""

import json
import random
import re
import tempfile

import pytest
from jsonschema import ValidationError

from helpers.checks import changed, first, found, run, without_manifests
from helpers.damages import (
    deleted,
    encoded_again,
    flipped,
    in_another_class,
    samples_in,
)
from helpers.outputs import terminal_stream
from helpers.schemas import require_valid, schema_of
from imagenet_s.cli.main import main
from imagenet_s.io.atomic import read_json
from imagenet_s.spec.splits import listed
from imagenet_s.spec.subsets import MASKED, SPLITS, mask_folder
from imagenet_s.verify.compare import KINDS


def test_the_report_and_its_json(tree, tmp_path, capsys):
    image, mask, label = (
        next(p for p in samples_in(tree) if p.startswith(f))
        for f in ("test/", "train-semi-segmentation/", "validation-segmentation-id16/")
    )
    dice = random.Random(0)
    deleted(tree, image, dice)
    encoded_again(tree, mask, dice)
    flipped(tree, label, dice)
    (tree / "notes.txt").write_text("mine")
    assert run(tree.parent, "--json", tmp_path / "found.json") == 1
    document = json.loads((tmp_path / "found.json").read_text())
    require_valid(document, "verify")
    assert document == {
        "ImageNetS50": {
            ".": {"extra": ["notes.txt"]},
            "test": {"missing": [image]},
            "train-semi-segmentation": {"pixels_equal": [mask]},
            "validation-segmentation-id16": {"changed": [label]},
        }
    }
    out = capsys.readouterr().out
    assert out.startswith(f"{tree}: ImageNetS50, level sha256, by its own manifests\n")
    assert re.search(r"^ +expected +ok +missing +extra +changed +pixels_equal$", out, re.M)
    assert re.search(r"^\(top folder\) +10 +10 +0 +1 +0 +0$", out, re.M)
    assert re.search(r"^test +1,682 +1,681 +1 +0 +0 +0$", out, re.M)
    assert f"\nmissing: {image}\nextra: notes.txt\nchanged: {label}\npixels_equal: {mask}\n" in out
    assert "\nDAMAGED: 6,114 files in " in out
    assert "digest" not in out


def test_the_report_is_coloured_on_a_terminal(built, monkeypatch):
    stdout = terminal_stream(monkeypatch, "stdout")
    assert run(built("symlink"), "--level", "complete") == 0
    assert "\n\33[32mwhole\33[0m: 6,114 files in " in stdout.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    assert run(built("symlink"), "--level", "complete") == 0
    assert "\nwhole: 6,114 files in " in stdout.getvalue()


def test_on_a_terminal_a_file_has_the_names_that_the_report_leaves_out(shared, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    stderr = terminal_stream(monkeypatch, "stderr")
    images = [path for path in samples_in(shared) if path.startswith("test/")]
    with changed(shared, *images[:6]):
        for path in images[:5]:
            (shared / path).unlink()
        assert run(shared, "--level", "complete") == 1
        assert list(tmp_path.iterdir()) == []  # the report names all
        (shared / images[5]).unlink()
        assert run(shared, "--level", "complete") == 1
    (file,) = tmp_path.iterdir()
    assert file.read_text() == "".join(f"missing: {shared}/{path}\n" for path in images[:6])
    assert stderr.getvalue().endswith(f"The full list (6 lines) is in {file}\n")


def test_the_log_has_all_names(shared, tmp_path, capsys):
    log = tmp_path / "verify.log"
    images = [path for path in samples_in(shared) if path.startswith("test/")][:6]
    with changed(shared, *images):
        for path in images:
            (shared / path).unlink()
        assert main(["--log", str(log), "verify", str(shared), "--level", "complete"]) == 1
    assert capsys.readouterr().err == f"The full list (6 lines) is in {log}\n"
    assert all(f" missing: {shared}/{path}\n" in log.read_text() for path in images)


@pytest.mark.parametrize(
    ("level", "compared"),
    [
        ("complete", "names"),
        ("size", "names and empty files"),
        ("sha256", "names, masks and the beginnings of images"),
    ],
)
def test_the_report_says_what_is_compared_without_manifests(foreign, level, compared, capsys, tmp_path):
    assert run(foreign, "--level", level, "--json", tmp_path / "found.json") == 0
    out = capsys.readouterr().out
    basis = "by the official lists: it has no manifests"
    assert out.startswith(f"{foreign}: ImageNetS50, {compared}, {basis}\n")
    assert "\nWithout manifests, changed bytes of an image cannot be detected.\nwhole: " in out
    document = read_json(tmp_path / "found.json")
    require_valid(document, "verify")
    assert document == {"ImageNetS50": {}}


def test_the_json_of_several_subsets_has_them_all(tree, capsys):
    without_manifests(tree)
    other = tree.with_name("ImageNetS300")
    for split in SPLITS:
        (other / split).mkdir(parents=True)
    assert run(tree.parent, "--level", "complete", "--json") == 1
    document = json.loads(capsys.readouterr().out)
    require_valid(document, "verify")
    assert list(document) == ["ImageNetS50", "ImageNetS300"]
    assert document["ImageNetS50"] == {}  # a wrong number of train images has no path
    assert {folder: list(kinds) for folder, kinds in document["ImageNetS300"].items()} == {
        folder: ["missing"] for folder in (*SPLITS, *map(mask_folder, MASKED))
    }


@pytest.mark.parametrize("name", ["ImageNetS50/found.json", "file/found.json"])
def test_a_place_where_the_json_cannot_go_is_refused_before_the_check(built, name, tmp_path, capsys):
    root = built("copy")
    (tmp_path / "file").touch()
    (tmp_path / "ImageNetS50").symlink_to(root)
    before = set(samples_in(root))
    assert run(root, "--json", tmp_path / name) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("--json: ")
    assert set(samples_in(root)) == before


@pytest.mark.parametrize("option", [["--json"], ["--json", "-"]])
def test_standard_output_has_the_json_alone(built, option, capsys):
    root = built("symlink")
    assert run(root, "--level", "complete", *option) == 0
    assert capsys.readouterr().out == '{\n  "ImageNetS50": {}\n}\n'


def test_the_schema_fits_all_kinds_of_damage_and_refuses_others():
    every = {"ImageNetS50": {".": {kind: ["a"] for kind in KINDS}}, "ImageNetS300": {}}
    require_valid(every, "verify")
    assert schema_of("verify")["$id"] == "urn:imagenet-s:verify:1"
    for wrong in (
        {"ImageNetS5": {}},
        {"ImageNetS50": {"test": {}}},
        {"ImageNetS50": {"test": {"lost": ["a"]}}},
    ):
        with pytest.raises(ValidationError):
            require_valid(wrong, "verify")


def test_val_images_in_their_imagenet_class_are_explained(tree, capsys):
    moved = [row for row in listed(50, "validation") if row.wnid != row.imagenet_wnid]
    for row in moved:
        target = tree / "validation" / row.imagenet_wnid / f"{row.image}.JPEG"
        target.parent.mkdir(exist_ok=True)
        (tree / "validation" / row.wnid / target.name).rename(target)
    paths = sorted(f"validation/{row.wnid}/{row.image}.JPEG" for row in moved)
    assert found(tree) == {"validation": {"moved": paths}}
    assert run(tree, "--level", "complete") == 1
    out = capsys.readouterr().out
    assert (
        f"validation: {len(moved)} of 752 files ({len(moved) / 752:.1%}) are in the folder of their ImageNet "
        "class instead of their ImageNet-S class, as if the val images had been sorted by their ImageNet "
        "labels; for example, "
    ) in out


def test_images_in_another_class_are_explained(shared, capsys):
    path = first(shared, "train-semi")
    with changed(shared, path):
        in_another_class(shared, path, random.Random(0))
        assert run(shared, "--level", "complete") == 1
    assert "train-semi: 1 files are in the wrong class folder; for example," in capsys.readouterr().out
