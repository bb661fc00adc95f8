"""Spreading work over processes, in chunks: one task a file would cost more than it gains."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

from imagenet_s.runtime.errors import UserError
from imagenet_s.runtime.lock import job_folder, join_job
from imagenet_s.runtime.progress import progress

CHUNK = 64
STOP = signal.SIGUSR1  # by which the workers are told of Ctrl-C


def map_chunks(
    function: Callable[[Sequence], list],
    items: Sequence,
    workers: int,
    what: str,
    unit: str,
    at_once: int = CHUNK,
) -> list:
    """Calls `function` on chunks of `items` in `workers` processes; the results, joined, in order.

    A chunk has `at_once` items. `function` must be picklable: a module's function, or a partial of one.
    """
    chunks = [items[start : start + at_once] for start in range(0, len(items), at_once)]
    results = []
    with progress(what, len(items), unit) as bar, closing(_mapped(function, chunks, workers)) as mapped:
        for chunk, result in zip(chunks, mapped, strict=True):
            results += result
            bar.update(len(chunk))
    return results


def _mapped(function: Callable, chunks: list, workers: int) -> Iterator[list]:
    if workers == 1 or len(chunks) < 2:
        yield from map(function, chunks)
        return
    # Spawned, not forked: the parent has threads of its own.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        workers, mp_context=context, initializer=_begin, initargs=(job_folder(),)
    ) as pool:
        try:
            with _no_interrupts():
                results = pool.map(partial(_task, function), chunks)
            yield from results
        except BrokenProcessPool as error:
            raise UserError(
                "A process that worked for this job was killed, most likely for want of memory. Run the same "
                "command again, with fewer `--cores` if it happens again."
            ) from error
        except (KeyboardInterrupt, GeneratorExit):  # Ctrl-C, here or in whoever takes the results
            # Told, not killed: that could leave the pool of a Python before 3.11.6 waiting for ever.
            for process in multiprocessing.active_children():
                with suppress(ProcessLookupError):
                    os.kill(process.pid, STOP)
            pool.shutdown(cancel_futures=True)
            raise


@contextmanager
def _no_interrupts() -> Iterator[None]:
    """Ctrl-C waits until the block has ended. Processes begun in it never see it, and STOP only later."""
    caught = []
    before = signal.signal(signal.SIGINT, lambda *signal_and_frame: caught.append(signal_and_frame))
    # Blocked as well: the new processes inherit that. Here it is not enough, for other threads take it.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, STOP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, before)
        if caught and callable(before):
            before(*caught[0])


# In a worker: whether it is in a task, and whether it is to begin no further one.
_working = _stopped = False


def _begin(work: Path | None) -> None:
    """In each worker: it is part of the job, and ends with it even where the job is killed."""
    if work:
        join_job(work)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(STOP, _stop)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {STOP})


def _stop(*_: object) -> None:
    """Ends the task that is running, as Ctrl-C would, and no more: elsewhere Python would print a stack."""
    global _working, _stopped
    _stopped = True
    if _working:
        _working = False  # once is enough: the next one may find the task ended
        raise KeyboardInterrupt


def _task(function: Callable[[Sequence], list], chunk: Sequence) -> list:
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
