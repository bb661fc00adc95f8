"""Threads that work ahead change nothing but the time: order, errors, and how a command ends."""

import os
import resource
import signal
import threading
import time
from contextlib import closing
from types import SimpleNamespace

import pytest

from imagenet_s.runtime import read_ahead
from imagenet_s.runtime.read_ahead import map_ahead, set_readers


@pytest.fixture
def hanging(monkeypatch):
    """An event for which a call may wait: it is set at the end. Nobody waits long for its thread."""
    monkeypatch.setattr(read_ahead, "PATIENCE", 0.01)
    event = threading.Event()
    yield event
    event.set()


def own_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.daemon and "work" in thread.name]


def test_each_item_is_worked_on_once_and_results_are_in_order(threads_ahead, monkeypatch):
    monkeypatch.setattr(read_ahead, "BATCH", 50)
    called = []

    def square(number: int) -> int:
        time.sleep(number % 7 / 10_000)  # so that later items are ready first
        called.append(number)
        return number * number

    assert list(map_ahead(square, range(230))) == [number * number for number in range(230)]
    assert sorted(called) == list(range(230))
    assert own_threads() == []


def test_the_first_error_in_order_is_raised_even_if_a_later_one_happens_first(threads_ahead):
    later = threading.Event()

    def fail(number: int) -> int:
        if number == 3:
            assert later.wait(60)
            raise FileNotFoundError(2, "No such file or directory", "three")
        if number == 5:
            later.set()
            raise ValueError("five")
        return number

    mapped = map_ahead(fail, range(100))
    assert [next(mapped), next(mapped), next(mapped)] == [0, 1, 2]
    with pytest.raises(FileNotFoundError) as error:
        next(mapped)
    assert error.value.filename == "three"
    assert own_threads() == []


def test_no_item_is_begun_after_the_end(threads_ahead):
    called = []
    with closing(map_ahead(called.append, range(100_000))) as mapped:
        next(mapped)
    assert own_threads() == []
    assert len(called) < read_ahead.BATCH + 100


def test_a_thread_that_hangs_is_left_behind(threads_ahead, hanging):
    def hang(number: int) -> None:
        if number == 0:
            raise OSError("zero")
        hanging.wait()

    with pytest.raises(OSError, match="zero"):
        list(map_ahead(hang, range(3)))
    left = own_threads()
    assert len(left) == 2
    hanging.set()
    for thread in left:
        thread.join()


def test_ctrl_c_is_raised_while_a_thread_hangs(threads_ahead, hanging):
    def press_and_hang(number: int) -> None:
        if number == 1:
            os.kill(os.getpid(), signal.SIGINT)
        hanging.wait()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            list(map_ahead(press_and_hang, range(100)))
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("computing", "waits", "readers", "ahead"),
    [
        (0.1, 1, 8, True),  # a slow file system
        (0.1, 1, 1, False),
        (0.1, 0, 8, False),  # a busy machine: no call waits
        (0.6, 1, 8, False),  # a fast one: each call waits, but not for long
    ],
)
def test_threads_start_once_files_make_the_job_wait(monkeypatch, computing, waits, readers, ahead):
    """Each item takes a second, of which `computing` seconds are spent computing."""
    done = []
    monkeypatch.setattr(read_ahead.time, "perf_counter", lambda: float(len(done)))

    def usage(_: int) -> SimpleNamespace:
        passed = len(done)
        return SimpleNamespace(ru_utime=computing * passed, ru_stime=0.0, ru_nvcsw=waits * passed)

    monkeypatch.setattr(resource, "getrusage", usage)
    monkeypatch.setattr(read_ahead, "_readers", 1)
    set_readers(readers)
    by = []

    def work(number: int) -> int:
        by.append(threading.current_thread() is threading.main_thread())
        done.append(number)
        return number

    assert list(map_ahead(work, range(20))) == list(range(20))
    assert (False in by) == ahead
    assert by[0]


@pytest.mark.parametrize("allowed", [0, 1])
def test_where_the_system_allows_no_more_threads_those_that_began_do_the_work(
    allowed, threads_ahead, monkeypatch
):
    start, starts = threading.Thread.start, iter([True] * allowed)

    def limited(thread: threading.Thread) -> None:
        if not next(starts, False):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    assert list(map_ahead(lambda number: number + 1, range(20))) == list(range(1, 21))
