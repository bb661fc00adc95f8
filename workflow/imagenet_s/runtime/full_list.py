"""The full list of names of which messages show only the first: in the log, or in a temporary file."""

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from imagenet_s.runtime.progress import log, reporter
from imagenet_s.runtime.terminal import is_terminal

LISTED = "in_full_list"  # the attribute of log records that belong to a full list


def list_in_full(lines: Iterable[str], is_shortened: bool = True) -> None:
    """Log a list. If messages show only a part (`is_shortened`), the command's last line says where it is."""
    for line in lines:
        log.debug("%s", line, extra={LISTED: True} if is_shortened else None)


class FullList(logging.Handler):
    """Counts the logged lines of full lists, and says where they are.

    Without a log file, if messages go to a terminal, it writes them to a temporary file: a file in a folder
    of the user might end up in a data set.
    """

    def __init__(self, log_file: Path | None):
        super().__init__()
        self.addFilter(lambda record: hasattr(record, LISTED))
        self._path = log_file
        self._needs_file = log_file is None and is_terminal(sys.stderr)
        self._file: IO[str] | None = None
        self._lines = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count a line, and write it to the temporary file if there must be one."""
        self._lines += 1
        if self._needs_file:
            with self._no_failure():
                self._file = self._file or _temporary_file()
                print(record.getMessage(), file=self._file)
                self._path = Path(self._file.name)

    def name_file(self) -> None:
        """Say where the full list is, if there is one. For a job of a build, the last word names its log."""
        if self._file:
            with self._no_failure():
                self._file.close()
        if self._lines and self._path and not reporter().active:
            log.error("The full list (%s lines) is in %s", f"{self._lines:,}", self._path)

    @contextmanager
    def _no_failure(self) -> Iterator[None]:
        """Do without the temporary file if it cannot be written: the command itself is no worse for it."""
        try:
            yield
        except OSError as error:
            log.warning("The full list cannot be written: %s", error.strerror)
            self._needs_file, self._path = False, None


def _temporary_file() -> IO[str]:
    return NamedTemporaryFile(
        "w", prefix="imagenet-s-", suffix=".log", delete=False, encoding="utf-8", errors="backslashreplace"
    )
