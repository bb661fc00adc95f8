"""The layouts in which people keep raw ImageNet, and the places in which a copy has its images.

A new layout is a row of `LAYOUTS`. If no reader understands its files, it also needs a module in `readers/`
with the methods of `IndexedReader` or `StreamingReader` (see `readers/base.py`), which `readers/choose.py`
then chooses.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from imagenet_s.io.split_file import first_piece_of
from imagenet_s.source.content import Candidate, candidates_in, kinds_in_folder
from imagenet_s.source.hub_cache import hub_caches
from imagenet_s.source.patterns import children_of, find_matches
from imagenet_s.source.readers.choose import is_streamed, is_zip


class Layout(NamedTuple):
    """Where a layout keeps its images: patterns of paths below the folder that the user names.

    Case does not matter; `*` stands for any characters, `#` for a number, `?` for a digit. A pattern with
    an ending matches files, any other matches folders.
    """

    name: str
    train: str
    val: str


# A file of TFDS's data set imagenet2012, of a split.
TFDS = "imagenet2012-{}.tfrecord-?????-of-?????"

# One file with train and val. A browser adds a number to the name of a second download.
KAGGLE_ZIP = Layout("Kaggle's zip", *["imagenet-object-localization-challenge*.zip"] * 2)

# In order of preference. Of rows with the same name, messages show the first.
LAYOUTS = (
    Layout("plain folders", "train", "val"),
    Layout("plain folders", "train", "validation"),
    Layout("renamed folders", "ILSVRC2012_img_train", "ILSVRC2012_img_val"),
    Layout("Kaggle", "ILSVRC/Data/CLS-LOC/train", "ILSVRC/Data/CLS-LOC/val"),
    Layout("Kaggle", "Data/CLS-LOC/train", "Data/CLS-LOC/val"),
    Layout("Kaggle", "CLS-LOC/train", "CLS-LOC/val"),
    Layout("official archives", "ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar"),
    Layout("official archives in pieces", "ILSVRC2012_img_train.tar.*", "ILSVRC2012_img_val.tar.*"),
    *(
        Layout("WebDataset", f"{train}{name}train-#.tar", f"{val}{name}{ending}-#.tar")
        for train, val in (("", ""), ("train/", "validation/"), ("train/", "val/"), ("data/", "data/"))
        for name, ending in (("imagenet1k-", "validation"), ("imagenet1k-", "val"), ("imagenet-", "val"))
    ),
    KAGGLE_ZIP,
    Layout("zips", "train.zip", "val.zip"),
    Layout("zips", "ILSVRC2012_img_train.zip", "ILSVRC2012_img_val.zip"),
    Layout("Hugging Face parquet", "data/train-*.parquet", "data/validation-*.parquet"),
    Layout("Hugging Face parquet", "train-*.parquet", "validation-*.parquet"),
    Layout("Hugging Face archives", "data/train_images_*.tar.gz", "data/val_images.tar.gz"),
    Layout("Hugging Face archives", "train_images_*.tar.gz", "val_images.tar.gz"),
    Layout("Hugging Face archives", "data/train_images_*.tar", "data/val_images.tar"),
    Layout("Hugging Face archives", "train_images_*.tar", "val_images.tar"),
    Layout("compressed archives", "ILSVRC2012_img_train.tar.gz", "ILSVRC2012_img_val.tar.gz"),
    Layout("compressed archives", "ILSVRC2012_img_train.tgz", "ILSVRC2012_img_val.tgz"),
    Layout("compressed archives", "ILSVRC2012_img_train.tar.zst", "ILSVRC2012_img_val.tar.zst"),
    *(
        Layout("TFDS", f"{folder}{TFDS.format('train')}", f"{folder}{TFDS.format('validation')}")
        for folder in ("imagenet2012/5.?.?/", "5.?.?/", "")
    ),
)
# How messages call the layout of places that no row has.
BY_CONTENT = Layout("recognised by content", "", "")
A_COPY = Layout("further copies", "", "")  # of an archive that is recognised by its content
NAMED = Layout("named paths", "", "")

VERSION = re.compile(r"5\.\d\.\d", re.ASCII)  # the folder of a version of TFDS's data set

# Jobs that share the files of a set. Hugging Face has five train archives (a job each), or 294 parquet files;
# TFDS has 1,024.
MAX_PASSES = 5


@dataclass(frozen=True)
class Places:
    """Where a copy of ImageNet keeps its train and val images, in order of preference.

    The places of a set are either all folders, tars and zips, or all files that are read from front to back.
    """

    root: Path  # the folder with the layout: the user's, or a revision in the Hugging Face hub's cache
    name: str  # of the layout, or of several
    train: tuple[Path, ...]
    val: tuple[Path, ...]
    unused: tuple[Path, ...]  # found as well, but not needed
    one_pass: tuple[str, ...]  # `train`, `val`: the sets that can only be read from front to back
    val_root: Path | None = None  # where val is, if it has a path of its own; `root` is then train's
    by_content: tuple[Path, ...] = ()  # those that are used and whose names did not tell what they hold

    def of(self, kind: str) -> tuple[Path, ...]:
        """Return the places of `train` or `val`."""
        return {"train": self.train, "val": self.val}[kind]

    @property
    def roots(self) -> list[Path]:
        """The roots of train and val: one, or one for each."""
        return [root for root in (self.root, self.val_root) if root]


class _Found(NamedTuple):
    """The places of each set that were found in `root`, each with its layout, in order of preference."""

    root: Path
    train: dict[Path, Layout]
    val: dict[Path, Layout]

    def of(self, kind: str) -> dict[Path, Layout]:
        """Return the places of `train` or `val`."""
        return {"train": self.train, "val": self.val}[kind]


def find_places(root: Path, val_root: Path | None = None) -> Places:
    """Return the places of train and val images.

    Those below `root` that match `LAYOUTS` come first; train and val may match different rows. If there are
    none and `root` is, or holds, a cache of the Hugging Face hub, those of a revision in it are returned. A
    set that no name tells is searched among the folders and archives in `root`, by a short look at each.

    Folders are listed. Of whole archives, of which there are few, the first bytes are read.

    Args:
        root: The folder that holds both sets, or Kaggle's zip itself, under any name that ends in `.zip`.
        val_root: Where val is. `root` is then that of train. Both may be folders in any layout, folders of
            images, or archives of any name; for one in pieces, also the name of the whole.

    Raises:
        UserError: The cache has several revisions, and which one to read is not known.
    """
    if val_root is not None:
        train, val = _find_set("train", root), _find_set("val", val_root)
        return _places(_Found(train.root, train.train, val.val), val.root)
    if is_zip(root) and root.is_file():
        return _places(_Found(root, {root: KAGGLE_ZIP}, {root: KAGGLE_ZIP}))
    return _places(_find(root, ("train", "val")))


def _find(root: Path, wanted: Sequence[str]) -> _Found:
    """Return what is found by name, in the hub's cache, or by content if names do not tell a `wanted` set."""
    found = _by_name(root)
    if not found.train and not found.val:
        found = _in_hub(root) or found
    if all(map(found.of, wanted)):
        return found
    candidates = candidates_in(found.root, {*found.train, *found.val})
    train, val = (found.of(kind) or _by_content(candidates, kind) for kind in ("train", "val"))
    return _Found(found.root, train, val)


def _find_set(kind: str, path: Path) -> _Found:
    """Return the places of `train` or `val` at the path that the user names for it."""
    if not path.is_dir():
        file = path if os.path.lexists(path) else first_piece_of(path)
        own = {file: NAMED} if file else {}
        return _Found(path, own, own)
    if kind not in kinds_in_folder(path) and (found := _find(path, (kind,))).of(kind):
        return found
    return _Found(path, {path: NAMED}, {path: NAMED})


def _by_name(root: Path) -> _Found:
    children = cache(children_of)
    train = find_matches(root, [layout.train for layout in LAYOUTS], children)
    val = find_matches(root, [layout.val for layout in LAYOUTS], children)
    return _Found(root, *({path: LAYOUTS[row] for path, row in found.items()} for found in (train, val)))


def _in_hub(root: Path) -> _Found | None:
    """Return the places of the first cache that has train and val, else of the first that has one of them."""
    first = None
    for hub_cache in hub_caches(root):
        found = {revision: _by_name(revision) for revision in hub_cache.revisions}
        some = [revision for revision, places in found.items() if places.train or places.val]
        whole = [revision for revision in some if found[revision].train and found[revision].val]
        if chosen := hub_cache.choose(whole or some):
            if whole:
                return found[chosen]
            first = first or found[chosen]
    return first


def _by_content(candidates: Sequence[Candidate], kind: str) -> dict[Path, Layout]:
    """Return the candidates that hold `train` or `val` images: folders first, then archives, copies last."""
    found = sorted(
        (candidate for candidate in candidates if kind in candidate.kinds),
        key=lambda candidate: (not candidate.path.is_dir(), candidate.is_copy, candidate.path.name),
    )
    first = {candidate.original_name: candidate for candidate in reversed(found)}
    return {
        candidate.path: BY_CONTENT if first[candidate.original_name] is candidate else A_COPY
        for candidate in found
    }


def _places(found: _Found, val_root: Path | None = None) -> Places:
    """Return which of the places that were found are used, and how."""
    streams = {path for path in (*found.train, *found.val) if is_streamed(path)}
    train, val = _used(found.train, streams), _used(found.val, streams)
    used = [(path, found.train[path]) for path in train] + [(path, found.val[path]) for path in val]
    return Places(
        root=found.root,
        name=" + ".join(dict.fromkeys(layout.name for _, layout in used)) or "not recognised",
        train=train,
        val=val,
        unused=tuple(path for path in (*found.train, *found.val) if path not in {*train, *val}),
        one_pass=tuple(
            kind for kind, used in (("train", train), ("val", val)) if used and used[0] in streams
        ),
        val_root=val_root,
        by_content=tuple(dict.fromkeys(path for path, layout in used if layout is BY_CONTENT)),
    )


def _used(found: dict[Path, Layout], streams: set[Path]) -> tuple[Path, ...]:
    """Return the places to be read: what has an index, or else streams of one layout.

    Reading a stream is the last resort, and streams of two layouts or versions would only hold the same
    images twice.
    """
    originals = {path: layout for path, layout in found.items() if layout is not A_COPY}
    indexed = [path for path in originals if path not in streams]
    first = next(iter(originals.values()), None)
    of_first = [path for path, layout in originals.items() if layout is first]
    return tuple(indexed or _of_newest_version(of_first))


def _of_newest_version(paths: list[Path]) -> list[Path]:
    """Return the paths in the newest version's folder; all paths if they are in no folder of a version."""
    newest = max((path.parent for path in paths if is_version(path.parent)), default=None)
    return [path for path in paths if newest in (None, path.parent)]


def is_version(folder: Path) -> bool:
    """Return whether a folder is named like a version of TFDS's data set."""
    return bool(VERSION.fullmatch(folder.name))


def one_pass_sets(places: Places) -> dict[str, int]:
    """Return the sets (`train`, `val`) that are read from front to back → how many jobs share their files."""
    return {kind: min(MAX_PASSES, len(places.of(kind))) for kind in places.one_pass}


def pass_files(places: Places, part: str) -> tuple[Path, ...]:
    """Return the files that are read from front to back for a part such as `train-pass-300-4`."""
    kind, _, _, k = part.split("-")
    return places.of(kind)[int(k) :: one_pass_sets(places)[kind]]
