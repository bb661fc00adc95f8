"""The check of a copy: which of its files are missing, extra, moved, or have other contents."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from imagenet_s.copies.expected import Expected, expected_of
from imagenet_s.copies.file_tables import IMAGE, MANIFEST, MASK
from imagenet_s.copies.scan import Contents, contents, plausible_train_images
from imagenet_s.dataset.metadata import stated_suspects
from imagenet_s.io.columns import Column, texts
from imagenet_s.runtime.errors import CannotCheck, first_few
from imagenet_s.spec.classes import CLASS_SIZES, train_classes
from imagenet_s.spec.companions import COMPANIONS
from imagenet_s.spec.subsets import DATASET, subset_of
from imagenet_s.verify.file_checks import check_files
from imagenet_s.verify.relocated import Misplaced, find_misplaced

KINDS = ("missing", "extra", "changed", "truncated", "unreadable", "pixels_equal", "moved")
Damage = dict[str, set[str]]  # kind → paths in the subset's folder


@dataclass(frozen=True)
class VerificationResult:
    """What a check found about the copy of one subset."""

    subset: int
    root: Path
    level: str
    against: Path | None  # the copy whose manifests say what is right, if these are not its own
    expected: Expected
    damage: Mapping[str, Sequence[str]]  # kind → paths in the subset's folder, sorted; no empty lists
    misplaced: Sequence[Misplaced]  # the files of kind `moved` that are in another class folder
    dangling: Mapping[str, str]  # the links to nothing that account for kind `moved`: link → target
    remarks: Sequence[str]  # problems that concern no single path
    system: Sequence[str]  # files that operating systems left, which is no damage
    suspects: Mapping[str, str]  # images that are probably incomplete, which is no damage: path → why
    train_images: int | None  # the number of plausible train images, if not all their names are known
    files: int  # the number of files in the copy
    read: int  # bytes
    seconds: float

    @property
    def whole(self) -> bool:
        """Whether the copy is complete and undamaged, as far as the level shows."""
        return not self.damage and not self.remarks


def verify(
    root: Path, subset: int, level: str, workers: int, against: Path | None = None
) -> VerificationResult:
    """Check a copy without writing anything.

    Args:
        root: The folder of the copy.
        subset: 50, 300 or 919.
        level: `complete` checks names, `size` also the sizes of images and masks, `sha256` also every byte.
        workers: The number of processes.
        against: Another copy, whose manifests say what is right. By default the manifests of `root` do, or
            the official lists if it has none.

    Raises:
        CannotCheck: There is nothing to check, or nothing to compare with.
    """
    began = time.monotonic()
    if not root.is_dir():
        raise CannotCheck(f"There is no folder {root}.")
    with ThreadPoolExecutor() as threads:  # read manifests and list folders at the same time
        reading = threads.submit(_of_other if against else expected_of, against or root, subset)
        found = contents(root)
        expected = reading.result()
    if "" in found.closed:
        raise CannotCheck(f"{root} cannot be listed: no permission.")
    names = _compare_names(expected, found, everything=against is None)
    damage = names.damage
    for path, kind in expected.damaged.items():
        damage[kind].add(path)
    train_images, remarks = None, []
    if expected.open_train:
        train = plausible_train_images(subset, found.files)
        train_images, remarks = len(train), _count_remarks(subset, train)
        unlisted = [path for path in train if path in damage["extra"]]
        damage["extra"].difference_update(unlisted)
        expected = expected.with_images(unlisted)
        del train, unlisted
    files, read, system = len(found.files), 0, sorted(found.system)
    suspects = {} if against else stated_suspects(root)
    del found  # a million paths take 150 MB, and comparing them took as much again
    pa.default_memory_pool().release_unused()
    if level != "complete":
        absent = damage["missing"] | damage["moved"] | damage["unreadable"]
        for checked in check_files(root, subset, level, _present(expected, absent), workers):
            read += checked.read
            if checked.kind:
                damage[checked.kind].add(checked.path)
                if train_images is not None and checked.path.startswith("train/"):
                    train_images -= 1
            if checked.suspect:
                suspects[checked.path] = checked.suspect
    return VerificationResult(
        subset=subset,
        root=root,
        level=level,
        against=against,
        expected=expected,
        damage={kind: sorted(damage[kind]) for kind in KINDS if damage[kind]},
        suspects={path: suspects[path] for path in sorted(suspects.keys() - set().union(*damage.values()))},
        misplaced=names.misplaced,
        dangling=names.dangling,
        remarks=remarks,
        system=system,
        train_images=train_images,
        files=files,
        read=read,
        seconds=time.monotonic() - began,
    )


def _of_other(other: Path, subset: int) -> Expected:
    """Return the images and masks by another copy's manifests; labels and manifests may differ.

    Raises:
        CannotCheck: The other copy has no manifests, or damaged ones.
    """
    expected = expected_of(other, subset)
    if not expected.own_manifests or expected.open_train:
        raise CannotCheck(f"{other} has no manifests to compare with.")
    if damaged := sorted(expected.damaged.keys() - {DATASET, *COMPANIONS}):
        raise CannotCheck(f"The manifests of {other} are damaged: {first_few(damaged)}.")
    files = expected.files.filter(pc.is_in(expected.files["kind"], pa.array([IMAGE, MASK])))
    return Expected(subset, files, own_manifests=True)


class NameComparison(NamedTuple):
    """What the names of files show; the fields are those of `VerificationResult`."""

    damage: Damage
    misplaced: list[Misplaced]
    dangling: dict[str, str]


def _compare_names(expected: Expected, found: Contents, everything: bool) -> NameComparison:
    """Find what is missing, extra, moved, or in folders that cannot be listed.

    Args:
        expected: The files that the copy must have.
        found: The files that it has.
        everything: Whether files count as extra in all folders, not only in those with expected files.
    """
    wanted, names = expected.files["path"], pa.array(found.files, pa.string())
    with ThreadPoolExecutor() as threads:
        missing, extra = map(set, threads.map(_without, (wanted, names), (names, wanted)))
    extra |= set(found.dangling)
    if not everything:
        folders = expected.count()
        extra = {path for path in extra if path.partition("/")[0] in folders}
    damage: Damage = defaultdict(set)
    behind = {path: link for path in missing if (link := _holder(path, found.dangling))}  # links to nothing
    damage["unreadable"] = {path for path in missing if _holder(path, found.closed)}
    missing -= behind.keys() | damage["unreadable"]
    extra -= set(behind.values())
    moved_files = find_misplaced(expected.subset, missing, extra)
    damage["moved"] = set(behind) | {file.path for file in moved_files}
    damage["missing"] = missing - damage["moved"]
    damage["extra"] = extra - {file.actual for file in moved_files}
    dangling = {link: found.dangling[link] for link in sorted(set(behind.values()))}
    return NameComparison(damage, moved_files, dangling)


def _without(some: Column, others: Column) -> list[str]:
    """Return the values of a column that another column lacks."""
    return texts(some.filter(pc.invert(pc.is_in(some, value_set=others))))


def _present(expected: Expected, absent: set[str]) -> pa.Table:
    """Return the expected files that are there, without the manifests, which are checked already."""
    files = expected.files
    gone = pc.is_in(files["path"], value_set=pa.array(absent, pa.string()))
    return files.filter(pc.and_(pc.invert(gone), pc.not_equal(files["kind"], pa.scalar(MANIFEST))))


def _holder(path: str, entries: Iterable[str]) -> str | None:
    """Return `path` or the folder above it that is among `entries`, None if none is."""
    while path:
        if path in entries:
            return path
        path = path.rpartition("/")[0]
    return None


def _count_remarks(subset: int, train: Sequence[str]) -> list[str]:
    """Return what is wrong with the number of train images, in all and per class."""
    wnid_of = train_classes(subset)
    sizes = Counter(path.rpartition("/")[2].partition("_")[0] for path in train)
    remarks = []
    if sizes.total() != subset_of(subset).train_images:
        remarks.append(f"train: {sizes.total():,} images, officially {subset_of(subset).train_images:,}")
    outside = [f"{wnid} ({sizes[wnid]:,})" for wnid in wnid_of if sizes[wnid] not in CLASS_SIZES]
    if outside:
        remarks.append(
            f"train: {len(outside)} classes outside the {CLASS_SIZES[0]}–{CLASS_SIZES[-1]:,} images that "
            f"ImageNet classes have: {first_few(outside)}"
        )
    return remarks
