"""The command `match`: the files it writes, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest

from imagenet_s.cli.main import main
from imagenet_s.io.atomic import digest_of_files
from imagenet_s.masks.codec import ids_of, pixels_of, rgb_png
from imagenet_s.runtime.version import __version__
from imagenet_s.spec.classes import class_ids


def run(truth: Path, predictions: Path, out: Path, *options: str) -> int:
    arguments = ["--truth", truth, "--predictions", predictions, "--out", out, *options]
    return main(["match", "--subset", "50", "--workers", "1", *map(str, arguments)])


@pytest.fixture
def generated(truth50, tmp_path) -> tuple[Path, dict[str, int]]:
    """Predictions that are the truth with other ids, and the `match.json` that maps these to classes."""
    order = np.random.default_rng(7).permutation(50) + 1
    table = np.arange(65_536, dtype=np.uint16)
    table[order] = np.arange(1, 51)
    for path in truth50.rglob("*.png"):
        target = tmp_path / "predictions" / path.relative_to(truth50)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(rgb_png(table[ids_of(pixels_of(path.read_bytes())[0])]))
    return tmp_path / "predictions", {str(p): int(c) for p, c in enumerate(order, 1)} | {"0": 0}


def test_the_command_writes_match_json_and_whether_it_is_unique(generated, truth50, tmp_path, capsys):
    predictions, expected = generated
    assert run(truth50, predictions, tmp_path / "out" / "match.json") == 0
    assert json.loads((tmp_path / "out" / "match.json").read_text()) == expected
    info = json.loads((tmp_path / "out" / "match-info.json").read_text())
    assert info.pop("solver").startswith("scipy.optimize.linear_sum_assignment 1.")
    assert info.pop("cost") == pytest.approx(50 - info["images_in_common"] / 752)
    assert info.pop("images_in_common") >= 752 - 50
    assert info.pop("predictions")["sha256"] == digest_of_files(predictions)
    assert info.pop("truth")["path"] == str(truth50)
    assert info == {
        "subset": 50,
        "images": 752,
        "unique": True,
        "ids_that_could_change": 0,
        "of_them_predicted": [],
        "ids_never_predicted": 0,
        "made_by": f"imagenet-s {__version__}",
    }
    printed = capsys.readouterr()
    assert "over 752 images; no other matching is as good" in printed.out
    assert printed.err.count("no model trained on 919 for 50 or 300") == 1  # the rule, once


def test_the_command_reports_that_other_matchings_are_as_good(generated, truth50, tmp_path, capsys):
    predictions, _ = generated
    # Only images of three classes are left: all matchings of the other ids are as good.
    for path in predictions.rglob("*.png"):
        if path.parent.name not in sorted(class_ids(50))[:3]:
            path.unlink()
    assert run(truth50, predictions, tmp_path / "match.json", "--partial") == 0
    info = json.loads((tmp_path / "match-info.json").read_text())
    assert not info["unique"]
    assert info["ids_that_could_change"] >= 40
    predicted = {
        i for path in predictions.rglob("*.png") for i in np.unique(ids_of(pixels_of(path.read_bytes())[0]))
    }
    assert info["ids_never_predicted"] == 50 - len(predicted - {0, 1000})
    assert set(info["of_them_predicted"]) <= predicted
    assert len(info["of_them_predicted"]) == info["ids_that_could_change"] - info["ids_never_predicted"]
    assert "other matchings are as good" in capsys.readouterr().out
    assert sorted(json.loads((tmp_path / "match.json").read_text()).values()) == list(range(51))


def test_ids_above_the_classes_are_matched_to_nothing_with_a_warning(generated, truth50, tmp_path, capsys):
    predictions, _ = generated
    for path in sorted(predictions.rglob("*.png"))[:3]:
        path.write_bytes(rgb_png(ids_of(pixels_of(path.read_bytes())[0]) + np.uint16(200)))
    assert run(truth50, predictions, tmp_path / "match.json") == 0
    text = capsys.readouterr().err
    assert (
        "3 images have predicted ids above 50, which are matched to nothing: generated ids are 1..50" in text
    )


def test_masks_with_the_ids_of_another_subset_are_not_matched(generated, truth50, tmp_path, capsys):
    arguments = ["--truth", truth50, "--predictions", generated[0], "--out", tmp_path / "match.json"]
    assert main(["match", "--subset", "300", "--partial", *map(str, arguments)]) == 1
    assert f"{truth50} does not use the class ids of ImageNetS300" in capsys.readouterr().err
    assert not (tmp_path / "match.json").exists()


def test_a_match_json_is_not_written_into_what_is_read(generated, truth50, capsys):
    for folder in (truth50, generated[0]):
        assert run(truth50, generated[0], folder / "match.json") == 2
        assert "would be written over, or into, what is read" in capsys.readouterr().err


def test_the_command_names_what_is_wrong_with_predictions(generated, truth50, tmp_path, capsys):
    predictions, _ = generated
    first, second, *_ = sorted(predictions.rglob("*.png"))
    first.unlink()
    second.write_bytes(b"none")
    assert run(truth50, predictions, tmp_path / "match.json") == 1
    text = capsys.readouterr().err
    assert f"missing predictions (1): {first.relative_to(predictions)}\n" in text
    assert f"{second.relative_to(predictions)} is not a readable PNG" in text
    assert "Nothing was matched.\n" in text
    assert not (tmp_path / "match.json").exists()
