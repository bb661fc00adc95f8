"""What files and folders hold whose names do not tell: train or val images, by a short look at each.

Of a folder, some names are listed, and some in a few of its class folders. Of an archive, the names of the
members in its first bytes are read. Nothing else is.
"""

import io
import os
import re
import tarfile
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from imagenet_s.io.split_file import FIRST_PIECE, SplitFile
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.file_kind import Kind, kind_of, kind_of_file
from imagenet_s.runtime.system_files import is_system_file
from imagenet_s.source.readers.base import IMAGE, WNID, base_name
from imagenet_s.source.readers.choose import COMPRESSED, is_zip
from imagenet_s.source.readers.compressed_tar import CompressedTar
from imagenet_s.source.readers.folder import SKIPPED_FOLDERS, TRAIN_TAR, VAL_TAR, is_archive
from imagenet_s.source.readers.webdataset import SHARD

MAX_CANDIDATES = 100  # files and folders that are looked at
MAX_NAMES = 200  # names in a folder
MAX_CLASSES = 3  # class folders in it that are looked into
MAX_BYTES = 1 << 20  # at the beginning of a tar, decompressed; about nine images
SHOWN = 2  # names in what is not recognised

ARCHIVE = re.compile(r".*\.(?:tar|tgz|tzst|gz|zst)", re.IGNORECASE)
CLASS_TAR = re.compile(WNID.pattern + r"\.tar", re.ASCII)
# What browsers add to the name of a second download.
COPY_MARK = re.compile(r"[ _]?\(\d+\)")


class Candidate(NamedTuple):
    """A file or folder that was looked at: the sets of which it holds images, and what it is in words."""

    path: Path
    kinds: frozenset[str]  # train, val
    description: str

    @property
    def original_name(self) -> str:
        """The name that all copies and pieces of the same archive share."""
        piece = FIRST_PIECE.fullmatch(self.path.name)
        return COPY_MARK.sub("", piece[1] if piece else self.path.name).lower()

    @property
    def is_copy(self) -> bool:
        """Whether the name is that of a copy, or of a piece, of a file that may be there, too."""
        return self.path.name.lower() != self.original_name


def candidates_in(root: Path, known: Collection[Path] = ()) -> list[Candidate]:
    """Look at the folders and archives in `root` that may hold images; `known` ones are skipped.

    Only the first `MAX_CANDIDATES` by name are looked at.
    """
    if not root.is_dir():
        return []
    paths = (path for path in sorted(root.iterdir()) if path not in known and _may_hold_images(path))
    return [_candidate(path) for path in islice(paths, MAX_CANDIDATES)]


def kinds_in_folder(folder: Path) -> frozenset[str]:
    """Return the sets (`train`, `val`) of which a folder holds images, by some of the names in it."""
    return _kinds(_names_in_folder(folder))


def _may_hold_images(path: Path) -> bool:
    """Return whether a name is one of a folder or an archive, and not of an image, a class or a shard."""
    name = path.name
    if is_system_file(name) or name.startswith(SKIPPED_FOLDERS) or SHARD.fullmatch(name):
        return False
    if WNID.fullmatch(name.lower()) or CLASS_TAR.fullmatch(name.lower()):
        return False
    if ARCHIVE.fullmatch(name) or FIRST_PIECE.fullmatch(name) or is_zip(path):
        return path.is_file()
    return not IMAGE.fullmatch(name) and path.is_dir()


def _candidate(path: Path) -> Candidate:
    try:
        names, what = (_names_in_folder(path), "a folder") if path.is_dir() else _names_in_archive(path)
    except OSError as error:
        return Candidate(path, frozenset(), f"cannot be read: {error.strerror}")
    except UserError as error:
        return Candidate(path, frozenset(), str(error))
    kinds = _kinds(names)
    if kinds:
        return Candidate(path, kinds, f"{what} of {' and '.join(sorted(kinds))} images")
    if not names:
        return Candidate(path, kinds, "an empty folder" if path.is_dir() else what)
    return Candidate(path, kinds, f"{what} with {first_few(map(repr, names), SHOWN)}")


def _names_in_folder(folder: Path) -> list[str]:
    """Return some names in a folder, and in a few of its class folders."""
    names = sorted(_some_names(folder))
    classes = [name for name in names if WNID.fullmatch(name.lower())][:MAX_CLASSES]
    return names + [f"{name}/{inner}" for name in classes for inner in sorted(_some_names(folder / name))]


def _some_names(folder: Path) -> Iterator[str]:
    if folder.is_dir():
        with os.scandir(folder) as entries:
            for entry in islice(entries, MAX_NAMES):
                if not is_system_file(entry.name):
                    yield entry.name


def _names_in_archive(path: Path) -> tuple[list[str], str]:
    """Return the first names in an archive, and what it is."""
    kind = kind_of_file(path)
    if kind is Kind.TAR:
        with SplitFile(path) as pieces:
            return _member_names(pieces.read(MAX_BYTES, 0)), str(kind)
    if kind in COMPRESSED:
        data = CompressedTar(path).first_bytes(MAX_BYTES)
        if kind_of(data) is Kind.TAR:
            return _member_names(data), "a compressed tar"
        return [], f"{kind}, but no tar"
    if kind is Kind.ZIP:
        return [], "a zip: name it in `imagenet` if it holds the images"
    return [], str(kind)


def _member_names(data: bytes) -> list[str]:
    """Return the names of the files in the first bytes of a tar."""
    names: list[str] = []
    try:
        with tarfile.TarFile(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                if not member.isdir() and not is_system_file(member.name):
                    names.append(member.name)
    except (tarfile.TarError, EOFError, ValueError, OverflowError, RecursionError):
        pass  # the rest of the last member is not among the bytes; its reader reports what is damaged
    return names


def _kinds(names: Iterable[str]) -> frozenset[str]:
    """Return the sets (`train`, `val`) to which names belong: of images, class tars or official archives."""
    kinds = set()
    for base in map(base_name, names):
        name = base.lower()
        if match := IMAGE.fullmatch(base):
            kinds.add("train" if match[2] else "val")
        elif CLASS_TAR.fullmatch(name) or is_archive(name, TRAIN_TAR):
            kinds.add("train")
        elif is_archive(name, VAL_TAR):
            kinds.add("val")
    return frozenset(kinds)
