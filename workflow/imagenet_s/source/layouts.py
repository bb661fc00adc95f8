"""The layouts in which people keep raw ImageNet, and which reader fits each place.

A new layout is a row of `LAYOUTS`. If no reader understands its files, it also needs a module in `readers/`
with the methods of `IndexedReader` or `StreamingReader` (see `readers/base.py`), which `indexed_reader` or
`_streaming_class` then chooses.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from imagenet_s.io.split_file import FIRST_PIECE
from imagenet_s.runtime.file_kind import Kind, kind_of_file
from imagenet_s.runtime.system_files import is_system_file
from imagenet_s.source.readers.base import IndexedReader, ScanNotes, StreamingReader
from imagenet_s.source.readers.compressed_tar import CompressedTar
from imagenet_s.source.readers.folder import Folder
from imagenet_s.source.readers.parquet import Parquet
from imagenet_s.source.readers.tar import Tar
from imagenet_s.source.tar_index import Index

# What is looked for below the folder that the user names, in the order of preference. Compared without
# regard to case; `*` stands for anything.
LAYOUTS = (
    ("plain folders", "train", "val"),
    ("plain folders", "train", "validation"),
    ("renamed folders", "ILSVRC2012_img_train", "ILSVRC2012_img_val"),
    ("Kaggle", "ILSVRC/Data/CLS-LOC/train", "ILSVRC/Data/CLS-LOC/val"),
    ("Kaggle", "Data/CLS-LOC/train", "Data/CLS-LOC/val"),
    ("Kaggle", "CLS-LOC/train", "CLS-LOC/val"),
    ("official archives", "ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar"),
    ("official archives in pieces", "ILSVRC2012_img_train.tar.*", "ILSVRC2012_img_val.tar.*"),
    ("Hugging Face parquet", "data/train-*.parquet", "data/validation-*.parquet"),
    ("Hugging Face parquet", "train-*.parquet", "validation-*.parquet"),
    ("Hugging Face archives", "data/train_images_*.tar.gz", "data/val_images.tar.gz"),
    ("Hugging Face archives", "train_images_*.tar.gz", "val_images.tar.gz"),
    ("Hugging Face archives", "data/train_images_*.tar", "data/val_images.tar"),
    ("Hugging Face archives", "train_images_*.tar", "val_images.tar"),
    ("compressed archives", "ILSVRC2012_img_train.tar.gz", "ILSVRC2012_img_val.tar.gz"),
    ("compressed archives", "ILSVRC2012_img_train.tgz", "ILSVRC2012_img_val.tgz"),
    ("compressed archives", "ILSVRC2012_img_train.tar.zst", "ILSVRC2012_img_val.tar.zst"),
)

COMPRESSED = (Kind.GZIP, Kind.ZSTANDARD)
COMPRESSED_ENDINGS = (".gz", ".tgz", ".zst")

# Of train, Hugging Face has five archives, each of which is then read in a job of its own, or 294 files.
MAX_PASSES = 5


@dataclass(frozen=True)
class Places:
    """Where one copy keeps its train and val images, in the order of preference, and what it is called.

    The places of a set are all folders and tars, or else all to be read in one pass. `unused` are those
    that were found, too, and are not used. `one_pass` are those of `train` and `val` that can only be read
    from front to back.
    """

    name: str
    train: tuple[Path, ...]
    val: tuple[Path, ...]
    unused: tuple[Path, ...]
    one_pass: tuple[str, ...]

    def of(self, kind: str) -> tuple[Path, ...]:
        """Return the places of `train` or `val`."""
        return {"train": self.train, "val": self.val}[kind]


def find_places(root: Path) -> Places:
    """Looks for what `LAYOUTS` names below `root`; train and val may come from different rows.

    Folders are listed, and of whole archives the first bytes are read: there are a few of them.
    """
    names, unused, places, one_pass = {}, [], {}, []
    children = cache(_children)
    for column, kind in enumerate(("train", "val"), 1):
        found: dict[Path, int] = {}
        for number, row in enumerate(LAYOUTS):
            for path in _matches(root, row[column], children):
                found.setdefault(path, number)
        # To read a stream is the last resort; two kinds of it would only hold the same twice.
        streams = [path for path in found if is_streamed(path)]
        first_kind = [path for path in streams if found[path] == found[streams[0]]]
        used = [path for path in found if path not in streams] or first_kind
        names |= {LAYOUTS[found[path]][0]: None for path in used}
        unused += [path for path in found if path not in used]
        places[kind] = tuple(used)
        one_pass += [kind] if used and used == first_kind else []
    name = " + ".join(names) or "not recognised"
    return Places(name, **places, unused=tuple(unused), one_pass=tuple(one_pass))


def is_streamed(place: Path) -> bool:
    """Return whether a place can only be read from front to back, by a `StreamingReader`."""
    return _streaming_class(place) is not None


def indexed_reader(place: Path, notes: ScanNotes, index: Index) -> IndexedReader:
    """Return the reader of a folder or a tar.

    Args:
        place: A path for which `is_streamed` is false.
        notes: What the reader finds beside the images is added here.
        index: The known members of tars, to which the reader adds.
    """
    return Folder(place, notes, index) if place.is_dir() else Tar(place, notes, index)


def streaming_reader(place: Path) -> StreamingReader:
    """Return the reader of a file for which `is_streamed` is true."""
    # The file may have been replaced since: this reader says so.
    return (_streaming_class(place) or CompressedTar)(place)


def _streaming_class(place: Path) -> type[CompressedTar] | type[Parquet] | None:
    """Return the class that reads a place from front to back; None for folders and tars.

    The first bytes of an archive decide, because names can be wrong; its ending counts if they do not tell.
    Parquet files are not opened: there can be hundreds.
    """
    if place.is_dir() or FIRST_PIECE.fullmatch(place.name):
        return None
    ending = place.suffix.lower()
    if ending == ".parquet":
        return Parquet
    kind = _kind(place)
    if kind in COMPRESSED or (kind is not Kind.TAR and ending in COMPRESSED_ENDINGS):
        return CompressedTar
    return None


def _kind(path: Path) -> Kind:
    """What a file is, as far as it can be read. Its reader explains why it cannot."""
    try:
        return kind_of_file(path) if path.is_file() else Kind.UNKNOWN
    except OSError:
        return Kind.UNKNOWN


def one_pass_sets(places: Places) -> dict[str, int]:
    """Those of `train` and `val` that can only be read in one pass, and how many jobs share their files."""
    return {kind: min(MAX_PASSES, len(places.of(kind))) for kind in places.one_pass}


def pass_files(places: Places, part: str) -> tuple[Path, ...]:
    """The files that are read from front to back for a part such as `train-pass-300-4`."""
    kind, _, _, k = part.split("-")
    return places.of(kind)[int(k) :: one_pass_sets(places)[kind]]


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _matches(root: Path, pattern: str, children: Callable[[Path], list[Path]]) -> list[Path]:
    """What is called `pattern` below `root`, sorted; folders that hold something, or files with an ending."""
    paths = [root]
    for part in pattern.split("/"):
        called = re.compile(re.escape(part).replace(r"\*", ".*"), re.IGNORECASE)
        paths = [child for path in paths for child in children(path) if called.fullmatch(child.name)]
    if ".tar." in pattern and pattern.endswith("*"):
        firsts = [(FIRST_PIECE.fullmatch(path.name), path) for path in paths]
        paths = list({match[1]: path for match, path in reversed(firsts) if match}.values())[::-1]
    if "." in pattern:
        return [path for path in paths if not path.is_dir()]
    return [path for path in paths if path.is_dir() and _holds_something(path)]


def _holds_something(folder: Path) -> bool:
    return any(not is_system_file(path.name) for path in folder.iterdir())
