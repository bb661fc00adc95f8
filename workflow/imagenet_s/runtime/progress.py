"""What a running command tells: a log file, warnings on the terminal, and a progress bar on both."""

import io
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

log = logging.getLogger("imagenet_s")

LOG_EVERY = 10.0  # seconds between two progress lines in the log


def start_log(file: Path | None) -> None:
    """Sends everything to `file`, if there is one, and the rest to standard error.

    With a log file (a Snakemake job) standard error gets warnings only; without, it gets it all.
    """
    escape_output()
    log.setLevel(logging.DEBUG)
    log.handlers.clear()
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(logging.WARNING if file else logging.INFO)
    terminal.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(terminal)
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = _LogFile(file, mode="w", encoding="utf-8", errors="backslashreplace")
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        log.addHandler(handler)


def escape_output() -> None:
    """From now on, print what cannot be encoded as an escape.

    Not every terminal is UTF-8 (`PYTHONIOENCODING=latin-1`, for example), and not every file name is.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not so a closed one, and what others put in its place
            stream.reconfigure(errors="backslashreplace")


def flush_output() -> OSError | None:
    """Print what is still in the buffers; return what went wrong. Python does not try again when it ends."""
    found = None
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream:  # a closed one is None
                stream.flush()
        except OSError as error:
            found = found or error
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return found


def print_summary(summary: Path) -> None:
    """Print the summary of a build that has ended. If that fails, the build is complete all the same."""
    try:
        print(summary.read_text(encoding="utf-8"))
        error = flush_output()
    except OSError as found:  # where output has no buffer
        error = found
    if error and not isinstance(error, BrokenPipeError):
        log.warning("Cannot print the summary (%s). It is in %s", error.strerror, summary)


class _LogFile(logging.FileHandler):
    """A log that may fall short: where the disk is full, the job itself says so."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass


@contextmanager
def progress(what: str, total: int | None, unit: str = "files") -> Iterator[tqdm]:
    """A bar on a terminal and, every ten seconds and at the end, a line in the log.

    Call `.update(n)` on what it yields; `unit="B"` counts bytes.
    """
    scale = unit == "B"
    options = {"total": total, "desc": what, "unit": unit if scale else f" {unit}"}
    with _LoggedBar(**options, unit_scale=scale, leave=False, file=sys.stderr) as bar:
        try:
            yield bar
        finally:
            bar.tell()


class _LoggedBar(tqdm):
    """A tqdm bar, silent unless on a terminal, that also writes its state to the log now and then."""

    def __init__(self, *args, **kwargs):
        self.count = 0
        self.began = self.reported = time.monotonic()
        super().__init__(*args, disable=None, **kwargs)
        self.of = kwargs["total"]
        self.what, self.units = kwargs["desc"], kwargs["unit"].strip()

    def update(self, n: float = 1) -> bool | None:
        self.count += n
        if time.monotonic() - self.reported >= LOG_EVERY:
            self.tell()
        return super().update(n)

    def tell(self) -> None:
        self.reported = time.monotonic()
        line = self.format_meter(
            self.count,
            self.of,
            self.reported - self.began,
            ncols=0,
            unit=f" {self.units}",
            unit_scale=self.units == "B",
        )
        log.debug("%s: %s", self.what, line.lstrip(": ").strip())
