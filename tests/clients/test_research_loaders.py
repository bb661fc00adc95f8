"""How the code of papers reads the tree: each test reads as one loader does, written from its description."""

from glob import glob
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clients.truth import MASKED, ids_of, pixels_digest, samples

torch = pytest.importorskip("torch")
transforms = pytest.importorskip("torchvision.transforms")
datasets = pytest.importorskip("torchvision.datasets")


def beside(image: str, masks: Path) -> Path:
    """Return the mask with the class folder and name of an image, as PASS finds it."""
    wnid, name = image.split("/")[-2:]
    return masks / wnid / name.replace("JPEG", "png")


@pytest.mark.parametrize("split", MASKED)
def test_pass_finds_the_mask_of_each_image_by_its_class_and_name(tree50, split):
    found = datasets.ImageFolder(tree50 / split).imgs
    for (image, label), sample in zip(found, samples(tree50, split), strict=True):
        assert label == sample.label
        path = beside(image, tree50 / f"{split}-segmentation")
        assert path == tree50 / sample.mask
        with Image.open(path) as mask:
            assert mask.size == sample.size
            assert pixels_digest(ids_of(mask)) == sample.mask_pixels


def test_the_distance_matching_of_pass_gets_ids_from_channels_as_floats(tree50):
    to_tensor = transforms.ToTensor()
    for image, _ in datasets.ImageFolder(tree50 / "train-semi").imgs:
        with Image.open(beside(image, tree50 / "train-semi-segmentation")) as mask:
            channels = (to_tensor(mask.convert("RGB")) * 255.0).long()
            assert np.array_equal((channels[1] * 256 + channels[0]).numpy(), ids_of(mask))


def test_the_evaluator_of_pass_takes_masks_for_the_images_of_a_folder(tree50):
    found = datasets.ImageFolder(tree50 / "validation-segmentation").imgs
    expected = [(str(tree50 / sample.mask), sample.label) for sample in samples(tree50, "validation")]
    assert found == expected


def test_zutis_pairs_the_sorted_images_and_masks(tree50):
    images = sorted(glob(f"{tree50}/validation/**/*.JPEG"))
    masks = sorted(glob(f"{tree50}/validation-segmentation/**/*.png"))
    expected = samples(tree50, "validation")
    assert images == [str(tree50 / sample.image) for sample in expected]
    assert masks == [str(tree50 / sample.mask) for sample in expected]
    for path, sample in zip(masks, expected, strict=True):
        rgb = np.array(Image.open(path)).astype(np.int64)
        assert pixels_digest(rgb[..., 0] + rgb[..., 1] * 256) == sample.mask_pixels


def test_zutis_finds_the_images_of_test_which_have_no_masks(tree50):
    images = sorted(glob(f"{tree50}/test/**/*.JPEG"))
    assert images == [str(tree50 / sample.image) for sample in samples(tree50, "test")]
