"""Copies of ImageNetS50 and exports of them that tests share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from imagenet_s.cli.main import main


@pytest.fixture(scope="session")
def tree50(output50) -> Path:
    """The folder of subset 50 in `output50`. Shared: never change it."""
    return output50 / "ImageNetS50"


@pytest.fixture(scope="session")
def exported(tree50, tmp_path_factory) -> Callable[[str], Path]:
    """Format → a folder with an export of all splits of subset 50. Shared: never change it."""
    made: dict[str, Path] = {}

    def export(export_format: str) -> Path:
        if export_format not in made:
            folder = tmp_path_factory.mktemp(export_format) / "out"
            assert main(["export", export_format, str(tree50), "--out", str(folder), "--workers", "2"]) == 0
            made[export_format] = folder
        return made[export_format]

    return export
