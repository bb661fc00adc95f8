"""COCO's own reader, torchvision's and Alpha-CLIP's way of reading, on the exports of the demo."""

import json

import numpy as np
import pytest
from PIL import Image

from clients.truth import MASKED, ids_of, same_picture, samples, wnids

coco = pytest.importorskip("pycocotools.coco")
run_lengths = pytest.importorskip("pycocotools.mask")

NO_REGION = (0, 1000)  # other and ignore


def truth(tree, sample) -> np.ndarray:
    """Return the ids of a sample's mask in the official tree."""
    with Image.open(tree / sample.mask) as mask:
        return ids_of(mask)


@pytest.mark.parametrize("split", MASKED)
def test_annotations_are_the_regions_of_the_masks(tree50, exports50, split):
    data = coco.COCO(exports50 / "coco" / f"ImageNetS50-{split}.json")
    expected = samples(tree50, split)
    images = data.loadImgs(data.getImgIds())
    assert [image["file_name"] for image in images] == [sample.image for sample in expected]
    for image, sample in zip(images, expected, strict=True):
        assert (image["width"], image["height"]) == sample.size
        ids = truth(tree50, sample)
        annotations = data.loadAnns(data.getAnnIds(image["id"]))
        found = [annotation["category_id"] for annotation in annotations]
        assert found == [number for number in sample.mask_ids if number not in NO_REGION]
        for annotation in annotations:
            region = data.annToMask(annotation)
            assert np.array_equal(region, ids == annotation["category_id"])
            encoded = annotation["segmentation"]
            assert annotation["area"] == run_lengths.area(encoded) == region.sum()
            assert annotation["bbox"] == run_lengths.toBbox(encoded).tolist()
            assert annotation["iscrowd"] == 0


@pytest.mark.parametrize("split", MASKED)
def test_run_lengths_are_those_of_pycocotools(tree50, exports50, split):
    data = coco.COCO(exports50 / "coco" / f"ImageNetS50-{split}.json")
    for number, sample in enumerate(samples(tree50, split), start=1):
        ids = truth(tree50, sample)
        for annotation in data.loadAnns(data.getAnnIds(number)):
            region = np.asfortranarray(ids == annotation["category_id"], np.uint8)
            assert annotation["segmentation"]["counts"].encode() == run_lengths.encode(region)["counts"]


def test_categories_are_the_classes(tree50, exports50):
    data = coco.COCO(exports50 / "coco" / "ImageNetS50-validation.json")
    categories = data.loadCats(data.getCatIds())
    assert {category["wnid"]: category["id"] for category in categories} == {
        sample.wnid: sample.class_id for sample in samples(tree50, "validation")
    }
    assert data.getCatIds(catNms=["goldfish"]) == [1]


def test_torchvision_finds_images_below_the_subset_s_folder(tree50, exports50):
    datasets = pytest.importorskip("torchvision.datasets")
    data = datasets.CocoDetection(tree50, str(exports50 / "coco" / "ImageNetS50-validation.json"))
    expected = samples(tree50, "validation")
    assert len(data) == len(expected)
    for (image, annotations), sample in zip(data, expected, strict=True):
        assert same_picture(image, tree50 / sample.image)
        assert {annotation["category_id"] for annotation in annotations} <= set(sample.mask_ids)


def test_alphaclip_gets_the_region_of_each_image_s_class(tree50, exports50):
    entries = json.loads((exports50 / "alphaclip" / "imagenet_50.json").read_text())
    expected = samples(tree50, "validation")
    assert [entry["image_pth"] for entry in entries] == [f"ImageNetS50/{sample.image}" for sample in expected]
    words: list[str] = []  # the client numbers classes in the order of their first entries
    for entry, sample in zip(entries, expected, strict=True):
        if entry["category_word"] not in words:
            words.append(entry["category_word"])
        assert (entry["category_word"], words.index(entry["category_word"])) == (sample.wnid, sample.label)
        region = run_lengths.decode(entry["mask"])
        assert np.array_equal(region, truth(tree50, sample) == sample.class_id)
    assert words == wnids(tree50)
