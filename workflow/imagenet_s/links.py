"""The ways in which an image gets into a tree: symlink, hard link, reflink."""

import ctypes
import os
import sys
from pathlib import Path

LINKS = ("symlink", "hardlink", "reflink", "copy")

FICLONE = 0x40049409  # Linux's request to share a file's blocks, from linux/fs.h


def place(target: str, path: Path, kind: str, scratch: Path) -> bool:
    """Makes `path` a symlink, hardlink or reflink of the file `target`; says whether it had to.

    A right link is left alone, anything else under the name is replaced in one step through a
    temporary name in `scratch` (same file system). Raises OSError where the system refuses, and
    IsADirectoryError where a true folder stands in the way.
    """
    try:
        _make(target, path, kind)
    except FileExistsError:
        if is_placed(target, path, kind):
            return False
        partial = scratch / f"link-{os.getpid()}"
        partial.unlink(missing_ok=True)
        _make(target, partial, kind)
        partial.replace(path)
    return True


def is_placed(target: str, path: Path, kind: str) -> bool:
    """Whether `path` is already that link. A reflink cannot be recognised: never."""
    if kind == "symlink":
        return path.is_symlink() and os.readlink(path) == target
    if kind == "hardlink":
        return not path.is_symlink() and path.is_file() and path.samefile(target)
    return False


def _make(target: str, path: Path, kind: str) -> None:
    if kind == "symlink":
        os.symlink(target, path)
    elif kind == "hardlink":
        # A hard link to a link would be a second link: take the file behind it.
        os.link(os.path.realpath(target) if os.path.islink(target) else target, path)
    else:
        _clone(target, path)


def _clone(target: str, path: Path) -> None:
    """A new file at `path` that shares the blocks of `target`."""
    if sys.platform == "darwin":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.clonefile(os.fsencode(target), os.fsencode(path), 0):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(path))
        path.chmod(0o644)
        return
    import fcntl

    with open(target, "rb") as source, open(path, "xb") as copy:
        try:
            fcntl.ioctl(copy, FICLONE, source.fileno())
        except OSError:
            path.unlink()
            raise
