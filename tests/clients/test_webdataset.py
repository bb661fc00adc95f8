"""WebDataset's shards, as webdataset, Hugging Face and timm load them."""

import json
from pathlib import Path

import pytest

from clients.truth import MASKED, SPLITS, Sample, ids_of, pixels_digest, same_picture, samples, sha256


@pytest.fixture(scope="module")
def shards50(exports50) -> Path:
    return exports50 / "webdataset"


def shards(folder: Path, split: str) -> list[str]:
    """Return the paths of a split's shards."""
    return sorted(str(path) for path in folder.glob(f"ImageNetS50-{split}-[0-9]*.tar"))


def by_key(tree: Path, split: str) -> dict[str, Sample]:
    return {sample.key: sample for sample in samples(tree, split)}


@pytest.mark.parametrize("split", SPLITS)
def test_webdataset_gives_the_bytes_of_each_sample(shards50, tree50, split):
    webdataset = pytest.importorskip("webdataset")
    expected = by_key(tree50, split)
    found = list(webdataset.WebDataset(shards(shards50, split), shardshuffle=False))
    keys = [sample["__key__"] for sample in found]
    assert sorted(keys) == sorted(expected)
    assert (keys == list(expected)) == (split != "train")  # shuffled by a fixed seed
    for content in found:
        sample = expected[content["__key__"]]
        assert sha256(content["jpg"]) == sample.sha256
        assert content["cls"] == str(sample.label).encode()
        assert json.loads(content["json"])["image"] == sample.image
        assert ("seg.png" in content) == (split in MASKED)
        if split in MASKED:
            assert sha256(content["seg.png"]) == sample.mask_sha256


@pytest.mark.parametrize("split", MASKED)
def test_webdataset_decodes_images_masks_and_labels(shards50, tree50, split):
    webdataset = pytest.importorskip("webdataset")
    decoded = webdataset.WebDataset(shards(shards50, split), shardshuffle=False).decode("pil")
    triples = decoded.to_tuple("jpg", "seg.png", "cls")
    for (image, mask, label), sample in zip(triples, samples(tree50, split), strict=True):
        assert label == sample.label
        assert same_picture(image, tree50 / sample.image)
        assert pixels_digest(ids_of(mask)) == sample.mask_pixels


def test_the_builder_of_hugging_face_loads_each_split(shards50, tree50, tmp_path):
    datasets = pytest.importorskip("datasets")
    for split in SPLITS:
        files = {"train": shards(shards50, split)}
        data = datasets.load_dataset("webdataset", data_files=files, cache_dir=tmp_path)["train"]
        expected = by_key(tree50, split)
        assert sorted(data["__key__"]) == sorted(expected)
        for row in data:
            sample = expected[row["__key__"]]
            assert row["cls"] == sample.label
            assert row["json"]["image"] == sample.image
            assert same_picture(row["jpg"], tree50 / sample.image)
            if split in MASKED:
                assert pixels_digest(ids_of(row["seg.png"])) == sample.mask_pixels


@pytest.mark.parametrize("split", SPLITS)
def test_timm_reads_the_counts_and_each_sample(shards50, tree50, split):
    timm_data = pytest.importorskip("timm.data")
    pytest.importorskip("webdataset")
    data = timm_data.create_dataset("wds/ImageNetS50", root=str(shards50), split=f"ImageNetS50-{split}")
    expected = by_key(tree50, split)
    assert len(data) == len(expected)
    keys = [name.removesuffix(".JPEG") for name in data.filenames()]
    assert sorted(keys) == sorted(expected)
    for (image, label), key in zip(data, keys, strict=True):
        assert label == expected[key].label
        assert same_picture(image, tree50 / expected[key].image)
