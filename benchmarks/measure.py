"""Shared by the benchmarks: time commands in turn, measure their peak memory, describe the machine."""

import os
import platform
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import psutil

LAUNCH = Path(__file__).parents[1] / "workflow" / "launch.py"
INTERVAL = 0.1  # seconds between two samples of the memory


class Taken(NamedTuple):
    """The time of a command, and the peak memory of it and its children together, in bytes."""

    seconds: float
    memory: int


def run(command: Sequence[str | Path], codes: tuple[int, ...] = (0,), **options) -> Taken:
    """Run a command and return what it took; `options` are those of `subprocess.Popen`.

    Raises:
        RuntimeError: Its exit code is not in `codes`.
    """
    began, peak = time.perf_counter(), 0
    done = threading.Event()
    process = psutil.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, **options)

    def watch() -> None:
        nonlocal peak
        while not done.wait(INTERVAL):
            peak = max(peak, memory_of(process))

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    seconds = time.perf_counter() - began
    done.set()
    watcher.join()
    if code not in codes:
        raise RuntimeError(f"exit code {code}: {' '.join(map(str, command))}")
    return Taken(seconds, peak)


def memory_of(process: psutil.Process) -> int:
    """Return the memory of a process and its children in bytes; shared memory counts once."""
    total = 0
    try:
        for one in (process, *process.children(recursive=True)):
            total += one.memory_full_info().pss
    except psutil.NoSuchProcess:
        pass
    return total


def in_turn(ways: Mapping[str, Callable[[], Taken]], rounds: int) -> dict[str, Taken]:
    """Call each variant once per round, in turn; return the median times and the peak memory."""
    taken: dict[str, list[Taken]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            taken[name].append(way())
    return {
        name: Taken(statistics.median(t.seconds for t in some), max(t.memory for t in some))
        for name, some in taken.items()
    }


def machine() -> str:
    """Describe the machine, the date and the versions in one line."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [x.partition(":")[2].strip() for x in info.read_text().splitlines() if "model name" in x]
        model = names[0] if names else model
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} × {model}, {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {date.today()}"
    )
