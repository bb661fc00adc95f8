"""Parts: fixed groups of source images, each read by one job and shared by all subsets.

A part belongs to one tier, so a subset is a union of parts, and adding a larger subset only adds parts.
The number of parts does not depend on the source or the machine.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from imagenet_s.spec.classes import tier_classes
from imagenet_s.spec.splits import tier_val_images
from imagenet_s.spec.subsets import tiers_of

# About 30,000 to 65,000 train images per part: minutes on a slow disk, seconds on a fast one.
TRAIN_PARTS = {50: 2, 300: 5, 919: 12}
VAL_PARTS = {50: 1, 300: 1, 919: 2}


def tier_parts(tier: int) -> list[str]:
    """Return the names of a tier's parts, such as `train-300-4` and `val-300-0`."""
    train = [f"train-{tier}-{k}" for k in range(TRAIN_PARTS[tier])]
    return train + [f"val-{tier}-{k}" for k in range(VAL_PARTS[tier])]


def pass_parts(kind: str, top: int, passes: int) -> list[str]:
    """Return the names of the passes over a source that can only be read from front to back.

    A pass for a larger subset has another name, because it must read everything again.

    Args:
        kind: `train` or `val`.
        top: The largest subset whose images the passes read.
        passes: Into how many passes the files are divided.

    Returns:
        Names such as `train-pass-300-4`.
    """
    return [f"{kind}-pass-{top}-{k}" for k in range(passes)]


def subset_parts(subset: int, passes: Mapping[str, int] = MappingProxyType({}), top: int = 0) -> list[str]:
    """Return the names of all parts of a subset.

    Args:
        subset: 50, 300 or 919.
        passes: The number of passes for `train` and for `val`, if they can only be read from front to back.
        top: The largest of the subsets that are built together.
    """
    parts = [part for tier in tiers_of(subset) for part in tier_parts(tier)]
    for kind in passes:
        parts = [part for part in parts if not part.startswith(kind)] + pass_parts(kind, top, passes[kind])
    return parts


def tier_of(part: str) -> int:
    """Return the tier of a part, or the largest subset that a pass reads for."""
    return int(part.split("-")[-2])


def part_classes(part: str) -> Sequence[str]:
    """Return the ImageNet wnids whose train images a train part reads; none for a val part."""
    kind, tier, k = _fields(part)
    return _slice(tier_classes(tier), k, TRAIN_PARTS[tier]) if kind == "train" else ()


def part_val_images(part: str) -> Sequence[str]:
    """Return the names of the val images that a val part reads; none for a train part."""
    kind, tier, k = _fields(part)
    images = [row.image for row in tier_val_images(tier)] if kind == "val" else []
    return _slice(images, k, VAL_PARTS[tier])


def tiers(subsets: Iterable[int]) -> list[int]:
    """Return the tiers that some subsets need, ascending."""
    return sorted({tier for subset in subsets for tier in tiers_of(subset)})


def _fields(part: str) -> tuple[str, int, int]:
    kind, tier, k = part.split("-")
    return kind, int(tier), int(k)


def _slice(items: Sequence[str], k: int, parts: int) -> Sequence[str]:
    """Return the k-th of `parts` contiguous slices of nearly equal length."""
    return items[k * len(items) // parts : (k + 1) * len(items) // parts]
