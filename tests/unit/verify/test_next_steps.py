"""What `verify` says to do next, for each kind of copy and damage."""

import re
import shlex
from pathlib import Path

import pytest

from helpers.checks import first, run, without_manifests

ALL_PATHS = "`--json FILE` writes the paths of all."
UNKNOWN = (
    "Next: if you built this copy, run `imagenet-s repair` in the folder of its config.yaml, which is "
    "neither here nor above the copy. If not, get these files again from where the copy came from. "
    + ALL_PATHS
)
AGAIN = (
    "Next: get these files again from where the copy came from, or build ImageNet-S from ImageNet-1k: "
    "`imagenet-s init FOLDER` makes a folder to do so. " + ALL_PATHS
)


@pytest.fixture
def steps(capsys):
    """A function that runs `verify` and returns the lines about what to do, which come last."""

    def of(*arguments: object) -> list[str]:
        run(*arguments, "--level", "complete")
        return re.search(r"files/s\)\n\n(.*)\Z", capsys.readouterr().out, re.DOTALL)[1].splitlines()

    return of


def configure(folder: Path, text: str) -> None:
    (folder / "config.yaml").write_text(text)


def test_a_damaged_build_is_repaired_in_the_folder_of_its_configuration(tree, tmp_path, monkeypatch, steps):
    assert steps(tree) == []
    (tree / first(tree, "test")).unlink()
    assert steps(tree) == [UNKNOWN]
    for other in (
        "subsets: [300]\noutput: .\n",
        "output: elsewhere\n",
        "output: [\n",
        "of: another program\n",
    ):
        configure(tmp_path, other)
        assert steps(tree) == [UNKNOWN]
    configure(tmp_path, "output: .\nsubsets: [300, 50]\n")
    command = f"cd {shlex.quote(str(tmp_path))} && imagenet-s repair"
    assert steps(tree) == [f"Next: `{command}` restores the files."]
    monkeypatch.chdir(tmp_path)
    assert steps(".") == ["Next: `imagenet-s repair` restores the files."]
    (tree / "notes.txt").touch()
    also = "; with --delete-extra it also deletes the extra ones."
    assert steps(tree) == [f"Next: `imagenet-s repair` restores the files{also}"]


def test_extra_files_alone_are_deleted(tree, tmp_path, monkeypatch, steps):
    configure(tmp_path, f"output: {tmp_path}\n")
    (tree / "notes.txt").touch()
    monkeypatch.chdir(tmp_path)
    assert steps(tree) == ["Next: `imagenet-s repair --delete-extra` deletes the extra files."]


def test_a_copy_that_differs_from_another_gets_its_files(tree, built, steps):
    other = built("copy")
    assert steps(tree, "--against", other) == []
    (tree / first(tree, "test")).unlink()
    assert steps(tree, "--against", other) == [
        f"Next: copy the files that differ from {other}, or check each copy by its own manifests, without "
        f"--against. {ALL_PATHS}"
    ]


def test_a_copy_without_manifests_is_adopted_or_completed(foreign, steps):
    adopting = f"`imagenet-s verify --adopt {foreign}`"
    assert steps(foreign) == [
        f"Next: {adopting} writes manifests, by which later checks detect changed bytes."
    ]
    (foreign / first(foreign, "test")).unlink()
    assert steps(foreign) == [AGAIN]


def test_another_set_of_train_images_is_completed_or_accepted(tree, steps):
    without_manifests(tree)
    adopting = f"`imagenet-s verify --adopt {tree}`"
    assert steps(tree) == [f"Next: complete the train images, or accept those that are there: {adopting}"]
