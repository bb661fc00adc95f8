"""Copies of ImageNetS50 that tests of copies share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.checks import without_manifests
from helpers.damages import own_copy
from imagenet_s.dataset.dataset_file import own_digest, read_dataset
from imagenet_s.io.atomic import read_json, sha256_of, write_json
from imagenet_s.spec.subsets import DATASET


@pytest.fixture
def tree(built, tmp_path) -> Path:
    """A copy of a build, for one test."""
    return own_copy(built("copy"), tmp_path / "ImageNetS50")


@pytest.fixture(scope="session")
def foreign(built, tmp_path_factory) -> Path:
    """A copy as the official scripts make it, of no telling name. Shared: never change it."""
    return without_manifests(own_copy(built("symlink"), tmp_path_factory.mktemp("foreign") / "mine"))


@pytest.fixture
def state_files() -> Callable[..., Path]:
    """A function that names only these files in the `dataset.json` of a copy, and returns the copy."""

    def state(tree: Path, *names: str) -> Path:
        dataset = read_json(tree / DATASET)
        dataset["build"]["files"] = {name: sha256_of(tree / name) for name in names}
        dataset["sha256"] = own_digest(dataset["content"], dataset["build"])
        write_json(tree / DATASET, dataset)
        assert read_dataset(tree)
        return tree

    return state
