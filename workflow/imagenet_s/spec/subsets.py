"""The three subsets, their splits and folders."""

from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

from imagenet_s.spec.tables import rows

SubsetNumber = Literal[50, 300, 919]
Encoding = Literal["id16", "id8", "color", "binary"]

SUBSETS: tuple[int, ...] = get_args(SubsetNumber)
SPLITS = ("train", "train-semi", "validation", "test")
MASKED = ("train-semi", "validation")  # the splits whose masks are public
DATASET = "dataset.json"  # in the folder of each subset
LEVELS = ("complete", "size", "sha256")  # of a check: names; sizes as well; every byte as well
ENCODINGS: tuple[str, ...] = get_args(Encoding)


@dataclass(frozen=True)
class Subset:
    """What the publisher states of one subset."""

    number: int
    train_images: int
    archive_md5: str
    archive_url: str

    @property
    def name(self) -> str:
        return subset_name(self.number)

    @property
    def archive_name(self) -> str:
        return self.archive_url.rpartition("/")[2]


def subset_name(subset: int | str) -> str:
    """Return the name of a subset, which is that of its folder, too; also of a placeholder for its number."""
    return f"ImageNetS{subset}"


@cache
def subset_of(number: int) -> Subset:
    """The facts of subset 50, 300 or 919. Raises KeyError for another number."""
    table = {int(row[0]): row for row in rows("subsets")}
    _, train_images, md5, url = table[number]
    return Subset(number, int(train_images), md5, url)


def mask_folder(split: str) -> str:
    """The folder of a split's masks, beside the split's images."""
    return f"{split}-segmentation"


def label_folder(split: str, encoding: str) -> str:
    """The folder of a split's masks in another encoding."""
    return f"{split}-segmentation-{encoding}"


def label_path(mask: str, encoding: str) -> str:
    """`validation-segmentation/<wnid>/<stem>.png` → its path in the encoding's folder."""
    folder, _, rest = mask.partition("/")
    return f"{folder}-{encoding}/{rest}"


def mask_of(label: str) -> tuple[str, str]:
    """The mask that a label was made of, and the label's encoding: `label_path` the other way round."""
    folder, _, rest = label.partition("/")
    mask_folder, _, encoding = folder.rpartition("-")
    return f"{mask_folder}/{rest}", encoding


def sample_manifests() -> list[str]:
    """The names of the files in `manifests/` that a build writes whatever its labels."""
    folders = [*SPLITS, *map(mask_folder, MASKED)]
    return [f"{split}.csv" for split in SPLITS] + [f"{folder}.sha256" for folder in folders]


def label_manifests() -> list[str]:
    """The names of the files in `manifests/` that a build may write for labels."""
    return [f"{label_folder(split, encoding)}.sha256" for split in MASKED for encoding in ENCODINGS]


def tiers_of(subset: int) -> tuple[int, ...]:
    """The tiers a subset consists of. Tier t holds what subset t needs and no smaller one does.

    Classes, train images and used val images of 50, 300, 919 nest, so tiers never overlap.
    """
    return tuple(tier for tier in SUBSETS if tier <= subset)


def tier_train_images(tier: int) -> int:
    """How many train images tier `tier` adds."""
    return subset_of(tier).train_images - sum(map(tier_train_images, tiers_of(tier)[:-1]))
