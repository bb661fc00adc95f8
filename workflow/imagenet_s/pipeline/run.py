"""What happens before the first job of a run of Snakemake, and after the last."""

import os
import shlex
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import which
from typing import Any

from imagenet_s.config.settings import Config
from imagenet_s.dataset.disk_usage import bytes_on_disk
from imagenet_s.pipeline.stages import READING
from imagenet_s.pipeline.status_line import Reading
from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.progress import print_summary
from imagenet_s.runtime.terminal import is_terminal
from imagenet_s.runtime.units import size_text, time_text
from imagenet_s.spec.exports import FORMATS, manifest_name
from imagenet_s.spec.shards import tier_of
from imagenet_s.spec.subsets import subset_name
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


def readings(jobs: Iterable[Any], workspace: Workspace) -> list[Reading]:
    """Return those of Snakemake's jobs that read the source."""
    return [
        Reading(
            job=Path(job.log[0]).stem,
            part=job.wildcards.part,
            scan=workspace.findings(tier_of(job.wildcards.part)),
            files=[Path(file) for file in job.input.get("files", [])],
        )
        for job in jobs
        if job.rule.name in READING
    ]


def build_header(jobs: Iterable[Any], config: Config) -> str:
    """Return the first line of a build; an empty one if none of Snakemake's jobs makes a data set."""
    if not any(job.rule.name == "dataset" for job in jobs):
        return ""
    names = ", ".join(map(subset_name, config.subsets))
    source = config.source or "the embedded demo"
    return f"Building {names} from {source} in {Path(config.output).absolute()}"


def built(workspace: Workspace, subsets: Sequence[int]) -> dict[str, Path]:
    """Return the data sets that are complete: name → folder."""
    return {
        subset_name(subset): workspace.tree(subset).absolute()
        for subset in subsets
        if workspace.dataset(subset).is_file()
    }


def print_new_summary(workspace: Workspace, started: float) -> None:
    """Print the summary of a build and the folders of exports, if they were written since `started`.

    `started` is in seconds since the epoch.

    How long the build took and what it takes on the disk is printed only: the file depends on neither.
    """
    summary = workspace.summary
    if summary.exists() and summary.stat().st_mtime >= started:
        print_summary(
            summary, f"Built in {time_text(time.time() - started)}{_disk_usage(workspace)}.{_activation()}"
        )
    with suppress(OSError, ValueError):  # standard error is closed, or a folder cannot be listed
        for line in _new_exports(workspace, started):
            print(line, file=sys.stderr, flush=True)


def _new_exports(workspace: Workspace, started: float) -> list[str]:
    """Return a line for each format of which a manifest was written since `started`."""
    folders = {name: workspace.export_folder(name) for name in FORMATS}
    return [
        f"Exported as {name}: {folder.absolute()}"
        for name, folder in folders.items()
        if any(path.stat().st_mtime >= started for path in folder.glob(manifest_name("*", "*")))
    ]


def _activation() -> str:
    """Return a line for a terminal that says how to reach the commands of an environment not activated."""
    script = Path(sys.prefix, "bin", "activate")
    if not is_terminal(sys.stdout) or which("imagenet-s") or not script.is_file():
        return ""
    shown = script.relative_to(Path.cwd()) if script.is_relative_to(Path.cwd()) else script
    return f"\nFor `imagenet-s` and `snakemake` without a path: source {shlex.quote(str(shown))}"


def _disk_usage(workspace: Workspace) -> str:
    try:
        return f"; {workspace.output} takes {size_text(bytes_on_disk(workspace))} on the disk"
    except OSError:  # the build is complete, whatever cannot be read now
        return ""
