"""The size buckets: those of the official formula for every area and image."""

import math

import numpy as np

from imagenet_s.masks.size_buckets import SIZE_BUCKETS, size_buckets


def official(area: int, pixels: int) -> str:
    """Return the bucket by the formula of the official toolbox."""
    percent = math.ceil(100 * area / pixels)
    return "S" if percent <= 5 else "MS" if percent <= 25 else "ML" if percent <= 50 else "L"


def test_each_area_is_in_the_bucket_of_the_official_formula():
    for pixels in (1, 3, 19, 20, 64, 100, 399, 400, 187_500):
        areas = np.unique(np.linspace(1, pixels, 400).astype(np.int64))
        for given in (np.int64(pixels), np.full(len(areas), pixels)):
            found = [SIZE_BUCKETS[number] for number in size_buckets(areas, given)]
            assert found == [official(area, pixels) for area in areas.tolist()]


def test_a_share_of_exactly_the_bound_is_in_the_smaller_bucket():
    areas = np.array([5, 6, 25, 26, 50, 51, 100])
    assert [SIZE_BUCKETS[number] for number in size_buckets(areas, np.int64(100))] == [
        *("S", "MS", "MS", "ML", "ML", "L", "L")
    ]
