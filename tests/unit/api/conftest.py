"""Copies of ImageNetS50 that tests of the API share."""

from pathlib import Path

import pytest

import imagenet_s
from helpers.checks import without_manifests
from helpers.damages import own_copy


@pytest.fixture(scope="session")
def data(output50) -> imagenet_s.ImageNetSData:
    """The build `output50`, opened."""
    return imagenet_s.open(output50 / "ImageNetS50")


@pytest.fixture
def tree(output50, tmp_path) -> Path:
    """A copy of a build, for one test."""
    return own_copy(output50 / "ImageNetS50", tmp_path / "ImageNetS50")


@pytest.fixture
def foreign(tree) -> Path:
    """A copy as the official scripts make it, for one test."""
    return without_manifests(tree)
