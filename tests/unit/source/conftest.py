"""Fixtures for tests of the scan: an empty copy of ImageNet, and its scan."""

from collections.abc import Callable
from pathlib import Path

import pytest

from imagenet_s.source.listing import Row
from imagenet_s.source.scan import SourceScan, list_tier
from imagenet_s.source.tar_index import Index


@pytest.fixture
def root(tmp_path) -> Path:
    """Return an empty folder for a copy of ImageNet."""
    folder = tmp_path / "imagenet"
    folder.mkdir()
    return folder


@pytest.fixture
def scan_root(root) -> Callable[..., tuple[list[Row], SourceScan]]:
    """Return a function that lists one tier of `root`, and returns the rows and the scan."""

    def scan_root(tier: int = 50) -> tuple[list[Row], SourceScan]:
        return list_tier(root, tier, Index())

    return scan_root
