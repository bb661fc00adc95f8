"""What killed runs leave in an output folder, and the lock under which it is removed."""

import shutil
from contextlib import suppress
from functools import partial
from pathlib import Path

from imagenet_s.runtime import lock
from imagenet_s.runtime.errors import UserError
from imagenet_s.spec.companions import COMPANIONS
from imagenet_s.spec.subsets import DATASET
from imagenet_s.workspace.paths import Workspace


def hold_output(output: Path) -> None:
    """Lock the output until this process ends, and remove what killed runs left.

    Waits for jobs of a killed run to end.

    Raises:
        UserError: Another run holds the lock.
    """
    workspace = Workspace(output)
    try:
        lock.hold_run(workspace.work, partial(sweep, workspace))
    except lock.Locked as error:
        raise UserError(
            f"Another run works on {output.absolute()}: {str(error) or 'it has just begun'}.\n"
            "Wait until it has ended, or set another `output` in config.yaml."
        ) from error


def end_run(output: Path) -> None:
    """Remove what killed jobs of this run left, once all of its jobs have ended.

    Snakemake restores older outputs of a job that failed, so the next run may have nothing to do and would
    not remove them.
    """
    workspace = Workspace(output)
    lock.end_run(workspace.work, partial(sweep, workspace))


def sweep(workspace: Workspace) -> None:
    """Remove temporary and partial files. Partial downloads stay: the next run resumes them."""
    shutil.rmtree(workspace.tmp, ignore_errors=True)
    partial_files = (
        workspace.summary.with_name(f".{workspace.summary.name}.part"),
        *(workspace.tree("*") / f".{name}.part" for name in (DATASET, *COMPANIONS) if "/" not in name),
        workspace.manifests("*") / ".*.part",
        workspace.work / "*" / ".*.json.part",
        workspace.work / "*" / ".*.parquet.part",
        workspace.demo / "*" / ".*.part",
        workspace.scores("*") / ".*.part",
    )
    for pattern in partial_files:
        for path in workspace.output.glob(str(pattern.relative_to(workspace.output))):
            with suppress(OSError):
                path.unlink()
