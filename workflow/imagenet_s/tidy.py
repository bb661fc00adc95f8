"""The end of a build: what no tree needs any more goes."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from imagenet_s.files import write_json
from imagenet_s.progress import log
from imagenet_s.subsets import SUBSETS, subset_of
from imagenet_s.tree import plan_path


def tidy(subsets: Sequence[int], link: str, demo: bool, output: Path, receipt: Path) -> None:
    """Removes the pool if nothing links to it by now, and all of the demo once the source is another."""
    work = output / "work"
    removed = []
    if link != "copy":
        removed += _remove(work / "pool")
    if not demo:
        removed += _remove(work / "demo")
        for subset in set(SUBSETS) - set(subsets):
            if _is_of_demo(output, subset):
                removed += _remove(output / subset_of(subset).name)
                removed += _remove(work / "masks" / str(subset))
                plan_path(output, subset).unlink()
    for folder in removed:
        log.info("Removed %s", folder)
    write_json(receipt, {"removed": [str(folder) for folder in removed]})


def _is_of_demo(output: Path, subset: int) -> bool:
    """Whether the last build of a subset's tree was from the embedded demo."""
    plan = plan_path(output, subset)
    if not plan.exists():
        return False
    source = pq.read_schema(plan).metadata[b"source"].decode()
    return Path(source).is_relative_to((output / "work" / "demo").absolute())


def _remove(folder: Path) -> list[Path]:
    if not folder.exists():
        return []
    shutil.rmtree(folder)
    return [folder]
