"""One run in a folder at a time: a lock that is released when its process ends, even if it is killed.

A run holds `run.lock` alone. Each of its jobs shares `jobs.lock` with the other jobs. Jobs outlive a run
that was killed, so the next run waits for them.
"""

import errno
import fcntl
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.progress import log

RUN, JOBS = "run.lock", "jobs.lock"
STARTED_BY = "IMAGENET_S_RUN"  # environment variable by which a job knows its run

_held: list[int] = []  # files that stay open, and locked, until the process ends
_job_of: list[Path] = []  # the folder that the job of this process is in


class Locked(Exception):
    """Another run holds the lock. The text says which, or is empty if it has only just begun."""


def hold_run(folder: Path, sweep: Callable[[], None]) -> None:
    """Lock a folder until this process ends; then wait for the jobs of a killed run, and `sweep`.

    Does nothing if the run that started this process holds the lock.

    Raises:
        Locked: Another run holds the lock.
    """
    run = _open(folder, RUN)
    free = _lock(run, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if not free and _is_of_this_run(folder):  # repair, as a job of Snakemake
        os.close(run)
        return None
    if free and not os.fstat(run).st_nlink:  # `clean` removed it after it was opened here
        os.close(run)
        return hold_run(folder, sweep)
    if not free:
        holder = os.pread(run, 1000, 0).decode(errors="replace").strip()
        os.close(run)
        raise Locked(holder)
    began = datetime.now().isoformat(" ", "seconds")
    command = " ".join([os.path.basename(sys.argv[0]), *sys.argv[1:]])
    holder = f"process {os.getpid()} on {socket.gethostname()}, since {began}: {command}\n"
    with suppress(OSError):  # a full disk: `clean` must work, to make room there
        os.ftruncate(run, 0)
        os.pwrite(run, holder.encode(), 0)
        os.environ[STARTED_BY] = f"{os.path.abspath(folder)}\n{holder}"
    _held.append(run)
    jobs = _open(folder, JOBS)
    if not _lock(jobs, fcntl.LOCK_EX | fcntl.LOCK_NB):
        log.warning("Waiting for the jobs of an earlier run, which was killed, to end in %s", folder)
        _lock(jobs, fcntl.LOCK_EX)
    os.close(jobs)  # from now on, the jobs are those of this run
    sweep()


def end_run(folder: Path, sweep: Callable[[], None]) -> None:
    """Call `sweep` if this process holds the lock and all jobs have ended."""
    if not _held:  # a dry run, or a run that found the folder locked
        return
    with suppress(OSError):
        jobs = _open(folder, JOBS)
        if _lock(jobs, fcntl.LOCK_EX | fcntl.LOCK_NB):
            sweep()
        os.close(jobs)


@contextmanager
def job_in(folder: Path) -> Iterator[None]:
    """Make the next run in a folder wait for this process.

    Raises:
        UserError: The next run has begun already. It did not know of this job, and so did not wait for it.
    """
    jobs = _open(folder, JOBS)
    _job_of.append(folder)
    try:
        _lock(jobs, fcntl.LOCK_SH)
        if _is_of_this_run(folder) is False:
            raise UserError("The run that started this job has ended, and another has begun.")
        yield
    finally:
        _job_of.remove(folder)
        os.close(jobs)


@contextmanager
def locked_folder(folder: Path, shared: bool = False) -> Iterator[None]:
    """Lock a folder that need not be one of runs, without a file in it.

    Args:
        folder: It must exist.
        shared: Whether others may have the lock at the same time, if they share it, too.

    Raises:
        Locked: Another process has the lock.
    """
    file = os.open(folder, os.O_RDONLY)
    try:
        if not _lock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB):
            raise Locked
        yield
    finally:
        os.close(file)


def job_folder() -> Path | None:
    """Return the folder that the job of this process is in, if it is a job."""
    return _job_of[-1] if _job_of else None


def join_job(folder: Path) -> None:
    """Count this process among the jobs in a folder until it ends."""
    jobs = _open(folder, JOBS)
    _lock(jobs, fcntl.LOCK_SH)
    _held.append(jobs)


def _is_of_this_run(folder: Path) -> bool | None:
    """Return whether the run that started this process still holds the lock; None if no run started it."""
    started_in, _, holder = os.environ.get(STARTED_BY, "").partition("\n")
    return holder == (folder / RUN).read_text() if started_in == os.path.abspath(folder) else None


def _open(folder: Path, name: str) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    return os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o666)


def _lock(file: int, how: int) -> bool:
    """Take the lock; return False if another process has it."""
    try:
        fcntl.flock(file, how)
    except BlockingIOError:
        return False
    except OSError as error:
        # NFS locks a folder for reading only, and says EBADF otherwise.
        if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF):
            raise
        log.debug("This file system has no locks: nothing keeps two runs apart")
    return True
