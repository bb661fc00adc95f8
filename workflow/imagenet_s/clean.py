"""Removing what builds made in an output, and nothing else."""

import shutil
from pathlib import Path

from imagenet_s.errors import UserError
from imagenet_s.lock import hold_run
from imagenet_s.subsets import SUBSETS, subset_of
from imagenet_s.tree import made_in, plan_path, remove_tree

WORK = ("annotations", "demo", "images", "logs", "masks", "pool", "samples", "source", "tmp", "trees")
LOCKS = ("run.lock", "jobs.lock")


def clean(output: Path, dry_run: bool) -> None:
    """Removes the trees that were built, by their manifests and plans, and the build's own folder.

    Never follows a link. With `dry_run`, says what there is to remove. Raises UserError for a folder that
    is no output of a build.
    """
    work = output / "work"
    if not (work / "trees").is_dir():
        raise UserError(f"{output.absolute()} is not the output of a build: it has no work/trees.")
    built = [subset for subset in SUBSETS if plan_path(output, subset).exists()]
    if dry_run:
        for subset in built:
            print(f"would remove {made_in(output, subset):,} entries of {output / subset_of(subset).name}")
        print(f"would remove {work}, and {output / 'summary.txt'}")
        return
    hold_run(output)
    for subset in built:
        remove_tree(output, subset)
    (output / "summary.txt").unlink(missing_ok=True)
    for name in WORK:
        folder = work / name
        if folder.is_symlink():
            folder.unlink()
        elif folder.is_dir():
            shutil.rmtree(folder)
    for name in LOCKS:
        (work / name).unlink(missing_ok=True)
    for folder in (work, output):
        if not any(folder.iterdir()):
            folder.rmdir()
