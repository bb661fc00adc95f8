"""Adopting a copy of another program: manifests of what is there, and none for a damaged copy."""

import os
import random
import re

import pytest

from helpers.builds import digest
from helpers.checks import first, found, run, spoiled, without_manifests
from helpers.damages import (
    deleted,
    flipped,
    replaced,
    samples_in,
    states,
)
from imagenet_s.io.atomic import read_json, sha256_of
from imagenet_s.spec.companions import COMPANIONS, FROM_RECORDS
from imagenet_s.spec.subsets import LEVELS, sample_manifests


def test_an_adopted_copy_gets_the_files_beside_the_tree_and_keeps_its_own(foreign, built, capsys):
    card = foreign / "README.md"
    card.write_text("theirs")
    assert found(foreign) == {}
    assert run(foreign, "--adopt") == 0
    assert "Kept as they are, because the copy had them already: README.md\n" in capsys.readouterr().err
    assert card.read_text() == "theirs"
    files = read_json(foreign / "dataset.json")["build"]["files"]
    assert files == {name: sha256_of(foreign / name) for name in COMPANIONS}
    for name in FROM_RECORDS:
        assert (foreign / name).read_bytes() == (built("copy") / name).read_bytes()
    assert found(foreign) == {}


def test_suspects_are_no_damage_and_are_recorded_by_adopt(foreign, capsys):
    empty, no_images, suspects = spoiled(foreign)
    sound = (foreign / first(foreign, "validation")).read_bytes()
    for path in (*empty, *no_images):
        semi = foreign / path.replace("train/", "train-semi/")  # which has the same image
        replaced(foreign / path, semi.read_bytes() if path.startswith("train/") and semi.exists() else sound)
    assert run(foreign) == 0
    out = capsys.readouterr().out
    assert "suspect, but not counted as damage (" in out
    assert "\nwhole: " in out
    assert run(foreign, "--adopt") == 0
    stated = read_json(foreign / "dataset.json")["content"]["suspect_images"]
    assert stated == {
        "count": 4,
        "images": [{"image": path, "reason": why} for path, why in sorted(suspects.items())],
    }
    assert found(foreign) == {}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("data", [b"", b"<html></html>"], ids=["empty", "HTML"])
def test_a_copy_with_files_that_are_no_images_is_not_adopted_at_any_level(foreign, level, data, capsys):
    path = [path for path in samples_in(foreign) if path.startswith("train/")][-1]
    replaced(foreign / path, data)
    assert run(foreign, "--adopt", "--level", level) == 1
    captured = capsys.readouterr()
    assert "it is not adopted" in captured.err
    assert f"\n{'unreadable' if data else 'truncated'}: {path}\n" in captured.out
    assert not (foreign / "manifests").exists()
    assert not (foreign / "dataset.json").exists()


def test_a_copy_whose_train_is_not_the_official_set_is_adopted_with_a_warning(tree, built, capsys):
    without_manifests(tree)
    assert run(tree) == 1
    capsys.readouterr()
    assert run(tree, "--adopt") == 0
    out, said = capsys.readouterr()
    assert out.splitlines()[-5:-1] == [
        f"{tree} has manifests now.",
        f"digest: {digest(tree)}",
        "NOT the original ImageNet: 3,084 of 3,084 JPEGs have the same quantization table, as if one program "
        "wrote them",
        "its digest cannot be compared with one of the original ImageNet",
    ]
    assert "Adopted although train is not the official set: train: 650 images, officially 64,431\n" in said
    assert "Adopted although train is not the official set: train: 50 classes outside the 732" in said
    for name in sample_manifests():
        assert (tree / "manifests" / name).read_bytes() == (built("copy") / "manifests" / name).read_bytes()
    assert run(tree) == 0
    assert re.search(r"^train +650 +650$", capsys.readouterr().out, re.M)


def test_a_train_semi_image_that_is_not_in_train_is_missing_and_nothing_is_adopted(tree, capsys):
    without_manifests(tree)
    semi = first(tree, "train-semi").replace("train-semi/", "train/")
    (tree / semi).unlink()
    assert run(tree, "--adopt") == 1
    captured = capsys.readouterr()
    assert f"\nmissing: {semi}\n" in captured.out
    assert "it is not adopted" in captured.err
    assert not (tree / "manifests").exists()


def test_an_adopted_copy_can_be_verified(foreign, built, capsys):
    before = states(foreign)
    assert run(foreign, "--adopt") == 0
    after = states(foreign)
    assert {path: after[path] for path in before} == before
    assert {os.path.relpath(path, foreign) for path in after.keys() - before.keys()} == {
        "dataset.json",
        *(f"manifests/{name}" for name in sample_manifests()),
        *COMPANIONS,
    }
    assert read_json(foreign / "dataset.json")["build"]["link"] == "as found"
    for name in sample_manifests():
        assert (foreign / "manifests" / name).read_bytes() == (
            built("copy") / "manifests" / name
        ).read_bytes()
    assert found(foreign) == {}
    path = first(foreign, "test")
    flipped(foreign, path, random.Random(0))
    assert found(foreign) == {"test": {"changed": [path]}}
    assert run(foreign, "--adopt") == 1
    assert "has manifests already" in capsys.readouterr().err


def test_a_damaged_copy_is_not_adopted(foreign, capsys):
    path = first(foreign, "test")
    deleted(foreign, path, random.Random(0))
    assert run(foreign, "--adopt") == 1
    assert "it is not adopted" in capsys.readouterr().err
    assert not (foreign / "manifests").exists()
