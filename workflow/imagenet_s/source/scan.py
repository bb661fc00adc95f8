"""Raw ImageNet: what the places of a copy hold, as far as it can be known without reading all of it."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from imagenet_s.io.atomic import read_json
from imagenet_s.runtime.progress import progress
from imagenet_s.source.layouts import find_places, indexed_reader, one_pass_sets, streaming_reader
from imagenet_s.source.listing import Row
from imagenet_s.source.readers.base import Found, ScanNotes, merged
from imagenet_s.source.tar_index import Index
from imagenet_s.spec.classes import tier_classes, train_classes
from imagenet_s.spec.splits import listed, tier_val_images
from imagenet_s.spec.subsets import tier_train_images

SYNTHETIC = "SYNTHETIC.txt"  # stands in a copy that is made up, and says so


@dataclass
class SourceScan(ScanNotes):
    """What a listing saw beside the images. Paths are text, for JSON."""

    layout: str = ""
    root: str = ""
    train: list[str] = field(default_factory=list)
    val: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)  # places that were found and are not used
    one_pass: list[str] = field(default_factory=list)  # train, val: what is known only after reading it
    synthetic: bool = False
    entries: list[str] = field(default_factory=list)  # what the root holds, should no layout fit
    pooled: list[str] = field(default_factory=list)  # train, val: what is copied, some of it at least
    sources: dict[str, int] = field(default_factory=dict)  # place → how many images are taken from it
    empty: list[str] = field(default_factory=list)  # listed images of no bytes

    def places(self, kind: str) -> list[Path]:
        """Return the places of `train` or `val`."""
        return [Path(place) for place in {"train": self.train, "val": self.val}[kind]]


# Field → its key in the JSON of a scan. The keys stay, so that existing outputs can be read.
KEYS = {
    "unrecognized": "strangers",
    "duplicates": "doubles",
    "unused": "aside",
    "fingerprints": "stamps",
}


def scan_json(scan: SourceScan) -> dict[str, Any]:
    """Return what is written of a scan as JSON."""
    return {KEYS.get(name, name): value for name, value in asdict(scan).items()}


def read_scan(path: Path) -> SourceScan:
    """Read a scan from the JSON of `scan_json`."""
    fields = {key: name for name, key in KEYS.items()}
    return SourceScan(**{fields.get(key, key): value for key, value in read_json(path).items()})


def list_tier(root: Path, tier: int, index: Index) -> tuple[list[Row], SourceScan]:
    """Lists the source's images of one tier, without opening any: rows of a listing, sorted by image.

    What `index` knows of archives is not read again. Never fails for what is missing: `preflight.check`
    tells all of that at once. Raises UserError for archives that cannot be trusted.
    """
    places = find_places(root)
    seen = SourceScan(
        layout=places.name,
        root=str(root),
        train=list(map(str, places.train)),
        val=list(map(str, places.val)),
        unused=list(map(str, places.unused)),
        one_pass=sorted(one_pass_sets(places)),
        synthetic=(root / SYNTHETIC).exists(),
        entries=sorted(path.name for path in root.iterdir()) if root.is_dir() else [],
    )
    rows = [] if "train" in seen.one_pass else list(_train_rows(places.train, tier, seen, index))
    rows += [] if "val" in seen.one_pass else _val_rows(places.val, tier, seen, index)
    rows.sort()
    in_tars = {"val" if row.image.startswith("ILSVRC") else "train" for row in rows if row.in_archive}
    seen.pooled = sorted(in_tars.union(seen.one_pass))
    # To look at the size of every train image would take long on a network's disk.
    named = {row.image for row in listed(tier, "train-semi")} | {row.image for row in tier_val_images(tier)}
    seen.empty = [row.where for row in rows if row.image in named and _is_empty(row)]
    return rows, seen


def names_ahead(seen: SourceScan) -> tuple[list[str], list[str]]:
    """What is known of a source that must be read in one pass: its images' names; the sets not known.

    `train` or `val` is not known where the names cannot be had without reading all.
    """
    names: list[str] = []
    unknown: list[str] = []
    for kind in seen.one_pass:
        named = [streaming_reader(place).names() for place in seen.places(kind)]
        known = [some for some in named if some is not None]
        if len(known) < len(named):
            unknown.append(kind)
            continue
        with progress(f"Listing {kind}", len(known), "files") as bar:
            for some in known:
                names += some
                bar.update()
    return sorted(set(names)), unknown


def dangling_links(findings: Sequence[SourceScan]) -> list[str]:
    """The links in the source that lead to nothing, each once: path → target."""
    return list(dict.fromkeys(link for seen in findings for link in seen.dangling))


def folder_links(subset: int, findings: Sequence[SourceScan]) -> dict[str, str]:
    """The train folders that can be one link to the source's: those with nothing but their images."""
    wnid_of = train_classes(subset)
    shared = {target for source, target in wnid_of.items() if source != target}
    return {
        f"train/{wnid}": folder
        for seen in findings
        for wnid, folder in seen.whole_folders.items()
        if wnid_of.get(wnid) == wnid and wnid not in shared
    }


def _train_rows(places: Iterable[Path], tier: int, seen: SourceScan, index: Index) -> Iterator[Row]:
    images: dict[str, list[Found]] = {wnid: [] for wnid in tier_classes(tier)}
    for path in places:
        before = sum(map(len, images.values()))
        # What has the official number needs nothing of the places that come later, which may be large.
        if before >= tier_train_images(tier):
            break
        with progress(f"Listing {path.name}, tier {tier}", len(images), "classes") as bar:
            for wnid, found in indexed_reader(path, seen, index).train_images(list(images)):
                images[wnid] = merged(images[wnid], found, seen)
                bar.update()
        seen.sources[str(path)] = sum(map(len, images.values())) - before
    for wnid, found in images.items():
        if any(os.path.dirname(image.path) != seen.whole_folders.get(wnid) for image in found):
            seen.whole_folders.pop(wnid, None)
        yield from (Row(image.image, wnid, *image[1:]) for image in found)


def _val_rows(places: Iterable[Path], tier: int, seen: SourceScan, index: Index) -> Iterator[Row]:
    wanted = {row.image: row.imagenet_wnid for row in tier_val_images(tier)}
    images: list[Found] = []
    for path in places:
        before = len(images)
        if before < len(wanted):
            found = indexed_reader(path, seen, index).val_images()
            images = merged(images, [image for image in found if image.image in wanted], seen)
        seen.sources[str(path)] = len(images) - before
    yield from (Row(image.image, wanted[image.image], *image[1:]) for image in images)


def _is_empty(row: Row) -> bool:
    return not (row.size if row.in_archive else os.path.getsize(row.path))
