"""Classes: wnids, their ids in each subset, their names, and the merges of 919."""

from functools import cache

from imagenet_s.spec.subsets import SUBSETS
from imagenet_s.spec.tables import rows

OTHER = 0  # the mask id of everything that is no class
IGNORE = 1000  # the mask id of pixels that count nowhere

CLASS_SIZES = range(732, 1301)  # train images a class of ImageNet-1k has


@cache
def class_ids(subset: int) -> dict[str, int]:
    """wnid → class id (from 1), in the order of the ids."""
    column = 1 + SUBSETS.index(subset)
    return {row[0]: int(row[column]) for row in rows("classes") if row[column]}


@cache
def class_names() -> dict[str, str]:
    """wnid → display name. Names are not unique: never use them as keys."""
    return {row[0]: row[4] for row in rows("classes")}


@cache
def merges() -> dict[str, str]:
    """ImageNet wnid → the wnid that takes its images in 919."""
    return dict(rows("merges"))


@cache
def train_classes(subset: int) -> dict[str, str]:
    """ImageNet wnid → ImageNet-S wnid for each class whose train images the subset uses, sorted."""
    own = {wnid: wnid for wnid in class_ids(subset)}
    merged = {source: wnid for source, wnid in merges().items() if wnid in own}
    return dict(sorted((own | merged).items()))


@cache
def tier_classes(tier: int) -> tuple[str, ...]:
    """The ImageNet wnids whose train images tier `tier` adds, sorted."""
    smaller = [set(train_classes(subset)) for subset in SUBSETS if subset < tier]
    return tuple(wnid for wnid in train_classes(tier) if not any(wnid in s for s in smaller))
