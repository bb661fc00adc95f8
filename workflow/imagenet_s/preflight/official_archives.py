"""The archives that have official names, compared with the official ones."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from imagenet_s.io.split_file import FIRST_PIECE, SplitFile
from imagenet_s.preflight.archive_check import archive_problems
from imagenet_s.runtime.problems import require_none
from imagenet_s.runtime.progress import progress
from imagenet_s.source.layouts import Places

# Official archive → bytes, md5. The md5 are the publisher's; the sizes are those of known copies.
ARCHIVES = {
    "ilsvrc2012_img_train.tar": (147_897_477_120, "1d675b47d978889d74fa0da5fadfb00e"),
    "ilsvrc2012_img_val.tar": (6_744_924_160, "29b22e2961454d5413ddabcf34fc5622"),
}
CHUNK = 1 << 22  # bytes read at a time


class Archive(NamedTuple):
    """An archive with an official name. `md5` is None if it was not computed."""

    name: str
    bytes: int
    official_bytes: int
    md5: str | None
    official_md5: str


def compare_archives(places: Places, md5: bool) -> list[Archive]:
    """Compare the archives that have official names, even in pieces, with the official ones.

    Raises:
        UserError: Archives are missing or not archives.
    """
    official = [place for place in (*places.train, *places.val) if _official_name(place) in ARCHIVES]
    if official:
        require_none(archive_problems(places))
    return [_compare(place, md5) for place in official]


def _official_name(place: Path) -> str:
    match = FIRST_PIECE.fullmatch(place.name)
    return (match[1] if match else place.name).lower()


def _compare(place: Path, md5: bool) -> Archive:
    size, digest = ARCHIVES[_official_name(place)]
    with SplitFile(place) as pieces:
        found = _md5_of(pieces, place.name) if md5 else None
        return Archive(place.name, pieces.size, size, found, digest)


def _md5_of(pieces: SplitFile, name: str) -> str:
    digest, buffer = hashlib.md5(usedforsecurity=False), bytearray(CHUNK)
    with progress(f"md5 of {name}", pieces.size, "B") as bar:
        for offset in range(0, pieces.size, CHUNK):
            count = pieces.fill(memoryview(buffer), offset)
            digest.update(memoryview(buffer)[:count])
            bar.update(count)
    return digest.hexdigest()
