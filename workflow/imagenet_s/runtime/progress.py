"""What a running command reports: a log file, warnings on the terminal, and progress on both.

A job of a build draws nothing: its progress and its errors go to its report, which the process that runs
the build shows.
"""

import io
import logging
import os
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from imagenet_s.runtime.job_report import JobReport, Reporter
from imagenet_s.runtime.terminal import can_redraw

log = logging.getLogger("imagenet_s")

QUIET, VERBOSE = -1, 1  # values of `verbosity`

LOG_EVERY = 10.0  # seconds between two progress lines in the log
CLEAR = "\r\x1b[K"  # what a terminal needs to clear the current line

_reporters = [Reporter("")]  # the last is that of the job that this process is


def reporter() -> Reporter:
    """Return what writes the report of the job that this process is."""
    return _reporters[-1]


def start_log(file: Path | None, verbosity: int = 0) -> None:
    """Start logging to standard error and to `file`, if there is one.

    With a log file (a Snakemake job) everything goes there, and standard error shows warnings only.
    Without one, standard error also shows information. With `verbosity` -1 standard error shows only
    errors and no progress, with 1 it shows everything.
    """
    escape_output()
    log.setLevel(logging.DEBUG)
    log.handlers.clear()
    if file:
        _reporters[:] = [Reporter(file.stem)]
        if reporter().active:
            sys.stdout, sys.stderr = map(_over_the_status_line, (sys.stdout, sys.stderr))
    terminal = _Terminal(sys.stderr)
    usual = logging.WARNING if file else logging.INFO
    terminal.setLevel({QUIET: logging.ERROR, VERBOSE: logging.DEBUG}.get(verbosity, usual))
    terminal.setFormatter(logging.Formatter("%(message)s"))
    log.addHandler(terminal)
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = _LogFile(file, mode="w", encoding="utf-8", errors="backslashreplace")
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        log.addHandler(handler)


def escape_output() -> None:
    """Print characters that the terminal cannot encode as escapes from now on.

    Some terminals are not UTF-8 (`PYTHONIOENCODING=latin-1`, for example), and some file names are not.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a stream may be closed (None) or replaced
            stream.reconfigure(errors="backslashreplace")


def ignore_image_warnings() -> None:
    """Do not print what Pillow warns of, such as damaged EXIF data: it names no file.

    What matters here is found and reported by `image_file`, with the name of the file.
    """
    warnings.filterwarnings("ignore", module=r"PIL\.")


def flush_output() -> OSError | None:
    """Print what is still buffered and return the first error, if there is one.

    After an error the stream is redirected to the null device, so that Python does not fail on exit.
    """
    first_error = None
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream:  # None if it is closed
                stream.flush()
        except OSError as error:
            first_error = first_error or error
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return first_error


def print_summary(summary: Path, closing: str) -> None:
    """Print the summary of a finished build and a closing line. If that fails, the build is complete."""
    try:
        print(summary.read_text(encoding="utf-8"), closing, sep="\n")
        error = flush_output()
    except OSError as unbuffered:  # an unbuffered stream fails at once
        error = unbuffered
    if error and not isinstance(error, BrokenPipeError):
        log.warning("Cannot print the summary (%s). It is in %s", error.strerror, summary)


def _is_quiet() -> bool:
    return any(handler.level >= logging.ERROR for handler in log.handlers)


class _Terminal(logging.StreamHandler[TextIO]):
    """Prints what is logged, except errors that the process that runs the build shows."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.ERROR or not reporter().add_error(self.format(record)):
            super().emit(record)


class _OverStatusLine(io.TextIOWrapper):
    """Standard output or error of a job: what it prints replaces the status line that the build draws."""

    def __init__(self, stream: TextIO):
        super().__init__(stream.buffer, stream.encoding, stream.errors, line_buffering=True)
        self.replaced = stream  # kept: without a reference, it would close the buffer
        self.at_start = True  # of a line

    def write(self, text: str) -> int:
        if text:
            begin = CLEAR if self.at_start else ""
            self.at_start = text.endswith("\n")
            super().write(begin + text.replace("\n", "\n" + CLEAR))
        return len(text)


def _over_the_status_line(stream: TextIO) -> TextIO:
    """Return a stream that clears each line on a terminal before it prints there."""
    return _OverStatusLine(stream) if can_redraw(stream) else stream


class _LogFile(logging.FileHandler):
    """A log file that ignores write errors: if the disk is full, the job itself reports it."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass


class LoggedBar(tqdm):  # type: ignore[type-arg]  # generic in its stubs only, not at run time
    """A progress bar on terminals that also writes its state to the log."""

    def __init__(self, what: str, total: int | None, unit: str):
        self.what, self.of, self.unit_name = what, total, unit
        self.count = self.read = 0.0
        self.began = self.reported = time.monotonic()
        super().__init__(
            total=total,
            desc=what,
            unit=unit if unit == "B" else f" {unit}",
            unit_scale=unit == "B",
            leave=False,
            file=sys.stderr,
            # None: if it is not a terminal. A job's progress is shown by another process.
            disable=_is_quiet() or reporter().active or None,
        )

    def update(self, n: float | None = 1, read: float = 0) -> bool | None:
        """Advance the bar by `n`, and write to the log and to the job's report if it is time to.

        Args:
            n: In the unit of the bar.
            read: Bytes of the source that were read, if the bar counts something else.
        """
        self.count += n or 0
        self.read += n or 0 if self.unit_name == "B" else read
        now = time.monotonic()
        if now - self.reported >= LOG_EVERY:
            self.log_state()
        if reporter().is_due(now):
            self.report_state()
        return super().update(n)

    def report_state(self) -> None:
        """Report the progress to the process that runs the build."""
        reporter().progress(JobReport(self.what, self.count, self.of, self.unit_name, self.read))

    def reach(self, count: float) -> None:
        """Advance the bar to `count`; it never goes back."""
        if count > self.count:
            self.update(count - self.count)

    def log_state(self) -> None:
        """Write one line about the progress to the log."""
        self.reported = time.monotonic()
        line = self.format_meter(
            self.count,
            self.of,  # type: ignore[arg-type]  # None is allowed: the total is unknown
            self.reported - self.began,
            ncols=0,
            unit=f" {self.unit_name}",
            unit_scale=self.unit_name == "B",
        )
        log.debug("%s: %s", self.what, line.lstrip(": ").strip())


@contextmanager
def progress(what: str, total: int | None, unit: str = "files") -> Iterator[LoggedBar]:
    """Show a bar on a terminal, and write a line to the log every ten seconds and at the end.

    Call `.update(n)` on the yielded bar. `unit="B"` counts bytes.
    """
    with LoggedBar(what, total, unit) as bar:
        try:
            yield bar
        finally:
            bar.log_state()
            bar.report_state()
