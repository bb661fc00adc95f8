"""The images of each split, with their classes, as the official lists name them."""

from functools import cache
from typing import NamedTuple

from imagenet_s.spec.subsets import SUBSETS, tiers_of
from imagenet_s.spec.tables import rows

VAL_SPLITS = {"v": "validation", "t": "test"}


class Listed(NamedTuple):
    """An image in an official list: its name without extension, and its class in ImageNet and ImageNet-S."""

    image: str
    imagenet_wnid: str
    wnid: str


def val_name(number: int | str) -> str:
    """Return the name of an ImageNet val image, without extension."""
    return f"ILSVRC2012_val_{int(number):08d}"


@cache
def _val_rows() -> list[tuple[Listed, dict[int, str]]]:
    """Return each val image that is used, with its split in each subset that contains it."""
    return [
        (
            Listed(val_name(number), imagenet_wnid, wnid),
            {s: VAL_SPLITS[mark] for s, mark in zip(SUBSETS, marks, strict=True) if mark},
        )
        for number, imagenet_wnid, wnid, *marks in rows("val")
    ]


@cache
def listed(subset: int, split: str) -> tuple[Listed, ...]:
    """Return the images in the official list of `split` (train-semi, validation or test), in order."""
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
    """Return the val images whose smallest subset is `tier`, sorted by name."""
    return tuple(sorted(row for row, splits in _val_rows() if min(splits) == tier))


@cache
def also_in(subset: int, split: str) -> dict[str, str]:
    """Return the images of a split that are in a different split of another subset.

    Selecting a model on the one split leaks into a test on the other.

    Returns:
        image → the other splits, sorted and separated by spaces, such as `919/validation` for a test
        image of 50. Images without such a split are left out.
    """
    found = {}
    for row, splits in _val_rows():
        if splits.get(subset) == split:
            others = sorted(f"{s}/{name}" for s, name in splits.items() if name != split)
            if others:
                found[row.image] = " ".join(others)
    return found
