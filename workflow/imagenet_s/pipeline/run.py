"""What happens before the first job of a run of Snakemake, and after the last."""

import os
import time
from pathlib import Path

from imagenet_s.dataset.disk_usage import bytes_on_disk
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.progress import print_summary
from imagenet_s.runtime.units import size_text, time_text
from imagenet_s.workspace.leftovers import hold_output
from imagenet_s.workspace.paths import Workspace

SNAKEMAKE = ".snakemake"  # the folder of Snakemake's records


def require_own_folder(folder: Path) -> None:
    """Check that Snakemake can keep its records in the folder in which it runs.

    Raises:
        UserError: It cannot; Snakemake itself would show a traceback.
    """
    records = folder / SNAKEMAKE
    place = records if records.is_dir() else folder
    if not os.access(place, os.W_OK | os.X_OK):
        raise UserError(
            f"Snakemake keeps its records in {records}, but cannot write to {place}. Run it in a folder of "
            "your own: `imagenet-s init FOLDER` makes one, with a config.yaml."
        )


def begin_run(workspace: Workspace) -> None:
    """Lock the output until this process ends, and remove what killed runs left.

    Raises:
        UserError: Another run works on the output, or nothing can be written there.
    """
    try:
        hold_output(workspace.output)
    except OSError as error:
        raise UserError(f"`output`: cannot write to {workspace.output}: {error.strerror}.") from error


def print_new_summary(workspace: Workspace, started: float) -> None:
    """Print the summary of a build, unless it was written before `started`, in seconds since the epoch.

    How long the build took and what it takes on the disk is printed only: the file depends on neither.
    """
    summary = workspace.summary
    if summary.exists() and summary.stat().st_mtime >= started:
        print_summary(summary, f"Built in {time_text(time.time() - started)}{_disk_usage(workspace)}.")


def _disk_usage(workspace: Workspace) -> str:
    try:
        return f"; {workspace.output} takes {size_text(bytes_on_disk(workspace))} on the disk"
    except OSError:  # the build is complete, whatever cannot be read now
        return ""
