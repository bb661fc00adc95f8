"""Work spread over processes, in chunks: starting a task for each file would cost more than it gains."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TypeVar

from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.lock import job_folder, join_job
from imagenet_s.runtime.progress import ignore_image_warnings, progress
from imagenet_s.runtime.read_ahead import readers, set_readers

CHUNK = 64  # items
STOP = signal.SIGUSR1  # sent to the workers on Ctrl-C

T = TypeVar("T")
R = TypeVar("R")


def map_chunks(
    function: Callable[[Sequence[T]], list[R]],
    items: Sequence[T],
    workers: int,
    what: str,
    unit: str,
    at_once: int = CHUNK,
) -> list[R]:
    """Call `function` on chunks of `items` in worker processes and return the joined results, in order.

    Args:
        function: It must be picklable: a module-level function or a partial of one.
        items: What to work on.
        workers: The number of processes. With 1 everything runs in this one.
        what: The title of the progress bar.
        unit: What the progress bar counts.
        at_once: The number of items in a chunk.
    """
    chunks = [items[start : start + at_once] for start in range(0, len(items), at_once)]
    results: list[R] = []
    with progress(what, len(items), unit) as bar, closing(_mapped(function, chunks, workers)) as mapped:
        for chunk, result in zip(chunks, mapped, strict=True):
            results += result
            bar.update(len(chunk))
    return results


def _mapped(
    function: Callable[[Sequence[T]], list[R]], chunks: list[Sequence[T]], workers: int
) -> Generator[list[R], None, None]:
    if workers == 1 or len(chunks) < 2:
        yield from map(function, chunks)
        return
    # Spawned, not forked: the parent process has threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        workers, mp_context=context, initializer=_start_worker, initargs=(job_folder(), readers())
    ) as pool:
        try:
            with _no_interrupts():
                results = pool.map(partial(_run_task, function), chunks)
            yield from results
        except BrokenProcessPool as error:
            raise UserError(
                "A worker process of this job was killed, most likely because memory ran out. Run the same "
                "command again; if it fails again, use fewer `--cores`."
            ) from error
        except (KeyboardInterrupt, GeneratorExit):  # Ctrl-C, here or in the code that reads the results
            # A signal, not a kill: before Python 3.11.6 the pool might then wait for the workers forever.
            for process in multiprocessing.active_children():
                with suppress(ProcessLookupError):
                    if process.pid is not None:
                        os.kill(process.pid, STOP)
            pool.shutdown(cancel_futures=True)
            raise


@contextmanager
def _no_interrupts() -> Iterator[None]:
    """Delay Ctrl-C until the block ends.

    Processes started in the block never receive it, and receive STOP only once they unblock it.
    """
    caught: list[tuple[int, FrameType | None]] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: caught.append((number, frame)))
    # New processes inherit a blocked signal. For this one blocking is not enough: other threads receive it.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, STOP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, before)
        if caught and callable(before):
            before(*caught[0])


# In a worker: whether a task is running, and whether no further task may start.
_working = _stopped = False


def _start_worker(work: Path | None, reading: int) -> None:
    """Make a new worker process part of the job, so that it ends with the job even if that is killed."""
    set_readers(reading)
    if work:
        join_job(work)
    ignore_image_warnings()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(STOP, _stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {STOP})


def _stop(*_: object) -> None:
    """Interrupt a running task as Ctrl-C would. Between tasks, Python would print a stack trace."""
    global _working, _stopped
    _stopped = True
    if _working:
        _working = False  # raise only once: a second signal may arrive after the task has ended
        raise KeyboardInterrupt


def _run_task(function: Callable[[Sequence[T]], list[R]], chunk: Sequence[T]) -> list[R]:
    global _working
    _working = True
    try:
        if _stopped:
            raise KeyboardInterrupt
        return function(chunk)
    finally:
        _working = False


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)
