"""What clients load: builds of the demo with files and with links, and the exports of the first."""

import os
import tempfile
from pathlib import Path

import pytest

from helpers.builds import build
from imagenet_s.cli.main import main
from imagenet_s.spec.exports import FORMATS


def pytest_configure(config: pytest.Config) -> None:
    """Keep clients off the network and out of the caches of this user, which they look up when imported."""
    caches = tempfile.TemporaryDirectory()
    config.add_cleanup(caches.cleanup)
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": caches.name}


@pytest.fixture(scope="session")
def tree50(output50) -> Path:
    """The folder of subset 50, every image a file of its own. Shared: never change it."""
    return output50 / "ImageNetS50"


@pytest.fixture(scope="session")
def linked50(imagenet50, annotations50, tmp_path_factory) -> Path:
    """The folder of subset 50 with links: a class of train is one link to the source's folder."""
    return build(imagenet50, annotations50, tmp_path_factory.mktemp("linked") / "results", "symlink")


@pytest.fixture(scope="session")
def file_links50(imagenet50, annotations50, tmp_path_factory) -> Path:
    """The folder of subset 50 with a link for each image."""
    output = tmp_path_factory.mktemp("file-links") / "results"
    return build(imagenet50, annotations50, output, "symlink-files")


@pytest.fixture(scope="session")
def exports50(tree50, tmp_path_factory) -> Path:
    """A folder with the exports of `tree50`, each in a folder of its own. Shared: never change them."""
    folder = tmp_path_factory.mktemp("exports")
    for name in FORMATS:
        assert main(["export", name, str(tree50), "--out", str(folder / name)]) == 0
    return folder
