"""The end of a build: remove intermediate files that no data set uses."""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from imagenet_s.dataset.samples import read_samples
from imagenet_s.dataset.tree_plan import remove_tree
from imagenet_s.images.pool import pool_path, sweep_pool
from imagenet_s.io.columns import texts
from imagenet_s.io.receipts import write_receipt
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.system_files import is_system_file
from imagenet_s.source.scan import read_scan
from imagenet_s.spec.shards import tier_parts, tiers
from imagenet_s.spec.subsets import SUBSETS
from imagenet_s.workspace.paths import Workspace

COLUMNS = ["image", "imagenet_wnid", "sha256"]  # these determine the path of an image in the pool


def prune(subsets: Sequence[int], link: str, demo: bool, output: Path, receipt: Path) -> None:
    """Remove what no data set below `output` uses.

    This is the pool, or those of its images that no tree links to, and everything made from the embedded
    demo once `imagenet` is another source.

    Args:
        subsets: The subsets of this build.
        link: How images get into the trees, as configured.
        demo: Whether the source is the embedded demo.
        output: The output folder.
        receipt: The JSON file to write, with the folders that were removed.
    """
    workspace = Workspace(output)
    removed = []
    _remove(workspace.tmp)  # killed jobs may have left files there
    if not demo:
        removed += _remove(workspace.demo)
        for subset in set(SUBSETS) - set(subsets):
            if _is_of_demo(workspace, subset):
                remove_tree(output, subset)
                removed += _remove(workspace.masks(subset))
                workspace.samples(subset).unlink(missing_ok=True)
        for part in (part for tier in set(SUBSETS) - set(tiers(subsets)) for part in tier_parts(tier)):
            (workspace.pool / f"{part}.json").unlink(missing_ok=True)
    scans = [read_scan(workspace.findings(tier)) for tier in tiers(subsets)]
    if link == "copy" or any(scan.pooled for scan in scans):
        swept = sweep_pool(workspace.pool, _pooled(workspace))
        if swept:
            log.info("Removed %s images that no data set uses from %s", f"{len(swept):,}", workspace.pool)
            _remove_records(workspace.records, swept)
    elif workspace.pool.exists():
        _remove_records(workspace.records, sweep_pool(workspace.pool, ()))
        removed += _remove(workspace.pool)
    for folder in removed:
        log.info("Removed %s", folder)
    write_receipt(receipt, {"removed": [str(folder) for folder in removed]})


def _pooled(workspace: Workspace) -> set[str]:
    """Return the paths in the pool of the images of all subsets, also those of earlier builds."""
    wanted: set[str] = set()
    for subset in SUBSETS:
        path = workspace.samples(subset)
        if path.exists():
            wanted |= _pool_paths(read_samples(path, COLUMNS))
    return wanted


def _remove_records(records: Path, swept: set[str]) -> None:
    """Remove the records of archives whose images were swept from the pool, so that they are read again.

    This never concerns a subset of this build, but possibly one whose build was abandoned.
    """
    for path in (path for path in records.glob("*.parquet") if not is_system_file(path.name)):
        in_archives = json.loads((pq.read_schema(path).metadata or {}).get(b"archives", "[]"))
        if in_archives and not swept.isdisjoint(_pool_paths(pq.read_table(path, columns=COLUMNS))):
            path.unlink()


def _pool_paths(rows: pa.Table) -> set[str]:
    names = pc.replace_substring_regex(rows["image"], r"^.*/|\.JPEG$", "")
    digests = cast("list[bytes]", rows["sha256"].to_pylist())
    return set(map(pool_path, texts(names), texts(rows["imagenet_wnid"]), digests))


def _is_of_demo(workspace: Workspace, subset: int) -> bool:
    """Return whether the tree of a subset was last built from the embedded demo."""
    plan = workspace.plan(subset)
    if not plan.exists():
        return False
    source = pq.read_schema(plan).metadata[b"source"].decode()
    return Path(source).is_relative_to(os.path.abspath(workspace.demo))


def _remove(folder: Path) -> list[Path]:
    """Remove a folder with everything in it; return it if it was there."""
    if not folder.exists():
        return []
    shutil.rmtree(folder)
    return [folder]
