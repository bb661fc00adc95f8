"""Removing what builds made in an output, and nothing else."""

import shutil
from pathlib import Path

from imagenet_s.dataset.tree import made_in, remove_tree
from imagenet_s.io.atomic import remove_if_empty
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.lock import hold_run
from imagenet_s.spec.subsets import SUBSETS
from imagenet_s.workspace.paths import Workspace

WORK = (
    "annotations",
    "demo",
    "features",
    "images",
    "logs",
    "masks",
    "pool",
    "samples",
    "source",
    "tmp",
    "trees",
)
# Of predictions, for each subset in `benchmark/`.
SCORES = (
    "match.json",
    "match-info.json",
    "metrics.json",
    "metrics-classes.csv",
    *(f"metrics-{name}.png" for name in ("classes", "worst", "best")),
    "submission.zip",
)
LOCKS = ("run.lock", "jobs.lock")


def clean(output: Path, dry_run: bool) -> None:
    """Removes the trees that were built, by their manifests and plans, and the build's own folder.

    Never follows a link. With `dry_run`, says what there is to remove. Raises UserError for a folder that
    is no output of a build.
    """
    workspace = Workspace(output)
    work = workspace.work
    if not workspace.plans.is_dir():
        raise UserError(f"{output.absolute()} is not the output of a build: it has no work/trees.")
    built = [subset for subset in SUBSETS if workspace.plan(subset).exists()]
    if dry_run:
        for subset in built:
            print(f"would remove {made_in(output, subset):,} entries of {workspace.tree(subset)}")
        print(f"would remove {work}, {workspace.benchmark} and {workspace.summary}")
        return
    hold_run(output)
    for subset in built:
        remove_tree(output, subset)
    workspace.summary.unlink(missing_ok=True)
    scored = _scored(workspace.benchmark)
    for folder in scored:
        _remove(folder / "baseline")
        for name in SCORES:
            for path in (folder / name, folder / f".{name}.part"):
                path.unlink(missing_ok=True)
    for name in WORK:
        _remove(work / name)
    for name in LOCKS:
        (work / name).unlink(missing_ok=True)
    for folder in (*scored, *{folder.parent for folder in scored}, work, output):
        remove_if_empty(folder)


def _scored(benchmark: Path) -> list[Path]:
    """The folders of what was scored and submitted; none behind a link."""
    folders = [benchmark / str(subset) for subset in SUBSETS]
    real = [folder for folder in folders if folder.is_dir() and not folder.is_symlink()]
    return [] if benchmark.is_symlink() else real


def _remove(folder: Path) -> None:
    """Removes a folder and all that is in it, or the link in its place."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.is_dir():
        shutil.rmtree(folder)
