"""Receipts: files that prove that other files are complete and on disk.

After a power cut a file may have its name but not its bytes, because file systems write bytes later than
names. So each job of a build syncs the file systems with its results once, and only then renames its receipt.
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

NOT_SUPPORTED = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP)  # by some file systems


@contextmanager
def receipts(paths: Sequence[Path], *folders: Path) -> Iterator[list[Path]]:
    """Yield a temporary path for each of `paths`, and rename all of them if the block succeeds.

    Before the renames, the file systems of `paths` and `folders` are synced, each once. Nothing is renamed
    if the block or a sync fails.
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
    """Yield a temporary path for a single receipt; see `receipts`."""
    with receipts([path], *folders) as (partial,):
        yield partial


def write_receipt(path: Path, value: object, *folders: Path) -> None:
    """Write a receipt as JSON; see `receipts`."""
    with receipt(path, *folders) as partial:
        dump_json(value, partial)


@contextmanager
def durable(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and sync and rename its file if the block succeeds.

    Nothing else is synced, so this is for files that do not certify others.
    """
    with partial_file(path) as partial:
        yield partial
        _commit([partial], [path])


def sync(*folders: Path) -> None:
    """Sync the file systems of some folders, each once. Folders that do not exist are skipped.

    Raises:
        OSError: Bytes could not be written.
    """
    systems: dict[int, Path] = {}
    for folder in folders:
        with suppress(FileNotFoundError):
            systems.setdefault(os.stat(folder).st_dev, folder)
    for folder in systems.values():
        _sync_file_system(folder)


def _commit(partials: Sequence[Path], paths: Sequence[Path]) -> None:
    """Sync files, rename them, and sync the names."""
    for partial, path in zip(partials, paths, strict=True):
        _fsync(partial, path)
    for partial, path in zip(partials, paths, strict=True):
        os.replace(partial, path)
    for folder in dict.fromkeys(path.parent for path in paths):
        _fsync(folder, folder)


def _sync_file_system(folder: Path) -> None:
    syncfs = getattr(_libc(), "syncfs", None)  # only on Linux
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


def _fsync(path: Path, named: Path) -> None:
    """Sync a file or folder. An error names it as `named`."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in NOT_SUPPORTED:
            raise OSError(error.errno, error.strerror, str(named)) from error
    finally:
        os.close(file)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
