"""The colours of the classes."""

import numpy as np
import pytest

from helpers.masks import opened
from imagenet_s.masks.encodings import color
from imagenet_s.masks.palette import colors
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
def test_a_wnid_has_the_same_colour_in_every_subset(subset):
    ours, theirs = colors(subset), colors(919)
    for wnid, number in class_ids(subset).items():
        assert ours[number].tolist() == theirs[class_ids(919)[wnid]].tolist()


def test_any_two_colours_differ_by_28_levels_in_some_channel():
    table = colors(919)[[*range(920), 1000]].astype(int)
    apart = np.abs(table[:, None] - table).max(axis=-1)
    assert apart[~np.eye(len(table), dtype=bool)].min() >= 28
