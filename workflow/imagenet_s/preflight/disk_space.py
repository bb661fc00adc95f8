"""The space that a build needs at the output, in files and bytes, estimated before anything is written."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from imagenet_s.config.build_request import BuildRequest
from imagenet_s.images.pool import pooled_images
from imagenet_s.images.read import images_of_part
from imagenet_s.io.split_file import size_of
from imagenet_s.source.scan import SourceScan, folder_links
from imagenet_s.spec.classes import class_ids, train_classes
from imagenet_s.spec.shards import tier_parts, tiers
from imagenet_s.spec.splits import listed, tier_val_images
from imagenet_s.spec.subsets import MASKED, SPLITS, SUBSETS, subset_of
from imagenet_s.workspace.paths import Workspace

BLOCK = 4096  # bytes that a file, a folder or a long link takes at least, on most file systems
MASK_BYTES = 12_000  # assumed for a mask of 500 × 375 pixels, in any encoding
SAMPLE_BYTES = (
    400  # per sample, in records and manifests: 250 measured in manifests, the rest in Parquet files
)
MANIFEST_FILES = 20  # files: manifests, lists of labels, dataset.json
IMAGES = {"train": 1_281_167, "val": 50_000}  # in ImageNet-1k
SAMPLED = 500  # files from whose sizes the mean is taken

Column: TypeAlias = "pa.Array[Any] | pa.ChunkedArray[Any]"


@dataclass(frozen=True)
class SpaceEstimate:
    """What one part of a build takes of the output's file system: new files (inodes) and bytes."""

    what: str
    files: int
    bytes: int


@dataclass(frozen=True)
class Space:
    """The free space of the file system of `folder`; `files` is None if it has no limit on files."""

    folder: Path
    files: int | None
    bytes: int


def estimate_space(
    files: pa.Table, scans: Sequence[SourceScan], request: BuildRequest, mask_bytes: int = MASK_BYTES
) -> list[SpaceEstimate]:
    """Return what a build adds to its output. What is already there is not counted.

    Sizes are exact for images in tars, and estimates for the rest.

    Args:
        files: The listings of all tiers of the subsets.
        scans: The scans of these tiers.
        request: The build.
        mask_bytes: The mean size of a mask.
    """
    link, labels = request.link, request.labels
    in_pool = pa.array([True] * len(files), pa.bool_()) if link == "copy" else files["offset"].is_valid()
    linked = files.filter(pc.invert(in_pool))["image"]
    workspace = Workspace(request.output)
    estimates = [_pool_estimate(files.filter(in_pool), scans[0], request.subsets, workspace.pool)]
    for subset in request.subsets:
        if not workspace.plan(subset).exists():
            estimates.append(_tree_estimate(subset, linked, scans, link, labels))
        if not workspace.masks(subset).exists():
            estimates.append(_masks_estimate(subset, labels, mask_bytes))
    return [estimate for estimate in estimates if estimate.files or estimate.bytes]


def bytes_to_read(files: pa.Table) -> int:
    """Return about how many bytes the images of a listing have."""
    paths = files.filter(files["size"].is_null())["path"]
    return _sum(files["size"]) + len(paths) * _mean_size(paths)


def part_bytes(listing: pa.Table, tier: int) -> dict[str, int]:
    """Return about how many bytes the images of each part of a tier have, from the tier's listing."""
    mean = pc.mean(_sizes(listing.filter(listing["size"].is_null())["path"])).as_py() or 0
    parts = {part: images_of_part(part, listing)["size"] for part in tier_parts(tier)}
    return {part: _sum(sizes) + int(sizes.null_count * mean) for part, sizes in parts.items()}


def space_at(output: Path) -> Space:
    """Return the free space where `output` is or will be."""
    folder = next(path for path in (output, *output.absolute().parents) if path.exists())
    free = os.statvfs(folder)
    # File systems that create inodes as needed count none.
    return Space(folder, free.f_favail if free.f_files else None, free.f_bavail * free.f_frsize)


def _pool_estimate(pooled: pa.Table, scan: SourceScan, subsets: Sequence[int], pool: Path) -> SpaceEstimate:
    """Return what the images take that are copied: those in archives, or all."""
    passes = scan.passes()
    existing = pa.array(pooled_images(pool), pa.string())
    pooled = pooled.filter(pc.invert(pc.is_in(pooled["image"], value_set=existing)))
    size = _sum(_in_blocks(pooled["size"]))
    paths = pooled.filter(pooled["size"].is_null())["path"]
    size += len(paths) * _mean_size(paths)
    # Two folders per class: for its train images and for its val images.
    count = len(pooled) + 2 * len(pc.unique(pooled["imagenet_wnid"]))
    for kind in scan.one_pass:
        made = (
            pool.parent.glob(f"images/{kind}-pass-{top}-*.parquet") for top in SUBSETS if top >= max(subsets)
        )
        if any(len(list(records)) >= passes[kind] for records in made):
            continue
        images = _images_needed(kind, subsets)
        count += images
        total = sum(map(size_of, scan.places(kind)))
        size += total * images // IMAGES[kind] + images * BLOCK // 2
    return SpaceEstimate("images, copied once for all subsets", count, size)


def _tree_estimate(
    subset: int, linked: Column, scans: Sequence[SourceScan], link: str, labels: Sequence[str]
) -> SpaceEstimate:
    """Return what a subset's folders, manifests and links take. Hard links and copies take no file here."""
    folders = (1 + len(class_ids(subset))) * (len(SPLITS) + len(MASKED) * (1 + len(labels)))
    links = 0
    if link in ("auto", "symlink", "reflink"):
        folder_paths = folder_links(subset, scans) if link != "reflink" else {}
        whole = {path.partition("/")[2] for path in folder_paths}
        single = pa.array(train_classes(subset).keys() - whole, pa.string())
        links = len(whole) + _sum(pc.is_in(pc.utf8_slice_codeunits(linked, 0, 9), single))
        for split in SPLITS[1:]:
            images = pa.array([row.image for row in listed(subset, split)])
            links += _sum(pc.is_in(images, value_set=linked))
    samples = subset_of(subset).train_images + sum(len(listed(subset, split)) for split in SPLITS[1:])
    return SpaceEstimate(
        f"{subset_of(subset).name}: folders, links, manifests",
        folders + links + MANIFEST_FILES,
        (folders + links) * BLOCK + samples * SAMPLE_BYTES,
    )


def _masks_estimate(subset: int, labels: Sequence[str], mask_bytes: int) -> SpaceEstimate:
    """Return what the masks take: in the archive, unpacked, and in each further encoding."""
    masks = sum(len(listed(subset, split)) for split in MASKED)
    size = masks * mask_bytes + masks * (1 + len(labels)) * -(-mask_bytes // BLOCK) * BLOCK
    return SpaceEstimate(f"{subset_of(subset).name}: masks (estimated)", 1 + masks * (1 + len(labels)), size)


def _images_needed(kind: str, subsets: Sequence[int]) -> int:
    if kind == "train":
        return subset_of(max(subsets)).train_images
    return sum(len(tier_val_images(tier)) for tier in tiers(subsets))


def _mean_size(paths: Column) -> int:
    """Return the mean size of the files, in bytes of whole blocks."""
    return int(pc.mean(_in_blocks(_sizes(paths))).as_py() or 0)


def _sizes(paths: Column) -> Column:
    """Return the sizes in bytes of an even sample of the files."""
    sample = [str(path) for path in paths.to_pylist()[:: max(1, len(paths) // SAMPLED)]]
    return pa.array([os.path.getsize(path) for path in sample], pa.int64())


def _sum(column: Column) -> int:
    """Return the sum of a column of integers or booleans; nulls count as 0."""
    return pc.sum(column).as_py() or 0


def _in_blocks(sizes: Column) -> Column:
    """Return sizes in bytes, rounded up to whole blocks."""
    return pc.multiply(pc.divide(pc.add(sizes, BLOCK - 1), BLOCK), BLOCK)
