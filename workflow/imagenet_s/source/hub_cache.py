"""The cache of the Hugging Face hub: a folder for each data set, with a folder of links for each revision.

`datasets--<owner>--<name>/snapshots/<revision>/…` are links to files in `datasets--<owner>--<name>/blobs`.
The file `refs/main` contains the revision that the branch `main` had when it was last downloaded.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from imagenet_s.runtime.errors import UserError, first_few

SNAPSHOTS = "snapshots"
PREFIX = "datasets--"
IMAGENET = re.compile(rf"{PREFIX}(?:.+--)?imagenet-1k(?:-wds)?", re.IGNORECASE)
REVISION = re.compile(r"\w[\w.-]{0,99}", re.ASCII)


class HubCache(NamedTuple):
    """The cache of one data set: its folder, and the folders of its revisions, sorted."""

    folder: Path
    revisions: tuple[Path, ...]

    def choose(self, revisions: Sequence[Path]) -> Path | None:
        """Return which of some revisions is read: the one that `refs/main` names, or the only one.

        Raises:
            UserError: There are several, and `refs/main` names none of them.
        """
        main = main_revision(self.folder)
        if main in revisions:
            return main
        if len(revisions) > 1:
            raise UserError(
                f"`imagenet`: {self.folder} has {len(revisions)} revisions with images of ImageNet-1k, and "
                f"`refs/main` names none of them: {first_few(path.name for path in revisions)}. Set "
                f"`imagenet` in config.yaml to one of them, such as {revisions[0]}"
            )
        return revisions[0] if revisions else None


def hub_caches(folder: Path) -> list[HubCache]:
    """Return the cache that `folder` is, or whose `snapshots` it is; else the caches of ImageNet-1k in it.

    The original, of ILSVRC, comes first.
    """
    if folder.name == SNAPSHOTS and _is_cache(folder.parent):
        folders = [folder.parent]
    elif (folder / SNAPSHOTS).is_dir() and _is_cache(folder):
        folders = [folder]
    elif folder.is_dir():
        inside = [path for path in folder.iterdir() if IMAGENET.fullmatch(path.name)]
        folders = sorted(inside, key=lambda path: ("ILSVRC" not in path.name, path.name))
    else:
        folders = []
    return [HubCache(path, _revisions(path)) for path in folders]


def _is_cache(folder: Path) -> bool:
    """Return whether a folder with `snapshots` is a cache; backups have such folders, too."""
    return folder.name.startswith(PREFIX) or (folder / "blobs").is_dir()


def _revisions(cache: Path) -> tuple[Path, ...]:
    snapshots = cache / SNAPSHOTS
    return tuple(sorted(path for path in snapshots.iterdir() if path.is_dir())) if snapshots.is_dir() else ()


def main_revision(cache: Path) -> Path | None:
    """Return the folder of the revision that `refs/main` names; None without one."""
    reference = cache / "refs" / "main"
    if not reference.is_file():
        return None
    with reference.open(encoding="utf-8", errors="replace") as file:
        name = file.read(200).strip()
    return cache / SNAPSHOTS / name if REVISION.fullmatch(name) else None


def snapshot_of(path: Path) -> Path | None:
    """Return the folder of the revision that `path` is in, or is; None outside of the hub's cache."""
    for folder in (path, *path.parents):
        if folder.parent.name == SNAPSHOTS and folder.parent.parent.name.startswith(PREFIX):
            return folder
    return None


def describe_snapshot(snapshot: Path) -> str:
    """Return a revision and why it is read, for the log."""
    is_main = main_revision(snapshot.parents[1]) == snapshot
    why = "which `refs/main` names" if is_main else "the only one with train and val files"
    return f"revision {snapshot.name}, {why}, from the Hugging Face hub's cache: {snapshot}"


def download_command(folder: Path) -> str:
    """Return the command that downloads what the cache of a data set lacks, or one revision in it."""
    snapshot = snapshot_of(folder)
    repository = (snapshot.parents[1] if snapshot else folder).name.removeprefix(PREFIX).replace("--", "/")
    revision = f" --revision {snapshot.name}" if snapshot else ""
    return f"hf download {repository} --repo-type dataset{revision}"
