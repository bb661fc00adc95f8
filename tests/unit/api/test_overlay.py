"""A mask over its image: colours of the palette, and a legend with the names of the classes."""

import re

import numpy as np
import pytest
from PIL import Image

import imagenet_s
from imagenet_s.masks import legend
from imagenet_s.masks.palette import overlay_colors

IMAGE = Image.new("RGB", (300, 40), (90, 100, 110))
IDS = np.zeros((40, 300), np.uint16)
IDS[:, :50], IDS[:, 50:150], IDS[:, 150:160] = 2, 1, 1000


def texts(monkeypatch) -> list[str]:
    """Collect the texts that are drawn from now on."""
    drawn = []
    draw = legend.ImageDraw.ImageDraw.text
    monkeypatch.setattr(
        legend.ImageDraw.ImageDraw,
        "text",
        lambda self, xy, text, *rest, **options: drawn.append(text) or draw(self, xy, text, *rest, **options),
    )
    return drawn


def test_classes_are_coloured_and_named_the_largest_first(monkeypatch):
    drawn = texts(monkeypatch)
    shown = imagenet_s.show(IMAGE, IDS, subset=50)
    assert drawn == ["goldfish (1)", "tiger shark (2)", "ignore (1000)"]
    assert shown.size == (300, 40 + 3 * legend.LINE)
    pixels, table = np.asarray(shown), overlay_colors(50)
    for x, number in ((10, 2), (100, 1)):
        assert np.array_equal(pixels[20, x], (0.4 * 100 + 0.6 * table[number]).astype(np.uint8))
    assert pixels[20, 200].tolist() == [100, 100, 100]
    # Black lines between regions, and stripes on ignored pixels.
    assert pixels[20, [50, 150, 160]].tolist() == [[0, 0, 0]] * 3
    assert {tuple(pixel) for pixel in pixels[20, 151:160].tolist()} == {(40, 40, 40), (193, 193, 193)}
    swatches = [pixels[40 + line * legend.LINE + legend.LINE // 2, legend.LINE // 2] for line in range(2)]
    assert np.array_equal(swatches, table[[1, 2]])
    third = pixels[40 + 2 * legend.LINE :, legend.MARGIN + 1 : legend.MARGIN + legend.SWATCH]
    assert {0, 255} <= set(third[legend.LINE // 2].ravel().tolist())


def test_the_subset_decides_the_names(monkeypatch):
    drawn = texts(monkeypatch)
    imagenet_s.show(IMAGE, IDS, subset=919)
    assert drawn[:2] == ["tench (1)", "goldfish (2)"]


def test_an_image_of_the_data_knows_its_subset(data, monkeypatch):
    image, mask = data["validation", 0]
    drawn = texts(monkeypatch)
    shown = imagenet_s.show(image, mask)
    assert drawn == ["goldfish (1)", "ignore (1000)"]
    assert shown.tobytes() == imagenet_s.show(image.convert("RGB"), mask, subset=50).tobytes()
    assert shown.mode == "RGB"


def test_a_mask_of_background_only_has_no_legend():
    shown = imagenet_s.show(IMAGE, np.zeros_like(IDS), subset=50)
    assert shown.size == IMAGE.size
    assert np.all(np.asarray(shown) == 100)


def test_ids_without_a_class_have_neither_colour_nor_name():
    shown = imagenet_s.show(IMAGE, np.full_like(IDS, 51), subset=50)
    assert shown.size == IMAGE.size
    assert np.all(np.asarray(shown) == 100)


def test_mistakes_are_refused(data):
    with pytest.raises(ValueError, match=r"Name it: show\(image, mask, subset=50\)\."):
        imagenet_s.show(IMAGE, IDS)
    with pytest.raises(ValueError, match="This image has no mask"):
        imagenet_s.show(*data["test", 0])
    expected = "Expected a mask of shape (height, width) = (40, 300); found (300, 40)."
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        imagenet_s.show(IMAGE, IDS.T, subset=50)
    with pytest.raises(ValueError, match=r"^Expected a subset of 50, 300, 919; found 51\.$"):
        imagenet_s.show(IMAGE, IDS, subset=51)
    for number in (-1, 65537):  # as uint16, the second one would be class 1
        with pytest.raises(ValueError, match=f"^Expected ids from 0 to 65535; found {number} to {number}"):
            imagenet_s.show(IMAGE, np.full(IDS.shape, number), subset=50)
