"""Remove what builds made in an output, and nothing else."""

import shutil
from pathlib import Path

from imagenet_s.dataset.tree_plan import made_in, remove_tree
from imagenet_s.io.atomic import remove_if_empty
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.lock import JOBS, RUN
from imagenet_s.spec.subsets import SUBSETS
from imagenet_s.workspace.leftovers import hold_output
from imagenet_s.workspace.paths import Workspace


def clean(output: Path, dry_run: bool) -> None:
    """Remove the trees that were built, by their manifests and plans, and the working files of builds.

    Follows no links. With `dry_run`, prints what it would remove.

    Raises:
        UserError: `output` is not the output of a build.
    """
    workspace = Workspace(output)
    if not workspace.plans.is_dir():
        raise UserError(f"{output.absolute()} is not the output of a build: it has no work/trees.")
    built = [subset for subset in SUBSETS if workspace.plan(subset).exists()]
    if dry_run:
        for subset in built:
            print(f"would remove {made_in(output, subset):,} entries of {workspace.tree(subset)}")
        print(f"would remove {workspace.work}, {workspace.benchmark} and {workspace.summary}")
        return
    hold_output(output)
    for subset in built:
        remove_tree(output, subset)
    workspace.summary.unlink(missing_ok=True)
    scored = [] if workspace.benchmark.is_symlink() else [s for s in SUBSETS if _is_real(workspace.scores(s))]
    for subset in scored:
        _remove(workspace.baseline(subset))
        for path in workspace.score_files(subset):
            path.unlink(missing_ok=True)
            path.with_name(f".{path.name}.part").unlink(missing_ok=True)
    for folder in workspace.work_folders:
        _remove(folder)
    for name in (RUN, JOBS):
        (workspace.work / name).unlink(missing_ok=True)
    benchmark = [workspace.benchmark] if scored else []
    for folder in (*map(workspace.scores, scored), *benchmark, workspace.work, output):
        remove_if_empty(folder)


def _is_real(folder: Path) -> bool:
    """Return whether there is a folder, and not a link to one."""
    return folder.is_dir() and not folder.is_symlink()


def _remove(folder: Path) -> None:
    """Remove a folder with its contents, or the link in its place."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.is_dir():
        shutil.rmtree(folder)
