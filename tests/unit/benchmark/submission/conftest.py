"""Predictions of the test images of subset 50, as a folder and as the members of a zip."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from helpers.submission import FIELDS, MATCH, NAMES, TEXT, Members
from helpers.trees import linked_copy
from imagenet_s.masks.codec import rgb_png


@pytest.fixture(scope="session")
def test50(tmp_path_factory) -> Path:
    """`images` and `predictions` of subset 50's test images; shared, never changed."""
    folder = tmp_path_factory.mktemp("test50")
    random = np.random.default_rng(1)
    for name in NAMES:
        height, width = map(int, random.integers(4, 12, 2))
        image = (folder / "images" / name).with_suffix(".JPEG")
        for path in (image, folder / "predictions" / name):
            path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (width, height)).save(image)
        ids = random.integers(0, 51, (height, width)).astype(np.uint16)
        (folder / "predictions" / name).write_bytes(rgb_png(ids))
    return folder


@pytest.fixture
def folder(test50, tmp_path) -> Path:
    """A folder with `predictions` that may be changed, `method.yaml` and `match.json`."""
    linked_copy(test50 / "predictions", tmp_path / "predictions")
    (tmp_path / "method.yaml").write_text(yaml.safe_dump(FIELDS))
    (tmp_path / "match.json").write_text(json.dumps(MATCH))
    return tmp_path


@pytest.fixture(scope="session")
def members(test50) -> Members:
    """The members of a valid zip."""
    found = {name: (test50 / "predictions" / name).read_bytes() for name in NAMES}
    return found | {"method.txt": TEXT.encode()}
