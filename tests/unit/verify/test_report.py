"""The report of a check, as text and as JSON."""

import json
import random
import re

import pytest
from jsonschema import ValidationError

from helpers.checks import changed, first, found, run
from helpers.damages import (
    deleted,
    encoded_again,
    flipped,
    in_another_class,
    samples_in,
)
from helpers.schemas import require_valid, schema_of
from imagenet_s.spec.splits import listed
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
    assert re.search(r"^\(top folder\) +1 +1 +0 +1 +0 +0$", out, re.M)
    assert re.search(r"^test +1,682 +1,681 +1 +0 +0 +0$", out, re.M)
    assert f"\nmissing: {image}\nextra: notes.txt\nchanged: {label}\npixels_equal: {mask}\n" in out
    assert "\nDAMAGED: 6,101 files in " in out
    assert "digest" not in out


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
