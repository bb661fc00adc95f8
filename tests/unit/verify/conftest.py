"""Copies of ImageNetS50 that tests of `verify` share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.builds import build
from helpers.checks import without_manifests
from helpers.damages import own_copy
from imagenet_s.verify import compare


@pytest.fixture(scope="session")
def built(imagenet50, annotations50, output50, tmp_path_factory) -> Callable[[str], Path]:
    """A function that returns a build with a kind of link. Shared: never change it, make an `own_copy`."""
    made = {"copy": output50 / "ImageNetS50"}

    def by(link: str) -> Path:
        if link not in made:
            output = tmp_path_factory.mktemp(f"built-{link}") / "results"
            made[link] = build(imagenet50, annotations50, output, link, labels=("id16",))
        return made[link]

    return by


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
