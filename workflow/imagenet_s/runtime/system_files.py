"""Files that operating systems and file managers leave in folders: no part of a data set."""

from collections.abc import Sequence

from imagenet_s.runtime.errors import first_few

NAMES = frozenset({".ds_store", "thumbs.db", "desktop.ini", "@eadir", ".ipynb_checkpoints", "__macosx"})
PREFIXES = ("._", ".nfs")
BEGINNINGS = frozenset(".@_tTdD")  # with which all of these begin, and no name in a data set

# What stays in a folder that is removed otherwise: a user's notebooks, and files that are still open on NFS.
KEPT = (".ipynb_checkpoints", ".nfs")


def is_system_file(path: str) -> bool:
    """Whether a path's file name, or the name of a folder on the way to it, is one that systems leave."""
    return any(name.lower() in NAMES or name.startswith(PREFIXES) for name in path.split("/"))


def goes_with_its_folder(name: str) -> bool:
    """Whether a file or folder is one that systems leave, and nothing is lost with it."""
    return is_system_file(name) and not name.lower().startswith(KEPT)


def left_by_systems(paths: Sequence[str]) -> str:
    """A line that tells of such files."""
    return f"Left by the system, not part of the data set: {first_few(paths)}"
