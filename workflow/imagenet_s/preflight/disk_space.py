"""What a build needs at the output, in files and bytes, told before anything is written."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from imagenet_s.config.build_request import BuildRequest
from imagenet_s.images.pool import pooled_images
from imagenet_s.source.layouts import find_places, one_pass_sets
from imagenet_s.source.scan import SourceScan, folder_links
from imagenet_s.spec.classes import class_ids, train_classes
from imagenet_s.spec.shards import tiers
from imagenet_s.spec.splits import listed, tier_val_images
from imagenet_s.spec.subsets import MASKED, SPLITS, SUBSETS, subset_of
from imagenet_s.workspace.paths import Workspace

BLOCK = 4096  # bytes that a file, a folder or a long link takes at least, on most file systems
MASK_BYTES = 12_000  # assumed of a mask of 500 × 375, whatever its encoding
SAMPLE_BYTES = 400  # of records and manifests: 250 measured in manifests, the rest in Parquet files
MANIFEST_FILES = 20  # files: manifests, lists of labels, dataset.json
IMAGES = {"train": 1_281_167, "val": 50_000}  # of ImageNet-1k
SAMPLED = 500  # files of whose sizes the mean is taken


@dataclass(frozen=True)
class SpaceEstimate:
    """What one thing takes of the output's file system: new files (inodes) and bytes."""

    what: str
    files: int
    bytes: int


@dataclass(frozen=True)
class Space:
    """What the file system at `folder` has left; `files` is None where it does not count them."""

    folder: Path
    files: int | None
    bytes: int


def needs(files: pa.Table, findings: Sequence[SourceScan], request: BuildRequest) -> list[SpaceEstimate]:
    """What a build adds to its output, as far as it is not there yet.

    `files` is the listing of all tiers of its subsets, `findings` what was found with it. Sizes are exact
    for images in tars, and estimates for the rest.
    """
    link, labels = request.link, request.labels
    in_pool = pa.array([True] * len(files), pa.bool_()) if link == "copy" else files["offset"].is_valid()
    linked = files.filter(pc.invert(in_pool))["image"]
    workspace = Workspace(request.output)
    found = [_pool_need(files.filter(in_pool), findings[0], request.subsets, workspace.pool)]
    for subset in request.subsets:
        if not workspace.plan(subset).exists():
            found.append(_tree_need(subset, linked, findings, link, labels))
        if not workspace.masks(subset).exists():
            found.append(_masks_need(subset, labels))
    return [need for need in found if need.files or need.bytes]


def bytes_to_read(files: pa.Table, seen: SourceScan) -> int:
    """About how many bytes of the source a build reads."""
    paths = files.filter(files["size"].is_null())["path"]
    passes = sum(os.path.getsize(path) for kind in seen.one_pass for path in seen.places(kind))
    return (pc.sum(files["size"]).as_py() or 0) + len(paths) * _mean_size(paths) + passes


def space_at(output: Path) -> Space:
    """What is left where `output` is or will be."""
    folder = next(path for path in (output, *output.absolute().parents) if path.exists())
    free = os.statvfs(folder)
    # Some file systems make inodes as they go, and count none.
    return Space(folder, free.f_favail if free.f_files else None, free.f_bavail * free.f_frsize)


def size_text(count: float) -> str:
    """`7.1 GB`: bytes for a reader."""
    unit, units = "bytes", ["kB", "MB", "GB", "TB"]
    while count >= 999.5 and units:  # what would be rounded to 1,000 takes the next unit
        count, unit = count / 1000, units.pop(0)
    return f"{count:,.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.1f} {unit}"


def _pool_need(pooled: pa.Table, seen: SourceScan, subsets: Sequence[int], pool: Path) -> SpaceEstimate:
    """The images that are copied: those of archives, or all of them."""
    passes = one_pass_sets(find_places(Path(seen.root)))
    there = pa.array(pooled_images(pool), pa.string())
    pooled = pooled.filter(pc.invert(pc.is_in(pooled["image"], value_set=there)))
    sizes = pc.sum(_in_blocks(pooled["size"])).as_py() or 0
    paths = pooled.filter(pooled["size"].is_null())["path"]
    sizes += len(paths) * _mean_size(paths)
    # Train and val images of a class lie in two folders.
    count = len(pooled) + 2 * pc.count_distinct(pooled["imagenet_wnid"]).as_py()
    for kind in seen.one_pass:
        made = (
            pool.parent.glob(f"images/{kind}-pass-{top}-*.parquet") for top in SUBSETS if top >= max(subsets)
        )
        if any(len(list(records)) >= passes[kind] for records in made):
            continue
        wanted = _wanted_of(kind, subsets)
        count += wanted
        whole = sum(os.path.getsize(path) for path in seen.places(kind))
        sizes += whole * wanted // IMAGES[kind] + wanted * BLOCK // 2
    return SpaceEstimate("images, copied once for all subsets", count, sizes)


def _tree_need(
    subset: int, linked: pa.ChunkedArray, findings: Sequence[SourceScan], link: str, labels: Sequence[str]
) -> SpaceEstimate:
    """A subset's folders, and its links, as far as they are files of their own; its manifests."""
    folders = (1 + len(class_ids(subset))) * (len(SPLITS) + len(MASKED) * (1 + len(labels)))
    links = 0
    if link in ("auto", "symlink", "reflink"):
        wholes = folder_links(subset, findings) if link != "reflink" else {}
        whole = {path.partition("/")[2] for path in wholes}
        single = pa.array(train_classes(subset).keys() - whole, pa.string())
        links = len(whole) + _count(pc.is_in(pc.utf8_slice_codeunits(linked, 0, 9), single))
        for split in SPLITS[1:]:
            images = pa.array([row.image for row in listed(subset, split)])
            links += _count(pc.is_in(images, value_set=linked))
    samples = subset_of(subset).train_images + sum(len(listed(subset, split)) for split in SPLITS[1:])
    return SpaceEstimate(
        f"{subset_of(subset).name}: folders, links, manifests",
        folders + links + MANIFEST_FILES,
        (folders + links) * BLOCK + samples * SAMPLE_BYTES,
    )


def _masks_need(subset: int, labels: Sequence[str]) -> SpaceEstimate:
    """The masks in the archive, unpacked, and in each further encoding."""
    masks = sum(len(listed(subset, split)) for split in MASKED)
    size = masks * MASK_BYTES + masks * (1 + len(labels)) * -(-MASK_BYTES // BLOCK) * BLOCK
    return SpaceEstimate(f"{subset_of(subset).name}: masks (estimated)", 1 + masks * (1 + len(labels)), size)


def _wanted_of(kind: str, subsets: Sequence[int]) -> int:
    if kind == "train":
        return subset_of(max(subsets)).train_images
    return sum(len(tier_val_images(tier)) for tier in tiers(subsets))


def _mean_size(paths: pa.ChunkedArray) -> int:
    """The mean size in bytes, in whole blocks, of some of the files, evenly chosen."""
    some = paths.to_pylist()[:: max(1, len(paths) // SAMPLED)]
    sizes = pa.array([os.path.getsize(path) for path in some], pa.int64())
    return int(pc.mean(_in_blocks(sizes)).as_py()) if some else 0


def _count(chosen: pa.Array | pa.ChunkedArray) -> int:
    return pc.sum(chosen).as_py() or 0


def _in_blocks(sizes: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return pc.multiply(pc.divide(pc.add(sizes, BLOCK - 1), BLOCK), BLOCK)
