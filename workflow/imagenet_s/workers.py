"""Spreading work over processes, in chunks: one task a file would cost more than it gains."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from imagenet_s.progress import progress

CHUNK = 64


def in_chunks(
    function: Callable[[Sequence], list], items: Sequence, workers: int, what: str, unit: str
) -> list:
    """Calls `function` on chunks of `items` in `workers` processes; the results, joined, in order.

    `function` must be picklable: a module's function, or a partial of one.
    """
    chunks = [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
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
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield from pool.map(function, chunks)
