"""The pictures of images that an evaluation draws: which images, and what is seen of each."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from helpers.scoring import evaluate, ids_at, replace
from helpers.trees import linked_copy
from imagenet_s.benchmark.scoring.example_images import CELL, GAP, WIDTH, draw_images, examples
from imagenet_s.benchmark.scoring.pairs import Pair
from imagenet_s.benchmark.scoring.predictions import names_of
from imagenet_s.benchmark.scoring.results import Scored
from imagenet_s.masks.codec import rgb_png
from imagenet_s.masks.overlay import OUTCOMES
from imagenet_s.masks.palette import overlay_colors
from imagenet_s.spec.classes import class_ids, class_names

NAMES = names_of(50, "validation")


def test_chart_and_pictures_are_written_and_the_same_each_time(truth50, predictions, tmp_path):
    for name in ("a", "b"):
        assert evaluate(truth50, predictions, tmp_path / f"{name}.json") == 0
    for what in ("classes", "worst", "best"):
        with Image.open(tmp_path / f"a-{what}.png") as image:
            assert min(image.size) > 400
            assert len(image.convert("RGB").getcolors(1 << 24)) > 50
    for what in ("classes.png", "classes.pdf", "worst.png", "best.png"):
        assert (tmp_path / f"a-{what}").read_bytes() == (tmp_path / f"b-{what}").read_bytes()


def test_a_tree_may_be_given_and_its_images_are_shown(truth50, predictions, imagenet50, tmp_path):
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
        "imagenet_s.benchmark.scoring.example_images.draw_images",
        lambda subset, scored, table, caption, path: shown.update({caption.split()[-2]: scored}),
    )
    ids = ids_at(predictions / NAMES[40])
    replace(predictions / NAMES[40], rgb_png(np.full_like(ids, 50)))
    ids = ids_at(predictions / NAMES[7])
    other = np.where((ids > 0) & (ids < 1000), 49, ids).astype(np.uint16)
    replace(predictions / NAMES[7], rgb_png(other))
    assert evaluate(truth50, predictions, tmp_path / "m.json") == 0
    assert [one.pair.name for one in shown["worst"][:2]] == [NAMES[40], NAMES[7]]
    assert (shown["worst"][0].iou, shown["best"][0].iou) == (0, pytest.approx(1))
    # The mean over background and the classes of truth and prediction, of which only background matches.
    assert shown["worst"][1].iou == pytest.approx(1 / (1 + len(set(np.unique(ids)) - {0, 1000}) + 1))


def drawn(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


@pytest.fixture
def shown(tmp_path) -> list[Scored]:
    """A truth with class 50 at its left, and a prediction with an unknown id and class 7 at its right."""
    truth, prediction = np.zeros((2, 40, 60), np.uint16)
    truth[:, :20] = 50
    prediction[:, 40:] = 7
    prediction[:9] = 2000
    pair = Pair("n01443537/x.png", tmp_path / "validation-segmentation/n01443537/x.png", tmp_path / "p.png")
    pair.truth.parent.mkdir(parents=True)
    pair.truth.write_bytes(rgb_png(truth))
    pair.prediction.write_bytes(rgb_png(prediction))
    return [Scored(pair, 0.5, (0, 50))]


def column_of(picture: np.ndarray, color: tuple[int, ...]) -> set[int]:
    """The columns of cells in which a region of a colour is seen over grey, away from legends."""
    tint = np.floor(0.4 * 128 + 0.6 * np.array(color, float))
    found = np.flatnonzero((np.abs(picture.astype(int) - tint) <= 1).all(axis=2).any(axis=0))
    return set(((found - GAP) // (CELL[0] + GAP)).tolist())


def test_truth_prediction_and_difference_are_each_drawn_in_their_own_colours(shown, tmp_path):
    draw_images(50, shown, None, "worst", tmp_path / "a.png")
    picture = drawn(tmp_path / "a.png")
    assert picture.shape[1] == WIDTH
    table = overlay_colors(50)
    assert (column_of(picture, table[50]), column_of(picture, table[7])) == ({1}, {2})
    outcomes = {outcome.name: column_of(picture, outcome.color) for outcome in OUTCOMES}
    assert outcomes == {"right": set(), "another class": set(), "missed": {3}, "only predicted": {3}}


def test_all_classes_are_named_with_the_path_of_the_image(shown, tmp_path, monkeypatch):
    texts = []
    monkeypatch.setattr(ImageDraw.ImageDraw, "text", lambda self, xy, text, *_, **__: texts.append(text))
    ids = np.arange(51, dtype=np.uint16).repeat(4)[None].repeat(20, axis=0)
    ids[:3] = 1000
    shown[0].pair.truth.write_bytes(rgb_png(ids))
    shown[0].pair.prediction.write_bytes(rgb_png(np.zeros_like(ids)))
    draw_images(50, shown, None, "worst", tmp_path / "a.png")
    wnids = enumerate(class_ids(50), 1)
    classes = [f"{class_names()[wnid]} ({number})" for number, wnid in wnids]
    others = [
        *("worst", "validation/n01443537/x.JPEG    mean IoU 50.0 %", "image, 204 × 20 pixels", "truth"),
        *("prediction", "only background", "difference", "ignore (1000)"),
        *(outcome.name for outcome in OUTCOMES),
    ]
    assert sorted(texts) == sorted([*classes, *others])


def test_at_most_two_images_of_a_class_are_shown():
    ranking = [
        Scored(Pair(f"{wnid}/{number}.png", Path("t"), Path("p")), 0.1, ())
        for wnid in ("a", "b", "c", "d", "e")
        for number in range(3)
    ]
    names = [image.pair.name.removesuffix(".png") for image in examples(ranking)]
    assert names == ["a/0", "a/1", "b/0", "b/1", "c/0", "c/1", "d/0", "d/1"]
    assert len(examples(ranking[:3])) == 2


def test_generated_ids_are_drawn_as_their_classes(shown, tmp_path):
    draw_images(50, shown, None, "worst", tmp_path / "plain.png")
    table = np.arange(65_536, dtype=np.uint16)
    table[[7, 9]] = 9, 7
    prediction = ids_at(shown[0].pair.prediction)
    shown[0].pair.prediction.write_bytes(rgb_png(np.where(prediction == 7, 9, prediction).astype(np.uint16)))
    draw_images(50, shown, table, "worst", tmp_path / "matched.png")
    assert (tmp_path / "matched.png").read_bytes() == (tmp_path / "plain.png").read_bytes()


def test_an_image_of_another_size_is_not_drawn(shown, tmp_path):
    draw_images(50, shown, None, "worst", tmp_path / "without.png")
    image = tmp_path / "validation" / "n01443537" / "x.JPEG"
    image.parent.mkdir(parents=True)
    Image.new("RGB", (61, 40), "red").save(image)
    draw_images(50, shown, None, "worst", tmp_path / "with.png")
    assert (tmp_path / "with.png").read_bytes() == (tmp_path / "without.png").read_bytes()
    Image.new("RGB", (60, 40), "red").save(image)
    draw_images(50, shown, None, "worst", tmp_path / "with.png")
    assert (tmp_path / "with.png").read_bytes() != (tmp_path / "without.png").read_bytes()


def test_the_best_image_comes_first_and_equal_images_are_sorted_by_name(
    truth50, predictions, tmp_path, monkeypatch
):
    drawn_names = {}
    monkeypatch.setattr(
        "imagenet_s.benchmark.scoring.example_images.draw_images",
        lambda subset, scored, table, caption, path: drawn_names.update(
            {caption.split()[-2]: [one.pair.name for one in scored]}
        ),
    )
    for name in NAMES[:10]:
        replace(predictions / name, rgb_png(np.full_like(ids_at(predictions / name), 50)))
    for name in NAMES[10:]:
        ids = ids_at(predictions / name)
        ids[0, 0] = 49
        replace(predictions / name, rgb_png(ids))
    replace(predictions / NAMES[20], (truth50 / NAMES[20]).read_bytes())
    assert evaluate(truth50, predictions, tmp_path / "m.json") == 0
    assert len(drawn_names["worst"]) == len(drawn_names["best"]) == 8
    assert drawn_names["best"][0] == NAMES[20]
    of_class = {}
    for name in NAMES[:10]:
        of_class.setdefault(name.partition("/")[0], []).append(name)
    worst = [name for names in of_class.values() for name in names[:2]]
    assert drawn_names["worst"][: len(worst)] == worst[:8]


def test_each_picture_names_the_run_and_its_date(truth50, predictions, tmp_path, monkeypatch):
    captions = []
    for name in ("class_chart.draw_classes", "example_images.draw_images"):
        monkeypatch.setattr(
            f"imagenet_s.benchmark.scoring.{name}",
            lambda *arguments: captions.extend(text for text in arguments if "validation" in str(text)[:23]),
        )
    run = linked_copy(predictions, tmp_path / "a\nb" / "validation")
    for path in run.rglob("*.png"):
        os.utime(path, (0, 0))
    assert evaluate(truth50, run, tmp_path / "m.json") == 0
    run_and_date = r"ImageNetS50 validation: 'a\nb', predictions of 1970-01-01"
    assert captions == [run_and_date, f"{run_and_date}, worst images", f"{run_and_date}, best images"]
