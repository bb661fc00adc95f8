"""Images in tar archives, read where they lie: the official ones, of one tar a class, and plain ones."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from imagenet_s.io.split_file import SplitFile, fingerprint
from imagenet_s.io.tar_headers import MAX_IMAGE_BYTES, Member
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.system_files import is_system_file
from imagenet_s.source.readers.base import IMAGE, WNID, Found, ScanNotes, base_name, image_name
from imagenet_s.source.tar_index import Index


class Tar:
    """A tar of images, or of one tar a class (`<wnid>.tar`), as the official train archive is."""

    def __init__(self, path: Path, seen: ScanNotes, index: Index):
        self.archive, self.seen, self.index = path, seen, index
        self.seen.fingerprints[str(path)] = fingerprint(path)

    def classes(self) -> list[str]:
        """The wnids of the classes that are there, sorted."""
        with SplitFile(self.archive) as pieces:
            tars, loose = self._by_class(pieces)
        return sorted(wnid for wnid in tars.keys() | loose.keys() if WNID.fullmatch(wnid))

    def train_images(self, wnids: Sequence[str]) -> Iterator[tuple[str, list[Found]]]:
        """(wnid, its images) for each of the classes; only their headers are read."""
        with SplitFile(self.archive) as pieces:
            tars, loose = self._by_class(pieces)
            for wnid in wnids:
                inner = [found for member in tars[wnid] for found in self.index.members(pieces, member)]
                yield wnid, self._images(pieces, wnid, [*inner, *loose[wnid]])

    def class_images(self, wnid: str) -> list[Found]:
        """The images of a tar that holds one class."""
        with SplitFile(self.archive) as pieces:
            return self._images(pieces, wnid, self.index.members(pieces))

    def val_images(self) -> list[Found]:
        """The val images; the file name decides."""
        with SplitFile(self.archive) as pieces:
            return self._images(pieces, None, self.index.members(pieces))

    def _by_class(self, pieces: SplitFile) -> tuple[dict[str, list[Member]], dict[str, list[Member]]]:
        """wnid → the tars of that class in the archive; wnid → its images that lie there without a tar."""
        tars, loose = defaultdict(list), defaultdict(list)
        for member in self.index.members(pieces):
            base = base_name(member.name)
            match = IMAGE.fullmatch(base)
            if base.lower().endswith(".tar") and not is_system_file(base):
                tars[base[:-4].lower()].append(member)
            elif match and match[2]:
                loose[match[2].lower()].append(member)
        return tars, loose

    def _images(self, pieces: SplitFile, wnid: str | None, found: Iterable[Member]) -> list[Found]:
        """The members that are images of the class, or val images. Of doubles, both must be the same."""
        images: dict[str, Found] = {}
        for name, offset, size in found:
            base = base_name(name)
            match = IMAGE.fullmatch(base)
            if not match or (match[2] and match[2].lower()) != wnid:
                if not is_system_file(base):  # what macOS adds to archives
                    self.seen.unrecognized.append(f"{self.archive}: {name}")
                continue
            image = Found(image_name(base), str(self.archive), offset, size)
            first = images.setdefault(image.image, image)
            if first != image and not _is_same(pieces, first, image):
                raise UserError(
                    f"{self.archive} holds {image.image}.JPEG twice, with different bytes: at byte "
                    f"{first.offset:,} ({first.size:,} bytes) and as {name!r} at byte {offset:,} ({size:,} "
                    "bytes). Nobody can tell which is right; get the archive again."
                )
        return list(images.values())


def _is_same(pieces: SplitFile, one: Found, other: Found) -> bool:
    """Whether two members have the same bytes. Raises UserError for what would only fill the memory."""
    if one.size > MAX_IMAGE_BYTES or other.size > MAX_IMAGE_BYTES:
        raise UserError(
            f"{one.path}: {one.image} has {max(one.size, other.size):,} bytes, more than any image has. Get "
            "the archive again."
        )
    return one.size == other.size and (
        pieces.read(one.size, one.offset) == pieces.read(other.size, other.offset)
    )
