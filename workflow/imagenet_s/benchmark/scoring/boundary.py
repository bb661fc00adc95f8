"""Find the boundaries of all classes of a mask in one pass, for boundary IoU.

Source: the official toolbox. It erodes the mask of each class d times with a square of 3 × 3 pixels, where
pixels outside the image do not belong to the class. The boundary is what the erosion removes. So a class
keeps a pixel exactly if the window of (2d + 1)² pixels around it holds no other class. This means that a
pixel is interior if its window is constant, whatever the class, and boundary otherwise.
"""

import math

import numpy as np
from numpy.typing import NDArray

RATIO = 0.03  # width of a boundary, relative to the diagonal of the image


def boundary_width(height: int, width: int) -> int:
    """Return d, the width in pixels of the boundaries of an image, at least 1.

    Source: the official toolbox, d = max(1, round(0.03 · √(height² + width²))). Halves round to the even
    number: 210 × 280 pixels give 10, not 11. The square root is not `hypot`, whose last digit may differ.
    """
    return max(1, round(RATIO * math.sqrt(height * height + width * width)))


def boundary(ids: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return which pixels of an image are boundary.

    Source: the official toolbox. Ignored pixels and unknown ids have boundaries like any other id.

    Args:
        ids: Class ids, (height, width).

    Returns:
        (height, width) bool.
    """
    height, width = ids.shape
    return boundary_of_width(ids, boundary_width(height, width))


def boundary_of_width(ids: NDArray[np.integer], d: int) -> NDArray[np.bool_]:
    """Return which pixels are boundary if boundaries are `d` ≥ 1 pixels wide.

    If a window is not constant, two adjacent pixels in it (by a side or a corner) differ, and one of the two
    is less than d pixels from the centre. So the boundary of width d is the boundary of width 1, dilated by
    d − 1 in all directions. Dilating bits is faster than filtering ids.

    Args:
        ids: Class ids, (height, width).
        d: Width of the boundaries in pixels.

    Returns:
        (height, width) bool.
    """
    return _dilate_rows(_dilate_rows(_thin_boundary(ids), d - 1).T, d - 1).T


def _thin_boundary(ids: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Return where the window of 3 × 3 pixels is not constant or not inside the image, (height, width)."""
    differs_across = ids[:, 1:] != ids[:, :-1]
    differs_down = ids[1:] != ids[:-1]
    row = np.zeros(ids.shape, np.bool_)  # whether a pixel differs from its left or right neighbour
    row[:, 1:] |= differs_across
    row[:, :-1] |= differs_across
    thin = row.copy()
    thin[1:] |= row[:-1]
    thin[:-1] |= row[1:]
    # Three constant rows whose middle pixels are equal make a constant window.
    thin[1:] |= differs_down
    thin[:-1] |= differs_down
    thin[[0, -1]] = True
    thin[:, [0, -1]] = True
    return thin


def _dilate_rows(bits: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """Extend each true pixel by `by` pixels up and down. Pixels outside the image are false.

    Args:
        bits: (height, width) bool.
        by: Number of pixels, 0 or more.

    Returns:
        (height, width) bool.
    """
    height, width = bits.shape
    padded = np.zeros((height + 2 * by, width), np.bool_)  # np.pad is slow for small images
    padded[by : by + height] = bits
    bits = padded
    # Combine windows of 1, 2, 4, … pixels, so that a wide boundary also takes few passes.
    window, last = 1, 2 * by + 1
    while window < last:
        step = min(window, last - window)
        bits = bits[:-step] | bits[step:]
        window += step
    return bits
