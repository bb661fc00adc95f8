"""Receipts: files that vouch for others, and get their names once what they vouch for is on disk.

After a power cut a file may have its name and not its bytes: file systems keep the order of names, and write
bytes when they like. So each job of a build ends with one sync of the file systems that hold what it made.
"""

import ctypes
import errno
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path

from imagenet_s.io.atomic import dump_json, partial_file
from imagenet_s.runtime.progress import log

NOT_SUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)  # by odd file systems


@contextmanager
def receipts(paths: Sequence[Path], *folders: Path) -> Iterator[list[Path]]:
    """Yields a temporary path for each of `paths`; when the block ends well, all get their names.

    Before that, what they vouch for is on disk: the file systems of `paths` and of `folders` are synced, each
    once. Nothing gets its name if the block or a sync fails.
    """
    with ExitStack() as stack:
        partials = [stack.enter_context(partial_file(path)) for path in paths]
        yield partials
        began = time.monotonic()
        sync(*(path.parent for path in paths), *folders)
        _commit(partials, paths)
        log.debug("Waited %.3f s for the disk", time.monotonic() - began)


@contextmanager
def receipt(path: Path, *folders: Path) -> Iterator[Path]:
    """`receipts` for a single one."""
    with receipts([path], *folders) as (partial,):
        yield partial


def write_receipt(path: Path, value: object, *folders: Path) -> None:
    """Writes a receipt as JSON; see `receipts`."""
    with receipt(path, *folders) as partial:
        dump_json(value, partial)


@contextmanager
def durable(path: Path) -> Iterator[Path]:
    """As `files.written`, for a file that vouches for nothing: its own bytes are on disk before its name."""
    with partial_file(path) as partial:
        yield partial
        _commit([partial], [path])


def sync(*folders: Path) -> None:
    """Waits until what was written to the file systems of some folders is on disk; syncs each one once.

    A folder that does not exist holds nothing. Raises OSError where bytes could not be written.
    """
    systems: dict[int, Path] = {}
    for folder in folders:
        with suppress(FileNotFoundError):
            systems.setdefault(os.stat(folder).st_dev, folder)
    for folder in systems.values():
        _sync_file_system(folder)


def _commit(partials: Sequence[Path], paths: Sequence[Path]) -> None:
    """Gives files their names, once their bytes are on disk, and gets the names there, too."""
    for partial, path in zip(partials, paths, strict=True):
        _fsync(partial, path)
    for partial, path in zip(partials, paths, strict=True):
        os.replace(partial, path)
    for folder in dict.fromkeys(path.parent for path in paths):
        _fsync(folder, folder)


def _sync_file_system(folder: Path) -> None:
    syncfs = getattr(_libc(), "syncfs", None)  # Linux has it
    if syncfs is None:
        os.sync()
        return
    file = os.open(folder, os.O_RDONLY)
    try:
        code = ctypes.get_errno() if syncfs(file) else 0
    finally:
        os.close(file)
    if code == errno.ENOSYS:
        os.sync()
    elif code and code not in NOT_SUPPORTED:
        raise OSError(code, os.strerror(code), str(folder))


def _fsync(path: Path, called: Path) -> None:
    """Waits until a file or folder is on disk; `called` is how an error names it."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in NOT_SUPPORTED:
            raise OSError(error.errno, os.strerror(error.errno), str(called)) from error
    finally:
        os.close(file)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
