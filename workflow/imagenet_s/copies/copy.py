"""Open a copy of ImageNet-S: one of this pipeline, or one of other programs, which has no manifests."""

from dataclasses import dataclass
from pathlib import Path

from imagenet_s.copies.expected import has_manifests
from imagenet_s.copies.find import copies_at
from imagenet_s.runtime.errors import CannotCheck
from imagenet_s.spec.subsets import SPLITS, subset_name


@dataclass(frozen=True)
class Copy:
    """The folder of one subset.

    Attributes:
        root: The folder, absolute.
        subset: 50, 300 or 919.
        own_manifests: Whether it has manifests. Copies that the official scripts made have none.
    """

    root: Path
    subset: int
    own_manifests: bool

    @property
    def name(self) -> str:
        """The name of the subset, whatever the folder is called."""
        return subset_name(self.subset)

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that the copy has: all by its manifests; without them, those that have a folder."""
        return tuple(split for split in SPLITS if self.own_manifests or (self.root / split).is_dir())


def open_copy(root: Path, subset: int | None = None) -> Copy:
    """Return the copy at a path.

    Args:
        root: The folder of a subset, or the folder above it.
        subset: 50, 300 or 919. It may be None if the path holds one subset only.

    Raises:
        CannotCheck: There is no copy, not the one of `subset`, or several to choose from.
    """
    found = copies_at(root)
    names = ", ".join(map(subset_name, found))
    if subset is None and len(found) > 1:
        raise CannotCheck(f"{root} holds several subsets: {names}. Name the folder of one of them.")
    if subset is not None and subset not in found:
        raise CannotCheck(f"{root} holds no copy of {subset_name(subset)}. It holds {names}.")
    number = next(iter(found)) if subset is None else subset
    folder = found[number]
    if not folder.is_dir():
        raise CannotCheck(f"There is no folder {folder}.")
    copy = Copy(folder, number, has_manifests(folder))
    if not copy.splits:
        raise CannotCheck(
            f"{folder} holds no copy of ImageNet-S: there are neither manifests nor folders of splits "
            f"({', '.join(SPLITS)})."
        )
    return copy
