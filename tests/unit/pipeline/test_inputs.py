"""Which files the jobs of a build read."""

from pathlib import Path

import pytest

from imagenet_s.config.settings import Config, read_config
from imagenet_s.pipeline import inputs
from imagenet_s.runtime.errors import UserError
from imagenet_s.spec.exports import FORMATS
from imagenet_s.spec.shards import pass_parts, subset_parts
from imagenet_s.spec.subsets import SPLITS
from imagenet_s.workspace.paths import Workspace


def config(**values: object) -> Config:
    return read_config(values)


def benchmark(**values: object):
    return config(benchmark=values).benchmark


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace(tmp_path / "results")


def finished_pass(workspace: Workspace, top: int, passes: dict[str, int]) -> list[Path]:
    """The files by which a build of subset `top` from passes is known, all made."""
    parts = [part for kind, number in passes.items() for part in pass_parts(kind, top, number)]
    files = [*map(workspace.image_records, parts), workspace.samples(top)]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    return files


def test_the_source_is_the_folder_of_the_user_or_that_of_the_demo(workspace, tmp_path):
    for folder in (tmp_path / "mine", workspace.demo_images):
        for name in ("train", "val"):
            (folder / name / "n01443537").mkdir(parents=True)
    found = inputs.source_places(config(imagenet=str(tmp_path / "mine")), workspace)
    assert (found.train, found.val) == ((tmp_path / "mine" / "train",), (tmp_path / "mine" / "val",))
    assert inputs.source_places(config(), workspace).train == (workspace.demo_images / "train",)
    table = {kind: str(tmp_path / "mine" / name) for kind, name in (("train", "val"), ("val", "train"))}
    found = inputs.source_places(config(imagenet=table), workspace)
    assert (found.train, found.val) == ((tmp_path / "mine" / "val",), (tmp_path / "mine" / "train",))


def test_an_export_ends_with_the_manifests_of_all_splits_of_all_subsets(workspace):
    folder = workspace.output / "exports" / "webdataset"
    asked = config(subsets=[50, 300], exports=["webdataset"])
    names = [f"ImageNetS{subset}-{split}.manifest.json" for subset in (50, 300) for split in SPLITS]
    assert inputs.exports(asked, workspace) == [folder / name for name in [*names, "_info.json"]]


def test_an_export_of_no_format_says_what_to_set(workspace):
    with pytest.raises(UserError) as error:
        inputs.exports(config(), workspace)
    assert str(error.value) == (
        "`exports`: no format is named. Set it in config.yaml, for example to [webdataset]; "
        f"there are {', '.join(FORMATS)}."
    )


def test_jobs_share_train_and_one_exports_each_other_split(workspace):
    found = {split: len(inputs.export_receipts("webdataset", 919, split, workspace)) for split in SPLITS}
    assert found == {"train": 24, "train-semi": 1, "validation": 1, "test": 1}


def test_a_source_that_cannot_be_read_is_named(workspace, tmp_path, monkeypatch):
    def find_places(root: Path, val_root: None) -> None:
        raise PermissionError(13, "Permission denied", str(root))

    monkeypatch.setattr(inputs, "find_places", find_places)
    with pytest.raises(UserError) as error:
        inputs.source_places(config(imagenet=str(tmp_path)), workspace)
    assert str(error.value) == (
        f"`imagenet`: cannot read {tmp_path}: Permission denied. Allow your user to read it (`ls -l` shows "
        "the permissions), or set `imagenet` in config.yaml to another folder."
    )


def test_a_subset_has_its_parts(workspace):
    assert inputs.parts_of(50, [50, 300], {}, workspace) == ["train-50-0", "train-50-1", "val-50-0"]
    assert inputs.parts_of(300, [50, 300], {}, workspace) == subset_parts(300)


def test_a_pass_collects_images_for_the_largest_subset_that_is_built(workspace):
    parts = ["val-50-0", "train-pass-300-0", "train-pass-300-1"]
    assert inputs.parts_of(50, [50, 300], {"train": 2}, workspace) == parts
    assert inputs.pass_top([50], {"train": 2}, workspace) == 50


def test_a_finished_pass_for_a_larger_subset_is_used_as_long_as_nothing_of_it_is_lost(workspace):
    passes = {"train": 2, "val": 1}
    finished_pass(workspace, 919, {"train": 2})  # that was made when val was a folder
    assert inputs.pass_top([50], passes, workspace) == 50
    files = finished_pass(workspace, 300, passes)
    assert inputs.pass_top([50], passes, workspace) == 300
    assert inputs.pass_top([50, 300], passes, workspace) == 300
    assert inputs.pass_top([50, 919], passes, workspace) == 919
    for file in files:
        file.unlink()
        assert inputs.pass_top([50], passes, workspace) == 50
        file.touch()
    finished_pass(workspace, 919, passes)
    assert inputs.pass_top([50], passes, workspace) == 919


def test_the_tree_waits_for_copies_only_where_they_are_made_by_a_setting(workspace):
    parts = ["train-pass-50-0", "val-50-0"]
    assert inputs.pool_receipts(config(link="copy"), parts, workspace) == [workspace.pool / "val-50-0.json"]
    assert inputs.pool_receipts(config(link="auto"), parts, workspace) == []


def test_the_baseline_is_made_if_the_user_has_no_predictions(workspace):
    receipt = workspace.output / "benchmark" / "50" / "baseline" / "test.json"
    assert inputs.baseline_receipts(benchmark(), workspace, "test") == [receipt]
    assert inputs.baseline_receipts(benchmark(predictions="/mine"), workspace, "test") == []


def test_the_state_of_predictions_changes_with_those_of_its_split_alone(tmp_path):
    mine = benchmark(predictions=str(tmp_path))
    for split in ("validation", "test"):
        (tmp_path / split / "n01443537").mkdir(parents=True)
        (tmp_path / split / "n01443537" / "a.png").write_bytes(b"mask")
    before = {split: inputs.predictions_state(mine, split) for split in ("validation", "test")}
    assert before["test"].startswith(f"{tmp_path} ")
    (tmp_path / "test" / "n01443537" / "a.png").write_bytes(b"mask 2")
    assert inputs.predictions_state(mine, "validation") == before["validation"]
    assert inputs.predictions_state(mine, "test") != before["test"]
    assert inputs.predictions_state(benchmark(), "test") == ""


def test_predictions_that_do_not_exist_are_named_with_their_setting(tmp_path):
    with pytest.raises(UserError) as error:
        inputs.predictions_state(benchmark(predictions=str(tmp_path / "gone")), "test")
    assert str(error.value) == f"`benchmark.predictions`: There is no folder {tmp_path}/gone."


def test_generated_ids_are_scored_by_a_match(workspace, tmp_path):
    generated = {"predictions": "/mine", "protocol": "unsupervised"}
    made = workspace.output / "benchmark" / "50" / "match.json"
    assert inputs.match_files(benchmark(**generated), workspace) == [made]
    assert inputs.match_files(benchmark(), workspace) == []
    mine = benchmark(**generated, match=str(tmp_path / "mine.json"))
    with pytest.raises(UserError) as error:
        inputs.match_files(mine, workspace)
    assert str(error.value) == f"`benchmark.match`: there is no file {tmp_path}/mine.json."
    (tmp_path / "mine.json").touch()
    assert inputs.match_files(mine, workspace) == [tmp_path / "mine.json"]
