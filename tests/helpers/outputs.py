"""Outputs that fail or cannot show every character, for tests of what commands print."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

FULL = Path("/dev/full")  # Linux: every write fails with "No space left on device"


@contextmanager
def unread_pipe() -> Iterator[int]:
    """Yield the writing end of a pipe whose reader is gone, as after `… | head`."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        yield writing
    finally:
        os.close(writing)


def terminal_stream(monkeypatch: pytest.MonkeyPatch, name: str) -> io.StringIO:
    """Put a stream that takes itself for a terminal in the place of `sys.stdout` or another; return it."""
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, name, stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return stream


def stdout_in(encoding: str) -> io.TextIOWrapper:
    """Return standard output as Python opens it under `PYTHONIOENCODING`."""
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)
