"""The colours of the classes."""

import hashlib

import numpy as np
import pytest

from helpers.masks import opened
from imagenet_s.masks.encodings import color
from imagenet_s.masks.palette import colors, oklab, overlay_colors
from imagenet_s.spec.classes import class_ids
from imagenet_s.spec.subsets import SUBSETS


@pytest.mark.parametrize("subset", SUBSETS)
def test_other_is_black_ignore_white_and_no_two_classes_look_alike(subset):
    pixels = np.array([[0, *range(1, subset + 1), 1000]], np.uint16)
    # No mask has more than 256 ids: each colour is seen in a picture of its own.
    pictures = [
        np.asarray(opened(color(pixels[:, [k]], subset, "")).convert("RGB")) for k in range(subset + 2)
    ]
    seen = [tuple(picture[0, 0].tolist()) for picture in pictures]
    assert seen[0] == (0, 0, 0)
    assert seen[-1] == (255, 255, 255)
    assert len(set(seen)) == subset + 2


@pytest.mark.parametrize("subset", [50, 300])
@pytest.mark.parametrize("palette", [colors, overlay_colors])
def test_a_wnid_has_the_same_colour_in_every_subset(palette, subset):
    ours, theirs = palette(subset), palette(919)
    for wnid, number in class_ids(subset).items():
        assert ours[number].tolist() == theirs[class_ids(919)[wnid]].tolist()


def test_any_two_colours_differ_by_28_levels_in_some_channel():
    table = colors(919)[[*range(920), 1000]].astype(int)
    apart = np.abs(table[:, None] - table).max(axis=-1)
    assert apart[~np.eye(len(table), dtype=bool)].min() >= 28


def test_the_palette_of_color_masks_stays():
    digests = [hashlib.sha256(colors(subset).tobytes()).hexdigest()[:16] for subset in SUBSETS]
    assert digests == ["98daeea84177abea", "d056421ac4f44b9e", "d8f9fda3ed6d0456"]


def distances(table: np.ndarray) -> np.ndarray:
    """The distance in OKLab of each colour from each other one."""
    lab = oklab(table)
    apart = np.linalg.norm(lab[:, None] - lab, axis=-1)
    return apart[~np.eye(len(lab), dtype=bool)]


@pytest.mark.parametrize(("subset", "least"), [(50, 0.085), (300, 0.039), (919, 0.024)])
def test_colours_of_overlays_are_light_and_apart(subset, least):
    classes = overlay_colors(subset)[1 : subset + 1]
    assert distances(classes).min() >= least
    # Apart from white and black, too, which mark ignored pixels and outlines.
    assert distances(overlay_colors(subset)[[*range(subset + 1), 1000]]).min() >= min(least, 0.05)
    lightness, a, b = oklab(classes).T
    assert 0.6 <= lightness.min() < lightness.max() <= 0.95
    assert np.hypot(a, b).min() >= 0.05
    assert overlay_colors(subset)[[0, 1000]].tolist() == [[0] * 3, [255] * 3]


def test_black_text_on_any_colour_of_an_overlay_has_the_contrast_of_wcag_aa():
    level = overlay_colors(919)[1:920] / 255
    linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    assert ((linear @ (0.2126, 0.7152, 0.0722) + 0.05) / 0.05).min() >= 4.5


def test_oklab_agrees_with_the_values_of_its_author():
    # White, black, and the sRGB primaries, as CSS Color 4 gives them.
    rgb = np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]], np.uint8)
    expected = [
        (1, 0, 0),
        (0, 0, 0),
        (0.62796, 0.22486, 0.12585),
        (0.86644, -0.23389, 0.17950),
        (0.45201, -0.03246, -0.31153),
    ]
    assert oklab(rgb) == pytest.approx(np.array(expected), abs=1e-4)
