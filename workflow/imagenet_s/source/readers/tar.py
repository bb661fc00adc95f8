"""Images in uncompressed tars: the official ones, which hold one tar per class, and plain ones."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from imagenet_s.io.split_file import SplitFile, fingerprint
from imagenet_s.io.tar_headers import MAX_IMAGE_BYTES, Member
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.system_files import is_system_file
from imagenet_s.source.readers.base import IMAGE, WNID, ImageLocation, ScanNotes, base_name, image_name
from imagenet_s.source.tar_index import Index


class Tar:
    """A tar of images, or of one tar per class (`<wnid>.tar`), as the official train archive is."""

    def __init__(self, path: Path, notes: ScanNotes, index: Index):
        self.archive, self.notes, self.index = path, notes, index
        self.notes.fingerprints[str(path)] = fingerprint(path)

    def classes(self) -> list[str]:
        """Return the wnids of the classes that have images, sorted."""
        with SplitFile(self.archive) as pieces:
            tars, loose = self._by_class(pieces)
        return sorted(wnid for wnid in tars.keys() | loose.keys() if WNID.fullmatch(wnid))

    def train_images(self, wnids: Sequence[str]) -> Iterator[tuple[str, list[ImageLocation]]]:
        """Yield each wnid with the images of its class. Only headers are read, and only of these classes."""
        with SplitFile(self.archive) as pieces:
            tars, loose = self._by_class(pieces)
            for wnid in wnids:
                inner = [member for tar in tars[wnid] for member in self.index.members(pieces, tar)]
                yield wnid, self._images(pieces, wnid, [*inner, *loose[wnid]])

    def class_images(self, wnid: str) -> list[ImageLocation]:
        """Return the images of a tar that holds one class."""
        with SplitFile(self.archive) as pieces:
            return self._images(pieces, wnid, self._members(pieces))

    def val_images(self) -> list[ImageLocation]:
        """Return the val images; their file names decide, not their folders."""
        with SplitFile(self.archive) as pieces:
            return self._images(pieces, None, self._members(pieces))

    def _members(self, pieces: SplitFile) -> list[Member]:
        return self.index.members(pieces)

    def _by_class(self, pieces: SplitFile) -> tuple[dict[str, list[Member]], dict[str, list[Member]]]:
        """Return wnid → tars of that class in the archive, and wnid → its images outside of such tars."""
        tars: dict[str, list[Member]] = defaultdict(list)
        loose: dict[str, list[Member]] = defaultdict(list)
        for member in self._members(pieces):
            base = base_name(member.name)
            match = IMAGE.fullmatch(base)
            if base.lower().endswith(".tar") and not is_system_file(base):
                tars[base[:-4].lower()].append(member)
            elif match and match[2]:
                loose[match[2].lower()].append(member)
        return tars, loose

    def _images(self, pieces: SplitFile, wnid: str | None, members: Iterable[Member]) -> list[ImageLocation]:
        """Return the members that are images of the class, or val images if `wnid` is None.

        Raises:
            UserError: An image is there twice, with different bytes.
        """
        images: dict[str, Member] = {}
        for member in members:
            base = base_name(member.name)
            match = IMAGE.fullmatch(base)
            if not match or (match[2] and match[2].lower()) != wnid:
                if not is_system_file(base):  # macOS adds such files to archives
                    self.notes.unrecognized.append(f"{self.archive}: {member.name}")
                continue
            image = image_name(match)
            first = images.setdefault(image, member)
            if first is not member and not self._is_same(pieces, image, first, member):
                raise UserError(
                    f"{self.archive} holds {image}.JPEG twice, with different bytes: at byte "
                    f"{first.offset:,} ({first.size:,} bytes) and as {member.name!r} at byte "
                    f"{member.offset:,} ({member.size:,} bytes). Which one is right cannot be known; get the "
                    "archive again."
                )
        path = str(self.archive)
        return [ImageLocation(image, path, member.offset, member.size) for image, member in images.items()]

    def _is_same(self, pieces: SplitFile, image: str, one: Member, other: Member) -> bool:
        """Return whether two members have the same bytes.

        Raises:
            UserError: A member is larger than any image, and would only fill the memory.
        """
        if one.size > MAX_IMAGE_BYTES or other.size > MAX_IMAGE_BYTES:
            raise UserError(
                f"{self.archive}: {image} has {max(one.size, other.size):,} bytes, more than any image has. "
                "Get the archive again."
            )
        return one.size == other.size and (
            pieces.read(one.size, one.offset) == pieces.read(other.size, other.offset)
        )
