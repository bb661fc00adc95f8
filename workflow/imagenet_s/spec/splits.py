"""Which images the official lists put into which split and folder."""

from functools import cache
from typing import NamedTuple

from imagenet_s.spec.subsets import SUBSETS, tiers_of
from imagenet_s.spec.tables import rows

VAL_SPLITS = {"v": "validation", "t": "test"}


class Listed(NamedTuple):
    """A listed image: its name without ending, its class in ImageNet and in ImageNet-S."""

    image: str
    imagenet_wnid: str
    wnid: str


def val_name(number: int | str) -> str:
    """The name of an ImageNet val image, without ending."""
    return f"ILSVRC2012_val_{int(number):08d}"


@cache
def _val_rows() -> list[tuple[Listed, dict[int, str]]]:
    """Each used val image, with the split it has in each subset that holds it."""
    return [
        (
            Listed(val_name(number), imagenet_wnid, wnid),
            {s: VAL_SPLITS[mark] for s, mark in zip(SUBSETS, marks, strict=True) if mark},
        )
        for number, imagenet_wnid, wnid, *marks in rows("val")
    ]


@cache
def listed(subset: int, split: str) -> tuple[Listed, ...]:
    """The images that the official list of `split` (train-semi, validation, test) names, in order."""
    if split == "train-semi":
        tiers = tiers_of(subset)
        return tuple(
            Listed(image, image.partition("_")[0], wnid)
            for image, wnid, since in rows("train_semi")
            if int(since) in tiers
        )
    return tuple(row for row, splits in _val_rows() if splits.get(subset) == split)


@cache
def tier_val_images(tier: int) -> tuple[Listed, ...]:
    """The val images that tier `tier` adds: those whose smallest subset it is, sorted by name."""
    return tuple(sorted(row for row, splits in _val_rows() if min(splits) == tier))


@cache
def also_in(subset: int, split: str) -> dict[str, str]:
    """image → the validation and test splits of other subsets that hold it under another split.

    For example `919/validation` for a test image of 50: who selects on the one leaks into the
    other. Sorted and separated by spaces; images without such a split are absent.
    """
    found = {}
    for row, splits in _val_rows():
        if splits.get(subset) == split:
            others = sorted(f"{s}/{name}" for s, name in splits.items() if name != split)
            if others:
                found[row.image] = " ".join(others)
    return found
