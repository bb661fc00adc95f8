"""FiftyOne: its importers of the tree and of the export for COCO, which need no database."""

import os

import numpy as np
import pytest
from PIL import Image

from clients.truth import MASKED, ids_of, pixels_digest, samples

os.environ["FIFTYONE_DO_NOT_TRACK"] = "true"  # else it reports its import to its makers
importers = pytest.importorskip("fiftyone.utils.data.importers")


def found_by(importer) -> list:
    """Return the path and the label of each image that an importer finds."""
    importer.setup()
    return [(path, label) for path, _, label in importer]


@pytest.mark.parametrize("split", MASKED)
def test_folders_of_images_and_of_masks_with_16_bits(tree50, split):
    importer = importers.ImageSegmentationDirectoryImporter(
        data_path=str(tree50 / split), labels_path=str(tree50 / f"{split}-segmentation-id16")
    )
    found, expected = found_by(importer), samples(tree50, split)
    assert [path for path, _ in found] == [str(tree50 / sample.image) for sample in expected]
    for (_, label), sample in zip(found, expected, strict=True):
        assert pixels_digest(label.get_mask()) == sample.mask_pixels


@pytest.mark.parametrize("split", MASKED)
def test_the_export_for_coco(tree50, exports50, split):
    pytest.importorskip("pycocotools")
    coco = pytest.importorskip("fiftyone.utils.coco")
    importer = coco.COCODetectionDatasetImporter(
        data_path=str(tree50),
        labels_path=str(exports50 / "coco" / f"ImageNetS50-{split}.json"),
        label_types="segmentations",
    )
    found, expected = found_by(importer), samples(tree50, split)
    assert [path for path, _ in found] == [str(tree50 / sample.image) for sample in expected]
    number_of = {row["name"]: row["id"] for row in importer.get_dataset_info()["categories"]}
    for (_, label), sample in zip(found, expected, strict=True):
        with Image.open(tree50 / sample.mask) as mask:
            ids = ids_of(mask)
        rebuilt = np.zeros_like(ids)
        for region in label.detections:
            width, height = sample.size
            x, y, w, h = np.array(region.bounding_box) * [width, height, width, height]
            box = rebuilt[round(y) : round(y + h), round(x) : round(x + w)]
            box[region.mask] = number_of[region.label]
        assert np.array_equal(rebuilt, np.where(ids == 1000, 0, ids))
