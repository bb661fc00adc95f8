"""Which subset predictions are of: by the folders, and by the names of the files in them."""

import json
import zipfile
from pathlib import Path

import pytest

from helpers.scoring import evaluate
from helpers.submission import check
from helpers.trees import linked_copy
from imagenet_s.benchmark.scoring.predictions import names_of
from imagenet_s.benchmark.scoring.which_subset import chosen_subset, require_names_of
from imagenet_s.cli.main import main
from imagenet_s.runtime.errors import UserError, WrongUsage


def data_set(folder: Path, subset: int) -> Path:
    folder.mkdir(parents=True)
    (folder / "dataset.json").write_text(json.dumps({"content": {"dataset": f"ImageNetS{subset}"}}))
    return folder


def test_the_first_folder_that_says_so_names_the_subset(tmp_path, caplog):
    named = tmp_path / "ImageNetS300" / "validation-segmentation"
    stated = data_set(tmp_path / "mine", 50) / "test"
    silent = tmp_path / "silent"
    caplog.set_level("INFO", "imagenet_s")
    assert chosen_subset(None, [silent, named, stated]) == 300
    assert f"Subset 300, by the name of {named.parent}" in caplog.messages
    assert chosen_subset(None, [stated, named]) == 50
    assert f"Subset 50, by the dataset.json of {stated.parent}" in caplog.messages
    assert chosen_subset(None, [data_set(tmp_path / "ImageNetS919", 50)]) == 50
    with pytest.raises(WrongUsage) as caught:
        chosen_subset(None, [silent])
    assert str(caught.value) == (
        f"--subset: which subset is it? Neither {silent} nor a folder above has a dataset.json or an "
        "official name such as ImageNetS50. Give --subset 50 or --subset 300 or --subset 919."
    )


def test_the_option_counts_more_than_a_name_but_a_dataset_json_may_not_contradict_it(tmp_path):
    assert chosen_subset(50, [tmp_path / "ImageNetS300"]) == 50
    assert chosen_subset(50, [data_set(tmp_path / "right", 50)]) == 50
    with pytest.raises(UserError) as caught:
        chosen_subset(300, [tmp_path / "right" / "validation"])
    assert str(caught.value) == (
        f"--subset 300: {tmp_path}/right is ImageNetS50, as its dataset.json says, not ImageNetS300. "
        "Give --subset 50, or another folder."
    )


def test_a_data_set_in_which_others_are_kept_does_not_contradict_the_option(tmp_path):
    kept = data_set(tmp_path / "ImageNetS919", 919) / "others" / "mine" / "validation-segmentation"
    assert chosen_subset(50, [kept, tmp_path]) == 50
    assert chosen_subset(None, [kept]) == 919
    with pytest.raises(UserError, match=r"ImageNetS919 is ImageNetS919, as its dataset\.json says"):
        chosen_subset(50, [tmp_path / "ImageNetS919"])


@pytest.mark.parametrize("command", ["match", "evaluate"])
def test_a_command_takes_the_subset_from_the_truth(
    command, truth50, predictions, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("imagenet_s.benchmark.scoring.evaluate.write_pictures", lambda *_: None)
    paths = ["--truth", truth50.parent, "--predictions", predictions, "--out", tmp_path / "out.json"]
    assert main([command, "--workers", "1", *map(str, paths)]) == 0
    assert f"Subset 50, by the name of {truth50.parent}\n" in capsys.readouterr().err
    elsewhere = linked_copy(truth50, tmp_path / "elsewhere")
    paths[1] = elsewhere
    assert main([command, *map(str, paths)]) == 2
    assert "--subset: which subset is it?" in capsys.readouterr().err


def test_names_of_another_subset_or_split_are_one_message_and_not_thousands_of_missing_files(tmp_path):
    of_50 = names_of(50, "validation")
    for fits in (of_50, of_50[:-1], [*of_50, "notes.txt"], of_50[:3], ["x.png"], []):
        require_names_of(50, "validation", fits, tmp_path)
    with pytest.raises(UserError) as caught:
        require_names_of(919, "validation", [*of_50[3:], "notes.txt"], tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} has the names of ImageNetS50 validation (752 images), not of ImageNetS919 validation "
        "(12,419 images).\n"
        "Give --subset 50 (in config.yaml: `benchmark.subset`), or a folder of validation of ImageNetS919."
    )
    with pytest.raises(
        UserError, match=r"of ImageNetS300 test \(9,088 images\), not of ImageNetS50 validation"
    ):
        require_names_of(50, "validation", names_of(300, "test"), tmp_path)


def test_every_command_says_it_before_it_reads_a_file(truth50, predictions, tmp_path, capsys):
    truth = linked_copy(truth50, tmp_path / "truth")
    arguments = ["--truth", truth, "--predictions", predictions, "--out", tmp_path / "m.json"]
    for command in ("evaluate", "match"):
        assert main([command, "--subset", "300", *map(str, arguments)]) == 1
        assert capsys.readouterr().err.splitlines()[-2:] == [
            f"{truth} has the names of ImageNetS50 validation (752 images), not of ImageNetS300 validation "
            "(4,097 images).",
            "Give --subset 50 (in config.yaml: `benchmark.subset`), "
            "or a folder of validation of ImageNetS300.",
        ]
    assert not (tmp_path / "m.json").exists()


def test_partial_asks_for_no_more_than_both_folders_have(truth50, predictions, tmp_path, capsys):
    (predictions / names_of(50, "validation")[0]).unlink()
    (predictions / names_of(50, "validation")[0]).write_bytes(b"")
    assert evaluate(truth50, predictions, tmp_path / "m.json", "--partial") == 1
    assert capsys.readouterr().err.endswith(
        "Nothing was scored. Expected: `<wnid>/<stem>.png`, 8-bit RGB, the size of its image, for images "
        "that have a true mask.\n"
    )


def test_a_zip_of_another_subset_is_recognised_by_its_names(tmp_path, capsys):
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        for name in names_of(300, "test"):
            archive.writestr(name, b"")
    assert check(tmp_path / "s.zip") == 1
    assert f"{tmp_path}/s.zip has the names of ImageNetS300 test (9,088 images)" in capsys.readouterr().err
