"""Record the calls that bring bytes to the disk, or make them fail."""

import os
from pathlib import Path

import pytest

from imagenet_s.io import receipts as module


class Recorder:
    """Records the calls in order.

    Attributes:
        calls: (call, path), where the call is fsync, rename or sync.
        synced: The files at each sync, as `files` returns them.
    """

    def __init__(self, folder: Path, monkeypatch):
        self.folder, self.calls, self.synced = folder, [], []
        fsync, replace, sync_file_system = os.fsync, os.replace, module._sync_file_system

        def recorded_fsync(file):
            self.calls.append(("fsync", os.readlink(f"/proc/self/fd/{file}")))
            fsync(file)

        def recorded_replace(source, target):
            self.calls.append(("rename", str(target)))
            replace(source, target)

        def recorded_sync(folder):
            self.calls.append(("sync", str(folder)))
            self.synced.append(self.files())
            sync_file_system(folder)

        monkeypatch.setattr(os, "fsync", recorded_fsync)
        monkeypatch.setattr(os, "replace", recorded_replace)
        monkeypatch.setattr(module, "_sync_file_system", recorded_sync)

    def files(self) -> dict[int, tuple]:
        """Return inode → size and mtime of each file and link below the folder."""
        found = {}
        for parent, folders, names in os.walk(self.folder):
            for name in [*names, *(x for x in folders if os.path.islink(f"{parent}/{x}"))]:
                stat = os.lstat(f"{parent}/{name}")
                found[stat.st_ino] = (stat.st_size, stat.st_mtime_ns)
        return found

    def after_the_sync(self) -> list[tuple[str, str]]:
        """Return the calls after the first sync."""
        return self.calls[[call for call, _ in self.calls].index("sync") + 1 :]


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")


def part_of(path: Path) -> str:
    """Return the temporary path under which a file is written."""
    return str(path.with_name(f".{path.name}.part"))


def failing(monkeypatch, call: str, error: int) -> None:
    """Make a system call fail with this error number."""

    def fail(*_):
        raise OSError(error, os.strerror(error))

    if call == "syncfs":
        libc = type("libc", (), {"syncfs": lambda _: -1})
        monkeypatch.setattr(module, "_libc", lambda: libc)
        monkeypatch.setattr(module.ctypes, "get_errno", lambda: error)
    else:
        monkeypatch.setattr(os, call, fail)
