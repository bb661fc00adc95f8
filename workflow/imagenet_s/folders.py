"""Images in folders: of classes, of val images flat or in classes, of one tar a class."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from imagenet_s.classes import CLASS_SIZES
from imagenet_s.index import Index
from imagenet_s.places import IMAGE, WNID, Found, Seen, image_name
from imagenet_s.tars import Tar


class Folder:
    """A folder of class folders, of per-class tars (`<wnid>.tar`), or of val images, flat or in classes."""

    one_pass = False

    def __init__(self, path: Path, seen: Seen, index: Index):
        self.folder, self.seen, self.index = path, seen, index

    def classes(self) -> list[str]:
        """The wnids of the class folders and tars that are there, sorted."""
        names = {entry.name.removesuffix(".tar") for entry in os.scandir(self.folder)}
        return sorted(name for name in names if WNID.fullmatch(name))

    def train_images(self, wnids: Sequence[str]) -> Iterator[tuple[str, list[Found]]]:
        """(wnid, its images) for each of the classes.

        A class folder comes before a tar of the class, which completes it if it has too few images.
        """
        for wnid in wnids:
            archive = self.folder / f"{wnid}.tar"
            images = self._class_folder(wnid)
            if archive.is_file():
                if len(images) < CLASS_SIZES[0]:
                    images = self._completed(images, Tar(archive, self.seen, self.index).class_images(wnid))
                else:
                    self.seen.doubles.append(str(archive))
            yield wnid, images

    def val_images(self) -> list[Found]:
        """The val images: the flat ones first, then class folder by class folder: the file name decides."""
        images: dict[str, Found] = {}
        for path in self._val_files():
            found = Found(image_name(path.rpartition("/")[2]), path)
            if images.setdefault(found.image, found) != found:
                self.seen.doubles.append(path)
        return list(images.values())

    def _class_folder(self, wnid: str) -> list[Found]:
        folder = self.folder / wnid
        if not folder.is_dir():
            return []
        images: dict[str, Found] = {}
        whole = True
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: (not entry.name.endswith(".JPEG"), entry.name)):
                match = IMAGE.fullmatch(entry.name)
                if not match or (match[2] or "").lower() != wnid or not entry.is_file():
                    self.seen.strangers.append(f"{folder}/{entry.name}")
                    whole = False
                    continue
                found = Found(image_name(entry.name), f"{folder}/{entry.name}")
                if images.setdefault(found.image, found) != found:
                    self.seen.doubles.append(found.path)
                whole = whole and entry.name == f"{found.image}.JPEG"
        if whole and images:
            self.seen.whole_folders[wnid] = str(folder)
        return list(images.values())

    def _completed(self, images: list[Found], further: list[Found]) -> list[Found]:
        there = {found.image for found in images}
        new = [found for found in further if found.image not in there]
        self.seen.doubles += [f"{found.path}: {found.image}" for found in further if found.image in there]
        if new and images:
            self.seen.whole_folders.pop(new[0].image.partition("_")[0], None)
        return images + new

    def _val_files(self) -> Iterator[str]:
        folders = [str(self.folder)]
        for folder in folders:  # grows while the first, the val folder itself, is read
            with os.scandir(folder) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    match = IMAGE.fullmatch(entry.name)
                    if match and not match[2] and entry.is_file():
                        yield f"{folder}/{entry.name}"
                    elif folder == str(self.folder) and WNID.fullmatch(entry.name) and entry.is_dir():
                        folders.append(f"{folder}/{entry.name}")
