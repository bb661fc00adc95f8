"""The pictures of a gallery: sizes, pixels, and what is said of files that cannot be shown."""

import hashlib
import os

import numpy as np
import pytest
from PIL import Image

from helpers.damages import own_copy
from imagenet_s.api.masks import read_mask, write_mask
from imagenet_s.copies.copy import open_copy
from imagenet_s.gallery.choose import Choice
from imagenet_s.gallery.pictures import make_pictures, pictures_job
from imagenet_s.io.atomic import read_json
from imagenet_s.masks.overlay import class_layer
from imagenet_s.spec.gallery import JOBS, job_classes

WNID = "n01443537"


@pytest.fixture
def tree(tree50, tmp_path):
    return own_copy(tree50, tmp_path / "ImageNetS50")


def pictures(tree, folder, split="validation", per_class=0):
    """The pictures of a class in a new gallery, by the path of the image."""
    (made,) = make_pictures(open_copy(tree), Choice((split,), per_class), [WNID], folder, 1)
    assert made["wnid"] == WNID
    return {picture["row"]["image"]: picture for picture in made["pictures"]}


def opened(folder, name):
    with Image.open(folder / "pictures" / WNID / name) as image:
        assert image.format == "WEBP"
        return np.asarray(image)


def test_each_image_has_a_picture_and_each_mask_one_of_its_classes(tree50, tmp_path):
    made = pictures(tree50, tmp_path)
    assert len(made) == 15
    for path, picture in made.items():
        with Image.open(tree50 / path) as image:
            assert picture["size"] == image.size
            image = np.asarray(image.convert("RGB"), int)
        data = (tree50 / path).read_bytes()
        assert (picture["bytes"], picture["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
        assert (picture["problem"], picture["mask_problems"]) == (None, [])
        assert picture["name"] == f"validation-{path.rpartition('/')[2].removesuffix('.JPEG')}"
        shown = opened(tmp_path, f"{picture['name']}.webp")
        assert shown.shape == image.shape
        assert np.abs(shown - image).mean() < 12
        ids = read_mask(tree50 / picture["row"]["mask"])
        layer = opened(tmp_path, f"{picture['name']}.mask.webp")
        assert layer.shape == (*ids.shape, 4)
        expected = class_layer(ids, 50)
        expected[expected[..., 3] > 0, 3] = 255
        assert (layer == expected).all()
        found, counts = np.unique(ids, return_counts=True)
        assert sorted(picture["ids"]) == list(zip(found.tolist(), counts.tolist(), strict=True))
        assert [count for _, count in picture["ids"]] == sorted(counts.tolist(), reverse=True)


def test_large_images_and_masks_are_shrunk_and_small_ones_are_not(tree, tmp_path):
    path = f"validation/{WNID}/ILSVRC2012_val_00004677"
    mask = tree / f"{path.replace('validation', 'validation-segmentation')}.png"
    for file in (tree / f"{path}.JPEG", mask):
        file.unlink()
    Image.new("CMYK", (1600, 1200), (0, 0, 0, 0)).save(tree / f"{path}.JPEG")
    ids = np.zeros((1200, 1600), np.uint16)
    ids[:600] = 1
    write_mask(mask, ids)
    picture = pictures(tree, tmp_path)[f"{path}.JPEG"]
    assert (picture["size"], picture["mask_size"]) == ((1600, 1200), (1600, 1200))
    assert picture["ids"] == [(0, 960_000), (1, 960_000)]
    assert opened(tmp_path, f"{picture['name']}.webp").shape == (240, 320, 3)
    layer = opened(tmp_path, f"{picture['name']}.mask.webp")
    assert layer.shape == (375, 500, 4)
    assert layer[:187, :, 3].all()
    assert not layer[189:].any()


def test_files_that_cannot_be_shown_are_no_error(tree, tmp_path):
    paths = sorted(path for path in pictures(tree, tmp_path / "before"))[:6]
    masks = [path.replace("validation", "validation-segmentation").replace("JPEG", "png") for path in paths]
    for path in (*paths[:4], *masks[4:6]):
        (tree / path).unlink()
    (tree / paths[0]).write_bytes(b"")
    (tree / paths[1]).write_bytes(b"no image")
    os.mkfifo(tree / paths[2])
    (tree / masks[4]).write_bytes(b"no mask")
    Image.new("RGB", (3, 3), (1, 0, 0)).save(tree / masks[5])
    made = pictures(tree, tmp_path / "after")
    found = [made[path] for path in paths]
    assert [picture["problem"] for picture in found] == [
        "cannot be decoded: unknown file format",
        "cannot be decoded: unknown file format",
        "cannot be read: Not a regular file",
        "cannot be read: No such file or directory",
        None,
        None,
    ]
    assert found[4]["mask_problems"] == ["is not a readable PNG (unknown file format)"]
    width, height = found[5]["size"]
    assert found[5]["mask_problems"] == [
        f"is not as large as its image: 3 × 3 pixels and {width} × {height} pixels"
    ]
    names = {path.name for path in (tmp_path / "after" / "pictures" / WNID).iterdir()}
    assert [f"{picture['name']}.webp" in names for picture in found] == [False] * 4 + [True] * 2
    assert [f"{picture['name']}.mask.webp" in names for picture in found] == [True] * 4 + [False, True]


def test_a_split_without_masks_has_plain_pictures(tree50, tmp_path):
    made = pictures(tree50, tmp_path, "test", 2)
    names = [f"{picture['name']}.webp" for picture in made.values()]
    assert len(names) == 2
    assert sorted(path.name for path in (tmp_path / "pictures" / WNID).iterdir()) == sorted(names)


def test_pictures_of_an_earlier_gallery_are_removed(tree50, tmp_path):
    pictures(tree50, tmp_path)
    (picture,) = pictures(tree50, tmp_path, "train-semi", 1).values()
    names = sorted(path.name for path in (tmp_path / "pictures" / WNID).iterdir())
    assert names == [f"{picture['name']}.mask.webp", f"{picture['name']}.webp"]


def test_the_receipt_of_a_job_states_its_pictures(tree50, tmp_path):
    choice = Choice(("validation",), 1)
    pictures_job(tree50, 50, choice, 1, tmp_path / "gallery", tmp_path / "receipt.json")
    stated = read_json(tmp_path / "receipt.json")["classes"]
    assert [made["wnid"] for made in stated] == list(job_classes(50, 1))
    assert JOBS[50] == 2
    made = make_pictures(open_copy(tree50), choice, job_classes(50, 1), tmp_path / "again", 1)
    same = {"size": tuple, "mask_size": tuple}
    for one, other in zip(stated, made, strict=True):
        for picture, expected in zip(one["pictures"], other["pictures"], strict=True):
            fields = {key: same.get(key, lambda value: value)(value) for key, value in picture.items()}
            fields["ids"] = [tuple(pair) for pair in picture["ids"]]
            assert fields == expected
