"""The scan of raw ImageNet: what a copy holds, as far as this is known without reading all of it."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from imagenet_s.io.atomic import read_json
from imagenet_s.runtime.progress import progress
from imagenet_s.runtime.read_ahead import map_ahead
from imagenet_s.source.layouts import MAX_PASSES, Places, find_places
from imagenet_s.source.listing import Row
from imagenet_s.source.readers.base import ImageLocation, ScanNotes, add_images, note_duplicate
from imagenet_s.source.readers.choose import indexed_reader, streaming_reader
from imagenet_s.source.tar_index import Index
from imagenet_s.spec.classes import tier_classes, train_classes
from imagenet_s.spec.splits import listed, tier_val_images
from imagenet_s.spec.subsets import tier_train_images

SYNTHETIC = "SYNTHETIC.txt"  # a file that marks a made-up copy
COMPARED = 3  # images of a class, or of val, that are compared with those of a folder that is not needed


@dataclass
class SourceScan(ScanNotes):
    """What the scan of a tier finds beside the images. Paths are text, for JSON."""

    layout: str = ""
    root: str = ""
    val_root: str = ""  # if the user names a path for each set; `root` is then that of train
    train: list[str] = field(default_factory=list)
    val: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)  # places that were found and are not used
    one_pass: list[str] = field(default_factory=list)  # train, val: the sets read from front to back
    synthetic: bool = False
    entries: list[str] = field(default_factory=list)  # names in the root, for when no layout fits
    by_content: list[str] = field(default_factory=list)  # places whose names do not tell what they hold
    pooled: list[str] = field(default_factory=list)  # train, val: the sets with images that are copied
    sources: dict[str, int] = field(default_factory=dict)  # place → number of images taken from it
    empty: list[str] = field(default_factory=list)  # listed images without bytes
    part_bytes: dict[str, int] = field(default_factory=dict)  # part → about how many bytes its images have

    def places(self, kind: str) -> list[Path]:
        """Return the places of `train` or `val`."""
        return [Path(place) for place in {"train": self.train, "val": self.val}[kind]]

    @property
    def origin(self) -> str:
        """Where the images come from: the root, or the roots of train and of val."""
        return describe_roots(self.root, self.val_root)

    @property
    def roots(self) -> list[Path]:
        """The root, or the roots of train and of val."""
        return [Path(root) for root in (self.root, self.val_root) if root]

    def short_name(self, place: str | Path) -> str:
        """Return a place as reports name it: below its root, or by its name if it is the root itself."""
        path = Path(place)
        root = next((root for root in self.roots if path.is_relative_to(root)), path)
        return path.name if path == root else str(path.relative_to(root))

    def passes(self) -> dict[str, int]:
        """Return the sets that are read from front to back → how many jobs share their files."""
        return {kind: min(MAX_PASSES, len(self.places(kind))) for kind in self.one_pass}


# Field → its key in the JSON of a scan. The keys stay, so that existing outputs can be read.
KEYS = {
    "unrecognized": "strangers",
    "duplicates": "doubles",
    "unused": "aside",
    "fingerprints": "stamps",
}


def scan_json(scan: SourceScan) -> dict[str, Any]:
    """Return the JSON object that stands for a scan."""
    return {KEYS.get(name, name): value for name, value in asdict(scan).items()}


def read_scan(path: Path) -> SourceScan:
    """Return the scan in a file that holds the JSON of `scan_json`."""
    fields = {key: name for name, key in KEYS.items()}
    return SourceScan(**{fields.get(key, key): value for key, value in read_json(path).items()})


def list_tier(
    root: Path, tier: int, index: Index, val_root: Path | None = None
) -> tuple[list[Row], SourceScan]:
    """Return the source's images of one tier as rows of a listing, sorted by image, and the scan.

    No image is opened. Missing images are no error here: `preflight.check` reports them all at once.

    Args:
        root: The folder of the copy of ImageNet, or the zip that holds it.
        tier: 50, 300 or 919.
        index: The known members of archives, whose headers are not read again. New members are added.
        val_root: Where val is, if `root` is the path of train alone.

    Raises:
        UserError: An archive is damaged or not to be trusted.
    """
    places = find_places(root, val_root)
    scan = SourceScan(
        layout=places.name,
        root=str(places.root),
        val_root=str(places.val_root or ""),
        train=list(map(str, places.train)),
        val=list(map(str, places.val)),
        unused=list(map(str, places.unused)),
        one_pass=sorted(places.one_pass),
        synthetic=any((folder / SYNTHETIC).exists() for folder in _folders(places)),
        entries=sorted(path.name for path in places.root.iterdir()) if places.root.is_dir() else [],
        by_content=list(map(str, places.by_content)),
    )
    rows = [] if "train" in scan.one_pass else list(_train_rows(places.train, tier, scan, index))
    rows += [] if "val" in scan.one_pass else _val_rows(places.val, tier, scan, index)
    rows.sort()
    in_archives = {"val" if row.image.startswith("ILSVRC") else "train" for row in rows if row.in_archive}
    scan.pooled = sorted(in_archives.union(scan.one_pass))
    # Not of every train image: asking for so many sizes takes long on a network disk.
    named = {row.image for row in listed(tier, "train-semi")} | {row.image for row in tier_val_images(tier)}
    asked = [row for row in rows if row.image in named]
    with closing(map_ahead(_is_empty, asked)) as empty:
        scan.empty = [row.where for row, is_empty in zip(asked, empty, strict=True) if is_empty]
    return rows, scan


def describe_roots(root: str, val_root: str | None) -> str:
    """Return where images come from, for a message: a path, or those of train and of val."""
    return f"{root} (train), {val_root} (val)" if val_root else root


def _folders(places: Places) -> Iterator[Path]:
    """Yield the folders that may have a file that marks a made-up copy."""
    for root in places.roots:
        yield root if root.is_dir() else root.parent
        if places.val_root and root in (*places.train, *places.val):  # a folder of images in the copy
            yield root.parent


def names_ahead(scan: SourceScan) -> tuple[list[str], list[str]]:
    """Return what is known ahead of the sets that are read from front to back.

    Returns:
        The names of the images, without ending, and the sets (`train`, `val`) whose names are not known
        before all is read.
    """
    names: list[str] = []
    unknown: list[str] = []
    for kind in scan.one_pass:
        named = [streaming_reader(place).names() for place in scan.places(kind)]
        known = [some for some in named if some is not None]
        if len(known) < len(named):
            unknown.append(kind)
            continue
        with progress(f"Listing {kind}", len(known), "files") as bar:
            for some in known:
                names += some
                bar.update()
    return sorted(set(names)), unknown


def dangling_links(scans: Sequence[SourceScan]) -> list[str]:
    """Return the links in the source that lead to nothing, each once, as `path → target`."""
    return list(dict.fromkeys(link for scan in scans for link in scan.dangling))


def folder_links(subset: int, scans: Sequence[SourceScan]) -> dict[str, str]:
    """Return `train/<wnid>` → the source folder of just its images, where one link to this folder will do."""
    wnid_of = train_classes(subset)
    shared = {target for source, target in wnid_of.items() if source != target}
    return {
        f"train/{wnid}": folder
        for scan in scans
        for wnid, folder in scan.whole_folders.items()
        if wnid_of.get(wnid) == wnid and wnid not in shared
    }


def _train_rows(places: Sequence[Path], tier: int, scan: SourceScan, index: Index) -> Iterator[Row]:
    images: dict[str, dict[str, ImageLocation]] = {wnid: {} for wnid in tier_classes(tier)}
    with progress(f"Listing train, tier {tier}", len(images) * len(places), "classes") as bar:
        for path in places:
            before = sum(map(len, images.values()))
            # Later places, which may be large, are not needed once the official number is there.
            if before >= tier_train_images(tier):
                for of_class in images.values():
                    _compare_some(of_class, path, scan)
                continue
            for wnid, found in indexed_reader(path, scan, index).train_images(list(images)):
                add_images(images[wnid], found, scan)
                bar.update()
            scan.sources[str(path)] = sum(map(len, images.values())) - before
    for wnid, locations in images.items():
        if any(os.path.dirname(image.path) != scan.whole_folders.get(wnid) for image in locations.values()):
            scan.whole_folders.pop(wnid, None)
        yield from (row_of(image, wnid) for image in locations.values())


def _val_rows(places: Iterable[Path], tier: int, scan: SourceScan, index: Index) -> Iterator[Row]:
    wanted = {row.image: row.imagenet_wnid for row in tier_val_images(tier)}
    images: dict[str, ImageLocation] = {}
    for path in places:
        before = len(images)
        if before < len(wanted):
            found = indexed_reader(path, scan, index).val_images()
            add_images(images, (image for image in found if image.image in wanted), scan)
        else:
            _compare_some(images, path, scan)
        scan.sources[str(path)] = len(images) - before
    yield from (row_of(image, wanted[image.image]) for image in images.values())


def _compare_some(images: Mapping[str, ImageLocation], folder: Path, notes: ScanNotes) -> None:
    """Compare the sizes of some images with those of their files in a folder that is not needed.

    One of two complete folders may be of resized images, and their names may not tell which.
    """
    for used in islice((image for image in images.values() if image.offset is None), COMPARED):
        inner, name = Path(used.path).parts[-2:]
        for path in (folder / name, folder / inner / name):
            if path.is_file() and path.stat().st_size != used.stored_bytes():
                note_duplicate(used, ImageLocation(used.image, str(path)), True, notes)


def row_of(image: ImageLocation, wnid: str) -> Row:
    """Return the row of an image of the ImageNet class `wnid`."""
    return Row(image.image, wnid, *image[1:])


def _is_empty(row: Row) -> bool:
    return not (row.size if row.in_archive else os.path.getsize(row.path))
