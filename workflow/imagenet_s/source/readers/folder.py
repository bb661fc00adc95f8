"""Images in folders: of classes, of tars, of val images, flat or in subfolders of any name."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from imagenet_s.io.links import dangling_link
from imagenet_s.io.split_file import FIRST_PIECE
from imagenet_s.runtime.system_files import is_system_file
from imagenet_s.source.readers.base import (
    IMAGE,
    WNID,
    ImageLocation,
    ScanNotes,
    image_name,
    merge_images,
    note_duplicate,
)
from imagenet_s.source.readers.tar import Tar
from imagenet_s.source.tar_index import Index

MAX_VAL_DEPTH = 2  # levels of folders below the val folder
# Prefixes of folders that are hidden or belong to the disk: they hold deleted files, or another owner's.
SKIPPED_FOLDERS = (".", "$", "lost+found", "System Volume Information")
# Official archives that people keep in the folder into which they unpacked them.
TRAIN_TAR, VAL_TAR = "ilsvrc2012_img_train.tar", "ilsvrc2012_img_val.tar"


@dataclass
class _TrainFolder:
    """What a train folder holds, itself or one level down: paths and images by wnid, and whole archives."""

    folders: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    tars: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    images: dict[str, list[ImageLocation]] = field(default_factory=lambda: defaultdict(list))
    archives: list[str] = field(default_factory=list)

    def wnids(self) -> set[str]:
        """Return the wnids of all but the whole archives."""
        return self.folders.keys() | self.tars.keys() | self.images.keys()


class Folder:
    """A folder of images, of class folders, of class tars (`<wnid>.tar`), or with an official archive.

    The class of a train image comes from its file name. Val images are found by file name, in any folder.
    """

    def __init__(self, path: Path, notes: ScanNotes, index: Index):
        self.folder, self.notes, self.index = path, notes, index

    def classes(self) -> list[str]:
        """Return the wnids of the classes that are there, sorted."""
        train = self._train()
        inside = (wnid for archive in train.archives for wnid in self._tar(archive).classes())
        return sorted({*train.wnids(), *inside})

    def train_images(self, wnids: Sequence[str]) -> Iterator[tuple[str, list[ImageLocation]]]:
        """Yield each wnid with the images of its class.

        Class folders take precedence over single images, these over class tars, and these over archives.
        """
        train = self._train()
        archives = [self._tar(archive).train_images(wnids) for archive in train.archives]
        for wnid in wnids:
            images: list[ImageLocation] = []
            for folder in train.folders.get(wnid, ()):
                images = merge_images(images, self._class_folder(wnid, folder), self.notes)
            images = merge_images(images, self._unique(train.images.get(wnid, ())), self.notes)
            for tar in train.tars.get(wnid, ()):
                if self._exists(tar):
                    images = merge_images(images, self._tar(tar).class_images(wnid), self.notes)
            for archive in archives:
                _, archived = next(archive)
                images = merge_images(images, archived, self.notes)
            yield wnid, images

    def val_images(self) -> list[ImageLocation]:
        """Return the val images. Flat ones take precedence, then folder by folder, then official archives."""
        files, archives = self._val()
        images = self._unique(files)
        for archive in archives:
            images = merge_images(images, self._tar(archive).val_images(), self.notes)
        return images

    def _train(self) -> _TrainFolder:
        """Return what the folder holds, together with what its subfolders hold that are not of one class."""
        train = _TrainFolder()
        folders = [str(self.folder)]
        for folder in folders:  # grows while the first, the train folder itself, is read
            for entry in _entries(folder):
                name = entry.name.lower()
                match = IMAGE.fullmatch(name)
                if WNID.fullmatch(name):
                    train.folders[name].append(entry.path)
                elif WNID.fullmatch(name.removesuffix(".tar")):
                    train.tars[name.removesuffix(".tar")].append(entry.path)
                elif match and match[2]:
                    if self._is_file(entry):
                        train.images[match[2]].append(ImageLocation(image_name(match), entry.path))
                elif is_archive(name, TRAIN_TAR):
                    if self._is_file(entry):
                        train.archives.append(entry.path)
                elif folder == str(self.folder) and self._is_folder(entry):
                    folders.append(entry.path)
        return train

    def _val(self) -> tuple[list[ImageLocation], list[str]]:
        """Return the val images, and the paths of official archives beside them."""
        images, archives = [], []
        folders = [(str(self.folder), 0)]
        for folder, depth in folders:  # grows while the first is read
            for entry in _entries(folder):
                match = IMAGE.fullmatch(entry.name)
                if match and not match[2]:
                    if self._is_file(entry):
                        images.append(ImageLocation(image_name(match), entry.path))
                elif is_archive(entry.name.lower(), VAL_TAR):
                    if self._is_file(entry):
                        archives.append(entry.path)
                elif depth < MAX_VAL_DEPTH and self._is_folder(entry):
                    folders.append((entry.path, depth + 1))
        return images, archives

    def _class_folder(self, wnid: str, folder: str) -> list[ImageLocation]:
        """Return the images in a class folder and its subfolders, into which an archive may be unpacked."""
        if not self._exists(folder) or not os.path.isdir(folder):
            return []
        images, is_whole = [], True
        folders = [folder]
        for inner in folders:  # grows while the first is read
            # The first of two files of an image is used: let it be the one with the official ending.
            for entry in sorted(_entries(inner), key=lambda entry: not entry.name.endswith(".JPEG")):
                match = IMAGE.fullmatch(entry.name)
                if match and (match[2] or "").lower() == wnid and self._is_file(entry):
                    image = ImageLocation(image_name(match), entry.path)
                    images.append(image)
                    is_whole = is_whole and entry.name == f"{image.image}.JPEG"
                    continue
                is_whole = False
                if inner == folder and not match and self._is_folder(entry):
                    folders.append(entry.path)
                else:
                    self.notes.unrecognized.append(entry.path)
        if is_whole and images:
            self.notes.whole_folders.setdefault(wnid, folder)
        return self._unique(images)

    def _unique(self, files: Iterable[ImageLocation]) -> list[ImageLocation]:
        """Return the first file of each image; the others are added to the notes."""
        images: dict[str, ImageLocation] = {}
        for file in files:
            if (used := images.setdefault(file.image, file)) is not file:
                note_duplicate(used, file, used.stored_bytes() != file.stored_bytes(), self.notes)
        return list(images.values())

    def _tar(self, path: str) -> Tar:
        return Tar(Path(path), self.notes, self.index)

    def _is_file(self, entry: os.DirEntry[str]) -> bool:
        is_file = entry.is_file()
        if not is_file:
            self._exists(entry.path)
        return is_file

    def _is_folder(self, entry: os.DirEntry[str]) -> bool:
        if is_system_file(entry.name) or entry.name.startswith(SKIPPED_FOLDERS):
            return False
        is_folder = entry.is_dir()
        if not is_folder:
            self._exists(entry.path)
        return is_folder

    def _exists(self, path: str) -> bool:
        """Return whether a path leads to something; a dangling link is added to the notes."""
        if link := dangling_link(path):
            self.notes.dangling.append(link)
        return os.path.exists(path)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def is_archive(name: str, official: str) -> bool:
    """Return whether a lower-case name is that of an official archive, or of the first of its pieces."""
    piece = FIRST_PIECE.fullmatch(name)
    return (piece[1] if piece else name) == official
