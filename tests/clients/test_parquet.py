"""The Parquet export, as Hugging Face loads it."""

import pandas as pd
import pytest

from clients.truth import MASKED, SPLITS, ids_of, pixels_digest, same_picture, samples, sha256

datasets = pytest.importorskip("datasets")

NAMES = {split.replace("-", "_"): split for split in SPLITS}  # a split's name here has no hyphen


@pytest.fixture(scope="module")
def parquet50(exports50, tmp_path_factory):
    """The parquet export, with all its splits."""
    folder = exports50 / "parquet" / "ImageNetS50"
    return datasets.load_dataset(str(folder), cache_dir=tmp_path_factory.mktemp("cache"))


def test_it_has_all_splits_with_names_of_classes(parquet50, tree50):
    assert sorted(parquet50) == sorted(NAMES)
    classes = pd.read_csv(tree50 / "classes.csv")
    for data in parquet50.values():
        assert data.column_names == ["image", "mask", "filename", "label"]
        assert data.features["label"].names == list(classes["name"])
        assert isinstance(data.features["mask"], datasets.Image)


@pytest.mark.parametrize("name", NAMES)
def test_it_gives_each_sample(parquet50, tree50, name):
    split, data = NAMES[name], parquet50[name]
    expected = samples(tree50, split)
    assert list(data["filename"]) == [sample.image.rpartition("/")[2] for sample in expected]
    assert list(data["label"]) == [sample.label for sample in expected]
    for column, wanted in {"image": "sha256", "mask": "mask_sha256"}.items():
        stored = data.cast_column(column, datasets.Image(decode=False))[column]
        found = [sha256(value["bytes"]) if value else "" for value in stored]
        assert found == [getattr(sample, wanted) for sample in expected]
    for row, sample in zip(data, expected, strict=True):
        assert same_picture(row["image"], tree50 / sample.image)
        assert (row["mask"] is not None) == (split in MASKED)
        if row["mask"]:
            assert pixels_digest(ids_of(row["mask"])) == sample.mask_pixels
