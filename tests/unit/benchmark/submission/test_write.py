"""Writing submissions: the exact content of the zip, and each kind of wrong folder that is refused."""

import hashlib
import json
import os
import zipfile

import numpy as np
import pytest
from PIL import Image

from helpers.scoring import replace
from helpers.submission import EXPECTED_PNGS, FIELDS, MATCH, NAMES, TEXT, check, submit
from helpers.trees import linked_copy
from imagenet_s.masks.codec import rgb_png
from imagenet_s.spec.method_txt import read_method
from imagenet_s.spec.protocols import PROTOCOLS
from imagenet_s.spec.splits import listed


def test_the_zip_contains_the_exact_bytes_of_the_predictions_and_of_the_method(folder, test50, capsys):
    assert submit(folder, test50) == 0
    with zipfile.ZipFile(folder / "s.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == sorted([*NAMES, "method.txt"])
        assert archive.read("method.txt") == TEXT.encode()
        for name in NAMES:
            assert archive.read(name) == (test50 / "predictions" / name).read_bytes()
        members = archive.infolist()
        assert {(m.date_time, m.create_system, m.external_attr >> 16, m.compress_type) for m in members} == {
            ((1980, 1, 1, 0, 0, 0), 3, 0o644, zipfile.ZIP_STORED)
        }
    digest = hashlib.sha256((folder / "s.zip").read_bytes()).hexdigest()
    assert capsys.readouterr().out == (
        f"{folder}/s.zip: 1,682 predictions, read back and valid; sha256 {digest}\n"
    )
    assert check(folder / "s.zip", "semi-supervised", "--images", str(test50 / "images")) == 0
    for path in sorted((folder / "predictions").rglob("*.png"), reverse=True):  # written in another order
        replace(path, path.read_bytes())
    assert submit(folder, test50, out=folder / "again.zip") == 0
    assert (folder / "again.zip").read_bytes() == (folder / "s.zip").read_bytes()


def test_generated_ids_need_a_match_json_which_is_copied_unchanged(folder, test50, capsys):
    assert submit(folder, test50, "unsupervised") == 1
    assert "missing (1): match.json, which protocol fully unsupervised needs" in capsys.readouterr().err
    assert not (folder / "s.zip").exists()
    assert submit(folder, test50, "unsupervised", match=folder / "match.json") == 0
    with zipfile.ZipFile(folder / "s.zip") as archive:
        assert archive.read("match.json") == (folder / "match.json").read_bytes()
        assert archive.namelist() == sorted([*NAMES, "match.json", "method.txt"])
    assert check(folder / "s.zip", "unsupervised") == 0
    assert check(folder / "s.zip", "free") == 0
    capsys.readouterr()
    assert check(folder / "s.zip", "distance-matching") == 1
    text = capsys.readouterr().err
    assert "unexpected files (1): match.json: in protocol distance matching ids are classes" in text


@pytest.mark.parametrize(
    ("match", "says"),
    [
        ({**MATCH, "1": 1}, "lacks the values 50; has 1 more than once"),
        ({p: c for p, c in MATCH.items() if p != "9"}, "lacks the keys 9; lacks the values 42"),
        ({**MATCH, "51": 51}, "has the keys 51 outside 0..50; has the values 51 outside 0..50"),
        ([], "is not a JSON object"),
    ],
)
def test_a_match_json_must_be_valid(match, says, folder, test50, capsys):
    (folder / "match.json").write_text(json.dumps(match))
    assert submit(folder, test50, "unsupervised", match=folder / "match.json") == 1
    assert f"- errors in match.json (1): it {says}\n" in capsys.readouterr().err


def test_everything_that_is_wrong_with_a_folder_is_reported_at_once(folder, test50, capsys):
    predictions = folder / "predictions"
    size = Image.open((test50 / "images" / NAMES[0]).with_suffix(".JPEG")).size
    replace(predictions / NAMES[0], rgb_png(np.zeros((3, 99), np.uint16)))
    replace(predictions / NAMES[1], b"")
    above = np.zeros(Image.open(predictions / NAMES[2]).size[::-1], np.uint16)
    above[:2, 0] = (51, 1000)
    replace(predictions / NAMES[2], rgb_png(above))
    (predictions / NAMES[3]).unlink()
    (predictions / "readme.md").write_text("x")
    assert submit(folder, test50) == 1
    text = capsys.readouterr().err
    assert (
        f"size differs from the image (1): {NAMES[0]} has 99 × 3 pixels, not {size[0]} × {size[1]}\n" in text
    )
    assert f"(8-bit RGB PNG, id = R + 256·G, B = 0) (1): {NAMES[1]} is empty" in text
    assert f"with ids above 50 (1): {NAMES[2]} has 51, 1000\n" in text
    assert f"missing predictions (1): {NAMES[3]}\n" in text
    assert "unexpected files (1): readme.md\n" in text
    assert text.endswith(f"{EXPECTED_PNGS}\nNothing was written.\n")
    assert sorted(path.name for path in folder.iterdir()) == ["match.json", "method.yaml", "predictions"]


def test_a_size_is_wrong_if_one_side_is(folder, test50, capsys):
    for name, more in ((NAMES[0], (1, 0)), (NAMES[1], (0, 1))):
        width, height = Image.open((test50 / "images" / name).with_suffix(".JPEG")).size
        ids = np.zeros((height + more[0], width + more[1]), np.uint16)
        replace(folder / "predictions" / name, rgb_png(ids))
    assert submit(folder, test50) == 1
    assert "size differs from the image (2): " in capsys.readouterr().err


def test_predictions_that_cannot_be_read_are_reported_with_everything_else(folder, test50, capsys):
    names = dict(zip(("pipe", "folder", "failing", "huge", "nowhere", "empty"), NAMES[::200], strict=False))
    paths = {what: folder / "predictions" / name for what, name in names.items()}
    for path in paths.values():
        path.unlink()
    os.mkfifo(paths["pipe"])
    paths["folder"].mkdir()
    paths["failing"].symlink_to("/proc/self/mem")
    paths["huge"].write_bytes(b"")
    os.truncate(paths["huge"], 70_000_000)
    paths["nowhere"].symlink_to("nothing")
    paths["empty"].write_bytes(b"")
    assert submit(folder, test50) == 1
    text = capsys.readouterr().err
    assert "- unreadable predictions (5): " in text
    why = {"pipe": "Not a regular file", "folder": "Not a regular file", "failing": "Input/output error"}
    for what, reason in (why | {"huge": "File too large", "nowhere": "No such file or directory"}).items():
        assert f"\n  unreadable predictions: {names[what]}: {reason}\n" in text
    assert f"B = 0) (1): {names['empty']} is empty\n" in text
    assert "missing predictions" not in text
    assert ".part" not in text
    assert not (folder / "s.zip").exists()


def test_a_prediction_in_the_folder_of_another_class_is_reported_with_the_right_one(folder, test50, capsys):
    image = next(row for row in listed(50, "test") if row.imagenet_wnid != row.wnid)
    name, there = f"{image.wnid}/{image.image}.png", f"{image.imagenet_wnid}/{image.image}.png"
    (folder / "predictions" / there).parent.mkdir(exist_ok=True)
    (folder / "predictions" / name).rename(folder / "predictions" / there)
    assert submit(folder, test50) == 1
    text = capsys.readouterr().err
    assert (
        "- in the folder of another class (ImageNet-S moves 13 % of the val images to another class) (1): "
        in text
    )
    assert f"{there} should be {name}\n" in text
    assert "missing" not in text
    assert "belong" not in text


def test_a_folder_of_validation_predictions_is_refused(folder, test50, truth50, capsys):
    assert submit(folder, test50, predictions=truth50) == 1
    text = capsys.readouterr().err
    assert (
        f"{truth50} has the names of ImageNetS50 validation (752 images), not of ImageNetS50 test "
        "(1,682 images).\nGive a folder of test of ImageNetS50.\n"
    ) in text


def test_a_folder_without_predictions_of_test_images_is_refused(folder, test50, tmp_path, capsys):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "notes.txt").touch()
    assert submit(folder, test50, predictions=tmp_path / "elsewhere") == 1
    text = capsys.readouterr().err
    assert f"{tmp_path}/elsewhere contains no prediction of a test image" in text
    assert f"such as {NAMES[0]}" in text


def test_a_folder_that_contains_the_folder_test_may_be_given(folder, test50):
    (folder / "both" / "validation").mkdir(parents=True)
    (folder / "predictions").rename(folder / "both" / "test")
    linked_copy(test50 / "images", folder / "tree" / "test")
    assert submit(folder, test50, predictions=folder / "both", images=folder / "tree") == 0


def test_inputs_are_not_overwritten(folder, test50, capsys):
    before = (folder / "method.yaml").read_bytes()
    places = ("method.yaml", "match.json", "predictions/s.zip")
    for out in (*(folder / name for name in places), test50 / "images" / "s.zip"):
        assert submit(folder, test50, "unsupervised", match=folder / "match.json", out=out) == 2
        assert f"--out: {out} would be written over, or into, what is read" in capsys.readouterr().err
    assert (folder / "method.yaml").read_bytes() == before


def test_test_images_are_needed_for_the_sizes(folder, test50, tmp_path, capsys):
    images = linked_copy(test50 / "images", tmp_path / "images")
    (images / NAMES[0]).with_suffix(".JPEG").unlink()
    replace((images / NAMES[1]).with_suffix(".JPEG"), b"no image")
    assert submit(folder, test50, images=images) == 1
    text = capsys.readouterr().err
    assert f"missing test images, needed to check sizes (1): {NAMES[0]}" in text
    assert "unreadable test images (1): " in text
    assert submit(folder, test50) == 0
    assert check(folder / "s.zip") == 0
    assert "Sizes were not checked: give the test images with --images" in capsys.readouterr().err


def test_everything_that_is_wrong_with_a_method_is_reported_at_once(folder, test50, capsys):
    (folder / "method.yaml").write_text(
        "name: \"x\\ry\"\nnetworks: ''\nlink: [a]\nyear: 2026\ndescription: |\n  a\n  b\n"
    )
    assert submit(folder, test50) == 1
    text = capsys.readouterr().err
    for problem in (
        "year: no such key",
        "name: must be one line of text",
        "training_data: is missing or empty",
        "training_scheme: is missing or empty",
        "networks: is missing or empty",
        "link: must be one line of text",
        "description: must be one line of text",
    ):
        assert f"\n- {problem}" in text
    (folder / "method.yaml").write_text("{")
    assert submit(folder, test50) == 1
    assert f"{folder}/method.yaml is not valid YAML" in capsys.readouterr().err
    (folder / "method.yaml").write_text("text")
    assert submit(folder, test50) == 1
    assert "- is not a table of keys and texts" in capsys.readouterr().err


def test_a_method_in_json_may_have_any_character(folder, test50):
    fields = FIELDS | {"name": "🔥 \U0010ffff", "networks": "ResNet\t18 größer"}
    (folder / "method.json").write_text(json.dumps(fields))  # as two surrogates each
    assert "\\ud83d\\udd25" in (folder / "method.json").read_text()
    assert read_method(folder / "method.json") == fields
    assert submit(folder, test50, method=folder / "method.json") == 0
    with zipfile.ZipFile(folder / "s.zip") as archive:
        assert archive.read("method.txt").startswith("Method name: 🔥 \U0010ffff\n".encode())


def test_submitting_warns_of_images_that_subsets_share(folder, test50, capsys):
    assert submit(folder, test50) == 0
    text = capsys.readouterr().err
    assert text.count("4 in that of ImageNetS919") == 1
    assert text.count("1 in that of ImageNetS300, ") == 1
    assert "If you selected a model, a setting or a match on that set, you have used test images" in text


RULES = {
    "unsupervised": "No labels are used. Predicted ids are generated; match.json, made on the validation "
    "set, maps them to classes.",
    "distance-matching": "Features are learned without labels; the masks of train-semi are used only for "
    "matching.",
    "semi-supervised": "The masks of train-semi may be used for training.",
    "free": "Any data and labels may be used. Say in the description what was used.",
}
OWN = "Only the images of the subset itself may be used, and no model trained on 919 for 50 or 300."


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_rule_of_the_protocol_is_logged_once(protocol, folder, test50, capsys):
    match = {"match": folder / "match.json"} if protocol == "unsupervised" else {}
    assert submit(folder, test50, protocol, **match) == 0
    text = capsys.readouterr().err
    rule = RULES[protocol] if protocol == "free" else f"{RULES[protocol]} {OWN}"
    assert text.count(f": {rule}\n") == 1
