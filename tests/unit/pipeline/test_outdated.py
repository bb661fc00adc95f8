"""Scores of other masks than those of the data set are marked, and contact sheets of other images removed."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from imagenet_s.cli.main import main
from imagenet_s.pipeline.outdated import mark_outdated_results, remove_outdated_sheets
from imagenet_s.workspace.paths import Workspace

LISTING = b"0123  validation-segmentation/n01443537/x.png\n"
DIGEST = hashlib.sha256(LISTING).hexdigest()


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    """An output with the list of one subset's masks."""
    workspace = Workspace(tmp_path)
    workspace.manifests(50).mkdir(parents=True)
    (workspace.manifests(50) / "validation-segmentation.sha256").write_bytes(LISTING)
    return workspace


def write(path: Path, digest: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"truth": {"sha256": digest}}))


def test_results_of_other_masks_are_marked_until_they_are_computed_again(workspace, capsys, caplog):
    files = workspace.score_files(50)
    mark_outdated_results(workspace)
    assert not workspace.benchmark.exists()
    write(files.metrics, "0" * 64)
    write(files.match_info, "0" * 64)
    mark_outdated_results(workspace)
    text = (
        f"Outdated results: metrics.json and match-info.json in {workspace.scores(50)}. They were computed "
        f"with other masks than {workspace.tree(50)} has now; the target `evaluate` computes them again."
    )
    assert files.outdated.read_text() == f"{text}\n"
    assert caplog.messages == [text]
    write(files.match_info, DIGEST)
    mark_outdated_results(workspace)
    assert files.outdated.read_text().startswith("Outdated results: metrics.json in ")
    write(files.metrics, DIGEST)
    mark_outdated_results(workspace)
    assert sorted(path.name for path in workspace.scores(50).iterdir()) == ["match-info.json", "metrics.json"]


@pytest.mark.parametrize("text", ["", "{}", '{"truth": 1}', '{"truth": {}}', "[]"])
def test_results_that_do_not_state_their_masks_are_left_alone(text, workspace):
    files = workspace.score_files(50)
    files.metrics.parent.mkdir(parents=True)
    files.metrics.write_text(text)
    mark_outdated_results(workspace)
    assert not files.outdated.exists()


def test_clean_removes_the_mark(workspace):
    write(workspace.score_files(50).metrics, "0" * 64)
    mark_outdated_results(workspace)
    workspace.plans.mkdir(parents=True)
    assert main(["clean", str(workspace.output)]) == 0
    assert not workspace.benchmark.exists()


def test_a_mark_that_cannot_be_written_does_not_fail_the_build(workspace, caplog):
    files = workspace.score_files(50)
    write(files.metrics, "0" * 64)
    files.outdated.mkdir()
    mark_outdated_results(workspace)
    assert caplog.messages[0].startswith("Outdated results: metrics.json in ")
    assert caplog.messages[1:] == [f"{files.outdated}: Is a directory"]


def test_contact_sheets_older_than_their_manifest_are_removed(workspace):
    sheets = [workspace.contact_sheet(50, split) for split in ("train", "test")]
    workspace.contact_sheets.mkdir()
    for sheet, seconds in zip(sheets, (1, 3), strict=True):
        sheet.write_text("")
        os.utime(sheet, (seconds, seconds))
        manifest = workspace.manifests(50) / f"{sheet.stem.removeprefix('ImageNetS50-')}.csv"
        manifest.write_text("")
        os.utime(manifest, (2, 2))
    of_another_subset = workspace.contact_sheet(300, "train")  # which has no manifests
    of_another_subset.write_text("")
    remove_outdated_sheets(workspace)
    assert [sheet.exists() for sheet in (*sheets, of_another_subset)] == [False, True, False]
    os.utime(sheets[1], (1, 1))
    remove_outdated_sheets(workspace)
    remove_outdated_sheets(workspace)
    assert not workspace.contact_sheets.exists()
