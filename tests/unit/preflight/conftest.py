"""Fixtures for tests of the check: a source, an output, and the check itself."""

from pathlib import Path

import pytest

from helpers.trees import linked_copy
from imagenet_s.config.build_request import BuildRequest
from imagenet_s.preflight.check import check_and_list
from imagenet_s.runtime.errors import UserError
from imagenet_s.source.listing import read_listing


@pytest.fixture
def source(imagenet50, tmp_path) -> Path:
    """Return a complete source that a test may change."""
    return linked_copy(imagenet50, tmp_path / "imagenet")


@pytest.fixture
def output(tmp_path) -> Path:
    return tmp_path / "results"


@pytest.fixture
def listings(tmp_path) -> Path:
    """Return the folder into which a successful check writes."""
    return tmp_path / "listings"


@pytest.fixture
def run(source, output, listings):
    """Return a function that checks and lists the source, and returns the number of train images.

    `root` is the path of the source, or the paths of train and of val.
    """

    def run(tier=50, subsets=(50,), complete=False, link="symlink", output=output, root=source) -> int:
        imagenet, val = root if isinstance(root, tuple) else (root, None)
        check_and_list(tier, BuildRequest(imagenet, output, subsets, complete, link, (), val), listings)
        images = read_listing(listings / f"{tier}.parquet")["image"].to_pylist()
        return sum(not image.startswith("ILSVRC") for image in images)

    return run


@pytest.fixture
def refused(run):
    """Return a function that runs a check that must fail, and returns its UserError."""

    def refused(**options) -> UserError:
        with pytest.raises(UserError) as error:
            run(**options)
        return error.value

    return refused
