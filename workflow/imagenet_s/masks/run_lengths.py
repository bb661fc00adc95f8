"""The class regions of a mask as run lengths in COCO's compressed form.

A region is a binary mask, read column by column. Its counts are the lengths of its runs: of pixels outside
the region, then inside, and so on in turn; the first may be 0. A count after the third is stored as the
difference from the count two places before it. Each number is stored in two's complement as groups of 5 bits,
the lowest group first; a group is a character, 48 + its bits, + 32 unless it is the last. Source of the form:
the description of compressed run lengths in the COCO API.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imagenet_s.spec.classes import IGNORE, OTHER

# A number below LIMITS[n] has n + 1 groups of 5 bits, one bit of which is for its sign.
LIMITS = np.int64(1) << (5 * np.arange(1, 13) - 1)


class Region(NamedTuple):
    """All pixels of one id in a mask."""

    id: int
    area: int  # pixels
    box: tuple[int, int, int, int]  # x and y of its corner, width and height, in pixels
    counts: str  # its compressed run lengths


def regions(ids: NDArray[np.uint16]) -> list[Region]:
    """Return the regions of a mask, (height, width), by id. Other and ignore have none."""
    height = ids.shape[0]
    columns = ids.ravel(order="F")
    ends = np.append(np.flatnonzero(columns[1:] != columns[:-1]) + 1, columns.size)
    starts = np.append(0, ends[:-1])
    of_run = columns[starts].astype(np.int64)
    kept = np.flatnonzero((of_run != OTHER) & (of_run != IGNORE))
    if not len(kept):
        return []
    kept = kept[np.argsort(of_run[kept], kind="stable")]
    of_run, starts, ends = of_run[kept], starts[kept], ends[kept]
    first = np.flatnonzero(np.diff(of_run, prepend=-1))  # the first run of each region
    texts = _compressed(*_counts(starts, ends, first, columns.size))
    areas = np.add.reduceat(ends - starts, first)
    boxes = _boxes(starts, ends, first, height)
    found = zip(of_run[first].tolist(), areas.tolist(), boxes.tolist(), texts, strict=True)
    return [Region(number, area, tuple(box), counts) for number, area, box, counts in found]


def no_region(pixels: int) -> str:
    """Return the compressed run lengths of a region without a pixel, in a mask of so many pixels."""
    return _compressed(np.array([pixels]), np.array([0]))[0]


def _counts(
    starts: NDArray[np.int64], ends: NDArray[np.int64], first: NDArray[np.intp], size: int
) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Return the counts of all regions, and where those of each region begin.

    Args:
        starts: The first pixel of each run, region by region.
        ends: The pixel after it.
        first: The first run of each region.
        size: The number of pixels of the mask.
    """
    before = np.append(0, ends[:-1])
    before[first] = 0
    counts = np.stack([starts - before, ends - starts], axis=1).ravel()
    last = np.append(first[1:], len(starts)) - 1
    rest = size - ends[last]  # the pixels after the last run of a region are one more run
    has_rest = rest > 0
    counts = np.insert(counts, 2 * last[has_rest] + 2, rest[has_rest])
    return counts, 2 * first + np.cumsum(has_rest) - has_rest


def _compressed(counts: NDArray[np.int64], first: NDArray[np.intp]) -> list[str]:
    """Return the text of each region's counts; `first` says where those of each region begin."""
    place = np.arange(len(counts))
    place -= np.repeat(first, np.diff(first, append=len(counts)))
    later = np.flatnonzero(place > 2)
    numbers = counts.copy()
    numbers[later] -= counts[later - 2]
    groups = 1 + np.searchsorted(LIMITS, numbers ^ (numbers >> 63), side="right")
    stops = np.cumsum(groups)
    group = np.arange(stops[-1]) - np.repeat(stops - groups, groups)
    characters = 48 + ((np.repeat(numbers, groups) >> (5 * group)) & 31)
    characters += 32
    characters[stops - 1] -= 32
    text = characters.astype(np.uint8).tobytes().decode("ascii")
    cuts = [0, *stops[first[1:] - 1].tolist(), len(text)]
    return [text[start:stop] for start, stop in pairwise(cuts)]


def _boxes(
    starts: NDArray[np.int64], ends: NDArray[np.int64], first: NDArray[np.intp], height: int
) -> NDArray[np.int64]:
    """Return the box around each region: x, y, width, height. The arguments are those of `_counts`."""
    left, top = np.divmod(starts, height)
    right, bottom = np.divmod(ends - 1, height)
    # A run in several columns touches the lower and the upper edge.
    top[left != right], bottom[left != right] = 0, height - 1
    x, y = (np.minimum.reduceat(sides, first) for sides in (left, top))
    width, height_of_box = (
        np.maximum.reduceat(sides, first) + 1 - corner for sides, corner in ((right, x), (bottom, y))
    )
    return np.stack([x, y, width, height_of_box], axis=1)
