"""The examples of the data card, run in the folder above that of the subset, as the card says."""

import re
from glob import glob

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import imagenet_s
from clients.truth import COUNTS, pixels_digest, samples


@pytest.fixture
def examples(tree50, exports50, tmp_path, monkeypatch) -> list[str]:
    """The blocks of Python, in a folder that has what they load."""
    (tmp_path / "ImageNetS50").symlink_to(tree50)
    (tmp_path / "exports").symlink_to(exports50)
    monkeypatch.chdir(tmp_path)
    return re.findall(r"```python\n(.*?)```", (tree50 / "README.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def names(tree50, tmp_path, monkeypatch) -> dict:
    """What the examples take for imported, and the path of a mask."""
    libraries = {"wds": "webdataset", "torchvision": "torchvision", "mlcroissant": "mlcroissant"}
    libraries |= {"pycocotools": "pycocotools", "datasets": "datasets"}
    imported = {name: pytest.importorskip(library) for name, library in libraries.items()}
    pytest.importorskip("pycocotools.coco")
    # Hugging Face takes the same files in two folders for one data set, with the paths of the first.
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    return imported | {
        "imagenet_s": imagenet_s,
        "np": np,
        "pd": pd,
        "Image": Image,
        "glob": glob,
        "load_dataset": imported["datasets"].load_dataset,
        "mask_path": tree50 / samples(tree50, "validation")[0].mask,
    }


def test_every_example_of_the_card_loads_the_data(examples, names, tree50):
    first = samples(tree50, "validation")[0]
    with_arrays, with_tables, with_torch, with_hub, with_shards, with_coco, with_croissant = examples
    exec(with_arrays, names)
    assert pixels_digest(names["ids"]) == first.mask_pixels
    exec(with_tables, names)
    assert (len(names["samples"]), len(names["classes"])) == (COUNTS["validation"], 50)
    exec(with_torch, names)
    assert names["label"] == first.label
    assert len(names["data"]) == COUNTS["validation"]
    exec(with_hub, names)
    assert len(names["data"]["validation"]) == COUNTS["validation"]
    assert names["data"]["validation"][0]["mask"].size == first.size
    exec(with_shards, names)
    assert len(list(names["data"])) == COUNTS["validation"]
    exec(with_coco, names)
    assert len(names["data"].imgs) == COUNTS["validation"]
    exec(with_croissant, names)
    assert len(list(names["data"])) == COUNTS["validation"]
