"""Classes: their WordNet ids (wnids), class ids in each subset, names, and the classes that 919 merges."""

from collections import Counter
from functools import cache

from imagenet_s.spec.subsets import SUBSETS
from imagenet_s.spec.tables import rows

OTHER = 0  # mask id of pixels that belong to no class
IGNORE = 1000  # mask id of pixels that are left out of every score

CLASS_SIZES = range(732, 1301)  # numbers of train images that classes of ImageNet-1k have


@cache
def class_ids(subset: int) -> dict[str, int]:
    """Return the class id (from 1) of each wnid, in the order of the ids."""
    column = 1 + SUBSETS.index(subset)
    return {row[0]: int(row[column]) for row in rows("classes") if row[column]}


@cache
def class_names() -> dict[str, str]:
    """Return the display name of each wnid. Names are not unique: never use them as keys."""
    return {row[0]: row[4] for row in rows("classes")}


@cache
def unique_names(subset: int) -> dict[str, str]:
    """Return a name of each wnid, in the order of the class ids, that no other class of the subset has.

    It is the display name, with the wnid behind it where two classes have one name, as in 919: `crane
    (n02012849)` is the bird.
    """
    names = class_names()
    uses = Counter(names[wnid] for wnid in class_ids(subset))
    return {
        wnid: names[wnid] if uses[names[wnid]] == 1 else f"{names[wnid]} ({wnid})"
        for wnid in class_ids(subset)
    }


@cache
def merges() -> dict[str, str]:
    """Return the five merged classes: ImageNet wnid → the wnid that its images belong to in 919."""
    return {source: wnid for source, wnid in rows("merges")}


@cache
def train_classes(subset: int) -> dict[str, str]:
    """Return ImageNet wnid → ImageNet-S wnid for each class whose train images the subset uses, sorted."""
    own = {wnid: wnid for wnid in class_ids(subset)}
    merged = {source: wnid for source, wnid in merges().items() if wnid in own}
    return dict(sorted((own | merged).items()))


@cache
def tier_classes(tier: int) -> tuple[str, ...]:
    """Return the ImageNet wnids whose train images tier `tier` adds, sorted."""
    smaller = [set(train_classes(subset)) for subset in SUBSETS if subset < tier]
    return tuple(wnid for wnid in train_classes(tier) if not any(wnid in s for s in smaller))
