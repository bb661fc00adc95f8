"""Decode COCO's compressed run lengths, character by character."""

import numpy as np


def counts_of(text: str) -> list[int]:
    """Return the lengths of the runs: outside the region, inside, and so on in turn."""
    counts: list[int] = []
    number = bits = 0
    for character in text:
        group = ord(character) - 48
        number |= (group & 31) << bits
        bits += 5
        if group & 32:  # more groups follow
            continue
        if group & 16:  # the sign
            number -= 1 << bits
        counts.append(number + (counts[-2] if len(counts) > 2 else 0))
        number = bits = 0
    return counts


def region_of(text: str, shape: tuple[int, int]) -> np.ndarray:
    """Return a region as a bool array of `shape`, (height, width)."""
    counts = counts_of(text)
    inside = np.arange(len(counts)) % 2 == 1
    return np.repeat(inside, counts).reshape(shape, order="F")
