"""What the metrics say of their sources, and their JSON on standard output and in a file."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from helpers.schemas import require_valid, schema_of
from helpers.scoring import evaluate
from helpers.trees import linked_copy
from imagenet_s.benchmark.scoring.predictions import names_of
from imagenet_s.cli.main import main
from imagenet_s.io.atomic import digest_of_files

NAMES = names_of(50, "validation")


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch):
    monkeypatch.setattr("imagenet_s.benchmark.scoring.evaluate.write_pictures", lambda *_: None)


def dated(folder: Path, seconds: int) -> Path:
    """Give all files of a folder the same date."""
    for path in folder.rglob("*.png"):
        os.utime(path, (seconds, seconds))
    return folder


@pytest.fixture
def run(predictions, tmp_path) -> Path:
    """Predictions of a run called `$mine`, written on the last second of a day."""
    target = tmp_path / "$mine" / "validation"
    for path in predictions.rglob("*.png"):
        (target / path.parent.name).mkdir(parents=True, exist_ok=True)
        (target / path.parent.name / path.name).write_bytes(path.read_bytes())
    dated(target, 1_000_000_000 - 200_000)
    last = 86_400 * 11_575 - 1  # 2001-09-09 23:59:59 UTC
    os.utime(target / NAMES[5], (last, last))
    return target


def test_the_metrics_say_of_which_files_they_are(run, output50, tmp_path, capsys):
    tree = output50 / "ImageNetS50"
    truth = tree / "validation-segmentation"
    assert evaluate(tree, run.parent, tmp_path / "m.json") == 0
    found = json.loads((tmp_path / "m.json").read_text())
    require_valid(found, "evaluate")
    assert found["schema"] == schema_of("evaluate")["$id"]
    shell = ["sh", "-c", "LC_ALL=C sha256sum */*.png | sha256sum"]
    by_hand = subprocess.run(shell, cwd=run, capture_output=True, text=True, check=True).stdout.split()[0]
    assert found["predictions"] == {
        "name": "$mine",
        "path": str(run),
        "date": "2001-09-09",
        "sha256": by_hand,
    }
    assert digest_of_files(run) == by_hand
    manifest = tree / "manifests" / "validation-segmentation.sha256"
    assert found["truth"] == {
        "path": str(truth),
        "sha256": hashlib.sha256(manifest.read_bytes()).hexdigest(),
        "data_set_digest": json.loads((tree / "dataset.json").read_text())["content"]["digest"],
    }
    assert found["match"] is None
    assert capsys.readouterr().out.startswith(
        "ImageNetS50 validation: $mine, predictions of 2001-09-09, 752 of 752 images, in percent:\n"
    )


def test_true_masks_that_differ_from_their_manifests_give_a_warning(run, output50, truth50, tmp_path, capsys):
    tree = tmp_path / "ImageNetS50"
    linked_copy(truth50, tree / "validation-segmentation")
    linked_copy(output50 / "ImageNetS50" / "manifests", tree / "manifests")
    assert evaluate(tree, run, tmp_path / "m.json") == 0
    assert "manifests" not in capsys.readouterr().err
    other = tree / "validation-segmentation" / NAMES[0]
    data = other.read_bytes()
    other.unlink()
    other.write_bytes(data + b"\0")  # which no reader of PNGs minds
    assert evaluate(tree, run, tmp_path / "m.json") == 0
    assert (
        f"The true masks are not those of the manifests in {tree}. Run `imagenet-s verify {tree}`.\n"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize("option", [["--json"], ["--json", "-"]])
def test_standard_output_has_the_json_alone(option, truth50, run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = ["--truth", truth50, "--predictions", run, "--workers", "1"]
    assert main(["evaluate", *map(str, arguments), *option]) == 0
    printed = capsys.readouterr().out
    document = json.loads(printed)
    require_valid(document, "evaluate")
    assert document["truth"] == {
        "path": str(truth50),
        "sha256": document["truth"]["sha256"],
        "data_set_digest": None,
    }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["$mine", "predictions"]
    assert main(["evaluate", *map(str, arguments), "--json", "a.json", "--out", "b.json"]) == 0
    assert (tmp_path / "a.json").read_text() == (tmp_path / "b.json").read_text() == printed
    assert "Wrote b.json, and next to it b-figures.html, -classes.csv, " in capsys.readouterr().out


def test_without_a_file_to_write_the_metrics_are_printed_only(truth50, run, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", "--truth", str(truth50), "--predictions", str(run), "--workers", "1"]) == 0
    assert "Wrote" not in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["$mine", "predictions"]


def test_the_json_is_not_written_over_what_is_read(truth50, run, tmp_path, capsys):
    arguments = ["--truth", truth50, "--predictions", run, "--json", run / "m.json"]
    assert main(["evaluate", *map(str, arguments)]) == 2
    assert f"--json: {run}/m.json would be written over, or into, what is read" in capsys.readouterr().err
