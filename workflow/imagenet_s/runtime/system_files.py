"""Files that operating systems and file managers leave in folders. They are not part of a data set."""

from collections.abc import Sequence

from imagenet_s.runtime.errors import first_few

NAMES = frozenset({".ds_store", "thumbs.db", "desktop.ini", "@eadir", ".ipynb_checkpoints", "__macosx"})
PREFIXES = ("._", ".nfs")
# The first letters of all these names. No name in a data set starts with one of them.
BEGINNINGS = frozenset(".@_tTdD")

# Never deleted along with a folder: a user's notebooks, and files that are still open on NFS.
KEPT = (".ipynb_checkpoints", ".nfs")


def is_system_file(path: str) -> bool:
    """Return whether the name of a file, or of a folder on its path, is that of a system file."""
    return any(name.lower() in NAMES or name.startswith(PREFIXES) for name in path.split("/"))


def goes_with_its_folder(name: str) -> bool:
    """Return whether a system file or folder can be deleted along with the folder that it is in."""
    return is_system_file(name) and not name.lower().startswith(KEPT)


def left_by_systems(paths: Sequence[str]) -> str:
    """Return a message that lists system files."""
    return f"Left by the system, not part of the data set: {first_few(paths)}"
