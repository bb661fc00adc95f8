"""What tests of the data set share."""

from pathlib import Path

import pytest


@pytest.fixture
def tree(output50) -> Path:
    """The folder of subset 50 in `output50`. Shared: never change it."""
    return output50 / "ImageNetS50"
