"""Parts: the fixed groups of source images that one job reads, shared by all subsets.

A part belongs to one tier, so a subset is a union of parts, and adding a subset adds parts and
repeats none. Their number is a constant: neither the images nor the cores change it.
"""

from collections.abc import Container, Iterable, Sequence

from imagenet_s.classes import tier_classes
from imagenet_s.splits import tier_val_images
from imagenet_s.subsets import tiers_of

# About 30,000 to 65,000 train images a part: minutes of work on a slow disk, seconds on a fast one.
TRAIN_PARTS = {50: 2, 300: 5, 919: 12}
VAL_PARTS = {50: 1, 300: 1, 919: 2}


# The jobs that share the files of a source that can only be read in one pass: Hugging Face has five
# archives of train images and one of val images, so that each is read in a job of its own.
PASSES = {"train": 5, "val": 1}


def tier_parts(tier: int) -> list[str]:
    """The names of a tier's parts, such as `train-300-4` and `val-300-0`."""
    train = [f"train-{tier}-{k}" for k in range(TRAIN_PARTS[tier])]
    return train + [f"val-{tier}-{k}" for k in range(VAL_PARTS[tier])]


def pass_parts(name: str, top: int) -> list[str]:
    """The names of the parts of a set read in one pass, for all that the subsets up to `top` need.

    Such as `train-pass-300-4`. A pass for a larger subset is another one: it must read all again.
    """
    return [f"{name}-pass-{top}-{k}" for k in range(PASSES[name])]


def subset_parts(subset: int, one_pass: Container[str] = (), top: int = 0) -> list[str]:
    """The names of all parts that a subset consists of.

    `one_pass` names the sets (`train`, `val`) that must be read in one pass, `top` is the largest of the
    subsets that are built together.
    """
    parts = [part for tier in tiers_of(subset) for part in tier_parts(tier)]
    for name in ("train", "val"):
        if name in one_pass:
            parts = [part for part in parts if not part.startswith(name)] + pass_parts(name, top)
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
