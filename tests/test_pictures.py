"""The plot of classes and the pictures of images that an evaluation draws."""

import os

import numpy as np
import pytest
from PIL import Image

from conftest import linked_copy
from imagenet_s.mask import rgb_png
from imagenet_s.predictions import names_of
from scoring import evaluate, ids_at, replace

NAMES = names_of(50, "validation")


def test_plot_and_pictures_are_written_and_the_same_each_time(truth50, predictions, tmp_path):
    for name in ("a", "b"):
        assert evaluate(truth50, predictions, tmp_path / f"{name}.json") == 0
    for what in ("classes", "worst", "best"):
        with Image.open(tmp_path / f"a-{what}.png") as image:
            assert min(image.size) > 400
            assert len(image.convert("RGB").getcolors(1 << 24)) > 50
        assert (tmp_path / f"a-{what}.png").read_bytes() == (tmp_path / f"b-{what}.png").read_bytes()


def test_a_tree_s_own_folder_will_do_and_its_images_are_shown(truth50, predictions, imagenet50, tmp_path):
    tree = tmp_path / "ImageNetS50"
    linked_copy(truth50, tree / "validation-segmentation")
    linked_copy(predictions, tmp_path / "both" / "validation")
    (tmp_path / "both" / "test").mkdir()
    assert evaluate(tree, tmp_path / "both", tmp_path / "without.json") == 0
    for name in NAMES:
        image = (tree / "validation" / name).with_suffix(".JPEG")
        image.parent.mkdir(parents=True, exist_ok=True)
        os.link(imagenet50 / "val" / image.name, image)
    assert evaluate(tree, tmp_path / "both", tmp_path / "with.json") == 0
    assert (tmp_path / "with.json").read_bytes() == (tmp_path / "without.json").read_bytes()
    assert (tmp_path / "with-worst.png").read_bytes() != (tmp_path / "without-worst.png").read_bytes()
    assert (tmp_path / "with-classes.png").read_bytes() == (tmp_path / "without-classes.png").read_bytes()


def test_the_worst_images_are_those_with_the_lowest_mean_iou(truth50, predictions, tmp_path, monkeypatch):
    shown = {}
    monkeypatch.setattr(
        "imagenet_s.pictures.draw_images",
        lambda subset, scored, table, which, path: shown.update({which: scored}),
    )
    ids = ids_at(predictions / NAMES[40])
    replace(predictions / NAMES[40], rgb_png(np.full_like(ids, 50)))
    ids = ids_at(predictions / NAMES[7])
    other = np.where((ids > 0) & (ids < 1000), 49, ids).astype(np.uint16)
    replace(predictions / NAMES[7], rgb_png(other))
    assert evaluate(truth50, predictions, tmp_path / "m.json") == 0
    assert [one.pair.name for one in shown["worst"][:2]] == [NAMES[40], NAMES[7]]
    assert (shown["worst"][0].iou, shown["best"][0].iou) == (0, pytest.approx(1))
    # Background of two classes' mean, or of three where another object is there: 49 is none of them.
    assert shown["worst"][1].iou == pytest.approx(1 / (1 + len(set(np.unique(ids)) - {0, 1000}) + 1))
