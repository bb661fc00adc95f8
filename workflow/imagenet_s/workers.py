"""Spreading work over processes, in chunks: one task a file would cost more than it gains."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from imagenet_s.errors import UserError
from imagenet_s.lock import job_folder, join_job
from imagenet_s.progress import progress

CHUNK = 64


def in_chunks(
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
    with progress(what, len(items), unit) as bar:
        for chunk, result in zip(chunks, _mapped(function, chunks, workers), strict=True):
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
            yield from pool.map(function, chunks)
        except BrokenProcessPool as error:
            raise UserError(
                "A process that worked for this job was killed, most likely for want of memory. Run the same "
                "command again, with fewer `--cores` if it happens again."
            ) from error


def _begin(work: Path | None) -> None:
    """In each worker: it is part of the job, and ends with it even where the job is killed."""
    if work:
        join_job(work)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)
