"""The space that a build needs at the output, in files and bytes, estimated before anything is written."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from imagenet_s.config.build_request import BuildRequest
from imagenet_s.images.pool import pooled_images
from imagenet_s.images.read import images_of_part
from imagenet_s.io.atomic import read_json
from imagenet_s.io.links import LINKS_OF_FOLDERS, link_kind
from imagenet_s.io.split_file import size_of
from imagenet_s.source.scan import SourceScan, folder_links
from imagenet_s.spec.classes import class_ids, train_classes
from imagenet_s.spec.shards import tier_parts, tiers
from imagenet_s.spec.splits import listed, tier_val_images
from imagenet_s.spec.subsets import MASKED, SPLITS, SUBSETS, subset_of
from imagenet_s.workspace.paths import Workspace

BLOCK = 4096  # bytes that a file, a folder or a long link takes at least, on most file systems
LONG_TARGET = 60  # bytes from which a link's target takes a block on ext4; a shorter one is in the inode
MASK_BYTES = 12_000  # assumed for a mask of 500 × 375 pixels, in any encoding
# Bytes per sample: 250 measured in manifests, 90 in Parquet manifests and lists, the rest in records.
SAMPLE_BYTES = 490
MANIFEST_FILES = 33  # files: manifests, lists of labels, dataset.json, files beside the tree
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
    linked = files.filter(pc.invert(in_pool)).select(["image", "path"])
    workspace = Workspace(request.output)
    estimates = [_pool_estimate(files.filter(in_pool), scans[0], request.subsets, workspace.pool)]
    for subset in request.subsets:
        links = _links_estimate(subset, linked, scans, link)
        if not workspace.plan(subset).exists():
            estimates.append(_tree_estimate(subset, links, labels))
        elif _has_other_links(workspace.tree_receipt(subset), link):
            estimates.append(links)
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


def _tree_estimate(subset: int, links: SpaceEstimate, labels: Sequence[str]) -> SpaceEstimate:
    """Return what a subset's folders, manifests and links take."""
    folders = (1 + len(class_ids(subset))) * (len(SPLITS) + len(MASKED) * (1 + len(labels)))
    samples = subset_of(subset).train_images + sum(len(listed(subset, split)) for split in SPLITS[1:])
    return SpaceEstimate(
        f"{subset_of(subset).name}: folders, links, manifests",
        folders + links.files + MANIFEST_FILES,
        folders * BLOCK + links.bytes + samples * SAMPLE_BYTES,
    )


def _has_other_links(receipt: Path, link: str) -> bool:
    """Return whether a tree was built with other links to the source. Without a receipt, that is unknown."""
    built = read_json(receipt)["link"] if receipt.exists() else link
    return any(of(built) != of(link) for of in (link_kind, LINKS_OF_FOLDERS.__contains__))


def _links_estimate(subset: int, linked: pa.Table, scans: Sequence[SourceScan], link: str) -> SpaceEstimate:
    """Return what a subset's links to the source take. Hard links, also those to copies, take no file.

    `linked` has the columns `image` and `path` of the images that are not copied.
    """
    what = f"{subset_of(subset).name}: links"
    if link_kind(link) == "hardlink":
        return SpaceEstimate(what, 0, 0)
    targets = _targets(subset, linked, folder_links(subset, scans) if link in LINKS_OF_FOLDERS else {})
    long = _sum(pc.greater_equal(pc.binary_length(targets), pa.scalar(LONG_TARGET)))
    return SpaceEstimate(what, len(targets), BLOCK * (len(targets) if link == "reflink" else long))


def _targets(subset: int, linked: pa.Table, folder_paths: Mapping[str, str]) -> "pa.ChunkedArray[Any]":
    """Return what the links of a tree lead to, one each: class folders of the source, and images."""
    whole = {path.partition("/")[2] for path in folder_paths}
    single = pa.array(train_classes(subset).keys() - whole, pa.string())
    train = linked.filter(pc.is_in(pc.utf8_slice_codeunits(linked["image"], 0, 9), single))
    images = pa.array([row.image for split in SPLITS[1:] for row in listed(subset, split)])
    rows = pc.index_in(images, value_set=linked["image"]).drop_null()
    folders = pa.chunked_array([list(folder_paths.values())], pa.string())
    return pa.chunked_array(folders.chunks + train["path"].chunks + linked["path"].take(rows).chunks)


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
