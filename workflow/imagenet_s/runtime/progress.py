"""What a running command reports: a log file, warnings on the terminal, and progress on both."""

import io
import logging
import os
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

log = logging.getLogger("imagenet_s")

QUIET, VERBOSE = -1, 1  # values of `verbosity`

LOG_EVERY = 10.0  # seconds between two progress lines in the log


def start_log(file: Path | None, verbosity: int = 0) -> None:
    """Start logging to standard error and to `file`, if there is one.

    With a log file (a Snakemake job) everything goes there, and standard error shows warnings only.
    Without one, standard error also shows information. With `verbosity` -1 standard error shows only
    errors and no progress, with 1 it shows everything.
    """
    escape_output()
    log.setLevel(logging.DEBUG)
    log.handlers.clear()
    terminal = logging.StreamHandler(sys.stderr)
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


class _LogFile(logging.FileHandler):
    """A log file that ignores write errors: if the disk is full, the job itself reports it."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass


class LoggedBar(tqdm):  # type: ignore[type-arg]  # generic in its stubs only, not at run time
    """A progress bar on terminals that also writes its state to the log."""

    def __init__(self, what: str, total: int | None, unit: str):
        self.what, self.of, self.unit_name = what, total, unit
        self.count = 0.0
        self.began = self.reported = time.monotonic()
        super().__init__(
            total=total,
            desc=what,
            unit=unit if unit == "B" else f" {unit}",
            unit_scale=unit == "B",
            leave=False,
            file=sys.stderr,
            disable=True if _is_quiet() else None,  # None: if it is not a terminal
        )

    def update(self, n: float | None = 1) -> bool | None:
        """Advance the bar by `n`, and write to the log if it is time to."""
        self.count += n or 0
        if time.monotonic() - self.reported >= LOG_EVERY:
            self.log_state()
        return super().update(n)

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
