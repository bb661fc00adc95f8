"""Builds of ImageNetS50 that tests of several packages share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.builds import build


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
