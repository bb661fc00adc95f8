"""Raw ImageNet: what the places of a copy hold, as far as it can be known without reading all of it."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from imagenet_s.classes import CLASS_SIZES, tier_classes
from imagenet_s.index import Index
from imagenet_s.layouts import find_places, one_pass_sets, reader_of
from imagenet_s.listing import Row
from imagenet_s.places import Found, Seen
from imagenet_s.progress import progress
from imagenet_s.splits import listed, tier_val_images

SYNTHETIC = "SYNTHETIC.txt"  # stands in a copy that is made up, and says so


@dataclass
class Findings(Seen):
    """What a listing saw beside the images. Paths are text, for JSON."""

    layout: str = ""
    root: str = ""
    train: list[str] = field(default_factory=list)
    val: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)  # places that were found and are not used
    one_pass: list[str] = field(default_factory=list)  # train, val: what is known only after reading it
    synthetic: bool = False
    entries: list[str] = field(default_factory=list)  # what the root holds, should no layout fit
    sources: dict[str, int] = field(default_factory=dict)  # place → how many images are taken from it
    empty: list[str] = field(default_factory=list)  # listed images of no bytes


def list_tier(root: Path, tier: int, index: Index) -> tuple[list[Row], Findings]:
    """Lists the source's images of one tier, without opening any: rows of a listing, sorted by image.

    What `index` knows of archives is not read again. Never fails for what is missing: `check.py` tells all
    of that at once. Raises UserError for archives that cannot be trusted.
    """
    places = find_places(root)
    seen = Findings(
        layout=places.name,
        root=str(root),
        train=list(map(str, places.train)),
        val=list(map(str, places.val)),
        aside=list(map(str, places.aside)),
        one_pass=sorted(one_pass_sets(places)),
        synthetic=(root / SYNTHETIC).exists(),
        entries=sorted(path.name for path in root.iterdir()) if root.is_dir() else [],
    )
    rows = [] if "train" in seen.one_pass else list(_train_rows(places.train, tier, seen, index))
    rows += [] if "val" in seen.one_pass else _val_rows(places.val, tier, seen, index)
    rows.sort()
    # To look at the size of every train image would take long on a network's disk.
    named = {row.image for row in listed(tier, "train-semi")} | {row.image for row in tier_val_images(tier)}
    seen.empty = [_where(row) for row in rows if row.image in named and _is_empty(row)]
    return rows, seen


def names_ahead(seen: Findings) -> tuple[list[str], list[str]]:
    """What is known of a source that must be read in one pass: its images' names; the sets not known.

    `train` or `val` is not known where the names cannot be had without reading all.
    """
    names, unknown = [], []
    for kind in seen.one_pass:
        readers = [reader_of(Path(path))(Path(path)) for path in getattr(seen, kind)]
        if all(hasattr(reader, "names") for reader in readers):
            with progress(f"Listing {kind}", len(readers), "files") as bar:
                for reader in readers:
                    names += reader.names()
                    bar.update()
        else:
            unknown.append(kind)
    return sorted(set(names)), unknown


def _train_rows(places: Iterable[Path], tier: int, seen: Findings, index: Index) -> Iterator[Row]:
    images: dict[str, dict[str, Found]] = {wnid: {} for wnid in tier_classes(tier)}
    for path in places:
        # One with fewer images than any class has is completed from the places that come later, so that a
        # half-unpacked archive beside its folder does no harm.
        short = [wnid for wnid, found in images.items() if len(found) < CLASS_SIZES[0]]
        if not short:
            break
        with progress(f"Listing {path.name}, tier {tier}", len(short), "classes") as bar:
            whole = dict(seen.whole_folders)
            for wnid, found in reader_of(path)(path, seen, index).train_images(short):
                before = len(images[wnid])
                new = _add(images[wnid], found, path, seen)
                if before:  # then this place's folder is not all of the class, and with more, no folder is
                    seen.whole_folders.pop(wnid, None)
                    if wnid in whole and not new:
                        seen.whole_folders[wnid] = whole[wnid]
                bar.update()
    for wnid, found in images.items():
        yield from (Row(image.image, wnid, *image[1:]) for image in found.values())


def _val_rows(places: Iterable[Path], tier: int, seen: Findings, index: Index) -> Iterator[Row]:
    wanted = {row.image: row.imagenet_wnid for row in tier_val_images(tier)}
    images: dict[str, Found] = {}
    for path in places:
        if len(images) < len(wanted):
            found = reader_of(path)(path, seen, index).val_images()
            _add(images, [image for image in found if image.image in wanted], path, seen)
    yield from (Row(image.image, wanted[image.image], *image[1:]) for image in images.values())


def _add(images: dict[str, Found], found: list[Found], path: Path, seen: Findings) -> int:
    """Adds the images that earlier places did not have; returns how many."""
    new = [image for image in found if image.image not in images]
    images |= {image.image: image for image in new}
    seen.sources[str(path)] = seen.sources.get(str(path), 0) + len(new)
    return len(new)


def _is_empty(row: Row) -> bool:
    return not (row.size if row.in_archive else os.path.getsize(row.path))


def _where(row: Row) -> str:
    return f"{row.path}: {row.image}" if row.in_archive else row.path
