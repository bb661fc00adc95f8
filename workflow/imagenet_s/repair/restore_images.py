"""Restoring images of a build: plan the entries to make, fetch lost copies, place the entries."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from imagenet_s.copies.file_tables import IMAGE
from imagenet_s.dataset.dataset_file import read_dataset
from imagenet_s.dataset.manifests import manifest_rows
from imagenet_s.dataset.tree import entries
from imagenet_s.images.reader import Reader
from imagenet_s.io.atomic import ensure_real_dir, write_atomically
from imagenet_s.io.columns import texts
from imagenet_s.preflight.check import scan_source
from imagenet_s.repair.damage import Copy, TreeEntry, behind_links, damaged_of, digest_of, place_entry
from imagenet_s.source.listing import Row, all_files
from imagenet_s.source.readers.choose import streaming_reader
from imagenet_s.source.scan import SourceScan
from imagenet_s.source.tar_index import Index
from imagenet_s.spec.subsets import SPLITS, tiers_of
from imagenet_s.verify.adopt import ADOPTED
from imagenet_s.verify.compare import VerificationResult


@dataclass(frozen=True)
class ScannedSource:
    """The source as it is now."""

    listing: pa.Table  # of LISTING: where it has its images
    scans: Sequence[SourceScan]  # one per tier

    def prefixes(self) -> tuple[str, ...]:
        """Return the prefixes of image names that no listing has, because they are read in one pass."""
        return tuple("ILSVRC" if kind == "val" else "n" for kind in self.scans[0].one_pass)


@dataclass(frozen=True)
class ImagePlan:
    """What to do about damaged images; keys are paths in the subset's folder.

    No image is in both `entries` and `lost`.
    """

    entries: Mapping[str, TreeEntry]  # how each gets into the tree
    digests: Mapping[str, str]  # the sha256 that it must have
    lost: Mapping[str, str]  # why it cannot be restored


def restore_images(copy: Copy, result: VerificationResult, relocated: Set[str], scratch: Path) -> list[str]:
    """Restore images, as links or as copies; return those that could not be restored, and why."""
    damaged = damaged_of(result, IMAGE, relocated)
    if not damaged:
        return []
    source = scanned(copy)
    plan = plan_images(copy, result, damaged, source)
    lost = {**plan.lost, **fetch_images(copy, plan, source, scratch)}
    problems = place_images(copy.root, [e for path, e in plan.entries.items() if path not in lost], scratch)
    return [*problems, *(f"{path}: {why}" for path, why in sorted(lost.items()))]


def plan_images(
    copy: Copy, result: VerificationResult, damaged: Mapping[str, str], source: ScannedSource
) -> ImagePlan:
    """Return how to restore damaged images, and those that share a link with them. Write nothing.

    Args:
        copy: The copy to repair.
        result: What a check found about it.
        damaged: Path → sha256 of the damaged images.
        source: The source as it is now.
    """
    splits = [split for split in SPLITS if f"manifests/{split}.csv" not in result.expected.damaged]
    lost = {path: "its manifest is damaged" for path in damaged if path.partition("/")[0] not in splits}
    rows, absent = _rows_in(source, manifest_rows(copy.root, splits))
    lost |= dict.fromkeys(absent & damaged.keys(), "the source does not have it")
    dataset = read_dataset(copy.root)
    link = "copy" if dataset and dataset["build"]["link"] == ADOPTED else copy.config.link
    tree = entries(copy.subset, rows, source.listing, source.scans, link, copy.workspace)
    targets = dict(zip(texts(tree["path"]), tree.drop("path").to_pylist(), strict=True))
    made = {path: _entry_of(copy.root, path, targets) for path in damaged.keys() - lost.keys()}
    behind = behind_links(result, IMAGE, {entry.path for entry in made.values()})
    made |= {path: _entry_of(copy.root, path, targets) for path in behind.keys() - lost.keys() - absent}
    return ImagePlan(made, {**damaged, **behind}, lost)


def fetch_images(copy: Copy, plan: ImagePlan, source: ScannedSource, scratch: Path) -> dict[str, str]:
    """Copy images of the plan from the source into the pool if their copy there is damaged or missing.

    Returns:
        Path → why, for images of which the source has other bytes.
    """
    wrong = {path for path, entry in plan.entries.items() if digest_of(entry.file) != plan.digests[path]}
    pool = f"{os.path.abspath(copy.workspace.pool)}/"
    # train-semi shares its images, and so their copies, with train.
    copies = {Path(path).stem: path for path in wrong if plan.entries[path].file.startswith(pool)}
    fetched = set()
    for image, data in _bytes_of(set(copies), source):
        path = copies[image]
        if sha256(data).hexdigest() == plan.digests[path]:
            file = Path(plan.entries[path].file)
            folder = ensure_real_dir(copy.workspace.pool, file.parent.relative_to(pool))
            write_atomically(data, folder / file.name, scratch)
            fetched.add(image)
    return {path: "the source has other bytes" for path in wrong if Path(path).stem not in fetched}


def place_images(root: Path, made: Iterable[TreeEntry], scratch: Path) -> list[str]:
    """Make the entries in the tree at `root`, each once; return those that cannot be made, and why."""
    by_path = {entry.path: entry for entry in made}
    failed = {path: place_entry(root, entry, scratch) for path, entry in by_path.items()}
    return [f"{path}: {why}" for path, why in failed.items() if why]


def _rows_in(source: ScannedSource, rows: pa.Table) -> tuple[pa.Table, set[str]]:
    """Return the rows of manifests whose image the source has, and the paths of the other images."""
    known, one_pass = set(texts(source.listing["image"])), source.prefixes()
    stems = [Path(path).stem for path in texts(rows["image"])]
    there = pa.array([stem in known or stem.startswith(one_pass) for stem in stems], pa.bool_())
    return rows.filter(there), set(texts(rows.filter(pc.invert(there))["image"]))


def _entry_of(root: Path, path: str, targets: Mapping[str, Mapping[str, str]]) -> TreeEntry:
    """Return the entry for an image: its own, or the link of its class folder."""
    if path in targets:
        own = targets[path]
        return TreeEntry(path, own["target"], own["kind"], own["target"])
    folder, _, name = path.rpartition("/")
    whole = targets[folder]
    file = f"{whole['target']}/{name}"
    if (root / folder).is_dir() and not (root / folder).is_symlink():  # the class was linked file by file
        return TreeEntry(path, file, whole["kind"], file)
    return TreeEntry(folder, whole["target"], whole["kind"], file)


def scanned(copy: Copy) -> ScannedSource:
    """Scan the source of a copy; for the demo, the images that a build made."""
    imagenet = copy.config.imagenet or os.path.abspath(copy.workspace.demo_images)
    path = copy.workspace.index
    index = Index(path if path.exists() else None)
    val = Path(copy.config.val) if copy.config.val else None
    listings, scans = scan_source(Path(imagenet), tiers_of(copy.subset), index, val)
    return ScannedSource(all_files(listings), scans)


def _bytes_of(images: set[str], source: ScannedSource) -> Iterator[tuple[str, bytes]]:
    """Yield (name without ending, bytes) of those of the images that the source has."""
    listing, scan = source.listing, source.scans[0]
    rows = listing.filter(pc.is_in(listing["image"], pa.array(images, pa.string()))).to_pylist()
    with Reader() as reader:
        for row in sorted(rows, key=lambda row: (row["path"], row["offset"] or 0)):
            yield row["image"], bytes(reader.read(Row(**row)))
    left = images - {row["image"] for row in rows}
    for path in (path for kind in scan.one_pass for path in scan.places(kind)):
        if left:
            yield from streaming_reader(path).stream(left.__contains__)
