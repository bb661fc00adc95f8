"""Hiding the latency of slow file systems: a few threads work ahead, so that their waits overlap.

On NFS or Lustre each call to open a file takes milliseconds. On a fast disk, threads would only cost time.
"""

import resource
import signal
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar

BATCH = 4096  # items after which it is tried again whether threads are needed
CHECK_EVERY = 0.01  # seconds
PATIENCE = 1.0  # seconds to wait at the end for threads that hang in the file system
# What `getrusage` reports: only Linux has it for one thread.
USAGE = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)

T = TypeVar("T")
R = TypeVar("R")

# To be held while computing: a process has one core, and so it computes in one thread while the others wait.
COMPUTING = threading.Lock()

_readers = 1


def set_readers(number: int) -> None:
    """Set how many threads of this process work ahead. With 1, there are none."""
    global _readers
    _readers = number


def readers() -> int:
    """Return how many threads of this process work ahead."""
    return _readers


def map_ahead(function: Callable[[T], R], items: Sequence[T]) -> Generator[R, None, None]:
    """Yield `function(item)` of each item, in order. Close the generator if it is not read to its end.

    The function is called in this thread, until more than half of its time is spent waiting. Then threads
    call it for the items ahead. An exception is raised when it is the turn of its item, so the first one in
    the order of the items is raised, as without threads.

    Args:
        function: Safe to call in several threads at a time. Its results should be small: thousands of them
            may wait for their turn.
        items: What to call it with.
    """
    for start in range(0, len(items), BATCH):
        batch = items[start : start + BATCH]
        done = 0
        for result in _until_waiting(function, batch):
            yield result
            done += 1
        if done < len(batch):
            yield from _threaded(function, batch[done:])


def _until_waiting(function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
    """Yield results without threads, until most of the time is spent waiting for files."""
    began = checked = time.perf_counter()
    before = resource.getrusage(USAGE)
    for number, item in enumerate(items):
        now = time.perf_counter()
        if now - checked > CHECK_EVERY and _readers > 1:
            checked, used = now, resource.getrusage(USAGE)
            computed = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
            # On a busy machine the time also passes without computing. But then no call has to wait.
            waits = used.ru_nvcsw - before.ru_nvcsw
            if 2 * computed < now - began and 2 * waits > number:
                return
        yield function(item)


def _threaded(function: Callable[[T], R], items: Sequence[T]) -> Iterator[R]:
    """Yield results in order, while threads work ahead."""
    futures: list[Future[R]] = [Future() for _ in items]
    todo = zip(items, futures, strict=True)
    lock = threading.Lock()
    stopped = threading.Event()

    def work() -> None:
        # Signals are left to the main thread, which they wake up.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while not stopped.is_set():
            with lock:
                taken = next(todo, None)
            if taken is None:
                return
            item, future = taken
            try:
                future.set_result(function(item))
            except BaseException as error:
                future.set_exception(error)

    # Daemons: a thread that hangs in the file system does not keep the process from ending.
    threads: list[threading.Thread] = []
    try:
        with suppress(RuntimeError):  # the system allows this process no more threads
            for _ in range(min(_readers, len(items))):
                thread = threading.Thread(target=work, daemon=True)
                thread.start()
                threads.append(thread)
        if not threads:
            yield from map(function, items)
            return
        for future in futures:
            yield future.result()
    finally:
        stopped.set()
        until = time.monotonic() + PATIENCE
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
