"""The tree of a subset: which links it consists of, and how they are made."""

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from imagenet_s.dataset.samples import read_samples
from imagenet_s.dataset.tree_plan import read_plan, remove_entries, write_plan
from imagenet_s.images.pool import pool_path
from imagenet_s.io.atomic import RealDirs, ensure_real_dir, remove_folder, scratch_folder
from imagenet_s.io.columns import Column, texts
from imagenet_s.io.links import LINKS_OF_FOLDERS, link_kind, link_problems, no_link_from_archives, place
from imagenet_s.io.receipts import write_receipt
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.progress import log, progress
from imagenet_s.runtime.read_ahead import map_ahead
from imagenet_s.source.listing import all_files, read_listing
from imagenet_s.source.scan import SourceScan, folder_links, read_scan
from imagenet_s.spec.subsets import DATASET
from imagenet_s.workspace.paths import Workspace

BATCH = 10_000  # entries per step of the progress bar


@dataclass(frozen=True)
class ScannedFiles:
    """What scanning the source wrote: a file for each tier."""

    listings: Sequence[Path]  # Parquet files: where the source has its images
    findings: Sequence[Path]  # JSON files of source scans


def build_tree(
    subset: int, samples: Path, scanned: ScannedFiles, link: str, output: Path, receipt: Path
) -> None:
    """Make `output/ImageNetS<n>` hold exactly the images and masks of the subset.

    Entries of earlier builds that this one does not need are removed. Files of the user stay, and links
    that the user made are never written through.

    Args:
        subset: 50, 300 or 919.
        samples: The Parquet file of `SAMPLES`.
        scanned: What scanning the source wrote.
        link: How images get into the tree. For `copy`, as for masks, it is a hard link to the copy below
            `output/work`.
        output: The output folder.
        receipt: The JSON file to write, with the number of entries.

    Raises:
        UserError: The links cannot be made, copies of images are gone, or a file of the user is in the way.
    """
    workspace = Workspace(output)
    folder = workspace.tree(subset)
    scans = [read_scan(path) for path in scanned.findings]
    listing = all_files(map(read_listing, scanned.listings))
    rows = read_samples(samples, ["image", "wnid", "imagenet_wnid", "sha256", "mask"])
    wanted = entries(subset, rows, listing, scans, link, workspace)
    _require_pooled(wanted, workspace.pool)
    targets = wanted.filter(pc.equal(wanted["kind"], pa.scalar(link_kind(link))))["target"]
    for problem in link_problems(texts(targets[:1]), link, output, workspace.tmp):
        raise UserError(problem)
    plan = workspace.plan(subset)
    root = ensure_real_dir(output, folder.name)
    # A folder with a dataset.json counts as complete, which it is not until this build has finished.
    (root / DATASET).unlink(missing_ok=True)
    ensure_real_dir(root, "manifests")
    before = read_plan(plan, root)
    # Write the plan before the first entry, so that a later build knows what a killed one made.
    write_plan(plan, pa.concat_arrays([before, wanted["path"].combine_chunks()]).unique(), scans[0])
    gone = before.filter(pc.invert(pc.is_in(before, value_set=wanted["path"])))
    remove_entries(root, texts(gone))
    with scratch_folder(workspace.tmp / f"tree-{subset}") as scratch:
        made = _place(root, wanted, scratch, f"Linking {folder.name}")
    write_plan(plan, wanted["path"].combine_chunks(), scans[0])
    log.info("%s: %s entries, %s of them new, %s removed", root, len(wanted), made, len(gone))
    write_receipt(receipt, {"link": link, "entries": len(wanted)}, root)


def entries(
    subset: int,
    rows: pa.Table,
    listing: pa.Table,
    scans: Sequence[SourceScan],
    link: str,
    workspace: Workspace,
) -> pa.Table:
    """Return every entry of the tree: its `path` in the subset's folder, its `target`, the `kind` of link.

    Args:
        subset: 50, 300 or 919.
        rows: The samples, with columns `image`, `wnid`, `imagenet_wnid`, `sha256` and `mask`.
        listing: Where the source has its images: the rows of all tiers.
        scans: The scans of all tiers.
        link: How images get into the tree, as configured.
        workspace: The output folder.

    Returns:
        A table of three text columns, sorted by path.

    Raises:
        UserError: `link` asks for links to images in archives.
    """
    masks = rows["mask"].drop_null().combine_chunks()
    origin = os.path.abspath(workspace.masks(subset))
    join: Any = pc.binary_join_element_wise  # the stubs lack columns mixed with texts
    tables = [_table(masks, join(origin, masks, "/"), "hardlink")]
    kind = link_kind(link)
    if link in LINKS_OF_FOLDERS:
        folders = folder_links(subset, scans)
        sources = pa.array(list(folders.values()), pa.string())
        tables.append(_table(pa.array(folders, pa.string()), sources, kind))
        parents = pc.replace_substring_regex(rows["image"], "/[^/]*$", "")
        rows = rows.filter(pc.invert(pc.is_in(parents, value_set=tables[-1]["path"])))
    images = rows["image"].combine_chunks()
    names = pc.replace_substring_regex(images, r"^.*/|\.JPEG$", "")
    located = listing.take(pc.index_in(names, value_set=listing["image"]))
    # Images that no listing has come from archives that were read in one pass.
    pooled: Column = pc.or_(located["offset"].is_valid(), located["path"].is_null())
    archives = pc.any(pooled.filter(pc.starts_with(images, "train/"))).as_py()
    if subset == 919 and not archives:
        tables.append(_table(pa.array(["train-full"]), pa.array(scans[0].train[:1]), "symlink"))
    if link == "copy":
        pooled = pa.array([True] * len(rows), pa.bool_())
    elif link != "auto" and pc.any(pooled).as_py():
        raise UserError(no_link_from_archives(link, scans[0].train + scans[0].val))
    in_pool = _pool_paths(names.filter(pooled), rows.filter(pooled), workspace.pool)
    tables.append(_table(images.filter(pooled), in_pool, "hardlink"))
    linked = pc.invert(pooled)
    tables.append(_table(images.filter(linked), located["path"].filter(linked), kind))
    return pa.concat_tables(tables).sort_by("path")


def _pool_paths(names: Column, rows: pa.Table, pool: Path) -> Column:
    """Return the absolute path in the pool of each image."""
    digests = cast("list[bytes]", rows["sha256"].to_pylist())
    paths = map(pool_path, texts(names), texts(rows["imagenet_wnid"]), digests)
    return pa.array([f"{os.path.abspath(pool)}/{path}" for path in paths], pa.string())


def _require_pooled(wanted: pa.Table, pool: Path) -> None:
    """Raise UserError if images that the tree links to are gone from the pool."""
    in_pool = pc.starts_with(wanted["target"], f"{os.path.abspath(pool)}/")
    # train-semi shares its images with train.
    targets = texts(wanted.filter(in_pool)["target"].unique())
    with closing(map_ahead(os.path.exists, targets)) as found:
        lost = [path for path, exists in zip(targets, found, strict=True) if not exists]
    if lost:
        raise UserError(
            f"{len(lost):,} images that were copied from the source are gone, of {len(targets):,}: "
            f"{first_few(lost)}.\nRun snakemake again with `--forcerun images stream`.",
            details=lost,
        )


def _table(paths: Column, targets: Column, kind: str) -> pa.Table:
    kinds = pa.array([kind] * len(paths), pa.string())
    return pa.Table.from_pydict({"path": paths, "target": targets, "kind": kinds})


def _place(root: Path, wanted: pa.Table, scratch: Path, what: str) -> int:
    """Make each entry that is not there yet; return how many were made."""
    folders = RealDirs(root)

    def make(entry: tuple[str, str, str]) -> bool:
        path, target, kind = entry
        folder, _, name = path.rpartition("/")
        link = folders.ensure(folder) / name
        try:
            return place(target, link, kind, scratch)
        except IsADirectoryError:
            return _replace_folder(target, link, kind, scratch)

    made = 0
    with progress(what, len(wanted), "entries") as bar:
        for batch in wanted.to_batches(BATCH):
            columns = (texts(batch[name]) for name in ("path", "target", "kind"))
            with closing(map_ahead(make, list(zip(*columns, strict=True)))) as results:
                made += sum(results)
            bar.update(len(batch))
    return made


def _replace_folder(target: str, folder: Path, kind: str, scratch: Path) -> bool:
    """Replace an empty folder by an entry.

    Raises:
        UserError: The folder is not empty.
    """
    try:
        remove_folder(folder)
    except OSError as error:
        raise UserError(
            f"{folder} is in the place of a {kind}, and holds files that this pipeline did not create: "
            f"{first_few(sorted(path.name for path in folder.iterdir()))}. Move it away and run again."
        ) from error
    return place(target, folder, kind, scratch)
