"""Checking a copy: each damage is found as what it is, at each level that shows it, and none is invented."""

import errno
import json
import os
import random
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.builds import build
from helpers.damages import (
    DAMAGES,
    OF_MANIFESTS,
    as_json,
    dangling,
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
from helpers.trees import linked_copy
from imagenet_s.cli.main import main
from imagenet_s.io.atomic import read_json
from imagenet_s.spec.splits import listed
from imagenet_s.spec.subsets import LEVELS, sample_manifests
from imagenet_s.verify import compare as verify_module
from imagenet_s.verify.compare import verify

LINKS = ("symlink", "hardlink", "copy")
BY_NAME = ("missing", "extra", "moved")  # what the names alone show


@pytest.fixture(scope="session")
def built(imagenet50, annotations50, tmp_path_factory) -> Callable[[str], Path]:
    """A build with a kind of link. Shared: never change it, make an `own_copy`."""
    made: dict[str, Path] = {}

    def by(link: str) -> Path:
        if link not in made:
            output = tmp_path_factory.mktemp(f"built-{link}") / "results"
            made[link] = build(imagenet50, annotations50, output, link, labels=("id16",))
        return made[link]

    return by


@pytest.fixture(scope="module")
def shared(built, tmp_path_factory) -> Path:
    """A copy for `changed`, which puts back what a test does to it."""
    return own_copy(built("copy"), tmp_path_factory.mktemp("shared") / "ImageNetS50")


@pytest.fixture
def tree(built, tmp_path) -> Path:
    return own_copy(built("copy"), tmp_path / "ImageNetS50")


@contextmanager
def changed(root: Path, *paths: str) -> Iterator[None]:
    """Puts files back in the end, and removes what came beside them."""
    before = {path: ((root / path).read_bytes(), (root / path).stat()) for path in paths}
    names = set(samples_in(root))
    try:
        yield
    finally:
        for path, (data, stat) in before.items():
            removed(root / path)
            (root / path).write_bytes(data)
            os.utime(root / path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        for path in set(samples_in(root)) - names:
            removed(root / path)


def first(root: Path, folder: str) -> str:
    """The first file of a folder, as a path in the subset's folder."""
    return next(path for path in samples_in(root) if path.startswith(f"{folder}/"))


def found(root: Path, level: str = "sha256", **options) -> dict:
    """What a check finds: folder → kind → paths."""
    verdict = verify(root, 50, level, 1, **options)
    told = [(kind, path) for kind, paths in verdict.damage.items() for path in paths]
    assert verdict.whole == (not told and not verdict.remarks)
    return as_json(told)


def run(*arguments: object) -> int:
    return main(["verify", *map(str, arguments), "--workers", "1"])


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
    assert re.search(r"^whole: 6,101 files in ", out, re.M)
    assert states(root) == before


@pytest.mark.parametrize("level", LEVELS)
def test_each_damage_to_images_masks_and_labels(shared, level):
    dice = random.Random(1)
    folders = ("train", "test", "train-semi-segmentation", "validation-segmentation-id16")
    files = {f: [path for path in samples_in(shared) if path.startswith(f"{f}/")] for f in folders}
    hurt = {dice.choice(files[f][k::13]): (damage, f) for f in folders for k, damage in enumerate(DAMAGES)}
    assert len(hurt) == 4 * len(DAMAGES)
    sizes = {path: (shared / path).stat().st_size for path in hurt}
    told = []
    with changed(shared, *hurt):
        for path, (damage, folder) in hurt.items():
            for kind, file in damage(shared, path, dice):
                entry = shared / file
                size = entry.stat().st_size if kind not in BY_NAME else None
                # Of labels the size is not known; but a file of no bytes is none.
                other_size = size == 0 or (size != sizes[path] and not folder.endswith("id16"))
                if kind in BY_NAME or level == "sha256" or (level == "size" and other_size):
                    told.append((kind, file))
        assert found(shared, level) == as_json(told)


def test_a_mask_packed_otherwise_has_the_same_pixels_an_image_not(shared):
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
    "paper",
    [
        "dataset.json",
        "manifests/train.csv",
        "manifests/validation.csv",
        "manifests/test.sha256",
        "manifests/validation-segmentation.sha256",
        "manifests/train-semi-segmentation-id16.sha256",
    ],
)
def test_each_damage_to_manifests_and_dataset(shared, paper, level, damage):
    with changed(shared, paper):
        told = damage(shared, paper, random.Random(2))
        assert found(shared, level) == as_json(told)


def test_damage_shows_while_the_table_of_its_split_is_damaged(shared):
    image, mask = (
        next(p for p in samples_in(shared) if p.startswith(f))
        for f in ("validation/", "validation-segmentation/")
    )
    with changed(shared, image, mask, "manifests/validation.csv"):
        told = [
            *deleted(shared, "manifests/validation.csv", random.Random(0)),
            *flipped(shared, image, random.Random(0)),
            *truncated(shared, mask, random.Random(0)),
        ]
        assert found(shared) == as_json(told)


def test_labels_whose_list_is_damaged_are_compared_with_their_masks(shared):
    labels = [p for p in samples_in(shared) if p.startswith("validation-segmentation-id16/")][:4]
    paper = "manifests/validation-segmentation-id16.sha256"
    dice = random.Random(0)
    with changed(shared, *labels, paper):
        told = (
            emptied(shared, paper, dice)
            + truncated(shared, labels[0], dice)
            + deleted(shared, labels[1], dice)
        )
        with Image.open(shared / labels[2]) as image:
            ids = np.asarray(image).copy()
        ids[0, 0] += 1
        removed(shared / labels[2])
        Image.fromarray(ids).save(shared / labels[2])
        told += [("changed", labels[2])]
        encoded_again(shared, labels[3], dice)  # nobody knows its bytes, and its ids are right
        assert found(shared) == as_json(told)


@pytest.mark.parametrize("error", [errno.EIO, errno.EACCES])
def test_what_cannot_be_read_is_told(shared, monkeypatch, error):
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


def test_the_report_and_its_json(tree, tmp_path, capsys):
    image, mask, label = (
        next(p for p in samples_in(tree) if p.startswith(f))
        for f in ("test/", "train-semi-segmentation/", "validation-segmentation-id16/")
    )
    dice = random.Random(0)
    deleted(tree, image, dice)
    encoded_again(tree, mask, dice)
    flipped(tree, label, dice)
    (tree / "notes.txt").write_text("mine")
    assert run(tree.parent, "--json", tmp_path / "found.json") == 1
    assert json.loads((tmp_path / "found.json").read_text()) == {
        "ImageNetS50": {
            ".": {"extra": ["notes.txt"]},
            "test": {"missing": [image]},
            "train-semi-segmentation": {"pixels_equal": [mask]},
            "validation-segmentation-id16": {"changed": [label]},
        }
    }
    out = capsys.readouterr().out
    assert out.startswith(f"{tree}: ImageNetS50, level sha256, by its own manifests\n")
    assert re.search(r"^ +expected +ok +missing +extra +changed +pixels_equal$", out, re.M)
    assert re.search(r"^\. +1 +1 +0 +1 +0 +0$", out, re.M)
    assert re.search(r"^test +1,682 +1,681 +1 +0 +0 +0$", out, re.M)
    assert f"\nmissing: {image}\nextra: notes.txt\nchanged: {label}\npixels_equal: {mask}\n" in out
    assert "\nDAMAGED: 6,101 files in " in out


def test_nothing_to_check_is_2(tmp_path, monkeypatch, capsys, shared):
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
    paper = "manifests/test.csv"
    with changed(shared, image, paper):
        told = flipped(shared, image, random.Random(0))
        deleted(shared, paper, random.Random(0))  # its own manifests do not count
        assert found(shared, against=other) == as_json(told)
        assert run(shared, "--against", other) == 1
    assert run(shared, "--against", tmp_path) == 2


def test_a_copy_without_sound_manifests_is_none_to_compare_with(shared, tree, capsys):
    deleted(tree, "manifests/test.csv", random.Random(0))
    assert run(shared, "--against", tree) == 2
    assert "The manifests of" in capsys.readouterr().err
    shutil.rmtree(tree / "manifests")
    (tree / "dataset.json").unlink()
    assert run(shared, "--against", tree) == 2
    assert "has no manifests to compare with" in capsys.readouterr().err


# Links whose source has moved


def test_a_moved_source_is_told_with_where_it_is_now(imagenet50, annotations50, tmp_path, capsys):
    source = linked_copy(imagenet50, tmp_path / "data" / "imagenet")
    root = build(source, annotations50, tmp_path / "results", "symlink")
    new = tmp_path / "disk" / "imagenet"
    new.parent.mkdir()
    source.rename(new)
    told = found(root, "complete")
    assert {folder: list(kinds) for folder, kinds in told.items()} == {
        folder: ["moved"] for folder in ("train", "train-semi", "validation", "test")
    }
    assert len(told["train"]["moved"]) == 650
    assert run(root) == 1
    out = capsys.readouterr().out
    assert f"2,984 links lead to nothing below {source}: the source has been moved" in out
    assert f"found it in {new}, it seems" in out


def test_one_link_to_nothing_has_moved(shared):
    path = first(shared, "test")
    with changed(shared, path):
        told = dangling(shared, path, random.Random(0))
        assert found(shared) == as_json(told)


# Val images in the folders of ImageNet's classes


def test_val_images_in_their_imagenet_class_are_told_in_words(tree, capsys):
    odd = [row for row in listed(50, "validation") if row.wnid != row.imagenet_wnid]
    for row in odd:
        target = tree / "validation" / row.imagenet_wnid / f"{row.image}.JPEG"
        target.parent.mkdir(exist_ok=True)
        (tree / "validation" / row.wnid / target.name).rename(target)
    paths = sorted(f"validation/{row.wnid}/{row.image}.JPEG" for row in odd)
    assert found(tree) == {"validation": {"moved": paths}}
    assert run(tree, "--level", "complete") == 1
    out = capsys.readouterr().out
    assert (
        f"validation: {len(odd)} of 752 files ({len(odd) / 752:.1%}) lie in the folder of their ImageNet "
        "class, not of their ImageNet-S class, as if ImageNet's val had been sorted by its own labels"
    ) in out


def test_images_in_yet_another_class_are_told_in_words(shared, capsys):
    path = first(shared, "train-semi")
    with changed(shared, path):
        in_another_class(shared, path, random.Random(0))
        assert run(shared, "--level", "complete") == 1
    assert "train-semi: 1 files lie in another class folder; for example" in capsys.readouterr().out


# Copies without manifests


def without_manifests(tree: Path) -> Path:
    shutil.rmtree(tree / "manifests")
    (tree / "dataset.json").unlink()
    for name in ("train-semi-segmentation-id16", "validation-segmentation-id16"):
        shutil.rmtree(tree / name)
    return tree


@pytest.fixture
def foreign(tree, monkeypatch) -> Path:
    """A copy as the official scripts leave it; the demo's number of train images is the official one."""
    without_manifests(tree)
    facts = verify_module.subset_of(50)

    class Facts:
        name, train_images = facts.name, 650

    monkeypatch.setattr(verify_module, "subset_of", lambda number: Facts)
    monkeypatch.setattr(verify_module, "CLASS_SIZES", range(1, 1301))
    return tree


@pytest.mark.parametrize("level", LEVELS)
def test_a_copy_without_manifests_is_checked_by_the_official_lists(foreign, level, capsys):
    assert run(foreign, "--level", level) == 0
    out = capsys.readouterr().out
    assert "by the official lists: it has no manifests\n" in out
    assert "Without manifests nobody can tell whether the bytes of an image have changed; `--adopt`" in out


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
    told = [
        *deleted(foreign, pick["test"][0], dice),
        *emptied(foreign, pick["test"][1], dice),
        *extra(foreign, pick["train-semi"][0], dice),
        *extra(foreign, pick["train"][0], dice),
        *in_another_class(foreign, pick["validation"][0], dice),
        *truncated(foreign, masks[0], dice),
    ]
    flipped(foreign, pick["test"][2], dice)  # which nobody can tell
    encoded_again(foreign, masks[1], dice)
    ids = np.full((30, 30, 3), 255, np.uint8)
    for mask, picture in ((masks[2], ids), (masks[3], ids[:1] * 0)):  # ids that there are not; another size
        removed(foreign / mask)
        Image.fromarray(picture).save(foreign / mask)
        told.append(("changed", mask))
    replaced(foreign / masks[4], b"no picture")
    told.append(("unreadable", masks[4]))
    assert found(foreign) == as_json(told)


def test_a_train_image_in_another_class_shows(foreign):
    path = first(foreign, "train")
    in_another_class(foreign, path, random.Random(0))
    verdict = verify(foreign, 50, "complete", 1)
    assert verdict.remarks == ["train: 649 images, officially 650"]
    assert [Path(p).name for p in verdict.damage["extra"]] == [Path(path).name]


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def zeros(data: bytes) -> bytes:
    return half(data) + bytes(len(data) - len(data) // 2)


def spoiled(root: Path) -> tuple[list[str], list[str], dict[str, str]]:
    """Empty images, files that are no pictures, and images that are not whole: path → why."""
    images = {f: [p for p in samples_in(root) if p.startswith(f"{f}/")] for f in ("train", "test")}
    semi = {path for path in images["train"] if (root / path.replace("train/", "train-semi/")).exists()}
    alone = sorted(set(images["train"]) - semi)
    empty = [alone[0], min(semi), images["test"][0]]
    no_pictures = {
        alone[1]: b"<!DOCTYPE html><title>404</title>",
        images["test"][1]: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        images["test"][2]: bytes(3000),
        images["test"][3]: b"Too many requests",
    }
    jpeg = (root / images["test"][9]).read_bytes()
    of_no_size = jpeg.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x07")
    suspects = {
        alone[2]: (half(jpeg), "lacks its end mark"),
        images["test"][4]: (zeros(jpeg), "ends in zeros"),
        images["test"][5]: (of_no_size, "has a header that cannot be read"),
        images["test"][6]: (jpeg[:100], "has no pixel data"),
    }
    for path in empty:
        replaced(root / path, b"")
    for path, data in no_pictures.items():
        replaced(root / path, data)
    for path, (data, _) in suspects.items():
        replaced(root / path, data)
    return sorted(empty), sorted(no_pictures), {path: why for path, (_, why) in sorted(suspects.items())}


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_no_image_in_a_copy_without_manifests(foreign, level, capsys, tmp_path):
    empty, no_pictures, suspects = spoiled(foreign)
    told = [("truncated", path) for path in empty] if level != "complete" else []
    told += [("unreadable", path) for path in no_pictures] if level == "sha256" else []
    verdict = verify(foreign, 50, level, 1)
    assert as_json([(kind, path) for kind, paths in verdict.damage.items() for path in paths]) == as_json(
        told
    )
    assert verdict.suspects == (suspects if level == "sha256" else {})
    assert verdict.whole == (level == "complete")
    assert run(foreign, "--level", level, "--json", tmp_path / "found.json") == (level != "complete")
    assert read_json(tmp_path / "found.json") == {"ImageNetS50": as_json(told)}
    out = capsys.readouterr().out
    in_train = sum(path.startswith("train/") for _, path in told)
    assert re.search(rf"^train +64,431 +{650 - in_train}\b", out, re.M)
    line = ", ".join(f"{path} {why}" for path, why in suspects.items())
    assert (f"\nsuspect, but not counted as damage: {line}\n" in out) == (level == "sha256")


def test_suspects_alone_are_no_damage_and_are_written_down_by_adopt(foreign, capsys):
    empty, no_pictures, suspects = spoiled(foreign)
    sound = (foreign / first(foreign, "validation")).read_bytes()
    for path in (*empty, *no_pictures):
        semi = foreign / path.replace("train/", "train-semi/")  # which has the same image
        replaced(foreign / path, semi.read_bytes() if path.startswith("train/") and semi.exists() else sound)
    assert run(foreign) == 0
    out = capsys.readouterr().out
    assert "suspect, but not counted as damage: " in out
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
def test_what_is_no_image_is_never_adopted_at_any_level(foreign, level, data, capsys):
    path = [path for path in samples_in(foreign) if path.startswith("train/")][-1]
    replaced(foreign / path, data)
    assert run(foreign, "--adopt", "--level", level) == 1
    captured = capsys.readouterr()
    assert "it is not adopted" in captured.err
    assert f"\n{'unreadable' if data else 'truncated'}: {path}\n" in captured.out
    assert not (foreign / "manifests").exists()
    assert not (foreign / "dataset.json").exists()


def test_a_copy_whose_train_is_not_the_official_one_is_adopted_and_that_is_said(tree, built, capsys):
    without_manifests(tree)
    assert run(tree) == 1
    capsys.readouterr()
    assert run(tree, "--adopt") == 0
    said = capsys.readouterr().err
    assert "Adopted although train is not the official one: train: 650 images, officially 64,431\n" in said
    assert "Adopted although train is not the official one: train: 50 classes outside the 732" in said
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


def test_extra_files_show_behind_a_class_folder_that_is_a_link(built, tmp_path):
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
