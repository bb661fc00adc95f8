"""The regions of a mask: their compressed run lengths, areas and boxes."""

import numpy as np
import pytest
from hypothesis import given

from helpers.masks import any_ids, unhurried
from helpers.run_lengths import counts_of, region_of
from imagenet_s.masks.codec import ids_in
from imagenet_s.masks.run_lengths import Region, no_region, regions
from imagenet_s.spec.classes import IGNORE, OTHER


def mask(*rows: list[int]) -> np.ndarray:
    return np.array(rows, np.uint16)


@pytest.mark.parametrize(
    ("ids", "found"),
    [
        # Columns are read from the left, each from the top: 0 7 7 7 7 0.
        (mask([0, 7, 7], [7, 7, 0]), [Region(7, 4, (0, 0, 3, 2), "141")]),
        # The first run is of pixels outside, so it is empty where the region begins with the first pixel.
        (mask([7, 0], [7, 0]), [Region(7, 2, (0, 0, 1, 2), "022")]),
        (mask([7]), [Region(7, 1, (0, 0, 1, 1), "01")]),
        # Counts 1 4 1 2: the fourth is stored as 2 - 4 = -2, whose bits are 11110.
        (mask([0, 7, 7, 7], [7, 7, 0, 7]), [Region(7, 6, (0, 0, 4, 2), "141N")]),
        # 16 needs a sixth bit for its sign, so a second group: `10000` with more to come, then 0.
        (mask([7, *[0] * 16]), [Region(7, 1, (0, 0, 1, 1), "01`0")]),
        (mask([*[0] * 15, 7]), [Region(7, 1, (15, 0, 1, 1), "?1")]),
        # Each id has one region, however many parts; other and ignore have none.
        (
            mask([3, IGNORE, 3], [919, 0, 919]),
            [Region(3, 2, (0, 0, 3, 1), "0130N"), Region(919, 2, (0, 1, 3, 1), "1130")],
        ),
        (mask([0, IGNORE]), []),
    ],
)
def test_regions_of_small_masks(ids, found):
    assert regions(ids) == found


def test_numbers_of_many_groups():
    ids = np.zeros((3000, 3000), np.uint16)
    ids[0, 0] = ids[-1, -1] = 5
    (region,) = regions(ids)
    assert counts_of(region.counts) == [0, 1, 9_000_000 - 2, 1]
    assert (region.area, region.box) == (2, (0, 0, 3000, 3000))


@unhurried
@given(any_ids)
def test_each_region_has_the_pixels_of_its_id(ids):
    found = regions(ids)
    assert [region.id for region in found] == [x for x in ids_in(ids).tolist() if x not in (OTHER, IGNORE)]
    for region in found:
        inside = ids == region.id
        assert (region_of(region.counts, ids.shape) == inside).all()
        assert region.area == inside.sum()
        y, x = np.nonzero(inside)
        assert region.box == (x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1)


def test_a_region_without_a_pixel():
    assert no_region(6) == "6"
    assert counts_of(no_region(500 * 375)) == [500 * 375]
