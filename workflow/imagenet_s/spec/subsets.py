"""The three subsets, their splits and folders."""

from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

from imagenet_s.spec.tables import rows

SubsetNumber = Literal[50, 300, 919]

SUBSETS: tuple[int, ...] = get_args(SubsetNumber)
SPLITS = ("train", "train-semi", "validation", "test")
MASKED = ("train-semi", "validation")  # the splits with public masks
DATASET = "dataset.json"  # in the folder of each subset
LEVELS = ("complete", "size", "sha256")  # of a check: names only; also sizes; also every byte


@dataclass(frozen=True)
class Subset:
    """The published facts about one subset."""

    number: int
    train_images: int
    archive_md5: str
    archive_url: str

    @property
    def name(self) -> str:
        """The name of the subset and of its folder."""
        return subset_name(self.number)

    @property
    def archive_name(self) -> str:
        """The file name of the annotation archive."""
        return self.archive_url.rpartition("/")[2]


def subset_name(subset: int | str) -> str:
    """Return the name of a subset and of its folder. `subset` may be a wildcard for the number."""
    return f"ImageNetS{subset}"


@cache
def subset_of(number: int) -> Subset:
    """Return the facts about a subset.

    Raises:
        KeyError: `number` is not 50, 300 or 919.
    """
    table = {int(row[0]): row for row in rows("subsets")}
    _, train_images, md5, url = table[number]
    return Subset(number, int(train_images), md5, url)


def checked_subset(number: int) -> int:
    """Return the number of a subset.

    Raises:
        ValueError: There is no such subset.
    """
    if number not in SUBSETS:
        raise ValueError(f"Expected a subset of {', '.join(map(str, SUBSETS))}; found {number!r}.")
    return number


def mask_folder(split: str) -> str:
    """Return the name of the folder with a split's masks."""
    return f"{split}-segmentation"


def label_folder(split: str, encoding: str) -> str:
    """Return the name of the folder with a split's masks in another encoding."""
    return f"{split}-segmentation-{encoding}"


def label_path(mask: str, encoding: str) -> str:
    """Return the path of a mask (`validation-segmentation/<wnid>/<stem>.png`) in an encoding's folder."""
    folder, _, rest = mask.partition("/")
    return f"{folder}-{encoding}/{rest}"


def mask_of(label: str) -> tuple[str, str]:
    """Return the mask that a label was made from, and its encoding: the inverse of `label_path`."""
    folder, _, rest = label.partition("/")
    mask_folder, _, encoding = folder.rpartition("-")
    return f"{mask_folder}/{rest}", encoding


def sample_manifests() -> list[str]:
    """Return the names of the files in `manifests/` that every build writes."""
    folders = [*SPLITS, *map(mask_folder, MASKED)]
    return [f"{split}.csv" for split in SPLITS] + [f"{folder}.sha256" for folder in folders]


def tiers_of(subset: int) -> tuple[int, ...]:
    """Return the tiers of a subset. Tier t is what subset t needs and no smaller subset does.

    The classes, train images and val images of 50, 300 and 919 nest, so tiers never overlap.
    """
    return tuple(tier for tier in SUBSETS if tier <= subset)


def tier_train_images(tier: int) -> int:
    """Return how many train images tier `tier` adds."""
    return subset_of(tier).train_images - sum(map(tier_train_images, tiers_of(tier)[:-1]))
