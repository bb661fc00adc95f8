"""The end of a build: what no tree needs any more goes."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from imagenet_s.classes import tier_classes
from imagenet_s.files import read_json, write_json
from imagenet_s.parts import tier_parts, tiers
from imagenet_s.pool import pool_path
from imagenet_s.progress import log
from imagenet_s.splits import tier_val_images
from imagenet_s.subsets import SUBSETS
from imagenet_s.tree import plan_path, remove_tree


def tidy(subsets: Sequence[int], link: str, demo: bool, output: Path, receipt: Path) -> None:
    """Removes the pool if nothing links to it by now, and all of the demo once the source is another."""
    work = output / "work"
    removed = []
    _remove(work / "tmp")  # a killed job may have left something there
    if link != "copy":
        removed += _remove(work / "pool")
    if not demo:
        removed += _remove(work / "demo")
        for subset in set(SUBSETS) - set(subsets):
            if _is_of_demo(output, subset):
                remove_tree(output, subset)
                removed += _remove(work / "masks" / str(subset))
        for tier in set(SUBSETS) - set(tiers(subsets)):
            findings = work / "source" / f"{tier}.json"
            if findings.exists() and _is_demo(output, read_json(findings)["root"]):
                _empty_pool(work / "pool", tier)
    for folder in removed:
        log.info("Removed %s", folder)
    write_json(receipt, {"removed": [str(folder) for folder in removed]})


def _is_of_demo(output: Path, subset: int) -> bool:
    """Whether the last build of a subset's tree was from the embedded demo."""
    plan = plan_path(output, subset)
    if not plan.exists():
        return False
    source = pq.read_schema(plan).metadata[b"source"].decode()
    return _is_demo(output, source)


def _is_demo(output: Path, source: str) -> bool:
    return Path(source).is_relative_to(os.path.abspath(output / "work" / "demo"))


def _remove(folder: Path) -> list[Path]:
    if not folder.exists():
        return []
    shutil.rmtree(folder)
    return [folder]


def _empty_pool(pool: Path, tier: int) -> None:
    """Removes the copies of one tier, and the receipts that say they are there."""
    for part in tier_parts(tier):
        (pool / f"{part}.json").unlink(missing_ok=True)
    for wnid in tier_classes(tier):
        _remove(pool / "train" / wnid)
    for row in tier_val_images(tier):
        (pool / pool_path(row.image, row.imagenet_wnid)).unlink(missing_ok=True)
