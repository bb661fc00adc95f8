"""Open a copy of ImageNet-S: one of this pipeline, or one of other programs, which has no manifests."""

from dataclasses import dataclass
from pathlib import Path

from imagenet_s.copies.expected import has_manifests
from imagenet_s.copies.find import copies_at
from imagenet_s.runtime.errors import CannotCheck, UserError
from imagenet_s.spec.subsets import SPLITS, checked_subset, subset_name


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


class NoFolder(CannotCheck, FileNotFoundError):
    """A path at which there is no folder."""


class SeveralCopies(CannotCheck, ValueError):
    """A path that holds several subsets, when one was expected."""


class UnknownSplit(UserError, KeyError, ValueError):
    """A split that a copy does not have."""

    def __str__(self) -> str:
        return str(self.args[0])  # that of KeyError has quotes


def open_copy(root: Path, subset: int | None = None) -> Copy:
    """Return the copy at a path.

    Args:
        root: The folder of a subset, or the folder above it.
        subset: 50, 300 or 919. It may be None if the path holds one subset only.

    Raises:
        NoFolder: There is no such folder.
        SeveralCopies: The path holds several subsets, and `subset` is None.
        CannotCheck: There is no copy, or not one of `subset`.
        ValueError: `subset` is another number.
    """
    if subset is not None:
        checked_subset(subset)
    if not root.is_dir():
        raise NoFolder(f"{root} is not a folder." if root.exists() else f"There is no folder {root}.")
    found = copies_at(root)
    names = ", ".join(map(subset_name, found))
    if subset is None and len(found) > 1:
        raise SeveralCopies(f"{root} holds several subsets: {names}. Name the folder of one of them.")
    if subset is not None and subset not in found:
        raise CannotCheck(f"{root} holds no copy of {subset_name(subset)}. It holds {names}.")
    number = next(iter(found)) if subset is None else subset
    folder = found[number]
    copy = Copy(folder, number, has_manifests(folder))
    if not copy.splits:
        raise CannotCheck(
            f"{folder} holds no copy of ImageNet-S: there are neither manifests nor folders of splits "
            f"({', '.join(SPLITS)})."
        )
    return copy
