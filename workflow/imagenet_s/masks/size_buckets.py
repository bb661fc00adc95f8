"""The four size buckets of the benchmark: which share of an image a class covers."""

import numpy as np
from numpy.typing import NDArray

SIZE_BUCKETS = ("S", "MS", "ML", "L")

# A class of an image is in one of the first three size buckets if it covers up to 1/20, 1/4 or 1/2 of the
# pixels that are not ignored. The official toolbox compares ceil(100 · area / pixels) with 5, 25 and 50,
# which is the same for integers. (It computes in 32 bits. That differs only for images of 1.3 million pixels
# or more whose area is within a few pixels of the bound.)
DIVISORS = (20, 4, 2)


def size_buckets(areas: NDArray[np.int64], pixels: NDArray[np.int64] | np.int64) -> NDArray[np.intp]:
    """Return the size bucket of each class region.

    Args:
        areas: The pixels of each region, (n,).
        pixels: The pixels of its image that are not ignored: (n,), or one number for all regions.

    Returns:
        (n,) intp, indices into SIZE_BUCKETS.
    """
    buckets = np.zeros(len(areas), np.intp)
    for divisor in DIVISORS:
        buckets += areas * divisor > pixels
    return buckets
