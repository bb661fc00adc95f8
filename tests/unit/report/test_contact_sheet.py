"""Contact sheets: which images are on them, and what is drawn of each."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from helpers.damages import own_copy
from imagenet_s.copies.copy import open_copy
from imagenet_s.copies.samples import samples
from imagenet_s.report.contact_sheet import CELL, SIZE, chosen, write_contact_sheets
from imagenet_s.spec.subsets import SPLITS, mask_folder


@pytest.fixture
def texts(monkeypatch) -> list[str]:
    """The texts on the sheets, which are not drawn."""
    found = []
    monkeypatch.setattr(ImageDraw.ImageDraw, "text", lambda self, xy, text, *_, **__: found.append(text))
    return found


def drawn(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        assert image.size == SIZE == (1016, 1666)
        return np.asarray(image.convert("RGB"))


def test_the_same_images_are_chosen_everywhere(output50, tmp_path, texts):
    tree = output50 / "ImageNetS50"
    for folder in ("a", "b"):
        write_contact_sheets(50, tree, tmp_path / folder)
    for split in SPLITS:
        name = f"ImageNetS50-{split}.png"
        assert (tmp_path / "a" / "contact" / name).read_bytes() == (
            tmp_path / "b" / "contact" / name
        ).read_bytes()
    assert sorted(path.name for path in (tmp_path / "a" / "contact").iterdir()) == sorted(
        f"ImageNetS50-{split}.png" for split in SPLITS
    )
    assert chosen(752)[:4] == [14, 41, 63, 75]
    table = samples(open_copy(tree), "validation")
    stems = [Path(table["image"][row].as_py()).stem.removeprefix("ILSVRC2012_") for row in chosen(752)]
    head = "ImageNetS50 validation: 48 of 752 images, chosen at random (seed 0)"
    place = texts.index(head)
    assert texts[place + 2 : place + 97 : 2] == stems
    assert len(set(stems)) == 48


def test_all_of_few_images_are_chosen():
    assert chosen(5) == [0, 1, 2, 3, 4]
    assert chosen(0) == []


def test_images_under_their_masks_are_drawn_and_what_cannot_be_read_is_grey(output50, tmp_path):
    tree = own_copy(output50 / "ImageNetS50", tmp_path / "ImageNetS50")
    write_contact_sheets(50, tree, tmp_path / "whole")
    table = samples(open_copy(tree), "validation").take(chosen(752))
    first, second, third = (table["image"][row].as_py() for row in range(3))
    (tree / first).unlink()
    (tree / second).write_bytes(b"damaged")
    mask = mask_folder("validation") + third.removeprefix("validation").replace(".JPEG", ".png")
    (tree / mask).write_bytes(b"damaged")
    write_contact_sheets(50, tree, tmp_path / "damaged")
    whole, damaged = (
        drawn(tmp_path / name / "contact" / "ImageNetS50-validation.png") for name in ("whole", "damaged")
    )
    top, step = 42, CELL + 8
    for column in range(2):
        cell = damaged[top : top + CELL, 8 + column * step : 8 + column * step + CELL]
        assert np.unique(cell).tolist() == [0xCC]
    black = [
        (cell[top : top + CELL, 8 + 2 * step : 8 + 2 * step + CELL] == 0).all(axis=-1).sum()
        for cell in (whole, damaged)
    ]
    assert black[0] > 100 > black[1]  # outlines of regions
    assert np.array_equal(whole[top + step + 50 :], damaged[top + step + 50 :])
