"""Fixtures for the tests of files in pieces."""

from pathlib import Path

import pytest


@pytest.fixture
def pieces(tmp_path):
    """Return a function that writes pieces with some suffixes and bytes and returns the path of the first."""

    def pieces(**parts: bytes) -> Path:
        for ending, data in parts.items():
            (tmp_path / f"x.tar.{ending.lstrip('_')}").write_bytes(data)
        return tmp_path / f"x.tar.{next(iter(parts)).lstrip('_')}"

    return pieces
