"""Images in folders: of classes, of val images flat or in classes, of one tar a class."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from imagenet_s.index import Index
from imagenet_s.places import IMAGE, WNID, Found, Seen, image_name, merged
from imagenet_s.tars import Tar


class Folder:
    """A folder of class folders, of per-class tars (`<wnid>.tar`), or of val images, flat or in classes."""

    one_pass = False

    def __init__(self, path: Path, seen: Seen, index: Index):
        self.folder, self.seen, self.index = path, seen, index

    def classes(self) -> list[str]:
        """The wnids of the class folders and tars that are there, sorted."""
        return sorted({name for name in map(_stem, self._names()) if WNID.fullmatch(name)})

    def train_images(self, wnids: Sequence[str]) -> Iterator[tuple[str, list[Found]]]:
        """(wnid, its images) for each of the classes. A tar of the class completes its folder."""
        names = self._names()
        for wnid in wnids:
            images = self._class_folder(wnid, self.folder / names.get(wnid, wnid))
            archive = self.folder / names.get(f"{wnid}.tar", f"{wnid}.tar")
            if archive.is_file():
                further = Tar(archive, self.seen, self.index).class_images(wnid)
                images = merged(images, further, self.seen)
            yield wnid, images

    def val_images(self) -> list[Found]:
        """The val images: the flat ones first, then class folder by class folder: the file name decides."""
        images: dict[str, Found] = {}
        for path in self._val_files():
            found = Found(image_name(path.rpartition("/")[2]), path)
            if images.setdefault(found.image, found) != found:
                self.seen.doubles.append(path)
        return list(images.values())

    def _names(self) -> dict[str, str]:
        """Each entry's name in lower case → as it is; where two differ only in case, the lower one."""
        return {name.lower(): name for name in sorted(os.listdir(self.folder))}

    def _class_folder(self, wnid: str, folder: Path) -> list[Found]:
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
            self.seen.whole_folders.setdefault(wnid, str(folder))
        return list(images.values())

    def _val_files(self) -> Iterator[str]:
        folders = [str(self.folder)]
        for folder in folders:  # grows while the first, the val folder itself, is read
            with os.scandir(folder) as entries:
                for entry in sorted(entries, key=lambda entry: entry.name):
                    match = IMAGE.fullmatch(entry.name)
                    if match and not match[2] and entry.is_file():
                        yield f"{folder}/{entry.name}"
                    elif folder == str(self.folder) and WNID.fullmatch(entry.name.lower()) and entry.is_dir():
                        folders.append(f"{folder}/{entry.name}")


def _stem(name: str) -> str:
    return name.removesuffix(".tar")
