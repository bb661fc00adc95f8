"""Files that operating systems and file managers leave in folders: no part of a data set."""

NAMES = frozenset({".ds_store", "thumbs.db", "desktop.ini", "@eadir", ".ipynb_checkpoints", "__macosx"})
PREFIXES = ("._", ".nfs")


def is_system_file(path: str) -> bool:
    """Whether a path's file name, or the name of a folder on the way to it, is one that systems leave."""
    return any(name.lower() in NAMES or name.startswith(PREFIXES) for name in path.split("/"))
