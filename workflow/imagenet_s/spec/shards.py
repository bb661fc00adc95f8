"""Parts: the fixed groups of source images that one job reads, shared by all subsets.

A part belongs to one tier, so a subset is a union of parts, and adding a subset adds parts and
repeats none. Their number is a constant: neither the images nor the cores change it.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from imagenet_s.spec.classes import tier_classes
from imagenet_s.spec.splits import tier_val_images
from imagenet_s.spec.subsets import tiers_of

# About 30,000 to 65,000 train images a part: minutes of work on a slow disk, seconds on a fast one.
TRAIN_PARTS = {50: 2, 300: 5, 919: 12}
VAL_PARTS = {50: 1, 300: 1, 919: 2}


def tier_parts(tier: int) -> list[str]:
    """The names of a tier's parts, such as `train-300-4` and `val-300-0`."""
    train = [f"train-{tier}-{k}" for k in range(TRAIN_PARTS[tier])]
    return train + [f"val-{tier}-{k}" for k in range(VAL_PARTS[tier])]


def pass_parts(kind: str, top: int, passes: int) -> list[str]:
    """The names of the parts of `train` or `val` in `passes` passes, for what the subsets up to `top` need.

    Such as `train-pass-300-4`. A pass for a larger subset is another one: it must read all again.
    """
    return [f"{kind}-pass-{top}-{k}" for k in range(passes)]


def subset_parts(subset: int, passes: Mapping[str, int] = MappingProxyType({}), top: int = 0) -> list[str]:
    """The names of all parts that a subset consists of.

    `passes` says of `train` and `val`, where they must be read in one pass, how many jobs share that;
    `top` is the largest of the subsets that are built together.
    """
    parts = [part for tier in tiers_of(subset) for part in tier_parts(tier)]
    for kind in passes:
        parts = [part for part in parts if not part.startswith(kind)] + pass_parts(kind, top, passes[kind])
    return parts


def tier_of(part: str) -> int:
    """The tier that a part belongs to, or the largest that a pass serves."""
    return int(part.split("-")[-2])


def part_classes(part: str) -> Sequence[str]:
    """The ImageNet wnids whose train images a train part reads; none for a val part."""
    kind, tier, k = _fields(part)
    return _slice(tier_classes(tier), k, TRAIN_PARTS[tier]) if kind == "train" else ()


def part_val_images(part: str) -> Sequence[str]:
    """The names of the val images that a val part reads; none for a train part."""
    kind, tier, k = _fields(part)
    images = [row.image for row in tier_val_images(tier)] if kind == "val" else []
    return _slice(images, k, VAL_PARTS[tier])


def tiers(subsets: Iterable[int]) -> list[int]:
    """The tiers that a choice of subsets needs, ascending."""
    return sorted({tier for subset in subsets for tier in tiers_of(subset)})


def _fields(part: str) -> tuple[str, int, int]:
    kind, tier, k = part.split("-")
    return kind, int(tier), int(k)


def _slice(items: Sequence[str], k: int, parts: int) -> Sequence[str]:
    """The k-th of `parts` contiguous slices of nearly equal length."""
    return items[k * len(items) // parts : (k + 1) * len(items) // parts]
