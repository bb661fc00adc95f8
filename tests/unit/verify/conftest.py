"""Copies of ImageNetS50 that tests of `verify` share."""

from pathlib import Path

import pytest

from helpers.checks import without_manifests
from helpers.damages import own_copy
from imagenet_s.verify import compare


@pytest.fixture(scope="module")
def shared(built, tmp_path_factory) -> Path:
    """A copy of a build for tests that restore it with `changed`."""
    return own_copy(built("copy"), tmp_path_factory.mktemp("shared") / "ImageNetS50")


@pytest.fixture
def tree(built, tmp_path) -> Path:
    """A copy of a build, for one test."""
    return own_copy(built("copy"), tmp_path / "ImageNetS50")


@pytest.fixture
def foreign(tree, monkeypatch) -> Path:
    """A copy as the official scripts make it; the demo's number of train images counts as official."""
    without_manifests(tree)
    facts = compare.subset_of(50)

    class Facts:
        name, train_images = facts.name, 650

    monkeypatch.setattr(compare, "subset_of", lambda number: Facts)
    monkeypatch.setattr(compare, "CLASS_SIZES", range(1, 1301))
    return tree
