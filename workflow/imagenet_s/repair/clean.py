"""The command `clean`: remove what builds made in an output, and nothing else."""

import os
import shlex
import shutil
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from imagenet_s.dataset.tree_plan import made_in, remove_tree
from imagenet_s.io.atomic import remove_if_empty
from imagenet_s.runtime.errors import UserError, first_few
from imagenet_s.runtime.lock import JOBS, RUN
from imagenet_s.runtime.terminal import can_ask, confirmed
from imagenet_s.runtime.units import size_text
from imagenet_s.spec.statistics import statistics_files
from imagenet_s.spec.subsets import SPLITS, SUBSETS
from imagenet_s.workspace.leftovers import hold_output
from imagenet_s.workspace.paths import SUMMARY, Workspace


class Part(NamedTuple):
    """A part of what is removed: a file, or files and links in one folder."""

    path: Path
    entries: int
    bytes: int  # on disk, that the removal frees

    def __str__(self) -> str:
        is_file = self.path.name == SUMMARY
        return str(self.path) if is_file else f"{self.entries:,} entries of {self.path}"


class Results(NamedTuple):
    """A folder of results, and what builds write there: files, and folders with all that they hold."""

    folder: Path
    files: tuple[Path, ...]
    folders: tuple[Path, ...] = ()

    def entries(self) -> Iterator[str]:
        """Yield the paths of all files and links that builds made."""
        yield from (path for folder in self.folders for path in _entries(folder))
        yield from (str(path) for path in self.files if os.path.lexists(path))


def clean(output: Path, yes: bool, dry_run: bool) -> int:
    """Remove the trees that were built, by their manifests and plans, and the working files of builds.

    Follows no links. Prints what is removed, and on a terminal asks before.

    Args:
        output: The output of builds.
        yes: Whether to remove without asking.
        dry_run: Whether to print what would be removed, and remove nothing.

    Returns:
        The exit code: 1 if the answer to the question was no, else 0.

    Raises:
        UserError: No build wrote to `output`.
    """
    workspace = Workspace(output)
    if not (workspace.plans.is_dir() or (workspace.work / RUN).is_file()):
        why = "no build wrote to it: it has no work/trees" if output.is_dir() else "there is no such folder"
        raise UserError(f"There is nothing to remove in {output.absolute()}: {why}.")
    if not dry_run:
        hold_output(output)
    parts = _parts(workspace)
    if dry_run:
        _print_parts("would remove", "would free", parts)
        print(f"Next: `imagenet-s clean {shlex.quote(str(output))}` removes this.")
        return 0
    if not yes and can_ask():
        _print_parts("will remove", "will free", parts)
        if not confirmed("Remove this?"):
            print("Nothing was removed.")
            return 1
    _remove_all(workspace)
    _print_parts("removed", "freed", parts)
    left = sorted(path.name for path in output.iterdir()) if output.is_dir() else []
    if left:
        print(f"{output} still holds what builds did not make: {first_few(left)}")
    return 0


def _print_parts(removes: str, frees: str, parts: Sequence[Part]) -> None:
    for part in parts:
        print(f"{removes} {part}")
    print(f"{frees} {size_text(sum(part.bytes for part in parts))}")


def _parts(workspace: Workspace) -> list[Part]:
    """Return the parts of an output that builds made, without empty ones."""
    links: dict[tuple[int, int], int] = {}
    found = [
        *((workspace.tree(subset), made_in(workspace.output, subset)) for subset in _built(workspace)),
        *((result.folder, result.entries()) for result in _results(workspace)),
        (workspace.work, (path for folder in workspace.work_folders for path in _entries(folder))),
        (workspace.summary, filter(os.path.lexists, [str(workspace.summary)])),
    ]
    measured = (_measured(path, paths, links) for path, paths in found)
    return [part for part in measured if part.entries]


def _measured(part: Path, paths: Iterable[str], links: dict[tuple[int, int], int]) -> Part:
    """Return how many entries there are, and what their removal frees.

    Args:
        part: The folder of the entries, or the only entry.
        paths: The entries.
        links: How many hard links to a file are left once the entries met so far are removed. A file is freed
            with its last link: images may be links to those of the source.
    """
    entries = freed = 0
    for path in paths:
        entries += 1
        state = os.lstat(path)
        if not stat.S_ISREG(state.st_mode):
            continue
        file = (state.st_dev, state.st_ino)
        left = links.pop(file, state.st_nlink) - 1
        if left:
            links[file] = left
        else:
            freed += state.st_size
    return Part(part, entries, freed)


def _entries(folder: Path) -> Iterator[str]:
    """Yield the paths of all files and links in a folder; that of the folder itself if it is a link."""
    if folder.is_symlink():
        yield str(folder)
        return
    for parent, folders, files in os.walk(folder):
        names = [*files, *(name for name in folders if os.path.islink(f"{parent}/{name}"))]
        yield from (f"{parent}/{name}" for name in names)


def _built(workspace: Workspace) -> list[int]:
    """Return the subsets that have a tree."""
    return [subset for subset in SUBSETS if workspace.plan(subset).exists()]


def _results(workspace: Workspace) -> list[Results]:
    """Return the folders of results that there are. Those behind a link are left alone."""
    found = []
    for subset in SUBSETS:
        scores, statistics = workspace.scores(subset), workspace.statistics(subset)
        score_files, tables = workspace.score_files(subset), map(statistics.joinpath, statistics_files())
        found.append(Results(scores, _with_unfinished(score_files), (workspace.baseline(subset),)))
        found.append(Results(statistics, _with_unfinished(tables)))
    sheets = [workspace.contact_sheet(subset, split) for subset in SUBSETS for split in SPLITS]
    found.append(Results(workspace.contact_sheets, _with_unfinished(sheets)))
    return [one for one in found if one.folder.is_dir() and not _is_behind_link(one.folder, workspace.output)]


def _with_unfinished(files: Iterable[Path]) -> tuple[Path, ...]:
    """Return files, each followed by the one that it is written to first."""
    return tuple(path for file in files for path in (file, file.with_name(f".{file.name}.part")))


def _is_behind_link(folder: Path, output: Path) -> bool:
    return folder.is_symlink() or (folder.parent != output and folder.parent.is_symlink())


def _remove_all(workspace: Workspace) -> None:
    """Remove everything that builds made, and the folders that become empty."""
    results = _results(workspace)
    for subset in _built(workspace):
        remove_tree(workspace.output, subset)
    workspace.summary.unlink(missing_ok=True)
    for result in results:
        for folder in result.folders:
            _remove(folder)
        for path in result.files:
            path.unlink(missing_ok=True)
    for folder in workspace.work_folders:
        _remove(folder)
    for name in (RUN, JOBS):
        (workspace.work / name).unlink(missing_ok=True)
    folders = [result.folder for result in results]
    parents = dict.fromkeys(folder.parent for folder in folders if folder.parent != workspace.output)
    for folder in (*folders, *parents, workspace.work, workspace.output):
        remove_if_empty(folder)


def _remove(folder: Path) -> None:
    """Remove a folder with its contents, or the link in its place."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.is_dir():
        shutil.rmtree(folder)
