"""The layouts in which people keep raw ImageNet, and which reader fits each place.

A new layout is a row of `LAYOUTS`. If no reader understands its files, it also needs a module in `readers/`
with the methods of `IndexedReader` or `StreamingReader` (see `readers/base.py`), which `indexed_reader` or
`_streaming_class` then chooses.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from imagenet_s.io.split_file import FIRST_PIECE
from imagenet_s.runtime.file_kind import Kind, kind_of_file
from imagenet_s.source.hub_cache import hub_caches
from imagenet_s.source.patterns import children_of, find_matches
from imagenet_s.source.readers.base import IndexedReader, ScanNotes, StreamingReader
from imagenet_s.source.readers.compressed_tar import CompressedTar
from imagenet_s.source.readers.folder import Folder
from imagenet_s.source.readers.parquet import Parquet
from imagenet_s.source.readers.tar import Tar
from imagenet_s.source.readers.tfrecord import TFRECORD_NAME, TFRecord
from imagenet_s.source.readers.webdataset import SHARD, WebDataset
from imagenet_s.source.readers.zip import Zip
from imagenet_s.source.tar_index import Index


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
VERSION = re.compile(r"5\.\d\.\d", re.ASCII)  # the folder of a version of TFDS's data set

COMPRESSED = (Kind.GZIP, Kind.ZSTANDARD)
COMPRESSED_ENDINGS = (".gz", ".tgz", ".zst")

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

    def of(self, kind: str) -> tuple[Path, ...]:
        """Return the places of `train` or `val`."""
        return {"train": self.train, "val": self.val}[kind]


def find_places(root: Path) -> Places:
    """Return the places below `root` that match `LAYOUTS`. Train and val may match different rows.

    If there are none and `root` is, or holds, a cache of the Hugging Face hub, those of a revision in it are
    returned. Folders are listed. Of whole archives, of which there are few, the first bytes are read. `root`
    may also be Kaggle's zip itself, under any name that ends in `.zip`.

    Raises:
        UserError: The cache has several revisions, and which one to read is not known.
    """
    if is_zip(root) and root.is_file():
        return Places(root, KAGGLE_ZIP.name, (root,), (root,), (), ())
    places = _places_in(root)
    return places if places.train or places.val else _places_in_hub(root) or places


def _places_in_hub(root: Path) -> Places | None:
    """Return the places of the first cache that has train and val, else of the first that has one of them."""
    first = None
    for hub_cache in hub_caches(root):
        found = {revision: _places_in(revision) for revision in hub_cache.revisions}
        some = [revision for revision, places in found.items() if places.train or places.val]
        whole = [revision for revision in some if found[revision].train and found[revision].val]
        if chosen := hub_cache.choose(whole or some):
            if whole:
                return found[chosen]
            first = first or found[chosen]
    return first


def _places_in(root: Path) -> Places:
    children = cache(children_of)
    train = find_matches(root, [layout.train for layout in LAYOUTS], children)
    val = find_matches(root, [layout.val for layout in LAYOUTS], children)
    streams = {path for path in (*train, *val) if is_streamed(path)}
    used_train, used_val = _used(train, streams), _used(val, streams)
    rows = [*(train[path] for path in used_train), *(val[path] for path in used_val)]
    return Places(
        root=root,
        name=" + ".join(dict.fromkeys(LAYOUTS[row].name for row in rows)) or "not recognised",
        train=used_train,
        val=used_val,
        unused=tuple(path for path in (*train, *val) if path not in {*used_train, *used_val}),
        one_pass=tuple(
            kind for kind, used in (("train", used_train), ("val", used_val)) if used and used[0] in streams
        ),
    )


def _used(found: dict[Path, int], streams: set[Path]) -> tuple[Path, ...]:
    """Return the places to be read: what has an index, or else streams of one layout.

    Reading a stream is the last resort, and streams of two layouts or versions would only hold the same
    images twice.
    """
    indexed = [path for path in found if path not in streams]
    first = next(iter(found.values()), None)
    return tuple(indexed or _of_newest_version([path for path, row in found.items() if row == first]))


def _of_newest_version(paths: list[Path]) -> list[Path]:
    """Return the paths in the newest version's folder; all paths if they are in no folder of a version."""
    newest = max((path.parent for path in paths if is_version(path.parent)), default=None)
    return [path for path in paths if newest in (None, path.parent)]


def is_version(folder: Path) -> bool:
    """Return whether a folder is named like a version of TFDS's data set."""
    return bool(VERSION.fullmatch(folder.name))


def is_streamed(place: Path) -> bool:
    """Return whether a place can only be read from front to back, by a `StreamingReader`."""
    return _streaming_class(place) is not None


def indexed_reader(place: Path, notes: ScanNotes, index: Index) -> IndexedReader:
    """Return the reader of a folder, a tar, a shard or a zip.

    Args:
        place: A path for which `is_streamed` is false.
        notes: What the reader finds beside the images is added here.
        index: The known members of archives, to which the reader adds.
    """
    if SHARD.fullmatch(place.name):
        return WebDataset(place, notes, index)
    if place.is_dir():
        return Folder(place, notes, index)
    return Zip(place, notes, index) if is_zip(place) else Tar(place, notes, index)


def is_zip(place: Path) -> bool:
    """Return whether a place is a zip by its name. What else it may be is found before it is read."""
    return place.suffix.lower() == ".zip"


def streaming_reader(place: Path) -> StreamingReader:
    """Return the reader of a file for which `is_streamed` is true."""
    # If the file has been replaced since, the reader of compressed tars says so.
    return (_streaming_class(place) or CompressedTar)(place)


def _streaming_class(place: Path) -> type[CompressedTar] | type[Parquet] | type[TFRecord] | None:
    """Return the class that reads a place from front to back; None for folders, tars and zips.

    The first bytes of an archive decide, because names can be wrong; its ending counts if they do not tell.
    Parquet and TFRecord files and shards are not opened: there can be a thousand.
    """
    if is_zip(place) or SHARD.fullmatch(place.name) or FIRST_PIECE.fullmatch(place.name) or place.is_dir():
        return None
    ending = place.suffix.lower()
    if ending == ".parquet":
        return Parquet
    if TFRECORD_NAME.fullmatch(place.name):
        return TFRecord
    kind = _kind(place)
    if kind in COMPRESSED or (kind is not Kind.TAR and ending in COMPRESSED_ENDINGS):
        return CompressedTar
    return None


def _kind(path: Path) -> Kind:
    """Return what a file is; UNKNOWN if it cannot be read, which its reader explains."""
    try:
        return kind_of_file(path) if path.is_file() else Kind.UNKNOWN
    except OSError:
        return Kind.UNKNOWN


def one_pass_sets(places: Places) -> dict[str, int]:
    """Return the sets (`train`, `val`) that are read from front to back → how many jobs share their files."""
    return {kind: min(MAX_PASSES, len(places.of(kind))) for kind in places.one_pass}


def pass_files(places: Places, part: str) -> tuple[Path, ...]:
    """Return the files that are read from front to back for a part such as `train-pass-300-4`."""
    kind, _, _, k = part.split("-")
    return places.of(kind)[int(k) :: one_pass_sets(places)[kind]]
