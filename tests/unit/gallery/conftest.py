"""Galleries of ImageNetS50 that tests share."""

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest

from imagenet_s.cli.main import main


@pytest.fixture(scope="session")
def tree50(output50) -> Path:
    """The folder of subset 50 in `output50`. Shared: never change it."""
    return output50 / "ImageNetS50"


class Made(NamedTuple):
    """A gallery, and what the command printed."""

    folder: Path
    printed: str


@pytest.fixture(scope="session")
def made50(tree50, tmp_path_factory) -> Made:
    """A gallery of `tree50` with three images of a class. Shared: never change it."""
    folder = tmp_path_factory.mktemp("gallery") / "out"
    splits = ["--splits", "validation", "train-semi", "test"]
    with redirect_stdout(StringIO()) as printed:
        assert main(["gallery", str(tree50), "--out", str(folder), *splits, "--per-class", "3"]) == 0
    return Made(folder, printed.getvalue())
