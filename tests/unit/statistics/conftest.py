"""Copies of ImageNetS50 and their statistics that tests share."""

from pathlib import Path

import pytest

from helpers.damages import own_copy
from imagenet_s.copies.copy import open_copy
from imagenet_s.statistics.copy_statistics import statistics_of
from imagenet_s.statistics.tables import Statistics


@pytest.fixture(scope="session")
def tree50(output50) -> Path:
    """The folder of subset 50 in `output50`. Shared: never change it."""
    return output50 / "ImageNetS50"


@pytest.fixture(scope="session")
def statistics50(tree50) -> Statistics:
    """The statistics of `tree50`. Shared: never change them."""
    return statistics_of(open_copy(tree50), 1)


@pytest.fixture
def tree(tree50, tmp_path) -> Path:
    """A copy of the build without its folder `work`, for one test."""
    return own_copy(tree50, tmp_path / "ImageNetS50")
