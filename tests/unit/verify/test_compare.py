"""Checking a copy: each damage is found and named correctly at each level that shows it, and nothing else."""

import errno
import os
import random
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.builds import digest
from helpers.checks import changed, first, found, run, spoiled, without_manifests
from helpers.damages import (
    DAMAGES,
    OF_MANIFESTS,
    as_json,
    deleted,
    emptied,
    encoded_again,
    extra,
    flipped,
    in_another_class,
    own_copy,
    removed,
    replaced,
    samples_in,
    states,
    truncated,
    unfolded,
)
from imagenet_s.dataset.dataset_file import own_digest
from imagenet_s.io.atomic import json_bytes, read_json
from imagenet_s.io.tar_headers import MAX_IMAGE_BYTES
from imagenet_s.spec.companions import COMPANIONS
from imagenet_s.spec.subsets import LEVELS
from imagenet_s.verify.compare import verify

LINKS = ("symlink", "hardlink", "copy")
BY_NAME = ("missing", "extra", "moved")  # the kinds that names show


# A copy that this pipeline made


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("level", LEVELS)
def test_a_build_is_whole(built, link, level, capsys, tmp_path):
    root = built(link)
    before = states(root)
    assert run(root, "--level", level, "--json", tmp_path / "found.json") == 0
    assert read_json(tmp_path / "found.json") == {"ImageNetS50": {}}
    out = capsys.readouterr().out
    assert re.search(r"^train-semi +500 +500$", out, re.M)
    assert re.search(
        rf"^digest: {digest(root)}\ndigest known: built by .* from the demo .*\nwhole: 6,114 files in ",
        out,
        re.M,
    )
    assert states(root) == before


@pytest.mark.parametrize("level", LEVELS)
def test_each_damage_to_images_masks_and_labels(shared, level):
    dice = random.Random(1)
    folders = ("train", "test", "train-semi-segmentation", "validation-segmentation-id16")
    files = {f: [path for path in samples_in(shared) if path.startswith(f"{f}/")] for f in folders}
    hurt = {dice.choice(files[f][k::13]): (damage, f) for f in folders for k, damage in enumerate(DAMAGES)}
    assert len(hurt) == 4 * len(DAMAGES)
    sizes = {path: (shared / path).stat().st_size for path in hurt}
    reported = []
    with changed(shared, *hurt):
        for path, (damage, folder) in hurt.items():
            for kind, file in damage(shared, path, dice):
                entry = shared / file
                size = entry.stat().st_size if kind not in BY_NAME else None
                # The sizes of labels are unknown, but a label is never empty.
                other_size = size == 0 or (size != sizes[path] and not folder.endswith("id16"))
                if kind in BY_NAME or level == "sha256" or (level == "size" and other_size):
                    reported.append((kind, file))
        assert found(shared, level) == as_json(reported)


def test_threads_that_work_ahead_find_the_same(shared, threads_ahead):
    files = {kind: first(shared, folder) for kind, folder in (("missing", "train"), ("truncated", "test"))}
    with changed(shared, *files.values()):
        deleted(shared, files["missing"], random.Random(1))
        truncated(shared, files["truncated"], random.Random(1))
        assert found(shared) == as_json(list(files.items()))


def test_a_recompressed_mask_has_equal_pixels_and_a_recompressed_image_has_changed(shared):
    image, mask = (
        next(p for p in samples_in(shared) if p.startswith(f))
        for f in ("validation/", "validation-segmentation/")
    )
    with changed(shared, image, mask):
        for path in (image, mask):
            encoded_again(shared, path, random.Random(0))
        assert found(shared) == {
            "validation": {"changed": [image]},
            "validation-segmentation": {"pixels_equal": [mask]},
        }


def test_a_blurred_image_has_changed(shared):
    path = first(shared, "test")
    with changed(shared, path):
        with Image.open(shared / path) as image:
            small = image.resize((8, 8)).resize(image.size)
        removed(shared / path)
        small.save(shared / path)
        assert found(shared) == {"test": {"changed": [path]}}


@pytest.mark.parametrize("damage", OF_MANIFESTS)
@pytest.mark.parametrize("level", ["complete", "sha256"])
@pytest.mark.parametrize(
    "manifest",
    [
        "dataset.json",
        "manifests/train.csv",
        "manifests/validation.csv",
        "manifests/test.sha256",
        "manifests/validation-segmentation.sha256",
        "manifests/train-semi-segmentation-id16.sha256",
        "README.md",
        "metadata.jsonl",
    ],
)
def test_each_damage_to_manifests_and_dataset(shared, manifest, level, damage):
    with changed(shared, manifest):
        reported = damage(shared, manifest, random.Random(2))
        assert found(shared, level) == as_json(reported)


@pytest.mark.parametrize("damage", [flipped, truncated, emptied, deleted])
def test_each_damage_to_a_parquet_manifest(shared, damage):
    manifest = "manifests/train.parquet"
    with changed(shared, manifest):
        reported = damage(shared, manifest, random.Random(2))
        assert found(shared, "complete") == as_json(reported)


def test_damage_is_found_even_if_the_table_of_its_split_is_damaged(shared):
    image, mask = (
        next(p for p in samples_in(shared) if p.startswith(f))
        for f in ("validation/", "validation-segmentation/")
    )
    with changed(shared, image, mask, "manifests/validation.csv"):
        reported = [
            *deleted(shared, "manifests/validation.csv", random.Random(0)),
            *flipped(shared, image, random.Random(0)),
            *truncated(shared, mask, random.Random(0)),
        ]
        assert found(shared) == as_json(reported)


def test_labels_whose_list_is_damaged_are_compared_with_their_masks(shared):
    labels = [p for p in samples_in(shared) if p.startswith("validation-segmentation-id16/")][:4]
    manifest = "manifests/validation-segmentation-id16.sha256"
    dice = random.Random(0)
    with changed(shared, *labels, manifest):
        reported = (
            emptied(shared, manifest, dice)
            + truncated(shared, labels[0], dice)
            + deleted(shared, labels[1], dice)
        )
        with Image.open(shared / labels[2]) as image:
            ids = np.asarray(image).copy()
        ids[0, 0] += 1
        removed(shared / labels[2])
        Image.fromarray(ids).save(shared / labels[2])
        reported += [("changed", labels[2])]
        encoded_again(shared, labels[3], dice)  # its digest is unknown, and its ids are right
        assert found(shared) == as_json(reported)


@pytest.mark.parametrize("error", [errno.EIO, errno.EACCES])
def test_unreadable_files_are_reported(shared, monkeypatch, error):
    image, mask = (
        next(p for p in samples_in(shared) if p.startswith(f)) for f in ("test/", "train-semi-segmentation/")
    )
    right = os.open

    def refusing(path, *arguments, **options):
        if str(path) in (f"{shared}/{image}", f"{shared}/{mask}"):
            raise OSError(error, os.strerror(error), path)
        return right(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refusing)
    assert found(shared) == as_json([("unreadable", image), ("unreadable", mask)])


def test_a_folder_that_cannot_be_listed_holds_unreadable_files(shared, monkeypatch):
    right = os.scandir

    def refusing(path):
        if str(path).rstrip("/") == f"{shared}/train/n01443537":
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return right(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert [len(paths) for paths in found(shared, "complete")["train"].values()] == [13]
    assert list(found(shared, "complete")["train"]) == ["unreadable"]


def test_the_exit_code_is_2_if_there_is_nothing_to_check(tmp_path, monkeypatch, capsys, shared):
    assert run(tmp_path / "nowhere") == 2
    assert "holds no copy of ImageNet-S" in capsys.readouterr().err
    assert run(tmp_path / "ImageNetS50") == 2
    assert "There is no folder" in capsys.readouterr().err
    right = os.scandir

    def refusing(path):
        if str(path).rstrip("/") == str(shared):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return right(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert run(shared) == 2
    assert "cannot be listed: no permission" in capsys.readouterr().err


# Against another copy


def test_a_copy_is_compared_with_another(built, shared, tmp_path, capsys):
    other = built("symlink")
    assert run(shared, "--against", other.parent) == 0
    image = first(shared, "test")
    manifest = "manifests/test.csv"
    with changed(shared, image, manifest):
        reported = flipped(shared, image, random.Random(0))
        deleted(shared, manifest, random.Random(0))  # its own manifests do not count
        assert found(shared, against=other) == as_json(reported)
        assert run(shared, "--against", other) == 1
        assert f"ImageNetS50, level sha256, by the manifests of {other}\n" in capsys.readouterr().out
    assert run(shared, "--against", tmp_path) == 2


def test_a_copy_of_an_earlier_version_is_whole_without_the_files_beside_the_tree_and_with_them(tree):
    dataset = read_json(tree / "dataset.json")
    del dataset["build"]["files"]
    dataset["sha256"] = own_digest(dataset["content"], dataset["build"])
    replaced(tree / "dataset.json", json_bytes(dataset))
    assert found(tree) == {}
    replaced(tree / "README.md", b"mine")
    assert found(tree) == {}
    for name in COMPANIONS:
        removed(tree / name)
    assert found(tree) == {}


def test_digests_of_files_beside_the_tree_count_even_if_dataset_json_is_damaged(tree):
    text = (tree / "dataset.json").read_bytes()
    replaced(tree / "dataset.json", text.replace(b'"subset": 50', b'"subset": 51'))
    removed(tree / "manifests" / "test.parquet")
    replaced(tree / "train.txt", b"mine")
    assert found(tree) == {
        ".": {"changed": ["dataset.json"], "truncated": ["train.txt"]},
        "manifests": {"missing": ["manifests/test.parquet"]},
    }


def test_a_copy_without_intact_manifests_cannot_be_compared_with(shared, tree, capsys):
    deleted(tree, "README.md", random.Random(0))
    assert found(shared, against=tree) == {}
    deleted(tree, "manifests/test.csv", random.Random(0))
    assert run(shared, "--against", tree) == 2
    assert "The manifests of" in capsys.readouterr().err
    shutil.rmtree(tree / "manifests")
    (tree / "dataset.json").unlink()
    assert run(shared, "--against", tree) == 2
    assert "has no manifests to compare with" in capsys.readouterr().err


# Copies without manifests


@pytest.mark.parametrize("level", LEVELS)
def test_a_copy_without_manifests_is_checked_by_the_official_lists(foreign, level, capsys):
    assert run(foreign, "--level", level) == 0
    out = capsys.readouterr().out
    assert "by the official lists: it has no manifests\n" in out
    assert "\nWithout manifests, changed bytes of an image cannot be detected.\n" in out


def test_the_number_of_train_images_is_checked(tree, capsys):
    without_manifests(tree)
    assert run(tree, "--level", "complete") == 1
    out = capsys.readouterr().out
    assert re.search(r"^train +64,431 +650$", out, re.M)
    assert re.search(r"^train: 650 images, officially 64,431$", out, re.M)
    assert re.search(r"^train: 50 classes outside the 732–1,300 images", out, re.M)


def test_damages_to_a_copy_without_manifests(foreign):
    dice = random.Random(3)
    pick = {
        f: [p for p in samples_in(foreign) if p.startswith(f"{f}/")][k::7]
        for k, f in enumerate(("train", "test", "train-semi", "validation", "validation-segmentation"))
    }
    masks = pick["validation-segmentation"]
    reported = [
        *deleted(foreign, pick["test"][0], dice),
        *emptied(foreign, pick["test"][1], dice),
        *extra(foreign, pick["train-semi"][0], dice),
        *extra(foreign, pick["train"][0], dice),
        *in_another_class(foreign, pick["validation"][0], dice),
        *truncated(foreign, masks[0], dice),
    ]
    flipped(foreign, pick["test"][2], dice)  # which cannot be detected
    encoded_again(foreign, masks[1], dice)
    ids = np.full((30, 30, 3), 255, np.uint8)
    for mask, picture in ((masks[2], ids), (masks[3], ids[:1] * 0)):  # invalid ids; another size
        removed(foreign / mask)
        Image.fromarray(picture).save(foreign / mask)
        reported.append(("changed", mask))
    replaced(foreign / masks[4], b"no image")
    replaced(foreign / pick["test"][3], b"")
    os.truncate(foreign / pick["test"][3], MAX_IMAGE_BYTES + 1)  # which takes no space
    reported += [("unreadable", path) for path in (masks[4], pick["test"][3])]
    assert found(foreign) == as_json(reported)


def test_a_train_image_in_another_class_is_found(foreign):
    path = first(foreign, "train")
    in_another_class(foreign, path, random.Random(0))
    result = verify(foreign, 50, "complete", 1)
    assert result.remarks == ["train: 649 images, officially 650"]
    assert [Path(p).name for p in result.damage["extra"]] == [Path(path).name]


@pytest.mark.parametrize("level", LEVELS)
def test_files_that_are_no_images_in_a_copy_without_manifests(foreign, level, capsys, tmp_path):
    empty, no_images, suspects = spoiled(foreign)
    reported = [("truncated", path) for path in empty] if level != "complete" else []
    reported += [("unreadable", path) for path in no_images] if level == "sha256" else []
    result = verify(foreign, 50, level, 1)
    assert as_json([(kind, path) for kind, paths in result.damage.items() for path in paths]) == as_json(
        reported
    )
    assert result.suspects == (suspects if level == "sha256" else {})
    assert result.whole == (level == "complete")
    assert run(foreign, "--level", level, "--json", tmp_path / "found.json") == (level != "complete")
    assert read_json(tmp_path / "found.json") == {"ImageNetS50": as_json(reported)}
    out = capsys.readouterr().out
    in_train = sum(path.startswith("train/") for _, path in reported)
    assert re.search(rf"^train +64,431 +{650 - in_train}\b", out, re.M)
    lines = "".join(f"  {path} {why}\n" for path, why in suspects.items())
    count = f"({len(suspects)})"
    assert (f"\nsuspect, but not counted as damage {count}:\n{lines}" in out) == (level == "sha256")


def test_extra_files_behind_a_linked_class_folder_are_found(built, tmp_path):
    root = own_copy(built("symlink"), tmp_path / "ImageNetS50")
    wnid = sorted(os.listdir(root / "train"))[0]
    unfolded(root, f"train/{wnid}")
    assert found(root) == {}
    own = tmp_path / "own"
    shutil.copytree(root / "train" / wnid, own)
    (own / "mine.txt").write_text("mine")
    shutil.rmtree(root / "train" / wnid)
    (root / "train" / wnid).symlink_to(own)
    assert found(root) == {"train": {"extra": [f"train/{wnid}/mine.txt"]}}
