"""The command `distance-match`: predictions from features on disk, and what it refuses."""

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.trees import linked_copy
from imagenet_s.benchmark.baseline.grid_features import CHANNELS
from imagenet_s.benchmark.scoring.predictions import names_of
from imagenet_s.cli.main import main
from imagenet_s.masks.codec import ids_of, pixels_of, rgb_png
from imagenet_s.spec.splits import listed

TRAIN = names_of(50, "train-semi")
VALIDATION = names_of(50, "validation")[:12]


@pytest.fixture(scope="session")
def semi50(annotations50, tmp_path_factory) -> Path:
    """The folder of the true masks of train-semi of subset 50."""
    folder = tmp_path_factory.mktemp("semi")
    with zipfile.ZipFile(annotations50["path"]) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if "/train-semi-" in name])
    return folder / "ImageNetS50" / "train-semi-segmentation"


def linked(names: list[str], source: Path, folder: Path) -> Path:
    """The images of `names` in class folders, from a raw source."""
    train = {row.image: row.imagenet_wnid for row in listed(50, "train-semi")}
    for name in names:
        stem = Path(name).stem
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        origin = f"train/{train[stem]}" if stem in train else "val"
        os.link(source / origin / f"{stem}.JPEG", (folder / name).with_suffix(".JPEG"))
    return folder


def distance_match(masks: Path, work: Path, *options: str) -> int:
    paths = {"--features-train": work / "f/train", "--features": work / "f/validation"}
    paths |= {"--masks": masks, "--images": work / "validation", "--out": work / "out"}
    words = [str(word) for pair in paths.items() for word in pair]
    return main(["distance-match", "--subset", "50", "--workers", "1", *words, *options])


@pytest.fixture(scope="session")
def features50(imagenet50, tmp_path_factory) -> Path:
    """Images of train-semi and some of validation, and their features; shared, never changed."""
    folder = tmp_path_factory.mktemp("features")
    for split, names in (("train", TRAIN), ("validation", VALIDATION)):
        images = linked(names, imagenet50, folder / split)
        arguments = ["--images", str(images), "--out", str(folder / "f" / split), "--workers", "1"]
        assert main(["grid-features", *arguments]) == 0
    return folder


@pytest.fixture
def work(features50, tmp_path) -> Path:
    """A copy of `features50` of hard links: a test may add and unlink files, and `save` over others."""
    return linked_copy(features50, tmp_path / "work")


def save(path: Path, features: np.ndarray) -> None:
    """Replace a file of features."""
    path.unlink()
    np.save(path, features, allow_pickle=True)


def test_images_are_predicted_at_their_size_and_mostly_right(work, semi50, truth50, capsys):
    assert distance_match(semi50, work) == 0
    assert (
        json.loads((work / "out.json").read_text()).items()
        >= {
            "subset": 50,
            "images": 12,
            "channels": CHANNELS,
            "k": 10,
            "temperature": 0.07,
            "enlarged": 4,
        }.items()
    )
    right = []
    for name in VALIDATION:
        png = (work / "out" / name).read_bytes()
        rgb, mode = pixels_of(png)
        with Image.open((work / "validation" / name).with_suffix(".JPEG")) as image:
            assert rgb.shape == (image.height, image.width, 3)
        assert mode == "RGB"
        assert png[24:26] == b"\x08\x02"
        truth = ids_of(pixels_of((truth50 / name).read_bytes())[0])
        right.append((ids_of(rgb) == truth)[truth != 1000].mean())
    assert np.mean(right) > 0.6  # the demo's classes have their own colours
    assert sorted(path.name for path in work.iterdir()) == ["f", "out", "out.json", "train", "validation"]
    assert f"Wrote 12 predictions to {work}/out, from " in capsys.readouterr().out


def test_features_of_any_shape_and_type_are_accepted(work, semi50):
    """The shapes and types differ from image to image, and some files are npz."""
    wnid_of = {name: name.partition("/")[0] for name in [*TRAIN, *VALIDATION]}
    channel = {wnid: i for i, wnid in enumerate(sorted(set(wnid_of.values())))}
    random = np.random.default_rng(3)
    for split, names in (("train", TRAIN), ("validation", VALIDATION)):
        for number, name in enumerate(names):
            path = (work / "f" / split / name).with_suffix(".npy")
            path.unlink()
            shape = tuple(random.integers(1, 4, 2))
            features = np.zeros((len(channel), *shape), [np.float64, np.int16, np.float32][number % 3])
            features[channel[wnid_of[name]]] = 1
            if number % 2:
                np.save(path, features)
            else:
                np.savez_compressed(path.with_suffix(".npz"), features)
    assert distance_match(semi50, work, "-k", "3", "-T", "0.1") == 0
    assert json.loads((work / "out.json").read_text())["k"] == 3
    # All positions of an image have the class of its folder: region vectors of a class are all the same.
    for name in VALIDATION:
        ids = ids_of(pixels_of((work / "out" / name).read_bytes())[0])
        assert len(np.unique(ids)) == 1


def test_the_number_of_processes_changes_nothing(work, semi50):
    assert distance_match(semi50, work) == 0
    first = {name: (work / "out" / name).read_bytes() for name in VALIDATION}
    assert distance_match(semi50, work, "--workers", "2") == 0
    assert {name: (work / "out" / name).read_bytes() for name in VALIDATION} == first


def test_everything_that_is_missing_is_reported_before_anything_is_predicted(work, semi50, tmp_path, capsys):
    (work / "f/train" / TRAIN[3]).with_suffix(".npy").unlink()
    (work / "f/validation" / VALIDATION[2]).with_suffix(".npy").unlink()
    (work / "validation" / VALIDATION[5]).with_suffix(".JPEG").unlink()
    assert distance_match(semi50 / "n01443537", work) == 1
    text = capsys.readouterr().err
    assert f"missing train-semi features (1): {TRAIN[3][:-4]}.npy\n" in text
    assert "missing train-semi masks (500): " in text
    assert f"missing image features (1): {VALIDATION[2][:-4]}.npy\n" in text
    assert f"features without an image (1): {work}/f/validation/{VALIDATION[5][:-4]}.npy\n" in text
    assert "Nothing was predicted" in text
    assert not (work / "out").exists()


BROKEN = {
    "not an array": (b"hello", "cannot be read (it is not an array of numbers)"),
    "cut off": (None, "cannot be read"),
    "two dimensions": (np.zeros((4, 4)), "is float64 of shape (4, 4), not numbers of shape (C, h, w)"),
    "empty": (np.zeros((4, 0, 4)), "not numbers of shape (C, h, w)"),
    "texts": (np.full((1, 1, 1), "x"), "not numbers of shape (C, h, w)"),
    "objects": (np.full((1, 1, 1), None), "cannot be read"),
    "bits": (np.ones((CHANNELS, 1, 1), bool), "is bool of shape"),
    "complex": (np.ones((CHANNELS, 1, 1), complex), "is complex128 of shape"),
    "too large": (np.full((CHANNELS, 1, 1), 1e20, np.float32), "has values beyond ±1e+15"),
    "not a number": (np.full((CHANNELS, 1, 1), np.nan), "has values that are not finite"),
    "no array in npz": (b"", "does not contain an array"),
    "other channels": (np.zeros((5, 1, 1)), f"5 channels, not {CHANNELS}"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_features_that_cannot_be_used_are_named(fault, work, semi50, capsys):
    content, says = BROKEN[fault]
    path = (work / "f/validation" / VALIDATION[4]).with_suffix(".npy")
    if fault == "no array in npz":
        path.unlink()
        path = path.with_suffix(".npz")
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("x", b"hello")
    elif isinstance(content, np.ndarray):
        save(path, content)
    else:
        data = content or path.read_bytes()[:-9]
        path.unlink()
        path.write_bytes(data)
    assert distance_match(semi50, work) == 1
    text = capsys.readouterr().err
    assert f"unusable features (1): {path} " in text
    assert says in text
    assert "Nothing was predicted." in text
    assert sorted(path.name for path in work.iterdir()) == ["f", "train", "validation"]


def test_a_failed_run_leaves_earlier_predictions_as_they_were(work, semi50, capsys):
    assert distance_match(semi50, work) == 0
    before = {path: path.read_bytes() for path in work.rglob("out*/**/*.png")} | {
        work / "out.json": (work / "out.json").read_bytes()
    }
    assert len(before) == len(VALIDATION) + 1
    for name in VALIDATION[:-1]:
        save((work / "f/validation" / name).with_suffix(".npy"), np.ones((CHANNELS, 1, 1)))
    last = (work / "f/validation" / VALIDATION[-1]).with_suffix(".npy")
    save(last, np.ones((CHANNELS + 1, 1, 1)))
    assert distance_match(semi50, work) == 1
    assert {path: path.read_bytes() for path in before} == before
    save(last, np.ones((CHANNELS, 1, 1)))
    assert distance_match(semi50, work) == 0
    assert all((work / "out" / name).read_bytes() != before[work / "out" / name] for name in VALIDATION)


def test_npy_takes_precedence_over_npz(work, semi50):
    assert distance_match(semi50, work) == 0
    first = (work / "out" / VALIDATION[0]).read_bytes()
    np.savez((work / "f/validation" / VALIDATION[0]).with_suffix(".npz"), np.ones((CHANNELS, 1, 1)))
    assert distance_match(semi50, work) == 0
    assert (work / "out" / VALIDATION[0]).read_bytes() == first


def test_an_invalid_mask_and_an_unreadable_image_are_named(work, semi50, tmp_path, capsys):
    masks = linked_copy(semi50, tmp_path / "masks")
    (masks / TRAIN[1]).unlink()
    (masks / TRAIN[1]).write_bytes(rgb_png(np.full((9, 9), 77, np.uint16)))
    assert distance_match(masks, work) == 1
    assert (
        f"invalid train-semi masks (1): {TRAIN[1]} has ids other than 0..50 and 1000: 77"
        in capsys.readouterr().err
    )
    image = (work / "validation" / VALIDATION[0]).with_suffix(".JPEG")
    image.unlink()
    image.write_bytes(b"none")
    pipe, feature = (masks / TRAIN[1]), (work / "f/validation" / VALIDATION[1]).with_suffix(".npy")
    feature.unlink()
    os.mkfifo(feature)
    assert distance_match(semi50, work) == 1
    text = capsys.readouterr().err
    assert f"unreadable images (1): {image}\n" in text
    assert f"unusable features (1): {feature} is not a regular file\n" in text
    pipe.unlink()
    pipe.symlink_to("/proc/self/mem")
    assert distance_match(masks, work) == 1
    assert f"unreadable train-semi masks (1): {TRAIN[1]}: Input/output error" in capsys.readouterr().err


def test_nothing_is_predicted_over_the_truth(work, semi50, capsys):
    assert distance_match(semi50, work, "--out", str(work / "f")) == 0
    for out in ("validation", "f/train", "f/validation"):
        assert distance_match(semi50, work, "--out", str(work / out)) == 2
        assert "would be written over, or into, what is read" in capsys.readouterr().err


def test_the_rule_of_the_protocol_is_logged_once(work, semi50, capsys):
    assert distance_match(semi50, work) == 0
    text = capsys.readouterr().err
    assert (
        text.count("the masks of train-semi are used only for matching. Only the images of the subset") == 1
    )


def test_receipts_change_if_features_or_predictions_do(work, semi50, monkeypatch):
    arguments = ["--images", str(work / "validation"), "--out", str(work / "f/validation"), "--workers", "1"]
    receipts = []
    for edges in (0, 50, 0):
        monkeypatch.setattr("imagenet_s.benchmark.baseline.grid_features.EDGES", edges)
        assert main(["grid-features", *arguments]) == 0
        assert distance_match(semi50, work) == 0
        receipts.append([(work / name).read_bytes() for name in ("f/validation.json", "out.json")])
    assert receipts[0] == receipts[2]
    assert all(first != second for first, second in zip(*receipts[:2], strict=True))


def test_train_semi_features_must_have_the_same_number_of_channels(work, semi50, capsys):
    save((work / "f/train" / TRAIN[7]).with_suffix(".npy"), np.zeros((5, 1, 1)))
    assert distance_match(semi50, work) == 1
    assert f"train-semi features with different channel counts (1): 5, {CHANNELS}" in capsys.readouterr().err
    np.savez((work / "f/train" / TRAIN[7]).with_suffix(".npz"), np.zeros(1), np.zeros(2))
    (work / "f/train" / TRAIN[7]).with_suffix(".npy").unlink()
    assert distance_match(semi50, work) == 1
    assert "contains 2 arrays, not one" in capsys.readouterr().err


def test_masks_that_are_all_ignored_are_refused(work, semi50, tmp_path, capsys):
    masks = linked_copy(semi50, tmp_path / "masks")
    for name in TRAIN:
        (masks / name).unlink()
        (masks / name).write_bytes(rgb_png(np.full((9, 9), 1000, np.uint16)))
    assert distance_match(masks, work) == 1
    text = capsys.readouterr().err
    assert "train-semi masks without a region (1): all of their pixels are ignored" in text
    assert "Traceback" not in text
