"""The end of a build: what no tree needs any more goes."""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from imagenet_s.dataset.samples import read_samples
from imagenet_s.dataset.tree import remove_tree
from imagenet_s.images.pool import pool_path, sweep_pool
from imagenet_s.io.receipts import write_receipt
from imagenet_s.runtime.progress import log
from imagenet_s.runtime.system_files import is_system_file
from imagenet_s.source.scan import read_scan
from imagenet_s.spec.shards import tier_parts, tiers
from imagenet_s.spec.subsets import SUBSETS
from imagenet_s.workspace.paths import Workspace

COLUMNS = ["image", "imagenet_wnid", "sha256"]  # what tells where the pool has an image


def tidy(subsets: Sequence[int], link: str, demo: bool, output: Path, receipt: Path) -> None:
    """Removes the pool, or what nothing needs of it, and all of the demo once the source is another."""
    workspace = Workspace(output)
    removed = []
    _remove(workspace.tmp)  # a killed job may have left something there
    if not demo:
        removed += _remove(workspace.demo)
        for subset in set(SUBSETS) - set(subsets):
            if _is_of_demo(workspace, subset):
                remove_tree(output, subset)
                removed += _remove(workspace.masks(subset))
                workspace.samples(subset).unlink(missing_ok=True)
        for part in (part for tier in set(SUBSETS) - set(tiers(subsets)) for part in tier_parts(tier)):
            (workspace.pool / f"{part}.json").unlink(missing_ok=True)
    seen = [read_scan(workspace.findings(tier)) for tier in tiers(subsets)]
    if link == "copy" or any(findings.pooled for findings in seen):
        swept = sweep_pool(workspace.pool, _pooled(workspace))
        if swept:
            log.info("Removed %s images that no tree has from %s", f"{len(swept):,}", workspace.pool)
            _forget(workspace.records, swept)
    elif workspace.pool.exists():
        _forget(workspace.records, sweep_pool(workspace.pool, ()))
        removed += _remove(workspace.pool)
    for folder in removed:
        log.info("Removed %s", folder)
    write_receipt(receipt, {"removed": [str(folder) for folder in removed]})


def _pooled(workspace: Workspace) -> set[str]:
    """Where the pool keeps the images of all trees."""
    wanted = set()
    for subset in SUBSETS:
        path = workspace.samples(subset)
        if path.exists():
            wanted |= _pool_paths(read_samples(path, COLUMNS))
    return wanted


def _forget(records: Path, swept: set[str]) -> None:
    """Removes the records of images in archives that were swept from the pool: they must be read again.

    No subset of this run is among them; one that was begun and given up may be.
    """
    for path in (path for path in records.glob("*.parquet") if not is_system_file(path.name)):
        in_archives = json.loads((pq.read_schema(path).metadata or {}).get(b"archives", "[]"))
        if in_archives and not swept.isdisjoint(_pool_paths(pq.read_table(path, columns=COLUMNS))):
            path.unlink()


def _pool_paths(rows: pa.Table) -> set[str]:
    names = pc.replace_substring_regex(rows["image"], r"^.*/|\.JPEG$", "").to_pylist()
    return set(map(pool_path, names, rows["imagenet_wnid"].to_pylist(), rows["sha256"].to_pylist()))


def _is_of_demo(workspace: Workspace, subset: int) -> bool:
    """Whether the last build of a subset's tree was from the embedded demo."""
    plan = workspace.plan(subset)
    if not plan.exists():
        return False
    source = pq.read_schema(plan).metadata[b"source"].decode()
    return Path(source).is_relative_to(os.path.abspath(workspace.demo))


def _remove(folder: Path) -> list[Path]:
    if not folder.exists():
        return []
    shutil.rmtree(folder)
    return [folder]
