"""Masks drawn over their images: regions, outlines, hatching, and what a prediction got wrong."""

import numpy as np

from imagenet_s.masks.overlay import (
    OUTCOMES,
    STRIPE,
    class_layer,
    difference_layer,
    largest_ids,
    over_grey,
    overlaid,
)
from imagenet_s.masks.palette import oklab, overlay_colors

CLEAR, BLACK = [0, 0, 0, 0], [0, 0, 0, 255]
OPAQUE = 153  # 0.6 of 255


def row(*ids: int) -> np.ndarray:
    """A mask of one row, four pixels of each id."""
    return np.repeat(np.array([ids], np.uint16), 4, axis=1)


def inner(layer: np.ndarray) -> list[list[int]]:
    """The pixel in the middle of each region of `row`."""
    return layer[0, 2::4].tolist()


def test_classes_have_their_colour_and_background_and_unknown_ids_none():
    layer = class_layer(row(0, 3, 50, 51, 1001, 65_535), 50)
    table = overlay_colors(50)
    assert inner(layer) == [CLEAR, [*table[3], OPAQUE], [*table[50], OPAQUE], CLEAR, CLEAR, CLEAR]
    # A line where a region ends, and none between ids without a colour.
    assert np.flatnonzero((layer == BLACK).all(axis=-1)[0]).tolist() == [4, 8, 12]


def test_ignored_pixels_are_hatched():
    layer = class_layer(np.full((40, 40), 1000, np.uint16), 50)
    grey, alpha = layer[..., 0], layer[..., 3]
    assert np.unique(grey).tolist() == [0, 255]
    assert grey.mean() == np.clip(grey.mean(), 110, 145)  # as much black as white
    assert np.array_equal(grey[: 40 - 2 * STRIPE], grey[2 * STRIPE :])
    assert np.all(alpha == OPAQUE)
    # On black, grey and white alike, stripes are far apart in lightness.
    for level in (0, 128, 255):
        shown = over_grey(np.full((40, 40, 3), level, np.uint8), layer)
        assert np.ptp(oklab(shown)[..., 0]) > 0.4


def test_outlines_show_on_every_colour():
    for number in range(1, 51):
        mask = row(number, 0)
        for level in (0, 128, 255):
            shown = oklab(overlaid(np.full((1, 8, 3), level, np.uint8), mask, 50))[0]
            assert abs(shown[2, 0] - shown[4, 0]) > 0.35, (number, level)


def test_a_difference_names_each_outcome():
    truth = row(0, 7, 7, 7, 7, 0, 0, 1000)
    prediction = row(0, 7, 8, 0, 51, 8, 51, 7)
    right, other, missed, only = ([*outcome.color, OPAQUE] for outcome in OUTCOMES)
    found = inner(difference_layer(truth, prediction, 50))
    assert found[:-1] == [CLEAR, right, other, missed, missed, only, CLEAR]
    assert found[-1][:3] in ([0] * 3, [255] * 3)
    assert [outcome.name for outcome in OUTCOMES] == ["right", "another class", "missed", "only predicted"]


def test_the_largest_id_comes_first():
    assert largest_ids(row(1000, 3, 0, 3, 0, 0)) == [0, 3, 1000]
