"""Is a copy of a subset whole? Which of its files are missing, extra, changed, and in which way."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from imagenet_s.dataset.metadata import stated_suspects
from imagenet_s.runtime.errors import CannotCheck, first_few
from imagenet_s.source.readers.base import IMAGE as IMAGE_NAME
from imagenet_s.spec.classes import CLASS_SIZES, train_classes
from imagenet_s.spec.subsets import subset_of
from imagenet_s.verify.expected import IMAGE, MASK, PAPER, Expected, expected_of
from imagenet_s.verify.file_checks import check_files
from imagenet_s.verify.relocated import Misplaced, misplaced
from imagenet_s.verify.scan import Contents, contents

KINDS = ("missing", "extra", "changed", "truncated", "unreadable", "pixels_equal", "moved")
Damage = dict[str, set[str]]  # kind → paths in the subset's folder


@dataclass(frozen=True)
class VerificationResult:
    """What was found of one subset."""

    subset: int
    root: Path
    level: str
    expected: Expected
    damage: Mapping[str, Sequence[str]]  # kind → paths in the subset's folder, sorted; no empty ones
    swapped: Sequence[Misplaced]  # of those that moved: what lies in another class folder
    dangling: Mapping[str, str]  # links to nothing that hold what moved, link → target
    remarks: Sequence[str]  # what is wrong without a path
    system: Sequence[str]  # files that systems leave: no damage
    suspects: Mapping[str, str]  # images that are probably not whole, which is no damage: path → why
    train_images: int | None  # found that may be right, where their names are not known
    files: int  # that are there
    read: int  # bytes
    seconds: float

    @property
    def whole(self) -> bool:
        return not self.damage and not self.remarks


def verify(
    root: Path, subset: int, level: str, workers: int, against: Path | None = None
) -> VerificationResult:
    """Checks the copy at `root`: by its own manifests, the official lists, or those of the copy `against`.

    `level`: `complete`, the names alone; `size`, also the sizes of images and masks; `sha256`, also every
    byte. Nothing is written. Raises CannotCheck where there is nothing to check, or to check against.
    """
    began = time.monotonic()
    if not root.is_dir():
        raise CannotCheck(f"There is no folder {root}.")
    with ThreadPoolExecutor() as threads:  # manifests are read and folders listed at the same time
        reading = threads.submit(_of_other if against else expected_of, against or root, subset)
        found = contents(root)
        expected = reading.result()
    if "" in found.closed:
        raise CannotCheck(f"{root} cannot be listed: no permission.")
    damage, swapped, dangling = _names(expected, found, everything=against is None)
    for path, kind in expected.damaged.items():
        damage[kind].add(path)
    train_images, remarks = None, []
    if expected.open_train:
        train = _train_images(subset, found)
        train_images, remarks = len(train), _odd_numbers(subset, train)
        unlisted = [path for path in train if path in damage["extra"]]
        damage["extra"].difference_update(unlisted)
        expected = expected.with_images(unlisted)
        del train, unlisted
    files, read, system = len(found.files), 0, sorted(found.system)
    suspects = {} if against else stated_suspects(root)
    del found  # a million paths are 150 MB, and as much was in use to compare them
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
        expected=expected,
        damage={kind: sorted(damage[kind]) for kind in KINDS if damage[kind]},
        suspects={path: suspects[path] for path in sorted(suspects.keys() - set().union(*damage.values()))},
        swapped=swapped,
        dangling=dangling,
        remarks=remarks,
        system=system,
        train_images=train_images,
        files=files,
        read=read,
        seconds=time.monotonic() - began,
    )


def _of_other(other: Path, subset: int) -> Expected:
    """What another copy's manifests say of images and masks; labels and papers are its own affair."""
    expected = expected_of(other, subset)
    if not expected.own_manifests or expected.open_train:
        raise CannotCheck(f"{other} has no manifests to compare with.")
    if any(path != "dataset.json" for path in expected.damaged):
        raise CannotCheck(f"The manifests of {other} are damaged: {first_few(sorted(expected.damaged))}.")
    files = expected.files.filter(pc.is_in(expected.files["kind"], pa.array([IMAGE, MASK])))
    return Expected(subset, files, own_manifests=True)


def _names(
    expected: Expected, found: Contents, everything: bool
) -> tuple[Damage, list[Misplaced], dict[str, str]]:
    """What is missing, extra and moved; what of it is misplaced; the dangling links that hold some of it.

    Without `everything`, only folders that hold expected files are looked at for what is extra.
    """
    wanted, names = expected.files["path"], pa.array(found.files, pa.string())
    with ThreadPoolExecutor() as threads:
        missing, extra = map(set, threads.map(_without, (wanted, names), (names, wanted)))
    extra |= set(found.dangling)
    if not everything:
        folders = expected.count()
        extra = {path for path in extra if path.partition("/")[0] in folders}
    damage: Damage = defaultdict(set)
    behind = {path: link for path in missing if (link := _holder(path, found.dangling))}
    damage["unreadable"] = {path for path in missing if _holder(path, found.closed)}
    missing -= behind.keys() | damage["unreadable"]
    extra -= set(behind.values())
    swapped = misplaced(expected.subset, missing, extra)
    damage["moved"] = set(behind) | {one.path for one in swapped}
    damage["missing"] = missing - damage["moved"]
    damage["extra"] = extra - {one.actual for one in swapped}
    return damage, swapped, {link: found.dangling[link] for link in sorted(set(behind.values()))}


def _without(some: pa.Array | pa.ChunkedArray, others: pa.Array | pa.ChunkedArray) -> list[str]:
    return some.filter(pc.invert(pc.is_in(some, value_set=others))).to_pylist()


def _present(expected: Expected, absent: set[str]) -> pa.Table:
    """The expected files that are there, without the papers, which were looked at already."""
    files = expected.files
    gone = pc.is_in(files["path"], value_set=pa.array(absent, pa.string()))
    return files.filter(pc.and_(pc.invert(gone), pc.not_equal(files["kind"], PAPER)))


def _holder(path: str, entries: Iterable[str]) -> str | None:
    """`path` itself or the folder above it that is among `entries`."""
    while path:
        if path in entries:
            return path
        path = path.rpartition("/")[0]
    return None


def _train_images(subset: int, found: Contents) -> list[str]:
    """Return the train images that may be right by their names."""
    wnid_of = train_classes(subset)
    images = []
    for path in found.files:
        folder, _, rest = path.partition("/")
        if folder == "train" and rest.count("/") == 1:
            wnid, name = rest.split("/")
            match = IMAGE_NAME.fullmatch(name)
            if match and name == f"{match[1]}.JPEG" and wnid_of.get(match[2]) == wnid:
                images.append(path)
    return images


def _odd_numbers(subset: int, train: Sequence[str]) -> list[str]:
    """Return what is wrong with the numbers of train images."""
    wnid_of = train_classes(subset)
    sizes = Counter(path.rpartition("/")[2].partition("_")[0] for path in train)
    remarks = []
    if sizes.total() != subset_of(subset).train_images:
        remarks.append(f"train: {sizes.total():,} images, officially {subset_of(subset).train_images:,}")
    odd = [f"{wnid} ({sizes[wnid]:,})" for wnid in wnid_of if sizes[wnid] not in CLASS_SIZES]
    if odd:
        remarks.append(
            f"train: {len(odd)} classes outside the {CLASS_SIZES[0]}–{CLASS_SIZES[-1]:,} images that "
            f"ImageNet classes have: {first_few(odd)}"
        )
    return remarks
