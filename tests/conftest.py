"""What tests share: a synthetic ImageNet with the official names, and copies of it in other layouts."""

import os
import shutil
import tempfile
import zipfile
from pathlib import Path

import pytest
import requests

from helpers.builds import build
from helpers.trees import linked_copy
from imagenet_s.demo.generate import make_annotations, make_images
from imagenet_s.io.atomic import read_json
from imagenet_s.runtime import read_ahead
from imagenet_s.runtime.progress import log

MEMORY = Path("/dev/shm")  # Linux's folder of files in memory


def pytest_configure() -> None:
    """Keeps the tests' many small files in memory where there is room: a disk takes much longer."""
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 4e9
    if roomy and "TMPDIR" not in os.environ:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # so that it is looked up again


@pytest.fixture(autouse=True, scope="session")
def no_proxy():
    """Servers of the tests run on this machine: no proxy may come between."""
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"


@pytest.fixture(autouse=True, scope="session")
def one_process():
    """A command that a test calls works in the test's process: to start others takes longer than its work.

    Tests of several processes pass `--workers 2`.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "cpu_count", lambda: 1)
        yield


@pytest.fixture(autouse=True)
def own_log():
    """A command that a test runs logs to the standard error that this test captures, and no later one."""
    yield
    log.handlers.clear()


@pytest.fixture
def offline(monkeypatch) -> None:
    """No server answers a request for the head of a file."""

    def head(*_, **__):
        raise requests.ConnectionError

    monkeypatch.setattr("requests.head", head)


@pytest.fixture
def threads_ahead(monkeypatch):
    """Threads work ahead from the first item on, as on a slow file system."""
    monkeypatch.setattr(read_ahead, "_until_waiting", lambda function, items: iter(()))
    monkeypatch.setattr(read_ahead, "_readers", 8)


@pytest.fixture(scope="session")
def imagenet50(tmp_path_factory) -> Path:
    """Raw synthetic ImageNet with all that subset 50 lists: `train/<wnid>/` and a flat `val/`.

    Shared by all tests: never change it, make a `linked_copy`.
    """
    folder = tmp_path_factory.mktemp("source")
    make_images(50, folder / "imagenet", folder / "receipt.json", 1, folder / "scratch")
    return folder / "imagenet"


@pytest.fixture(scope="session")
def annotations50(tmp_path_factory) -> dict:
    """The receipt (`path`, `md5`, …) of an archive of masks that fits `imagenet50`."""
    folder = tmp_path_factory.mktemp("annotations")
    make_annotations(50, folder, folder / "receipt.json", 1)
    return read_json(folder / "receipt.json")


@pytest.fixture(scope="session")
def truth50(annotations50, tmp_path_factory) -> Path:
    """The folder `validation-segmentation` of subset 50: the true masks of `imagenet50`, shared like it."""
    folder = tmp_path_factory.mktemp("truth")
    with zipfile.ZipFile(annotations50["path"]) as archive:
        masks = [name for name in archive.namelist() if "/validation-segmentation/" in name]
        archive.extractall(folder, masks)
    return folder / "ImageNetS50" / "validation-segmentation"


@pytest.fixture(scope="session")
def output50(imagenet50, annotations50, tmp_path_factory) -> Path:
    """An output with a build of subset 50 by copies, with labels `id16`. Shared: never change it."""
    output = tmp_path_factory.mktemp("output") / "results"
    build(imagenet50, annotations50, output, "copy", labels=("id16",))
    return output


@pytest.fixture
def predictions(truth50, tmp_path) -> Path:
    """The truth itself, as predictions that may be changed."""
    return linked_copy(truth50, tmp_path / "predictions")
