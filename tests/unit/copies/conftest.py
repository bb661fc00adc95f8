"""Copies of ImageNetS50 that tests of copies share."""

from pathlib import Path

import pytest

from helpers.checks import without_manifests
from helpers.damages import own_copy


@pytest.fixture
def tree(built, tmp_path) -> Path:
    """A copy of a build, for one test."""
    return own_copy(built("copy"), tmp_path / "ImageNetS50")


@pytest.fixture(scope="session")
def foreign(built, tmp_path_factory) -> Path:
    """A copy as the official scripts make it, of no telling name. Shared: never change it."""
    return without_manifests(own_copy(built("symlink"), tmp_path_factory.mktemp("foreign") / "mine"))
