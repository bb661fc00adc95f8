"""The report of `inspect` on a copy of ImageNet-1k: its layout, image counts, buildable subsets, archives."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from imagenet_s.io.split_file import FIRST_PIECE, SplitFile
from imagenet_s.preflight.archive_check import archive_problems
from imagenet_s.preflight.check import known_images, scan_source
from imagenet_s.preflight.completeness import subset_problems
from imagenet_s.preflight.decoding import faults_of_images, images_in
from imagenet_s.preflight.disk_space import IMAGES
from imagenet_s.preflight.wrong_folder import empty_place_problems, layout_problem
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.problems import require_none
from imagenet_s.runtime.progress import progress
from imagenet_s.runtime.units import size_text
from imagenet_s.source.layouts import find_places
from imagenet_s.source.listing import all_files
from imagenet_s.source.scan import SourceScan
from imagenet_s.source.tar_index import Index
from imagenet_s.spec.subsets import SUBSETS, subset_of

# Official archive → bytes, md5. The md5 are the publisher's; the sizes are those of known copies.
ARCHIVES = {
    "ilsvrc2012_img_train.tar": (147_897_477_120, "1d675b47d978889d74fa0da5fadfb00e"),
    "ilsvrc2012_img_val.tar": (6_744_924_160, "29b22e2961454d5413ddabcf34fc5622"),
}
CLASSES = 1000  # in ImageNet-1k
CHUNK = 1 << 22  # bytes read at a time


def print_report(path: Path, md5: bool, images: bool, workers: int) -> None:
    """Print the report of `inspect`."""
    for line in inspect(Path(os.path.abspath(path)), md5, images, workers):
        print(line)


def inspect(root: Path, md5: bool, decoding: bool, workers: int) -> Iterator[str]:
    """Yield the lines of a report.

    Args:
        root: The folder of the copy, as an absolute path.
        md5: Whether to read official archives as a whole and compare their md5.
        decoding: Whether to decode every image.
        workers: Number of threads that decode.

    Raises:
        UserError: After the last line: no subset can be built, an md5 is wrong, or an image is faulty.
    """
    wrong: list[str] = []
    places = find_places(root)
    archives = [place for place in (*places.train, *places.val) if _official_name(place) in ARCHIVES]
    if md5:  # before the scan, which a damaged archive stops
        require_none(archive_problems(places))
        for place in archives:
            line, is_official = _compare_md5(place)
            yield line
            wrong += [] if is_official else [place.name]
    index = Index()
    listings, scans = scan_source(root, SUBSETS, index)
    scan = scans[0]
    if not scan.train or not scan.val:
        require_none([layout_problem(scan)])
    require_none(empty_place_problems(scans))
    images, unknown = known_images(all_files(listings), scan)
    yield f"{scan.root}: {scan.layout}"
    for kind in ("train", "val"):
        yield f"{kind:<8} {', '.join(_names(scan, kind))}: {_count(kind, scan, unknown, images, index)}"
    if scan.unused:
        yield f"unused   {first_few(map(scan.short_name, scan.unused))}"
    buildable = False
    for subset in SUBSETS:
        possible, lines = _prospect(images, subset, unknown)
        yield from lines
        buildable = buildable or possible
    for place in archives:
        yield _compare_size(place)
    faults: list[str] = []
    if decoding:
        scanned = [(kind, place) for kind in ("train", "val") for place in scan.places(kind)]
        count, faults = faults_of_images(scanned, index, workers)
        yield f"images   {count:,} decoded"
        yield from faults
    if wrong:
        raise UserError(f"Not the official bytes: {', '.join(wrong)}. Get them again.")
    if not buildable:
        raise UserError("No subset can be built: listed images are missing. Complete the copy.")
    if faults:
        raise UserError(f"{len(faults):,} images or archives are faulty, see above. Get them again.")


def _prospect(images: pa.Table, subset: int, unknown: Sequence[str]) -> tuple[bool, list[str]]:
    """Return whether a subset can be built, as far as is known, and the lines that say so."""
    problems = subset_problems(images, subset, complete=True, unknown=unknown)
    possible = not subset_problems(images, subset, complete=False, unknown=unknown)
    verdict = "can be built" if possible else "cannot be built"
    if unknown and possible:
        verdict = "not known until it is read"
    elif problems:
        verdict += ", but only with `train_images: any`:" if possible else ":"
    return possible, [
        f"{subset_of(subset).name:<12} {verdict}",
        *(f"  {problem.text}" for problem in problems),
    ]


def _names(scan: SourceScan, kind: str) -> list[str]:
    names = [scan.short_name(place) for place in scan.places(kind)]
    return names if len(names) < 4 else [names[0], "…", names[-1]]


def _count(kind: str, scan: SourceScan, unknown: Sequence[str], images: pa.Table, index: Index) -> str:
    """Return how many images of any class there are, in words."""
    places = scan.places(kind)
    if kind in unknown:
        size = size_text(sum(place.stat().st_size for place in places))
        return f"{size}; what it holds is not known until it is read from front to back"
    if kind in scan.one_pass:
        prefix = "n" if kind == "train" else "ILSVRC"
        names = {name for name in map(str, images["image"].to_pylist()) if name.startswith(prefix)}
    else:
        names = {location.image for place in places for location in images_in(place, kind, index)}
    text = f"{len(names):,} images"
    if kind == "train":
        text += f" in {len({name.partition('_')[0] for name in names}):,} classes"
        return text + f" (ImageNet-1k: {IMAGES[kind]:,} in {CLASSES:,})"
    return text + f" (ImageNet-1k: {IMAGES[kind]:,})"


def _official_name(place: Path) -> str:
    match = FIRST_PIECE.fullmatch(place.name)
    return (match[1] if match else place.name).lower()


def _compare_size(place: Path) -> str:
    """Return a line that compares the size of an archive with the official one."""
    size, _ = ARCHIVES[_official_name(place)]
    with SplitFile(place) as pieces:
        verdict = "as the official one" if pieces.size == size else f"the official one has {size:,}"
        return f"size     {place.name}: {pieces.size:,} bytes, {verdict}"


def _compare_md5(place: Path) -> tuple[str, bool]:
    """Return a line that compares the md5 of an archive with the official one, and whether they are equal."""
    _, digest = ARCHIVES[_official_name(place)]
    with SplitFile(place) as pieces:
        found = _md5_of(pieces, place.name)
    verdict = "as the official one" if found == digest else f"the official one is {digest}"
    return f"md5      {place.name}: {found}, {verdict}", found == digest


def _md5_of(pieces: SplitFile, name: str) -> str:
    digest, buffer = hashlib.md5(usedforsecurity=False), bytearray(CHUNK)
    with progress(f"md5 of {name}", pieces.size, "B") as bar:
        for offset in range(0, pieces.size, CHUNK):
            count = pieces.fill(memoryview(buffer), offset)
            digest.update(memoryview(buffer)[:count])
            bar.update(count)
    return digest.hexdigest()
