"""Which folder is a copy of which subset: by dataset.json, by its name, or by its classes."""

import os
import re
from pathlib import Path

import pytest

from helpers.checks import without_manifests
from helpers.damages import own_copy
from imagenet_s.cli.main import main
from imagenet_s.copies.find import copies_at
from imagenet_s.dataset.dataset_file import own_digest
from imagenet_s.io.atomic import read_json, write_json
from imagenet_s.runtime.errors import CannotCheck
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.subsets import SUBSETS

LISTED = ("train-semi", "validation", "test")


@pytest.fixture
def made(built) -> Path:
    """A build of 50. Shared: never change it."""
    return built("symlink")


@pytest.fixture
def copy(made, tmp_path) -> Path:
    """A copy of `made` under another name."""
    return own_copy(made, tmp_path / "disk" / "my-copy")


def stating(folder: Path, subset: int) -> Path:
    """Write a consistent dataset.json that states a subset into a folder; return the folder."""
    manifests = dict.fromkeys(
        [
            *(f"{split}.csv" for split in ("train", *LISTED)),
            *(f"{split}.sha256" for split in ("train", *LISTED)),
            *(f"{split}-segmentation.sha256" for split in ("train-semi", "validation")),
        ],
        "0" * 64,
    )
    content = {"dataset": f"ImageNetS{subset}", "subset": subset, "manifests": manifests}
    build = {"link": "copy"}
    folder.mkdir(parents=True, exist_ok=True)
    whole = {"content": content, "build": build, "sha256": own_digest(content, build)}
    write_json(folder / "dataset.json", whole)
    return folder


def foreign(folder: Path, subset: int, *splits: str, classes: int | None = None) -> Path:
    """Make the class folders of the splits, as the official scripts do; return the folder."""
    for split in splits or ("train", *LISTED):
        for wnid in list(class_ids(subset))[:classes]:
            (folder / split / wnid).mkdir(parents=True)
    return folder


def refused(path: Path) -> str:
    with pytest.raises(CannotCheck) as caught:
        copies_at(path)
    assert caught.value.code == 2
    return str(caught.value)


def test_a_renamed_copy_is_recognized_by_its_dataset_json(copy, capsys):
    assert copies_at(copy) == {50: copy}
    assert copies_at(copy.parent) == {50: copy}
    assert main(["verify", str(copy), "--level", "complete"]) == 0
    assert capsys.readouterr().out.startswith(f"{copy}: ImageNetS50, level complete, by its own manifests\n")
    assert main(["verify", str(copy.parent), "--level", "complete"]) == 0


def test_a_renamed_copy_can_be_compared_with(copy, made):
    assert main(["verify", str(made), "--against", str(copy), "--level", "complete"]) == 0
    assert main(["verify", str(copy), "--against", str(made), "--level", "complete"]) == 0
    assert main(["verify", str(copy), "--against", str(copy.parent), "--level", "complete"]) == 0


def test_the_working_directory_can_be_a_copy(copy, monkeypatch):
    monkeypatch.chdir(copy)
    assert copies_at(Path(".")) == {50: copy}
    monkeypatch.chdir(copy / "train")
    assert copies_at(Path("..")) == {50: copy}


@pytest.mark.parametrize("subset", SUBSETS)
def test_a_damaged_dataset_json_still_states_the_subset(tmp_path, subset):
    path = stating(tmp_path / "mine", subset) / "dataset.json"
    path.write_text(path.read_text()[:60])
    assert copies_at(tmp_path / "mine") == {subset: tmp_path / "mine"}
    path.write_text(f'{{"content":{{"dataset":"ImageNetS{subset}"')
    assert copies_at(tmp_path / "mine") == {subset: tmp_path / "mine"}


@pytest.mark.parametrize("text", ["", "{}", '{"content": {"dataset": "ImageNetS51"', "\0" * 4096])
def test_without_a_readable_dataset_json_the_name_counts_and_then_the_classes(tmp_path, text):
    for name in ("ImageNetS300", "mine"):
        folder = foreign(tmp_path / name, 300)
        (folder / "dataset.json").write_text(text)
        assert copies_at(folder) == {300: folder}


def test_a_pipe_in_place_of_dataset_json_does_not_block(tmp_path):
    folder = foreign(tmp_path / "mine", 50)
    os.mkfifo(folder / "dataset.json")
    assert copies_at(folder) == {50: folder}


@pytest.mark.parametrize("damaged", [False, True])
def test_dataset_json_takes_precedence_over_the_name_with_a_warning(tmp_path, damaged, caplog):
    folder = stating(tmp_path / "ImageNetS50", 300)
    if damaged:
        (folder / "dataset.json").write_text((folder / "dataset.json").read_text()[:-20])
    for path in (folder, tmp_path):
        caplog.clear()
        assert copies_at(path) == {300: folder}
        assert caplog.messages == [
            f"{folder} is a copy of ImageNetS300: its dataset.json says so, and takes precedence "
            "over the folder's name"
        ]


@pytest.mark.parametrize("subset", SUBSETS)
def test_a_renamed_copy_without_manifests_is_recognized_by_its_classes(tmp_path, subset, capsys):
    folder = foreign(tmp_path / "mine", subset)
    assert copies_at(folder) == {subset: folder}
    assert copies_at(tmp_path) == {subset: folder}
    assert main(["verify", str(folder), "--level", "complete"]) == 1  # no image is there
    assert f"ImageNetS{subset}, names, by the official lists" in capsys.readouterr().out


def test_a_renamed_copy_of_the_official_scripts_is_checked(copy, capsys):
    without_manifests(copy)
    assert main(["verify", str(copy), "--level", "complete"]) == 1
    out = capsys.readouterr().out
    assert out.startswith(f"{copy}: ImageNetS50, names, by the official lists: it has no manifests\n")
    assert re.search(r"^test +1,682 +1,682$", out, re.M)


def test_one_class_of_the_larger_subset_is_enough(tmp_path):
    folder = foreign(tmp_path / "mine", 50)
    wnid = next(wnid for wnid in class_ids(919) if wnid not in class_ids(300))
    (folder / "test" / wnid).mkdir()
    assert copies_at(folder) == {919: folder}


@pytest.mark.parametrize("splits", [("train", "validation"), ("train", "val"), ("train",), ("test",)])
def test_raw_imagenet_is_not_a_copy(tmp_path, splits):
    assert "holds no copy of ImageNet-S" in refused(foreign(tmp_path / "imagenet", 50, *splits))
    (tmp_path / "imagenet" / "test").mkdir(exist_ok=True)
    (tmp_path / "imagenet" / "test" / "ILSVRC2012_test_00000001.JPEG").touch()
    assert "holds no copy of ImageNet-S" in refused(tmp_path / "imagenet")


def test_a_folder_with_classes_of_no_subset_is_not_a_copy(tmp_path):
    folder = foreign(tmp_path / "mine", 50)
    (folder / "validation" / "n99999999").mkdir()
    assert "holds no copy of ImageNet-S" in refused(folder)


def test_children_with_official_names_take_precedence(tmp_path):
    named = stating(tmp_path / "ImageNetS50", 50)
    stating(tmp_path / "another", 300)
    assert copies_at(tmp_path) == {50: named}
    named.rename(tmp_path / "one")
    assert copies_at(tmp_path) == {50: tmp_path / "one", 300: tmp_path / "another"}


def test_links_to_copies_count_and_system_folders_do_not(tmp_path):
    stating(tmp_path / "elsewhere" / "x", 919)
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "current").symlink_to(tmp_path / "elsewhere" / "x")
    stating(tmp_path / "disk" / "@eaDir", 50)
    assert copies_at(tmp_path / "disk") == {919: tmp_path / "disk" / "current"}


def test_a_link_to_a_copy_beside_it_is_not_a_second_copy(tmp_path):
    copy = stating(tmp_path / "a", 50)
    (tmp_path / "latest").symlink_to(copy)
    assert copies_at(tmp_path) == {50: copy}


def test_two_copies_of_one_subset_are_both_named(tmp_path, capsys):
    a, b = stating(tmp_path / "a", 50), foreign(tmp_path / "b", 50)
    message = f"{tmp_path} holds two copies of ImageNetS50: {a} and {b}. Name one of them."
    assert refused(tmp_path) == message
    assert main(["verify", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err
    assert main(["verify", str(a), "--against", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err


def test_two_named_folders_of_one_subset_as_well(tmp_path):
    a, b = stating(tmp_path / "ImageNetS300", 50), stating(tmp_path / "ImageNetS50", 50)
    assert refused(tmp_path).startswith(f"{tmp_path} holds two copies of ImageNetS50: {a} and {b}.")


def test_a_folder_that_may_not_be_read_is_not_called_empty(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, _: path != tmp_path)
    assert refused(tmp_path) == (
        f"Permission denied: {tmp_path}. Whether it holds a copy of ImageNet-S is not known."
    )


def test_the_message_for_a_folder_without_a_copy_lists_its_contents(tmp_path):
    (tmp_path / "imagenet").mkdir()
    (tmp_path / "notes.txt").touch()
    assert refused(tmp_path) == (
        f"{tmp_path} holds no copy of ImageNet-S.\n"
        "Searched this folder and those directly below it for dataset.json, for the names ImageNetS50, "
        "ImageNetS300, ImageNetS919, and for class folders in train-semi, validation, test.\n"
        "It holds: imagenet/, notes.txt\n"
        "Name the folder of a copy, which has train, validation and test in it, or the folder above it."
    )
    assert "\nIt holds: nothing\n" in refused(tmp_path / "imagenet")
    assert refused(tmp_path / "x") == f"{tmp_path}/x holds no copy of ImageNet-S: there is no such folder."
    notes = tmp_path / "notes.txt"
    assert refused(notes) == f"{notes} holds no copy of ImageNet-S: it is not a folder."


def test_the_subset_in_dataset_json_must_be_one_of_three(tmp_path):
    folder = stating(tmp_path / "mine", 50)
    dataset = read_json(folder / "dataset.json")
    for wrong in (51, "50", [50], None):
        dataset["content"]["subset"] = wrong
        dataset["sha256"] = own_digest(dataset["content"], dataset["build"])
        write_json(folder / "dataset.json", dataset)
        assert "holds no copy of ImageNet-S" in refused(folder)
