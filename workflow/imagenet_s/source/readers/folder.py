"""Images in folders: of classes, of tars, of val images, flat or in folders of any name."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from imagenet_s.io.links import dangling_link
from imagenet_s.io.split_file import FIRST_PIECE
from imagenet_s.runtime.system_files import is_system_file
from imagenet_s.source.readers.base import IMAGE, WNID, Found, ScanNotes, image_name, matched_name, merged
from imagenet_s.source.readers.tar import Tar
from imagenet_s.source.tar_index import Index

DEEPEST_VAL = 2  # levels of folders below the val folder
# Folders that are hidden, or a disk's own: what is deleted, or of another owner, is no part of a copy.
NO_FOLDERS = (".", "$", "lost+found", "System Volume Information")
# Archives that people move into the folder of their own name, or unpack there and keep.
TRAIN_TAR, VAL_TAR = "ilsvrc2012_img_train.tar", "ilsvrc2012_img_val.tar"


@dataclass
class _Train:
    """The paths that a train folder holds, itself or one level down; by wnid but for whole archives."""

    folders: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    tars: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    images: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    archives: list[str] = field(default_factory=list)

    def wnids(self) -> set[str]:
        return self.folders.keys() | self.tars.keys() | self.images.keys()


class Folder:
    """A folder of images, of class folders, of per-class tars (`<wnid>.tar`), or of an official archive.

    Of train images the class counts, which stands in the file's name, of val images the file's name.
    """

    def __init__(self, path: Path, seen: ScanNotes, index: Index):
        self.folder, self.seen, self.index = path, seen, index

    def classes(self) -> list[str]:
        """The wnids of the classes that are there, sorted."""
        train = self._train()
        inside = (wnid for archive in train.archives for wnid in self._tar(archive).classes())
        return sorted({*train.wnids(), *inside})

    def train_images(self, wnids: Sequence[str]) -> Iterator[tuple[str, list[Found]]]:
        """(wnid, its images) for each of the classes. Folders come first, then images, then tars."""
        train = self._train()
        archives = [self._tar(archive).train_images(wnids) for archive in train.archives]
        for wnid in wnids:
            images: list[Found] = []
            for folder in train.folders.get(wnid, ()):
                images = merged(images, self._class_folder(wnid, folder), self.seen)
            flat = map(_found, train.images.get(wnid, ()))
            images = merged(images, self._once(flat), self.seen)
            for tar in train.tars.get(wnid, ()):
                if self._is_there(tar):
                    images = merged(images, self._tar(tar).class_images(wnid), self.seen)
            for archive in archives:
                images = merged(images, next(archive)[1], self.seen)
            yield wnid, images

    def val_images(self) -> list[Found]:
        """The val images: the flat ones first, then folder by folder, then those of the official archive."""
        files, archives = self._val()
        images = self._once(map(_found, files))
        for archive in archives:
            images = merged(images, self._tar(archive).val_images(), self.seen)
        return images

    def _train(self) -> _Train:
        """What the folder holds, and what the folders in it hold that are those of no class."""
        found = _Train()
        folders = [str(self.folder)]
        for folder in folders:  # grows while the first, the train folder itself, is read
            for entry in _entries(folder):
                name = entry.name.lower()
                image = IMAGE.fullmatch(name)
                if WNID.fullmatch(name):
                    found.folders[name].append(entry.path)
                elif WNID.fullmatch(name.removesuffix(".tar")):
                    found.tars[name.removesuffix(".tar")].append(entry.path)
                elif image and image[2]:
                    found.images[image[2]] += [entry.path] if self._is_file(entry) else []
                elif _is_archive(name, TRAIN_TAR):
                    found.archives += [entry.path] if self._is_file(entry) else []
                elif folder == str(self.folder) and self._is_folder(entry):
                    folders.append(entry.path)
        return found

    def _val(self) -> tuple[list[str], list[str]]:
        """The paths of the val images, and of official archives that lie among them."""
        files, archives = [], []
        folders = [(str(self.folder), 0)]
        for folder, depth in folders:  # grows while the first is read
            for entry in _entries(folder):
                image = IMAGE.fullmatch(entry.name)
                if image and not image[2]:
                    files += [entry.path] if self._is_file(entry) else []
                elif _is_archive(entry.name.lower(), VAL_TAR):
                    archives += [entry.path] if self._is_file(entry) else []
                elif depth < DEEPEST_VAL and self._is_folder(entry):
                    folders.append((entry.path, depth + 1))
        return files, archives

    def _class_folder(self, wnid: str, folder: str) -> list[Found]:
        """The images in a class folder, and in folders in it, as an archive may have been unpacked there."""
        if not self._is_there(folder) or not os.path.isdir(folder):
            return []
        found, whole = [], True
        folders = [folder]
        for inner in folders:  # grows while the first is read
            for entry in sorted(_entries(inner), key=lambda entry: not entry.name.endswith(".JPEG")):
                match = IMAGE.fullmatch(entry.name)
                if match and (match[2] or "").lower() == wnid and self._is_file(entry):
                    found.append(Found(matched_name(match), entry.path))
                    whole = whole and entry.name == f"{found[-1].image}.JPEG"
                    continue
                whole = False
                if inner == folder and not match and self._is_folder(entry):
                    folders.append(entry.path)
                else:
                    self.seen.unrecognized.append(entry.path)
        if whole and found:
            self.seen.whole_folders.setdefault(wnid, folder)
        return self._once(found)

    def _once(self, some: Iterable[Found]) -> list[Found]:
        """Each image once: of two files of one image the first."""
        images: dict[str, Found] = {}
        for found in some:
            if images.setdefault(found.image, found) is not found:
                self.seen.duplicates.append(found.path)
        return list(images.values())

    def _tar(self, path: str) -> Tar:
        return Tar(Path(path), self.seen, self.index)

    def _is_file(self, entry: os.DirEntry) -> bool:
        there = entry.is_file()
        if not there:
            self._is_there(entry.path)
        return there

    def _is_folder(self, entry: os.DirEntry) -> bool:
        if is_system_file(entry.name) or entry.name.startswith(NO_FOLDERS):
            return False
        there = entry.is_dir()
        if not there:
            self._is_there(entry.path)
        return there

    def _is_there(self, path: str) -> bool:
        """Whether a path leads to something; notes a link that leads to nothing."""
        if link := dangling_link(path):
            self.seen.dangling.append(link)
        return os.path.exists(path)


def _found(path: str) -> Found:
    return Found(image_name(path.rpartition("/")[2]), path)


def _entries(folder: str) -> list[os.DirEntry]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _is_archive(name: str, official: str) -> bool:
    """Whether a name in lower case is that of an official archive, or of the first of its pieces."""
    piece = FIRST_PIECE.fullmatch(name)
    return (piece[1] if piece else name) == official
