"""One build into an output at a time: a lock that dies with whoever holds it.

The run of Snakemake, `repair` and `clean` hold `work/run.lock` alone; each job holds `work/jobs.lock`
together with the other jobs. Jobs outlive a Snakemake that was killed, so the next run waits for them.
"""

import errno
import fcntl
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.progress import log

RUN, JOBS = "run.lock", "jobs.lock"
STARTED_BY = "IMAGENET_S_RUN"  # environment variable by which a job knows its run

_held: list[int] = []  # files that stay open, and locked, until the process ends
_job_of: list[Path] = []  # the `work` folder that this process's job is in


def hold_run(output: Path) -> None:
    """Locks the output until this process ends, once the jobs of a killed run have ended.

    Raises UserError that names the holder if another run has it.
    """
    run = _opened(output / "work", RUN)
    free = _locked(run, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if not free and _is_of_this_run(output / "work"):  # repair, as a job of Snakemake
        os.close(run)
        return None
    if free and not os.fstat(run).st_nlink:  # `clean` took it away after we had opened it
        os.close(run)
        return hold_run(output)
    if not free:
        holder = os.pread(run, 1000, 0).decode(errors="replace").strip()
        os.close(run)
        raise UserError(
            f"Another run works on {output.absolute()}: {holder or 'it has just begun'}.\nWait until it has "
            "ended, or set another `output` in config.yaml."
        )
    began = datetime.now().isoformat(" ", "seconds")
    command = " ".join([os.path.basename(sys.argv[0]), *sys.argv[1:]])
    holder = f"process {os.getpid()} on {socket.gethostname()}, since {began}: {command}\n"
    with suppress(OSError):  # a full disk: to make room there, `clean` must work
        os.ftruncate(run, 0)
        os.pwrite(run, holder.encode(), 0)
        os.environ[STARTED_BY] = f"{os.path.abspath(output / 'work')}\n{holder}"
    _held.append(run)
    jobs = _opened(output / "work", JOBS)
    if not _locked(jobs, fcntl.LOCK_EX | fcntl.LOCK_NB):
        log.warning("Jobs of an earlier run, which was killed, still work on %s: waiting for them", output)
        _locked(jobs, fcntl.LOCK_EX)
    os.close(jobs)  # from now on they are those of this run
    _sweep(output)


def end_run(output: Path) -> None:
    """Removes what killed jobs of this run left, once all have ended.

    Snakemake puts back the older outputs of a job that failed: nothing may be left to do for a next run.
    """
    if not _held:  # a run that was refused, and a dry run
        return
    with suppress(OSError):
        jobs = _opened(output / "work", JOBS)
        if _locked(jobs, fcntl.LOCK_EX | fcntl.LOCK_NB):
            _sweep(output)
        os.close(jobs)


def _sweep(output: Path) -> None:
    """Removes what a killed run left half-made, when nobody is at work. Downloads are kept: they go on."""
    shutil.rmtree(output / "work" / "tmp", ignore_errors=True)
    half_made = (
        ".summary.txt.part",
        "ImageNetS*/.dataset.json.part",
        "ImageNetS*/manifests/.*.part",
        "work/*/.*.json.part",
        "work/*/.*.parquet.part",
        "work/demo/*/.*.part",
        "benchmark/*/.*.part",
    )
    for path in (path for names in half_made for path in output.glob(names)):
        with suppress(OSError):
            path.unlink()


@contextmanager
def job_in(work: Path) -> Iterator[None]:
    """Lets the next run know that this process is at work in an output's `work` folder.

    Raises UserError if the next run has begun already: it could not wait for a job that was yet to begin.
    """
    jobs = _opened(work, JOBS)
    _job_of.append(work)
    try:
        _locked(jobs, fcntl.LOCK_SH)
        if _is_of_this_run(work) is False:
            raise UserError("The run that started this job has ended, and another has begun.")
        yield
    finally:
        _job_of.remove(work)
        os.close(jobs)


def job_folder() -> Path | None:
    """The `work` folder that this process's job is in."""
    return _job_of[-1] if _job_of else None


def join_job(work: Path) -> None:
    """Makes this process count as a job in `work` until it ends."""
    jobs = _opened(work, JOBS)
    _locked(jobs, fcntl.LOCK_SH)
    _held.append(jobs)


def _is_of_this_run(work: Path) -> bool | None:
    """Whether the run that started this process still holds the lock; None if no run started it."""
    folder, _, holder = os.environ.get(STARTED_BY, "").partition("\n")
    return holder == (work / RUN).read_text() if folder == os.path.abspath(work) else None


def _opened(work: Path, name: str) -> int:
    work.mkdir(parents=True, exist_ok=True)
    return os.open(work / name, os.O_RDWR | os.O_CREAT, 0o666)


def _locked(file: int, how: int) -> bool:
    """Takes the lock; False if another process has it."""
    try:
        fcntl.flock(file, how)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        log.debug("This file system has no locks: nothing keeps two runs apart")
    return True
