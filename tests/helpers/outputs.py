"""Outputs that fail or cannot show every character, for tests of what commands print."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


def stdout_in(encoding: str) -> io.TextIOWrapper:
    """Return standard output as Python opens it under `PYTHONIOENCODING`."""
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)
