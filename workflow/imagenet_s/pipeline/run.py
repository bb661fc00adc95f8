"""What happens before the first job of a run of Snakemake, and after the last."""

from pathlib import Path

from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.progress import print_summary
from imagenet_s.workspace.leftovers import hold_output
from imagenet_s.workspace.paths import Workspace


def begin_run(workspace: Workspace) -> None:
    """Lock the output until this process ends, and remove what killed runs left.

    Raises:
        UserError: Another run works on the output, or nothing can be written there.
    """
    try:
        hold_output(workspace.output)
    except OSError as error:
        raise UserError(f"`output`: cannot write to {workspace.output}: {error.strerror}.") from error


def print_new_summary(summary: Path, started: float) -> None:
    """Print the summary of a build, unless it was written before `started`, in seconds since the epoch."""
    if summary.exists() and summary.stat().st_mtime >= started:
        print_summary(summary)
